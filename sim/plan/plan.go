// Package plan decides which cells a run consists of: a pure function of the
// policies, the cache sizes and what the user chose. It knows of calling
// conventions and engines only what it is told.
package plan

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"cachesim/sim"
)

// A Policy is what a plan has to know of a policy.
type Policy struct {
	Name     string // canonical, see sim.PolicyName
	Title    string // as in print
	Native   bool   // there is a native version
	Revision int    // of a policy that cachesim provides
	Needs    sim.Needs
	Memory   int     // about how many bytes it needs for each object of the trace
	Cost     float64 // about how long a request takes, in multiples of LRU's time; 0: as long
	// PerRequest is the same for each request.
	PerRequest int
	Sizes      sim.SizeUse
	Miniature  sim.Miniaturization
	// Compute makes the function that computes the exact result at one of the
	// capacities; nil, and where it returns nil: it is replayed.
	Compute func(capacity int64) func(context.Context, *sim.Trace) (sim.Tally, error)

	Guest     bool     // there is a module
	ModuleSHA string   // of the module
	Keys      bool     // the module is given the keys of objects
	ABIs      []string // that the module supports, in the order of Ways.ABIs
	// Refuses returns why the module cannot run on an engine, or nothing. It may
	// be nil.
	Refuses func(engine string) string
}

// Ways are the ways to run a module that there are.
type Ways struct {
	ABIs, Handles []string
	Combines      func(abi, handle string) bool
	Batch, Driver string // the ABI and the handle that cost least
	SRS           string

	// What is used where the user chooses nothing.
	DefaultEngines, DefaultABIs, DefaultHandles []string
	// Preferred are WASM engines, the one first that runs a module where the
	// user names none.
	Preferred []string
}

// A Choice is what the user chose, nil for each kind where he left it open.
type Choice struct {
	Engines, ABIs, Handles []string
	// TimeAll has policies timed of which there is a native version only.
	TimeAll bool
}

// A Capacity is a cache size with the text that it was asked for in.
type Capacity struct {
	Value int64
	Text  string
}

// Options are the other dimensions of a plan, and what is common to all cells.
type Options struct {
	Capacities  []Capacity
	Unit        string
	Metadata    int64
	Warmup      int
	Window      sim.Window
	Seeds       []uint64
	GuestMemory int64
	// Samples returns the samples of the trace that hit ratios at a capacity are
	// estimated from, those of objects with their real sizes or the others. Where
	// it returns nil or is nil they are exact.
	Samples func(capacity int64, m sim.Miniaturization, realSizes bool) (*sim.Samples, error)
	Delayed sim.Latency // how long fetches take that hits wait for; the zero value: objects are stored at once
	Check   int64       // capacity at which what is estimated is replayed in full too; 0: none
	Timing  int         // requests that times are taken over, at most; 0: no times
	TimedAt int64
}

// A Task is a task of the engine with what a result has to say besides.
type Task struct {
	sim.Task
	Size  string // the capacity as it was asked for
	Title string // the policy as in print
	Order int    // position in the plan for the trace, of all shards together
	// Time is about how many nanoseconds one replay takes.
	Time int64
}

// A MismatchError says why a policy cannot be run as chosen.
type MismatchError struct{ Policy, Why string }

func (e *MismatchError) Error() string { return fmt.Sprintf("policy %s: %s", e.Policy, e.Why) }

// Versions returns how to run p: for times, every version chosen; for hit
// ratios, native, and what the user names besides. notes say which engines were
// left out, and why.
func Versions(p Policy, c Choice, w Ways) (times, ratios []sim.Version, notes []string, err error) {
	chosen := c.Engines
	if chosen == nil {
		chosen = w.DefaultEngines
	}
	native := p.Native && slices.Contains(chosen, sim.NativeEngine)
	if native {
		ratios = []sim.Version{{Engine: sim.NativeEngine}}
		if p.Guest || c.TimeAll {
			times = ratios
		}
	}
	var sandboxes []string
	for _, e := range chosen {
		if e == sim.NativeEngine || !p.Guest {
			continue
		}
		if p.Refuses != nil {
			if why := p.Refuses(e); why != "" {
				notes = append(notes, fmt.Sprintf("%s is left out on %s: %s", p.Name, e, why))
				continue
			}
		}
		sandboxes = append(sandboxes, e)
	}
	if len(sandboxes) == 0 {
		switch {
		case native:
			return times, ratios, notes, nil
		case len(notes) > 0:
			return nil, nil, nil, &MismatchError{p.Name, strings.Join(notes, "; ")}
		case p.Guest:
			return nil, nil, nil, &MismatchError{p.Name, "it has no native version: choose a WASM engine"}
		}
		return nil, nil, nil, &MismatchError{p.Name, "it has no WASM version: choose the engine native"}
	}
	ways, err := w.of(p, c)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, e := range sandboxes {
		for _, way := range ways {
			times = append(times, sim.Version{Engine: e, ABI: way.ABI, Handle: way.Handle})
		}
	}
	best := w.fastest(ways)
	switch {
	case c.Engines != nil && (c.ABIs != nil || c.Handles != nil):
		ratios = times
	case c.Engines != nil:
		for _, e := range sandboxes {
			ratios = append(ratios, sim.Version{Engine: e, ABI: best.ABI, Handle: best.Handle})
		}
	case !native:
		e := sandboxes[0]
		for _, candidate := range w.Preferred {
			if slices.Contains(sandboxes, candidate) {
				e = candidate
				break
			}
		}
		ratios = []sim.Version{{Engine: e, ABI: best.ABI, Handle: best.Handle}}
	}
	return times, ratios, notes, nil
}

