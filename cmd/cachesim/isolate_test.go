//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	killed := killFirst() // with one job it is that which loops
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

// killFirst kills the first process of a guest that this one starts. Go starts others, to try what
// the system can do.
func killFirst() (killed chan bool) {
	killed = make(chan bool)
	go func() {
		for {
			for _, pid := range children() {
				if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); bytes.Contains(line, []byte("isolated-guest")) {
					killed <- syscall.Kill(pid, syscall.SIGKILL) == nil
					return
				}
			}
		}
	}()
	return killed
}

// TestIsolatedScores has score --serve lose the process of a module: the next one is
// scored as without --isolate.
func TestIsolatedScores(t *testing.T) {
	if _, err := os.Stat(childrenFile()); err != nil {
		t.Skip("this system does not list the children of a process")
	}
	t.Setenv("CACHESIM_TEST_MAIN", "1")
	suite, flags := suiteFile(t, "")
	want, _, _ := scored(t, append([]string{guestFile(t, "lru"), "--suite", suite, "--engine", "wazero"}, flags...)...)
	loops := module(t, "loops.wasm", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) (loop (br 0)) i32.const 0))`)
	before := scoreInput
	defer func() { scoreInput = before }()
	scoreInput = strings.NewReader(fmt.Sprintf("{\"module\": %q}\n{\"module\": %q}\n", loops, guestFile(t, "lru")))
	killed := killFirst()
	stdout, stderr, code := cachesim(append([]string{"score", "--serve", "--isolate", "--jobs", "1", "--suite", suite, "--engine", "wazero"}, flags...)...)
	if !<-killed {
		t.Fatal("the child could not be killed")
	}
	var died, lru score
	lines := strings.SplitN(stdout, "\n", 2)
	if err := errors.Join(json.Unmarshal([]byte(lines[0]), &died), json.Unmarshal([]byte(lines[1]), &lru)); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if died.OK || died.Code != exitWrong || !strings.Contains(*died.Error, "the guest's process died (signal: killed") {
		t.Errorf("the module whose process died: %s", lines[0])
	}
	if !lru.OK || *lru.CombinedScore != *want.CombinedScore || lru.Cells[0].Outcome != want.Cells[0].Outcome || lru.NSPerRequest <= 0 {
		t.Errorf("the module after it: %+v, want %+v", lru, want)
	}
}

// TestIsolatedCheck expects of policy check with isolated guests what it prints
// without, but for times.
func TestIsolatedCheck(t *testing.T) {
	t.Setenv("CACHESIM_TEST_MAIN", "1")
	times := regexp.MustCompile(`[0-9.]+ ns`)
	var printed [2]string
	path := guestFile(t, "s3fifo")
	for i, more := range [][]string{nil, {"--isolate"}} {
		stdout, stderr, code := cachesim(append([]string{"policy", "check", path + ":small=0.2", "--engine", "wazero"}, more...)...)
		if code != 0 {
			t.Errorf("%v: exit %d: %s%s", more, code, stdout, stderr)
		}
		printed[i] = times.ReplaceAllString(stdout, "ns")
	}
	if printed[0] != printed[1] {
		t.Errorf("isolated:\n%s\nin one process:\n%s", printed[1], printed[0])
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
