//! What a policy needs to become a cachesim guest: the exports of every calling
//! convention (see docs/ABI.md), and the parts that policies are built from.
//!
//! A policy implements [`Policy`] and calls [`export!`] once; the calling
//! conventions then differ in how a request arrives and in nothing else. Without
//! Rust's standard library a module is a few kilobytes.
#![no_std]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod allocator;

mod heap;
mod queues;
mod rand;
mod space;

pub use heap::Heap;
pub use queues::{Queue, Queues};
pub use rand::{mix, Rand};
pub use space::Space;

use alloc::alloc::{alloc, dealloc, Layout};
use core::cell::UnsafeCell;
use core::mem::{align_of, size_of};
use core::slice;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator::new();

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// A cache with its replacement policy.
pub trait Policy {
    /// Makes an empty cache of so many bytes. The parameters come in the order of
    /// [`export!`], with the values that the host has given or the defaults there.
    fn new(capacity: i64, params: &[f64]) -> Self;
    /// Makes room for the state of so many distinct objects.
    fn reserve(&mut self, objects: usize);
    /// Loads the state of the objects in `requests`, the next of a batch, so that the
    /// cache misses of the processor for them overlap, and tells whether that gains:
    /// where it does not, the rest of the batch is served without.
    #[inline]
    fn preload(&mut self, _requests: &[Record]) -> bool {
        false
    }
    /// Serves one request and tells whether it was a hit. The host never sends
    /// an object larger than the cache.
    fn access(&mut self, id: u32, size: i64) -> bool;
    /// Takes an object out of the cache, because it was deleted or has expired,
    /// and tells whether it was in there.
    fn remove(&mut self, id: u32) -> bool;
    /// The capacity, how much of it is used, and the evictions so far.
    fn space(&self) -> &Space;
}

/// One request as it lies in memory: the host's sim.Request, and the C struct
/// of the Bytemuck conventions.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Record {
    pub id: u32,
    pub time: u32,
    pub size: i64,
}

/// How many requests [`Policy::preload`] is given at a time, as in sim/native.go.
const AHEAD: usize = 32;

/// The state behind a module's exports.
pub struct Guest<P>(UnsafeCell<State<P>>);

struct State<P> {
    policy: Option<P>,
    events: u32,
    hits: u32,
}

// SAFETY: the modules have no threads, and their exports import nothing that
// could call back into them, so each reference to the state is the only one.
unsafe impl<P> Sync for Guest<P> {}

impl<P: Policy> Guest<P> {
    pub const fn new() -> Self {
        Guest(UnsafeCell::new(State { policy: None, events: 0, hits: 0 }))
    }

    #[allow(clippy::mut_from_ref)]
    fn state(&self) -> &mut State<P> {
        // SAFETY: see Sync above; no export holds the state across another.
        unsafe { &mut *self.0.get() }
    }

    pub fn init(&self, capacity: i64, params: &[f64]) {
        let s = self.state();
        (s.policy, s.events, s.hits) = (Some(P::new(capacity, params)), 0, 0);
    }

    pub fn reserve(&self, objects: i32) {
        self.state().policy.as_mut().unwrap().reserve(objects as u32 as usize);
    }

    // One copy for the exports that take one request; replay has its own in the loop.
    #[inline(never)]
    pub fn access(&self, id: u32, size: i64) -> i32 {
        let s = self.state();
        let hit = s.policy.as_mut().unwrap().access(id, size);
        s.events = s.events.wrapping_add(1);
        s.hits = s.hits.wrapping_add(hit as u32);
        hit as i32
    }

    pub fn stats(&self) -> i64 {
        let s = self.state();
        (s.events as i64) << 32 | s.hits as i64
    }

    pub fn remove(&self, id: u32) -> i32 {
        self.state().policy.as_mut().unwrap().remove(id) as i32
    }

    pub fn evictions(&self) -> i64 {
        self.state().policy.as_ref().unwrap().space().evictions()
    }

    pub fn used(&self) -> i64 {
        self.state().policy.as_ref().unwrap().space().used()
    }

    /// # Safety
    /// `at` points to `len` readable bytes.
    pub unsafe fn bincode(&self, at: *const u8, len: i32) -> i32 {
        let bytes: [u8; 12] = slice::from_raw_parts(at, len as usize).try_into().unwrap();
        let (id, size) = bytes.split_at(4);
        self.access(u32::from_le_bytes(id.try_into().unwrap()), i64::from_le_bytes(size.try_into().unwrap()))
    }

    /// # Safety
    /// `at` points to `len` readable bytes.
    pub unsafe fn bytemuck(&self, at: *const u8, len: i32) -> i32 {
        assert!(len as usize == size_of::<Record>());
        let at = at as *const Record;
        assert!(at.align_offset(align_of::<Record>()) == 0);
        // Any 16 bytes are a Record: its fields are integers without padding.
        let r = *at;
        self.access(r.id, r.size)
    }

