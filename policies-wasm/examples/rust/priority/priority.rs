//! A cache whose policy is one function, priority, on the kit. At each request for an object it
//! says how much the object is worth from now on, until its next request; the object that is worth
//! least is evicted when room is needed. Times are numbers of requests, from 1.
#![allow(dead_code)]

use crate::kit;

/// What is known of an object in the cache.
#[derive(Clone, Copy, Default)]
pub struct Object {
    pub size: i64,            // in bytes
    pub count: i64,           // of its requests since it was stored, this one included
    pub last_access: i64,     // its latest request, which is this one
    pub previous_access: i64, // its request before that; this one if it was just stored
    pub added: i64,           // the request that stored it
}

/// What is known of an object that was evicted.
#[derive(Clone, Copy, Default)]
pub struct Evicted {
    pub count: i64, // of its requests while it was in the cache
    pub age: i64,   // for how many requests it was there
}

/// What priority can ask for. Percentiles are over the objects in the cache: the least value for
/// p = 0, the median for 0.5, the largest for 1.
impl Cache {
    /// Above 255 rounded down to 8 significant bits, by less than 1 %; so are sizes.
    pub fn count_percentile(&mut self, p: f64) -> i64 {
        if self.counts.is_empty() {
            self.counts = Sums::new(BUCKETS);
            for r in &self.heap {
                self.counts.add(bucket(self.objects[r.object as usize].count), 1);
            }
        }
        lowest(self.counts.nth(self.rank(p)))
    }

    pub fn size_percentile(&mut self, p: f64) -> i64 {
        if self.sizes.is_empty() {
            self.sizes = Sums::new(BUCKETS);
            for r in &self.heap {
                self.sizes.add(bucket(self.objects[r.object as usize].size), 1);
            }
        }
        lowest(self.sizes.nth(self.rank(p)))
    }

    /// Ages count from when an object was stored.
    pub fn age_percentile(&mut self, p: f64) -> i64 {
        if self.held.is_empty() {
            self.slots = vec![0; self.objects.len()];
            self.take_slots();
        }
        let oldest = self.heap.len() - 1;
        self.now - self.slot_added[self.held.nth(oldest as u32 - self.rank(p))]
    }

    /// What is known of an object's last stay in the cache, if it was evicted lately: since then no
    /// more bytes were evicted than the cache has.
    pub fn history(&self, id: u32) -> Option<Evicted> {
        let (at, e) = self.evicted[id as usize];
        if at == 0 || self.evicted_bytes + 1 - at > self.capacity {
            return None;
        }
        Some(e)
    }
}

// The rest of this file is how.

pub struct Cache {
    now: i64,             // number of the request that is served
    capacity: i64,        // bytes
    objects: Vec<Object>, // by object, while it is in the cache
    heap: Vec<Ranked>,    // of the objects in the cache, the one that is worth least first
    place: Vec<u32>,      // in the heap, by object

    // How many objects have each count and each size, by their upper 8 bits. Whether they are
    // counted is known when the policy asks for the first time.
    counts: Sums,
    sizes: Sums,

    // Ages follow from the order in which objects were stored. Each object has a slot in that
    // order; when the slots are used up, those of objects that have left are taken out.
    held: Sums,           // 1 for each slot of an object in the cache
    slot_added: Vec<i64>, // when the objects of the slots that are in use were stored
    slots: Vec<u32>,      // by object

    // By object: 1 and the bytes that had been evicted then, the object's included; 0: never.
    evicted: Vec<(i64, Evicted)>,
    evicted_bytes: i64,
}

#[derive(Clone, Copy)]
struct Ranked {
    worth: f64,
    since: i64, // the request at which it was
    object: u32,
}

impl Ranked {
    fn before(&self, other: &Ranked) -> bool {
        self.worth < other.worth || self.worth == other.worth && self.since < other.since
    }
}

/// Sums over ranges that begin with the first of n numbers, n a power of two (P. M. Fenwick, A new
/// data structure for cumulative frequency tables, 1994).
struct Sums(Vec<u32>);

impl Sums {
    fn new(n: usize) -> Sums {
        Sums(vec![0; n + 1])
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, at: usize, amount: u32) {
        let mut i = at + 1;
        while i < self.0.len() {
            self.0[i] = self.0[i].wrapping_add(amount);
            i += i & i.wrapping_neg();
        }
    }

    fn take(&mut self, at: usize) {
        self.add(at, u32::MAX);
    }

    /// Where the number is that the kth of all, from 0, is counted in.
    fn nth(&self, mut k: u32) -> usize {
        let n = self.0.len() - 1;
        let (mut at, mut step) = (0, n);
        while step > 0 {
            if at + step <= n && self.0[at + step] <= k {
                at += step;
                k -= self.0[at];
            }
            step /= 2;
        }
        at
    }
}

const BUCKETS: usize = 8192;

fn bucket(v: i64) -> usize {
    if v < 256 {
        return v as usize;
    }
    let high = 63 - v.leading_zeros() as usize;
    256 + (high - 8) * 128 + (v >> (high - 7) & 127) as usize
}

fn lowest(bucket: usize) -> i64 {
    if bucket < 256 {
        return bucket as i64;
    }
    (128 + (bucket - 256) as i64 % 128) << ((bucket - 256) / 128 + 1)
}

