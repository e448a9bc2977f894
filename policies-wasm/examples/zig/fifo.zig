// FIFO as a module for cachesim, in Zig. See docs/ABI.md.
const std = @import("std");

var capacity: i64 = 0;
var bytes: i64 = 0; // in the cache
var evicted: i64 = 0;
var stored: []i64 = &.{}; // by object: its size plus 1 while it is in the cache, else 0
var queue: []u32 = &.{}; // a ring of the objects in the cache, oldest first
var first: usize = 0;
var length: usize = 0;

export fn init(size: i64) void {
    capacity = size;
}

// There will be n objects, with the numbers 0 to n-1.
export fn reserve(n: u32) void {
    stored = std.heap.wasm_allocator.alloc(i64, n) catch @panic("out of memory");
    queue = std.heap.wasm_allocator.alloc(u32, n) catch @panic("out of memory");
    @memset(stored, 0);
}

export fn send(object: u32, size: i64) i32 {
    if (stored[object] != 0) return 1;
    while (bytes + size > capacity) {
        const victim = queue[first];
        first = (first + 1) % queue.len;
        length -= 1;
        bytes -= stored[victim] - 1;
        stored[victim] = 0;
        evicted += 1;
    }
    queue[(first + length) % queue.len] = object;
    length += 1;
    stored[object] = size + 1;
    bytes += size;
    return 0;
}

// Optional: for the results, and for the host to compare with the capacity.
export fn evictions() i64 {
    return evicted;
}

export fn used() i64 {
    return bytes;
}
