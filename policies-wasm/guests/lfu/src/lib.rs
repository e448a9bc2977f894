//! LFU evicts the object with the fewest requests since it was stored; among
//! those, the one that has gone unused longest (Aho, Denning, Ullman 1971). The
//! twin of policies-native/lfu.go, where the data structure is explained.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use kit::{Policy, Queues, Record, Space};

struct LFU {
    queue: Queues<u32, 1, 1>, // in the order of eviction; value: index of the object's bucket
    buckets: Vec<Bucket>,     // of counts in use, and free ones
    free: Vec<u32>,           // indexes of free buckets
}

#[derive(Clone, Copy)]
struct Bucket {
    count: u64,
    last: u32, // id of the last object with this count
}

impl LFU {
    /// Stores a new object behind the others that were requested once.
    fn insert(&mut self, id: u32, size: i64) {
        if let Some(front) = self.queue.front(0) {
            let first = *self.queue.value(front);
            let b = &mut self.buckets[first as usize];
            if b.count == 1 {
                self.queue.insert_behind(b.last, id, size);
                b.last = id;
                *self.queue.value(id) = first;
                return;
            }
        }
        self.queue.push_front(0, id, size);
        *self.queue.value(id) = self.open(1, id);
    }

    /// Adds one to the count of an object and moves it behind the others that
    /// have the new count.
    fn promote(&mut self, id: u32) {
        let bucket = *self.queue.value(id);
        let Bucket { count, last } = self.buckets[bucket as usize];
        if let Some(behind) = self.queue.next(last) {
            let next = *self.queue.value(behind);
            let nb = self.buckets[next as usize];
            if nb.count == count + 1 {
                self.leave_bucket(id);
                self.queue.move_behind(nb.last, id);
                self.buckets[next as usize].last = id;
                *self.queue.value(id) = next;
                return;
            }
        }
        if self.alone(id) {
            self.buckets[bucket as usize].count += 1;
            return;
        }
        self.leave_bucket(id);
        if last != id {
            self.queue.move_behind(last, id);
        }
        *self.queue.value(id) = self.open(count + 1, id);
    }

    /// Whether no other object has the same count.
    #[inline]
    fn alone(&mut self, id: u32) -> bool {
        let bucket = *self.queue.value(id);
        if self.buckets[bucket as usize].last != id {
            return false;
        }
        match self.queue.prev(id) {
            Some(before) => *self.queue.value(before) != bucket,
            None => true,
        }
    }

    /// Takes an object out of its bucket, which is freed if it was alone there.
    /// Its position in the queue is the caller's business.
    #[inline]
    fn leave_bucket(&mut self, id: u32) {
        let bucket = *self.queue.value(id);
        if self.alone(id) {
            self.free.push(bucket);
        } else if self.buckets[bucket as usize].last == id {
            self.buckets[bucket as usize].last = self.queue.prev(id).unwrap();
        }
    }

    /// Returns a bucket for a count that no object had.
    fn open(&mut self, count: u64, last: u32) -> u32 {
        let b = Bucket { count, last };
        if let Some(i) = self.free.pop() {
            self.buckets[i as usize] = b;
            return i;
        }
        self.buckets.push(b);
        self.buckets.len() as u32 - 1
    }
}

impl Policy for LFU {
    fn new(capacity: i64, _: &[f64]) -> Self {
        LFU { queue: Queues::new(capacity), buckets: Vec::new(), free: Vec::new() }
    }

    fn reserve(&mut self, objects: usize) {
        self.queue.reserve(objects);
    }

    fn preload(&mut self, requests: &[Record]) -> bool {
        self.queue.preload(requests)
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.queue.touch(id);
        if self.queue.has(id) {
            self.promote(id);
            return true;
        }
        while self.queue.space.full(size) {
            let victim = self.queue.front(0).unwrap();
            self.leave_bucket(victim);
            self.queue.evict(victim);
        }
        self.insert(id, size);
        false
    }

    fn remove(&mut self, id: u32) -> bool {
        self.queue.touch(id);
        if !self.queue.has(id) {
            return false;
        }
        self.leave_bucket(id);
        self.queue.remove(id)
    }

    fn space(&self) -> &Space {
        &self.queue.space
    }
}

kit::export!(LFU);
