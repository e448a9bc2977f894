/* WAMR's fast interpreter behind clib.h. WAMR's own interface cannot hand one instance's functions, memory and
 * globals to another: it makes a new instance of whatever a module imports from.
 * Its interpreter can work with such, so they are linked here, in the structs of
 * the version that crate.sha256 pins. */

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bh_platform.h"
#include "wasm_export.h"
#include "wasm_exec_env.h"
#include "wasm_runtime.h"
#include "wasm_runtime_common.h"
#include "wasm_suspend_flags.h"

#include "../clib.h"

/* For calls and for what they call in other instances: thousands of frames. */
#define STACK_BYTES (512 << 10)

#define MESSAGE_BYTES 256

typedef struct store_t {
    pthread_mutex_t lock; /* of what follows */
    int stopped;
    struct instance_t *instances;
} store_t;

typedef struct module_t {
    WASMModule *module;
    uint8_t *bytes; /* WAMR keeps pointers into them */
    uint32_t start; /* the start function's index, or -1 */
} module_t;

typedef struct instance_t {
    store_t *store;
    struct instance_t *next; /* in the store */
    WASMModuleInstance *inst;
    WASMMemoryInstance *own; /* memory 0 as it was before another was linked */
    module_t *module;
    uint64_t *hosts; /* number of each imported function of the host, or 0 */
    struct instance_t **imported;
    uint32_t imports;
    int stopped;
    char message[MESSAGE_BYTES];
} instance_t;

typedef struct function_t {
    instance_t *instance;
    WASMFunctionInstance *function;
    WASMFuncType *type;
    uint32_t cells[]; /* arguments and results as WAMR has them */
} function_t;

typedef struct memory_t {
    instance_t *instance;
} memory_t;

static void (*host)(uint64_t id, uint64_t *stack);
static char version[32];

static void say(char *message, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(message, MESSAGE_BYTES, format, list);
    va_end(list);
}

/* Memory for WAMR. Large pieces, stacks above all, are mapped, so that the system
 * has them back: freed ones would stay with malloc, in the arena of some thread. */
typedef struct {
    _Alignas(16) size_t size;
} piece_t;

#define LARGE (64 << 10)

static void *take(unsigned n) {
    size_t size = sizeof(piece_t) + n;
    piece_t *p = size < LARGE ? malloc(size) : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!p || p == MAP_FAILED) return NULL;
    p->size = size;
    return p + 1;
}

static void drop(void *at) {
    piece_t *p = (piece_t *)at - 1;
    if (!at) return;
    if (p->size < LARGE)
        free(p);
    else
        munmap(p, p->size);
}

static void *retake(void *at, unsigned n) {
    void *b = take(n);
    if (!b || !at) return b;
    size_t had = ((piece_t *)at - 1)->size - sizeof(piece_t);
    memcpy(b, at, had < n ? had : n);
    drop(at);
    return b;
}

static void init(void) {
    RuntimeInitArgs args;
    struct sigaction action;
    sigset_t mask;
    memset(&args, 0, sizeof args);
    args.mem_alloc_type = Alloc_With_Allocator;
    args.mem_alloc_option.allocator.malloc_func = (void *)take;
    args.mem_alloc_option.allocator.realloc_func = (void *)retake;
    args.mem_alloc_option.allocator.free_func = (void *)drop;
    /* It takes SIGUSR1, to interrupt the waiting that only its own WASI does. */
    sigaction(SIGUSR1, NULL, &action);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    wasm_runtime_full_init(&args);
    sigaction(SIGUSR1, &action, NULL);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
}

static char *store_new(void (*h)(uint64_t, uint64_t *), void **out) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init);
    host = h;
    store_t *s = calloc(1, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return NULL;
}

static void store_delete(void *store) {
    pthread_mutex_destroy(&((store_t *)store)->lock);
    free(store);
}

