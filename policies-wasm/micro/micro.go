// Package micro measures what a call into a guest costs: the micro benchmark of
// Hockley and Williamson (Benchmarking Runtime Scripting Performance in Wasmer,
// 2022), in which a guest multiplies two numbers, with further tests, a sweep over
// payloads, and a breakdown of one call into its parts.
package micro

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/sim/results"
)

// Options say what to measure.
type Options struct {
	Engines []engines.Engine
	Tests   []Test
	Kinds   []string // of results.CallCost
	Calls   int      // of a run
	Runs    int      // that count
	Warmups int      // runs before them, which do not
	// Budget ends the measuring after the round in which so much time would be
	// over, but not before leastRuns have been made; 0: none.
	Budget time.Duration
	Seed   uint64       // of the order in a round, and of the bootstrap
	Mode   string       // of the build: release or debug
	Guest  *wasm.Binary // nil: that of cachesim
	// Round, if set, is told how many rounds are over, warm-ups included, and
	// of how many at most.
	Round func(done, of int)

	Provenance *results.Provenance
}

// leastRuns are enough to show a spread.
const leastRuns = 3

// A Note is a test that was left out on an engine, and why.
type Note struct {
	Engine, Test string
	Err          error
}

func (n Note) String() string {
	return fmt.Sprintf("%s on %s is left out: %v", n.Test, n.Engine, n.Err)
}

// cell is one thing that is measured, once a round.
type cell struct {
	cost    results.CallCost
	measure func(ctx context.Context, calls int) (sample, error)
	inner   *cell // of a part: the measurement that has one layer less
	samples []sample
	group   int // of cells with which ratios are taken: those of an engine
}

// sample is one run.
type sample struct {
	setup, calls   time.Duration
	mallocs, bytes uint64
}

// Run measures in rounds: in each, every test runs once on every engine, in a new
// order, so that a disturbance of the machine falls on all alike. What was
// measured before ctx ended is returned with its error.
func Run(ctx context.Context, o Options) ([]results.CallCost, []Note, error) {
	began := time.Now()
	cells, notes, free := o.cells(ctx)
	defer free()
	if ctx.Err() != nil {
		return nil, notes, ctx.Err()
	}
	if len(cells) == 0 {
		return nil, notes, fmt.Errorf("nothing is left to measure")
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	all := o.Warmups + o.Runs
	runs := 0
	for round := range all {
		if o.Budget > 0 && runs >= leastRuns {
			if past := time.Since(began); past+past/time.Duration(round) > o.Budget {
				break
			}
		}
		for _, i := range rng.Perm(len(cells)) {
			if ctx.Err() != nil {
				break
			}
			c := cells[i]
			s, err := c.measure(ctx, c.cost.Calls)
			if ctx.Err() != nil {
				break
			}
			if err != nil {
				return nil, notes, fmt.Errorf("%s on %s: %w", c.cost.Test, c.cost.Engine, err)
			}
			if round >= o.Warmups {
				c.samples = append(c.samples, s)
			}
		}
		if ctx.Err() != nil {
			break
		}
		if round >= o.Warmups {
			runs++
		}
		if o.Round != nil {
			o.Round(round+1, all)
		}
	}
	if runs == 0 {
		return nil, notes, ctx.Err()
	}
	return o.costs(cells, runs, rng), notes, ctx.Err()
}

// fewCalls are enough to see whether a test works.
const fewCalls = 10

// cells prepares everything, and leaves out what an engine cannot do.
func (o *Options) cells(ctx context.Context) (cells []*cell, notes []Note, free func()) {
	var opened []*sandbox
	free = func() {
		for _, s := range opened {
			s.close()
		}
	}
	works := func(c *cell) bool {
		if ctx.Err() != nil {
			return false
		}
		_, err := c.measure(ctx, min(fewCalls, c.cost.Calls))
		if err != nil && ctx.Err() == nil {
			notes = append(notes, Note{c.cost.Engine, c.cost.Test, err})
		}
		return err == nil
	}
	add := func(c *cell) {
		c.cost.Mode, c.cost.Warmups, c.cost.Provenance = o.Mode, o.Warmups, o.Provenance
		if o.Guest != nil && c.cost.Engine != sim.NativeEngine {
			c.cost.Module = o.Guest.Name
		}
		cells = append(cells, c)
	}
	if o.has(results.CostOfCall) {
		add(&cell{cost: o.cost(results.CostOfCall, Native, sim.NativeEngine), group: -1, measure: func(_ context.Context, n int) (sample, error) {
			return timed(0, func() error { return nativeCalls(n) })
		}})
	}
	for group, e := range o.Engines {
		if o.has(results.CostOfCall) {
			for _, t := range o.Tests {
				c := &cell{cost: o.cost(results.CostOfCall, t, e.Name), group: group, measure: func(ctx context.Context, n int) (sample, error) { return o.run(ctx, e, t, n) }}
				if t.Name != Native.Name && (t.engine == "" || t.engine == e.Name) && works(c) {
					add(c)
				}
			}
		}
		var kept []*cell
		for _, more := range []struct {
			kind    string
			prepare func(*sandbox) ([]*cell, error)
		}{{results.CostOfPayload, o.payloads}, {results.CostOfPart, o.parts}} {
			if !o.has(more.kind) || o.Guest != nil {
				continue
			}
			s, err := open(ctx, e, guestModule())
			opened = append(opened, s)
			if err == nil {
				var list []*cell
				if list, err = more.prepare(s); err == nil {
					kept = append(kept, list...)
				}
			}
			if err != nil {
				notes = append(notes, Note{e.Name, "what is measured of a " + more.kind, err})
			}
		}
		for _, c := range kept {
			if !works(c) { // then the others of its kind are not what they should be
				kept = nil
			}
		}
		for _, c := range kept {
			c.group = group
			add(c)
		}
	}
	return cells, notes, free
}

func (o *Options) has(kind string) bool {
	for _, k := range o.Kinds {
		if k == kind {
			return true
		}
	}
	return false
}

func (o *Options) cost(kind string, t Test, engine string) results.CallCost {
	return results.CallCost{Kind: kind, Test: t.Name, Engine: engine, ABI: t.ABI, Handle: t.Handle, Loading: t.Loading, Calls: o.Calls}
}

// run measures a test with everything that comes before it.
func (o *Options) run(ctx context.Context, e engines.Engine, t Test, n int) (sample, error) {
	b := guestModule()
	if o.Guest != nil {
		b = o.Guest
	}
	if t.module != nil {
		b = t.module()
	}
	began := time.Now()
	s, err := open(ctx, e, b)
	defer s.close()
	if err != nil {
		return sample{}, err
	}
	calls, err := t.bind(s)
	if err != nil {
		return sample{}, err
	}
	return timed(time.Since(began), func() error { return calls(n) })
}

// timed runs calls, which had so long a set-up.
func timed(setup time.Duration, calls func() error) (sample, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	err := calls()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	return sample{setup, took, after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc}, err
}
