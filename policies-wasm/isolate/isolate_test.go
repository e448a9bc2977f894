package isolate

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
)

// TestMain lets tests start this binary as the process of a guest.
func TestMain(m *testing.M) {
	if os.Getenv("CACHESIM_TEST_GUEST") != "" {
		_ = Serve(os.Stdin, os.Stdout, func() { os.Exit(0) })
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func open(t *testing.T, ctx context.Context, c wasm.Config) (*guest, error) {
	t.Helper()
	t.Setenv("CACHESIM_TEST_GUEST", "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, setup, err := Open(ctx, c, self)
	if err != nil {
		return nil, err
	}
	if setup.Instantiate <= 0 {
		t.Errorf("set-up took %v", setup)
	}
	g := r.(*guest)
	t.Cleanup(func() { g.Close() })
	return g, nil
}

func module(t *testing.T, wat string) *wasm.Binary {
	t.Helper()
	b, err := wasm.NewBinary("test", wattest.Assemble(t, wat))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pair(engine string) sim.Version {
	return sim.Version{Engine: engine, ABI: wasm.Pair, Handle: wasm.SRS}
}

// TestSame compares a guest in a process of its own with the same in this one, on
// every engine: outcomes, removals, counts and the text of a trap.
func TestSame(t *testing.T) {
	lru, _ := wasm.Builtin("lru")
	traps := module(t, `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32)
		(if (i32.eq (local.get 0) (i32.const 3)) (then unreachable)) i32.const 0))`)
	for _, engine := range engines.Names(true) {
		c := wasm.Config{Config: sim.Config{Capacity: 500, Objects: 40}, Version: pair(engine), Binary: lru, Memory: 1 << 24}
		here, _, err := wasm.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		there, err := open(t, t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for range 20 {
			reqs := make([]sim.Request, 1+rng.IntN(sim.BatchSize))
			for i := range reqs {
				id := rng.Uint32N(40)
				reqs[i] = sim.Request{ID: id, Size: int64(id) + 20}
			}
			a, b := make([]bool, len(reqs)), make([]bool, len(reqs))
			if err := here.Replay(sim.Batch{Requests: reqs}, a); err != nil {
				t.Fatal(err)
			}
			before := there.Spent()
			if err := there.Replay(sim.Batch{Requests: reqs}, b); err != nil {
				t.Fatal(err)
			}
			if there.Spent() <= before {
				t.Errorf("%s: a batch took no time", engine)
			}
			for i := range a {
				if a[i] != b[i] {
					t.Fatalf("%s: request %d is %v here and %v there", engine, i, a[i], b[i])
				}
			}
			was, err := here.Remove(reqs[0].ID)
			is, second := there.Remove(reqs[0].ID)
			if was != is || err != nil || second != nil {
				t.Errorf("%s: a removal is %v here and %v there (%v, %v)", engine, was, is, err, second)
			}
		}
		if a, b := here.Counts(), there.Counts(); a != b {
			t.Errorf("%s: counts %+v here, %+v there", engine, a, b)
		}
		here.Close()

		c.Binary = traps
		here, _, err = wasm.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		there, err = open(t, t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		reqs := []sim.Request{{ID: 1}, {ID: 3}}
		a, b := here.Replay(sim.Batch{Requests: reqs}, make([]bool, 2)), there.Replay(sim.Batch{Requests: reqs}, make([]bool, 2))
		if a == nil || b == nil || a.Error() != b.Error() {
			t.Errorf("%s: a trap is %v here and %v there", engine, a, b)
		}
		if here.CanRemove() || there.CanRemove() {
			t.Errorf("%s: it can remove", engine)
		}
		here.Close()
	}
	if _, err := open(t, t.Context(), wasm.Config{Config: sim.Config{Capacity: 1}, Version: pair("wazero"), Binary: module(t, `(module (import "a" "b" (func)) (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 0))`)}); err == nil || !strings.Contains(err.Error(), "a.b") {
		t.Errorf("a module with an unknown import: %v", err)
	}
}

// TestDeath ends the process of a guest in the middle of a batch by a signal, as a
// crash of a runtime and the system for want of memory do: one line says so, and
// the guest of another process goes on.
func TestDeath(t *testing.T) {
	loops := module(t, `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32)
		(if (i32.eq (local.get 0) (i32.const 9)) (then (loop (br 0)))) i32.const 0))`)
	for _, engine := range engines.Names(true) {
		for signal, want := range map[syscall.Signal]string{
			syscall.SIGKILL: "requests 2 to 2: the guest's process died (signal: killed, sent by somebody, or by the system because memory was short)",
			syscall.SIGSEGV: "requests 2 to 2: the guest's process died (", // a runtime's handler may report it otherwise
		} {
			c := wasm.Config{Config: sim.Config{Capacity: 10, Objects: 10}, Version: pair(engine), Binary: loops}
			good, err := open(t, t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			bad, err := open(t, t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			one := func(g *guest, id uint32) error {
				return g.Replay(sim.Batch{Requests: []sim.Request{{ID: id, Size: 1}}}, make([]bool, 1))
			}
			if err := one(bad, 1); err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() { done <- one(bad, 9) }()
			if err := bad.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			// Go takes a SIGSEGV that was sent for one of its own faults only where
			// it is in its code; in a guest's code it may go unseen until it is sent again.
			var got error
			for got == nil {
				select {
				case got = <-done:
				default:
					runtime.Gosched()
					_ = bad.cmd.Process.Signal(signal)
				}
			}
			if !strings.HasPrefix(got.Error(), want) || strings.Contains(got.Error(), "\n") {
				t.Errorf("%s, %v:\n got %v\nwant %s", engine, signal, got, want)
			}
			if err := one(bad, 1); err == nil {
				t.Errorf("%s: a dead guest answers", engine)
			}
			if bad.Counts().Evictions != -1 {
				t.Errorf("%s: a dead guest counts", engine)
			}
			if err := one(good, 1); err != nil {
				t.Errorf("%s: another guest: %v", engine, err)
			}
		}
	}
}

// TestCancel ends the process of a guest that loops and cannot be stopped.
func TestCancel(t *testing.T) {
	loops := module(t, `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) (loop (br 0)) i32.const 0))`)
	for _, engine := range engines.Names(true) {
		ctx, cancel := context.WithCancel(t.Context())
		g, err := open(t, ctx, wasm.Config{Config: sim.Config{Capacity: 10, Objects: 10}, Version: pair(engine), Binary: loops})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- g.Replay(sim.Batch{Requests: make([]sim.Request, 1)}, make([]bool, 1)) }()
		cancel()
		if err := <-done; err == nil {
			t.Errorf("%s: the loop ended without an error", engine)
		}
	}
}

// TestBrokenFrames has a child that is sent what no parent sends answer or end,
// and a parent refuse what no child sends.
func TestBrokenFrames(t *testing.T) {
	for _, in := range []string{"", "r", "r\x00\x00\x00\x00", "o\x02\x00\x00\x00{}", "o\x01\x00\x00\x00{", "x\x00\x00\x00\x00", "r\xff\xff\xff\xff"} {
		r, w := io.Pipe()
		ended := make(chan bool)
		go func() {
			_ = Serve(strings.NewReader(in), w, func() { w.Close() })
		}()
		go func() {
			b, _ := io.ReadAll(r)
			ended <- len(b) == 0 || b[0] == kindError
		}()
		if !<-ended {
			t.Errorf("%q is answered as if it were right", in)
		}
	}
	for i, b := range [][]byte{nil, {0, 1, 0, 0, 0}, {1, 1, 0, 0, 0, 1, 2, 3}} {
		if err := decodeBatch(b, &sim.Batch{}, func(key) {}); err == nil {
			t.Errorf("batch %d is read", i)
		}
	}
	b := sim.Batch{Requests: []sim.Request{{ID: 1, Time: 2, Size: 1 << 40}, {ID: 3}}, Next: []uint32{7, sim.Never}, Ops: []sim.Op{sim.Set, sim.Get}, TTL: []uint32{0, 9}}
	keys := []key{{1, ""}, {3, "http://example.org/"}}
	for range 2 { // with all columns, and then with none
		var back sim.Batch
		var known []key
		if err := decodeBatch(appendBatch(nil, b, keys), &back, func(k key) { known = append(known, k) }); err != nil || !reflect.DeepEqual(back, b) || !slices.Equal(known, keys) {
			t.Errorf("%v, %v comes back as %v, %v (%v)", b, keys, back, known, err)
		}
		if err := decodeBatch(appendBatch(nil, b, keys)[:len(b.Requests)*recordSize], &back, func(key) {}); err == nil {
			t.Error("a cut batch is read")
		}
		b, keys = sim.Batch{Requests: b.Requests}, nil
	}
}

// TestContract has a module ask for keys and operations, and log.
func TestContract(t *testing.T) {
	m := module(t, `(module (import "cachesim" "log" (func $log (param i32 i32))) (memory (export "memory") 4)
		(global $free (mut i32) (i32.const 1024))
		(func (export "init") (param i64))
		(func (export "alloc") (param i32) (result i64)
			(i64.shl (i64.extend_i32_u (global.get $free)) (i64.const 32))
			(global.set $free (i32.add (global.get $free) (local.get 0))))
		(func (export "key_v1") (param i32 i32 i32) (call $log (local.get 1) (local.get 2)))
		(func (export "send") (param i32 i64) (result i32) i32.const 0))`)
	g, err := open(t, t.Context(), wasm.Config{Config: sim.Config{Capacity: 10, Objects: 3}, Version: pair("wazero"), Binary: m,
		Key: func(id uint32) string { return fmt.Sprintf("key %d.", id) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Replay(sim.Batch{Requests: []sim.Request{{ID: 0}, {ID: 1}, {ID: 0}, {ID: 2}}}, make([]bool, 4)); err != nil {
		t.Fatal(err)
	}
	if got := wasm.Said(g); strings.Join(strings.Fields(got), " ") != "key 0. key 1. key 2." {
		t.Errorf("it said %q", got)
	}
}
