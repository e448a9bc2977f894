//go:build cgo && (linux || darwin)

package engines

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/wasmerio/wasmer-go/wasmer"

	"cachesim/policies-wasm/module"
)

func wasmerEngines() []Engine {
	var list []Engine
	for i, c := range []wasmer.CompilerKind{wasmer.SINGLEPASS, wasmer.CRANELIFT, wasmer.LLVM} {
		e := Engine{Name: c.String(), Runtime: "wasmer", Version: wasmerVersion(), Library: wasmerFile(), compiler: wasmerEngine{c}}
		e.Preference = []int{5, 1, 4}[i]
		if c == wasmer.LLVM {
			e.NoHost = errHostOnLLVM.Error()
		}
		if callPath != "safe" {
			e.Version += ", " + callPath + " calls"
		}
		if !wasmer.IsCompilerAvailable(c) {
			e.Missing = "it is not in the libwasmer of this build: `make build` makes one that has it"
		}
		list = append(list, e)
	}
	return list
}

// wasmerEngine is one of wasmer's compilers.
type wasmerEngine struct{ compiler wasmer.CompilerKind }

// wasmerModule owns its engine and store: wasmer-go frees each of its objects
// as soon as the collector finds that object unreachable, whatever others, or
// running code, still need it.
type wasmerModule struct {
	compiler wasmer.CompilerKind
	engine   *wasmer.Engine
	store    *wasmer.Store
	module   *wasmer.Module // nil: it could not be compiled
	shared   bool           // the store belongs to another module
	options  Options
	release  func() // gives the thread back; nil where shared
	ctx      context.Context
	interruptible
}

func (e wasmerEngine) compile(ctx context.Context, b []byte, o Options) (Module, time.Duration, error) {
	engine := wasmer.NewEngineWithConfig(e.config())
	m := &wasmerModule{compiler: e.compiler, engine: engine, store: wasmer.NewStore(engine), options: o, ctx: ctx, release: func() {}}
	if o.Stoppable {
		declared, err := module.Parse(b)
		if err == nil {
			declared, m.interruptible, err = interrupt(declared, false)
		}
		if err != nil {
			return m, 0, err
		}
		b = declared.Bytes
	}
	if !m.stops {
		m.release = tether(ctx)
	}
	var took time.Duration
	var err error
	if busy := alone(ctx, func() { took, err = m.compile(b) }); busy != nil {
		err = busy
	}
	return m, took, err
}

func (e wasmerEngine) config() *wasmer.Config {
	config := wasmer.NewConfig()
	switch e.compiler {
	case wasmer.SINGLEPASS:
		config.UseSinglepassCompiler()
	case wasmer.CRANELIFT:
		config.UseCraneliftCompiler()
	case wasmer.LLVM:
		config.UseLLVMCompiler()
	}
	return config
}

// wasmerCode keeps the code of modules as wasmer serialises it.
var wasmerCode = recent[[]byte]{empty: func() []byte { return nil }}

// compile makes the module, or finds it where it was kept: LLVM takes a hundred
// times as long to compile as to load, the other compilers some ten times.
func (m *wasmerModule) compile(b []byte) (time.Duration, error) {
	defer runtime.KeepAlive(m)
	if !m.options.keeps(b) {
		return m.build(b)
	}
	known := wasmerCode.of(b, m.compiler.String())
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.done {
		var err error
		if m.module, err = wasmer.DeserializeModule(m.store, known.code); err == nil {
			return known.took, nil
		}
	}
	took, err := m.build(b)
	if err == nil {
		if code, err := m.module.Serialize(); err == nil {
			known.done, known.code, known.took = true, code, took
		}
	}
	return took, err
}

// build compiles the module, or loads it where LLVM has compiled it before.
func (m *wasmerModule) build(b []byte) (time.Duration, error) {
	var cache moduleCache
	var file string
	if m.compiler == wasmer.LLVM && !m.options.Anew {
		cache = newModuleCache()
		file = cache.file(m.compiler.String(), wasmerVersion(), b)
		if kept, took, ok := cache.load(file); ok {
			var err error
			if m.module, err = wasmer.DeserializeModule(m.store, kept); err == nil {
				return took, nil
			}
		}
	}
	began := time.Now()
	var err error
	m.module, err = wasmer.NewModule(m.store, b)
	took := time.Since(began)
	if err != nil {
		return took, err
	}
	if file != "" {
		if compiled, err := m.module.Serialize(); err == nil {
			cache.store(file, compiled, took)
		}
	}
	return took, nil
}

