use crate::Space;
use alloc::vec::Vec;

/// An indexed binary min-heap of resident objects: the least key is on top, and
/// an object's key can be changed where it is. Among equal keys the one that was
/// set first comes first. The twin of policies-native/kit/heap.go.
pub struct Heap {
    pub space: Space,
    entries: Vec<Entry>,
    index: Vec<u32>, // of an object in entries plus 1; 0: not in the heap
    clock: u64,      // counts set keys
}

#[derive(Clone, Copy)]
struct Entry {
    key: f64,
    born: u64, // the clock when the key was set
    size: i64,
    id: u32,
}

impl Entry {
    fn before(&self, other: &Entry) -> bool {
        self.key < other.key || self.key == other.key && self.born < other.born
    }
}

impl Heap {
    pub fn new(capacity: i64) -> Self {
        Heap { space: Space::new(capacity), entries: Vec::new(), index: Vec::new(), clock: 0 }
    }

    /// Makes room for so many objects.
    pub fn reserve(&mut self, objects: usize) {
        if objects > self.index.len() {
            self.index.resize(objects, 0);
        }
    }

    /// Makes sure that the object has an index. The other methods take an id
    /// that has been through it.
    #[inline]
    pub fn touch(&mut self, id: u32) {
        if id as usize >= self.index.len() {
            self.grow(id);
        }
    }

    #[cold]
    fn grow(&mut self, id: u32) {
        self.reserve((id as usize + 1).max(2 * self.index.len()));
    }

    /// Whether the object is resident.
    #[inline]
    pub fn has(&self, id: u32) -> bool {
        self.index[id as usize] != 0
    }

    /// The object with the least key, and that key.
    pub fn min(&self) -> Option<(u32, f64)> {
        self.entries.first().map(|e| (e.id, e.key))
    }

    /// The key of an object that is in the heap.
    pub fn key(&self, id: u32) -> f64 {
        self.entries[self.index[id as usize] as usize - 1].key
    }

    /// The size of an object that is in the heap.
    pub fn size(&self, id: u32) -> i64 {
        self.entries[self.index[id as usize] as usize - 1].size
    }

    /// Adds an object that is not in the heap.
    pub fn push(&mut self, id: u32, size: i64, key: f64) {
        self.clock += 1;
        self.space.used += size;
        let e = Entry { key, born: self.clock, size, id };
        self.entries.push(e);
        let last = self.entries.len() - 1;
        up(&mut self.entries, &mut self.index, e, last);
    }

    /// Changes the key of an object that is in the heap.
    pub fn update(&mut self, id: u32, key: f64) {
        self.clock += 1;
        let i = self.index[id as usize] as usize - 1;
        let old = self.entries[i];
        let e = Entry { key, born: self.clock, size: old.size, id };
        if e.before(&old) {
            up(&mut self.entries, &mut self.index, e, i);
        } else {
            down(&mut self.entries, &mut self.index, e, i);
        }
    }

    /// Takes an object out of the heap and counts the eviction.
    pub fn evict(&mut self, id: u32) {
        self.remove(id);
        self.space.evicted += 1;
    }

    /// Takes an object out of the heap and tells whether it was in there.
    pub fn remove(&mut self, id: u32) -> bool {
        self.touch(id);
        let i = self.index[id as usize] as usize;
        if i == 0 {
            return false;
        }
        let i = i - 1;
        self.space.used -= self.entries[i].size;
        self.index[id as usize] = 0;
        let e = self.entries.pop().unwrap();
        if i == self.entries.len() {
            return true;
        }
        if i > 0 && e.before(&self.entries[(i - 1) / 2]) {
            up(&mut self.entries, &mut self.index, e, i);
        } else {
            down(&mut self.entries, &mut self.index, e, i);
        }
        true
    }
}

// These take slices, whose addresses and lengths stay in locals where those of a
// Vec would be read again after every write.

#[inline(always)] // a call would pass the entry in memory
fn up(entries: &mut [Entry], index: &mut [u32], e: Entry, mut i: usize) {
    while i > 0 {
        let parent = (i - 1) / 2;
        if !e.before(&entries[parent]) {
            break;
        }
        put(entries, index, entries[parent], i);
        i = parent;
    }
    put(entries, index, e, i);
}

#[inline(always)]
fn down(entries: &mut [Entry], index: &mut [u32], e: Entry, mut i: usize) {
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
        put(entries, index, entries[child], i);
        i = child;
    }
    put(entries, index, e, i);
}

#[inline]
fn put(entries: &mut [Entry], index: &mut [u32], e: Entry, i: usize) {
    entries[i] = e;
    index[e.id as usize] = i as u32 + 1;
}
