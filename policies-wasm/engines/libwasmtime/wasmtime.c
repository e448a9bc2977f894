// Wasmtime behind clib.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmtime.h>

#include "../clib.h"

typedef void host_fn(uint64_t, uint64_t *);

typedef struct {
	wasm_engine_t *engine;
	wasmtime_store_t *store;
	wasmtime_context_t *context;
	host_fn *host;
} store_t;

typedef struct {
	store_t *store;
	wasmtime_instance_t instance;
} instance_t;

typedef struct {
	wasmtime_context_t *context;
	wasmtime_func_t func;
	int params, results, room;
} function_t;

typedef struct {
	wasmtime_context_t *context;
	wasmtime_memory_t memory;
} memory_t;

typedef struct {
	host_fn *host;
	uint64_t id;
	int params, results;
} callback_t;

static char *take(wasm_byte_vec_t *message) {
	char *s = strndup(message->data ? message->data : "", message->size);
	wasm_byte_vec_delete(message);
	return s;
}

// cachesim_message frees whichever of the two there is. The text is that of the trap
// itself, without the frames that Wasmtime puts in front of it, of which the
// innermost gives the name of its function:
//
//   error while executing at wasm backtrace:
//       0:     0x44 - module!send
//   Caused by:
//       ...
char *cachesim_message(wasmtime_error_t *error, wasm_trap_t *trap) {
	wasm_byte_vec_t text = {0, NULL};
	if (error) {
		wasmtime_error_message(error, &text);
		wasmtime_error_delete(error);
	} else if (trap) {
		wasm_trap_message(trap, &text);
		wasm_trap_delete(trap);
	} else {
		return NULL;
	}
	char *s = take(&text), *cause = strstr(s, "Caused by:"), *trace = strstr(s, "\n\nStack backtrace:");
	if (trace) *trace = 0; // it has one where RUST_BACKTRACE is set
	if (cause) {
		char *rest = cause + strlen("Caused by:"), *frames = strstr(s, "wasm backtrace:"), *name = NULL;
		size_t n = 0;
		if (frames && frames < cause) name = strchr(frames, '!');
		if (name && name < cause) n = strcspn(++name, "\n");
		char *out = malloc(strlen(rest) + n + 2);
		sprintf(out, n ? "%s\1%.*s" : "%s", rest, (int)n, name);
		free(s);
		s = out;
	}
	return s;
}

static char *store_new(host_fn *host, void **out) {
	wasm_config_t *config = wasm_config_new();
	// Each store has an engine, and so an epoch, of its own.
	wasmtime_config_epoch_interruption_set(config, true);
	wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
	wasmtime_config_parallel_compilation_set(config, false);
	// One memory is what can be limited, and what other runtimes have.
	wasmtime_config_wasm_multi_memory_set(config, false);
	wasmtime_config_wasm_threads_set(config, false);
	store_t *s = calloc(1, sizeof *s);
	*out = s;
	s->host = host;
	s->engine = wasm_engine_new_with_config(config);
	s->store = wasmtime_store_new(s->engine, NULL, NULL);
	s->context = wasmtime_store_context(s->store);
	wasmtime_context_set_epoch_deadline(s->context, 1);
	return NULL;
}

static void store_stop(void *store) { wasmtime_engine_increment_epoch(((store_t *)store)->engine); }

static void store_delete(void *store) {
	store_t *s = store;
	wasmtime_store_delete(s->store);
	wasm_engine_delete(s->engine);
	free(s);
}

static char *module_new(void *store, const uint8_t *bytes, size_t size, void **out) {
	return cachesim_message(wasmtime_module_new(((store_t *)store)->engine, bytes, size, (wasmtime_module_t **)out), NULL);
}

static void module_delete(void *module) { wasmtime_module_delete(module); }

static wasm_trap_t *called(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t n) {
	callback_t *c = env;
	uint64_t stack[16] = {0};
	for (int i = 0; i < c->params; i++) stack[i] = raw[i].i64;
	c->host(c->id, stack);
	if (c->results) raw[0].i64 = stack[0];
	return NULL;
}

static void types(const char *letters, wasm_valtype_vec_t *out) {
	wasm_valtype_vec_new_uninitialized(out, strlen(letters));
	for (size_t i = 0; i < out->size; i++)
		out->data[i] = wasm_valtype_new(letters[i] == 'i' ? WASM_I32 : WASM_I64);
}

