// What cachesim calls.
import * as kit from "./kit";
import { access } from "./policy";

export function init(capacity: i64): void {
  kit.setCapacity(capacity);
}

// There will be n objects, with the numbers 0 to n-1.
export function reserve(n: i32): void {
  kit.makeNodes(n);
}

export function send(object: u32, size: i64): i32 {
  return access(object, size) ? 1 : 0;
}

// A batch has the same requests in memory, and needs one call.
export function alloc(n: i32): i64 {
  return (<i64>heap.alloc(n) << 32) | n;
}

export function replay(requests: usize, n: i32, outcomes: usize): void {
  for (let i = 0; i < n; i++) {
    const at = requests + 16 * i; // object, time (4 bytes each), size (8)
    store<u8>(outcomes + i, access(load<u32>(at), load<i64>(at, 8)) ? 1 : 0);
  }
}

export function remove(object: u32): i32 {
  if (object >= <u32>kit.marks.length || !kit.has(object)) return 0;
  kit.drop(object);
  return 1;
}

export function used(): i64 {
  return kit.bytes;
}

export function evictions(): i64 {
  return kit.evicted;
}
