// FIFO as a module for cachesim, in AssemblyScript. See docs/ABI.md.

let capacity: i64 = 0;
let bytes: i64 = 0; // in the cache
let evicted: i64 = 0;
let stored = new StaticArray<i64>(0); // by object: its size plus 1 while it is in the cache, else 0
let queue = new StaticArray<u32>(0); // a ring of the objects in the cache, oldest first
let first: i32 = 0;
let length: i32 = 0;

export function init(size: i64): void {
  capacity = size;
}

// There will be n objects, with the numbers 0 to n-1.
export function reserve(n: i32): void {
  stored = new StaticArray<i64>(n);
  queue = new StaticArray<u32>(n);
}

export function send(object: u32, size: i64): i32 {
  if (stored[object] != 0) return 1;
  while (bytes + size > capacity) {
    const victim = queue[first];
    first = (first + 1) % queue.length;
    length--;
    bytes -= stored[victim] - 1;
    stored[victim] = 0;
    evicted++;
  }
  queue[(first + length) % queue.length] = object;
  length++;
  stored[object] = size + 1;
  bytes += size;
  return 0;
}

// Optional: for the results, and for the host to compare with the capacity.
export function evictions(): i64 {
  return evicted;
}

export function used(): i64 {
  return bytes;
}
