package engines

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"cachesim/policies-wasm/module"
)

func wazeroEngines() []Engine {
	list := []Engine{
		{Name: "wazero", Preference: 3, compiler: wazeroEngine{wazero.NewRuntimeConfigCompiler, true}},
		{Name: "wazero-interpreter", Interpreter: true, Preference: 5, compiler: wazeroEngine{wazero.NewRuntimeConfigInterpreter, false}},
	}
	for i := range list {
		list[i].Runtime = "wazero"
		list[i].Version = moduleVersion("github.com/tetratelabs/wazero")
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		list[0].Missing = "wazero compiles for amd64 and arm64 only; wazero-interpreter runs here"
	}
	return list
}

// moduleVersion returns the version of a Go module that is linked.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return strings.TrimPrefix(m.Version, "v")
		}
	}
	return ""
}

// wazeroEngine is wazero's compiler or its interpreter, by the configuration
// that chooses it.
type wazeroEngine struct {
	config func() wazero.RuntimeConfig
	// interrupts has loops look at a global, which costs a compiled loop much
	// less than wazero's own way. The interpreter would read it in Go while the
	// host writes it, and its own way costs it little.
	interrupts bool
}

// wazeroStore is a wazero.Runtime.
type wazeroStore struct {
	runtime wazero.Runtime
	ctx     context.Context // ends when guests are to stop
	modules int             // that were made so far
	keeps   bool            // its code is wazeroCode's
	release func()
}

// wazeroCode keeps the code of modules, each in a cache of its own that goes
// when nothing runs it and it is not among the recent ones.
var wazeroCode = recent[wazero.CompilationCache]{empty: wazero.NewCompilationCache}

// module makes a module of the store.
func (s *wazeroStore) module() *wazeroModule {
	s.modules++
	return &wazeroModule{store: s, number: s.modules}
}

type wazeroModule struct {
	store    *wazeroStore
	number   int // in the store
	declared *module.Module
	compiled wazero.CompiledModule // nil: not yet compiled
	bytes    []byte                // that it was compiled from
	shared   bool                  // the store belongs to another module
	interruptible
}

func (e wazeroEngine) compile(ctx context.Context, b []byte, o Options) (Module, time.Duration, error) {
	s := &wazeroStore{ctx: ctx, release: func() {}}
	m := s.module()
	config := e.config()
	var err error
	m.declared, err = module.Parse(b)
	switch {
	case err != nil:
	case !o.Stoppable:
		s.release = tether(ctx)
	case e.interrupts:
		m.declared, m.interruptible, err = interrupt(m.declared, true)
	}
	if o.Stoppable && !m.stops {
		config = config.WithCloseOnContextDone(true)
	}
	var known *kept[wazero.CompilationCache]
	if err == nil && o.keeps(b) {
		known = wazeroCode.of(m.declared.Bytes, fmt.Sprint(e.interrupts, m.stops, o.Stoppable))
		known.mu.Lock()
		defer known.mu.Unlock()
		config, s.keeps = config.WithCompilationCache(known.code), true
	}
	s.runtime = wazero.NewRuntimeWithConfig(context.Background(), config)
	if err != nil {
		return m, 0, err
	}
	took := threadTime(func() {
		// As it will be linked, if what it imports is exported by the same names.
		err = m.compile(m.relinked(func(i module.Import) string { return i.Name }))
	})
	if known != nil && err == nil {
		if !known.done {
			known.done, known.took = true, took
		}
		took = known.took
	}
	return m, took, err
}

// importName is what the module is compiled to import its nth import from.
func (m *wazeroModule) importName(n int) string { return fmt.Sprintf("%d.%d", m.number, n) }

// relinked returns the module with each import from a module of its own, under the
// name that it is exported by.
func (m *wazeroModule) relinked(export func(module.Import) string) []byte {
	n := -1
	return m.declared.Relinked(func(i module.Import) (string, string) {
		n++
		return m.importName(n), export(i)
	})
}

func (m *wazeroModule) compile(b []byte) error {
	compiled, err := m.store.runtime.CompileModule(context.Background(), b)
	if err != nil {
		return err
	}
	m.closeCode()
	m.compiled, m.bytes = compiled, b
	return nil
}

// closeCode frees the code, unless it is kept.
func (m *wazeroModule) closeCode() {
	if m.compiled != nil && !m.store.keeps {
		m.compiled.Close(context.Background())
	}
}

// Sibling leaves compiling to Instantiate, which knows what to import.
func (m *wazeroModule) Sibling(b []byte) (Module, error) {
	s := m.store.module()
	s.shared = true
	var err error
	s.declared, err = module.Parse(b)
	return s, err
}

