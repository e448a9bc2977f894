// FIFO as a module for cachesim, in AssemblyScript: the oldest object is evicted.
import { back, evict, full, has, pushFront } from "./kit";

// Serves a request and returns whether it was a hit. To have LRU, call
// moveToFront(object) before the first return.
export function access(object: u32, size: i64): bool {
  if (has(object)) return true;
  while (full(size)) evict(back);
  pushFront(object, size);
  return false;
}
