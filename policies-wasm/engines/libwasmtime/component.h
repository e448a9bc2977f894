// Components of the component model, called as such: Wasmtime's library exports
// cachesim_component besides cachesim_runtime. Errors are as in ../clib.h.
#ifndef CACHESIM_COMPONENT_H
#define CACHESIM_COMPONENT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
	// open compiles and instantiates a component that imports nothing.
	char *(*open)(const uint8_t *bytes, size_t size, void **component);
	void (*close)(void *component); // and its functions
	// function finds one of an exported interface. The types of at most 8
	// parameters, and then of the result if it has one, are letters: b bool,
	// i s32, u u32, U u64.
	char *(*function)(void *component, const char *interface, const char *name, const char *params, char result, void **function);
	// call takes its arguments as 64-bit words and leaves the result in the first.
	char *(*call)(void *function, uint64_t *stack);
} component_runtime;

__attribute__((visibility("default"))) const component_runtime *cachesim_component(void);

#endif
