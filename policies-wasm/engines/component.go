//go:build cgo && linux

package engines

/*
#include <dlfcn.h>
#include <stdlib.h>
#include "libwasmtime/component.h"

static const component_runtime *component_load(const char *file) {
	void *lib = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const component_runtime *(*f)(void) = lib ? (const component_runtime *(*)(void))dlsym(lib, "cachesim_component") : NULL;
	return f ? f() : NULL;
}

// cgo calls no function pointers.
static char *component_open(const component_runtime *r, const uint8_t *bytes, size_t size, void **out) { return r->open(bytes, size, out); }
static void component_close(const component_runtime *r, void *component) { r->close(component); }
static char *component_function(const component_runtime *r, void *component, const char *interface, const char *name, const char *params, char result, void **out) {
	return r->function(component, interface, name, params, result, out);
}
static char *component_call(const component_runtime *r, void *function, uint64_t *stack) { return r->call(function, stack); }
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// loadComponents finds the component model in Wasmtime's library.
var loadComponents = sync.OnceValues(func() (*C.component_runtime, error) {
	l := loadWasmtime()
	if l.lib == nil {
		return nil, errors.New("wasmtime: " + l.missing)
	}
	file := C.CString(l.file)
	defer C.free(unsafe.Pointer(file))
	if lib := C.component_load(file); lib != nil {
		return lib, nil
	}
	return nil, fmt.Errorf("wasmtime: %s has no component model", l.file)
})

// A Component is an instance of a component of the component model, which Wasmtime
// calls with component values. Its guests are not stopped and not bounded: it is there
// to measure and to compare with, and policies of a file run as their core module.
// One goroutine uses it at a time.
type Component struct {
	lib    *C.component_runtime
	handle unsafe.Pointer
}

// OpenComponent compiles and instantiates a component that imports nothing.
func OpenComponent(b []byte) (*Component, error) {
	lib, err := loadComponents()
	if err != nil {
		return nil, err
	}
	c := &Component{lib: lib}
	if err := clibError(C.component_open(lib, (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b)), &c.handle)); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(c, (*Component).Close)
	return c, nil
}

// Close frees the component. Its functions are not called after that.
func (c *Component) Close() {
	if c.handle != nil {
		C.component_close(c.lib, c.handle)
		c.handle = nil
	}
	runtime.SetFinalizer(c, nil)
}

// Function finds a function of an exported interface, such as
// "cachesim:policy/policy@1.0.0". params has the types of its parameters as letters,
// and result that of its result, 0 for none: b bool, i s32, u u32, U u64.
func (c *Component) Function(exported, name, params string, result byte) (*ComponentFunction, error) {
	e, n, p := C.CString(exported), C.CString(name), C.CString(params)
	defer C.free(unsafe.Pointer(e))
	defer C.free(unsafe.Pointer(n))
	defer C.free(unsafe.Pointer(p))
	f := &ComponentFunction{component: c, words: max(len(params), 1)}
	if err := clibError(C.component_function(c.lib, c.handle, e, n, p, C.char(result), &f.handle)); err != nil {
		return nil, fmt.Errorf("function %s of %s: %w", name, exported, err)
	}
	return f, nil
}

// A ComponentFunction is called through the canonical ABI.
type ComponentFunction struct {
	component *Component
	handle    unsafe.Pointer
	words     int // that a call's stack must have
}

// Call takes its arguments from the words of the stack, and leaves its result in the
// first. Arguments or a result of other types than were declared are an error.
func (f *ComponentFunction) Call(stack []uint64) error {
	if len(stack) < f.words {
		return fmt.Errorf("a stack of %d words, want %d", len(stack), f.words)
	}
	failed := C.component_call(f.component.lib, f.handle, (*C.uint64_t)(unsafe.SliceData(stack)))
	runtime.KeepAlive(f)
	return clibError(failed)
}
