//! GDSF, GreedyDual-Size with Frequency (Cherkasova 1998): it evicts the object with
//! the least H = L + frequency * cost / size, and L rises to the H of each victim. The
//! twin of policies-native/gdsf.go, where it is explained.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use kit::{Heap, Policy, Space};

struct GDSF {
    heap: Heap,          // key: H
    frequency: Vec<u32>, // of each resident
    inflation: f64,      // L
    by_size: bool,       // an object costs its size
}

impl GDSF {
    #[inline]
    fn h(&self, id: u32, size: i64) -> f64 {
        let value = self.frequency[id as usize] as f64 * 1e6;
        if self.by_size {
            self.inflation + value
        } else {
            self.inflation + value / size as f64
        }
    }
}

impl Policy for GDSF {
    fn new(capacity: i64, params: &[f64]) -> Self {
        GDSF { heap: Heap::new(capacity), frequency: Vec::new(), inflation: 0.0, by_size: params[0] >= 0.5 }
    }

    fn reserve(&mut self, objects: usize) {
        self.heap.reserve(objects);
        if objects > self.frequency.len() {
            self.frequency.resize(objects, 0);
        }
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.heap.touch(id);
        if id as usize >= self.frequency.len() {
            self.reserve((id as usize + 1).max(2 * self.frequency.len()));
        }
        if self.heap.has(id) {
            self.frequency[id as usize] += 1;
            self.heap.update(id, self.h(id, size));
            return true;
        }
        while self.heap.space.full(size) {
            let (victim, h) = self.heap.min().unwrap();
            self.inflation = h;
            self.heap.evict(victim);
        }
        self.frequency[id as usize] = 1;
        self.heap.push(id, size, self.h(id, size));
        false
    }

    fn remove(&mut self, id: u32) -> bool {
        self.heap.remove(id)
    }

    fn space(&self) -> &Space {
        &self.heap.space
    }
}

kit::export!(GDSF, param_cost = 0.0);