func (m *wasmerModule) Sibling(b []byte) (Module, error) {
	s := &wasmerModule{compiler: m.compiler, engine: m.engine, store: m.store, shared: true, options: m.options}
	_, err := s.compile(b)
	return s, err
}

func (m *wasmerModule) Instantiate(imports map[ImportName]Provider) (Instance, error) {
	object := wasmer.NewImportObject()
	namespaces := make(map[string]map[string]wasmer.IntoExtern)
	inst := &wasmerInstance{module: m, bound: make(map[string]Function)}
	for name, p := range imports {
		if namespaces[name.Module] == nil {
			namespaces[name.Module] = make(map[string]wasmer.IntoExtern)
		}
		if p.Host != nil {
			if m.compiler == wasmer.LLVM {
				return nil, errHostOnLLVM
			}
			namespaces[name.Module][name.Name] = m.hostFunction(p.Host)
			continue
		}
		from := p.Instance.(*wasmerInstance)
		extern, err := from.instance.Exports.Get(p.Export)
		if err != nil {
			return nil, err
		}
		namespaces[name.Module][name.Name] = extern
		inst.imported = append(inst.imported, from)
	}
	for name, externs := range namespaces {
		object.Register(name, externs)
	}
	var err error
	inst.instance, err = wasmer.NewInstance(m.module, object)
	runtime.KeepAlive(inst)
	if err != nil {
		return nil, wasmerError(err)
	}
	if !m.stops {
		return inst, nil
	}
	stop := &wasmerStop{}
	if stop.global, err = inst.instance.Exports.GetGlobal(stopExport); err != nil {
		return nil, err
	}
	inst.stop, inst.unwatch = stop, context.AfterFunc(m.ctx, stop.set)
	if err := m.start(inst); err != nil {
		inst.Close()
		return nil, err
	}
	return inst, nil
}

// errHostOnLLVM refuses what would crash. A value that a host function is passed
// lies on 16 bytes by what Rust has promised since 1.77, and on 8 by what the
// code says that wasmer 4.4 generates with LLVM 15.
var errHostOnLLVM = errors.New("a module that imports from the host, as WASI guests do, does not run on the engine llvm: name another in --engine, such as cranelift")

// hostFunction wraps a function of the host. The import object that it goes into
// keeps it reachable. It never returns an error: wasmer-go would make a trap of
// that, which both it and libwasmer free.
func (m *wasmerModule) hostFunction(h *HostFunction) *wasmer.Function {
	types := func(list []byte) []*wasmer.ValueType {
		kinds := make([]wasmer.ValueKind, len(list))
		for i, t := range list {
			kinds[i] = wasmer.I64
			if t == module.I32 {
				kinds[i] = wasmer.I32
			}
		}
		return wasmer.NewValueTypes(kinds...)
	}
	t := wasmer.NewFunctionType(types(h.Sig.Params), types(h.Sig.Results))
	return wasmer.NewFunction(m.store, t, func(args []wasmer.Value) (results []wasmer.Value, err error) {
		stack := make([]uint64, max(len(args), 1))
		for i, a := range args {
			if a.Kind() == wasmer.I32 {
				stack[i] = uint64(uint32(a.I32()))
			} else {
				stack[i] = uint64(a.I64())
			}
		}
		h.Call(stack)
		for _, r := range h.Sig.Results {
			if r == module.I32 {
				results = append(results, wasmer.NewI32(int32(stack[0])))
			} else {
				results = append(results, wasmer.NewI64(int64(stack[0])))
			}
		}
		return results, nil
	})
}

func (m *wasmerModule) Close() {
	if m.module != nil {
		m.module.Close()
	}
	if !m.shared {
		m.store.Close()
		m.release()
	}
}

