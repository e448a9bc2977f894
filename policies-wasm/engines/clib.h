// What a runtime that is a C library gives. Each is a shared library of its own
// that exports cachesim_runtime and nothing else: the runtimes' own names, such
// as wasm_engine_new, are the same in all of them.
//
// A char * that comes back is an error, for the caller to free; NULL is none. Of
// a trap it may have the name of the innermost function behind a byte 1.
// Objects of one store are used by one thread at a time, except for stop.
#ifndef CACHESIM_CLIB_H
#define CACHESIM_CLIB_H

#include <stddef.h>
#include <stdint.h>

// An import, in the order in which the module declares them: an export of
// another instance, or, where instance is NULL, function host of the host, with
// a signature of at most 16 letters: "iI" is (i32, i64).
typedef struct {
	const char *module, *name; // what the module calls it
	void *instance;
	const char *export;
	uint64_t host;
	const char *params, *results;
} clib_import;

typedef struct {
	const char *version;
	// host is called by guests with their arguments on a stack of 64-bit words,
	// and leaves its result there.
	char *(*store_new)(void (*host)(uint64_t id, uint64_t *stack), void **store);
	void (*store_stop)(void *store); // what runs, and what is called later, traps
	void (*store_delete)(void *store);
	char *(*module_new)(void *store, const uint8_t *bytes, size_t size, void **module);
	void (*module_delete)(void *module);
	char *(*instance_new)(void *store, void *module, const clib_import *imports, size_t n, void **instance);
	void (*instance_delete)(void *instance);
	// An export's handle is freed by free(). It must not outlive its instance.
	void *(*function_get)(void *instance, const char *name, int params, int results);
	void *(*memory_get)(void *instance, const char *name);
	// Raw 64-bit words in, and out from the start of the stack. n calls; those
	// after the first have the arguments of the first.
	char *(*call)(void *function, uint64_t *stack, long n);
	uint8_t *(*memory_data)(void *memory, size_t *size);
} clib_runtime;

__attribute__((visibility("default"))) const clib_runtime *cachesim_runtime(void);

#endif
