//! FIFO as a module for cachesim, in Rust. See docs/ABI.md.
use std::cell::RefCell;
use std::collections::VecDeque;

#[derive(Default)]
struct Fifo {
    capacity: i64,
    used: i64,
    evicted: i64,
    stored: Vec<Option<i64>>, // by object: its size while it is in the cache
    queue: VecDeque<u32>,     // the objects in the cache, oldest first
}

thread_local!(static FIFO: RefCell<Fifo> = RefCell::default()); // a module has one thread

fn fifo<T>(f: impl FnOnce(&mut Fifo) -> T) -> T {
    FIFO.with_borrow_mut(f)
}

#[unsafe(no_mangle)]
pub extern "C" fn init(capacity: i64) {
    fifo(|c| *c = Fifo { capacity, ..Fifo::default() });
}

/// There will be n objects, with the numbers 0 to n-1.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(n: u32) {
    fifo(|c| c.stored.resize(n as usize, None));
}

#[unsafe(no_mangle)]
pub extern "C" fn send(object: u32, size: i64) -> i32 {
    fifo(|c| {
        if c.stored[object as usize].is_some() {
            return 1;
        }
        while c.used + size > c.capacity {
            let victim = c.queue.pop_front().unwrap();
            c.used -= c.stored[victim as usize].take().unwrap();
            c.evicted += 1;
        }
        c.queue.push_back(object);
        c.stored[object as usize] = Some(size);
        c.used += size;
        0
    })
}

// Optional: for the results, and for the host to compare with the capacity.

#[unsafe(no_mangle)]
pub extern "C" fn evictions() -> i64 {
    fifo(|c| c.evicted)
}

#[unsafe(no_mangle)]
pub extern "C" fn used() -> i64 {
    fifo(|c| c.used)
}
