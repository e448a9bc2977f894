//! GreedyDual-Size with a cost of 1 for every object (Cao and Irani 1997): it
//! evicts the object with the least H = L + 1/size, and L rises to the H of each
//! victim. The twin of policies-native/gdsize.go.
#![no_std]

use kit::{Heap, Policy, Space};

struct GDSize {
    heap: Heap,     // key: H
    inflation: f64, // L
}

impl GDSize {
    /// H of an object that is stored or hit. An object of no bytes has +Inf and
    /// is never in the way.
    #[inline]
    fn h(&self, size: i64) -> f64 {
        self.inflation + 1.0 / size as f64
    }
}

impl Policy for GDSize {
    fn new(capacity: i64, _: &[f64]) -> Self {
        GDSize { heap: Heap::new(capacity), inflation: 0.0 }
    }

    fn reserve(&mut self, objects: usize) {
        self.heap.reserve(objects);
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.heap.touch(id);
        if self.heap.has(id) {
            self.heap.update(id, self.h(size));
            return true;
        }
        while self.heap.space.full(size) {
            let (victim, h) = self.heap.min().unwrap();
            self.inflation = h;
            self.heap.evict(victim);
        }
        self.heap.push(id, size, self.h(size));
        false
    }

    fn remove(&mut self, id: u32) -> bool {
        self.heap.remove(id)
    }

    fn space(&self) -> &Space {
        &self.heap.space
    }
}

kit::export!(GDSize);
