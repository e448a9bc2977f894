//go:build cgo && linux

package engines

/*
#cgo linux LDFLAGS: -ldl
#cgo noescape clib_memory_data
#cgo nocallback clib_memory_data
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "clib.h"

extern void cachesimHost(uint64_t id, uint64_t *stack);

// Names of its own, so that its library's are not found for another's.
static const clib_runtime *clib_load(const char *file) {
	void *lib = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const clib_runtime *(*f)(void) = lib ? (const clib_runtime *(*)(void))dlsym(lib, "cachesim_runtime") : NULL;
	return f ? f() : NULL;
}

static const char *clib_error(void) { return dlerror(); }

// cgo calls no function pointers.
static char *clib_store_new(const clib_runtime *r, void **store) { return r->store_new(cachesimHost, store); }
static void clib_store_stop(const clib_runtime *r, void *store) { r->store_stop(store); }
static void clib_store_delete(const clib_runtime *r, void *store) { r->store_delete(store); }
static char *clib_module_new(const clib_runtime *r, void *store, const uint8_t *bytes, size_t size, void **module) {
	return r->module_new(store, bytes, size, module);
}
static void clib_module_delete(const clib_runtime *r, void *module) { r->module_delete(module); }
static char *clib_instance_new(const clib_runtime *r, void *store, void *module, const clib_import *imports, size_t n, void **instance) {
	return r->instance_new(store, module, imports, n, instance);
}
static void clib_instance_delete(const clib_runtime *r, void *instance) { r->instance_delete(instance); }
static void *clib_function_get(const clib_runtime *r, void *instance, const char *name, int params, int results) {
	return r->function_get(instance, name, params, results);
}
static void *clib_memory_get(const clib_runtime *r, void *instance, const char *name) { return r->memory_get(instance, name); }
static char *clib_call(const clib_runtime *r, void *function, uint64_t *stack, long n) { return r->call(function, stack, n); }
static uint8_t *clib_memory_data(const clib_runtime *r, void *memory, size_t *size) { return r->memory_data(memory, size); }
*/
import "C"

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/cgo"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"cachesim/policies-wasm/module"
)

// Runtimes that are C libraries are linked to nothing of ours: they are loaded
// when the engines are listed, from where their build.sh leaves them.

//go:embed clib.h
var clibHeader []byte

//go:embed libwasmtime/wasmtime.c
var wasmtimeSource []byte

//go:embed libwasmtime/component.h
var componentHeader []byte

//go:embed libwasmtime/component.c
var componentSource []byte

//go:embed libwasmtime/exports.map
var wasmtimeExports []byte

//go:embed libwasmtime/version
var wasmtimeVersion []byte

var loadWasmtime = sync.OnceValue(func() clibrary {
	return loadCLib("libwasmtime", clibHeader, wasmtimeSource, componentHeader, componentSource, wasmtimeExports, wasmtimeVersion)
})

//go:embed libwamr/wamr.c
var wamrSource []byte

//go:embed libwamr/CMakeLists.txt
var wamrSettings []byte

//go:embed libwamr/crate.sha256
var wamrCrate []byte

var loadWAMR = sync.OnceValue(func() clibrary {
	return loadCLib("libwamr", clibHeader, wamrSource, wamrSettings, wamrCrate)
})

func clibEngines() []Engine {
	wasmtime := newCLibEngine("wasmtime", loadWasmtime)
	wasmtime.Preference = 2
	wamr := newCLibEngine("wamr", loadWAMR)
	wamr.Interpreter, wamr.Preference = true, 5
	return []Engine{wasmtime, wamr}
}

// clibrary is a loaded library, or why it is not.
type clibrary struct {
	lib     *C.clib_runtime // nil: missing tells why
	file    string
	missing string
}

func newCLibEngine(name string, load func() clibrary) Engine {
	e := Engine{Name: name, Runtime: name}
	l := load()
	if l.lib == nil {
		e.Missing = l.missing
		return e
	}
	e.Version, e.Library, e.compiler = C.GoString(l.lib.version), l.file, clibEngine{l.lib}
	return e
}

// loadCLib loads the library that build.sh names by the hash of its sources.
func loadCLib(name string, sources ...[]byte) clibrary {
	dir := cacheDir()
	if dir == "" {
		return clibrary{missing: "there is no folder for its library: set CACHESIM_CACHE, then `make build`"}
	}
	hash := sha256.Sum256(bytes.Join(sources, nil))
	l := clibrary{file: filepath.Join(dir, fmt.Sprintf("%s-%x.so", name, hash[:8]))}
	if _, err := os.Stat(l.file); err != nil {
		l.missing = "its library is not built: `make build` makes " + l.file
		return l
	}
	cs := C.CString(l.file)
	defer C.free(unsafe.Pointer(cs))
	if l.lib = C.clib_load(cs); l.lib == nil {
		l.missing = fmt.Sprintf("its library does not load: delete %s and `make build` (%s)", l.file, C.GoString(C.clib_error()))
	}
	return l
}

