package wasm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// TestWASI runs a module that asks WASI for what runtimes ask, and checks each
// answer in the guest: a hit means that all were right.
func TestWASI(t *testing.T) {
	m := assemble(t, "wasi", `(module
		(import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
		(import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
		(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
		(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
		(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
		(import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
		(import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fdstat (param i32 i32) (result i32)))
		(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
		(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
		(memory (export "memory") 1)
		(data (i32.const 100) "\80\00\00\00\05\00\00\00") ;; a vector: 5 bytes at 128
		(data (i32.const 128) "alas!")
		(global $ok (mut i32) (i32.const 1))
		(func $want (param i32) (global.set $ok (i32.and (global.get $ok) (local.get 0))))
		(func (export "_initialize")
			(i32.store (i32.const 0) (i32.const 9))
			(call $want (i32.eqz (call $args (i32.const 0) (i32.const 4))))
			(call $want (i32.eqz (i32.load (i32.const 0))))
			(call $want (i32.eqz (call $environ (i32.const 0) (i32.const 4))))
			(call $want (i32.eqz (call $clock (i32.const 1) (i64.const 0) (i32.const 16))))
			(call $want (i64.eq (i64.load (i32.const 16)) (i64.const 946684800000000000)))
			(call $want (i32.eqz (call $random (i32.const 24) (i32.const 8))))
			(call $want (i64.ne (i64.load (i32.const 24)) (i64.const 0)))
			(call $want (i32.eqz (call $fdstat (i32.const 1) (i32.const 32))))
			(call $want (i32.eq (call $prestat (i32.const 3) (i32.const 32)) (i32.const 8)))
			(call $want (i32.eqz (call $poll (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 64))))
			(call $want (i32.eq (i32.load (i32.const 64)) (i32.const 1))))
		(func (export "init") (param i64)
			(call $want (i32.eqz (call $write (i32.const 2) (i32.const 100) (i32.const 1) (i32.const 108))))
			(call $want (i32.eq (i32.load (i32.const 108)) (i32.const 5))))
		(func (export "send") (param $id i32) (param i64) (result i32)
			(if (i32.eq (local.get $id) (i32.const 1)) (then unreachable))
			(if (i32.eq (local.get $id) (i32.const 2)) (then
				(call $want (i32.eq (call $random (i32.const 65530) (i32.const 100)) (i32.const 21))) ;; fault
				(call $exit (i32.const 3))))
			(global.get $ok)))`)
	for _, engine := range engines.Names(true) {
		if engine == "llvm" {
			if why := Refuses(m, engine); !strings.Contains(why, "--engine") {
				t.Errorf("llvm: the module is not refused from its imports: %q", why)
			}
			if _, err := tryOpen(m, engine, Pair, SRS); err == nil || !strings.Contains(err.Error(), "--engine") {
				t.Errorf("llvm: error %v, want a refusal that names --engine", err)
			}
			continue
		}
		if why := Refuses(m, engine); why != "" {
			t.Errorf("%s refuses it: %s", engine, why)
		}
		for _, handle := range Handles {
			serve := func(id uint32) (bool, error) {
				r := open(t, m, engine, Pair, handle)
				defer r.Close()
				hit := make([]bool, 1)
				err := r.Replay(sim.Batch{Requests: []sim.Request{{ID: id}}}, hit)
				return hit[0], err
			}
			if hit, err := serve(0); err != nil || !hit {
				t.Errorf("%s, %s: the guest was told otherwise than it should (error %v)", engine, handle, err)
			}
			if _, err := serve(1); err == nil || !strings.Contains(err.Error(), "the guest wrote: alas!") {
				t.Errorf("%s, %s: the error does not tell what the guest wrote: %v", engine, handle, err)
			}
			if _, err := serve(2); err == nil || !strings.Contains(err.Error(), "the guest exited with code 3") {
				t.Errorf("%s, %s: the error does not tell that the guest exited: %v", engine, handle, err)
			}
		}
	}
}

func TestImportsRefused(t *testing.T) {
	const rest = `(func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 0)`
	tests := []struct{ imports, want string }{
		{`(import "env" "log" (func (param i32)))`, "env.log"},
		{`(import "wasi_snapshot_preview1" "path_open" (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))`, "path_open"},
		{`(import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))`, "proc_exit as (i64) -> () (want (i32) -> ())"},
		{`(import "env" "memory" (memory 1))`, "env.memory"},
		{`(import "env" "abort" (func (param i32)))`, "env.abort as (i32) -> () (want (i32, i32, i32, i32) -> ())"},
		{`(import "\1b[31m" "red" (func))`, `\x1b[31m.red`},
	}
	for _, tt := range tests {
		_, err := tryOpen(assemble(t, "imports", "(module "+tt.imports+rest+")"), engines.Names(true)[0], Pair, SRS)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.imports, err, tt.want)
		}
	}
}

// TestGoGuest runs a policy that the Go compiler made for WASI.
func TestGoGuest(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a Go module for WASI")
	}
	dir := t.TempDir()
	source := `package main

var seen = map[uint32]bool{}

//go:wasmexport init
func initialise(capacity int64) { seen = map[uint32]bool{} }

//go:wasmexport send
func send(id uint32, size int64) uint32 {
	if seen[id] {
		return 1
	}
	seen[id] = true
	return 0
}

func main() {}
`
	for name, text := range map[string]string{"main.go": source, "go.mod": "module guest\n\ngo 1.24\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", "guest.wasm", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m, err := ReadFile(filepath.Join(dir, "guest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	reqs := []sim.Request{{ID: 5}, {ID: 5}, {ID: 6}, {ID: 5}}
	for _, engine := range engines.Names(true) {
		if engine == "singlepass" || engine == "llvm" { // no reference types; no WASI
			continue
		}
		r, _, err := Open(t.Context(), Config{Config: sim.Config{Capacity: 10}, Binary: m, Version: sim.Version{Engine: engine, ABI: Pair, Handle: Driver}, Memory: 1 << 30})
		if err != nil {
			t.Errorf("%s: %v", engine, err)
			continue
		}
		hit := make([]bool, len(reqs))
		if err := r.Replay(sim.Batch{Requests: reqs}, hit); err != nil {
			t.Errorf("%s: %v", engine, err)
		}
		if hit[0] || !hit[1] || hit[2] || !hit[3] {
			t.Errorf("%s: outcomes %v", engine, hit)
		}
		r.Close()
	}
}
