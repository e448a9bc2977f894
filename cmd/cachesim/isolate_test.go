//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestIsolate compares a run with guests in processes of their own with one
// without: results are equal but for times.
func TestIsolate(t *testing.T) {
	t.Setenv("CACHESIM_TEST_MAIN", "1") // this binary is cachesim when it starts itself
	trace := smallTrace(t, 20_000)
	var tables [][]map[string]string
	for _, more := range [][]string{nil, {"--isolate"}} {
		out := t.TempDir()
		args := append([]string{"run", trace, "--policy", "lru," + guestFile(t, "s3fifo") + ":small=0.2", "--size", "5000,20000", "--engine", "native,wazero", "--abi", "pair,batch",
			"--warmup", "10%", "--repeat", "2", "--format", "svg", "--out", out}, more...)
		if _, stderr, code := cachesim(args...); code != 0 {
			t.Fatalf("%v: exit %d: %s", more, code, stderr)
		}
		tables = append(tables, append(readCSV(t, out, "results.csv"), readCSV(t, out, "times.csv")...))
	}
	if len(tables[0]) != len(tables[1]) || len(tables[0]) < 8 {
		t.Fatalf("%d and %d rows", len(tables[0]), len(tables[1]))
	}
	for i, row := range tables[0] {
		other := tables[1][i]
		for _, column := range []string{"cell_id", "policy", "engine", "abi", "handle", "capacity", "hits", "hit_bytes", "evictions", "outcome_sha256"} {
			if row[column] != other[column] {
				t.Errorf("row %d, %s: %q and %q isolated", i, column, row[column], other[column])
			}
		}
	}
	if _, stderr, code := cachesim("run", trace, "--policy", "lru", "--engine", "native", "--isolate"); code != 2 || !strings.Contains(stderr, "--isolate") {
		t.Errorf("--isolate without an engine: exit %d: %s", code, stderr)
	}
}

// TestIsolatedDeath kills the process of a guest in the middle of a run: its cell
// fails with one line, the others are finished.
func TestIsolatedDeath(t *testing.T) {
	if _, err := os.Stat(childrenFile()); err != nil {
		t.Skip("this system does not list the children of a process")
	}
	t.Setenv("CACHESIM_TEST_MAIN", "1")
	loops := module(t, "loops.wasm", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) (loop (br 0)) i32.const 0))`)
	out := t.TempDir()
	killed := make(chan bool)
	go func() {
		for { // with one job the first child is that which loops
			if pids := children(); len(pids) > 0 {
				killed <- syscall.Kill(pids[0], syscall.SIGKILL) == nil
				return
			}
		}
	}()
	_, stderr, code := cachesim("run", smallTrace(t, 5000), "--policy", loops+",lru", "--size", "5000", "--engine", "wazero", "--abi", "pair", "--handle", "driver",
		"--timing-requests", "none", "--isolate", "--jobs", "1", "--guest-timeout", "0", "--format", "svg", "--out", out)
	if !<-killed {
		t.Fatal("the child could not be killed")
	}
	if code != 1 || !strings.Contains(stderr, "cachesim: failed: small.tr: loops.wasm at 4.9 KiB, wazero/pair/driver: ") ||
		!strings.Contains(stderr, "the guest's process died (signal: killed") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	rows := readCSV(t, out, "results.csv")
	if len(rows) != 1 || rows[0]["policy"] != "lru" {
		t.Errorf("results %v, want that of lru", rows)
	}
	if pids := children(); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
}

func childrenFile() string {
	return fmt.Sprintf("/proc/%d/task/%d/children", os.Getpid(), os.Getpid())
}

// children lists the processes that this one has started.
func children() (pids []int) {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		for _, s := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(s); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return pids
}
