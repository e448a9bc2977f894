//go:build cgo && (linux || darwin)

package engines

/*
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The few things of wasm.h (the C API of WebAssembly) that a call takes.
typedef struct { uint8_t kind; union { int32_t i32; int64_t i64; double f64; void *ref; } of; } val_t;
typedef struct { size_t size; val_t *data; } val_vec_t;
typedef struct { size_t size; char *data; } byte_vec_t;

#define MOST 4

// A call block lives in C memory, so that nothing of it is checked or copied on
// the way.
typedef struct {
	void *func;
	val_vec_t args, results;
	val_t in[MOST], out[1];
} call_t;

static void *(*func_call)(void *, const val_vec_t *, val_vec_t *);
static void (*trap_message)(void *, byte_vec_t *);
static void (*trap_delete)(void *);
static void (*byte_vec_delete)(byte_vec_t *);

static int find_calls(void) {
	func_call = dlsym(RTLD_DEFAULT, "wasm_func_call");
	trap_message = dlsym(RTLD_DEFAULT, "wasm_trap_message");
	trap_delete = dlsym(RTLD_DEFAULT, "wasm_trap_delete");
	byte_vec_delete = dlsym(RTLD_DEFAULT, "wasm_byte_vec_delete");
	return func_call && trap_message && trap_delete && byte_vec_delete;
}

static call_t *new_call(void *func, int params, int results) {
	call_t *c = calloc(1, sizeof *c);
	c->func = func;
	c->args.size = params, c->args.data = c->in;
	c->results.size = results, c->results.data = c->out;
	return c;
}

static void *do_calls(call_t *c, long n) {
	void *trap = NULL;
	while (n-- > 0 && !trap) trap = func_call(c->func, &c->args, &c->results);
	return trap;
}

static char *take_message(void *trap) {
	byte_vec_t m = {0, NULL};
	trap_message(trap, &m);
	char *s = strndup(m.data ? m.data : "", m.size);
	byte_vec_delete(&m);
	trap_delete(trap);
	return s;
}
*/
import "C"

import (
	"reflect"
	"runtime"
	"unsafe"

	"github.com/wasmerio/wasmer-go/wasmer"
)

// inner is where a wasmer.Function keeps its wasm_func_t. Where wasmer-go or
// libwasmer is not as this file knows them, direct is false and calls take the
// safe path.
var (
	inner  uintptr
	direct = func() bool {
		f, ok := reflect.TypeOf(wasmer.Function{}).FieldByName("_inner")
		inner = f.Offset
		return ok && f.Type.Kind() == reflect.Pointer && f.Type.Elem().Name() == "_Ctype_struct_wasm_func_t" && C.find_calls() != 0
	}()
)

// directFunction calls wasm_func_call without wasmer-go's boxing, vectors and
// four further crossings into C.
type directFunction struct {
	instance *wasmerInstance
	function *wasmer.Function
	call_    *C.call_t
	params   []wasmer.ValueKind
	result   wasmer.ValueKind
	results  int
}

// newDirectFunction returns false where it cannot call f.
func newDirectFunction(i *wasmerInstance, f *wasmer.Function) (*directFunction, bool) {
	t := f.Type()
	if !direct || len(t.Params()) > C.MOST || len(t.Results()) > 1 {
		return nil, false
	}
	d := &directFunction{instance: i, function: f, results: len(t.Results())}
	for _, p := range t.Params() {
		d.params = append(d.params, p.Kind())
	}
	if d.results == 1 {
		d.result = t.Results()[0].Kind()
	}
	d.call_ = C.new_call(*(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(f), inner)), C.int(len(d.params)), C.int(d.results))
	for n, kind := range d.params {
		d.call_.in[n].kind = C.uint8_t(kind)
	}
	runtime.SetFinalizer(d, func(d *directFunction) { C.free(unsafe.Pointer(d.call_)) })
	return d, true
}

func (d *directFunction) Call(stack []uint64) error { return d.Repeat(stack, 1) }

// Repeat implements Layered.
func (d *directFunction) Repeat(stack []uint64, times int) error {
	for n := range d.params {
		*(*uint64)(unsafe.Pointer(&d.call_.in[n].of)) = stack[n] // little-endian: an i32 is the lower half
	}
	trap := C.do_calls(d.call_, C.long(times))
	runtime.KeepAlive(d)
	if trap != nil {
		return trapError(trap)
	}
	if d.results == 1 {
		stack[0] = *(*uint64)(unsafe.Pointer(&d.call_.out[0].of))
		if d.result == wasmer.I32 {
			stack[0] = uint64(uint32(stack[0]))
		}
	}
	return nil
}

// Unboxed implements Layered.
func (d *directFunction) Unboxed() (Function, bool) { return d, true }

func trapError(trap unsafe.Pointer) error {
	m := C.take_message(trap)
	defer C.free(unsafe.Pointer(m))
	return &Trap{Text: C.GoString(m), Function: -1} // the frames are not asked for
}
