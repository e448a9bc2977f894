//! The guest of the micro benchmark: multiplies two numbers, which arrive in each
//! of the ways that a calling convention knows. Exports of the published
//! experiment's modules keep their names where that is possible in one module.
#![no_std]

extern crate alloc;
use kit as _; // allocator and panic handler

use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::slice;

/// What a call passes in memory: two numbers, and what a larger payload adds.
const PAIR: usize = 8;
const LARGEST: usize = 64 << 10;

#[repr(align(16))]
struct Static<T>(UnsafeCell<T>);

// SAFETY: the module has no threads.
unsafe impl<T> Sync for Static<T> {}

static BUFFER: Static<[u8; LARGEST]> = Static(UnsafeCell::new([0; LARGEST]));
static LENT: Static<Vec<Vec<u8>>> = Static(UnsafeCell::new(Vec::new()));

fn pack(at: *const u8, len: usize) -> i64 {
    ((at as u64) << 32 | len as u64) as i64
}

fn word(b: &[u8], at: usize) -> i32 {
    i32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

/// The product, and of larger payloads the last word as well, so that they have
/// to be there.
fn product(b: &[u8]) -> i32 {
    let p = word(b, 0).wrapping_mul(word(b, 4));
    if b.len() > PAIR {
        p.wrapping_add(word(b, b.len() - 4))
    } else {
        p
    }
}

#[no_mangle]
pub extern "C" fn multiply(x: i32, y: i32) -> i32 {
    x.wrapping_mul(y)
}

/// Multiplies again and again. A factor waits for the product before it, so that
/// no compiler can leave multiplications out; of factors whose product is not
/// negative the result is the product.
#[no_mangle]
pub extern "C" fn multiply_many_times(x: i32, y: i32, times: i32) -> i32 {
    let mut r = 0i32;
    for _ in 0..times {
        r = x.wrapping_add(r >> 31).wrapping_mul(y);
    }
    r
}

/// A buffer for one request, which the call that takes the request frees.
#[no_mangle]
pub extern "C" fn wasm_prepare_buffer(len: i32) -> i64 {
    let mut buffer = Vec::new();
    buffer.resize(len as usize, 0u8);
    let at = buffer.as_ptr();
    // SAFETY: see Sync; no reference outlives a call.
    unsafe { (*LENT.0.get()).push(buffer) };
    pack(at, len as usize)
}

/// The one buffer for all requests.
#[no_mangle]
pub extern "C" fn wasm_get_buffer() -> i64 {
    pack(BUFFER.0.get() as *const u8, LARGEST)
}

/// # Safety
/// The host passes the place and length of a buffer that it has been given.
unsafe fn bytes<'a>(at: u32, len: u32) -> &'a [u8] {
    slice::from_raw_parts(at as *const u8, len as usize)
}

/// Reads what was serialised into an owned value, and frees the buffer.
#[no_mangle]
pub unsafe extern "C" fn struct_add_bincode(at: u32, len: u32) -> i32 {
    let owned = bytes(at, len).to_vec();
    (*LENT.0.get()).pop();
    product(&owned)
}

/// Copies the struct to where it is aligned, and frees the buffer.
#[no_mangle]
pub unsafe extern "C" fn struct_add_bytemuck(at: u32, len: u32) -> i32 {
    struct_add_bincode(at, len)
}

/// Reads what was serialised into an owned value.
#[no_mangle]
pub unsafe extern "C" fn struct_add_bincode_static(at: u32, len: u32) -> i32 {
    product(&bytes(at, len).to_vec())
}

/// Takes the struct where it lies.
#[no_mangle]
pub unsafe extern "C" fn struct_add_bytemuck_static(at: u32, len: u32) -> i32 {
    product(bytes(at, len))
}

/// Multiplies n pairs and leaves the products at out.
#[no_mangle]
pub unsafe extern "C" fn multiply_batch(at: u32, n: u32, out: u32) {
    let pairs = slice::from_raw_parts(at as *const [i32; 2], n as usize);
    let products = slice::from_raw_parts_mut(out as *mut i32, n as usize);
    for (p, pair) in products.iter_mut().zip(pairs) {
        *p = pair[0].wrapping_mul(pair[1]);
    }
}
