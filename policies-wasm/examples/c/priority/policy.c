// A policy that is one function, in C. It starts as LRU.
#include "priority.h"

// EVOLVE-BLOCK-START
// Returns how much an object is worth, at each request for it. When room is needed the object that
// is worth least goes; of several, the one that was not requested for the longest time.
static double priority(int64_t now, uint32_t id, const object_info *o) {
	return (double)o->last_access;
}
// EVOLVE-BLOCK-END
