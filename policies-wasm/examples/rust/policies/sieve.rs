//! SIEVE as a module for cachesim, in Rust: a hand sweeps from the oldest object to the newest,
//! clears the marks of those that were used since it passed, and evicts the first without one.
mod kit;

fn access(c: &mut kit::Cache, object: u32, size: i64) -> bool {
    if c.has(object) {
        c.nodes[object as usize].mark = 1;
        return true;
    }
    while c.full(size) {
        if c.hand == kit::NONE {
            c.hand = c.back;
        }
        let at = c.hand;
        if c.nodes[at as usize].mark != 0 {
            c.nodes[at as usize].mark = 0;
            c.hand = c.newer(at);
        } else {
            c.evict(at); // and the hand moves on
        }
    }
    c.push_front(object, size);
    false
}
