// FIFO as a module for cachesim, in Zig: the oldest object is evicted.
const kit = @import("kit.zig");

/// Serves a request and returns whether it was a hit. To have LRU, call
/// kit.moveToFront(object) before the first return.
pub fn access(object: u32, size: i64) bool {
    if (kit.has(object)) return true;
    while (kit.full(size)) kit.evict(kit.back);
    kit.pushFront(object, size);
    return false;
}
