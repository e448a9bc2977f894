use alloc::vec::Vec;

/// An indexed binary min-heap of objects: the least key is on top, and a key can
/// be changed where it stands. Among equal keys the one set first comes first.
pub struct Heap {
    entries: Vec<Entry>,
    place: Vec<u32>, // of an object in entries plus 1; 0: not in the heap
    clock: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    key: f64,
    born: u64, // the clock when the key was set
    id: u32,
}

impl Entry {
    fn before(&self, other: &Entry) -> bool {
        self.key < other.key || self.key == other.key && self.born < other.born
    }
}

impl Heap {
    pub fn new() -> Self {
        Heap { entries: Vec::new(), place: Vec::new(), clock: 0 }
    }

    /// Makes room for so many objects.
    pub fn reserve(&mut self, objects: usize) {
        if objects > self.place.len() {
            self.place.resize(objects, 0);
        }
    }

    pub fn has(&self, id: u32) -> bool {
        self.place.get(id as usize).map_or(false, |&p| p != 0)
    }

    /// The object with the least key, and that key.
    pub fn top(&self) -> Option<(u32, f64)> {
        self.entries.first().map(|e| (e.id, e.key))
    }

    /// Gives the object a key, adding it if need be.
    pub fn set(&mut self, id: u32, key: f64) {
        if id as usize >= self.place.len() {
            self.reserve((id as usize + 1).max(2 * self.place.len()));
        }
        self.clock += 1;
        let e = Entry { key, born: self.clock, id };
        let i = self.place[id as usize] as usize;
        if i == 0 {
            self.entries.push(e);
            self.up(e, self.entries.len() - 1);
        } else if e.before(&self.entries[i - 1]) {
            self.up(e, i - 1);
        } else {
            self.down(e, i - 1);
        }
    }

    /// Removes the object on top.
    pub fn pop(&mut self) {
        let last = self.entries.pop().unwrap();
        if let Some(top) = self.entries.first() {
            self.place[top.id as usize] = 0;
            self.down(last, 0);
        } else {
            self.place[last.id as usize] = 0;
        }
    }

    fn up(&mut self, e: Entry, mut i: usize) {
        while i > 0 {
            let parent = (i - 1) / 2;
            if !e.before(&self.entries[parent]) {
                break;
            }
            self.put(self.entries[parent], i);
            i = parent;
        }
        self.put(e, i);
    }

    fn down(&mut self, e: Entry, mut i: usize) {
        let n = self.entries.len();
        loop {
            let mut child = 2 * i + 1;
            if child >= n {
                break;
            }
            if child + 1 < n && self.entries[child + 1].before(&self.entries[child]) {
                child += 1;
            }
            if !self.entries[child].before(&e) {
                break;
            }
            self.put(self.entries[child], i);
            i = child;
        }
        self.put(e, i);
    }

    fn put(&mut self, e: Entry, i: usize) {
        self.entries[i] = e;
        self.place[e.id as usize] = i as u32 + 1;
    }
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}