// wasmerInstance is the self-referential struct of the experiment: it owns
// everything that a call into the guest needs.
type wasmerInstance struct {
	module   *wasmerModule
	instance *wasmer.Instance
	imported []*wasmerInstance
	bound    map[string]Function // exports that were looked up before
	stop     *wasmerStop         // nil: it cannot be stopped
	unwatch  func() bool         // stops watching for the end of the cell's context
}

// wasmerStop stops an instance from any goroutine. It does not refer to the
// wasmerInstance, which the context would keep reachable.
type wasmerStop struct {
	mu     sync.Mutex
	global *wasmer.Global // nil: the instance is closed
}

func (s *wasmerStop) set() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.global != nil {
		_ = s.global.Set(int32(1), wasmer.I32)
	}
}

func (i *wasmerInstance) Function(name string) (Function, error) {
	f, err := i.instance.Exports.GetRawFunction(name)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("export %s is not a function", name)
	}
	// The binding is kept: it asks for the function's type, which wasmer-go
	// 1.0.4 never frees, and a million lookups would fill the memory.
	if i.bound[name] == nil {
		i.bound[name] = newWasmerFunction(i, f)
	}
	return i.bound[name], nil
}

func (i *wasmerInstance) Memory(name string) (Memory, error) {
	m, err := i.instance.Exports.GetMemory(name)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("export %s is not a memory", name)
	}
	return &wasmerMemory{i, m}, nil
}

func (i *wasmerInstance) Close() {
	if i.stop != nil {
		i.unwatch()
		i.stop.mu.Lock()
		i.stop.global = nil
		i.stop.mu.Unlock()
	}
	i.instance.Close()
}

type wasmerMemory struct {
	instance *wasmerInstance
	memory   *wasmer.Memory
}

func (m *wasmerMemory) Bytes() []byte {
	b := m.memory.Data()
	runtime.KeepAlive(m.instance)
	return b
}

// boxedFunction calls through wasmer-go's public interface, which boxes every
// argument.
type boxedFunction struct {
	instance *wasmerInstance
	function *wasmer.Function
	native   wasmer.NativeFunction
	params   []wasmer.ValueKind
	args     []any
}

func newBoxedFunction(i *wasmerInstance, f *wasmer.Function) *boxedFunction {
	b := &boxedFunction{instance: i, function: f, native: f.Native()}
	for _, p := range f.Type().Params() {
		b.params = append(b.params, p.Kind())
	}
	b.args = make([]any, len(b.params))
	return b
}

func (f *boxedFunction) Call(stack []uint64) error {
	for i, kind := range f.params {
		switch kind {
		case wasmer.I32:
			f.args[i] = int32(stack[i])
		case wasmer.F64:
			f.args[i] = math.Float64frombits(stack[i])
		default:
			f.args[i] = int64(stack[i])
		}
	}
	result, err := f.native(f.args...)
	runtime.KeepAlive(f.instance)
	if err != nil {
		return wasmerError(err)
	}
	switch r := result.(type) {
	case int32:
		stack[0] = uint64(uint32(r))
	case int64:
		stack[0] = uint64(r)
	}
	return nil
}

// wasmerError makes a Trap of wasmer-go's error, if it is one.
func wasmerError(err error) error {
	trap, ok := err.(*wasmer.TrapError)
	if !ok {
		return err
	}
	t := &Trap{Text: trap.Error(), Function: -1}
	if f := trap.Origin(); f != nil {
		t.Function = int(f.FunctionIndex())
	}
	return t
}

// Boxed implements Boxed.
func (f *boxedFunction) Boxed() func(args ...any) (any, error) { return f.native }

// Unboxed implements Layered.
func (f *boxedFunction) Unboxed() (Function, bool) {
	d, ok := newDirectFunction(f.instance, f.function)
	return d, ok
}

// Repeat implements Layered.
func (f *boxedFunction) Repeat(stack []uint64, n int) error {
	d, ok := newDirectFunction(f.instance, f.function)
	if !ok {
		return errors.New("this wasmer-go is not as the direct path knows it")
	}
	return d.Repeat(stack, n)
}
