//! ARC, the adaptive replacement cache, divides the cache between objects requested
//! once and again, by what either part has lost lately (Megiddo and Modha 2003). The
//! twin of policies-native/arc.go, where it is explained.
#![no_std]

use kit::{Policy, Queues, Record, Space};

struct ARC {
    queues: Queues<(), 2, 4>,
    target: f64,  // p, the bytes that T1 should have
    single: bool, // step=1
}

const T1: usize = 0;
const T2: usize = 1;
const B1: usize = 2;
const B2: usize = 3;

impl ARC {
    /// Evicts an object from T1 or T2, which becomes a ghost.
    fn replace(&mut self, in_b2: bool) {
        let t1 = self.queues.bytes(T1) as f64;
        let q = &mut self.queues;
        if q.len(T2) == 0 || q.len(T1) != 0 && (t1 > self.target || t1 == self.target && in_b2) {
            let oldest = q.back(T1).unwrap();
            q.shift(oldest, B1);
        } else {
            let oldest = q.back(T2).unwrap();
            q.shift(oldest, B2);
        }
    }

    /// Evicts an object for a new one of the given size, with step=1.
    fn evict_singly(&mut self, size: i64) {
        let capacity = self.queues.space.capacity();
        if self.queues.bytes(T1) + self.queues.bytes(B1) + size > capacity {
            match self.queues.back(B1) {
                Some(ghost) => self.queues.drop(ghost),
                None => {
                    let oldest = self.queues.back(T1).unwrap();
                    self.queues.evict(oldest);
                    return;
                }
            }
        } else if self.queues.space.used() + self.queues.bytes(B1) + self.queues.bytes(B2) >= 2 * capacity {
            if let Some(ghost) = self.queues.back(B2) {
                self.queues.drop(ghost);
            }
        }
        self.replace(false);
    }

    /// Changes the share of T1 after a hit on a ghost of the given size.
    fn adapt(&mut self, size: i64, in_b1: bool) {
        if size == 0 {
            return;
        }
        let (b1, b2) = (self.queues.bytes(B1) as f64, self.queues.bytes(B2) as f64);
        if in_b1 {
            let step = size as f64 * (b2 / b1).max(1.0);
            self.target = (self.target + step).min(self.queues.space.capacity() as f64);
        } else {
            let step = size as f64 * (b1 / b2).max(1.0);
            self.target = (self.target - step).max(0.0);
        }
    }
}

impl Policy for ARC {
    fn new(capacity: i64, params: &[f64]) -> Self {
        ARC { queues: Queues::new(capacity), target: 0.0, single: params[0] >= 0.5 }
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
        match self.queues.queue(id) {
            Some(T1) => {
                self.queues.shift(id, T2);
                return true;
            }
            Some(T2) => {
                self.queues.move_to_front(id);
                return true;
            }
            Some(ghosts) => {
                self.adapt(if self.single { size.min(1) } else { size }, ghosts == B1);
                while self.queues.space.full(size) {
                    self.replace(ghosts == B2);
                }
                self.queues.drop(id); // its size may have been another one
                self.queues.push_front(T2, id, size);
                return false;
            }
            None => {}
        }
        if self.single {
            while self.queues.space.full(size) {
                self.evict_singly(size);
            }
            self.queues.push_front(T1, id, size);
            return false;
        }
        let capacity = self.queues.space.capacity();
        while self.queues.bytes(T1) + self.queues.bytes(B1) + size > capacity {
            match self.queues.back(B1) {
                Some(ghost) => self.queues.drop(ghost),
                None => {
                    let oldest = self.queues.back(T1).unwrap();
                    self.queues.evict(oldest);
                }
            }
        }
        while self.queues.space.full(size) {
            self.replace(false);
        }
        while self.queues.space.used() + self.queues.bytes(B1) + self.queues.bytes(B2) + size > 2 * capacity {
            let ghost = self.queues.back(B2).unwrap();
            self.queues.drop(ghost);
        }
        self.queues.push_front(T1, id, size);
        false
    }

    fn remove(&mut self, id: u32) -> bool {
        self.queues.remove(id)
    }

    fn space(&self) -> &Space {
        &self.queues.space
    }
}

kit::export!(ARC, param_step = 0.0);