func (m *wazeroModule) Close() {
	m.closeCode()
	if !m.shared {
		m.store.runtime.Close(context.Background())
		m.store.release()
	}
}

// Instantiate compiles the module if that has not been done with the right
// imports.
func (m *wazeroModule) Instantiate(imports map[ImportName]Provider) (Instance, error) {
	background := context.Background()
	inst := &wazeroInstance{}
	provider := func(i module.Import) Provider { return imports[ImportName{i.Module, i.Name}] }
	for _, i := range m.declared.Imports {
		if p := provider(i); p.Host == nil && p.Instance == nil {
			return nil, fmt.Errorf("nothing provides the import %s", i)
		}
	}
	b := m.relinked(func(i module.Import) string {
		if p := provider(i); p.Host == nil {
			return p.Export
		}
		return i.Name
	})
	if m.compiled == nil || !bytes.Equal(b, m.bytes) {
		if err := m.compile(b); err != nil {
			return nil, err
		}
	}
	from := make(map[string]api.Module)
	for n, i := range m.declared.Imports {
		p := provider(i)
		if p.Host == nil {
			from[m.importName(n)] = p.Instance.(*wazeroInstance).module
			continue
		}
		host, err := m.store.runtime.NewHostModuleBuilder(m.importName(n)).NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) {
			if len(stack) == 0 {
				stack = make([]uint64, 1)
			}
			p.Host.Call(stack)
		}), p.Host.Sig.Params, p.Host.Sig.Results).Export(i.Name).Instantiate(background)
		if err != nil {
			return nil, err
		}
		inst.hosts = append(inst.hosts, host)
	}
	// Instances of guests are found here, functions of the host by their names.
	ctx := experimental.WithImportResolver(m.store.ctx, func(name string) api.Module { return from[name] })
	var err error
	inst.module, err = m.store.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, wazeroError(err)
	}
	if !m.stops {
		inst.unwatch = context.AfterFunc(m.store.ctx, func() { inst.module.CloseWithExitCode(background, sys.ExitCodeContextCanceled) })
		return inst, nil
	}
	stop, ok := inst.module.ExportedGlobal(stopExport).(api.MutableGlobal)
	if !ok {
		return nil, fmt.Errorf("the global %s is not there", stopExport)
	}
	inst.unwatch = context.AfterFunc(m.store.ctx, func() { stop.Set(1) })
	if err := m.start(inst); err != nil {
		inst.Close()
		return nil, err
	}
	return inst, nil
}

type wazeroInstance struct {
	module  api.Module
	hosts   []api.Module // functions of the host that it imports
	unwatch func() bool
}

func (i *wazeroInstance) Function(name string) (Function, error) {
	f := i.module.ExportedFunction(name)
	if f == nil {
		return nil, fmt.Errorf("export %s is not a function", name)
	}
	return wazeroFunction{f}, nil
}

func (i *wazeroInstance) Memory(name string) (Memory, error) {
	m := i.module.ExportedMemory(name)
	if m == nil {
		return nil, fmt.Errorf("export %s is not a memory", name)
	}
	return wazeroMemory{m}, nil
}

func (i *wazeroInstance) Close() {
	i.unwatch()
	i.module.Close(context.Background())
	for _, h := range i.hosts {
		h.Close(context.Background())
	}
}

type wazeroMemory struct{ memory api.Memory }

func (m wazeroMemory) Bytes() []byte {
	b, _ := m.memory.Read(0, m.memory.Size())
	return b
}

// wazeroFunction is called without the context of its cell, for which wazero
// would start a goroutine a call. The instance is closed when that ends.
type wazeroFunction struct{ function api.Function }

func (f wazeroFunction) Call(stack []uint64) error {
	if err := f.function.CallWithStack(context.Background(), stack); err != nil {
		return wazeroError(err)
	}
	return nil
}

// wazeroError makes a Trap of an error of wazero's, whose text has the names of
// the functions on the stack behind it, the innermost first:
//
//	wasm error: unreachable
//	wasm stack trace:
//		.evict(i32)
//		.send(i32,i64) i32
//
// Functions without a name are called $ and their number.
func wazeroError(err error) error {
	text, trace, _ := strings.Cut(err.Error(), "\nwasm stack trace:")
	frame, _, _ := strings.Cut(strings.TrimSpace(trace), "\n")
	_, name, _ := strings.Cut(frame, ".")
	name, _, _ = strings.Cut(name, "(")
	t := &Trap{Text: strings.TrimPrefix(text, "wasm error: "), Function: -1}
	if n, numbered := strings.CutPrefix(name, "$"); numbered {
		if number, err := strconv.Atoi(n); err == nil {
			t.Function = number
		}
	} else {
		t.Name = name
	}
	return t
}
