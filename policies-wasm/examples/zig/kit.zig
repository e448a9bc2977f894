// What a policy is built from: a node for each object, and a queue of those in the cache. The
// exports that cachesim calls are at the end.
const std = @import("std");
const policy = @import("policy.zig");

pub const none: u32 = 0xffffffff;

pub const Node = struct {
    stored: i64 = 0, // the object's size plus 1 while it is in the cache, else 0
    newer: u32 = none, // its neighbours in the queue
    older: u32 = none,
    mark: u32 = 0, // for the policy; 0 when the object enters the cache
};

pub var nodes: []Node = &.{}; // by object: their numbers are dense
pub var front: u32 = none; // of the queue: the newest
pub var back: u32 = none; // the oldest
pub var hand: u32 = none; // for policies that sweep; when its object leaves, it moves to the next newer
var capacity: i64 = 0;
var bytes: i64 = 0; // in the cache
var evicted: i64 = 0;

pub fn has(object: u32) bool {
    return nodes[object].stored != 0;
}

/// Whether something has to go before an object of this size can be stored.
pub fn full(size: i64) bool {
    return bytes + size > capacity;
}

/// Stores an object that is not in the cache as the newest.
pub fn pushFront(object: u32, size: i64) void {
    nodes[object].stored = size + 1;
    nodes[object].mark = 0;
    bytes += size;
    linkFront(object);
}

/// The next newer object in the queue, none for the front.
pub fn newer(object: u32) u32 {
    return nodes[object].newer;
}

pub fn moveToFront(object: u32) void {
    unlink(object);
    linkFront(object);
}

/// Takes an object out of the cache.
pub fn drop(object: u32) void {
    if (hand == object) hand = newer(object);
    unlink(object);
    bytes -= nodes[object].stored - 1;
    nodes[object].stored = 0;
}

/// Takes an object out of the cache and counts it.
pub fn evict(object: u32) void {
    drop(object);
    evicted += 1;
}

fn linkFront(object: u32) void {
    nodes[object].newer = none;
    nodes[object].older = front;
    if (front == none) back = object else nodes[front].newer = object;
    front = object;
}

fn unlink(object: u32) void {
    const n = nodes[object];
    if (n.newer == none) front = n.older else nodes[n.newer].older = n.older;
    if (n.older == none) back = n.newer else nodes[n.older].newer = n.newer;
}

export fn init(size: i64) void {
    capacity = size;
}

// There will be n objects, with the numbers 0 to n-1.
export fn reserve(n: u32) void {
    nodes = std.heap.wasm_allocator.alloc(Node, n) catch @panic("out of memory");
    @memset(nodes, .{});
}

export fn send(object: u32, size: i64) i32 {
    return @intFromBool(policy.access(object, size));
}

// A batch has the same requests in memory, and needs one call.
export fn alloc(n: u32) i64 {
    const words = std.heap.wasm_allocator.alloc(u128, n / 16 + 1) catch @panic("out of memory");
    return @as(i64, @intCast(@intFromPtr(words.ptr))) << 32 | n;
}

const Record = extern struct { object: u32, time: u32, size: i64 };

export fn replay(requests: [*]const Record, n: u32, outcomes: [*]u8) void {
    for (requests[0..n], outcomes[0..n]) |r, *out| out.* = @intFromBool(policy.access(r.object, r.size));
}

export fn remove(object: u32) i32 {
    if (object >= nodes.len or !has(object)) return 0;
    drop(object);
    return 1;
}

export fn used() i64 {
    return bytes;
}

export fn evictions() i64 {
    return evicted;
}