/* Every imported function is this one, until another instance's is linked. */
static void call_host(wasm_exec_env_t env, uint64_t *stack) {
    WASMModuleInstance *inst = (WASMModuleInstance *)wasm_runtime_get_module_inst(env);
    uint32_t i = (uint32_t)(uintptr_t)wasm_runtime_get_function_attachment(env);
    WASMFuncType *type = inst->module->import_functions[i].u.function.func_type;
    uint64_t words[16] = { 0 };
    memcpy(words, stack, type->param_count * sizeof *words); /* instance_new has seen that they fit */
    host(((instance_t *)inst->custom_data)->hosts[i], words);
    if (type->result_count) stack[0] = words[0];
}

static void module_delete(void *module) {
    module_t *m = module;
    if (m->module) wasm_unload(m->module);
    free(m->bytes);
    free(m);
}

static char *plainly(char *message) {
    static const char *prefixes[] = { "WASM module load failed: ", "WASM module instantiate failed: " };
    for (int i = 0; i < 2; i++) {
        if (!strncmp(message, prefixes[i], strlen(prefixes[i]))) message += strlen(prefixes[i]);
    }
    if (!strcmp(message, "unsupported opcode fd")) message = "it has SIMD instructions, which this engine does not run";
    return strdup(message);
}

static char *module_new(void *store, const uint8_t *bytes, size_t size, void **out) {
    char message[MESSAGE_BYTES];
    static WASMMemory linked; /* says that a memory is, or will be */
    char noname[] = "";
    LoadArgs args = { .name = noname, .no_resolve = true };
    module_t *m = calloc(1, sizeof *m);
    m->bytes = malloc(size ? size : 1);
    memcpy(m->bytes, bytes, size);
    /* wasm_runtime_load would keep each module until the process ends, now that
     * modules may import from it. */
    m->module = wasm_load(m->bytes, size, true, &args, message, MESSAGE_BYTES);
    if (!m->module) {
        module_delete(m);
        return plainly(message);
    }
    WASMModule *w = m->module;
    if (w->import_table_count || (w->import_memory_count && w->data_seg_count)) {
        module_delete(m);
        return strdup("a module that imports a table, or a memory that it has data for, does not run on this engine");
    }
    for (uint32_t i = 0; i < w->import_function_count; i++) {
        WASMFunctionImport *f = &w->import_functions[i].u.function;
        f->func_ptr_linked = (void *)call_host;
        f->call_conv_raw = true;
        f->signature = NULL;
        f->attachment = (void *)(uintptr_t)i;
    }
    for (uint32_t i = 0; i < w->import_global_count; i++) w->import_globals[i].u.global.is_linked = true;
    for (uint32_t i = 0; i < w->import_memory_count; i++) w->import_memories[i].u.memory.import_memory_linked = &linked;
    /* It runs when its imports are linked. */
    m->start = w->start_function;
    w->start_function = (uint32_t)-1;
    *out = m;
    return NULL;
}

static void instance_delete(void *instance) {
    instance_t *i = instance, **at;
    pthread_mutex_lock(&i->store->lock);
    for (at = &i->store->instances; *at && *at != i; at = &(*at)->next) {}
    if (*at) *at = i->next;
    pthread_mutex_unlock(&i->store->lock);
    if (i->inst) {
        if (i->own) i->inst->memories[0] = i->own;
        wasm_deinstantiate(i->inst, false);
    }
    free(i->hosts);
    free(i->imported);
    free(i);
}

static int wide(uint8_t type) { return type == VALUE_TYPE_I64 || type == VALUE_TYPE_F64; }

static WASMFuncType *type_of(WASMFunctionInstance *f) {
    return f->is_import_func ? f->u.func_import->func_type : f->u.func->func_type;
}

static int same_type(WASMFuncType *a, WASMFuncType *b) {
    return a->param_count == b->param_count && a->result_count == b->result_count
           && !memcmp(a->types, b->types, a->param_count + a->result_count);
}

static WASMExport *export_named(WASMModuleInstance *inst, const char *name, uint8_t kind) {
    for (uint32_t i = 0; i < inst->module->export_count; i++) {
        WASMExport *e = &inst->module->exports[i];
        if (e->kind == kind && !strcmp(e->name, name)) return e;
    }
    return NULL;
}

