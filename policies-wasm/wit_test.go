package wasm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	native "cachesim/policies-native"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
)

// witModule caches the object that was requested last, if the seed and the number
// of objects are those of the test. Its exports have the names and types that the
// canonical ABI gives to those of policy.wit.
const witModule = `(module (memory (export "memory") 1)
	(global $last (mut i32) (i32.const -1))
	(global $ok (mut i32) (i32.const 0))
	(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
	(func (export "cachesim:policy/policy@1.0.0#init") (param i64 i32 i64)
		(global.set $ok (i32.and (i64.eq (local.get 0) (i64.const 0x100000002)) (i32.and (i32.eq (local.get 1) (i32.const 3)) (i64.eq (local.get 2) (i64.const 77))))))
	(func (export "cachesim:policy/policy@1.0.0#send") (param i32 i64) (result i32)
		(if (i64.ne (local.get 1) (i64.const 0x100000001)) (then unreachable))
		(i32.and (global.get $ok) (i32.eq (local.get 0) (global.get $last)))
		(global.set $last (local.get 0))))`

// section writes a section of a module or a component.
func section(id byte, content []byte) []byte {
	return append(binary.AppendUvarint([]byte{id}, uint64(len(content))), content...)
}

// component wraps sections as a component, with a custom section before them.
func component(sections ...[]byte) []byte {
	return slices.Concat(append([][]byte{componentPreamble, section(0, []byte("\x04name"))}, sections...)...)
}

// TestWIT runs a module with the names of policy.wit, and a component of it, on every
// engine with every handle.
func TestWIT(t *testing.T) {
	core := wattest.Assemble(t, witModule)
	for name, code := range map[string][]byte{
		"module":    core,
		"component": component(section(1, core), section(7, []byte{0}), section(4, component(section(7, []byte{0}))), section(11, []byte{0})),
	} {
		m, err := NewBinary(name, code)
		if err != nil {
			t.Fatal(err)
		}
		if abis, err := m.ABIs(""); err != nil || !slices.Equal(abis, []string{WIT}) {
			t.Fatalf("%s: ABIs %v, %v", name, abis, err)
		}
		if !bytes.Equal(m.Bytes, core) {
			t.Errorf("%s: its core module changed", name)
		}
		for _, engine := range engines.Names(true) {
			for _, handle := range Handles {
				r, _, err := Open(t.Context(), Config{
					Config: sim.Config{Capacity: 1<<32 + 2, Objects: 3, Seed: 77}, Binary: m, Memory: 1 << 20, Stoppable: true,
					Version: sim.Version{Engine: engine, ABI: WIT, Handle: handle},
				})
				if err != nil {
					t.Errorf("%s on %s/%s: %v", name, engine, handle, err)
					continue
				}
				var reqs []sim.Request
				for _, id := range []uint32{0, 0, 1, 2, 2, 2, 0} {
					reqs = append(reqs, sim.Request{ID: id, Size: 1<<32 + 1})
				}
				hit := make([]bool, len(reqs))
				err = r.Replay(sim.Batch{Requests: reqs}, hit)
				if want := []bool{false, true, false, false, true, true, false}; err != nil || !slices.Equal(hit, want) {
					t.Errorf("%s on %s/%s: outcomes %v, want %v (error %v)", name, engine, handle, hit, want, err)
				}
				r.Close()
			}
		}
	}
}

// TestWITTools runs a component that wasm-tools made of policy.wit and
// testdata/wit/last.wat: testdata/wit/build.mjs says how.
func TestWITTools(t *testing.T) {
	m, err := ReadFile("testdata/wit/last.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range engines.Names(true) {
		r, _, err := Open(t.Context(), Config{
			Config: sim.Config{Capacity: 10, Objects: 2}, Binary: m, Memory: 1 << 20, Stoppable: true,
			Version: sim.Version{Engine: engine, ABI: WIT, Handle: Driver},
		})
		if err != nil {
			t.Errorf("%s: %v", engine, err)
			continue
		}
		hit := make([]bool, 4)
		err = r.Replay(sim.Batch{Requests: []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 1}, {ID: 1, Size: 1}, {ID: 0, Size: 1}}}, hit)
		if want := []bool{false, false, true, false}; err != nil || !slices.Equal(hit, want) {
			t.Errorf("%s: outcomes %v, want %v (error %v)", engine, hit, want, err)
		}
		r.Close()
	}
}

