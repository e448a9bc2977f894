// LRU as a module for cachesim, in AssemblyScript: the object that has gone unused longest is evicted.
import { back, evict, full, has, moveToFront, pushFront } from "./kit";

export function access(object: u32, size: i64): bool {
  if (has(object)) {
    moveToFront(object);
    return true;
  }
  while (full(size)) evict(back);
  pushFront(object, size);
  return false;
}
