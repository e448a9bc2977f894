// SIEVE as a module for cachesim, in Zig: a hand sweeps from the oldest object to the newest, clears
// the marks of those that were used since it passed, and evicts the first without one.
const kit = @import("kit.zig");

pub fn access(object: u32, size: i64) bool {
    if (kit.has(object)) {
        kit.nodes[object].mark = 1;
        return true;
    }
    while (kit.full(size)) {
        if (kit.hand == kit.none) kit.hand = kit.back;
        if (kit.nodes[kit.hand].mark != 0) {
            kit.nodes[kit.hand].mark = 0;
            kit.hand = kit.newer(kit.hand);
        } else {
            kit.evict(kit.hand); // and the hand moves on
        }
    }
    kit.pushFront(object, size);
    return false;
}