// TestComponentCalls has Wasmtime call a component as such, and compares each outcome with that of
// the native policy and of the component's core module.
func TestComponentCalls(t *testing.T) {
	const objects, capacity = 500, 20_000
	code, err := os.ReadFile("testdata/wit/lru.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(engines.Names(true), "wasmtime") {
		t.Skip("Wasmtime is not in this build, or its library is not built")
	}
	c, err := engines.OpenComponent(code)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start, err := c.Function(witInterface, "init", "UuU", 0)
	if err != nil {
		t.Fatal(err)
	}
	send, err := c.Function(witInterface, "send", "uU", 'b')
	if err != nil {
		t.Fatal(err)
	}
	if err := start.Call([]uint64{capacity, objects, 0}); err != nil {
		t.Fatal(err)
	}
	m, err := NewBinary("lru", code)
	if err != nil {
		t.Fatal(err)
	}
	config := sim.Config{Capacity: capacity, Objects: objects}
	core, _, err := Open(t.Context(), Config{
		Config: config, Binary: m, Memory: 1 << 26, Version: sim.Version{Engine: "wasmtime", ABI: WIT, Handle: Driver},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	spec, _ := native.ByName("lru")
	policy := sim.Native(spec.New(config))
	rng := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(rng, 1.1, 4, objects-1)
	reqs := make([]sim.Request, 20_000)
	for i := range reqs {
		id := uint32(zipf.Uint64())
		reqs[i] = sim.Request{ID: id, Size: int64(id%97) * 11}
	}
	want, of := make([]bool, len(reqs)), make([]bool, len(reqs))
	if err := errors.Join(policy.Replay(sim.Batch{Requests: reqs}, want), core.Replay(sim.Batch{Requests: reqs}, of)); err != nil {
		t.Fatal(err)
	}
	hits := 0
	for i, r := range reqs {
		stack := []uint64{uint64(r.ID), uint64(r.Size)}
		if err := send.Call(stack); err != nil {
			t.Fatal(err)
		}
		if got := stack[0] != 0; got != want[i] || of[i] != want[i] {
			t.Fatalf("request %d: the component says %v, its core module %v, the native policy %v", i+1, got, of[i], want[i])
		}
		if want[i] {
			hits++
		}
	}
	if hits == 0 || hits == len(reqs) {
		t.Errorf("%d hits of %d tell nothing", hits, len(reqs))
	}
	wrong, err := c.Function(witInterface, "send", "iU", 'b')
	if err != nil {
		t.Fatal(err)
	}
	if wrong.Call([]uint64{1, 1}) == nil {
		t.Error("an argument of another type is taken")
	}
	for _, bad := range []struct{ exported, name, want string }{{"nothing", "send", "does not export"}, {witInterface, "receive", "no such function"}} {
		if _, err := c.Function(bad.exported, bad.name, "uU", 'b'); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s of %s: error %v, want %q", bad.name, bad.exported, err, bad.want)
		}
	}
	if _, err := engines.OpenComponent([]byte("no component")); err == nil {
		t.Error("what is no component is opened")
	}
}

// TestComponents refuses those that cannot be called as their core module.
func TestComponents(t *testing.T) {
	deep := component()
	for range 200 {
		deep = component(section(4, deep))
	}
	core := []byte("\x00asm\x01\x00\x00\x00")
	for _, tt := range []struct {
		code []byte
		want string
	}{
		{component(section(1, core), section(1, core)), "of 2 core modules"},
		{component(section(1, core), section(4, component(section(1, core)))), "of 2 core modules"},
		{deep, "more than 100 levels"},
		{component(section(4, component())), "without a core module"},
		{component(section(4, core)), "is not a component"},
		{component(section(1, core), section(4, component([]byte{1, 9}))), "beyond the end"},
		{component(), "without a core module"},
		{component([]byte{1, 100}), "beyond the end"},
		{component([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}), "beyond the end"},
		{component([]byte{1}), "beyond the end"},
		{component(section(1, component())), "version 1"},
	} {
		m, err := NewBinary("component", tt.code)
		if err == nil {
			t.Fatalf("%q is read", tt.code)
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.code, err, tt.want)
		}
		if m == nil || len(m.SHA256) != 64 {
			t.Errorf("%q: it has no hash", tt.code)
		}
	}
}

// TestWITFile compares the published interface with the names that are called.
func TestWITFile(t *testing.T) {
	b, err := os.ReadFile("wit/policy.wit")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"package cachesim:policy@1.0.0;", "interface policy {", "init: func(capacity: u64, objects: u32, seed: u64);", "send: func(object: u32, size: u64) -> bool;"} {
		if !strings.Contains(string(b), line) {
			t.Errorf("no %q in policy.wit", line)
		}
	}
}
