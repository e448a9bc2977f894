//! FIFO evicts the object that was stored first (Belady 1966). The twin of
//! policies-native/fifo.go.
#![no_std]

use kit::{Policy, Queue, Record, Space};

struct FIFO(Queue); // newest first

impl Policy for FIFO {
    fn new(capacity: i64, _: &[f64]) -> Self {
        FIFO(Queue::new(capacity))
    }

    fn reserve(&mut self, objects: usize) {
        self.0.reserve(objects);
    }

    fn preload(&mut self, requests: &[Record]) -> bool {
        self.0.preload_nodes(requests)
    }

    #[inline(always)]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.0.touch(id);
        if self.0.has(id) {
            return true;
        }
        while self.0.space.full(size) {
            let victim = self.0.back(0).unwrap();
            self.0.evict(victim);
        }
        self.0.push_front(0, id, size);
        false
    }

    fn remove(&mut self, id: u32) -> bool {
        self.0.remove(id)
    }

    fn space(&self) -> &Space {
        &self.0.space
    }
}

kit::export!(FIFO);
