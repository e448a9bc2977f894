// SIEVE as a module for cachesim, in AssemblyScript: a hand sweeps from the oldest object to the newest,
// clears the marks of those that were used since it passed, and evicts the first without one.
import { back, evict, full, hand, has, marks, newerThan, NONE, pushFront, setHand } from "./kit";

export function access(object: u32, size: i64): bool {
  if (has(object)) {
    marks[object] = 1;
    return true;
  }
  while (full(size)) {
    if (hand == NONE) setHand(back);
    if (marks[hand]) {
      marks[hand] = 0;
      setHand(newerThan(hand));
    } else {
      evict(hand); // and the hand moves on
    }
  }
  pushFront(object, size);
  return false;
}
