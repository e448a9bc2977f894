package wasm

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
)

// assemble makes a module of WebAssembly text.
func assemble(t testing.TB, name, wat string) *Binary {
	t.Helper()
	m, err := NewBinary(name, wattest.Assemble(t, wat))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// original makes a module with the exports of the published experiment's.
func original(t testing.TB, record int, alloc string) *Binary {
	t.Helper()
	m, err := NewBinary(fmt.Sprintf("original-%d", record), wattest.Original(t, record, alloc))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestOriginalModules runs modules as the published experiment has them, one an
// ABI, with every handle, on every engine.
func TestOriginalModules(t *testing.T) {
	reqs := []sim.Request{{ID: 3, Size: 5}, {ID: 3, Size: 5}, {ID: 1, Size: 7}, {ID: 3, Size: 5}, {ID: 3, Size: 5}, {ID: 3, Size: 5}}
	want := []bool{false, true, false, false, true, true}
	tests := []struct {
		name, declared, abi string
		module              *Binary
	}{
		{"pair", "", Pair, original(t, 0, "")},
		{"bincode", Bincode, Bincode, original(t, 12, wattest.Bump)},
		{"bincode at 1", Bincode, Bincode, original(t, 12, wattest.One)},
		{"bytemuck", Bytemuck, Bytemuck, original(t, 16, wattest.Bump)},
		{"bytemuck-static", BytemuckStatic, BytemuckStatic, original(t, 16, wattest.Buffer)},
		{"bincode-static", BincodeStatic, BincodeStatic, original(t, 12, wattest.Buffer)},
	}
	for _, tt := range tests {
		for _, engine := range engines.Names(true) {
			for _, handle := range Handles {
				t.Run(tt.name+"/"+engine+"/"+handle, func(t *testing.T) {
					speaks, err := tt.module.ABIs(tt.declared)
					if err != nil || len(speaks) != 1 || speaks[0] != tt.abi {
						t.Fatalf("ABIs(%q) = %v, %v; want %s", tt.declared, speaks, err, tt.abi)
					}
					r := open(t, tt.module, engine, tt.abi, handle)
					defer r.Close()
					got := make([]bool, len(reqs))
					if err := r.Replay(sim.Batch{Requests: reqs}, got); err != nil {
						t.Fatal(err)
					}
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("outcomes %v, want %v", got, want)
					}
					if n, want := r.Counts(), (sim.Counts{Evictions: -1, Admissions: -1, AdmittedBytes: -1}); n != want {
						t.Errorf("the module counts nothing, got %+v", n)
					}
					if r.CanRemove() {
						t.Error("the module cannot remove objects")
					}
				})
			}
		}
	}
}

func open(t testing.TB, m *Binary, engine, abi, handle string) sim.Replayer {
	t.Helper()
	r, err := tryOpen(m, engine, abi, handle)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryOpen(m *Binary, engine, abi, handle string) (sim.Replayer, error) {
	r, _, err := Open(context.Background(), Config{
		Config: sim.Config{Capacity: 1000, Objects: 10, Seed: 7},
		Binary: m, Declared: abi, Version: sim.Version{Engine: engine, ABI: abi, Handle: handle}, Memory: 16 << 20,
	})
	return r, err
}

func TestABIs(t *testing.T) {
	exports := func(list string) string { return `(module (memory (export "memory") 1)` + list + `)` }
	const (
		initOK = `(func (export "init") (param i64))`
		stats  = `(func (export "stats") (result i64) i64.const 0)`
		alloc  = `(func (export "alloc") (param i32) (result i64) i64.const 0)`
	)
	tests := []struct {
		name, exports, declared string
		want                    string // ABIs, or part of the error after "!"
	}{
		{"pair", initOK + `(func (export "send") (param i32 i64) (result i32) i32.const 0)`, "", "pair"},
		{"pair by stats", initOK + stats + `(func (export "send") (param i32 i64))`, "", "pair"},
		{"batch", initOK + alloc + `(func (export "replay") (param i32 i32 i32))`, "", "batch"},
		{"pair and batch", initOK + alloc + `(func (export "send") (param i32 i64) (result i32) i32.const 0) (func (export "replay") (param i32 i32 i32))`, "", "pair batch"},
		{"ambiguous", initOK + stats + alloc + `(func (export "send") (param i32 i32))`, "", "!say which, as in FILE.wasm:abi=bincode"},
		{"declared", initOK + stats + alloc + `(func (export "send") (param i32 i32))`, "bytemuck", "bytemuck"},
		{"declared, not so", initOK + stats + alloc + `(func (export "send") (param i32 i32))`, "pair", "!does not support pair: it is missing send (i32, i64) -> i32 (its send is (i32, i32) -> ())"},
		{"no stats", initOK + `(func (export "send") (param i32 i64))`, "", "!is missing send (i32, i64) -> i32 (its send is (i32, i64) -> ())"},
		{"no init", `(func (export "send") (param i32 i64) (result i32) i32.const 0)`, "", "!is missing init (i64) -> ()"},
		{"init of another type", `(func (export "init") (param i32)) (func (export "send") (param i32 i64) (result i32) i32.const 0)`, "", "!is missing init (i64) -> () (its init is (i32) -> ())"},
		{"init is a memory", `(memory (export "init") 1)`, "", "!"},
		{"nothing", "", "", "!is missing init (i64) -> (), send (i32, i64) -> i32"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wat := exports(tt.exports)
			if tt.name == "init is a memory" {
				wat = `(module ` + tt.exports + `)`
			}
			got, err := assemble(t, tt.name, wat).ABIs(tt.declared)
			if part, wantErr := strings.CutPrefix(tt.want, "!"); wantErr {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Fatalf("error %v, want one with %q", err, part)
				}
				return
			}
			if err != nil || strings.Join(got, " ") != tt.want {
				t.Fatalf("got %v, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// TestParams hands a module its parameters and the seed before init.
func TestParams(t *testing.T) {
	m := assemble(t, "params", `(module
		(global $small (mut f64) (f64.const 0))
		(global $seed (mut i64) (i64.const 0))
		(global $ready (mut i32) (i32.const 0))
		(func (export "param_small") (param f64) (global.set $small (local.get 0)))
		(func (export "param_large") (param f64) (global.set $small (f64.mul (global.get $small) (local.get 0)))) ;; after small
		(func (export "seed") (param i64) (global.set $seed (local.get 0)))
		(func (export "init") (param i64)
			(global.set $ready (i32.and (f64.eq (global.get $small) (f64.const 0.25)) (i64.eq (global.get $seed) (i64.const 7)))))
		(func (export "send") (param i32 i64) (result i32) (global.get $ready)))`)
	if got := strings.Join(m.Params(), " "); got != "small large" {
		t.Fatalf("Params() = %v, want small and large", got)
	}
	if _, _, err := Open(t.Context(), Config{
		Config: sim.Config{Capacity: 10, Params: map[string]float64{"smal": 1}}, Binary: m, Version: sim.Version{Engine: engines.Names(true)[0], ABI: Pair, Handle: SRS},
	}); err == nil || !strings.Contains(err.Error(), `no parameter "smal"`) {
		t.Errorf("a parameter that the module does not have: error %v", err)
	}
	for _, engine := range engines.Names(true) {
		r, _, err := Open(context.Background(), Config{
			Config: sim.Config{Capacity: 10, Seed: 7, Params: map[string]float64{"large": 2, "small": 0.125}},
			Binary: m, Version: sim.Version{Engine: engine, ABI: Pair, Handle: SRS},
		})
		if err != nil {
			t.Fatal(err)
		}
		hit := make([]bool, 1)
		if err := r.Replay(sim.Batch{Requests: make([]sim.Request, 1)}, hit); err != nil || !hit[0] {
			t.Errorf("%s: the module saw another parameter or seed (error %v)", engine, err)
		}
		r.Close()
	}
}

// TestTime checks that every convention whose record has the time passes it: a
// hit means that the guest saw the time 7.
func TestTime(t *testing.T) {
	const saw = `(i32.eq (i32.load offset=4 (local.get 0)) (i32.const 7))`
	m := assemble(t, "time", `(module (memory (export "memory") 3)
		(func (export "init") (param i64))
		(func (export "alloc") (param i32) (result i64) (i64.shl (i64.extend_i32_u (select (i32.const 16) (i32.const 150000) (i32.gt_u (local.get 0) (i32.const 8192)))) (i64.const 32)))
		(func (export "send_bytemuck") (param i32 i32) (result i32) `+saw+`)
		(func (export "send_bytemuck_static") (param i32 i32) (result i32) `+saw+`)
		(func (export "replay") (param i32 i32 i32) (i32.store8 (local.get 2) `+saw+`)))`)
	for _, engine := range engines.Names(true) {
		for _, abi := range []string{Bytemuck, BytemuckStatic, Batch} {
			for _, handle := range Handles {
				if !Combines(abi, handle) {
					continue
				}
				r := open(t, m, engine, abi, handle)
				for time := range uint32(9) {
					hit := make([]bool, 1)
					if err := r.Replay(sim.Batch{Requests: []sim.Request{{ID: 1, Time: time, Size: 1}}}, hit); err != nil {
						t.Fatal(err)
					}
					if hit[0] != (time == 7) {
						t.Errorf("%s/%s/%s: the guest saw another time than %d", engine, abi, handle, time)
					}
				}
				r.Close()
			}
		}
	}
}

// TestBatchesDoNotAllocate holds batch and driver to a few allocations a batch,
// which are none a request.
func TestBatchesDoNotAllocate(t *testing.T) {
	m, _ := Builtin("lru")
	reqs, hit := make([]sim.Request, chunk), make([]bool, chunk)
	for i := range reqs {
		reqs[i] = sim.Request{ID: uint32(i % 10), Size: 10}
	}
	for _, engine := range engines.Names(true) {
		if engine == "wazero-interpreter" { // which allocates a frame for every call in the guest
			continue
		}
		for _, v := range []struct{ abi, handle string }{{Batch, SRS}, {Pair, Driver}, {Bytemuck, Driver}, {BincodeStatic, Driver}} {
			r := open(t, m, engine, v.abi, v.handle)
			allocations := testing.AllocsPerRun(5, func() {
				if err := r.Replay(sim.Batch{Requests: reqs}, hit); err != nil {
					t.Fatal(err)
				}
			})
			r.Close()
			if allocations > chunk/100 {
				t.Errorf("%s/%s/%s: %.0f allocations for %d requests", engine, v.abi, v.handle, allocations, chunk)
			}
		}
	}
}
