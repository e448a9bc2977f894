//! LFU evicts the object with the fewest requests since it was stored; among
//! those, the one that has gone unused longest (Aho, Denning, Ullman 1971). The
//! twin of policies-native/lfu.go, where the data structure is explained.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use kit::{Policy, Space, Table};

struct LFU {
    space: Space,
    queue: Table<Object>, // in the order of eviction
    buckets: Vec<Bucket>, // of counts in use, and free ones
    free: Vec<u32>,       // indexes of free buckets
}

#[derive(Clone, Copy, Default)]
struct Object {
    size: i64,
    bucket: u32,
}

#[derive(Clone, Copy)]
struct Bucket {
    count: u64,
    last: u32, // id of the last object with this count
}

impl LFU {
    /// Stores a new object behind the others that were requested once.
    fn insert(&mut self, id: u32, size: i64) {
        if let Some(front) = self.queue.front() {
            let bucket = self.queue.value(front).bucket;
            let b = &mut self.buckets[bucket as usize];
            if b.count == 1 {
                self.queue.insert_after(b.last, id);
                b.last = id;
                *self.queue.value(id) = Object { size, bucket };
                return;
            }
        }
        self.queue.push_front(id);
        let bucket = self.open(1, id);
        *self.queue.value(id) = Object { size, bucket };
    }

    /// Adds one to the count of an object and moves it behind the others that
    /// have the new count.
    fn promote(&mut self, id: u32) {
        let bucket = self.queue.value(id).bucket;
        let Bucket { count, last } = self.buckets[bucket as usize];
        let before = self.queue.prev(id);
        let alone = last == id && before.map_or(true, |b| self.queue.value(b).bucket != bucket);

        if let Some(behind) = self.queue.next(last) {
            let next = self.queue.value(behind).bucket;
            let nb = self.buckets[next as usize];
            if nb.count == count + 1 {
                if alone {
                    self.free.push(bucket);
                } else if last == id {
                    self.buckets[bucket as usize].last = before.unwrap();
                }
                self.queue.remove(id);
                self.queue.insert_after(nb.last, id);
                self.buckets[next as usize].last = id;
                self.queue.value(id).bucket = next;
                return;
            }
        }
        if alone {
            self.buckets[bucket as usize].count += 1;
            return;
        }
        if last == id {
            self.buckets[bucket as usize].last = before.unwrap();
        } else {
            self.queue.remove(id);
            self.queue.insert_after(last, id);
        }
        self.queue.value(id).bucket = self.open(count + 1, id);
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
    fn new(capacity: i64) -> Self {
        LFU { space: Space::new(capacity), queue: Table::new(), buckets: Vec::new(), free: Vec::new() }
    }

    fn reserve(&mut self, objects: usize) {
        self.queue.reserve(objects);
    }

    #[inline]
    fn access(&mut self, id: u32, size: i64) -> bool {
        self.queue.touch(id);
        if self.queue.has(id) {
            self.promote(id);
            return true;
        }
        while self.space.full(size) {
            let victim = self.queue.front().unwrap();
            let o = self.queue.remove(victim);
            if self.buckets[o.bucket as usize].last == victim {
                self.free.push(o.bucket);
            }
            self.space.evict(o.size);
        }
        self.insert(id, size);
        self.space.admit(size);
        false
    }

    fn evictions(&self) -> i64 {
        self.space.evictions()
    }
}

kit::export!(LFU);
