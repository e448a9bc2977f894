package main

import (
	"slices"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/sim/plan"
)

// ways are the ways to run a module in this build. Without flags, times are
// taken of what most users would choose from: the plainest convention from
// outside and from inside the sandbox, and the fastest.
func ways() plan.Ways {
	return plan.Ways{
		ABIs: wasm.ABIs, Handles: wasm.Handles, Combines: wasm.Combines,
		Batch: wasm.Batch, Driver: wasm.Driver, SRS: wasm.SRS,
		DefaultEngines: defaultEngines(),
		DefaultABIs:    []string{wasm.Pair, wasm.Batch},
		DefaultHandles: []string{wasm.SRS, wasm.Driver},
		Preferred:      preferred(),
	}
}

// preferred lists the engines, the one first that runs a module where the user
// names none.
func preferred() []string {
	all := engines.All()
	slices.SortStableFunc(all, func(a, b engines.Engine) int { return a.Preference - b.Preference })
	var names []string
	for _, e := range all {
		if e.Missing == "" {
			names = append(names, e.Name)
		}
	}
	return names
}

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

// parseChoice reads --engine, --abi and --handle. notes name the engines that
// are not in this build.
func parseChoice(given, abis, handles []string) (c plan.Choice, notes []string, err error) {
	available := append([]string{sim.NativeEngine}, engines.Names(true)...)
	known := []string{sim.NativeEngine}
	missing := make(map[string]string)
	for _, e := range engines.All() {
		known = append(known, e.Name)
		if e.Missing != "" {
			missing[e.Name] = e.Missing
			if slices.Contains(given, "all") {
				notes = append(notes, "engine "+e.Name+" is left out: "+e.Missing)
			}
		}
	}
	if c.Engines, err = pick("engine", given, available, known); err != nil {
		return c, nil, err
	}
	for _, e := range c.Engines {
		if why, ok := missing[e]; ok {
			return c, nil, usagef("engine %s is not available: %s", e, why)
		}
	}
	if c.ABIs, err = pick("ABI", abis, wasm.ABIs, wasm.ABIs); err != nil {
		return c, nil, err
	}
	if c.Handles, err = pick("handle", handles, wasm.Handles, wasm.Handles); err != nil {
		return c, nil, err
	}
	if c.Engines != nil && !slices.ContainsFunc(c.Engines, isWASM) {
		if c.ABIs != nil {
			return c, nil, usagef("--abi is for WASM engines, but --engine names native only")
		}
		if c.Handles != nil {
			return c, nil, usagef("--handle is for WASM engines, but --engine names native only")
		}
	}
	all := c.Handles
	if all == nil {
		all = wasm.Handles
	}
	for _, a := range c.ABIs {
		if !slices.ContainsFunc(all, func(h string) bool { return wasm.Combines(a, h) }) {
			return c, nil, usagef("--abi %s goes with --handle srs or uncached: a batch has no calls left for a driver to make", a)
		}
	}
	return c, notes, nil
}

func isWASM(engine string) bool { return engine != sim.NativeEngine }
