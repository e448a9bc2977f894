package wasm_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

// onEachVersion calls f with each way to run b on the engines of this build.
func onEachVersion(t *testing.T, b *wasm.Binary, f func(t *testing.T, v sim.Version)) {
	abis, err := b.ABIs("")
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range engines.Names(true) {
		if wasm.Refuses(b, engine) != "" {
			continue
		}
		for _, abi := range abis {
			for _, handle := range wasm.Handles {
				if wasm.Combines(abi, handle) {
					v := sim.Version{Engine: engine, ABI: abi, Handle: handle}
					t.Run(v.String(), func(t *testing.T) { f(t, v) })
				}
			}
		}
	}
}

// built compiles a module in C or Rust of the folder more.
func built(t *testing.T, source string) *wasm.Binary {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "policy.wasm")
	more := filepath.Join("examples", "more")
	var c *exec.Cmd
	if strings.HasSuffix(source, ".c") {
		clang := "clang"
		if v := os.Getenv("CC"); v != "" {
			clang = v
		}
		if _, err := exec.LookPath("wasm-ld"); err != nil {
			t.Skip(err)
		}
		c = exec.Command(clang, "--target=wasm32", "-O3", "-ffreestanding", "-nostdlib", "-Wall", "-Werror", "-Wl,--no-entry",
			"-I", filepath.Join("examples", "c"), "-o", out, filepath.Join(more, source))
	} else {
		for _, path := range []string{filepath.Join(more, source), filepath.Join("examples", "rust", "kit.rs")} {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		rustc := "/usr/bin/rustc" // Debian's, which has the target
		if v := os.Getenv("RUSTC"); v != "" {
			rustc = v
		}
		if _, err := os.Stat(rustc); err != nil {
			t.Skip(err)
		}
		c = exec.Command(rustc, "--crate-type", "cdylib", "--edition", "2021", "--target", "wasm32-unknown-unknown",
			"-C", "opt-level=3", "-C", "panic=abort", "-C", "strip=debuginfo", "-o", out, filepath.Join(dir, source))
	}
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	b, err := wasm.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// withNext is a batch of all requests with their next accesses.
func withNext(reqs []sim.Request) sim.Batch {
	return sim.Batch{Requests: reqs, Next: simtest.NextAccess(reqs, nil)}
}

// TestOffline runs Belady's policy as a module, which is given the future, on every engine, in
// every convention, and expects the outcomes of the native one.
func TestOffline(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds modules")
	}
	reqs, _ := drifting(seed)
	reqs = slices.Clone(reqs[:20_000])
	for i := range reqs {
		reqs[i].Size = 1
	}
	b := withNext(reqs)
	c := sim.Config{Capacity: 60, Objects: objects}
	spec, _ := native.ByName("belady")
	want := make([]bool, len(reqs))
	if err := sim.Native(spec.New(c)).Replay(b, want); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"offline.c", "offline.rs"} {
		t.Run(source, func(t *testing.T) {
			m := built(t, source)
			if m.Needs() != sim.NeedsNext {
				t.Errorf("needs %b, want next accesses only", m.Needs())
			}
			onEachVersion(t, m, func(t *testing.T, v sim.Version) {
				n := len(reqs)
				if v.ABI == wasm.Pair && v.Handle != wasm.Driver {
					n = 2000 // a call for each
				}
				g, _, err := wasm.Open(t.Context(), wasm.Config{Config: c, Version: v, Binary: m})
				if err != nil {
					t.Fatal(err)
				}
				defer g.Close()
				hit := make([]bool, n)
				if err := g.Replay(b.Slice(0, n), hit); err != nil {
					t.Fatal(err)
				}
				for i := range hit {
					if hit[i] != want[i] {
						t.Fatalf("request %d: hit %t, want %t", i+1, hit[i], want[i])
					}
				}
				if err := g.Replay(sim.Batch{Requests: reqs[:1]}, hit[:1]); err == nil || !strings.Contains(err.Error(), "next_v1") {
					t.Errorf("without next accesses: %v", err)
				}
			})
		})
	}
}

