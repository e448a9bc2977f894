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
            let last = self.entries.len() - 1;
            up(&mut self.entries, &mut self.place, e, last);
        } else if e.before(&self.entries[i - 1]) {
            up(&mut self.entries, &mut self.place, e, i - 1);
        } else {
            down(&mut self.entries, &mut self.place, e, i - 1);
        }
    }

    /// Removes the object on top.
    pub fn pop(&mut self) {
        let last = self.entries.pop().unwrap();
        if let Some(top) = self.entries.first() {
            self.place[top.id as usize] = 0;
            down(&mut self.entries, &mut self.place, last, 0);
        } else {
            self.place[last.id as usize] = 0;
        }
    }
}

// These take slices, whose places and lengths stay in locals where those of a
// Vec would be read again after every write.

#[inline(always)] // a call would pass the entry in memory
fn up(entries: &mut [Entry], place: &mut [u32], e: Entry, mut i: usize) {
    while i > 0 {
        let parent = (i - 1) / 2;
        if !e.before(&entries[parent]) {
            break;
        }
        put(entries, place, entries[parent], i);
        i = parent;
    }
    put(entries, place, e, i);
}

#[inline(always)]
fn down(entries: &mut [Entry], place: &mut [u32], e: Entry, mut i: usize) {
    loop {
        let mut child = 2 * i + 1;
        if child >= entries.len() {
            break;
        }
        if child + 1 < entries.len() && entries[child + 1].before(&entries[child]) {
            child += 1;
        }
        if !entries[child].before(&e) {
            break;
        }
        put(entries, place, entries[child], i);
        i = child;
    }
    put(entries, place, e, i);
}

#[inline]
fn put(entries: &mut [Entry], place: &mut [u32], e: Entry, i: usize) {
    entries[i] = e;
    place[e.id as usize] = i as u32 + 1;
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}
