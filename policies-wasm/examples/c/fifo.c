// FIFO as a module for cachesim, in C without a library. See docs/ABI.md.
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

static int64_t capacity, used, evicted;
static int64_t *stored; // by object: its size plus 1 while it is in the cache, else 0
static uint32_t *queue; // a ring of the objects in the cache, oldest first
static uint32_t objects, first, length;

// Memory comes from behind the module's data and is never given back: it is one
// instance a cell, which ends with it.
static void *allocate(uint32_t bytes) {
	extern unsigned char __heap_base;
	static uintptr_t end = (uintptr_t)&__heap_base;
	uintptr_t at = (end + 15) & ~(uintptr_t)15, have = __builtin_wasm_memory_size(0) << 16;
	end = at + bytes;
	if (end > have && __builtin_wasm_memory_grow(0, (end - have + 0xffff) >> 16) == -1) __builtin_trap();
	return (void *)at;
}

void EXPORT(init)(int64_t bytes) { capacity = bytes; }

// There will be n objects, with the numbers 0 to n-1. New memory is zero.
void EXPORT(reserve)(uint32_t n) {
	objects = n;
	stored = allocate(8 * n);
	queue = allocate(4 * n);
}

int32_t EXPORT(send)(uint32_t object, int64_t size) {
	if (stored[object]) return 1;
	while (used + size > capacity) {
		uint32_t victim = queue[first];
		first = (first + 1) % objects;
		length--;
		used -= stored[victim] - 1;
		stored[victim] = 0;
		evicted++;
	}
	queue[(first + length++) % objects] = object;
	stored[object] = size + 1;
	used += size;
	return 0;
}

// Optional: for the results, and for the host to compare with the capacity.
__attribute__((export_name("evictions"))) int64_t get_evictions(void) { return evicted; }
__attribute__((export_name("used"))) int64_t get_used(void) { return used; }
