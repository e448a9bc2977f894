// Command compare measures cachesim as a whole process, and beside libCacheSim's
// cachesim where the environment variable LIBCACHESIM names that binary: whole
// runs, loading included, and the time per request of each policy.
//
//	go run ./cmd/compare load
//	go run ./cmd/compare policies
//	go run ./cmd/compare sweep
//	go run ./cmd/compare mrc
//	go run ./cmd/compare accuracy [TRACE...]
//	go run ./cmd/compare objects
//	go run ./cmd/compare costs
//
// mrc measures cachesim mrc against full replays and, where the environment variable
// MRCPROFILER names it, libCacheSim's mrcProfiler. accuracy makes the table of errors in
// docs/SAMPLING.md, of generated traces and those named. The last two measure cachesim alone:
// objects the time per request against the number of objects, natively and in WASM
// engines, as a table and a figure in the directory -out; costs writes what each policy
// takes over LRU into policies-native/costs.csv, where cachesim plan has it from.
//
// The commands take turns; the median of -repeat rounds counts, and ratios are of
// the runs of one round. The trace is made once by cachesim trace gen:
// 10,000,000 requests for some 900,000 objects by Zipf's law.
package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	native "cachesim/policies-native"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

type comparison struct {
	ours, theirs string // binaries; theirs may be empty
	trace        string
	dir          string // for results
	repeat       int
	requests     int
	footprint    int64
	w            io.Writer
}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	repeat := flags.Int("repeat", 5, "rounds")
	requests := flags.Int("requests", 10_000_000, "requests of the trace")
	policies := flags.String("policies", "", "policies to measure: of those that libCacheSim has too (default: all); by objects, of those that have guests (default: lru,fifo)")
	engines := flags.String("engines", "cranelift,wazero", "engines to measure beside native by objects; llvm where the build has it")
	out := flags.String("out", filepath.Join("results", "bench"), "directory for the table and the figure of objects")
	if len(args) == 0 {
		return errors.New("expected load, policies, sweep, mrc, accuracy, objects or costs")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "compare-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	scratch = dir
	c := &comparison{
		ours: filepath.Join(dir, "cachesim"), theirs: os.Getenv("LIBCACHESIM"), dir: dir,
		trace:  filepath.Join(os.TempDir(), fmt.Sprintf("cachesim-zipf-%d.oracleGeneral.bin", *requests)),
		repeat: *repeat, requests: *requests, w: w,
	}
	if out, err := exec.Command("go", "build", "-o", c.ours, "./cmd/cachesim").CombinedOutput(); err != nil {
		return fmt.Errorf("build cachesim: %w\n%s", err, out)
	}
	if args[0] == "objects" {
		fmt.Fprintf(w, "%d processors, %s/%s; medians of %d rounds\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, c.repeat)
		return c.objects(*policies, *engines, *out)
	}
	if _, err := os.Stat(c.trace); err != nil {
		if _, err := measure(c.ours, "trace", "gen", "--requests", fmt.Sprint(*requests), "--objects", fmt.Sprint(*requests/10), "--output", c.trace); err != nil {
			return err
		}
	}
	if c.footprint, err = c.measureFootprint(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d requests, footprint %d bytes, %d processors, %s/%s; medians of %d rounds\n",
		c.requests, c.footprint, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, c.repeat)
	if c.theirs == "" {
		fmt.Fprintln(w, "libCacheSim is not measured: LIBCACHESIM names its binary cachesim")
	}
	switch args[0] {
	case "load":
		return c.load()
	case "policies":
		return c.policies(*policies)
	case "sweep":
		return c.sweep(*policies)
	case "mrc":
		return c.mrc(*policies, os.Getenv("MRCPROFILER"), *out)
	case "accuracy":
		return c.accuracy(*policies, flags.Args())
	case "costs":
		return c.costs()
	}
	return fmt.Errorf("unknown comparison %q: expected load, policies, sweep, mrc, accuracy, objects or costs", args[0])
}

// scratch is where the processes run: libCacheSim leaves files in its working
// directory.
var scratch string

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at most
}

func measure(name string, args ...string) (cost, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = scratch
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return cost{}, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out.String())
	}
	return cost{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak(cmd.ProcessState)}, nil
}

