package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"cachesim/plots"
	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/traces"
)

type runOptions struct {
	traces      []string
	traceFormat string
	sizeRule    string
	policies    []policy
	sizes       []sizes
	choice      choice
	timing      int // requests; 0: none
	jobs        int
	repeat      int
	seed        uint64
	timeout     time.Duration
	memory      int64 // bytes
	out         string
	formats     []string
	title       string
	quiet       bool
	json        bool

	stdout, stderr io.Writer
}

func runCommand(stdout, stderr io.Writer) *cli.Command {
	var names []string
	for _, s := range native.All {
		names = append(names, s.Name)
	}
	return &cli.Command{
		Name:      "run",
		Usage:     "replay traces: hit ratios by cache size, running times by version, figures",
		ArgsUsage: "TRACE [TRACE...]",
		Description: `Examples:
  cachesim run access.tr.gz
  cachesim run web.oracleGeneral.bin.zst --policy lru,my.wasm --size 1GiB..64GiB --out my-results
  cachesim run trace.log --size 32MiB --engine all --abi all --handle all --timing-requests all`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "policy", Usage: "policies, with parameters if any, and .wasm files: lru,my.wasm:abi=bincode", Value: cli.NewStringSlice(names...)},
			&cli.StringSliceFlag{Name: "size", Usage: "cache sizes: 32MiB, 1GB, 10% of the footprint, 4MiB..8GiB doubling, lists (default: 8 sizes up to the footprint, doubling)"},
			&cli.StringSliceFlag{Name: "engine", Usage: "native, " + strings.Join(engines.Names(false), ", ") + " or all; those named compute the hit ratios too (default: hit ratios native, times on all that compile)"},
			&cli.StringSliceFlag{Name: "abi", Usage: "calling conventions: " + strings.Join(wasm.ABIs, ", ") + " or all (default: " + strings.Join(defaultABIs, ", ") + ")"},
			&cli.StringSliceFlag{Name: "handle", Usage: "how exports are found and called: " + strings.Join(wasm.Handles, ", ") + " or all (default: " + strings.Join(defaultHandles, ", ") + ")"},
			&cli.StringFlag{Name: "timing-requests", Usage: "requests that times are taken over, all, or none", Value: "100000"},
			&cli.IntFlag{Name: "repeat", Usage: "replays of each timed cell, taking turns; the median counts", Value: 3},
			&cli.IntFlag{Name: "jobs", Usage: "cells at a time, of those that are not timed", Value: runtime.NumCPU()},
			&cli.StringFlag{Name: "object-size", Usage: "the size of an object that a trace gives several: " + strings.Join(traces.SizeRules, ", "), Value: traces.FirstSize},
			&cli.StringFlag{Name: "trace-format", Usage: "format of the traces (default: told from their content)"},
			&cli.Uint64Flag{Name: "seed", Usage: "of policies that draw random numbers, and of the order in which timed cells take turns", Value: 1},
			&cli.DurationFlag{Name: "guest-timeout", Usage: "give up a cell that makes no progress for so long", Value: 10 * time.Second},
			&cli.StringFlag{Name: "guest-memory", Usage: "memory that a WASM policy may have", Value: "1GiB"},
			&cli.StringFlag{Name: "out", Usage: "folder for result files and figures", Value: "results"},
			&cli.StringSliceFlag{Name: "format", Usage: "of the figures: " + strings.Join(plots.Formats, ", "), Value: cli.NewStringSlice("png", "pdf")},
			&cli.StringFlag{Name: "title", Usage: "of the figures"},
			&cli.BoolFlag{Name: "quiet", Usage: "no progress on stderr"},
			&cli.BoolFlag{Name: "json", Usage: "JSON lines on stdout instead of tables"},
		},
		Action: func(c *cli.Context) error {
			o, err := newRunOptions(c, stdout, stderr)
			if err != nil {
				return err
			}
			return o.run(c.Context)
		},
	}
}

