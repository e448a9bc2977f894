package wasm

import (
	"context"
	"fmt"

	"cachesim/policies-wasm/engines"
)

// instance is a module, compiled and instantiated, with the adapters that are
// linked to it.
type instance struct {
	ctx    context.Context // ends when the guest is to stop
	bin    *Binary
	cached bool // exports are looked up once
	module engines.Module
	inst   engines.Instance
	linked []linked       // adapters, in the order of their making
	mem    engines.Memory // nil: looked up at each use
	wasi   *wasi          // nil: not imported
	abort  engines.Memory // of the adapter abort; nil: not imported
	limit  int64          // bytes of memory; 0: none
	engine string
	said   tail // what the guest logged, or wrote by WASI
}

type linked struct {
	module engines.Module
	inst   engines.Instance
}

// instantiate gives the module what it imports, and runs its start function.
func (g *instance) instantiate(seed uint64) error {
	imports, err := g.imports(seed)
	if err != nil {
		return err
	}
	if g.inst, err = g.module.Instantiate(imports); err != nil {
		return fmt.Errorf("instantiate: %w", err)
	}
	return nil
}

// imports makes what the module imports, which checkImports has seen.
func (g *instance) imports(seed uint64) (map[engines.ImportName]engines.Provider, error) {
	if len(g.bin.module.Imports) == 0 {
		return nil, nil
	}
	imports := make(map[engines.ImportName]engines.Provider)
	for _, i := range g.bin.module.Imports {
		name := engines.ImportName{Module: i.Module, Name: i.Name}
		if name == abortImport {
			adapter, err := g.link("abort", nil)
			if err != nil {
				return nil, err
			}
			if g.abort, err = adapter.Memory("memory"); err != nil {
				return nil, err
			}
			imports[name] = engines.Provider{Instance: adapter, Export: "abort"}
			continue
		}
		if name == logImport {
			p, err := g.logger(name, &engines.HostFunction{Sig: *i.Sig})
			if err != nil {
				return nil, err
			}
			imports[name] = p
			continue
		}
		if g.wasi == nil {
			g.wasi = newWASI(seed, g.memoryBytes, g.said.write)
		}
		p := engines.Provider{Host: &engines.HostFunction{Sig: *i.Sig, Call: g.wasi.hostFunction(i.Name)}}
		if i.Name == "proc_exit" {
			exit, err := g.link("exit", map[engines.ImportName]engines.Provider{{Module: "host", Name: "exit"}: p})
			if err != nil {
				return nil, err
			}
			p = engines.Provider{Instance: exit, Export: i.Name}
		}
		imports[name] = p
	}
	return imports, nil
}

// link instantiates an adapter in the policy's store.
func (g *instance) link(name string, imports map[engines.ImportName]engines.Provider) (engines.Instance, error) {
	b, err := adapters.ReadFile("adapters/" + name + ".wasm")
	if err != nil {
		return nil, err
	}
	m, err := g.module.Sibling(b)
	if err != nil {
		return nil, fmt.Errorf("adapter %s: %w", name, err)
	}
	inst, err := m.Instantiate(imports)
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("adapter %s: %w", name, err)
	}
	g.linked = append(g.linked, linked{m, inst})
	return inst, nil
}

// export offers an export of the policy to an adapter.
func (g *instance) export(name string) engines.Provider {
	return engines.Provider{Instance: g.inst, Export: name}
}

// memoryBytes returns the guest's memory, nil before it is instantiated and
// where it exports none.
func (g *instance) memoryBytes() []byte {
	if !g.bin.ExportsMemory("memory") || g.inst == nil {
		return nil
	}
	m, err := g.inst.Memory("memory")
	if err != nil {
		return nil
	}
	return m.Bytes()
}

// slice returns n bytes of the guest's memory, valid until the next call.
func (g *instance) slice(at uint32, n int) ([]byte, error) {
	m := g.mem
	if m == nil {
		var err error
		if m, err = g.inst.Memory("memory"); err != nil {
			return nil, err
		}
	}
	b := m.Bytes()
	if uint64(at)+uint64(n) > uint64(len(b)) {
		return nil, fmt.Errorf("the guest's alloc gave %d bytes at %d, which is outside its memory of %d bytes", n, at, len(b))
	}
	return b[at : int(at)+n : int(at)+n], nil
}

// once calls an export that is called once.
func (g *instance) once(name string, args ...uint64) error {
	f, err := g.inst.Function(name)
	if err != nil {
		return err
	}
	if err := f.Call(append(args, 0)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// count returns what an export () -> i64 returns, -1 where there is none.
func (g *instance) count(name string) int64 {
	if !g.bin.module.Has(name, "() -> i64") {
		return -1
	}
	f, err := g.inst.Function(name)
	if err != nil {
		return -1
	}
	stack := make([]uint64, 1)
	if err := f.Call(stack); err != nil {
		return -1
	}
	return int64(stack[0])
}

func (g *instance) close() {
	for i := len(g.linked) - 1; i >= 0; i-- {
		g.linked[i].inst.Close()
		g.linked[i].module.Close()
	}
	if g.inst != nil {
		g.inst.Close()
	}
	g.module.Close()
	g.linked, g.inst, g.mem, g.abort = nil, nil, nil, nil
}

// callee is an export that is called again and again.
type callee struct {
	instance *instance
	name     string
	fn       engines.Function // nil: looked up at each call
}

func (g *instance) callee(name string) (*callee, error) {
	c := &callee{instance: g, name: name}
	if !g.cached {
		return c, nil
	}
	var err error
	c.fn, err = g.inst.Function(name)
	return c, err
}

func (c *callee) call(stack []uint64) error {
	fn := c.fn
	if fn == nil {
		var err error
		if fn, err = c.instance.inst.Function(c.name); err != nil {
			return err
		}
	}
	return fn.Call(stack)
}

// allocate asks the guest's alloc for n bytes. It returns their address, which
// the packed result holds in its upper half.
func (c *callee) allocate(n int) (uint32, error) {
	stack := [1]uint64{uint64(n)}
	if err := c.call(stack[:]); err != nil {
		return 0, fmt.Errorf("alloc(%d): %w", n, err)
	}
	return uint32(stack[0] >> 32), nil
}