type clibEngine struct{ lib *C.clib_runtime }

// clibStore owns all C objects of its modules and instances, which it frees when
// it is closed, or when nothing of it can be reached.
type clibStore struct {
	lib       *C.clib_runtime
	unwatch   func() bool // stops watching for the end of the cell's context
	modules   []unsafe.Pointer
	instances []unsafe.Pointer
	handles   []unsafe.Pointer // of exports
	hosts     []cgo.Handle     // functions of the host
	store     unsafe.Pointer
	live      *clibLive
}

// clibLive is what stops a store from any goroutine. It does not refer to the
// clibStore, which the context would keep reachable, and which could not be
// finalized if it referred to itself.
type clibLive struct {
	lib   *C.clib_runtime
	mu    sync.Mutex
	store unsafe.Pointer // nil: closed
}

type clibModule struct {
	store    *clibStore
	declared *module.Module
	module   unsafe.Pointer // nil: it could not be compiled
	shared   bool           // the store belongs to another module
}

func (e clibEngine) compile(ctx context.Context, b []byte, _ Options) (Module, time.Duration, error) {
	s := &clibStore{lib: e.lib}
	m := &clibModule{store: s}
	if err := clibError(C.clib_store_new(e.lib, &s.store)); err != nil {
		return m, 0, err
	}
	runtime.SetFinalizer(s, (*clibStore).close)
	s.live = &clibLive{lib: e.lib, store: s.store}
	s.unwatch = context.AfterFunc(ctx, s.live.stop)
	var err error
	took := threadTime(func() { err = m.compile(b) })
	return m, took, err
}

// stop makes what runs trap.
func (l *clibLive) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store != nil {
		C.clib_store_stop(l.lib, l.store)
	}
}

func (s *clibStore) close() {
	if s.store == nil {
		return
	}
	s.unwatch()
	s.live.mu.Lock()
	s.live.store = nil
	s.live.mu.Unlock()
	for _, h := range s.handles {
		C.free(h)
	}
	for _, i := range slices.Backward(s.instances) {
		C.clib_instance_delete(s.lib, i)
	}
	for _, m := range slices.Backward(s.modules) {
		C.clib_module_delete(s.lib, m)
	}
	C.clib_store_delete(s.lib, s.store)
	for _, h := range s.hosts {
		h.Delete()
	}
	s.store, s.instances, s.modules, s.handles, s.hosts = nil, nil, nil, nil, nil
	runtime.SetFinalizer(s, nil)
}

func (m *clibModule) compile(b []byte) error {
	var err error
	if m.declared, err = module.Parse(b); err != nil {
		return err
	}
	err = clibError(C.clib_module_new(m.store.lib, m.store.store, (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b)), &m.module))
	if err == nil {
		m.store.modules = append(m.store.modules, m.module)
	}
	return err
}

func (m *clibModule) Sibling(b []byte) (Module, error) {
	s := &clibModule{store: m.store, shared: true}
	return s, s.compile(b)
}

func (m *clibModule) Close() {
	if !m.shared {
		m.store.close()
	}
}

func (m *clibModule) Instantiate(imports map[ImportName]Provider) (Instance, error) {
	lib := m.store.lib
	inst := &clibInstance{module: m, functions: make(map[string]*clibFunction), memories: make(map[string]*clibMemory)}
	// What C is to read is in C memory: it holds pointers.
	n := len(m.declared.Imports)
	list := (*C.clib_import)(C.calloc(C.size_t(n+1), C.size_t(unsafe.Sizeof(C.clib_import{}))))
	defer C.free(unsafe.Pointer(list))
	for k, i := range m.declared.Imports {
		p, ok := imports[ImportName{i.Module, i.Name}]
		if !ok {
			return nil, fmt.Errorf("nothing provides the import %s", i)
		}
		c := &unsafe.Slice(list, n)[k]
		c.module, c.name = C.CString(i.Module), C.CString(i.Name)
		defer C.free(unsafe.Pointer(c.module))
		defer C.free(unsafe.Pointer(c.name))
		if p.Host == nil {
			from := p.Instance.(*clibInstance)
			c.instance = from.instance
			c.export = C.CString(p.Export)
			defer C.free(unsafe.Pointer(c.export))
			inst.imported = append(inst.imported, from)
			continue
		}
		h := cgo.NewHandle(p.Host.Call)
		m.store.hosts = append(m.store.hosts, h)
		c.host = C.uint64_t(h)
		c.params, c.results = C.CString(letters(p.Host.Sig.Params)), C.CString(letters(p.Host.Sig.Results))
		defer C.free(unsafe.Pointer(c.params))
		defer C.free(unsafe.Pointer(c.results))
	}
	err := clibError(C.clib_instance_new(lib, m.store.store, m.module, list, C.size_t(n), &inst.instance))
	runtime.KeepAlive(inst)
	if err != nil {
		return nil, err
	}
	m.store.instances = append(m.store.instances, inst.instance)
	return inst, nil
}

