// A cache whose policy is one function, priority, on the kit. At each request for an object it says
// how much the object is worth from now on, until its next request; the object that is worth least
// is evicted when room is needed. Times are numbers of requests, from 1.
#include <stdint.h>

static void dropped(uint32_t object);
#define DROPPED(object) dropped(object)
#include "kit.h"

// What is known of an object in the cache.
typedef struct {
	int64_t size;            // in bytes
	int64_t count;           // of its requests since it was stored, this one included
	int64_t last_access;     // its latest request, which is this one
	int64_t previous_access; // its request before that; this one if it was just stored
	int64_t added;           // the request that stored it
} object_info;

// What is known of an object that was evicted.
typedef struct {
	int64_t count; // of its requests while it was in the cache
	int64_t age;   // for how many requests it was there
} evicted_info;

// priority is the policy. The object is in the cache already. What is not a number is worth less
// than anything.
static double priority(int64_t now, uint32_t id, const object_info *object);

// Percentiles over the objects in the cache: the least value for p = 0, the median for 0.5, the
// largest for 1. Ages count from when an object was stored. Counts and sizes above 255 are rounded
// down to 8 significant bits, by less than 1 %.
static inline int64_t count_percentile(double p);
static inline int64_t size_percentile(double p);
static inline int64_t age_percentile(double p);

// history returns what is known of an object's last stay in the cache, or NULL unless it was
// evicted lately: since then no more bytes were evicted than the cache has.
static inline const evicted_info *history(uint32_t id);

// The rest of this file is how.

#ifndef NULL
#define NULL 0
#endif

static object_info *infos; // by object, while it is in the cache
static int64_t now;        // number of the request that is served

// A heap of the objects in the cache, the one that is worth least first.
typedef struct {
	double worth;
	int64_t since; // the request at which it was
	uint32_t object;
} ranked;

static ranked *heap;
static uint32_t *place; // in the heap, by object
static uint32_t cached; // objects in the heap

static inline int before(ranked a, ranked b) { return a.worth < b.worth || (a.worth == b.worth && a.since < b.since); }

static void put(uint32_t at, ranked r) {
	heap[at] = r;
	place[r.object] = at;
}

// settle moves what is at a place up or down to where it belongs.
static void settle(uint32_t at) {
	ranked r = heap[at];
	for (; at > 0 && before(r, heap[(at - 1) / 2]); at = (at - 1) / 2) put(at, heap[(at - 1) / 2]);
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= cached) break;
		if (child + 1 < cached && before(heap[child + 1], heap[child])) child++;
		if (!before(heap[child], r)) break;
		put(at, heap[child]);
		at = child;
	}
	put(at, r);
}

// Sums over ranges that begin with the first of n numbers, n a power of two (P. M. Fenwick, A new
// data structure for cumulative frequency tables, 1994).
static void add(uint32_t *sums, uint32_t n, uint32_t at, uint32_t amount) {
	for (uint32_t i = at + 1; i <= n; i += i & -i) sums[i] += amount;
}

// nth returns where the number is that the kth of all, from 0, is counted in.
static uint32_t nth(const uint32_t *sums, uint32_t n, uint32_t k) {
	uint32_t at = 0;
	for (uint32_t step = n; step > 0; step /= 2)
		if (at + step <= n && sums[at + step] <= k) {
			at += step;
			k -= sums[at];
		}
	return at;
}

static uint32_t rank_of(double p) {
	if (!(p > 0)) return 0;
	return p < 1 ? (uint32_t)(p * cached) : cached - 1;
}

// How many objects have each count and each size, by their upper 8 bits. Whether they are counted
// is known when the policy asks for the first time.
#define BUCKETS 8192
static uint32_t *counts, *sizes;

static uint32_t bucket(int64_t v) {
	if (v < 256) return (uint32_t)v;
	int high = 63 - __builtin_clzll((uint64_t)v);
	return (uint32_t)(256 + (high - 8) * 128 + ((v >> (high - 7)) & 127));
}

static int64_t lowest(uint32_t b) {
	if (b < 256) return b;
	return (int64_t)(128 + (b - 256) % 128) << ((b - 256) / 128 + 1);
}

static inline int64_t count_percentile(double p) {
	if (!counts) {
		counts = (uint32_t *)allocate((BUCKETS + 1) * sizeof(uint32_t));
		for (uint32_t i = 0; i < cached; i++) add(counts, BUCKETS, bucket(infos[heap[i].object].count), 1);
	}
	return cached ? lowest(nth(counts, BUCKETS, rank_of(p))) : 0;
}

