// Package wasm runs replacement policies that are WebAssembly modules. abi*.go
// and driver.go know the calling conventions; what they ask of a runtime, and the
// runtimes, are in engines.
package wasm

import (
	"context"
	"fmt"
	"math"
	"slices"
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
	// Key returns the key of an object, for modules that ask for keys; nil: keys
	// are not known.
	Key func(object uint32) string
	// Stoppable has the guest made so that its loops can be stopped wherever the
	// engine can make it so, which makes them a little slower.
	Stoppable bool
	// Keep has the compiled module kept in the process, to be opened again.
	Keep bool

	// Heartbeat, if set, is called whenever the guest has made progress.
	Heartbeat func()
}

// guest is a policy in an instance: a sim.Replayer.
type guest struct {
	instance
	conv     convention
	capacity int64
	replay   replayer
	remove   *callee  // nil: it has no such export
	has      *callee  // nil: it has no such export
	used     *callee  // nil: it has no such export
	extras   *extras  // nil: it asks for nothing besides objects and sizes
	changes  *changes // nil: it does not report them
	served   int64    // requests
	// heartbeat is called whenever the guest has made progress.
	heartbeat func()
}

// Open compiles and instantiates a module and initialises its policy.
func Open(ctx context.Context, c Config) (sim.Replayer, sim.Setup, error) {
	g, setup, err := build(ctx, c)
	if err != nil {
		if g != nil {
			err = g.explain(err)
			g.Close()
		}
		return nil, setup, oneLine(err)
	}
	return g, setup, nil
}

