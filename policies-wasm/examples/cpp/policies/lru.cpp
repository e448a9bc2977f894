// LRU as a module for cachesim, in C++: the object that has gone unused longest is evicted.
#include "kit.h"

static int access(uint32_t object, int64_t size) {
	if (has(object)) {
		move_to_front(object);
		return 1;
	}
	while (full(size)) evict(back);
	push_front(object, size);
	return 0;
}
