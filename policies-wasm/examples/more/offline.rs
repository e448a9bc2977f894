//! Belady's policy for objects of one size, in Rust: it is given the next access of each request,
//! and evicts what is requested the latest.
#[path = "kit.rs"]
mod kit;

ask!(next: u32 = "next_v1");

fn access(c: &mut kit::Cache, object: u32, size: i64) -> bool {
    if c.has(object) {
        c.nodes[object as usize].mark = next();
        return true;
    }
    while c.full(size) {
        let (mut latest, mut o) = (c.front, c.front);
        while o != kit::NONE {
            if c.nodes[o as usize].mark > c.nodes[latest as usize].mark {
                latest = o;
            }
            o = c.older(o);
        }
        c.evict(latest);
    }
    c.push_front(object, size);
    c.nodes[object as usize].mark = next();
    false
}
