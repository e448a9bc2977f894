// Belady's policy for objects of one size, in C: it is given the next access of each request, and
// evicts what is requested the latest. It looks at every object in the cache to find that: a heap
// would be faster.
#include "kit.h"

ASK(uint32_t, next, next_v1)

static int access(uint32_t object, int64_t size) {
	if (has(object)) {
		nodes[object].mark = next[at];
		return 1;
	}
	while (full(size)) {
		uint32_t latest = front;
		for (uint32_t o = front; o != NONE; o = nodes[o].older)
			if (nodes[o].mark > nodes[latest].mark) latest = o;
		evict(latest);
	}
	push_front(object, size);
	nodes[object].mark = next[at];
	return 0;
}
