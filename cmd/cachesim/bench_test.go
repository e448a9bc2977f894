package main

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cachesim/sim/results"
)

// bench runs the benchmark on little, and returns what it printed and its folder.
func bench(t *testing.T, args ...string) (stdout, stderr, dir string) {
	t.Helper()
	dir = t.TempDir()
	stdout, stderr, code := cachesim(append([]string{"bench", "--calls", "50", "--runs", "3", "--warmups", "1", "--out", dir}, args...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	return stdout, stderr, dir
}

// TestBench makes the tables, the result files and the figures.
func TestBench(t *testing.T) {
	stdout, _, dir := bench(t, "--engine", "wazero")
	for _, want := range []string{"3 runs of 50 calls after 1 that do not count", "x cached pair", "pair-cached-preload", "host-import", "wazero, bytemuck-static", "entering"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, stdout)
		}
	}
	for _, f := range []string{"bench.csv", "bench.json", "bench-calls.png", "bench-compile.pdf", "bench-payload.png", "bench-breakdown.pdf"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
	f, err := os.Open(filepath.Join(dir, "bench.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// 19 tests, 4 ABIs by 14 sizes, 2 parts, and the header.
	if want := 1 + 19 + 4*14 + 2; len(rows) != want {
		t.Errorf("bench.csv has %d lines, want %d", len(rows), want)
	}
	again := t.TempDir()
	if _, stderr, code := cachesim("plot", filepath.Join(dir, "bench.json"), "--out", again, "--format", "svg"); code != 0 {
		t.Errorf("plot: exit %d: %s", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(again, "bench-calls.svg")); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	costs, err := results.ReadCallCostJSON(strings.NewReader(string(b)))
	if err != nil || len(costs) != len(rows)-1 || costs[0].Provenance == nil || costs[0].Provenance.Engines["wazero"] == "" {
		t.Errorf("bench.json: %d costs, error %v", len(costs), err)
	}
}

// TestBenchFormatGo prints what benchstat reads.
func TestBenchFormatGo(t *testing.T) {
	stdout, _, _ := bench(t, "--engine", "wazero", "--test", "native,pair-cached-preload", "--format", "go")
	line := regexp.MustCompile(`(?m)^BenchmarkCall/test=pair-cached-preload/engine=wazero/mode=release 50 \d+\.\d\d ns/op \d+ B/op \d+ allocs/op$`)
	if n := len(line.FindAllString(stdout, -1)); n != 3 {
		t.Errorf("%d lines of three runs:\n%s", n, stdout)
	}
	if !strings.HasPrefix(stdout, "goos: ") || strings.Contains(stdout, "interval") {
		t.Errorf("it is not the Go format:\n%s", stdout)
	}
}

// TestBenchModule measures a guest in a file.
func TestBenchModule(t *testing.T) {
	guest := module(t, "mul.wasm", `(module (func (export "multiply") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))`)
	stdout, _, _ := bench(t, "--engine", "wazero", "--module", guest)
	for _, want := range []string{"pair-srs-preload", "driver"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "bincode") {
		t.Errorf("it measured what the module cannot do:\n%s", stdout)
	}
}

// TestBenchBudget says when it makes fewer runs.
func TestBenchBudget(t *testing.T) {
	_, stderr, code := cachesim("bench", "--engine", "wazero", "--test", "native,batch", "--calls", "10", "--runs", "500000", "--budget", "50ms", "--out", t.TempDir(), "--quiet")
	if code != 0 || !regexp.MustCompile(`note: \d+ of 500000 runs were made in the time of --budget 50ms`).MatchString(stderr) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestBenchUsage(t *testing.T) {
	none := module(t, "none.wasm", `(module (func (export "f")))`)
	for args, want := range map[string]string{
		"--engine native":                       "needs no call into WASM",
		"--engine wazeroo":                      `did you mean "wazero"`,
		"--test pair":                           "unknown test",
		"--calls 0":                             "at least 1",
		"--measure call":                        `unknown measure "call"`,
		"trace.log":                             "bench takes no arguments",
		"--format jpg":                          "unknown figure format",
		"--module " + none:                      "none of the exports that tests call",
		"--module " + none + ":abi=bincod":      `did you mean "bincode"`,
		"--module nowhere.wasm":                 "nowhere.wasm",
		"--module " + none + " --measure calls": "none of the exports",
	} {
		_, stderr, code := cachesim(append([]string{"bench"}, strings.Fields(args)...)...)
		if code == 0 || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, stderr %q, want one line with %q", args, code, stderr, want)
		}
	}
}

// TestBenchLanguages compares the policies of policy new in C with the native ones.
func TestBenchLanguages(t *testing.T) {
	if _, err := exec.LookPath("wasm-ld"); err != nil {
		t.Skip(err)
	}
	out := t.TempDir()
	stdout, stderr, code := cachesim("bench", "--languages", "c", "--engine", "wazero", "--runs", "1", "--format", "svg", "--out", out)
	if code != 0 || !strings.Contains(stdout, "sieve   C         wazero  batch") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	rows := readCSV(t, out, "languages.csv")
	if len(rows) != 6 {
		t.Fatalf("%d rows, want 6: two policies natively and by two ABIs", len(rows))
	}
	for _, r := range rows {
		if (r["language"] == "native") != (r["module_bytes"] == "") || r["ns_per_request"] == "0.0" {
			t.Errorf("row %v", r)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "languages.svg")); err != nil {
		t.Error(err)
	}
	for _, args := range [][]string{{"--languages", "cobol"}, {"--languages", "c", "--measure", "calls"}} {
		if _, stderr, code := cachesim(append([]string{"bench"}, args...)...); code != 2 || stderr == "" {
			t.Errorf("bench %v: exit %d: %s", args, code, stderr)
		}
	}
}
