package main

import (
	"slices"
	"strings"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// version is one way to run a policy.
type version struct{ engine, abi, handle string }

// choice is what --engine, --abi and --handle came to. A nil list was not
// given.
type choice struct{ engines, abis, handles []string }

// Without flags, times are taken of what most users would choose from: the
// plainest convention from outside and from inside the sandbox, and the fastest.
var (
	defaultABIs    = []string{wasm.Pair, wasm.Batch}
	defaultHandles = []string{wasm.SRS, wasm.Driver}
)

// defaultEngines are native and those that compile: what an interpreter takes is
// of another order, and it would take most of a run.
func defaultEngines() []string {
	list := []string{sim.NativeEngine}
	for _, e := range engines.All() {
		if e.Missing == "" && !e.Interpreter {
			list = append(list, e.Name)
		}
	}
	return list
}

func parseChoice(given, abis, handles []string) (choice, []string, error) {
	var notes []string
	available := append([]string{sim.NativeEngine}, engines.Names(true)...)
	var known []string
	missing := make(map[string]string)
	for _, e := range engines.All() {
		known = append(known, e.Name)
		if e.Missing != "" {
			missing[e.Name] = e.Missing
		}
	}
	known = append([]string{sim.NativeEngine}, known...)
	var c choice
	var err error
	if slices.Contains(given, "all") {
		for name, why := range missing {
			notes = append(notes, "engine "+name+" is left out: "+why)
		}
	}
	if c.engines, err = pick("engine", given, available, known); err != nil {
		return c, nil, err
	}
	for _, e := range c.engines {
		if why := missing[e]; why != "" {
			return c, nil, usagef("engine %s: %s", e, why)
		}
	}
	if c.abis, err = pick("ABI", abis, wasm.ABIs, wasm.ABIs); err != nil {
		return c, nil, err
	}
	if c.handles, err = pick("handle", handles, wasm.Handles, wasm.Handles); err != nil {
		return c, nil, err
	}
	if c.engines != nil && !slices.ContainsFunc(c.engines, isWASM) {
		if c.abis != nil {
			return c, nil, usagef("--abi is for WASM engines, but --engine names native only")
		}
		if c.handles != nil {
			return c, nil, usagef("--handle is for WASM engines, but --engine names native only")
		}
	}
	for _, a := range c.abis {
		if !slices.ContainsFunc(or(c.handles, wasm.Handles), func(h string) bool { return wasm.Combines(a, h) }) {
			return c, nil, usagef("--abi %s goes with --handle srs or uncached: a batch has no calls left for a driver to make", a)
		}
	}
	return c, notes, nil
}

func isWASM(engine string) bool { return engine != sim.NativeEngine }

func or(given, otherwise []string) []string {
	if given == nil {
		return otherwise
	}
	return given
}

// pick reads a list of names, where "all" stands for all of all.
func pick(what string, given, all, known []string) ([]string, error) {
	var list []string
	for _, g := range given {
		g = strings.TrimSpace(g)
		names := []string{g}
		if g == "all" {
			names = all
		} else if !slices.Contains(known, g) {
			return nil, usagef("unknown %s %q%s", what, g, sim.DidYouMean(g, append([]string{"all"}, known...)))
		}
		for _, n := range names {
			if !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
	}
	return list, nil
}

// versions returns how to run p: for times, every version chosen; for hit
// ratios, native, and what the user names besides.
func (c choice) versions(p policy) (times, ratios []version, err error) {
	chosen := or(c.engines, defaultEngines())
	if p.spec != nil && slices.Contains(chosen, sim.NativeEngine) {
		times = append(times, version{engine: sim.NativeEngine})
		ratios = times
	}
	if p.module == nil {
		if len(times) == 0 {
			return nil, nil, usagef("policy %s has no WASM version: --engine native runs it", p.name)
		}
		return times, ratios, nil
	}
	speaks, broken := p.module.ABIs(p.declared)
	if broken != nil {
		speaks = []string{wasm.Pair} // its cells will tell what is wrong
	}
	abis := speaks
	if c.abis != nil {
		abis = nil
		for _, a := range c.abis {
			if slices.Contains(speaks, a) || broken != nil {
				abis = append(abis, a)
			}
		}
		if len(abis) == 0 {
			return nil, nil, usagef("%s speaks %s, which --abi %s leaves out", p.name, strings.Join(speaks, ", "), strings.Join(c.abis, ","))
		}
	} else if both := intersect(defaultABIs, speaks); len(both) > 0 {
		abis = both
	}
	handles := or(c.handles, defaultHandles)
	var ways []version
	for _, abi := range abis {
		for _, h := range handles {
			if wasm.Combines(abi, h) {
				ways = append(ways, version{abi: abi, handle: h})
			}
		}
	}
	if len(ways) == 0 {
		return nil, nil, usagef("%s speaks %s only, which goes with --handle srs or uncached", p.name, strings.Join(abis, ", "))
	}
	var sandboxes []string
	for _, e := range chosen {
		if !isWASM(e) {
			continue
		}
		sandboxes = append(sandboxes, e)
		for _, w := range ways {
			times = append(times, version{e, w.abi, w.handle})
		}
	}
	switch {
	case len(times) == 0:
		return nil, nil, usagef("policy %s has no native version: name a WASM engine in --engine", p.name)
	case len(sandboxes) == 0:
	case c.abis != nil && c.engines != nil || c.handles != nil && c.engines != nil:
		ratios = times
	case c.engines != nil:
		for _, e := range sandboxes {
			ratios = append(ratios, version{e, fastest(ways).abi, fastest(ways).handle})
		}
	case len(ratios) == 0:
		w := fastest(ways)
		ratios = []version{{preferred(sandboxes), w.abi, w.handle}}
	}
	return times, ratios, nil
}

// fastest returns the way that costs least by our measurements: a batch, then
// the driver.
func fastest(ways []version) version {
	for _, want := range []func(version) bool{
		func(w version) bool { return w.abi == wasm.Batch && w.handle == wasm.SRS },
		func(w version) bool { return w.abi == wasm.Batch },
		func(w version) bool { return w.handle == wasm.Driver },
	} {
		if i := slices.IndexFunc(ways, want); i >= 0 {
			return ways[i]
		}
	}
	return ways[0]
}

// preferred returns the engine that runs a file's module where none is named;
// docs/RATIONALE.md says why.
func preferred(names []string) string {
	for _, e := range []string{"cranelift", "wasmtime", "wazero"} {
		if slices.Contains(names, e) {
			return e
		}
	}
	return names[0]
}

func intersect(a, b []string) []string {
	var both []string
	for _, x := range a {
		if slices.Contains(b, x) {
			both = append(both, x)
		}
	}
	return both
}

// plan lists the cells of one trace: every policy at every capacity for the hit
// ratios, and every version at one capacity, over the first timing requests, for
// the times. Native versions come first of their kind: others are compared with
// the first.
func plan(t *sim.Trace, policies []policy, c choice, capacities []int64, timing int, seed uint64) ([]sim.Task, error) {
	var tasks []sim.Task
	place := make(map[sim.Cell]int)
	add := func(p policy, capacity int64, v version, requests int, timed bool) {
		cell := sim.Cell{
			Trace: t.Name, TraceSHA256: t.SHA256, ObjectSize: t.SizeRule, Requests: requests,
			Policy: p.name, Capacity: capacity, Seed: seed,
			Engine: v.engine, ABI: v.abi, Handle: v.handle,
		}
		if isWASM(v.engine) {
			cell.ModuleSHA = p.module.SHA256
		}
		if i, ok := place[cell]; ok {
			tasks[i].Timed = tasks[i].Timed || timed
			return
		}
		place[cell] = len(tasks)
		tasks = append(tasks, sim.Task{Cell: cell, Timed: timed})
	}
	timing = min(timing, len(t.Requests))
	for _, p := range policies {
		times, ratios, err := c.versions(p)
		if err != nil {
			return nil, err
		}
		for _, capacity := range capacities {
			for _, v := range ratios {
				add(p, capacity, v, len(t.Requests), false)
			}
		}
		if timing > 0 {
			for _, v := range times {
				add(p, nearest(capacities, t.Footprint), v, timing, true)
			}
		}
	}
	return tasks, nil
}
