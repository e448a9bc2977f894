package wasm

import (
	"fmt"
	"math"
	"runtime"

	"github.com/wasmerio/wasmer-go/wasmer"
)

// wasmerEngine is one of wasmer's compilers.
type wasmerEngine struct{ compiler wasmer.CompilerKind }

// wasmerModule owns its engine and store: wasmer-go frees each of its objects
// as soon as the collector finds that object unreachable, whatever others, or
// running code, still need it.
type wasmerModule struct {
	engine *wasmer.Engine
	store  *wasmer.Store
	module *wasmer.Module
	shared bool // the store belongs to another module
}

func (e wasmerEngine) compile(b []byte) (module, error) {
	engine := wasmer.NewEngineWithConfig(e.config())
	m := &wasmerModule{engine: engine, store: wasmer.NewStore(engine)}
	return m, m.compile(b)
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

func (m *wasmerModule) compile(b []byte) error {
	var err error
	m.module, err = wasmer.NewModule(m.store, b)
	runtime.KeepAlive(m)
	return err
}

func (m *wasmerModule) sibling(b []byte) (module, error) {
	s := &wasmerModule{engine: m.engine, store: m.store, shared: true}
	return s, s.compile(b)
}

func (m *wasmerModule) instantiate(imports map[importName]provider) (instance, error) {
	object := wasmer.NewImportObject()
	namespaces := make(map[string]map[string]wasmer.IntoExtern)
	inst := &wasmerInstance{module: m}
	for name, p := range imports {
		from := p.instance.(*wasmerInstance)
		extern, err := from.instance.Exports.Get(p.export)
		if err != nil {
			return nil, err
		}
		if namespaces[name.module] == nil {
			namespaces[name.module] = make(map[string]wasmer.IntoExtern)
		}
		namespaces[name.module][name.name] = extern
		inst.imported = append(inst.imported, from)
	}
	for name, externs := range namespaces {
		object.Register(name, externs)
	}
	var err error
	inst.instance, err = wasmer.NewInstance(m.module, object)
	runtime.KeepAlive(inst)
	if err != nil {
		return nil, err
	}
	return inst, nil
}

func (m *wasmerModule) close() {
	m.module.Close()
	if !m.shared {
		m.store.Close()
	}
}

// wasmerInstance is the self-referential struct of the experiment: it owns
// everything that a call into the guest needs.
type wasmerInstance struct {
	module   *wasmerModule
	instance *wasmer.Instance
	imported []*wasmerInstance
}

func (i *wasmerInstance) function(name string) (function, error) {
	f, err := i.instance.Exports.GetRawFunction(name)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("export %s is not a function", name)
	}
	return newWasmerFunction(i, f), nil
}

func (i *wasmerInstance) memory(name string) (memory, error) {
	m, err := i.instance.Exports.GetMemory(name)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("export %s is not a memory", name)
	}
	return &wasmerMemory{i, m}, nil
}

func (i *wasmerInstance) close() { i.instance.Close() }

type wasmerMemory struct {
	instance *wasmerInstance
	memory   *wasmer.Memory
}

func (m *wasmerMemory) bytes() []byte {
	b := m.memory.Data()
	runtime.KeepAlive(m.instance)
	return b
}

// boxedFunction calls through wasmer-go's public interface, which boxes every
// argument.
type boxedFunction struct {
	instance *wasmerInstance
	native   wasmer.NativeFunction
	params   []wasmer.ValueKind
	args     []any
}

func newBoxedFunction(i *wasmerInstance, f *wasmer.Function) *boxedFunction {
	b := &boxedFunction{instance: i, native: f.Native()}
	for _, p := range f.Type().Params() {
		b.params = append(b.params, p.Kind())
	}
	b.args = make([]any, len(b.params))
	return b
}

func (f *boxedFunction) call(stack []uint64) error {
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
		return err
	}
	switch r := result.(type) {
	case int32:
		stack[0] = uint64(uint32(r))
	case int64:
		stack[0] = uint64(r)
	}
	return nil
}

func newWasmerFunction(i *wasmerInstance, f *wasmer.Function) function { return newBoxedFunction(i, f) }
