// Package wasm runs replacement policies that are WebAssembly modules. abi*.go
// and driver.go know the calling conventions; what they ask of a runtime, and the
// runtimes, are in engines.
package wasm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// A Config names a version of a policy and what it is made with.
type Config struct {
	sim.Config
	sim.Version
	Binary   *Binary
	Declared string // the ABI that the user says the module speaks; may be empty
	Memory   int64  // bytes that the guest may have; 0: no limit of ours
	// Stoppable has the guest made so that it can be stopped wherever the
	// engine can make it so, which on wazero makes it several times slower.
	Stoppable bool

	// Heartbeat, if set, is called whenever the guest has made progress.
	Heartbeat func()
}

// guest is an instance and what serves requests through it.
type guest struct {
	bin    *Binary
	conv   convention
	cached bool
	module engines.Module
	inst   engines.Instance
	linked []linked       // driver modules, in the order of their making
	mem    engines.Memory // nil: looked up at each use
	wasi   *wasi          // nil: not imported
	replay replayer
	remove *callee // nil: it has no such export
	served int64
	limit  int64 // bytes of memory; 0: none
	// heartbeat is called whenever the guest has made progress.
	heartbeat func()
}

type linked struct {
	module engines.Module
	inst   engines.Instance
}

// Open compiles and instantiates a module and initialises its policy.
func Open(ctx context.Context, c Config) (sim.Replayer, sim.Setup, error) {
	var setup sim.Setup
	g := &guest{bin: c.Binary, cached: c.Handle != Uncached, heartbeat: c.Heartbeat, limit: c.Memory}
	if g.heartbeat == nil {
		g.heartbeat = func() {}
	}
	if _, err := c.Binary.ABIs(c.Declared); err != nil {
		return nil, setup, err
	}
	var err error
	if g.conv, err = c.Binary.convention(c.ABI, c.Declared); err != nil {
		return nil, setup, err
	}
	if err := c.Binary.checkImports(); err != nil {
		return nil, setup, err
	}
	e, err := engines.Named(c.Engine)
	if err != nil {
		return nil, setup, err
	}
	b := c.Binary.Bytes
	if c.Memory > 0 {
		if b, err = c.Binary.module.Limited(uint64(c.Memory) >> 16); err != nil {
			return nil, setup, err
		}
	}
	stop := keepAlive(g.heartbeat) // compiling is no fault of the guest's
	g.module, setup.Compile, err = e.Compile(ctx, b, engines.Options{Stoppable: c.Stoppable})
	stop()
	if err != nil {
		g.Close()
		return nil, setup, oneLine(fmt.Errorf("compile: %w", err))
	}
	began := time.Now()
	err = g.instantiate(c)
	setup.Instantiate = time.Since(began)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		err = g.explain(err)
		g.Close()
		return nil, setup, err
	}
	return g, setup, nil
}