func newRunOptions(c *cli.Context, stdout, stderr io.Writer) (*runOptions, error) {
	o := &runOptions{
		traces: c.Args().Slice(), traceFormat: c.String("trace-format"), sizeRule: c.String("object-size"),
		jobs: c.Int("jobs"), repeat: c.Int("repeat"), seed: c.Uint64("seed"), timeout: c.Duration("guest-timeout"),
		out: c.String("out"), title: c.String("title"), quiet: c.Bool("quiet"), json: c.Bool("json"),
		stdout: stdout, stderr: stderr,
	}
	if len(o.traces) == 0 {
		return nil, usagef("run wants a trace: cachesim run TRACE [TRACE...]; cachesim help run tells more")
	}
	if err := oneOf("--object-size", o.sizeRule, traces.SizeRules); err != nil {
		return nil, err
	}
	if o.traceFormat != "" {
		var known []string
		for _, f := range traces.Formats {
			known = append(known, f.Name)
		}
		if err := oneOf("--trace-format", o.traceFormat, known); err != nil {
			return nil, err
		}
	}
	if o.jobs < 1 {
		return nil, usagef("--jobs %d: want at least 1", o.jobs)
	}
	if o.repeat < 1 {
		return nil, usagef("--repeat %d: want at least 1", o.repeat)
	}
	if o.timeout < 0 || o.timeout > 0 && o.timeout < 10*time.Millisecond {
		return nil, usagef("--guest-timeout %v: want at least 10ms, or 0 for no limit", o.timeout)
	}
	memory, err := humanize.ParseBytes(c.String("guest-memory"))
	if err != nil || memory < 1<<16 || memory > 4<<30 {
		return nil, usagef("--guest-memory %q: want a size from 64KiB to 4GiB", c.String("guest-memory"))
	}
	o.memory = int64(memory)
	switch n := c.String("timing-requests"); n {
	case "all":
		o.timing = math.MaxInt
	case "none":
		if c.IsSet("repeat") {
			return nil, usagef("--repeat is for timed cells, but --timing-requests none leaves them out")
		}
		for _, f := range []string{"abi", "handle"} {
			if c.IsSet(f) && !c.IsSet("engine") {
				return nil, usagef("--%s is for timed cells, but --timing-requests none leaves them out; --engine has it used for hit ratios", f)
			}
		}
	default:
		if o.timing, err = strconv.Atoi(n); err != nil || o.timing < 1 {
			return nil, usagef("--timing-requests %q: want a number from 1, all or none", n)
		}
	}
	if o.formats, err = parseFormats(c.StringSlice("format")); err != nil {
		return nil, err
	}
	if o.sizes, err = parseSizes(c.StringSlice("size")); err != nil {
		return nil, err
	}
	var notes []string
	if o.choice, notes, err = parseChoice(c.StringSlice("engine"), c.StringSlice("abi"), c.StringSlice("handle")); err != nil {
		return nil, err
	}
	if c.IsSet("guest-memory") && o.choice.engines != nil && !slices.ContainsFunc(o.choice.engines, isWASM) {
		return nil, usagef("--guest-memory is for WASM engines, but --engine names native only")
	}
	if o.policies, err = parsePolicies(c.StringSlice("policy")); err != nil {
		return nil, err
	}
	for _, p := range o.policies {
		if _, _, err := o.choice.versions(p); err != nil {
			return nil, err
		}
	}
	for _, n := range notes {
		fmt.Fprintln(stderr, "cachesim: note:", n)
	}
	return o, nil
}

func oneOf(flag, value string, known []string) error {
	for _, k := range known {
		if value == k {
			return nil
		}
	}
	return usagef("%s: unknown %q%s", flag, value, sim.DidYouMean(value, known))
}

