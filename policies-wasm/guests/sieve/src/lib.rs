//! SIEVE evicts the next object that was not used since its hand passed last, and
//! moves none (Zhang et al. 2024). The twin of policies-native/sieve.go, where it is
//! explained.
#![no_std]

use kit::{Policy, Queues, Record, Space};

struct Sieve {
    queue: Queues<bool, 1, 1>, // newest first; value: visited
    hand: Option<u32>,         // none: it starts at the back
}

impl Sieve {
    fn evict(&mut self) {
        loop {
            let victim = match self.hand {
                Some(at) => at,
                None => self.queue.back(0).unwrap(),
            };
            self.hand = self.queue.prev(victim);
            let visited = self.queue.value(victim);
            if !*visited {
                self.queue.evict(victim);
                return;
            }
            *visited = false;
        }
    }
}

impl Policy for Sieve {
    fn new(capacity: i64, _: &[f64]) -> Self {
        Sieve { queue: Queues::new(capacity), hand: None }
    }

    fn reserve(&mut self, objects: usize) {
        self.queue.reserve(objects);
    }

    fn preload(&mut self, requests: &[Record]) -> bool {
        self.queue.preload(requests)
    }

    #[inline(always)]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.queue.touch(id);
        if self.queue.has(id) {
            *self.queue.value(id) = true;
            return true;
        }
        while self.queue.space.full(size) {
            self.evict();
        }
        *self.queue.value(id) = false;
        self.queue.push_front(0, id, size);
        false
    }

    fn remove(&mut self, id: u32) -> bool {
        self.queue.touch(id);
        if self.hand == Some(id) {
            self.hand = self.queue.prev(id);
        }
        self.queue.remove(id)
    }

    fn space(&self) -> &Space {
        &self.queue.space
    }
}

kit::export!(Sieve);
