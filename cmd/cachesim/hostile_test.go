package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
)

// TestHostileFolder runs a folder of modules that do what they should not beside
// good ones, on every engine: the good ones have the results that they have alone,
// and each of the others fails with a line of its own.
func TestHostileFolder(t *testing.T) {
	send := func(body string) string {
		return `(module (memory (export "memory") 1) (func $again (param i32) (result i32) (i32.add (i32.const 1) (call $again (local.get 0))))
			(func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) ` + body + `))`
	}
	const rest = `(func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 0)`
	hostile := map[string]string{
		"recursion": send("(call $again (i32.const 0))"),
		"grows":     send("(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable"),
		"hits":      send("(i32.const 1)"),
		"loops":     send("(loop (br 0)) i32.const 0"),
		"start":     `(module (func $s (loop (br 0))) (start $s) ` + rest + `)`,
		"table":     `(module (table 100000000 funcref) ` + rest + `)`,
		"memory":    `(module (memory 65535) ` + rest + `)`,
		"imports":   "(module " + strings.Repeat(`(import "host" "f" (func))`, 5000) + rest + ")",
	}
	dir := t.TempDir()
	var policies []string
	for name, wat := range hostile {
		policies = append(policies, filepath.Join(dir, name+".wasm"))
		if err := os.WriteFile(policies[len(policies)-1], wattest.Assemble(t, wat), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(policies)
	policies = append(policies, guestFile(t, "lru"), "sieve")
	on := engines.Names(true)
	out := t.TempDir()
	_, stderr, code := cachesim("run", smallTrace(t, 3000), "--policy", strings.Join(policies, ","), "--size", "5000", "--engine", "native,"+strings.Join(on, ","),
		"--abi", "pair", "--handle", "driver", "--timing-requests", "none", "--guest-timeout", "3s", "--guest-memory", "64MiB", "--quiet", "--format", "svg", "--out", out)
	if code != 1 {
		t.Errorf("exit %d", code)
	}
	hits := make(map[string][]string)
	for _, row := range readCSV(t, out, "results.csv") {
		hits[row["policy"]] = append(hits[row["policy"]], row["hits"])
	}
	if lru := hits["lru.wasm"]; len(lru) != len(on) || len(slices.Compact(lru)) != 1 {
		t.Errorf("lru.wasm has hits %v on %d engines", lru, len(on))
	}
	if sieve := hits["sieve"]; len(sieve) != len(on)+1 || len(slices.Compact(sieve)) != 1 {
		t.Errorf("sieve has hits %v on %d engines and natively", sieve, len(on))
	}
	if want := fmt.Sprintf("cachesim: %d of %d cells failed", len(hostile)*len(on), (len(hostile)+2)*len(on)+1); !strings.Contains(stderr, want) {
		t.Errorf("no %q in %s", want, stderr)
	}
	if len(stderr) > 10_000 {
		t.Errorf("%d bytes of errors", len(stderr))
	}
	for name := range hostile {
		if len(hits[name+".wasm"]) > 0 {
			t.Errorf("%s has results", name)
		}
		if !strings.Contains(stderr, "cachesim: failed: small.tr: "+name+".wasm at 4.9 KiB, ") {
			t.Errorf("%s does not fail: %s", name, stderr)
		}
	}
}