// keepAlive calls heartbeat until the function that it returns is called.
func keepAlive(heartbeat func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		t := time.NewTicker(200 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				heartbeat()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// instantiate makes the instance, hands it its parameters, and binds what the
// convention and the handle call.
func (g *guest) instantiate(c Config) error {
	imports, err := g.imports(c.Seed)
	if err != nil {
		return err
	}
	if g.inst, err = g.module.Instantiate(imports); err != nil {
		return fmt.Errorf("instantiate: %w", err)
	}
	if g.bin.module.Has("_initialize", "() -> ()") { // a reactor of WASI
		if err := g.once("_initialize"); err != nil {
			return err
		}
	}
	if g.conv.record > 0 && g.cached {
		if g.mem, err = g.inst.Memory("memory"); err != nil {
			return err
		}
	}
	if err := g.pass(c.Params); err != nil {
		return err
	}
	if g.bin.module.Has("seed", "(i64) -> ()") {
		if err := g.once("seed", c.Seed); err != nil {
			return err
		}
	}
	if err := g.once("init", uint64(c.Capacity)); err != nil {
		return err
	}
	if g.bin.module.Has("reserve", "(i32) -> ()") {
		if err := g.once("reserve", uint64(uint32(c.Objects))); err != nil {
			return err
		}
	}
	if g.CanRemove() {
		if g.remove, err = g.callee("remove"); err != nil {
			return err
		}
	}
	switch {
	case c.Handle == Driver:
		g.replay, err = g.driven()
	case g.conv.abi == Batch:
		g.replay, err = g.inBatches()
	default:
		g.replay, err = g.perRequest()
	}
	return err
}

// pass hands the module its parameters, in the order in which it exports them.
func (g *guest) pass(params map[string]float64) error {
	passed := 0
	for _, name := range g.bin.Params() {
		v, given := params[name]
		if !given {
			continue
		}
		if err := g.once(paramPrefix+name, math.Float64bits(v)); err != nil {
			return err
		}
		passed++
	}
	if passed == len(params) {
		return nil
	}
	for name := range params {
		if !slices.Contains(g.bin.Params(), name) {
			return fmt.Errorf("it has no parameter %q: it does not export %s%s (f64) -> ()", name, paramPrefix, name)
		}
	}
	return nil
}

// imports gives the module what it imports, which checkImports has seen.
func (g *guest) imports(seed uint64) (map[engines.ImportName]engines.Provider, error) {
	if len(g.bin.module.Imports) == 0 {
		return nil, nil
	}
	g.wasi = newWASI(seed, g.memoryBytes)
	imports := make(map[engines.ImportName]engines.Provider)
	for _, i := range g.bin.module.Imports {
		p := engines.Provider{Host: &engines.HostFunction{Sig: *i.Sig, Call: g.wasi.hostFunction(i.Name)}}
		if i.Name == "proc_exit" {
			exit, err := g.link("exit", map[engines.ImportName]engines.Provider{{Module: "host", Name: "exit"}: p})
			if err != nil {
				return nil, err
			}
			p = engines.Provider{Instance: exit, Export: i.Name}
		}
		imports[engines.ImportName{Module: i.Module, Name: i.Name}] = p
	}
	return imports, nil
}

// explain adds to an error what the guest said when it exited, and what it wrote to
// standard output or error.
func (g *guest) explain(err error) error {
	if g.wasi != nil && g.wasi.exited != "" {
		err = fmt.Errorf("%w; %s", err, g.wasi.exited)
	}
	if g.wasi != nil && g.wasi.written.Len() > 0 {
		err = fmt.Errorf("%w; the guest wrote: %s", err, g.wasi.written.String())
	}
	if used := int64(len(g.memoryBytes())); g.limit > 0 && used >= g.limit/2 {
		err = fmt.Errorf("%w; it has %d of its %d MiB of memory (--guest-memory)", err, used>>20, g.limit>>20)
	}
	return oneLine(err)
}

// memoryBytes returns the guest's memory, nil before it is instantiated and
// where it exports none.
func (g *guest) memoryBytes() []byte {
	if e, ok := g.bin.module.Exports["memory"]; !ok || e.Kind != 2 || g.inst == nil {
		return nil
	}
	m, err := g.inst.Memory("memory")
	if err != nil {
		return nil
	}
	return m.Bytes()
}

// once calls an export that is called once.
func (g *guest) once(name string, args ...uint64) error {
	f, err := g.inst.Function(name)
	if err != nil {
		return err
	}
	if err := f.Call(append(args, 0)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Replay serves b's requests in order. A module gets no next accesses: no
// convention passes them.
func (g *guest) Replay(b sim.Batch, hit []bool) error {
	if err := g.replay(b.Requests, hit); err != nil {
		return g.explain(fmt.Errorf("guest failed at its %w", err))
	}
	return nil
}

// CanRemove reports whether the module exports remove.
func (g *guest) CanRemove() bool { return g.bin.module.Has("remove", "(i32) -> i32") }

// Remove has the module remove an object.
func (g *guest) Remove(id uint32) (bool, error) {
	stack := [1]uint64{uint64(id)}
	err := g.remove.call(stack[:])
	if err == nil && uint32(stack[0]) > 1 {
		err = fmt.Errorf("the guest returned %d, want 1 (the object was in the cache) or 0", int32(stack[0]))
	}
	if err != nil {
		return false, g.explain(fmt.Errorf("guest failed to remove object %d after its request %d: %w", id, g.served, err))
	}
	return uint32(stack[0]) == 1, nil
}

// Counts asks the module for those that it exports.
func (g *guest) Counts() sim.Counts {
	c := sim.Counts{
		Evictions:     g.count("evictions"),
		Admissions:    g.count("admissions"),
		AdmittedBytes: g.count("admitted_bytes"),
	}
	c.StoresMisses = g.bin.StoresMisses && c.Admissions < 0
	return c
}

// count returns what an export () -> i64 returns, -1 where there is none.
func (g *guest) count(name string) int64 {
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

// Close frees the instances and their code.
func (g *guest) Close() error {
	for i := len(g.linked) - 1; i >= 0; i-- {
		g.linked[i].inst.Close()
		g.linked[i].module.Close()
	}
	if g.inst != nil {
		g.inst.Close()
	}
	g.module.Close()
	g.linked, g.inst, g.mem, g.replay = nil, nil, nil, nil
	return nil
}

// callee is an export that is called again and again.
type callee struct {
	guest *guest
	name  string
	fn    engines.Function // nil: looked up at each call
}

func (g *guest) callee(name string) (*callee, error) {
	c := &callee{guest: g, name: name}
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
		if fn, err = c.guest.inst.Function(c.name); err != nil {
			return err
		}
	}
	return fn.Call(stack)
}

// allocate asks the guest's alloc for n bytes. It returns their place, which
// the packed result holds in its upper half.
func (c *callee) allocate(n int) (uint32, error) {
	stack := [1]uint64{uint64(n)}
	if err := c.call(stack[:]); err != nil {
		return 0, fmt.Errorf("alloc(%d): %w", n, err)
	}
	return uint32(stack[0] >> 32), nil
}

// slice returns n bytes of the guest's memory, valid until the next call.
func (g *guest) slice(at uint32, n int) ([]byte, error) {
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

// oneLine flattens the messages of engines, which may span lines.
func oneLine(err error) error {
	if s := err.Error(); strings.ContainsAny(s, "\n\r") {
		return errors.New(strings.Join(strings.Fields(s), " "))
	}
	return err
}