func (c *comparison) measureFootprint() (int64, error) {
	if _, err := measure(c.ours, "run", c.trace, "--policy", "fifo", "--size", "100%", "--timing-requests", "none", "--format", "svg", "--out", filepath.Join(c.dir, "footprint"), "--quiet"); err != nil {
		return 0, err
	}
	row, err := firstRow(filepath.Join(c.dir, "footprint", "results.csv"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(row["capacity"], 10, 64)
}

func firstRow(name string) (map[string]string, error) {
	rows, err := allRows(name)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// allRows reads a table of at least one row, each by the names of its columns.
func allRows(name string) ([]map[string]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(records) < 2 {
		return nil, fmt.Errorf("%s holds no row", name)
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := make(map[string]string)
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// load compares whole runs.
func (c *comparison) load() error {
	size := fmt.Sprint(c.footprint / 10)
	var sizes []string
	for i := range 8 {
		sizes = append(sizes, fmt.Sprint(c.footprint>>i))
	}
	var cases []runCase
	for _, p := range []string{"lru", "fifo", "lfu"} {
		theirs := []string{c.trace, "oracleGeneral", p, size, "--num-thread", "1"}
		ours := []string{"run", c.trace, "--policy", p, "--size", size}
		cases = append(cases,
			runCase{p + ", one size", append(ours, "--trace-cache", "off"), theirs},
			runCase{p + ", one size, trace cached", ours, theirs})
	}
	cases = append(cases, runCase{"lru, fifo and lfu, 8 sizes, 2 threads",
		[]string{"run", c.trace, "--policy", "lru,fifo,lfu", "--size", strings.Join(sizes, ","), "--jobs", "2", "--trace-cache", "off"},
		[]string{c.trace, "oracleGeneral", "lru,fifo,lfu", strings.Join(sizes, ","), "--num-thread", "2"}})
	return c.compareRuns(cases)
}

// runCase is a run of both programs, by their arguments.
type runCase struct {
	name         string
	ours, theirs []string
}

// compareRuns measures whole runs, reading included.
func (c *comparison) compareRuns(cases []runCase) error {
	fmt.Fprintf(c.w, "\n%-40s %12s %12s %10s %12s %12s %8s %8s\n", "whole run", "cachesim s", "processor s", "MiB", "libCacheSim", "processor s", "ratio", "of proc.")
	for _, k := range cases {
		var ours, theirs []cost
		for range c.repeat {
			one, err := measure(c.ours, append(k.ours, "--engine", "native", "--timing-requests", "none", "--quiet", "--format", "svg", "--out", filepath.Join(c.dir, "run"))...)
			if err != nil {
				return err
			}
			ours = append(ours, one)
			if c.theirs != "" {
				other, err := measure(c.theirs, k.theirs...)
				if err != nil {
					return err
				}
				theirs = append(theirs, other)
			}
		}
		wall, cpu := median(ours, wallOf), median(ours, cpuOf)
		fmt.Fprintf(c.w, "%-40s %12.2f %12.2f %10.0f", k.name, wall, cpu, median(ours, memoryOf))
		if theirs != nil {
			fmt.Fprintf(c.w, " %12.2f %12.2f %8.2f %8.2f", median(theirs, wallOf), median(theirs, cpuOf), ratio(ours, theirs, wallOf), ratio(ours, theirs, cpuOf))
		}
		fmt.Fprintln(c.w)
	}
	return nil
}

type policyName struct{ ours, theirs string }

// names are policies as both programs call them.
var names = []policyName{
	{"fifo", "fifo"}, {"lru", "lru"}, {"clock", "clock"}, {"sieve", "sieve"}, {"lfu", "lfu"}, {"slru", "slru"}, {"arc", "arc"},
	{"s3fifo", "s3fifo"}, {"2q", "twoq"}, {"gdsf", "gdsf"}, {"lhd", "lhd"}, {"w-tinylfu", "wtinylfu"}, {"lecar", "lecar"}, {"cacheus", "cacheus"},
	{"lirs", "lirs"}, {"hyperbolic", "hyperbolic"}, {"belady", "belady"},
}

// policies compares the time inside a policy with libCacheSim's whole run, both
// per request. Bytes per object are those that the policy declares, which a test
// compares with what it allocates.
func (c *comparison) policies(only string) error {
	fmt.Fprintf(c.w, "\n%-14s %6s %12s %16s %18s %8s\n", "policy", "size", "B/object", "cachesim ns/req", "libCacheSim ns/req", "ratio")
	for _, share := range []int64{100, 10} {
		size := fmt.Sprint(c.footprint / share)
		for _, name := range names {
			if only != "" && !slices.Contains(strings.Split(only, ","), name.ours) {
				continue
			}
			var ours, theirs []cost
			for i := range c.repeat {
				out := filepath.Join(c.dir, fmt.Sprint("p", share, name.ours, i))
				if _, err := measure(c.ours, "run", c.trace, "--policy", name.ours, "--size", size, "--engine", "native",
					"--timing-requests", "all", "--repeat", "1", "--quiet", "--format", "svg", "--out", out); err != nil {
					return err
				}
				row, err := firstRow(filepath.Join(out, "times.csv"))
				if err != nil {
					return err
				}
				ns, err := strconv.ParseFloat(row["ns_per_request"], 64)
				if err != nil {
					return err
				}
				ours = append(ours, cost{wall: time.Duration(ns * 1000)})
				if c.theirs != "" {
					other, err := measure(c.theirs, c.trace, "oracleGeneral", name.theirs, size, "--num-thread", "1")
					if err != nil {
						fmt.Fprintln(c.w, err)
						break
					}
					theirs = append(theirs, cost{wall: other.wall * 1000 / time.Duration(c.requests)})
				}
			}
			spec, _ := native.ByName(name.ours)
			fmt.Fprintf(c.w, "%-14s %5d%% %12d %16.1f", name.ours, 100/share, spec.Memory, 1e6*median(ours, wallOf))
			if len(theirs) == len(ours) {
				fmt.Fprintf(c.w, " %18.1f %8.2f", 1e6*median(theirs, wallOf), ratio(ours, theirs, wallOf))
			}
			fmt.Fprintln(c.w)
		}
	}
	return nil
}

// sweepNames are the policies of a sweep, as cachesim calls them: the online ones that both
// programs have, without the four that take libCacheSim longest.
const sweepNames = "fifo,lru,clock,sieve,lfu,slru,arc,s3fifo,2q,lecar,lirs,lhd"

// sweep compares whole runs of many policies at 8 sizes, from the whole footprint to its 128th
// part, on 2 threads.
func (c *comparison) sweep(only string) error {
	if only == "" {
		only = sweepNames
	}
	var sizes, theirNames []string
	for i := range 8 {
		sizes = append(sizes, fmt.Sprint(c.footprint>>i))
	}
	for _, p := range strings.Split(only, ",") {
		i := slices.IndexFunc(names, func(n policyName) bool { return n.ours == p })
		if i < 0 {
			return fmt.Errorf("policy %q is not one that both programs have", p)
		}
		theirNames = append(theirNames, names[i].theirs)
	}
	return c.compareRuns([]runCase{{
		fmt.Sprintf("%d policies, 8 sizes, 2 threads", len(theirNames)),
		[]string{"run", c.trace, "--policy", only, "--size", strings.Join(sizes, ","), "--jobs", "2", "--trace-cache", "off"},
		[]string{c.trace, "oracleGeneral", strings.Join(theirNames, ","), strings.Join(sizes, ","), "--num-thread", "2"},
	}})
}

func wallOf(c cost) float64   { return c.wall.Seconds() }
func cpuOf(c cost) float64    { return c.cpu.Seconds() }
func memoryOf(c cost) float64 { return float64(c.memory) / (1 << 20) }

func median(all []cost, of func(cost) float64) float64 {
	var x []float64
	for _, c := range all {
		x = append(x, of(c))
	}
	return middle(x)
}

// ratio is the median of the ratios of runs of one round.
func ratio(a, b []cost, of func(cost) float64) float64 {
	var x []float64
	for i := range a {
		x = append(x, of(a[i])/of(b[i]))
	}
	return middle(x)
}

func middle(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}
