package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cachesim/policies-wasm/wattest"
)

// initialsModule hits where an object was requested before and its key begins with a letter up to
// its parameter. It logs the first key, and asks for times.
const initialsModule = `(module
	(import "cachesim" "log" (func $log (param i32 i32)))
	(memory (export "memory") 4) (data (i32.const 8) "letters 1 1 26 letters that are stored")
	(global $end (mut i32) (i32.const 65536)) (global $most (mut i32) (i32.const 97))
	(func (export "init") (param i64))
	(func (export "params_v1") (result i64) (i64.const 0x800000026))
	(func (export "param_letters") (param f64) (global.set $most (i32.add (i32.const 96) (i32.trunc_f64_s (local.get 0)))))
	(func (export "alloc") (param i32) (result i64) (local i32)
		(local.set 1 (global.get $end)) (global.set $end (i32.add (global.get $end) (local.get 0)))
		(i64.or (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32)) (i64.extend_i32_u (local.get 0))))
	(func (export "time_v1") (param i32 i32))
	(func (export "key_v1") (param $object i32) (param $key i32) (param $length i32)
		(if (i32.eqz (local.get $object)) (then (call $log (local.get $key) (local.get $length))))
		(i32.store8 (i32.add (i32.const 1024) (local.get $object)) (i32.load8_u (local.get $key))))
	(func (export "send") (param i32 i64) (result i32)
		(i32.load8_u (i32.add (i32.const 9000) (local.get 0)))
		(i32.store8 (i32.add (i32.const 9000) (local.get 0))
			(i32.le_u (i32.load8_u (i32.add (i32.const 1024) (local.get 0))) (global.get $most)))))`

// TestKeysOfTraces runs a module of a folder, which looks at the ids in the trace's file, with what
// its parameter says, and shows what it logs.
func TestKeysOfTraces(t *testing.T) {
	var b strings.Builder
	ids := []string{"apple", "bread", "corn"}
	for i := range 30 {
		fmt.Fprintf(&b, "%d %s 10\n", i, ids[i%3])
	}
	trace := file(t, "food.tr", []byte(b.String()))
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "initials.wasm"), wattest.Assemble(t, initialsModule), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "results")
	args := []string{"run", trace, "--policy", "initials,initials:letters=2", "--policy-dir", folder, "--size", "100%", "--engine", "wazero",
		"--timing-requests", "none", "--guest-log", "--out", dir}
	mustSay(t, exitDone, []string{"wrote:", "apple"}, args...)
	got := make(map[string]string)
	for _, row := range readCSV(t, dir, "results.csv") {
		got[row["policy"]] = row["hits"]
	}
	// Of ten requests for each object all but the first may hit.
	if got["initials.wasm"] != "9" || got["initials.wasm:letters=2"] != "18" {
		t.Errorf("hits %v, want 9 with one letter and 18 with two", got)
	}
	// The same requests for objects of other names are other cells, though their digest is the same.
	others := file(t, "others.tr", []byte(strings.NewReplacer("apple", "zucchini", "bread", "yam", "corn", "leek").Replace(b.String())))
	args[1] = others
	mustSay(t, exitDone, nil, append(args, "--resume")...)
	for _, row := range readCSV(t, dir, "results.csv") {
		if row["trace"] == "others.tr" {
			got["others "+row["policy"]] = row["hits"]
		}
	}
	if got["others initials.wasm:letters=2"] != "0" {
		t.Errorf("hits %v, want none in others.tr", got)
	}
	mustSay(t, exitDone, []string{"letters=1  letters that are stored (1 to 26)"}, "policies", "initials", "--policy-dir", folder)
	mustSay(t, exitDone, []string{"initials", "your module in"}, "policies", "--policy-dir", folder)
	mustSay(t, exitUsage, []string{"out of range"}, "run", trace, "--policy", "initials:letters=27", "--policy-dir", folder)
	mustSay(t, exitDone, []string{"time_v1", "key_v1"}, "policy", "show", filepath.Join(folder, "initials.wasm"))
	timeless := file(t, "food.txt", []byte("apple 10\nbread 10\n"))
	mustSay(t, exitUsage, []string{"needs the times of the requests"}, "run", timeless, "--policy", "initials", "--policy-dir", folder, "--engine", "wazero",
		"--out", filepath.Join(t.TempDir(), "timeless"))
}