// of returns the combinations of ABI and handle in which p is run.
func (w Ways) of(p Policy, c Choice) ([]sim.Version, error) {
	abis := p.ABIs
	if c.ABIs != nil {
		abis = intersect(c.ABIs, p.ABIs)
		if len(abis) == 0 {
			return nil, &MismatchError{p.Name, fmt.Sprintf("it supports the ABIs %s, and not %s", strings.Join(p.ABIs, ", "), strings.Join(c.ABIs, ", "))}
		}
	} else if both := intersect(w.DefaultABIs, p.ABIs); len(both) > 0 {
		abis = both
	}
	handles := c.Handles
	if handles == nil {
		handles = w.DefaultHandles
	}
	var ways []sim.Version
	for _, abi := range abis {
		for _, h := range handles {
			if w.Combines(abi, h) {
				ways = append(ways, sim.Version{ABI: abi, Handle: h})
			}
		}
	}
	if len(ways) == 0 {
		return nil, &MismatchError{p.Name, fmt.Sprintf("it supports the ABI %s only, which does not go with the handle %s", strings.Join(abis, ", "), strings.Join(handles, ", "))}
	}
	return ways, nil
}

// fastest returns the way that costs least by our measurements: a batch, then
// the driver.
func (w Ways) fastest(ways []sim.Version) sim.Version {
	for _, want := range []func(sim.Version) bool{
		func(v sim.Version) bool { return v.ABI == w.Batch && v.Handle == w.SRS },
		func(v sim.Version) bool { return v.ABI == w.Batch },
		func(v sim.Version) bool { return v.Handle == w.Driver },
	} {
		if i := slices.IndexFunc(ways, want); i >= 0 {
			return ways[i]
		}
	}
	return ways[0]
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

// RealSizes reports whether samples have to keep the sizes of objects for a version of
// p: a guest is not told the true ones, and what a module without a native version
// uses sizes for is not known.
func (p Policy) RealSizes(v sim.Version) bool {
	guest := v.Engine != sim.NativeEngine
	return p.Sizes == sim.SizesAreCompared || guest && (p.Sizes == sim.SizesAreWeighed || !p.Native)
}

// Tasks lists the tasks for one trace: every policy at every capacity and seed
// for the hit ratios, and every version at one capacity, over the first
// o.Timing requests, for the times. Native versions come first of their kind:
// others are compared with the first.
func Tasks(t *sim.Trace, policies []Policy, c Choice, w Ways, o Options) (tasks []Task, notes []string, err error) {
	index := make(map[key]bool)
	keys := sync.OnceValue(t.KeysDigest)
	add := func(p Policy, capacity Capacity, v sim.Version, seed uint64, requests int, timed, estimated bool) error {
		cell := sim.Cell{
			Trace: t.Name, TraceDigest: t.Digest, Clock: t.Clock, Requests: requests,
			Policy: p.Name, Revision: p.Revision, Seed: seed,
			Capacity: capacity.Value, Unit: o.Unit, Metadata: o.Metadata, Version: v,
		}
		if !timed {
			cell.Warmup, cell.Window, cell.Delayed = o.Warmup, o.Window, o.Delayed
		}
		var samples *sim.Samples
		if estimated && o.Samples != nil && p.Compute == nil {
			var err error
			if samples, err = o.Samples(capacity.Value, p.Miniature, p.RealSizes(v)); err != nil {
				return err
			}
			if samples != nil {
				cell.Sampling = samples.Sampling
			}
		}
		if v.Engine != sim.NativeEngine {
			cell.ModuleSHA, cell.GuestMemory = p.ModuleSHA, o.GuestMemory
			if p.Keys {
				cell.Keys = keys()
			}
		}
		k := key{cell, timed}
		if index[k] {
			return nil
		}
		index[k] = true
		task := Task{Task: sim.Task{Cell: cell, Timed: timed, Needs: p.Needs, Memory: Memory(t, p, cell)}, Size: capacity.Text, Title: p.Title}
		task.Time = int64(estimate(t, p, v) * float64(requests))
		if p.Compute != nil {
			task.Compute = p.Compute(capacity.Value)
		}
		if samples != nil {
			task.Samples, task.Memory, task.Time = samples, 0, 0
			for _, m := range samples.Miniatures {
				task.Memory = max(task.Memory, Memory(m.Trace, p, cell))
				task.Time += int64(estimate(m.Trace, p, v) * float64(m.Requests))
			}
		}
		task.Order = len(tasks)
		tasks = append(tasks, task)
		return nil
	}
	timing := min(o.Timing, t.Requests)
	for _, p := range policies {
		if p.Needs&sim.NeedsTime != 0 && t.Tick == 0 {
			return nil, nil, &MismatchError{p.Name, fmt.Sprintf("it needs the times of the requests, and trace %s has none", t.Name)}
		}
		times, ratios, left, err := Versions(p, c, w)
		if err != nil {
			return nil, nil, err
		}
		notes = append(notes, left...)
		for _, capacity := range o.Capacities {
			for _, v := range ratios {
				for _, seed := range o.Seeds {
					if err := add(p, capacity, v, seed, t.Requests, false, true); err != nil {
						return nil, nil, err
					}
					if capacity.Value == o.Check {
						if err := add(p, capacity, v, seed, t.Requests, false, false); err != nil {
							return nil, nil, err
						}
					}
				}
			}
		}
		if timing > 0 {
			i := slices.IndexFunc(o.Capacities, func(c Capacity) bool { return c.Value == o.TimedAt })
			for _, v := range times {
				if err := add(p, o.Capacities[max(0, i)], v, o.Seeds[0], timing, true, false); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return tasks, notes, nil
}

type key struct {
	cell  sim.Cell
	timed bool
}

// Shard keeps the tasks of shard i of n, counted from 1. Cells whose outcomes
// are compared fall into the same shard; which one follows from the cells
// alone, so that shards need nothing of each other.
func Shard(tasks []Task, i, n int) []Task {
	var kept []Task
	for _, t := range tasks {
		if int(GroupNumber(t.Cell)%uint64(n)) == i-1 {
			kept = append(kept, t)
		}
	}
	return kept
}

// GroupNumber is the same for cells whose outcomes are compared. Its remainder by
// the number of shards says which shard they are part of.
func GroupNumber(c sim.Cell) uint64 {
	b, err := json.Marshal(c.Group())
	if err != nil {
		panic(err) // strings and numbers are always representable
	}
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// Memory estimates the bytes that a cell occupies while it runs.
func Memory(t *sim.Trace, p Policy, c sim.Cell) int64 {
	objects, requests := int64(t.Objects), int64(c.Requests)
	perObject := int64(p.Memory)
	if p.Compute != nil {
		return int64(p.PerRequest)*requests + max(4, perObject)*objects
	}
	if perObject == 0 {
		perObject = 48
	}
	n := perObject*objects + // the policy
		(requests+objects)/8 + // outcomes, and objects seen
		256<<10 // batches
	if t.Columns&sim.ColumnTTL != 0 {
		n += 16 * objects
	}
	if t.SizesVary() {
		n += 8 * objects
	}
	if c.Engine != sim.NativeEngine {
		n += perObject*objects/2 + 8<<20 // growing, and the compiled module
		if c.GuestMemory > 0 {
			n = min(n, c.GuestMemory+16<<20+requests/8)
		}
	}
	return n
}

// estimate returns about how many nanoseconds a request takes. What it knows of
// engines are magnitudes, from docs/EXPERIMENT.md.
func estimate(t *sim.Trace, p Policy, v sim.Version) float64 {
	// A cache miss of the processor for each request once the state is large.
	ns := 8 + 110/(1+math.Pow(3e5/float64(max(1, t.Objects)), 1.2))
	if p.Cost > 0 {
		ns *= p.Cost
	}
	switch {
	case v.Engine == sim.NativeEngine:
		return ns
	case strings.HasSuffix(v.Engine, "interpreter") || v.Engine == "wamr":
		ns *= 40
	default:
		ns *= 1.6
	}
	if v.ABI != "batch" && v.Handle != "driver" {
		switch v.Engine {
		case "wazero":
			ns += 60
		case "wasmtime":
			ns += 120
		default:
			ns += 1000
		}
		if v.Handle == "uncached" {
			ns *= 2
		}
	}
	return ns
}
