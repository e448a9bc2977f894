//! GreedyDual-Size with a cost of 1 for every object (Cao and Irani 1997): it
//! evicts the object with the least H = L + 1/size, and L rises to the H of each
//! victim. The twin of policies-native/gdsize.go.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use kit::{Heap, Policy, Space};

struct GDSize {
    space: Space,
    heap: Heap,      // key: H
    sizes: Vec<i64>, // bytes, of stored objects
    inflation: f64,  // L
}

impl Policy for GDSize {
    fn new(capacity: i64) -> Self {
        GDSize { space: Space::new(capacity), heap: Heap::new(), sizes: Vec::new(), inflation: 0.0 }
    }

    fn reserve(&mut self, objects: usize) {
        self.heap.reserve(objects);
        if objects > self.sizes.len() {
            self.sizes.resize(objects, 0);
        }
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        let hit = self.heap.has(id);
        if !hit {
            while self.space.full(size) {
                let (victim, h) = self.heap.top().unwrap();
                self.inflation = h;
                self.heap.pop();
                self.space.evict(self.sizes[victim as usize]);
            }
            if id as usize >= self.sizes.len() {
                self.sizes.resize((id as usize + 1).max(2 * self.sizes.len()), 0);
            }
            self.sizes[id as usize] = size;
            self.space.admit(size);
        }
        // An object of no bytes has H = +Inf and is never in the way.
        self.heap.set(id, self.inflation + 1.0 / size as f64);
        hit
    }

    fn evictions(&self) -> i64 {
        self.space.evictions()
    }
}

kit::export!(GDSize);