static inline int64_t size_percentile(double p) {
	if (!sizes) {
		sizes = (uint32_t *)allocate((BUCKETS + 1) * sizeof(uint32_t));
		for (uint32_t i = 0; i < cached; i++) add(sizes, BUCKETS, bucket(infos[heap[i].object].size), 1);
	}
	return cached ? lowest(nth(sizes, BUCKETS, rank_of(p))) : 0;
}

// Ages follow from the order in which objects were stored, that of the kit's queue. Each object has
// a slot in that order; when the slots are used up, those of objects that have left are taken out.
static uint32_t slots, used_slots;
static uint32_t *held;      // 1 for each slot of an object in the cache
static int64_t *slot_added; // when the object of each slot was stored
static uint32_t *slot;      // by object

static void take_slot(uint32_t object) {
	slot[object] = used_slots;
	slot_added[used_slots] = infos[object].added;
	add(held, slots, used_slots++, 1);
}

static void take_slots(void) {
	if (2 * cached >= slots) {
		for (slots = 1024; slots < 4 * cached; slots *= 2) {}
		held = (uint32_t *)allocate((slots + 1) * sizeof(uint32_t));
		slot_added = (int64_t *)allocate(slots * sizeof(int64_t));
	}
	for (uint32_t i = 0; i <= slots; i++) held[i] = 0;
	used_slots = 0;
	for (uint32_t o = back; o != NONE; o = newer(o)) take_slot(o);
}

static inline int64_t age_percentile(double p) {
	if (!slot) {
		slot = (uint32_t *)allocate(objects * sizeof(uint32_t));
		take_slots();
	}
	return cached ? now - slot_added[nth(held, slots, cached - 1 - rank_of(p))] : 0;
}

static evicted_info *evictions; // by object
static int64_t *evicted_at;     // 1 and the bytes that had been evicted then, the object's included; 0: never
static int64_t evicted_bytes;

static inline const evicted_info *history(uint32_t id) {
	return evicted_at[id] && evicted_bytes + 1 - evicted_at[id] <= capacity ? &evictions[id] : NULL;
}

// dropped is called by the kit when an object leaves the cache.
static void dropped(uint32_t object) {
	if (counts) add(counts, BUCKETS, bucket(infos[object].count), (uint32_t)-1);
	if (sizes) add(sizes, BUCKETS, bucket(infos[object].size), (uint32_t)-1);
	if (slot) add(held, slots, slot[object], (uint32_t)-1);
	uint32_t at = place[object];
	if (at == --cached) return;
	put(at, heap[cached]);
	settle(at);
}

static void prepare(void) {
	infos = (object_info *)allocate(objects * sizeof(object_info));
	heap = (ranked *)allocate(objects * sizeof(ranked));
	place = (uint32_t *)allocate(objects * sizeof(uint32_t));
	evictions = (evicted_info *)allocate(objects * sizeof(evicted_info));
	evicted_at = (int64_t *)allocate(objects * sizeof(int64_t));
}

static int access(uint32_t object, int64_t size) {
	if (!heap) prepare();
	now++;
	object_info *o = &infos[object];
	int hit = has(object);
	if (!hit) {
		while (full(size)) {
			uint32_t victim = heap[0].object;
			evictions[victim].count = infos[victim].count;
			evictions[victim].age = now - infos[victim].added;
			evicted_at[victim] = 1 + (evicted_bytes += infos[victim].size);
			evict(victim);
		}
		push_front(object, size);
		o->size = size;
		o->count = 0;
		o->last_access = o->added = now;
		place[object] = cached++;
		if (sizes) add(sizes, BUCKETS, bucket(size), 1);
		if (slot) {
			if (used_slots == slots) take_slots();
			else take_slot(object);
		}
	} else if (counts) {
		add(counts, BUCKETS, bucket(o->count), (uint32_t)-1);
	}
	o->count++;
	if (counts) add(counts, BUCKETS, bucket(o->count), 1);
	o->previous_access = o->last_access;
	o->last_access = now;
	// The object is in the heap while priority is called: percentiles count it.
	heap[place[object]].object = object;
	double worth = priority(now, object, o);
	ranked r = {worth == worth ? worth : -__builtin_inf(), now, object};
	put(place[object], r);
	settle(place[object]);
	return hit;
}
