// FIFO as a module for cachesim, in C++: the oldest object is evicted.
#include "kit.h"

// To have LRU, call move_to_front(object) before the first return.
static int access(uint32_t object, int64_t size) {
	if (has(object)) return 1;
	while (full(size)) evict(back);
	push_front(object, size);
	return 0;
}