impl Cache {
    fn rank(&self, p: f64) -> u32 {
        let n = self.heap.len() as u32;
        if p >= 1.0 {
            return n - 1;
        }
        (p * n as f64) as u32 // which is 0 for a negative number and for none
    }

    fn put(&mut self, at: usize, r: Ranked) {
        self.heap[at] = r;
        self.place[r.object as usize] = at as u32;
    }

    /// Moves what is at a place up or down to where it belongs.
    fn settle(&mut self, mut at: usize) {
        let r = self.heap[at];
        while at > 0 && r.before(&self.heap[(at - 1) / 2]) {
            self.put(at, self.heap[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        loop {
            let mut child = 2 * at + 1;
            if child >= self.heap.len() {
                break;
            }
            if child + 1 < self.heap.len() && self.heap[child + 1].before(&self.heap[child]) {
                child += 1;
            }
            if !self.heap[child].before(&r) {
                break;
            }
            self.put(at, self.heap[child]);
            at = child;
        }
        self.put(at, r);
    }

    fn take_slot(&mut self, object: u32) {
        self.slots[object as usize] = self.slot_added.len() as u32;
        self.held.add(self.slot_added.len(), 1);
        self.slot_added.push(self.objects[object as usize].added);
    }

    fn take_slots(&mut self) {
        let mut n = 1024;
        while n < 4 * self.heap.len() {
            n *= 2;
        }
        self.held = Sums::new(n);
        self.slot_added = Vec::with_capacity(n);
        let mut all: Vec<u32> = self.heap.iter().map(|r| r.object).collect();
        all.sort_unstable_by_key(|&o| self.objects[o as usize].added);
        for o in all {
            self.take_slot(o);
        }
    }
}

static mut CACHE: Option<Cache> = None;

/// That of this instance, which has one thread. What it returns must not be used any more when the
/// next is asked for.
fn cache() -> &'static mut Cache {
    let c: &'static mut Option<Cache> = unsafe { &mut *core::ptr::addr_of_mut!(CACHE) };
    c.as_mut().unwrap()
}

/// Called by the kit when an object leaves the cache.
fn dropped(object: u32) {
    let c = cache();
    let o = c.objects[object as usize];
    if !c.counts.is_empty() {
        c.counts.take(bucket(o.count));
    }
    if !c.sizes.is_empty() {
        c.sizes.take(bucket(o.size));
    }
    if !c.held.is_empty() {
        c.held.take(c.slots[object as usize] as usize);
    }
    let at = c.place[object as usize] as usize;
    let last = c.heap.pop().unwrap();
    if at < c.heap.len() {
        c.put(at, last);
        c.settle(at);
    }
}

fn start(k: &mut kit::Cache) {
    k.dropped = Some(dropped);
    let n = k.nodes.len();
    let c = Cache {
        now: 0,
        capacity: k.capacity,
        objects: vec![Object::default(); n],
        heap: Vec::new(),
        place: vec![0; n],
        counts: Sums(Vec::new()),
        sizes: Sums(Vec::new()),
        held: Sums(Vec::new()),
        slot_added: Vec::new(),
        slots: Vec::new(),
        evicted: vec![(0, Evicted::default()); n],
        evicted_bytes: 0,
    };
    unsafe { *core::ptr::addr_of_mut!(CACHE) = Some(c) };
}

fn evict_least(k: &mut kit::Cache) {
    let c = cache();
    let victim = c.heap[0].object;
    let o = c.objects[victim as usize];
    c.evicted_bytes += o.size;
    c.evicted[victim as usize] = (1 + c.evicted_bytes, Evicted { count: o.count, age: c.now - o.added });
    k.evict(victim); // which calls dropped
}

pub fn access(k: &mut kit::Cache, object: u32, size: i64) -> bool {
    if k.dropped.is_none() {
        start(k);
    }
    cache().now += 1;
    let hit = k.has(object);
    if !hit {
        while k.full(size) {
            evict_least(k);
        }
    }
    let c = cache();
    let now = c.now;
    let id = object as usize;
    if !hit {
        k.push_front(object, size);
        c.objects[id] = Object { size, count: 0, last_access: now, previous_access: now, added: now };
        c.place[id] = c.heap.len() as u32;
        c.heap.push(Ranked { worth: 0.0, since: now, object });
        if !c.sizes.is_empty() {
            c.sizes.add(bucket(size), 1);
        }
        if !c.held.is_empty() {
            if c.slot_added.len() + 1 == c.held.0.len() {
                c.take_slots();
            } else {
                c.take_slot(object);
            }
        }
    } else if !c.counts.is_empty() {
        c.counts.take(bucket(c.objects[id].count));
    }
    let mut o = c.objects[id];
    o.count += 1;
    o.previous_access = o.last_access;
    o.last_access = now;
    c.objects[id] = o;
    if !c.counts.is_empty() {
        c.counts.add(bucket(o.count), 1);
    }
    let worth = crate::priority(now, object, &o, c);
    let at = c.place[id] as usize;
    c.heap[at] = Ranked { worth: if worth.is_nan() { f64::NEG_INFINITY } else { worth }, since: now, object };
    c.settle(at);
    hit
}
