//go:build linux

// Command experiment measures what the published experiment measured, with
// cachesim, and writes docs/EXPERIMENT.md from the result files: each table and
// claim beside ours.
//
//	go run ./cmd/experiment -trace web-1m.dat.gz   measures, some 15 minutes, and writes
//	go run ./cmd/experiment                        writes again from results/experiment
//	go run ./cmd/experiment -short -trace TRACE    tries all of it in a minute or two, into
//	                                               results/experiment-short: its numbers mean nothing
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"cachesim/sim/results"
)

// Where things are, from the repository's root.
var (
	kept    = "results/experiment"
	page    = "docs/EXPERIMENT.md"
	figures = "docs/figures"
)

func main() {
	trace := flag.String("trace", "", "trace to measure with; without one, the results there are")
	short := flag.Bool("short", false, "measure too briefly for numbers of use, and leave the page in results/experiment-short")
	flag.Parse()
	if *short {
		kept = "results/experiment-short"
		page, figures = filepath.Join(kept, "EXPERIMENT.md"), filepath.Join(kept, "figures")
	}
	var err error
	if *trace != "" {
		err = measure(*trace, *short)
	}
	if err == nil {
		err = write()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "experiment:", err)
		os.Exit(1)
	}
}

// A footprint is what an engine takes, besides time.
type footprint struct {
	Engine string
	Peak   int64 // bytes that a process had at most, which replayed with it
	// Library is the size of the C library that it is in; 0: it is in the binary.
	Library int64
}

type machine struct {
	Footprints []footprint
	Binary     int64 // bytes of cachesim with cgo
	Static     int64 // and without
}

// measure runs cachesim as users do.
func measure(trace string, short bool) error {
	// Results of an earlier measurement would be among those of this one.
	if err := os.RemoveAll(kept); err != nil {
		return err
	}
	for _, dir := range []string{kept, figures} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	budget, debugBudget, requests, all, repeat := "6m", "2m", "100000", "all", "5"
	if short {
		budget, debugBudget, requests, all, repeat = "10s", "5s", "1000", "1000", "1"
	}
	theirs := strings.Join(policies, ",")
	at := func(name string) string { return filepath.Join(kept, name) }
	// Everything that a figure compares comes from one run. The matrix has versions
	// that take microseconds a request: they replay a part of the trace only.
	for _, args := range [][]string{
		{"./cachesim", "bench", "--engine", "all", "--budget", budget, "--out", at("bench-release")},
		{"./cachesim-debug", "bench", "--engine", "singlepass,cranelift,llvm,wazero,wasmtime", "--measure", "calls", "--budget", debugBudget, "--out", at("bench-debug")},
		{"./cachesim", "run", trace, "--policy", theirs, "--size", "32MiB", "--engine", "all", "--abi", "all", "--handle", "all", "--limit", requests, "--timing-requests", "all", "--repeat", repeat, "--out", at("matrix")},
		{"./cachesim", "run", trace, "--policy", theirs, "--size", "32MiB", "--engine", "native,cranelift,llvm,wazero,wasmtime", "--abi", "pair,batch", "--handle", "srs,driver", "--timing-requests", all, "--repeat", repeat, "--out", at("ratios")},
		{"./cachesim", "run", trace, "--policy", theirs, "--size", "4MiB..8GiB", "--timing-requests", "none", "--out", at("hits")},
	} {
		if short && args[1] == "run" {
			args = append(args, "--limit", all) // the last counts
		}
		if _, err := call(args...); err != nil {
			return err
		}
	}
	var m machine
	list, err := read(at("matrix/results.json"))
	if err != nil {
		return err
	}
	var known []string
	for _, r := range list {
		known = add(known, r.Engine)
	}
	for _, e := range known {
		peak, err := call("./cachesim", "run", trace, "--policy", "lru", "--size", "32MiB", "--engine", e, "--timing-requests", "none", "--jobs", "1", "--out", at("peak"))
		if err != nil {
			return err
		}
		f := footprint{Engine: e, Peak: peak}
		if f.Library, err = librarySize(e); err != nil {
			return err
		}
		m.Footprints = append(m.Footprints, f)
	}
	if m.Binary, err = size("cachesim"); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-trimpath", "-o", at("static"), "./cmd/cachesim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if m.Static, err = size(at("static")); err != nil {
		return err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(at("machine.json"), b, 0o666); err != nil {
		return err
	}
	for from, args := range map[string][]string{
		"bench":  {at("bench-release/bench.json"), at("bench-debug/bench.json")},
		"matrix": {at("matrix/results.json")},
		"hits":   {at("hits/results.json")},
	} {
		if _, err := call(append([]string{"./cachesim", "plot", "--format", "png", "--out", at("figures-" + from)}, args...)...); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{
		"figures-bench/bench-calls.png": "bench-calls.png", "figures-bench/bench-compile.png": "bench-compile.png",
		"figures-bench/bench-payload.png": "bench-payload.png", "figures-bench/bench-breakdown.png": "bench-breakdown.png",
		"figures-matrix/runtime.png": "matrix.png", "figures-hits/hit-ratio.png": "experiment-hits.png",
	} {
		b, err := os.ReadFile(at(from))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(figures, to), b, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// call runs a command and returns the most memory that it had.
func call(args ...string) (int64, error) {
	fmt.Fprintln(os.Stderr, "experiment:", strings.Join(args, " "))
	c := exec.Command(args[0], args[1:]...)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w (`make experiment` builds what it needs)", args[0], err)
	}
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss << 10, nil
	}
	return 0, nil
}

func size(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// librarySize asks cachesim where the library of an engine is.
func librarySize(engine string) (int64, error) {
	out, err := exec.Command("./cachesim", "version").Output()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == engine && filepath.IsAbs(f[len(f)-1]) {
			return size(f[len(f)-1])
		}
	}
	return 0, nil
}

func read(file string) ([]results.Result, error) {
	set, err := results.Read(file)
	if err != nil {
		return nil, err
	}
	return set.Results, nil
}

func readCosts(file string) ([]results.CallCost, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return results.ReadCallCostJSON(bytes.NewReader(b))
}

func add(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

func write() error {
	var d data
	var err, failed error
	keep := func(err error) { failed = errors.Join(failed, err) }
	d.release, err = readCosts(filepath.Join(kept, "bench-release/bench.json"))
	keep(err)
	d.debug, err = readCosts(filepath.Join(kept, "bench-debug/bench.json"))
	keep(err)
	d.matrix, err = read(filepath.Join(kept, "matrix/results.json"))
	keep(err)
	if set, err := results.Read(filepath.Join(kept, "hits/results.json")); err == nil && len(set.Runs) > 0 && len(set.Traces) > 0 {
		d.run, d.trace = set.Runs[0], set.Traces[0]
	}
	d.ratios, err = read(filepath.Join(kept, "ratios/results.json"))
	keep(err)
	d.hits, err = read(filepath.Join(kept, "hits/results.json"))
	keep(err)
	b, err := os.ReadFile(filepath.Join(kept, "machine.json"))
	keep(err)
	if failed != nil {
		return fmt.Errorf("measure first, with -trace: %w", failed)
	}
	if err := json.Unmarshal(b, &d.machine); err != nil {
		return err
	}
	text, err := d.render()
	if err != nil {
		return err
	}
	return os.WriteFile(page, text, 0o666)
}