func letters(types []byte) string {
	var b strings.Builder
	for _, t := range types {
		if t == module.I32 {
			b.WriteByte('i')
		} else {
			b.WriteByte('I')
		}
	}
	return b.String()
}

// maxHostWords is the most arguments of a function of the host.
const maxHostWords = 16

//export cachesimHost
func cachesimHost(id C.uint64_t, stack *C.uint64_t) {
	call := cgo.Handle(id).Value().(func([]uint64))
	call(unsafe.Slice((*uint64)(unsafe.Pointer(stack)), maxHostWords))
}

type clibInstance struct {
	module   *clibModule
	instance unsafe.Pointer
	imported []*clibInstance
	// Exports that were looked up before.
	functions map[string]*clibFunction
	memories  map[string]*clibMemory
}

func (i *clibInstance) Function(name string) (Function, error) {
	sig := i.module.declared.Function(name)
	if sig == nil {
		return nil, fmt.Errorf("export %s is not a function", name)
	}
	cs := C.CString(name)
	defer C.free(unsafe.Pointer(cs))
	f := &clibFunction{
		lib: i.module.store.lib, instance: i,
		handle: C.clib_function_get(i.module.store.lib, i.instance, cs, C.int(len(sig.Params)), C.int(len(sig.Results))),
	}
	f.words = max(len(sig.Params), len(sig.Results), 1)
	if len(sig.Results) > 0 && sig.Results[0] == module.I32 {
		f.mask = 1<<32 - 1
	} else {
		f.mask = 1<<64 - 1
	}
	if f.handle == nil {
		return nil, fmt.Errorf("export %s is not to be had", name)
	}
	// What was found before is used again: handles are freed with the store.
	if known := i.functions[name]; known != nil {
		C.free(f.handle)
		return known, nil
	}
	i.module.store.handles = append(i.module.store.handles, f.handle)
	i.functions[name] = f
	return f, nil
}

func (i *clibInstance) Memory(name string) (Memory, error) {
	cs := C.CString(name)
	defer C.free(unsafe.Pointer(cs))
	m := &clibMemory{i, C.clib_memory_get(i.module.store.lib, i.instance, cs)}
	if m.handle == nil {
		return nil, fmt.Errorf("export %s is not to be had", name)
	}
	if known := i.memories[name]; known != nil {
		C.free(m.handle)
		return known, nil
	}
	i.module.store.handles = append(i.module.store.handles, m.handle)
	i.memories[name] = m
	return m, nil
}

// Close leaves it to the store, since others may have imported from it.
func (i *clibInstance) Close() {}

type clibFunction struct {
	lib      *C.clib_runtime
	instance *clibInstance
	handle   unsafe.Pointer
	words    int    // that a call's stack must have
	mask     uint64 // of the result's bits
}

func (f *clibFunction) Call(stack []uint64) error { return f.Repeat(stack, 1) }

// Unboxed implements Layered: there is nothing to leave out.
func (f *clibFunction) Unboxed() (Function, bool) { return f, true }

// Repeat implements Layered.
func (f *clibFunction) Repeat(stack []uint64, n int) error {
	if len(stack) < f.words {
		return fmt.Errorf("a stack of %d words, want %d", len(stack), f.words)
	}
	failed := C.clib_call(f.lib, f.handle, (*C.uint64_t)(unsafe.SliceData(stack)), C.long(n))
	runtime.KeepAlive(f)
	if failed != nil {
		return clibError(failed)
	}
	stack[0] &= f.mask
	return nil
}

type clibMemory struct {
	instance *clibInstance
	handle   unsafe.Pointer
}

func (m *clibMemory) Bytes() []byte {
	var size C.size_t
	data := C.clib_memory_data(m.instance.module.store.lib, m.handle, &size)
	runtime.KeepAlive(m)
	return unsafe.Slice((*byte)(data), int(size))
}

// clibError makes a Trap of a C library's message, and frees that. Behind a byte
// of value 1 it may have the name of the function that trapped.
func clibError(message *C.char) error {
	if message == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(message))
	text, name, _ := strings.Cut(C.GoString(message), "\x01")
	t := &Trap{Text: strings.Join(strings.Fields(text), " "), Function: -1, Name: name}
	if number, found := strings.CutPrefix(name, "<wasm function "); found {
		t.Name = ""
		if n, err := strconv.Atoi(strings.TrimSuffix(number, ">")); err == nil {
			t.Function = n
		}
	}
	return t
}
