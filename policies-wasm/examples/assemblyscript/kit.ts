// What a policy is built from: a node for each object, and a queue of those in the cache.

export const NONE: u32 = 0xffffffff;

// By object, whose numbers are dense.
let stored = new StaticArray<i64>(0); // its size plus 1 while it is in the cache, else 0
let newer = new StaticArray<u32>(0); // its neighbours in the queue
let older = new StaticArray<u32>(0);
export let marks = new StaticArray<u32>(0); // for the policy; 0 when the object enters the cache

let front: u32 = NONE; // of the queue: the newest
export let back: u32 = NONE; // the oldest
export let hand: u32 = NONE; // for policies that sweep; when its object leaves, it moves to the next newer
let capacity: i64 = 0;
export let bytes: i64 = 0; // in the cache
export let evicted: i64 = 0;

export function setCapacity(size: i64): void {
  capacity = size;
}

export function setHand(object: u32): void {
  hand = object;
}

// The next newer object in the queue, NONE for the front.
export function newerThan(object: u32): u32 {
  return newer[object];
}

export function makeNodes(n: i32): void {
  stored = new StaticArray<i64>(n);
  newer = new StaticArray<u32>(n);
  older = new StaticArray<u32>(n);
  marks = new StaticArray<u32>(n);
}

export function has(object: u32): bool {
  return stored[object] != 0;
}

// Whether something has to go before an object of this size can be stored.
export function full(size: i64): bool {
  return bytes + size > capacity;
}

function linkFront(object: u32): void {
  newer[object] = NONE;
  older[object] = front;
  if (front == NONE) back = object;
  else newer[front] = object;
  front = object;
}

function unlink(object: u32): void {
  const n = newer[object];
  const o = older[object];
  if (n == NONE) front = o;
  else older[n] = o;
  if (o == NONE) back = n;
  else newer[o] = n;
}

// Stores an object that is not in the cache as the newest.
export function pushFront(object: u32, size: i64): void {
  stored[object] = size + 1;
  marks[object] = 0;
  bytes += size;
  linkFront(object);
}

export function moveToFront(object: u32): void {
  unlink(object);
  linkFront(object);
}

// Takes an object out of the cache.
export function drop(object: u32): void {
  if (hand == object) hand = newer[object];
  unlink(object);
  bytes -= stored[object] - 1;
  stored[object] = 0;
}

// Takes an object out of the cache and counts it.
export function evict(object: u32): void {
  drop(object);
  evicted++;
}
