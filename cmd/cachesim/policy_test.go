package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	wasm "cachesim/policies-wasm"
)

// guestFile writes an embedded guest to a file.
func guestFile(t *testing.T, name string) string {
	t.Helper()
	b, ok := wasm.Builtin(name)
	if !ok {
		t.Fatal(name)
	}
	return file(t, name+".wasm", b.Bytes)
}

func TestPolicyShow(t *testing.T) {
	stdout, stderr, code := cachesim("policy", "show", guestFile(t, "s3fifo"))
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"s3fifo.wasm\n", "ABIs        pair, bincode", "parameter   small", "imports     none", "growing up to --guest-memory", "remove      removes an object"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
	path := module(t, "odd.wasm", `(module (import "host" "odd" (func)) (memory 1 2) (func (export "init") (param i64)))`)
	stdout, _, code = cachesim("policy", "show", path)
	for _, want := range []string{"ABIs        none: it supports no calling convention", "imports     host.odd", "memory      64 KiB, at most 128 KiB, not exported"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, no %q in:\n%s", code, want, stdout)
		}
	}
	if _, stderr, code = cachesim("policy", "show", file(t, "text.wasm", []byte("text"))); code != 1 || !strings.Contains(stderr, "not a WebAssembly module") {
		t.Errorf("what is no module: exit %d, %s", code, stderr)
	}
	for _, args := range [][]string{{"show"}, {"show", "lru"}, {"check"}, {"check", "lru"}, {"check", "x.wasm", "--engine", "native"}, {"new"}, {"new", "a"}, {"new", "a", "--lang", "rusty"},
		{"new", "a", "--lang", "c", "--scaffold", "heap"}, {"new", "a", "--lang", "go", "--scaffold", "priority"}, {"new", "a", "--lang", "c", "--scaffold", "priority", "--from", "lru"},
		{"shw"}} {
		if _, stderr, code := cachesim(append([]string{"policy"}, args...)...); code != 2 || stderr == "" {
			t.Errorf("policy %v: exit %d, %s, want 2", args, code, stderr)
		}
	}
}

func TestPolicyCheck(t *testing.T) {
	stdout, stderr, code := cachesim("policy", "check", guestFile(t, "lru"), "--engine", "wazero")
	if code != 0 || strings.Contains(stdout, "FAIL") || !strings.Contains(stdout, " 0 failed") || !strings.Contains(stdout, "ns per request") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	path := module(t, "hits.wasm", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 1))`)
	stdout, _, code = cachesim("policy", "check", path)
	if code != 1 || !strings.Contains(stdout, "FAIL  engine") || !strings.Contains(stdout, "request 1, for object 0 of 1 bytes: expected a miss") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	path = module(t, "loops.wasm", `(module (func (export "init") (param i64) (loop (br 0))) (func (export "send") (param i32 i64) (result i32) i32.const 1))`)
	stdout, _, code = cachesim("policy", "check", path, "--timeout", "200ms")
	if code != 1 || !strings.Contains(stdout, "got none for 200ms") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

// TestPolicyNew writes a project with the command; the package examples builds one
// in each language.
func TestPolicyNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mine")
	stdout, stderr, code := cachesim("policy", "new", "mine", "--lang", "c", "--out", dir)
	if code != 0 || !strings.Contains(stdout, "build.sh") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	b, err := os.ReadFile(filepath.Join(dir, "build.sh"))
	if err != nil || !strings.Contains(string(b), "mine.wasm") {
		t.Errorf("build.sh: %v: %s", err, b)
	}
	if _, stderr, code = cachesim("policy", "new", "mine", "--lang", "c", "--out", dir); code != 2 || !strings.Contains(stderr, "not empty") {
		t.Errorf("again: exit %d: %s", code, stderr)
	}
}
