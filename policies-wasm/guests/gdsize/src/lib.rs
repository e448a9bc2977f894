//! GreedyDual-Size (Cao and Irani 1997): it evicts the object with the least
//! H = L + cost/size, and L rises to the H of each victim. The twin of
//! policies-native/gdsize.go, where it is explained.
#![no_std]

use kit::{Heap, Policy, Space};

struct GDSize {
    heap: Heap,     // key: H
    inflation: f64, // L
    packets: bool,  // cost=1
}

impl GDSize {
    /// H of an object that is stored or hit. An object of no bytes has +Inf and
    /// is never in the way.
    #[inline]
    fn h(&self, size: i64) -> f64 {
        let cost = if self.packets { 2.0 + size as f64 / 536.0 } else { 1.0 };
        self.inflation + cost / size as f64
    }
}

impl Policy for GDSize {
    fn new(capacity: i64, params: &[f64]) -> Self {
        GDSize { heap: Heap::new(capacity), inflation: 0.0, packets: params[0] >= 0.5 }
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

kit::export!(GDSize, param_cost = 0.0);
