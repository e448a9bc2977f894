// Wasmtime's component model behind component.h.
#include <stdlib.h>
#include <string.h>

#include <wasmtime.h>
#include <wasmtime/component.h>

#include "component.h"

char *cachesim_message(wasmtime_error_t *error, wasm_trap_t *trap); // wasmtime.c

typedef struct component_function {
	struct component_function *next;
	wasmtime_context_t *context;
	wasmtime_component_func_t func;
	size_t params;
	wasmtime_component_valkind_t kinds[8];
	char result; // 0: none
} function_t;

typedef struct {
	wasm_engine_t *engine;
	wasmtime_store_t *store;
	wasmtime_context_t *context;
	wasmtime_component_t *component;
	wasmtime_component_instance_t instance;
	function_t *functions;
} component_t;

static void close_component(void *component) {
	component_t *c = component;
	for (function_t *f = c->functions, *next; f; f = next) {
		next = f->next;
		free(f);
	}
	if (c->component) wasmtime_component_delete(c->component);
	wasmtime_store_delete(c->store);
	wasm_engine_delete(c->engine);
	free(c);
}

static char *open_component(const uint8_t *bytes, size_t size, void **out) {
	wasm_config_t *config = wasm_config_new();
	wasmtime_config_wasm_component_model_set(config, true);
	wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
	component_t *c = calloc(1, sizeof *c);
	c->engine = wasm_engine_new_with_config(config);
	c->store = wasmtime_store_new(c->engine, NULL, NULL);
	c->context = wasmtime_store_context(c->store);
	wasmtime_error_t *error = wasmtime_component_new(c->engine, bytes, size, &c->component);
	if (!error) {
		wasmtime_component_linker_t *linker = wasmtime_component_linker_new(c->engine);
		error = wasmtime_component_linker_instantiate(linker, c->context, c->component, &c->instance);
		wasmtime_component_linker_delete(linker);
	}
	if (error) {
		close_component(c);
		return cachesim_message(error, NULL);
	}
	*out = c;
	return NULL;
}

// kind is that of a type's letter, -1 where it is none.
static int kind(char letter) {
	switch (letter) {
	case 'b': return WASMTIME_COMPONENT_BOOL;
	case 'i': return WASMTIME_COMPONENT_S32;
	case 'u': return WASMTIME_COMPONENT_U32;
	case 'U': return WASMTIME_COMPONENT_U64;
	}
	return -1;
}

static char *find_function(void *component, const char *interface, const char *name, const char *params, char result, void **out) {
	component_t *c = component;
	wasmtime_component_export_index_t *i = wasmtime_component_instance_get_export_index(&c->instance, c->context, NULL, interface, strlen(interface));
	if (!i) return strdup("the component does not export the interface");
	wasmtime_component_export_index_t *at = wasmtime_component_instance_get_export_index(&c->instance, c->context, i, name, strlen(name));
	wasmtime_component_export_index_delete(i);
	if (!at) return strdup("the interface has no such function");
	function_t *f = calloc(1, sizeof *f);
	bool found = wasmtime_component_instance_get_func(&c->instance, c->context, at, &f->func);
	wasmtime_component_export_index_delete(at);
	f->params = strlen(params);
	bool known = f->params <= sizeof f->kinds / sizeof *f->kinds && (!result || kind(result) >= 0);
	for (size_t k = 0; known && k < f->params; k++) {
		known = kind(params[k]) >= 0;
		f->kinds[k] = kind(params[k]);
	}
	if (!found || !known) {
		free(f);
		return strdup(found ? "a type that is not known" : "the export is not a function");
	}
	f->context = c->context;
	f->result = result;
	f->next = c->functions;
	c->functions = f;
	*out = f;
	return NULL;
}

static char *call_function(void *function, uint64_t *stack) {
	function_t *f = function;
	// A call drops what the place of its result holds: a bool, at first.
	wasmtime_component_val_t args[8], got = {.kind = WASMTIME_COMPONENT_BOOL};
	for (size_t k = 0; k < f->params; k++) {
		args[k].kind = f->kinds[k];
		switch (args[k].kind) {
		case WASMTIME_COMPONENT_BOOL: args[k].of.boolean = stack[k] != 0; break;
		case WASMTIME_COMPONENT_S32: args[k].of.s32 = (int32_t)stack[k]; break;
		case WASMTIME_COMPONENT_U32: args[k].of.u32 = (uint32_t)stack[k]; break;
		default: args[k].of.u64 = stack[k];
		}
	}
	// What a call checks are the types: arguments of others are an error.
	wasmtime_error_t *error = wasmtime_component_func_call(&f->func, f->context, args, f->params, &got, f->result ? 1 : 0);
	if (!error) error = wasmtime_component_func_post_return(&f->func, f->context);
	if (error) return cachesim_message(error, NULL);
	if (!f->result) return NULL;
	if (got.kind != kind(f->result)) {
		wasmtime_component_val_delete(&got);
		return strdup("a result of another type");
	}
	switch (got.kind) {
	case WASMTIME_COMPONENT_BOOL: stack[0] = got.of.boolean; break;
	case WASMTIME_COMPONENT_S32: stack[0] = (uint32_t)got.of.s32; break;
	case WASMTIME_COMPONENT_U32: stack[0] = got.of.u32; break;
	default: stack[0] = got.of.u64;
	}
	return NULL;
}

static const component_runtime components = {open_component, close_component, find_function, call_function};

const component_runtime *cachesim_component(void) { return &components; }
