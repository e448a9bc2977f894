package conformance

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

// TestGuests checks the embedded guests, all of which pass.
func TestGuests(t *testing.T) {
	for _, name := range wasm.Builtins() {
		if testing.Short() && name != "lru" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			b, _ := wasm.Builtin(name)
			var results []Result
			if !Run(t.Context(), b, Options{}, func(r Result) { results = append(results, r) }) {
				t.Error("it is said to fail")
			}
			if len(results) < 15 {
				t.Errorf("%d results, want 15 or more", len(results))
			}
			for _, r := range results {
				if r.Status != Pass && !strings.HasPrefix(r.Check, "engine ") {
					t.Error(r)
				}
			}
		})
	}
}

// TestOriginals checks modules of the published experiment's kind, one for each
// convention, all of which pass.
func TestOriginals(t *testing.T) {
	for _, tt := range []struct {
		abi    string
		record int
		alloc  string
	}{
		{wasm.Pair, 0, ""},
		{wasm.Bincode, 12, wattest.Bump},
		{wasm.Bincode, 12, wattest.One},
		{wasm.Bytemuck, 16, wattest.Bump},
		{wasm.BytemuckStatic, 16, wattest.Buffer},
		{wasm.BincodeStatic, 12, wattest.Buffer},
	} {
		if testing.Short() && tt.abi != wasm.Bytemuck {
			continue
		}
		b, err := wasm.NewBinary(tt.abi, wattest.Original(t, tt.record, tt.alloc))
		if err != nil {
			t.Fatal(err)
		}
		skip := []string{"capacity", "removals"} // they report nothing of themselves
		Run(t.Context(), b, Options{Declared: tt.abi}, func(r Result) {
			if r.Status != Pass && !(r.Status == Skip && slices.Contains(skip, r.Check)) {
				t.Errorf("%s: %v", tt.abi, r)
			}
		})
	}
}

// TestFaults runs modules that each have one fault, and expects the check that is
// there to find it, with the request.
func TestFaults(t *testing.T) {
	const memory = `(memory (export "memory") 8) (global $n (mut i32) (i32.const 0)) (global $cap (mut i64) (i64.const 0))
		(func (export "init") (param i64) (global.set $cap (local.get 0)))`
	// Remembers every object that it has seen.
	const seen = `(func $seen (param i32) (result i32) (i32.load8_u (local.get 0)) (i32.store8 (local.get 0) (i32.const 1)))`
	send := func(body string) string {
		return `(module ` + memory + seen + `(func (export "send") (param i32 i64) (result i32) ` + body + `))`
	}
	rest := func(exports string) string {
		return `(module ` + memory + seen + exports + `(func (export "send") (param i32 i64) (result i32) i32.const 0))`
	}
	tests := []struct{ name, wat, check, want string }{
		{"no module", "", "module", "not a WebAssembly module"},
		{"no policy", `(module (func (export "run")))`, "abi", "it supports no calling convention"},
		{"imports", `(module (import "host" "f" (func)) (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 0))`, "engine", "host.f"},
		{"traps", send("unreachable"), "engine", "request 1"},
		{"always hits", send("i32.const 1"), "engine", "expected a miss, since it was never requested before"},
		{"never evicts", send("(call $seen (local.get 0))"), "hits", "which a cache of 100000 bytes cannot have stored"},
		{"loops", send("(loop (br 0)) i32.const 0"), "engine", "got none for"},
		{"loops later", send("(global.set $n (i32.add (global.get $n) (i32.const 1))) (if (i32.eq (global.get $n) (i32.const 700)) (then (loop (br 0)))) i32.const 0"), "hits", "got none for"},
		{"uses too much", rest(`(func (export "used") (result i64) (i64.add (global.get $cap) (i64.const 1)))`), "engine", "it uses 2 of its capacity of 1"},
		{"evicts what it does not have", rest(`(func (export "evictions") (result i64) (i64.const 100))`), "engine", "expected at most the misses, 1, got 100"},
		{"evicts and uses nothing", rest(`(func (export "used") (result i64) (i64.const 5)) (func (export "evictions") (result i64) (i64.const 0)) (func (export "admissions") (result i64) (i64.const 0))`), "engine", "it uses 5"},
		{"forgets removals", `(module ` + memory + lastOf + `(func (export "remove") (param i32) (result i32) (i32.eq (local.get 0) (global.get $last))))`, "removals", "expected 0, got 1"},
		{"keeps what is removed", `(module ` + memory + lastOf + `(func (export "remove") (param i32) (result i32) (i32.const 0)))`, "removals", "expected"},
		{"batch differs", `(module ` + memory + lastOf + `(func (export "alloc") (param i32) (result i64) (i64.shl (i64.extend_i32_u (select (i32.const 0) (i32.const 200000) (i32.gt_u (local.get 0) (i32.const 8192)))) (i64.const 32)))
			(func (export "replay") (param i32 i32 i32) (memory.fill (local.get 2) (i32.const 0) (local.get 1))))`, "conventions", "expected a hit"},
		{"capacity of one", send(`(if (i64.le_s (local.get 1) (i64.const 0)) (then unreachable)) i32.const 0`), "zero sizes", "request 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code := []byte("not a module")
			if tt.wat != "" {
				code = wattest.Assemble(t, tt.wat)
			}
			b, _ := wasm.NewBinary(tt.name, code)
			var results []Result
			began := time.Now()
			ok := Run(t.Context(), b, Options{Timeout: 300 * time.Millisecond}, func(r Result) { results = append(results, r) })
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
			if ok {
				t.Error("it passed")
			}
			i := slices.IndexFunc(results, func(r Result) bool { return r.Status == Fail })
			if i < 0 || results[i].Check != tt.check || !strings.Contains(results[i].Detail, tt.want) {
				t.Errorf("got %v, want a failure of %q with %q", results, tt.check, tt.want)
			}
		})
	}
}

// lastOf is a cache of the object that was requested last.
const lastOf = `(global $last (mut i32) (i32.const -1))
	(func (export "send") (param i32 i64) (result i32)
		(i32.eq (local.get 0) (global.get $last)) (global.set $last (local.get 0)))`

// TestResidency compares the law with caches that keep it and with one that has a
// byte more than it says.
func TestResidency(t *testing.T) {
	l := workload("mixed", 1, 5000, 300, 100, 2000)
	for _, name := range []string{"fifo", "lru", "lfu", "s3fifo", "arc", "gdsf", "belady"} {
		spec, ok := native.ByName(name)
		if !ok {
			t.Fatal(name)
		}
		params, _ := sim.CheckParams(name, spec.Params, nil)
		for _, honest := range []bool{true, false} {
			capacity := l.capacity
			if !honest {
				capacity = l.capacity * 2
			}
			p := sim.Native(spec.New(sim.Config{Capacity: capacity, Objects: l.objects, Requests: len(l.reqs), Params: params}))
			next := simtest.NextAccess(l.reqs, nil)
			hit := make([]bool, len(l.reqs))
			if err := p.Replay(sim.Batch{Requests: l.reqs, Next: next}, hit); err != nil {
				t.Fatal(err)
			}
			err := NewResidency(l.capacity, l.objects).Add(l.reqs, hit)
			if honest && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !honest && err == nil {
				t.Errorf("%s of twice the capacity passes", name)
			}
		}
	}
}

// TestInterrupted ends a run that is stopped.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b, _ := wasm.Builtin("fifo")
	if Run(ctx, b, Options{}, func(Result) {}) {
		t.Error("a run that was stopped is said to pass")
	}
}
