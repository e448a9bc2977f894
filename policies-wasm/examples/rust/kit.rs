//! What a policy is built from: a node for each object, and a queue of those in the
//! cache. The exports that cachesim calls are at the end.
#![allow(dead_code)]

pub const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
pub struct Node {
    stored: i64, // the object's size plus 1 while it is in the cache, else 0
    newer: u32,  // its neighbours in the queue
    older: u32,
    pub mark: u32, // for the policy; 0 when the object enters the cache
}

pub struct Cache {
    pub nodes: Vec<Node>, // by object: their numbers are dense
    pub front: u32,       // of the queue: the newest
    pub back: u32,        // the oldest
    pub hand: u32,        // for policies that sweep; when its object leaves, it moves to the next newer
    pub capacity: i64,
    pub used: i64,
    evicted: i64,
    pub dropped: Option<fn(u32)>, // what a policy does besides when an object leaves the cache
}

impl Cache {
    pub fn has(&self, object: u32) -> bool {
        self.nodes[object as usize].stored != 0
    }

    /// Whether something has to go before an object of this size can be stored.
    pub fn full(&self, size: i64) -> bool {
        self.used + size > self.capacity
    }

    /// Stores an object that is not in the cache as the newest.
    pub fn push_front(&mut self, object: u32, size: i64) {
        let n = &mut self.nodes[object as usize];
        n.stored = size + 1;
        n.mark = 0;
        self.used += size;
        self.link_front(object);
    }

    /// The next newer object in the queue, NONE for the front.
    pub fn newer(&self, object: u32) -> u32 {
        self.nodes[object as usize].newer
    }

    pub fn move_to_front(&mut self, object: u32) {
        self.unlink(object);
        self.link_front(object);
    }

    /// The object behind one in the queue, NONE at its end.
    pub fn older(&self, object: u32) -> u32 {
        self.nodes[object as usize].older
    }

    /// Takes an object out of the cache.
    pub fn drop(&mut self, object: u32) {
        if let Some(dropped) = self.dropped {
            dropped(object);
        }
        if self.hand == object {
            self.hand = self.newer(object);
        }
        self.unlink(object);
        let n = &mut self.nodes[object as usize];
        self.used -= n.stored - 1;
        n.stored = 0;
    }

    /// Takes an object out of the cache and counts it.
    pub fn evict(&mut self, object: u32) {
        self.drop(object);
        self.evicted += 1;
    }

    fn link_front(&mut self, object: u32) {
        let older = self.front;
        let n = &mut self.nodes[object as usize];
        n.newer = NONE;
        n.older = older;
        if older == NONE {
            self.back = object;
        } else {
            self.nodes[older as usize].newer = object;
        }
        self.front = object;
    }

    fn unlink(&mut self, object: u32) {
        let Node { newer, older, .. } = self.nodes[object as usize];
        if newer == NONE {
            self.front = older;
        } else {
            self.nodes[newer as usize].older = older;
        }
        if older == NONE {
            self.back = newer;
        } else {
            self.nodes[older as usize].newer = newer;
        }
    }
}

static mut CACHE: Cache =
    Cache { nodes: Vec::new(), front: NONE, back: NONE, hand: NONE, capacity: 0, used: 0, evicted: 0, dropped: None };

/// The cache of this instance, which has one thread.
fn cache() -> &'static mut Cache {
    unsafe { &mut *core::ptr::addr_of_mut!(CACHE) }
}

/// Number of the request in its batch, for the columns that a policy asks for.
pub static mut AT: usize = 0;

/// ask!(next: u32 = "next_v1") has the host give the policy a column: next() is then that of the
/// request that is served. docs/ABI.md lists the columns.
#[macro_export]
macro_rules! ask {
    ($name:ident: $type:ty = $export:literal) => {
        mod $name {
            pub static mut VALUES: *const $type = core::ptr::null();
            #[export_name = $export]
            pub unsafe extern "C" fn set(values: *const $type, _n: u32) {
                VALUES = values;
                crate::kit::AT = 0;
            }
        }
        fn $name() -> $type {
            unsafe { *$name::VALUES.add(crate::kit::AT) }
        }
    };
}

fn serve(object: u32, size: i64) -> bool {
    let hit = crate::access(cache(), object, size);
    unsafe { AT += 1 };
    hit
}

/// The interface of policy.wit, by its canonical names and types; with wit-bindgen it makes those.
#[cfg(any(wit, feature = "bindgen"))]
#[cfg_attr(wit, export_name = "cachesim:policy/policy@1.0.0#init")]
pub extern "C" fn wit_init(bytes: u64, objects: u32, _seed: u64) {
    cache().capacity = bytes as i64;
    cache().nodes.resize(objects as usize, Node { stored: 0, newer: NONE, older: NONE, mark: 0 });
}

#[cfg(any(wit, feature = "bindgen"))]
#[cfg_attr(wit, export_name = "cachesim:policy/policy@1.0.0#send")]
pub extern "C" fn wit_send(object: u32, size: u64) -> i32 {
    crate::access(cache(), object, size as i64) as i32
}

#[cfg(not(any(wit, feature = "bindgen")))]
#[no_mangle]
pub extern "C" fn init(bytes: i64) {
    cache().capacity = bytes;
}

/// There will be n objects, with the numbers 0 to n-1.
#[cfg(not(any(wit, feature = "bindgen")))]
#[no_mangle]
pub extern "C" fn reserve(n: u32) {
    cache().nodes.resize(n as usize, Node { stored: 0, newer: NONE, older: NONE, mark: 0 });
}

#[cfg(not(any(wit, feature = "bindgen")))]
#[no_mangle]
pub extern "C" fn send(object: u32, size: i64) -> i32 {
    serve(object, size) as i32
}

/// A batch has the same requests in memory, and needs one call.
#[cfg(not(any(wit, feature = "bindgen")))]
#[no_mangle]
pub extern "C" fn alloc(n: u32) -> i64 {
    let words = vec![0u128; n as usize / 16 + 1]; // aligned to 8 or 16 bytes
    (Box::leak(words.into_boxed_slice()).as_mut_ptr() as usize as i64) << 32 | n as i64
}

#[cfg(not(any(wit, feature = "bindgen")))]
#[repr(C)]
pub struct Record {
    object: u32,
    time: u32,
    size: i64,
}

/// # Safety
/// The pointers are those that alloc gave, for at least n elements.
#[cfg(not(any(wit, feature = "bindgen")))]
#[no_mangle]
pub unsafe extern "C" fn replay(requests: *const Record, n: u32, outcomes: *mut u8) {
    let requests = core::slice::from_raw_parts(requests, n as usize);
    let outcomes = core::slice::from_raw_parts_mut(outcomes, n as usize);
    for (r, out) in requests.iter().zip(outcomes) {
        *out = serve(r.object, r.size) as u8;
    }
}

#[no_mangle]
pub extern "C" fn remove(object: u32) -> i32 {
    let c = cache();
    if object as usize >= c.nodes.len() || !c.has(object) {
        return 0;
    }
    c.drop(object);
    1
}

#[no_mangle]
pub extern "C" fn used() -> i64 {
    cache().used
}

#[no_mangle]
pub extern "C" fn evictions() -> i64 {
    cache().evicted
}
