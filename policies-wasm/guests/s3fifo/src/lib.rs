//! S3-FIFO quickly drops objects that are not used soon after they were stored
//! (Yang et al. 2023). The twin of policies-native/s3fifo.go, where it is explained.
#![no_std]

use kit::{Policy, Queues, Record, Space};

struct S3FIFO {
    queues: Queues<u8, 2, 3>, // value: hits, up to 3
    small_share: i64,
    main_share: i64,
    ghost_share: i64,
    threshold: u8,
    fills_main_at_first: bool,
}

const SMALL: usize = 0;
const MAIN: usize = 1;
const GHOST: usize = 2;

impl S3FIFO {
    fn evict_small(&mut self) {
        while let Some(id) = self.queues.back(SMALL) {
            let hits = self.queues.value(id);
            if *hits < self.threshold {
                self.queues.demote(id, GHOST, self.ghost_share);
                return;
            }
            *hits = 0;
            self.queues.shift(id, MAIN);
        }
    }

    fn evict_main(&mut self) {
        loop {
            let id = self.queues.back(MAIN).unwrap();
            let hits = self.queues.value(id);
            if *hits == 0 {
                self.queues.evict(id);
                return;
            }
            *hits -= 1;
            self.queues.move_to_front(id);
        }
    }
}

impl Policy for S3FIFO {
    fn new(capacity: i64, params: &[f64]) -> Self {
        let queues = Queues::new(capacity);
        let small_share = queues.space.share(params[0]);
        S3FIFO {
            small_share,
            main_share: capacity - small_share,
            ghost_share: queues.space.share(params[1]),
            threshold: params[2] as u8,
            fills_main_at_first: params[3] != 0.0,
            queues,
        }
    }

    fn reserve(&mut self, objects: usize) {
        self.queues.reserve(objects);
    }

    fn preload(&mut self, requests: &[Record]) -> bool {
        self.queues.preload(requests)
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.queues.touch(id);
        if self.queues.has(id) {
            let hits = self.queues.value(id);
            *hits = (*hits + 1).min(3);
            return true;
        }
        let mut queue = if self.queues.forget(id, GHOST) { MAIN } else { SMALL };
        while self.queues.space.full(size) {
            if self.queues.bytes(MAIN) > self.main_share || self.queues.len(SMALL) == 0 {
                self.evict_main();
            } else {
                self.evict_small();
            }
        }
        if self.fills_main_at_first && self.queues.space.evictions() == 0 && self.queues.bytes(SMALL) >= self.small_share {
            queue = MAIN;
        }
        *self.queues.value(id) = 0;
        self.queues.push_front(queue, id, size);
        false
    }

    fn remove(&mut self, id: u32) -> bool {
        self.queues.remove(id)
    }

    fn space(&self) -> &Space {
        &self.queues.space
    }
}

kit::export!(S3FIFO, param_small = 0.1, param_ghost = 0.9, param_threshold = 2.0, param_revised = 0.0);