static int is(const char *m, const char *n, const char *module, const char *name) {
    return !strcmp(m, module) && !strcmp(n, name);
}

/* Gives what an instance imports by module and name an export of another. It fills
 * message and returns 0 where it cannot. */
static int link_instance(instance_t *to, const char *module, const char *name, instance_t *from, const char *export,
                              char *message) {
    WASMModuleInstance *inst = to->inst, *source = from->inst;
    WASMModule *w = inst->module;
    WASMExport *e;
    for (uint32_t i = 0; i < w->import_function_count; i++) {
        WASMFunctionInstance *f = inst->e->functions + i;
        if (!is(f->u.func_import->module_name, f->u.func_import->field_name, module, name)) continue;
        if (!(e = export_named(source, export, EXPORT_KIND_FUNC))) goto missing;
        WASMFunctionInstance *g = source->e->functions + e->index;
        WASMModuleInstance *owner = source;
        if (!same_type(type_of(f), type_of(g))) goto incompatible;
        while (g->import_func_inst) owner = g->import_module_inst, g = g->import_func_inst;
        if (g->is_import_func) {
            say(message, "export %s is a function of the host's", export);
            return 0;
        }
        f->import_module_inst = owner;
        f->import_func_inst = g;
    }
    for (uint32_t i = 0; i < w->import_memory_count; i++) {
        WASMMemoryImport *m = &w->import_memories[i].u.memory;
        if (!is(m->module_name, m->field_name, module, name)) continue;
        if (!export_named(source, export, EXPORT_KIND_MEMORY)) goto missing;
        WASMMemoryInstance *memory = source->memories[0];
        if (memory->cur_page_count < m->mem_type.init_page_count || memory->max_page_count > m->mem_type.max_page_count)
            goto incompatible;
        if (!to->own) to->own = inst->memories[0];
        inst->memories[0] = memory;
    }
    for (uint32_t i = 0; i < w->import_global_count; i++) {
        WASMGlobalImport *g = &w->import_globals[i].u.global;
        if (!is(g->module_name, g->field_name, module, name)) continue;
        if (!(e = export_named(source, export, EXPORT_KIND_GLOBAL))) goto missing;
        WASMGlobalInstance *global = source->e->globals + e->index;
        WASMModuleInstance *owner = source;
        if (global->type != g->type.val_type || global->is_mutable != g->type.is_mutable) goto incompatible;
        while (global->import_global_inst) owner = global->import_module_inst, global = global->import_global_inst;
        inst->e->globals[i].import_module_inst = owner;
        inst->e->globals[i].import_global_inst = global;
    }
    to->imported = realloc(to->imported, (to->imports + 1) * sizeof *to->imported);
    to->imported[to->imports++] = from;
    return 1;
missing:
    say(message, "there is no export %s that is what is imported", export);
    return 0;
incompatible:
    say(message, "export %s is of another type than what is imported", export);
    return 0;
}

/* Gives what an instance imports by module and name a function of the host. */
static int link_host(instance_t *to, const clib_import *import, char *message) {
    WASMModule *w = to->inst->module;
    for (uint32_t i = 0; i < w->import_function_count; i++) {
        WASMFunctionImport *f = &w->import_functions[i].u.function;
        if (!is(f->module_name, f->field_name, import->module, import->name)) continue;
        size_t params = strlen(import->params), results = strlen(import->results);
        if (f->func_type->param_count != params || f->func_type->result_count != results || params > 16) {
            say(message, "the function is of another type than what is imported");
            return 0;
        }
        to->hosts[i] = import->host;
    }
    return 1;
}

