//! FIFO evicts the object that was stored first (Belady 1966). The twin of
//! policies-native/fifo.go.
#![no_std]

use kit::{Policy, Space, Table};

struct FIFO {
    space: Space,
    queue: Table<i64>, // newest first; value: the object's size
}

impl Policy for FIFO {
    fn new(capacity: i64) -> Self {
        FIFO { space: Space::new(capacity), queue: Table::new() }
    }

    fn reserve(&mut self, objects: usize) {
        self.queue.reserve(objects);
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.queue.touch(id);
        if self.queue.has(id) {
            return true;
        }
        while self.space.full(size) {
            let victim = self.queue.back().unwrap();
            self.space.evict(self.queue.remove(victim));
        }
        *self.queue.value(id) = size;
        self.queue.push_front(id);
        self.space.admit(size);
        false
    }

    fn evictions(&self) -> i64 {
        self.space.evictions()
    }
}

kit::export!(FIFO);
