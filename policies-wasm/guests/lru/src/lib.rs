//! LRU evicts the object that has gone unused longest (Mattson et al. 1970). The twin of
//! policies-native/lru.go.
#![no_std]

use kit::{Policy, Space, Table};

struct LRU {
    space: Space,
    queue: Table<i64>, // newest first; value: the object's size
}

impl Policy for LRU {
    fn new(capacity: i64) -> Self {
        LRU { space: Space::new(capacity), queue: Table::new() }
    }

    fn reserve(&mut self, objects: usize) {
        self.queue.reserve(objects);
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.queue.touch(id);
        if self.queue.has(id) {
            self.queue.remove(id);
            self.queue.push_front(id);
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

kit::export!(LRU);
