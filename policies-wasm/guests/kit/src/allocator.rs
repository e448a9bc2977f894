//! The allocator of the guests. Rust's own brings its panic messages and their
//! formatting along, ten times the size of a policy, which every engine would
//! have to compile.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::UnsafeCell;
use core::ptr::null_mut;

const PAGE: usize = 1 << 16;
const CLASSES: usize = 17; // blocks of 1, 2, 4 … 65536 bytes

/// Blocks up to a page are powers of two, each size with a list of freed ones;
/// larger blocks are whole pages, freed ones found first fit. Memory comes from
/// the host page by page and is never given back.
pub struct Allocator(UnsafeCell<State>);

struct State {
    free: [*mut Free; CLASSES + 1], // the last list is that of the larger blocks
    at: usize,                      // where unused memory starts
    end: usize,                     // and ends
}

/// What a freed block holds.
struct Free {
    next: *mut Free,
    size: usize,
}

// SAFETY: the modules have no threads.
unsafe impl Sync for Allocator {}

impl Allocator {
    pub const fn new() -> Self {
        Allocator(UnsafeCell::new(State { free: [null_mut(); CLASSES + 1], at: 0, end: 0 }))
    }
}

/// The size of the block that serves a layout, and its list.
fn class(layout: Layout) -> (usize, usize) {
    let size = layout.size().max(layout.align()).max(16);
    if size > PAGE {
        return ((size + PAGE - 1) / PAGE * PAGE, CLASSES);
    }
    let size = size.next_power_of_two();
    (size, size.trailing_zeros() as usize)
}

// SAFETY: a block is in a list or in use, never both; its address is a multiple
// of its size or, above a page, of a page, and no alignment above that is asked.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > PAGE || layout.size() > usize::MAX / 2 {
            return null_mut();
        }
        let s = &mut *self.0.get();
        let (size, list) = class(layout);
        let mut link: *mut *mut Free = &mut s.free[list];
        while !(*link).is_null() {
            let block = *link;
            if (*block).size >= size {
                *link = (*block).next;
                return block as *mut u8;
            }
            link = &mut (*block).next;
        }
        let align = size.min(PAGE);
        let mut start = (s.at + align - 1) & !(align - 1);
        if start + size > s.end {
            let pages = (size + PAGE - 1) / PAGE;
            let old = wasm32::memory_grow(0, pages);
            if old == usize::MAX {
                return null_mut();
            }
            start = old * PAGE;
            s.end = start + pages * PAGE;
        }
        s.at = start + size;
        start as *mut u8
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let s = &mut *self.0.get();
        let (size, list) = class(layout);
        let block = at as *mut Free;
        *block = Free { next: s.free[list], size };
        s.free[list] = block;
    }
}
