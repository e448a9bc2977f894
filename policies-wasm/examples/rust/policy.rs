//! FIFO as a module for cachesim, in Rust: the oldest object is evicted.
mod kit;

/// Serves a request and returns whether it was a hit. To have LRU, call
/// c.move_to_front(object) before the first return.
fn access(c: &mut kit::Cache, object: u32, size: i64) -> bool {
    if c.has(object) {
        return true;
    }
    while c.full(size) {
        c.evict(c.back);
    }
    c.push_front(object, size);
    false
}
