// What a policy is built from, in C or C++ without a library: a node for each object, and
// a queue of those in the cache. The exports that cachesim calls are at the end.
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name))) kit_##name
#define NONE UINT32_MAX

typedef struct {
	int64_t stored; // the object's size plus 1 while it is in the cache, else 0
	uint32_t newer, older; // its neighbours in the queue
	uint32_t mark; // for the policy; 0 when the object enters the cache
} node;

static node *nodes; // by object: their numbers are dense
static uint32_t objects, front = NONE, back = NONE; // of the queue: the newest, the oldest
static uint32_t hand = NONE; // for policies that sweep; when its object leaves, it moves to the next newer
static int64_t capacity, used, evicted;

static int has(uint32_t object) { return nodes[object].stored != 0; }

// full reports whether something has to go before an object of this size can be stored.
static int full(int64_t size) { return used + size > capacity; }

static void link_front(uint32_t object) {
	nodes[object].newer = NONE;
	nodes[object].older = front;
	if (front == NONE) back = object;
	else nodes[front].newer = object;
	front = object;
}

static void unlink(uint32_t object) {
	node *n = &nodes[object];
	if (n->newer == NONE) front = n->older;
	else nodes[n->newer].older = n->older;
	if (n->older == NONE) back = n->newer;
	else nodes[n->older].newer = n->newer;
}

// push_front stores an object that is not in the cache as the newest.
static void push_front(uint32_t object, int64_t size) {
	nodes[object].stored = size + 1;
	nodes[object].mark = 0;
	used += size;
	link_front(object);
}

// newer returns the next newer object in the queue, NONE for the front.
static inline uint32_t newer(uint32_t object) { return nodes[object].newer; }

static inline void move_to_front(uint32_t object) {
	unlink(object);
	link_front(object);
}

#ifndef DROPPED
#define DROPPED(object) // what a policy does besides when an object leaves the cache
#endif

// drop takes an object out of the cache; evict counts it as an eviction as well.
static void drop(uint32_t object) {
	DROPPED(object);
	if (hand == object) hand = newer(object);
	unlink(object);
	used -= nodes[object].stored - 1;
	nodes[object].stored = 0;
}

static void evict(uint32_t object) {
	drop(object);
	evicted++;
}

// access is the policy: it serves a request and returns 1 for a hit, 0 for a miss.
static int access(uint32_t object, int64_t size);

// ASK(uint32_t, next, next_v1) has the host give the policy a column, here next[at]: the next access
// of the request that is served. docs/ABI.md lists the columns.
static uint32_t at; // number of the request in its batch
#define ASK(type, values, column) \
	static const type *values; \
	void __attribute__((export_name(#column))) kit_##column(const type *v, uint32_t n) { (void)n; values = v; at = 0; }

// Memory comes from behind the module's data and is never given back: the instance ends
// with its cell. New memory is zero.
static void *allocate(uint64_t bytes) {
	extern unsigned char __heap_base;
	static uint64_t end;
	if (end == 0) end = (uintptr_t)&__heap_base;
	uint64_t at = (end + 15) & ~(uint64_t)15, have = (uint64_t)__builtin_wasm_memory_size(0) << 16;
	end = at + bytes;
	if (end > have && __builtin_wasm_memory_grow(0, (uint32_t)((end - have + 0xffff) >> 16)) == (uintptr_t)-1) __builtin_trap();
	return (void *)(uintptr_t)at;
}

#ifdef __cplusplus
extern "C" {
#endif

#ifdef WIT // the interface of policy.wit: its canonical names and types
#define WIT_EXPORT(name) __attribute__((export_name("cachesim:policy/policy@1.0.0#" #name))) kit_wit_##name

void WIT_EXPORT(init)(uint64_t bytes, uint32_t n, uint64_t seed) {
	(void)seed; // for policies that draw random numbers
	capacity = (int64_t)bytes;
	objects = n;
	nodes = (node *)allocate((uint64_t)n * sizeof(node));
}

int32_t WIT_EXPORT(send)(uint32_t object, uint64_t size) { return access(object, (int64_t)size); }
#else
void EXPORT(init)(int64_t bytes) { capacity = bytes; }

// There will be n objects, with the numbers 0 to n-1.
void EXPORT(reserve)(uint32_t n) {
	objects = n;
	nodes = (node *)allocate((uint64_t)n * sizeof(node));
}

static inline int32_t serve(uint32_t object, int64_t size) {
	int32_t hit = access(object, size);
	at++;
	return hit;
}

int32_t EXPORT(send)(uint32_t object, int64_t size) { return serve(object, size); }

// A batch has the same requests in memory, and needs one call.
int64_t EXPORT(alloc)(uint32_t n) { return (int64_t)(uintptr_t)allocate(n) << 32 | n; }

typedef struct { uint32_t object, time; int64_t size; } record;

void EXPORT(replay)(const record *requests, uint32_t n, uint8_t *outcomes) {
	for (uint32_t i = 0; i < n; i++) outcomes[i] = (uint8_t)serve(requests[i].object, requests[i].size);
}

#endif // WIT

int32_t EXPORT(remove)(uint32_t object) {
	if (object >= objects || !has(object)) return 0;
	drop(object);
	return 1;
}

int64_t EXPORT(used)(void) { return used; }
int64_t EXPORT(evictions)(void) { return evicted; }

#ifdef __cplusplus
}
#endif
