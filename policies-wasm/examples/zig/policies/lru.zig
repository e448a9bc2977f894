// LRU as a module for cachesim, in Zig: the object that has gone unused longest is evicted.
const kit = @import("kit.zig");

pub fn access(object: u32, size: i64) bool {
    if (kit.has(object)) {
        kit.moveToFront(object);
        return true;
    }
    while (kit.full(size)) kit.evict(kit.back);
    kit.pushFront(object, size);
    return false;
}
