//! LRU as a module for cachesim, in Rust: the object that has gone unused longest is evicted.
mod kit;

fn access(c: &mut kit::Cache, object: u32, size: i64) -> bool {
    if c.has(object) {
        c.move_to_front(object);
        return true;
    }
    while c.full(size) {
        c.evict(c.back);
    }
    c.push_front(object, size);
    false
}
