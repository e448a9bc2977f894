package engines

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"cachesim/policies-wasm/module"
)

func wazeroEngines() []Engine {
	list := []Engine{
		{Name: "wazero", compiler: wazeroEngine{wazero.NewRuntimeConfigCompiler}},
		{Name: "wazero-interpreter", Interpreter: true, compiler: wazeroEngine{wazero.NewRuntimeConfigInterpreter}},
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
type wazeroEngine struct{ config func() wazero.RuntimeConfig }

// wazeroStore is a wazero.Runtime, whose modules import from each other by the
// names of their instances.
type wazeroStore struct {
	runtime wazero.Runtime
	ctx     context.Context // ends when guests are to stop
	names   int             // given so far
	release func()
}

type wazeroModule struct {
	store    *wazeroStore
	declared *module.Module
	compiled wazero.CompiledModule // nil: not yet compiled
	shared   bool                  // the store belongs to another module
}

func (e wazeroEngine) compile(ctx context.Context, b []byte, o Options) (Module, time.Duration, error) {
	s := &wazeroStore{ctx: ctx, release: func() {}}
	config := e.config()
	if o.Stoppable {
		config = config.WithCloseOnContextDone(true)
	} else {
		s.release = tether(ctx)
	}
	s.runtime = wazero.NewRuntimeWithConfig(context.Background(), config)
	m := &wazeroModule{store: s}
	var err error
	if m.declared, err = module.Parse(b); err != nil {
		return m, 0, err
	}
	began := time.Now()
	err = m.compile(b)
	return m, time.Since(began), err
}

func (m *wazeroModule) compile(b []byte) error {
	compiled, err := m.store.runtime.CompileModule(context.Background(), b)
	if err != nil {
		return err
	}
	if m.compiled != nil {
		m.compiled.Close(context.Background())
	}
	m.compiled = compiled
	return nil
}

// Sibling leaves compiling to Instantiate, which knows what to import.
func (m *wazeroModule) Sibling(b []byte) (Module, error) {
	s := &wazeroModule{store: m.store, shared: true}
	var err error
	s.declared, err = module.Parse(b)
	return s, err
}

func (m *wazeroModule) Close() {
	if m.compiled != nil {
		m.compiled.Close(context.Background())
	}
	if !m.shared {
		m.store.runtime.Close(context.Background())
		m.store.release()
	}
}

// Instantiate gives the instance a name, and has a module with imports compiled
// with the names of what provides them.
func (m *wazeroModule) Instantiate(imports map[ImportName]Provider) (Instance, error) {
	background := context.Background()
	inst := &wazeroInstance{name: m.store.name()}
	b := m.declared.Bytes
	if len(m.declared.Imports) > 0 {
		hostName, hosted := m.store.name(), 0
		host := m.store.runtime.NewHostModuleBuilder(hostName)
		b = m.declared.Relinked(func(i module.Import) (string, string) {
			p := imports[ImportName{i.Module, i.Name}]
			if p.Host == nil {
				if p.Instance == nil { // wazero will say that nobody provides it
					return i.Module, i.Name
				}
				return p.Instance.(*wazeroInstance).name, p.Export
			}
			hosted++
			name := strconv.Itoa(hosted)
			call := p.Host.Call
			host.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) {
				if len(stack) == 0 {
					stack = make([]uint64, 1)
				}
				call(stack)
			}), p.Host.Sig.Params, p.Host.Sig.Results).Export(name)
			return hostName, name
		})
		var err error
		if hosted > 0 {
			if inst.host, err = host.Instantiate(background); err != nil {
				return nil, err
			}
		}
	}
	if m.compiled == nil || len(m.declared.Imports) > 0 {
		if err := m.compile(b); err != nil {
			return nil, err
		}
	}
	var err error
	inst.module, err = m.store.runtime.InstantiateModule(m.store.ctx, m.compiled, wazero.NewModuleConfig().WithName(inst.name).WithStartFunctions())
	if err != nil {
		return nil, wazeroError(err)
	}
	inst.unwatch = context.AfterFunc(m.store.ctx, func() { inst.module.CloseWithExitCode(background, sys.ExitCodeContextCanceled) })
	return inst, nil
}

// name makes up a name for an instance.
func (s *wazeroStore) name() string {
	s.names++
	return strconv.Itoa(s.names)
}

type wazeroInstance struct {
	name    string
	module  api.Module
	host    api.Module // what the host gives it; may be nil
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
	if i.host != nil {
		i.host.Close(context.Background())
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

// wazeroError takes the stack trace out of an error of wazero's.
func wazeroError(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\nwasm stack trace:")
	return errors.New(text)
}