static int linked(instance_t *i, char *message) {
    WASMModuleInstance *inst = i->inst;
    WASMModule *w = inst->module;
    for (uint32_t n = 0; n < w->import_function_count; n++) {
        WASMFunctionImport *f = &w->import_functions[n].u.function;
        if (!i->hosts[n] && !inst->e->functions[n].import_func_inst) {
            say(message, "nothing was given for the import %s.%s", f->module_name, f->field_name);
            return 0;
        }
    }
    for (uint32_t n = 0; n < w->import_global_count; n++) {
        WASMGlobalImport *g = &w->import_globals[n].u.global;
        if (!inst->e->globals[n].import_global_inst) {
            say(message, "nothing was given for the import %s.%s", g->module_name, g->field_name);
            return 0;
        }
    }
    if (w->import_memory_count && !i->own) {
        WASMMemoryImport *m = &w->import_memories[0].u.memory;
        say(message, "nothing was given for the import %s.%s", m->module_name, m->field_name);
        return 0;
    }
    return 1;
}

/* Makes the instance, and those that it calls, ready for the call after a trap. */
static void forget_trap(instance_t *i) {
    i->inst->cur_exception[0] = 0;
    if (i->inst->exec_env_singleton && !__atomic_load_n(&i->stopped, __ATOMIC_SEQ_CST))
        WASM_SUSPEND_FLAGS_FETCH_AND(i->inst->exec_env_singleton->suspend_flags, ~WASM_SUSPEND_FLAG_TERMINATE);
    for (uint32_t n = 0; n < i->imports; n++) forget_trap(i->imported[n]);
}

/* Runs a function, from any thread, with its cells as arguments. Returns NULL, or
 * why it did not come to its end. */
static const char *run(instance_t *i, WASMFunctionInstance *f, uint32_t argc, uint32_t *cells) {
    static const char prefix[] = "Exception: ";
    wasm_exec_env_t env = i->inst->exec_env_singleton;
    if (__atomic_load_n(&i->stopped, __ATOMIC_SEQ_CST)) return "stopped by the host";
    int ended = wasm_call_function(env, f, argc, cells);
    if (__atomic_load_n(&i->stopped, __ATOMIC_SEQ_CST)) return "stopped by the host";
    if (ended) return NULL;
    const char *text = i->inst->cur_exception;
    if (!strncmp(text, prefix, sizeof prefix - 1)) text += sizeof prefix - 1;
    say(i->message, "%s", text);
    forget_trap(i);
    return i->message;
}

/* Runs the start function. All imports must have been linked. */
static int start(instance_t *i, char *message) {
    const char *trap;
    if (i->module->start == (uint32_t)-1) return 1;
    uint32_t none[2];
    if ((trap = run(i, i->inst->e->functions + i->module->start, 0, none))) {
        say(message, "%s", trap);
        return 0;
    }
    return 1;
}

/* Ends the call that the instance is in, at its next jump or call, and all later
 * ones at once. From any thread. */
static void stop(instance_t *i) {
    __atomic_store_n(&i->stopped, 1, __ATOMIC_SEQ_CST);
    if (i->inst->exec_env_singleton)
        WASM_SUSPEND_FLAGS_FETCH_OR(i->inst->exec_env_singleton->suspend_flags, WASM_SUSPEND_FLAG_TERMINATE);
}

static void store_stop(void *store) {
    store_t *s = store;
    pthread_mutex_lock(&s->lock);
    s->stopped = 1;
    for (instance_t *i = s->instances; i; i = i->next) stop(i);
    pthread_mutex_unlock(&s->lock);
}