    /// # Safety
    /// `at` points to `n` records, `out` to `n` writable bytes, all from
    /// [`allocate`].
    pub unsafe fn replay(&self, at: *const Record, n: i32, out: *mut u8) {
        let s = self.state();
        let p = s.policy.as_mut().unwrap();
        let mut records = slice::from_raw_parts(at, n as usize);
        let mut out = slice::from_raw_parts_mut(out, n as usize);
        let mut hits = 0;
        while !records.is_empty() {
            let mut part = AHEAD.min(records.len());
            if !p.preload(&records[..part]) {
                part = records.len();
            }
            let (now, later) = records.split_at(part);
            let (outcomes, rest) = out.split_at_mut(part);
            for (r, o) in now.iter().zip(outcomes) {
                let hit = p.access(r.id, r.size);
                *o = hit as u8;
                hits += hit as u32;
            }
            (records, out) = (later, rest);
        }
        s.events = s.events.wrapping_add(n as u32);
        s.hits = s.hits.wrapping_add(hits);
    }
}

impl<P: Policy> Default for Guest<P> {
    fn default() -> Self {
        Self::new()
    }
}

/// The values of a module's parameters.
pub struct Params<const N: usize>(UnsafeCell<[f64; N]>);

// SAFETY: see Guest.
unsafe impl<const N: usize> Sync for Params<N> {}

impl<const N: usize> Params<N> {
    pub const fn new(defaults: [f64; N]) -> Self {
        Params(UnsafeCell::new(defaults))
    }

    pub fn set(&self, i: usize, v: f64) {
        // SAFETY: see Guest; no reference outlives an export's call.
        unsafe { (*self.0.get())[i] = v }
    }

    pub fn get(&self) -> [f64; N] {
        // SAFETY: as above.
        unsafe { *self.0.get() }
    }
}

fn layout(len: i32) -> Layout {
    Layout::from_size_align((len as u32 as usize).max(1), 16).unwrap()
}

/// Lends the host `len` bytes, aligned to 16, until [`release`].
pub fn allocate(len: i32) -> i64 {
    let layout = layout(len);
    // SAFETY: the layout's size is not zero.
    let at = unsafe { alloc(layout) };
    assert!(!at.is_null());
    (at as usize as i64) << 32 | len as u32 as i64
}

/// Takes back what [`allocate`] lent.
///
/// # Safety
/// `at` and `len` are those of one allocation not released before.
pub unsafe fn release(at: *mut u8, len: i32) {
    dealloc(at, layout(len));
}

/// Exports what takes each parameter.
#[doc(hidden)]
#[macro_export]
macro_rules! export_params {
    ($i:expr;) => {};
    ($i:expr; $name:ident $($rest:ident)*) => {
        #[no_mangle]
        pub extern "C" fn $name(v: f64) {
            PARAMS.set($i, v)
        }
        $crate::export_params!($i + 1; $($rest)*);
    };
}

/// Exports a policy in every calling convention. Behind it come its parameters,
/// by the names of their exports, with their defaults:
///
/// ```text
/// kit::export!(Policy, param_small = 0.1, param_large = 2.0);
/// ```
#[macro_export]
macro_rules! export {
    ($policy:ty $(, $param:ident = $default:literal)*) => {
        static GUEST: $crate::Guest<$policy> = $crate::Guest::new();
        static PARAMS: $crate::Params<{ <[f64]>::len(&[$($default),*]) }> = $crate::Params::new([$($default),*]);
        $crate::export_params!(0; $($param)*);

        #[no_mangle]
        pub extern "C" fn init(capacity: i64) {
            GUEST.init(capacity, &PARAMS.get())
        }
        #[no_mangle]
        pub extern "C" fn reserve(objects: i32) {
            GUEST.reserve(objects)
        }
        #[no_mangle]
        pub extern "C" fn stats() -> i64 {
            GUEST.stats()
        }
        #[no_mangle]
        pub extern "C" fn remove(id: u32) -> i32 {
            GUEST.remove(id)
        }
        #[no_mangle]
        pub extern "C" fn evictions() -> i64 {
            GUEST.evictions()
        }
        #[no_mangle]
        pub extern "C" fn used() -> i64 {
            GUEST.used()
        }
        #[no_mangle]
        pub extern "C" fn alloc(len: i32) -> i64 {
            $crate::allocate(len)
        }
        #[no_mangle]
        pub unsafe extern "C" fn dealloc(at: *mut u8, len: i32) {
            $crate::release(at, len)
        }

        // pair: the request is two arguments.
        #[no_mangle]
        pub extern "C" fn send(id: u32, size: i64) -> i32 {
            GUEST.access(id, size)
        }
        // bincode and bytemuck: the request lies in memory from alloc, which is
        // the callee's to free.
        #[no_mangle]
        pub unsafe extern "C" fn send_bincode(at: *mut u8, len: i32) -> i32 {
            let hit = GUEST.bincode(at, len);
            $crate::release(at, len);
            hit
        }
        #[no_mangle]
        pub unsafe extern "C" fn send_bytemuck(at: *mut u8, len: i32) -> i32 {
            let hit = GUEST.bytemuck(at, len);
            $crate::release(at, len);
            hit
        }
        // bincode-static and bytemuck-static: it lies in memory from alloc too,
        // but always in the same place, which stays the caller's.
        #[no_mangle]
        pub unsafe extern "C" fn send_bincode_static(at: *const u8, len: i32) -> i32 {
            GUEST.bincode(at, len)
        }
        #[no_mangle]
        pub unsafe extern "C" fn send_bytemuck_static(at: *const u8, len: i32) -> i32 {
            GUEST.bytemuck(at, len)
        }
        // batch: n requests at once.
        #[no_mangle]
        pub unsafe extern "C" fn replay(at: *const $crate::Record, n: i32, out: *mut u8) {
            GUEST.replay(at, n, out)
        }
    };
}
