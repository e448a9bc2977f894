// LRU that stores only what looks like a picture, in C: it is given the key of each object before
// the object's first request, and reports what it stores and evicts, so that the host can count.
#include "kit.h"

static uint8_t *picture; // by object
static uint32_t (*changes)[2], changed; // an object each, and 1 (stored) or 2 (evicted)

__attribute__((import_module("cachesim"), import_name("log"))) void say(const char *text, uint32_t bytes);

static void note(uint32_t object, uint32_t what) {
	// A batch stores 8192 objects at most, and evicts those and all that were there before.
	if (changes == 0) changes = (uint32_t (*)[2])allocate(8 * ((uint64_t)objects + 2 * 8192));
	changes[changed][0] = object;
	changes[changed++][1] = what;
}

void EXPORT(key_v1)(uint32_t object, const char *key, uint32_t length) {
	if (picture == 0) picture = (uint8_t *)allocate(objects);
	picture[object] = length > 4 && key[length - 4] == '.' && key[length - 3] == 'j' && key[length - 2] == 'p' && key[length - 1] == 'g';
	if (object == 0) say(key, length);
}

int64_t EXPORT(changes_v1)(void) {
	int64_t packed = (int64_t)(uintptr_t)changes << 32 | changed;
	changed = 0;
	return packed;
}

static int access(uint32_t object, int64_t size) {
	if (has(object)) {
		move_to_front(object);
		return 1;
	}
	if (!picture[object]) return 0;
	while (full(size)) {
		note(back, 2);
		evict(back);
	}
	note(object, 1);
	push_front(object, size);
	return 0;
}