static char *instance_new(void *store, void *module, const clib_import *imports, size_t n, void **out) {
    store_t *s = store;
    module_t *m = module;
    char message[MESSAGE_BYTES];
    struct InstantiationArgs2 args;
    instance_t *i = calloc(1, sizeof *i);
    wasm_runtime_instantiation_args_set_defaults(&args);
    args.v1.default_stack_size = STACK_BYTES;
    args.v1.host_managed_heap_size = 0;
    args.custom_data = i;
    i->store = s;
    i->module = m;
    i->hosts = calloc(m->module->import_function_count + 1, sizeof *i->hosts);
    /* WAMR would run exports of some names, such as __wasm_call_ctors: hide all. */
    WASMModule *w = m->module;
    uint32_t exports = w->export_count;
    w->export_count = 0;
    i->inst = wasm_instantiate(w, NULL, NULL, &args, message, MESSAGE_BYTES);
    w->export_count = exports;
    if (!i->inst) {
        instance_delete(i);
        return plainly(message);
    }
    int ok = 1;
    for (size_t k = 0; k < n && ok; k++) {
        const clib_import *p = &imports[k];
        ok = p->instance ? link_instance(i, p->module, p->name, p->instance, p->export, message) : link_host(i, p, message);
    }
    ok = ok && linked(i, message);
    if (ok && !wasm_runtime_get_exec_env_singleton((wasm_module_inst_t)i->inst)) {
        say(message, "no memory for a stack");
        ok = 0;
    }
    if (ok) {
        pthread_mutex_lock(&s->lock);
        i->next = s->instances;
        s->instances = i;
        if (s->stopped) stop(i);
        pthread_mutex_unlock(&s->lock);
        ok = start(i, message);
    }
    if (!ok) {
        instance_delete(i);
        return strdup(message);
    }
    *out = i;
    return NULL;
}

static void *function_get(void *instance, const char *name, int params, int results) {
    instance_t *i = instance;
    WASMExport *e = export_named(i->inst, name, EXPORT_KIND_FUNC);
    if (!e) return NULL;
    WASMFunctionInstance *f = i->inst->e->functions + e->index;
    if (f->import_func_inst) return NULL; /* its arguments would be in the wrong place */
    WASMFuncType *t = type_of(f);
    if (t->param_count != params || t->result_count != results) return NULL;
    for (uint32_t n = 0; n < (uint32_t)t->param_count + t->result_count; n++) {
        if (!wide(t->types[n]) && t->types[n] != VALUE_TYPE_I32 && t->types[n] != VALUE_TYPE_F32) return NULL;
    }
    uint32_t cells = f->param_cell_num > f->ret_cell_num ? f->param_cell_num : f->ret_cell_num;
    function_t *c = calloc(1, sizeof *c + cells * sizeof *c->cells);
    c->instance = i, c->function = f, c->type = t;
    return c;
}

static char *call(void *function, uint64_t *stack, long times) {
    function_t *c = function;
    WASMFuncType *t = c->type;
    uint32_t *cell;
    while (times-- > 0) {
        cell = c->cells;
        for (uint32_t n = 0; n < t->param_count; n++) {
            *cell++ = (uint32_t)stack[n];
            if (wide(t->types[n])) *cell++ = (uint32_t)(stack[n] >> 32);
        }
        const char *trap = run(c->instance, c->function, c->function->param_cell_num, c->cells);
        if (trap) return strdup(trap);
    }
    cell = c->cells;
    for (uint32_t n = 0; n < t->result_count; n++) {
        stack[n] = *cell++;
        if (wide(t->types[t->param_count + n])) stack[n] |= (uint64_t)*cell++ << 32;
    }
    return NULL;
}

static void *memory_get(void *instance, const char *name) {
    instance_t *i = instance;
    if (!export_named(i->inst, name, EXPORT_KIND_MEMORY)) return NULL;
    memory_t *m = calloc(1, sizeof *m);
    m->instance = i;
    return m;
}

static uint8_t *memory_data(void *memory, size_t *size) {
    WASMMemoryInstance *m = ((memory_t *)memory)->instance->inst->memories[0];
    *size = m->memory_data_size;
    return m->memory_data;
}

static clib_runtime runtime = {
    version, store_new, store_stop, store_delete, module_new, module_delete,
    instance_new, instance_delete, function_get, memory_get, call, memory_data,
};

const clib_runtime *cachesim_runtime(void) {
    uint32_t major, minor, patch;
    wasm_runtime_get_version(&major, &minor, &patch);
    snprintf(version, sizeof version, "%u.%u.%u", major, minor, patch);
    return &runtime;
}