static char *instance_new(void *store, void *module, const clib_import *imports, size_t n, void **out) {
	store_t *s = store;
	wasmtime_extern_t *externs = calloc(n + 1, sizeof *externs);
	for (size_t i = 0; i < n; i++) {
		const clib_import *m = &imports[i];
		if (m->instance) {
			if (!wasmtime_instance_export_get(s->context, &((instance_t *)m->instance)->instance, m->export, strlen(m->export), &externs[i])) {
				free(externs);
				return strdup("an export to import is not there");
			}
			continue;
		}
		callback_t *c = calloc(1, sizeof *c);
		*c = (callback_t){s->host, m->host, strlen(m->params), strlen(m->results)};
		wasm_valtype_vec_t params, results;
		types(m->params, &params);
		types(m->results, &results);
		wasm_functype_t *type = wasm_functype_new(&params, &results);
		externs[i].kind = WASMTIME_EXTERN_FUNC;
		wasmtime_func_new_unchecked(s->context, type, called, c, free, &externs[i].of.func);
		wasm_functype_delete(type);
	}
	instance_t *inst = calloc(1, sizeof *inst);
	inst->store = s;
	wasm_trap_t *trap = NULL;
	wasmtime_error_t *error = wasmtime_instance_new(s->context, module, externs, n, &inst->instance, &trap);
	free(externs);
	if (error || trap) {
		free(inst);
		return cachesim_message(error, trap);
	}
	*out = inst;
	return NULL;
}

// Instances live as long as their store.
static void instance_delete(void *instance) { free(instance); }

// export_get finds an export of a kind.
static int export_get(instance_t *inst, const char *name, wasmtime_extern_kind_t kind, wasmtime_extern_t *e) {
	if (!wasmtime_instance_export_get(inst->store->context, &inst->instance, name, strlen(name), e)) return 0;
	if (e->kind == kind) return 1;
	wasmtime_extern_delete(e);
	return 0;
}

static void *function_get(void *instance, const char *name, int params, int results) {
	instance_t *inst = instance;
	wasmtime_extern_t e;
	if (!export_get(inst, name, WASMTIME_EXTERN_FUNC, &e)) return NULL;
	// Calls are not checked, so what the caller believes is.
	wasm_functype_t *type = wasmtime_func_type(inst->store->context, &e.of.func);
	int same = (int)wasm_functype_params(type)->size == params && (int)wasm_functype_results(type)->size == results;
	wasm_functype_delete(type);
	if (!same) return NULL;
	function_t *f = calloc(1, sizeof *f);
	*f = (function_t){inst->store->context, e.of.func, params, results, params > results ? params : results};
	return f;
}

static void *memory_get(void *instance, const char *name) {
	instance_t *inst = instance;
	wasmtime_extern_t e;
	if (!export_get(inst, name, WASMTIME_EXTERN_MEMORY, &e)) return NULL;
	memory_t *m = calloc(1, sizeof *m);
	*m = (memory_t){inst->store->context, e.of.memory};
	return m;
}

static char *call(void *function, uint64_t *stack, long n) {
	function_t *f = function;
	wasmtime_val_raw_t raw[f->room + 1];
	while (n-- > 0) {
		for (int i = 0; i < f->params; i++) raw[i].i64 = stack[i];
		wasm_trap_t *trap = NULL;
		wasmtime_error_t *error = wasmtime_func_call_unchecked(f->context, &f->func, raw, f->room, &trap);
		if (error || trap) return cachesim_message(error, trap);
	}
	if (f->results) stack[0] = raw[0].i64;
	return NULL;
}

static uint8_t *memory_data(void *memory, size_t *size) {
	memory_t *m = memory;
	*size = wasmtime_memory_data_size(m->context, &m->memory);
	return wasmtime_memory_data(m->context, &m->memory);
}

static const clib_runtime runtime = {
	WASMTIME_VERSION, store_new, store_stop, store_delete, module_new, module_delete,
	instance_new, instance_delete, function_get, memory_get, call, memory_data,
};

const clib_runtime *cachesim_runtime(void) { return &runtime; }