// build returns with an error the guest as far as it was made, nil where nothing
// was compiled.
func build(ctx context.Context, c Config) (*guest, sim.Setup, error) {
	var setup sim.Setup
	conv, err := c.Binary.spoken(c.ABI, c.Declared)
	if err != nil {
		return nil, setup, err
	}
	if err := c.Binary.checkImports(); err != nil {
		return nil, setup, err
	}
	if err := c.Binary.checkExports(); err != nil {
		return nil, setup, err
	}
	e, err := engines.Named(c.Engine)
	if err != nil {
		return nil, setup, err
	}
	if why := c.Binary.refused(e); why != "" {
		return nil, setup, fmt.Errorf("%s", why)
	}
	b := c.Binary.Bytes
	if c.Memory > 0 {
		if b, err = c.Binary.module.Limited(uint64(c.Memory) >> 16); err != nil {
			return nil, setup, err
		}
	}
	g := &guest{
		instance:  instance{ctx: ctx, bin: c.Binary, cached: c.Handle != Uncached, limit: c.Memory, engine: c.Engine},
		conv:      conv,
		capacity:  c.Capacity,
		heartbeat: c.Heartbeat,
	}
	if g.heartbeat == nil {
		g.heartbeat = func() {}
	}
	stop := keepAlive(g.heartbeat) // compiling is no fault of the guest's
	g.module, setup.Compile, err = e.Compile(ctx, b, engines.Options{Stoppable: c.Stoppable, Keep: c.Keep})
	stop()
	if err != nil {
		return g, setup, fmt.Errorf("compile: %w", err)
	}
	began := time.Now()
	err = g.initialise(c)
	setup.Instantiate = time.Since(began)
	if err == nil {
		err = ctx.Err()
	}
	return g, setup, err
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

// initialise makes the instance, hands it its parameters, and binds what the
// convention and the handle call. docs/ABI.md lists the calls in their order.
func (g *guest) initialise(c Config) error {
	if err := g.instantiate(c.Seed); err != nil {
		return err
	}
	has := g.bin.module.Has
	if has("_initialize", "() -> ()") { // a reactor of WASI
		if err := g.once("_initialize"); err != nil {
			return err
		}
	}
	if g.cached && g.bin.ExportsMemory("memory") {
		var err error
		if g.mem, err = g.inst.Memory("memory"); err != nil {
			return err
		}
	}
	if err := g.pass(c.Params); err != nil {
		return err
	}
	if has("seed", "(i64) -> ()") {
		if err := g.once("seed", c.Seed); err != nil {
			return err
		}
	}
	if g.conv.abi == WIT {
		if err := g.once(witInit, uint64(c.Capacity), uint64(uint32(c.Objects)), c.Seed); err != nil {
			return err
		}
	} else if err := g.once("init", uint64(c.Capacity)); err != nil {
		return err
	}
	if has("reserve", "(i32) -> ()") {
		if err := g.once("reserve", uint64(uint32(c.Objects))); err != nil {
			return err
		}
	}
	if has(tickExport, tickSig) {
		if err := g.once(tickExport, uint64(c.Tick)); err != nil {
			return err
		}
	}
	var err error
	if g.extras, err = g.bindExtras(c); err != nil {
		return err
	}
	if g.changes, err = g.bindChanges(c); err != nil {
		return err
	}
	if g.CanRemove() {
		if g.remove, err = g.callee("remove"); err != nil {
			return err
		}
	}
	if g.CanHold() {
		if g.has, err = g.callee("has"); err != nil {
			return err
		}
	}
	if has("used", "() -> i64") {
		if g.used, err = g.callee("used"); err != nil {
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
	declared := g.bin.Params()
	for _, name := range declared {
		v, given := params[name]
		if !given {
			continue
		}
		if err := g.once(paramPrefix+name, math.Float64bits(v)); err != nil {
			return err
		}
	}
	for name := range params {
		if !slices.Contains(declared, name) {
			return fmt.Errorf("it has no parameter %q: it does not export %s%s (f64) -> ()", name, paramPrefix, name)
		}
	}
	return nil
}

// Replay serves b's requests in order.
func (g *guest) Replay(b sim.Batch, hit []bool) error {
	most := len(b.Requests)
	if g.extras != nil || g.changes != nil {
		most = chunk
	}
	for start := 0; start < len(b.Requests); start += most {
		end := min(start+most, len(b.Requests))
		if err := g.serve(b.Slice(start, end), hit[start:end]); err != nil {
			return oneLine(g.explain(fmt.Errorf("guest failed at its %w", err)))
		}
	}
	return nil
}

func (g *guest) serve(b sim.Batch, hit []bool) error {
	first := g.served + 1
	if g.extras != nil {
		if err := g.before(b); err != nil {
			return g.about(err, len(b.Requests))
		}
	}
	if err := g.replay(b.Requests, hit); err != nil {
		return err
	}
	if g.changes != nil {
		if err := g.applyChanges(b.Requests, hit); err != nil {
			return fmt.Errorf("requests %d to %d: %w", first, g.served, err)
		}
	}
	return g.checkUsed(first)
}

// checkUsed compares what the cache holds with its capacity: a policy that does
// not evict would have the best results of all.
func (g *guest) checkUsed(first int64) error {
	if g.used == nil {
		return nil
	}
	stack := [1]uint64{}
	if err := g.used.call(stack[:]); err != nil {
		return fmt.Errorf("requests %d to %d: used: %w", first, g.served, err)
	}
	used := int64(stack[0])
	if used < 0 || used > g.capacity {
		return fmt.Errorf("requests %d to %d: it uses %d of its capacity of %d", first, g.served, used, g.capacity)
	}
	if g.changes != nil && used != g.changes.used {
		return fmt.Errorf("requests %d to %d: by used it uses %d, by %s %d", first, g.served, used, changesExport, g.changes.used)
	}
	return nil
}

// Used returns what a guest says that the objects in its cache add up to; ok is
// false where r is not a guest, or does not say so.
func Used(r sim.Replayer) (bytes int64, ok bool) {
	if g, ok := r.(interface{ Used() (int64, bool) }); ok {
		return g.Used()
	}
	return 0, false
}

// Used is what Used returns of g.
func (g *guest) Used() (bytes int64, ok bool) {
	switch {
	case g.changes != nil:
		return g.changes.used, true
	case g.used != nil:
		return g.count("used"), true
	}
	return 0, false
}

// CanRemove reports whether the module exports remove.
func (g *guest) CanRemove() bool { return g.bin.module.Has("remove", "(i32) -> i32") }

// Remove has the module remove an object.
func (g *guest) Remove(id uint32) (bool, error) {
	resident, err := g.ask(g.remove, "remove", id)
	if err == nil && g.changes != nil {
		if err := g.changes.removed(id, resident); err != nil {
			return false, fmt.Errorf("after request %d: %w", g.served, err)
		}
	}
	return resident, err
}

// CanHold reports whether the module exports has.
func (g *guest) CanHold() bool { return g.bin.module.Has("has", "(i32) -> i32") }

// Has asks the module whether an object is in the cache.
func (g *guest) Has(id uint32) (bool, error) { return g.ask(g.has, "find", id) }

// ask calls an export that returns whether an object is or was in the cache.
func (g *guest) ask(f *callee, what string, id uint32) (bool, error) {
	stack := [1]uint64{uint64(id)}
	err := f.call(stack[:])
	if err == nil && uint32(stack[0]) > 1 {
		err = fmt.Errorf("the guest returned %d, want 1 (the object was in the cache) or 0", int32(stack[0]))
	}
	if err != nil {
		return false, oneLine(g.explain(fmt.Errorf("guest failed to %s object %d after its request %d: %w", what, id, g.served, err)))
	}
	return uint32(stack[0]) == 1, nil
}

// Counts asks the module for those that it exports.
func (g *guest) Counts() sim.Counts {
	if g.changes != nil {
		return g.changes.counts
	}
	c := sim.Counts{
		Evictions:     g.count("evictions"),
		Admissions:    g.count("admissions"),
		AdmittedBytes: g.count("admitted_bytes"),
	}
	c.StoresMisses = g.bin.StoresMisses && c.Admissions < 0
	return c
}

// Close frees the instances and their code.
func (g *guest) Close() error {
	g.instance.close()
	g.replay, g.remove, g.has, g.used, g.extras, g.changes = nil, nil, nil, nil, nil, nil
	return nil
}
