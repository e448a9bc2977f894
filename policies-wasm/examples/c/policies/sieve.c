// SIEVE as a module for cachesim, in C: a hand sweeps from the oldest object to the newest, clears
// the marks of those that were used since it passed, and evicts the first without one.
#include "kit.h"

static int access(uint32_t object, int64_t size) {
	if (has(object)) {
		nodes[object].mark = 1;
		return 1;
	}
	while (full(size)) {
		if (hand == NONE) hand = back;
		if (nodes[hand].mark) {
			nodes[hand].mark = 0;
			hand = newer(hand);
		} else {
			evict(hand); // and the hand moves on
		}
	}
	push_front(object, size);
	return 0;
}