// TestKeys runs a module that looks at the keys of objects and reports what it stores, and compares
// it with the same policy written here.
func TestKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds modules")
	}
	m := built(t, "keys.c")
	reqs, _ := drifting(seed)
	reqs = reqs[:10_000]
	key := func(object uint32) string {
		if object%3 == 0 {
			return fmt.Sprintf("/%s/%d.jpg", strings.Repeat("x", int(object)*7%3000), object)
		}
		return strings.Repeat("y", int(object)%5)
	}
	c := sim.Config{Capacity: 400_000, Objects: objects}
	want := make([]bool, len(reqs))
	var order []uint32
	var used, evictions, stored, bytes int64
	size := make(map[uint32]int64)
	for i, r := range reqs {
		at := slices.Index(order, r.ID)
		if want[i] = at >= 0; want[i] {
			order = append(slices.Delete(order, at, at+1), r.ID)
			continue
		}
		if !strings.HasSuffix(key(r.ID), ".jpg") {
			continue
		}
		for used+r.Size > c.Capacity {
			used -= size[order[0]]
			order = order[1:]
			evictions++
		}
		order = append(order, r.ID)
		size[r.ID] = r.Size
		used += r.Size
		stored++
		bytes += r.Size
	}
	onEachVersion(t, m, func(t *testing.T, v sim.Version) {
		g, _, err := wasm.Open(t.Context(), wasm.Config{Config: c, Version: v, Binary: m, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		hit := make([]bool, len(reqs))
		if err := g.Replay(sim.Batch{Requests: reqs}, hit); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(hit, want) {
			t.Error("other outcomes than the policy's written in Go")
		}
		if n := g.Counts(); n.Evictions != evictions || n.Admissions != stored || n.AdmittedBytes != bytes {
			t.Errorf("counts %+v, want %d evictions, %d objects of %d bytes stored", n, evictions, stored, bytes)
		}
		if n, ok := wasm.Used(g); !ok || n != used {
			t.Errorf("used %d, want %d", n, used)
		}
		if text := wasm.Said(g); v.Engine != "llvm" && text != key(0)+"\n" {
			t.Errorf("it logged %q, want %q", text, key(0))
		}
	})
	_, _, err := wasm.Open(context.Background(), wasm.Config{Config: c, Version: sim.Version{Engine: "wazero", ABI: wasm.Pair, Handle: wasm.SRS}, Binary: m})
	if err == nil || !strings.Contains(err.Error(), "keys of objects are not known") {
		t.Errorf("without keys: %v", err)
	}
}

// tickModule hits where a tick is the given number of nanoseconds.
const tickModule = `(module (global $hit (mut i32) (i32.const 0))
	(func (export "init") (param i64))
	(func (export "tick_v1") (param i64) (global.set $hit (i64.eq (local.get 0) (i64.const 1000000))))
	(func (export "send") (param i32 i64) (result i32) (global.get $hit)))`

// TestTick has a module told the unit of its times.
func TestTick(t *testing.T) {
	b, err := wasm.NewBinary("tick", wattest.Assemble(t, tickModule))
	if err != nil {
		t.Fatal(err)
	}
	for _, tick := range []time.Duration{0, time.Millisecond} {
		g, _, err := wasm.Open(t.Context(), wasm.Config{Config: sim.Config{Capacity: 1, Objects: 1, Tick: tick},
			Version: sim.Version{Engine: "wazero", ABI: wasm.Pair, Handle: wasm.SRS}, Binary: b})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		hit := make([]bool, 1)
		if err := g.Replay(sim.Batch{Requests: make([]sim.Request, 1)}, hit); err != nil || hit[0] != (tick == time.Millisecond) {
			t.Errorf("tick of %v: hit %t, %v", tick, hit[0], err)
		}
	}
}

// columnsModule stores nothing and returns a hit where the columns say so: bit 0 of the time, an
// operation that is a set, a time to live above 10.
const columnsModule = `(module (memory (export "memory") 4)
	(global $end (mut i32) (i32.const 1024))
	(global $t (mut i32) (i32.const 0)) (global $o (mut i32) (i32.const 0)) (global $l (mut i32) (i32.const 0))
	(global $i (mut i32) (i32.const 0)) (global $seen (mut i32) (i32.const 0))
	(func (export "init") (param i64))
	(func (export "alloc") (param i32) (result i64) (local i32)
		(local.set 1 (global.get $end))
		(global.set $end (i32.and (i32.add (i32.add (global.get $end) (local.get 0)) (i32.const 15)) (i32.const -16)))
		(i64.or (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32)) (i64.extend_i32_u (local.get 0))))
	(func (export "time_v1") (param i32 i32) (global.set $t (local.get 0)) (global.set $i (i32.const 0)))
	(func (export "op_v1") (param i32 i32) (global.set $o (local.get 0)))
	(func (export "ttl_v1") (param i32 i32) (global.set $l (local.get 0)))
	(func (export "remove") (param i32) (result i32) (i32.const 0))
	(func (export "send") (param i32 i64) (result i32) (local i32)
		(local.set 2 (global.get $i)) (global.set $i (i32.add (local.get 2) (i32.const 1)))
		(i32.or (i32.and (i32.load (i32.add (global.get $t) (i32.shl (local.get 2) (i32.const 2)))) (i32.const 1))
		(i32.or (i32.eq (i32.load8_u (i32.add (global.get $o) (local.get 2))) (i32.const 1))
			(i32.gt_u (i32.load (i32.add (global.get $l) (i32.shl (local.get 2) (i32.const 2)))) (i32.const 10))))))`

// TestColumns has a module answer with what it is given: times, operations and times to live.
func TestColumns(t *testing.T) {
	b, err := wasm.NewBinary("columns", wattest.Assemble(t, columnsModule))
	if err != nil {
		t.Fatal(err)
	}
	if want := sim.NeedsTime | sim.NeedsOps | sim.NeedsTTL; b.Needs() != want {
		t.Errorf("needs %b, want %b", b.Needs(), want)
	}
	const n = 3 * 8192 / 2 // more than a batch
	reqs, ops, ttl, want := make([]sim.Request, n), make([]sim.Op, n), make([]uint32, n), make([]bool, n)
	for i := range reqs {
		reqs[i] = sim.Request{ID: uint32(i % 10), Time: uint32(i * i % 7), Size: 1}
		ops[i], ttl[i] = sim.Op(i%5/4), uint32(i%23)
		want[i] = reqs[i].Time&1 == 1 || ops[i] == sim.Set || ttl[i] > 10
	}
	onEachVersion(t, b, func(t *testing.T, v sim.Version) {
		g, _, err := wasm.Open(t.Context(), wasm.Config{Config: sim.Config{Capacity: 100, Objects: 10}, Version: v, Binary: b})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		hit := make([]bool, n)
		if err := g.Replay(sim.Batch{Requests: reqs, Ops: ops, TTL: ttl}, hit); err != nil {
			t.Fatal(err)
		}
		for i := range hit {
			if hit[i] != want[i] {
				t.Fatalf("request %d at time %d, operation %v, time to live %d: hit %t, want %t", i+1, reqs[i].Time, ops[i], ttl[i], hit[i], want[i])
			}
		}
	})
	short := strings.Replace(columnsModule, `(export "alloc")`, "", 1)
	if b, _ = wasm.NewBinary("short", wattest.Assemble(t, short)); b.Valid("") == nil || !strings.Contains(b.Valid("").Error(), "alloc") {
		t.Errorf("without alloc: %v", b.Valid(""))
	}
	other := strings.Replace(columnsModule, `"time_v1") (param i32 i32)`, `"time_v1") (param i32 i32 i32)`, 1)
	if b, _ = wasm.NewBinary("other", wattest.Assemble(t, other)); b.Valid("") == nil || !strings.Contains(b.Valid("").Error(), "time_v1") {
		t.Errorf("another type of time_v1: %v", b.Valid(""))
	}
}

// changesModule reports one change for each request: what $what says of object $object.
const changesModule = `(module (memory (export "memory") 1)
	(func (export "init") (param i64))
	(func (export "remove") (param i32) (result i32) (i32.const 1))
	(func (export "changes_v1") (result i64) (i64.const 0x1000000002))
	(func (export "send") (param i32 i64) (result i32)
		(i32.store (i32.const 16) (i32.const OBJECT1)) (i32.store (i32.const 20) (i32.const WHAT1))
		(i32.store (i32.const 24) (i32.const OBJECT2)) (i32.store (i32.const 28) (i32.const WHAT2))
		(i32.const HIT)))`

// TestChanges has modules report what cannot be.
func TestChanges(t *testing.T) {
	tests := []struct{ object1, what1, object2, what2, hit, want string }{
		{"0", "1", "0", "2", "0", ""},
		{"0", "1", "0", "2", "1", "a hit on object 0, which by its changes is not in the cache"},
		{"0", "1", "0", "1", "0", "it stores object 0, which is in the cache"},
		{"0", "2", "0", "1", "0", "it evicts object 0, which is not in the cache"},
		{"0", "1", "1", "1", "0", "object 1 was never requested"},
		{"0", "1", "7000", "2", "0", "object 7000 was never requested"},
		{"0", "3", "0", "2", "0", "change 3"},
	}
	for _, tt := range tests {
		text := strings.NewReplacer("OBJECT1", tt.object1, "WHAT1", tt.what1, "OBJECT2", tt.object2, "WHAT2", tt.what2, "HIT", tt.hit).Replace(changesModule)
		b, err := wasm.NewBinary("changes", wattest.Assemble(t, text))
		if err != nil {
			t.Fatal(err)
		}
		g, _, err := wasm.Open(t.Context(), wasm.Config{Config: sim.Config{Capacity: 100, Objects: 10},
			Version: sim.Version{Engine: "wazero", ABI: wasm.Pair, Handle: wasm.SRS}, Binary: b})
		if err != nil {
			t.Fatal(err)
		}
		err = g.Replay(sim.Batch{Requests: []sim.Request{{ID: 0, Size: 60}}}, make([]bool, 1))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v", tt, err)
		}
		g.Close()
	}
	// Two objects of 60 do not fit 100, and remove must agree.
	text := strings.NewReplacer("OBJECT1", "0", "WHAT1", "1", "OBJECT2", "1", "WHAT2", "1", "HIT", "0").Replace(changesModule)
	b, err := wasm.NewBinary("changes", wattest.Assemble(t, text))
	if err != nil {
		t.Fatal(err)
	}
	open := func() sim.Replayer {
		g, _, err := wasm.Open(t.Context(), wasm.Config{Config: sim.Config{Capacity: 100, Objects: 10},
			Version: sim.Version{Engine: "wazero", ABI: wasm.Pair, Handle: wasm.Driver}, Binary: b})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	g := open()
	defer g.Close()
	err = g.Replay(sim.Batch{Requests: []sim.Request{{ID: 0, Size: 60}, {ID: 1, Size: 60}}}, make([]bool, 2))
	if err == nil || !strings.Contains(err.Error(), "with object 1 it has 120 in a cache of 100") {
		t.Errorf("more than its capacity: %v", err)
	}
	g = open()
	defer g.Close()
	if _, err := g.Remove(5); err == nil || !strings.Contains(err.Error(), "object 5") {
		t.Errorf("it removes what it never stored: %v", err)
	}
}

// TestDeclaredParams reads the parameters that a module describes.
func TestDeclaredParams(t *testing.T) {
	module := func(text string) *wasm.Binary {
		b, err := wasm.NewBinary("params", wattest.Assemble(t, fmt.Sprintf(`(module (memory (export "memory") 1) (data (i32.const 8) "%s")
			(func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) (i32.const 0))
			(func (export "param_small") (param f64)) (func (export "param_k") (param f64))
			(func (export "params_v1") (result i64) (i64.const %d)))`, strings.ReplaceAll(text, "\n", `\n`), 8<<32|len(text))))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	got, err := module("k 2 1 9 requests that are kept\nsmall 0.1 0 1 share of the  small queue\n").Declared()
	want := []sim.Param{{Name: "k", Default: 2, Min: 1, Max: 9, Doc: "requests that are kept"},
		{Name: "small", Default: 0.1, Min: 0, Max: 1, Doc: "share of the small queue"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for text, want := range map[string]string{
		"k 2 1 9":                           "does not describe param_small",
		"k 2 1 9\nsmall 2 0 1":              "not between",
		"k 2 1 9\nsmall x 0 1":              "not a number",
		"k 2 1 9\nsmall 0.5 0":              "NAME DEFAULT MIN MAX",
		"k 2 1 9\nk 2 1 9\nsmall 0 0 1":     "twice",
		"k 2 1 9\nsmall 0 0 1\nlarge 1 0 1": "does not export param_large",
	} {
		if _, err := module(text).Declared(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
	}
	endless, err := wasm.NewBinary("endless", wattest.Assemble(t, `(module (memory (export "memory") 1)
		(func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) (i32.const 0))
		(func (export "params_v1") (result i64) (loop (br 0)) unreachable))`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := endless.Declared(); err == nil {
		t.Error("a module that never returns its text has parameters")
	}
}
