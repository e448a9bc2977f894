package micro

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
	"cachesim/sim/results"
)

// all returns the engines of this build.
func all(t testing.TB) []engines.Engine {
	var list []engines.Engine
	for _, name := range engines.Names(true) {
		e, err := engines.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

var allKinds = []string{results.CostOfCall, results.CostOfPayload, results.CostOfPart}

// TestRun has every test run on every engine, which checks each product.
func TestRun(t *testing.T) {
	costs, notes, err := Run(context.Background(), Options{Engines: all(t), Tests: Tests, Kinds: allKinds, Calls: 20, Runs: 3, Warmups: 1, Mode: "release"})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notes {
		// wasmer 4.4 has no host functions on LLVM.
		if n.Engine != "llvm" || n.Test != "host-import" {
			t.Error(n)
		}
	}
	n := len(engines.Names(true))
	count := map[string]int{}
	for _, c := range costs {
		count[c.Kind]++
		if c.Runs != 3 || len(c.Samples) != 3 || c.Warmups != 1 || c.Mode != "release" {
			t.Errorf("%s on %s: %d runs, %d samples, %d warm-ups, mode %q", c.Test, c.Engine, c.Runs, len(c.Samples), c.Warmups, c.Mode)
		}
		if c.Call.Min > c.Call.Median || c.Call.Low > c.Call.Median || c.Call.Median > c.Call.High {
			t.Errorf("%s on %s: %+v is out of order", c.Test, c.Engine, c.Call)
		}
		if c.Kind != results.CostOfCall {
			continue
		}
		if c.Engine == sim.NativeEngine {
			if c.ToNative.Median != 1 {
				t.Errorf("native is %v times native", c.ToNative.Median)
			}
			continue
		}
		if c.Setup.Median <= 0 || c.Total.Median <= c.Call.Median {
			t.Errorf("%s on %s: a call takes %v ns, with set-up %v, which takes %v", c.Test, c.Engine, c.Call.Median, c.Total.Median, c.Setup.Median)
		}
		if c.Test == "pair-cached-preload" && c.ToPair.Median != 1 {
			t.Errorf("%s: the cached pair is %v times itself", c.Engine, c.ToPair.Median)
		}
	}
	want := 1 - len(notes)
	for _, t := range Tests[1:] {
		switch t.engine {
		case "":
			want += n
		default:
			if slices.Contains(engines.Names(true), t.engine) {
				want++
			}
		}
	}
	if count[results.CostOfCall] != want {
		t.Errorf("%d tests were measured, want %d", count[results.CostOfCall], want)
	}
	if want := n * 4 * 14; count[results.CostOfPayload] != want {
		t.Errorf("%d payloads were measured, want %d", count[results.CostOfPayload], want)
	}
	if count[results.CostOfPart] < 2*n {
		t.Errorf("%d parts were measured, want at least two an engine", count[results.CostOfPart])
	}
}

// TestLoading holds preload to fewer allocations than hotload where the runtime
// takes Go values.
func TestLoading(t *testing.T) {
	for _, e := range all(t) {
		if e.Runtime != "wasmer" {
			continue
		}
		var tests []Test
		for _, t := range Tests {
			if strings.HasPrefix(t.Name, "pair-") {
				tests = append(tests, t)
			}
		}
		costs, _, err := Run(context.Background(), Options{Engines: []engines.Engine{e}, Tests: tests, Kinds: []string{results.CostOfCall}, Calls: 1000, Runs: 3})
		if err != nil {
			t.Fatal(err)
		}
		allocs := map[string]float64{}
		for _, c := range costs {
			allocs[c.Test] = c.Allocs
		}
		for _, handle := range []string{"uncached", "cached", "srs"} {
			pre, hot := allocs["pair-"+handle+"-preload"], allocs["pair-"+handle+"-hotload"]
			if pre+0.5 > hot && !strings.Contains(e.Version, "unsafe") {
				t.Errorf("%s, %s: %v allocations a call with preload, %v with hotload", e.Name, handle, pre, hot)
			}
		}
	}
}

// TestGuestOfTheExperiment runs modules with the exports of the experiment's, and
// refuses products that are wrong.
func TestGuestOfTheExperiment(t *testing.T) {
	const (
		multiply = `(func (export "multiply") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))`
		add      = `(memory (export "memory") 1) (func (export "struct_add") (param i32 i32) (result i32)
			(i32.mul (i32.load (local.get 0)) (i32.load offset=4 (local.get 0))))`
		dynamic = add + `(func (export "wasm_prepare_buffer") (param i32) (result i64) (i64.or (i64.const 0x10000000000) (i64.extend_i32_u (local.get 0))))`
		fixed   = add + `(func (export "wasm_get_buffer") (result i64) (i64.const 0x20000000008))`
		many    = `(func (export "multiply_many_times") (param i32 i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))`
	)
	tests := []struct{ name, wat, abi, want string }{
		{"pair", multiply, "", "pair-uncached-hotload pair-uncached-preload pair-cached-hotload pair-cached-preload pair-srs-hotload pair-srs-preload driver"},
		{"dynamic", dynamic, "", "bincode-uncached bincode-cached bytemuck-uncached bytemuck-cached"},
		{"dynamic, said to be bytemuck", dynamic, wasm.Bytemuck, "bytemuck-uncached bytemuck-cached"},
		{"static", fixed, wasm.BytemuckStatic, "bytemuck-static-uncached bytemuck-static-cached"},
		{"loop", many, "", "loop"},
		{"another type", `(func (export "multiply") (param i32 i32) (result i64) i64.const 0)`, "", ""},
		{"none", `(func (export "f"))`, "", ""},
	}
	for _, tt := range tests {
		b, err := wasm.NewBinary(tt.name, wattest.Assemble(t, "(module "+tt.wat+")"))
		if err != nil {
			t.Fatal(err)
		}
		fits := Fits(b, tt.abi)
		var names []string
		for _, f := range fits[1:] {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s fits %q, want %q", tt.name, got, tt.want)
		}
		if len(names) == 0 {
			continue
		}
		costs, notes, err := Run(context.Background(), Options{Engines: all(t), Tests: fits, Kinds: allKinds, Calls: 10, Runs: 1, Guest: b})
		if err != nil || len(notes) > 0 {
			t.Errorf("%s: %v, %v", tt.name, notes, err)
		}
		if want := 1 + len(names)*len(engines.Names(true)); len(costs) != want {
			t.Errorf("%s: %d costs, want %d", tt.name, len(costs), want)
		}
	}
	liar, err := wasm.NewBinary("liar", wattest.Assemble(t, `(module (func (export "multiply") (param i32 i32) (result i32) i32.const 1))`))
	if err != nil {
		t.Fatal(err)
	}
	_, notes, _ := Run(context.Background(), Options{Engines: all(t)[:1], Tests: Fits(liar, ""), Kinds: allKinds, Calls: 10, Runs: 1, Guest: liar})
	outside, err := wasm.NewBinary("outside", wattest.Assemble(t, `(module (memory (export "memory") 1)
		(func (export "wasm_prepare_buffer") (param i32) (result i64) (i64.const -1))
		(func (export "struct_add") (param i32 i32) (result i32) i32.const 0)
		(func (export "multiply_batch") (param i32 i32 i32)))`))
	if err != nil {
		t.Fatal(err)
	}
	_, more, _ := Run(context.Background(), Options{Engines: all(t), Tests: Fits(outside, ""), Kinds: allKinds, Calls: 10, Runs: 1, Guest: outside})
	if len(more) != 5*len(engines.Names(true)) || !strings.Contains(more[0].String(), "outside its memory") {
		t.Errorf("of a guest that gives buffers outside its memory it said %v", more)
	}
	if len(notes) != 7 || !strings.Contains(notes[0].String(), "the guest gave 1 for") {
		t.Errorf("of a guest that multiplies wrongly it said %v", notes)
	}
}

// TestBudget ends after the least number of runs where the time is short.
func TestBudget(t *testing.T) {
	o := Options{Engines: all(t)[:1], Tests: Tests[:5], Kinds: []string{results.CostOfCall}, Calls: 10, Runs: 1000, Budget: time.Nanosecond}
	costs, _, err := Run(context.Background(), o)
	if err != nil || costs[0].Runs != leastRuns {
		t.Errorf("%d runs, error %v; want %d", costs[0].Runs, err, leastRuns)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.Budget = 0
	o.Round = func(done, of int) {
		if done == 2 {
			cancel()
		}
	}
	costs, _, err = Run(ctx, o)
	if !errors.Is(err, context.Canceled) || len(costs) == 0 || costs[0].Runs != 2 {
		t.Errorf("stopped after the second run: %d costs, error %v", len(costs), err)
	}
}

func TestDescribe(t *testing.T) {
	s := describe([]float64{4, 1, 2, 3, 100}, rand.New(rand.NewPCG(1, 1)))
	if s.Mean != 22 || s.Median != 3 || s.Min != 1 || s.SD < 43.6 || s.SD > 43.7 {
		t.Errorf("%+v", s)
	}
	if s.Low < 1 || s.Low > 3 || s.High < 3 || s.High > 100 {
		t.Errorf("the interval of the median is %v to %v", s.Low, s.High)
	}
	// The interval of a large sample holds the median that it was drawn about.
	rng := rand.New(rand.NewPCG(2, 2))
	x := make([]float64, 1000)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	if s := describe(x, rng); s.Low > 0 || s.High < 0 || s.High-s.Low > 0.25 {
		t.Errorf("of 1,000 normal numbers the interval is %v to %v", s.Low, s.High)
	}
	if s := describe(slices.Repeat([]float64{7}, 4), rng); s.Low != 7 || s.High != 7 || s.SD != 0 {
		t.Errorf("of equal numbers: %+v", s)
	}
}