func (o *runOptions) run(ctx context.Context) error {
	// Fail now rather than after the work.
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	provenance := newProvenance()
	var all []sim.Result
	failed := false
	for _, name := range o.traces {
		t, err := o.open(ctx, name)
		if ctx.Err() != nil {
			return o.interrupted(all, 0)
		}
		if err != nil {
			fmt.Fprintf(o.stderr, "cachesim: %v\n", err)
			failed = true
			continue
		}
		p := provenance
		p.Trace = t.Summary()
		list, err := capacities(o.sizes, t.Footprint)
		if err != nil {
			return err
		}
		tasks, err := plan(t, o.policies, o.choice, list, o.timing, o.seed)
		if err != nil {
			return err
		}
		if !o.json {
			describe(o.stdout, t)
		}
		var watch sim.Progress = silent{}
		if !o.quiet {
			watch = newProgress(o.stderr, len(tasks))
		}
		results, failures := sim.Run(ctx, t, tasks, o.opener(), sim.Options{
			Jobs: o.jobs, Repeat: o.repeat, Seed: o.seed, Timeout: o.timeout, Provenance: &p,
			Progress: &keeper{Progress: watch, dir: o.out, results: slices.Clone(all), last: time.Now()},
		})
		all = append(all, results...)
		if ctx.Err() != nil {
			reportFailures(o.stderr, failures, len(tasks))
			return o.interrupted(all, len(tasks)-len(results)-len(failures))
		}
		// Written after each trace, so that a later one takes nothing along.
		if err := writeResults(o.out, all); err != nil {
			return err
		}
		if err := o.report(results); err != nil {
			return err
		}
		if len(failures) > 0 {
			failed = true
			reportFailures(o.stderr, failures, len(tasks))
		}
	}
	if len(all) > 0 {
		if err := drawFigures(o.out, all, o.formats, o.title); err != nil {
			return err
		}
		fmt.Fprintf(o.stderr, "cachesim: results and figures are in %s\n", o.out)
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	if failed {
		return errReported
	}
	return nil
}

// open reads a trace, and gives up waiting for it when ctx ends.
func (o *runOptions) open(ctx context.Context, name string) (*sim.Trace, error) {
	type opened struct {
		t   *sim.Trace
		err error
	}
	done := make(chan opened, 1)
	go func() {
		t, err := traces.Open(name, traces.Options{Format: o.traceFormat, SizeRule: o.sizeRule})
		done <- opened{t, err}
	}()
	select {
	case r := <-done:
		return r.t, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// opener makes the versions of the policies.
func (o *runOptions) opener() sim.Opener {
	byName := make(map[string]policy)
	for _, p := range o.policies {
		byName[p.name] = p
	}
	return func(ctx context.Context, c sim.Cell, objects int, beat func()) (sim.Replayer, sim.Setup, error) {
		p, ok := byName[c.Policy]
		if !ok {
			return nil, sim.Setup{}, fmt.Errorf("no policy %s", c.Policy)
		}
		config := sim.Config{Capacity: c.Capacity, Objects: objects, Seed: c.Seed, Params: p.params}
		if c.Engine == sim.NativeEngine {
			began := time.Now()
			r := sim.Native(p.spec.New(config))
			return r, sim.Setup{Instantiate: time.Since(began)}, nil
		}
		return wasm.Open(ctx, wasm.Config{
			Config: config, Binary: p.module, Declared: p.declared,
			Engine: c.Engine, ABI: c.ABI, Handle: c.Handle, Memory: o.memory, Stoppable: o.mayLoop(p), Beat: beat,
		})
	}
}

// mayLoop reports whether p has to be watched for loops that never end, which
// costs time on some engines: the modules that cachesim brings along have none.
func (o *runOptions) mayLoop(p policy) bool { return p.spec == nil && o.timeout > 0 }

func (o *runOptions) interrupted(results []sim.Result, unfinished int) error {
	if len(results) == 0 {
		fmt.Fprintln(o.stderr, "cachesim: interrupted before any cell was finished")
		return errInterrupted
	}
	err := writeResults(o.out, results)
	fmt.Fprintf(o.stderr, "cachesim: interrupted: %d cells are kept in %s, %d were not finished; cachesim plot %s draws them\n",
		len(results), o.out, unfinished, resultFile(o.out, "json"))
	return errors.Join(err, errInterrupted)
}
