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
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/urfave/cli/v2"

	native "cachesim/policies-native"
	"cachesim/policies-native/bounds"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/sim/costs"
	"cachesim/sim/plan"
	"cachesim/sim/results"
	"cachesim/traces"
)

// planOptions say which cells to run: what run and plan have in common.
type planOptions struct {
	traceOptions
	policies    []policy
	sizes       []sizes
	unit        string
	metadata    int64
	warmup      span
	window      span
	seeds       []uint64
	choice      plan.Choice
	sampling    samplingOptions
	costs       *costs.Model // nil: none
	exactLRU    bool         // LRU is computed at all sizes at once
	timing      int          // requests; 0: none
	repeat      int
	guestMemory int64
	guestLog    bool
	shard       shard
	implied     bool      // no policy was named, or all
	notes       io.Writer // on what is done differently than asked
	cell        string    // ID of the only cell to run; empty: all
}

type runOptions struct {
	planOptions
	outputOptions
	parts       []shard // of each group, instead of shard; nil: shard is for all
	journalOnly bool    // leave tables and figures to another process
	jobs        int
	timeout     time.Duration
	resume      bool
	retryFailed bool
	openGuest   guestOpener // nil: wasm.Open
	anyVersion  bool
	command     []string // line that started this run

	stdout, stderr io.Writer
}

// outputOptions say what to do with results.
type outputOptions struct {
	out     string
	figures figureOptions
	quiet   bool
	json    bool
	verbose bool
	html    bool // report.html, too
	chart   chartOptions
}

// planFlags say which cells to run, with their times.
func planFlags() []cli.Flag {
	return append(append(append(cellFlags(), samplingFlags("", "")...), costFlags()...),
		&cli.StringFlag{Category: aboutPolicies, Name: "window", Usage: "hit ratio over time, in intervals of a `LENGTH`, 100000 requests or 1h: series.csv"},
		&cli.StringFlag{Category: aboutEngines, Name: "timing-requests", Usage: "`N` requests that running times are taken over, all, or none", Value: "100000"},
		&cli.IntFlag{Category: aboutEngines, Name: "repeat", Usage: "`N` replays of each timed cell, taking turns; the median counts", Value: 3},
	)
}

// cellFlags say which cells to run for hit ratios.
func cellFlags() []cli.Flag {
	return append(traceFlags(),
		&cli.StringSliceFlag{Category: aboutPolicies, Name: "policy", Usage: "`POLICIES`, with parameters if any, and .wasm files: lru,s3fifo:small=0.2,lru+adaptsize,my.wasm; all; cachesim policies lists them (default: " + strings.Join(native.Defaults(), ", ") + ")"},
		&cli.StringSliceFlag{Category: aboutPolicies, Name: "size", Usage: "cache `SIZES`: 32MiB, 1GB, 10% of the footprint, 4MiB..8GiB doubling, lists (default: 8 sizes up to the footprint, doubling)"},
		policyDirFlag(),
		&cli.StringFlag{Category: aboutPolicies, Name: "capacity-unit", Usage: "`UNIT` of sizes: " + strings.Join(sim.Units, ", "), Value: sim.UnitBytes},
		&cli.Int64Flag{Category: aboutPolicies, Name: "metadata-bytes", Usage: "`N` bytes that the cache needs for each object besides its size"},
		&cli.StringFlag{Category: aboutPolicies, Name: "warmup", Usage: "`AMOUNT` of requests at the start that are replayed and not counted: 10%, 1000000, 1h", Value: "0"},
		&cli.Uint64Flag{Category: aboutPolicies, Name: "seed", Usage: "`N` of policies that draw random numbers, and of the order in which timed cells take turns", Value: 1},
		&cli.IntFlag{Category: aboutPolicies, Name: "seeds", Usage: "replay with `N` seeds, from --seed on", Value: 1},
		&cli.StringFlag{Category: aboutRuns, Name: "shard", Usage: "run only part `I/N` of the cells; env takes I and N from an array job of Slurm, Kubernetes, AWS Batch, Grid Engine, PBS or LSF"},
		&cli.StringSliceFlag{Category: aboutEngines, Name: "engine", Usage: "`ENGINES`: native, " + strings.Join(engines.Names(false), ", ") + " or all; those named compute the hit ratios too (default: hit ratios native, times on all that compile)"},
		&cli.StringSliceFlag{Category: aboutEngines, Name: "abi", Usage: "`ABIS`, calling conventions of WASM modules: " + strings.Join(wasm.ABIs, ", ") + " or all (default: pair, batch)"},
		&cli.StringSliceFlag{Category: aboutEngines, Name: "handle", Usage: "`HANDLES`, how exports are found and called: " + strings.Join(wasm.Handles, ", ") + " or all (default: srs, driver)"},
		&cli.BoolFlag{Category: aboutEngines, Name: "guest-log", Usage: "print what WASM policies write, by the import cachesim.log or WASI: the last 4 KiB of each cell"},
		&cli.StringFlag{Category: aboutEngines, Name: "guest-memory", Usage: "`SIZE` of memory that a WASM policy may have", Value: "1GiB"},
	)
}

func outputFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Category: aboutOutput, Name: "out", Usage: "`FOLDER` for result files and figures", Value: "results"},
	}, figureFlags()...)
}

// everyRunFlag are all flags of run.
func everyRunFlag() []cli.Flag {
	return append(append(planFlags(), outputFlags()...), runFlags()...)
}

func runCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "replay traces: hit ratios by cache size, running times by version, figures",
		ArgsUsage: "TRACE [TRACE...]",
		Description: `Examples:
  cachesim run access.log.gz
  cachesim run web.oracleGeneral.bin.zst --policy lru,sieve,my.wasm --size 1GiB..64GiB --out my-results
  cachesim run trace.log --size 32MiB --engine all --abi all --handle all --timing-requests all`,
		Flags: everyRunFlag(),
		Action: func(c *cli.Context) error {
			o, err := newRunOptions(c, stdout, stderr)
			if err != nil {
				return err
			}
			return o.run(c.Context)
		},
	}
}

// runFlags say how to carry out a run, and what to print.
func runFlags() []cli.Flag {
	return append(chartFlags(),
		&cli.BoolFlag{Category: aboutOutput, Name: "quiet", Usage: "no progress on stderr"},
		&cli.BoolFlag{Category: aboutOutput, Name: "json", Usage: "JSON lines on stdout instead of tables"},
		&cli.BoolFlag{Category: aboutOutput, Name: "report", Usage: "write report.html, too: a page with summary, figures and tables"},
		&cli.BoolFlag{Category: aboutOutput, Name: "verbose", Usage: "every version in the table of running times"},
		&cli.IntFlag{Category: aboutRuns, Name: "jobs", Usage: "`N` cells at a time, of those that are not timed; fewer where memory is short", Value: runtime.NumCPU()},
		&cli.BoolFlag{Category: aboutRuns, Name: "resume", Usage: "leave out the cells that --out has results of"},
		&cli.BoolFlag{Category: aboutRuns, Name: "retry-failed", Usage: "with --resume: run the cells again that failed"},
		&cli.BoolFlag{Category: aboutRuns, Name: "any-version", Usage: "with --resume: accept results of another version of cachesim"},
		&cli.BoolFlag{Category: aboutRuns, Name: "isolate", Usage: "run each WASM policy in a process of its own, so that what crashes its engine fails one cell"},
		&cli.DurationFlag{Category: aboutRuns, Name: "guest-timeout", Usage: "abandon a cell that makes no progress for longer than `TIME`; 0: never", Value: 10 * time.Second},
	)
}

// newPlanOptions reads planFlags.
func newPlanOptions(c *cli.Context, stderr io.Writer) (planOptions, error) {
	o, err := newCellOptions(c, stderr)
	if err != nil {
		return o, err
	}
	if o.repeat = c.Int("repeat"); o.repeat < 1 {
		return o, usagef("--repeat %d: expects at least 1", o.repeat)
	}
	if w := c.String("window"); w != "" {
		if o.window, err = parseSpan("window", w); err != nil {
			return o, err
		}
		if o.window.requests == 0 && o.window.time == 0 {
			return o, usagef("--window %s: expects a number of requests from 1, or a time such as 1h", w)
		}
		if o.sampling.rate > 0 {
			return o, usagef("--window goes without --sample: estimates are of the whole trace")
		}
	}
	if o.costs, err = newCosts(c); err != nil {
		return o, err
	}
	if o.costs != nil && o.sampling.rate > 0 {
		return o, usagef("--latency, --origin-interval, --egress-cost and --costs go without --sample: they need every request's outcome")
	}
	switch n := c.String("timing-requests"); n {
	case "all":
		o.timing = math.MaxInt
	case "none":
		if c.IsSet("repeat") {
			return o, usagef("--repeat is for running times, which --timing-requests none leaves out")
		}
		for _, f := range []string{"abi", "handle"} {
			if c.IsSet(f) && !c.IsSet("engine") {
				return o, usagef("--%s has no effect: --timing-requests none leaves running times out, and hit ratios are computed natively; add --engine to compute them in WASM", f)
			}
		}
	default:
		if o.timing, err = strconv.Atoi(n); err != nil || o.timing < 1 {
			return o, usagef("--timing-requests %q: expects a number from 1, all or none", n)
		}
	}
	o.choice.TimeAll = c.IsSet("engine") || c.IsSet("timing-requests")
	return o, nil
}

// newCellOptions reads cellFlags and samplingFlags.
func newCellOptions(c *cli.Context, stderr io.Writer) (planOptions, error) {
	o := planOptions{repeat: 1, notes: stderr}
	var err error
	if o.traceOptions, err = newTraceOptions(c); err != nil {
		return o, err
	}
	if o.sampling, err = newSamplingOptions(c); err != nil {
		return o, err
	}
	o.unit, o.metadata = c.String("capacity-unit"), c.Int64("metadata-bytes")
	if err := oneOf("--capacity-unit", o.unit, sim.Units); err != nil {
		return o, err
	}
	if o.metadata < 0 || o.metadata > 1<<40 {
		return o, usagef("--metadata-bytes %d: expects a number of bytes from 0", o.metadata)
	}
	if o.metadata > 0 && o.unit == sim.UnitObjects {
		return o, usagef("--metadata-bytes has no meaning with --capacity-unit objects: every object counts as 1")
	}
	if o.warmup, err = parseSpan("warmup", c.String("warmup")); err != nil {
		return o, err
	}
	n := c.Int("seeds")
	if n < 1 || n > 10_000 {
		return o, usagef("--seeds %d: expects a number from 1 to 10000", n)
	}
	for i := range n {
		o.seeds = append(o.seeds, c.Uint64("seed")+uint64(i))
	}
	memory, err := humanize.ParseBytes(c.String("guest-memory"))
	if err != nil || memory < 1<<16 || memory > 4<<30 {
		return o, usagef("--guest-memory %q: expects a size from 64KiB to 4GiB", c.String("guest-memory"))
	}
	o.guestMemory, o.guestLog = int64(memory), c.Bool("guest-log")
	if o.sizes, err = parseSizes(c.StringSlice("size"), o.unit); err != nil {
		return o, err
	}
	if o.shard, err = parseShard(c.String("shard"), os.Getenv); err != nil {
		return o, err
	}
	var notes []string
	if o.choice, notes, err = parseChoice(c.StringSlice("engine"), c.StringSlice("abi"), c.StringSlice("handle")); err != nil {
		return o, err
	}
	if c.IsSet("guest-memory") && o.choice.Engines != nil && !slices.ContainsFunc(o.choice.Engines, isWASM) {
		return o, usagef("--guest-memory is for WASM engines, but --engine names native only")
	}
	given := c.StringSlice("policy")
	if len(given) == 0 {
		given = native.Defaults()
	}
	o.implied = !c.IsSet("policy") || slices.Contains(given, "all")
	if o.policies, err = parsePolicies(given, c.String("policy-dir")); err != nil {
		return o, err
	}
	for _, p := range o.policies {
		_, _, left, err := plan.Versions(p.planned(), o.choice, ways())
		if err != nil {
			return o, usageError{err}
		}
		notes = append(notes, left...)
	}
	for _, n := range notes {
		fmt.Fprintln(stderr, "cachesim: note:", n)
	}
	return o, nil
}

func newOutputOptions(c *cli.Context) (o outputOptions, err error) {
	o = outputOptions{out: c.String("out"), quiet: c.Bool("quiet"), json: c.Bool("json"), verbose: c.Bool("verbose"), html: c.Bool("report")}
	o.figures, err = newFigureOptions(c)
	return o, err
}

// newRunOptions reads the flags of run.
func newRunOptions(c *cli.Context, stdout, stderr io.Writer) (*runOptions, error) {
	p, err := newPlanOptions(c, stderr)
	if err != nil {
		return nil, err
	}
	return p.toRun(c, stdout, stderr)
}

// toRun reads runFlags and outputFlags.
func (p planOptions) toRun(c *cli.Context, stdout, stderr io.Writer) (*runOptions, error) {
	o := &runOptions{
		jobs: c.Int("jobs"), timeout: c.Duration("guest-timeout"), command: os.Args,
		resume: c.Bool("resume"), retryFailed: c.Bool("retry-failed"), anyVersion: c.Bool("any-version"),
		planOptions: p, stdout: stdout, stderr: stderr,
	}
	var err error
	if o.outputOptions, err = newOutputOptions(c); err != nil {
		return nil, err
	}
	if o.chart, err = newChartOptions(c, stdout); err != nil {
		return nil, err
	}
	if o.jobs < 1 {
		return nil, usagef("--jobs %d: expects at least 1", o.jobs)
	}
	if o.timeout < 0 || o.timeout > 0 && o.timeout < 10*time.Millisecond {
		return nil, usagef("--guest-timeout %v: expects at least 10ms, or 0 for no limit", o.timeout)
	}
	if c.Bool("isolate") {
		if o.timing == 0 && o.choice.Engines == nil && !slices.ContainsFunc(o.policies, func(p policy) bool { return p.spec == nil && p.module != nil }) {
			return nil, usagef("--isolate has no effect: no policy of this run is a WASM module")
		}
		if o.choice.Engines != nil && !slices.ContainsFunc(o.choice.Engines, isWASM) {
			return nil, usagef("--isolate is for WASM engines, but --engine names native only")
		}
		if o.openGuest, err = isolatedGuests(); err != nil {
			return nil, err
		}
	}
	for _, f := range []string{"retry-failed", "any-version"} {
		if c.Bool(f) && !o.resume {
			return nil, usagef("--%s goes with --resume", f)
		}
	}
	return o, nil
}

func oneOf(flag, value string, known []string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return usagef("%s: unknown %q%s", flag, value, sim.DidYouMean(value, known))
}

// pick reads a list of names, where "all" stands for all of all.
func pick(what string, given, all, known []string) ([]string, error) {
	var list []string
	for _, g := range given {
		g = strings.TrimSpace(g)
		names := []string{g}
		if g == "all" {
			names = all
		} else if !slices.Contains(known, g) {
			return nil, usagef("unknown %s %q%s", what, g, sim.DidYouMean(g, append([]string{"all"}, known...)))
		}
		for _, n := range names {
			if !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
	}
	return list, nil
}

// tasks plans the cells for a trace.
func (o *planOptions) tasks(t *sim.Trace) ([]plan.Task, error) {
	footprint := t.Footprint + o.metadata*int64(t.Objects)
	if o.unit == sim.UnitObjects {
		footprint = int64(t.Objects)
	}
	list, err := capacities(o.sizes, footprint, o.unit)
	if err != nil {
		return nil, err
	}
	warmup, err := o.warmup.of("warmup", t)
	if err != nil {
		return nil, usageError{err}
	}
	if o.window.time > 0 && t.Tick == 0 {
		return nil, usagef("--window %v: trace %s has no times; give a number of requests", o.window.time, t.Name)
	}
	if o.costs != nil && o.costs.Columns && (t.RequestCosts == nil || t.RequestCosts.Miss == nil) {
		return nil, usagef("--latency columns: no column of %s is named as that of the latencies of misses, in microseconds: --columns id=1,...,hit_us=9,miss_us=10", t.Name)
	}
	var delayed sim.Latency
	if o.costs != nil && o.costs.Strict {
		if err := o.costs.DelayedHits(t); err != nil {
			return nil, usagef("--delayed strict: %s: %w", t.Name, err)
		}
		if err := oneSize(t, "--delayed strict"); err != nil {
			return nil, err
		}
		if t.Columns != 0 {
			return nil, usagef("--delayed strict: trace %s has sets, deletes or times to live, whose order with fetches under way is not defined; --ops ignore reads it without", t.Name)
		}
		delayed = o.costs.Miss
	}
	samples, chosen, err := o.samples(t, list, footprint, warmup)
	if err != nil {
		return nil, err
	}
	var policies []plan.Policy
	for _, p := range chosen {
		q := p.planned()
		if o.computed(p) {
			q.Compute = o.lruCurve(t, list, warmup)
			q.Memory = 5 + t.Requests/(8*max(1, t.Objects)) // a number for each object, a bit for each request
		}
		if p.bound != nil {
			if q.Compute, err = o.bound(t, *p.bound, list, warmup); err != nil {
				return nil, err
			}
		}
		policies = append(policies, q)
	}
	var check int64
	if samples != nil && o.sampling.check {
		check = nearest(list, footprint)
	}
	tasks, _, err := plan.Tasks(t, policies, o.choice, ways(), plan.Options{
		Capacities: list, Unit: o.unit, Metadata: o.metadata, Warmup: warmup,
		Window:  sim.Window{Requests: o.window.requests, Time: o.window.time},
		Samples: samples, Check: check, Delayed: delayed,
		Seeds: o.seeds, GuestMemory: o.guestMemory, Timing: o.timing, TimedAt: nearest(list, footprint),
	})
	if err != nil {
		return nil, usageError{err}
	}
	if o.shard.n > 1 {
		tasks = plan.Shard(tasks, o.shard.i, o.shard.n)
	}
	if o.cell != "" {
		tasks = slices.DeleteFunc(tasks, func(t plan.Task) bool { return t.ID() != o.cell })
	}
	return tasks, nil
}

// bound computes a bound for all capacities when the first of its cells asks.
func (o *planOptions) bound(t *sim.Trace, b bounds.Bound, list []plan.Capacity, warmup int) (func(int64) func(context.Context, *sim.Trace) (sim.Tally, error), error) {
	if warmup > 0 || o.metadata > 0 || o.window != (span{}) || o.costs != nil && o.costs.Strict {
		return nil, usagef("%s is computed for whole traces and objects that are stored at once: it goes without --warmup, --window, --metadata-bytes and --delayed strict", b.Name)
	}
	if t.SizesVary() && t.SizeRule == sim.SizeUpdates {
		return nil, usagef("%s: there are no bounds where cached objects get other sizes, as in %s: it goes without --object-size update", b.Name, t.Name)
	}
	var capacities []int64
	for _, c := range list {
		capacities = append(capacities, c.Value)
	}
	all := sync.OnceValues(func() ([]bounds.Result, error) { return b.Of(t, bounds.Options{Unit: o.unit}, capacities) })
	return func(capacity int64) func(context.Context, *sim.Trace) (sim.Tally, error) {
		return func(context.Context, *sim.Trace) (sim.Tally, error) {
			found, err := all()
			if err != nil {
				return sim.Tally{}, err
			}
			i := slices.IndexFunc(found, func(r bounds.Result) bool { return r.Capacity == capacity })
			return sim.Tally{Gets: int64(t.Gets), Bytes: t.RequestBytes, Hits: found[i].Hits, HitBytes: found[i].HitBytes}, nil
		}
	}, nil
}

func (o *runOptions) run(ctx context.Context) (err error) {
	var keep func(sim.Cell) bool
	if o.journalOnly {
		// A job of a large sweep: what it requests does not suffice for the results of all.
		names := make(map[string]bool)
		for _, g := range o.groups {
			for _, file := range g {
				names[traces.NameOf(file)] = true
			}
		}
		keep = func(c sim.Cell) bool { return names[c.Trace] && (o.cell == "" || c.ID() == o.cell) }
	}
	f, err := openFolder(o.out, keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	provenance := newProvenance(o.command)
	failed := false
	for i, group := range o.groups {
		if o.parts != nil {
			o.shard = o.parts[i]
		}
		ok, err := o.trace(ctx, f, provenance, group)
		if errors.Is(err, errInterrupted) {
			return o.interrupted(f)
		}
		var usage usageError
		if errors.As(err, &usage) && f.journal == nil && o.parts == nil {
			return err
		}
		if err != nil {
			fmt.Fprintf(o.stderr, "cachesim: %v\n", err)
		}
		if failed = failed || !ok; f.journal != nil && f.journal.Err() != nil {
			break // there is no room for more results
		}
	}
	if f.journal == nil {
		return errReported
	}
	if o.journalOnly {
		if failed {
			return errReported
		}
		return nil
	}
	set, err := f.finish(o.figures)
	if err != nil {
		return err
	}
	if o.html {
		if err := reportRun(o.out, set, o.figures); err != nil {
			return err
		}
	}
	for _, c := range set.Conflicts {
		fmt.Fprintf(o.stderr, "cachesim: two runs have different outcomes: %s\n", c)
		failed = true
	}
	if len(set.Results) > 0 {
		fmt.Fprintf(o.stderr, "cachesim: results and figures are in %s\n", o.out)
	}
	if len(f.before.Results) > 0 && !o.resume {
		fmt.Fprintf(o.stderr, "cachesim: note: they include %s of earlier runs; --out names another folder\n", count(len(f.before.Results), "result"))
	}
	if failed {
		return errReported
	}
	return nil
}

// trace replays one trace. It reports whether all went well; an error has not
// been reported yet.
func (o *runOptions) trace(ctx context.Context, f *folder, provenance results.Provenance, group []string) (ok bool, err error) {
	t, err := o.open(ctx, group)
	if ctx.Err() != nil {
		return false, errInterrupted
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if t.RequestBytes == 0 {
		return false, fmt.Errorf("trace %s: all sizes are 0, so that neither sizes of caches nor byte hit ratios mean anything: --ignore-size gives each object size 1", t.Name)
	}
	tasks, err := o.tasks(t)
	if err != nil {
		return false, err
	}
	todo, have, err := f.resumed(t, tasks, *o, provenance.Version)
	if err != nil {
		return false, err
	}
	if err := f.start(provenance); err != nil {
		return false, err
	}
	described := results.Describe(t)
	if err := f.journal.AddTrace(described); err != nil {
		return false, err
	}
	if !o.json {
		if len(o.groups) > 1 && t.Path != t.Name { // another may have the same name
			fmt.Fprintf(o.stdout, "Trace %s\n", clean(t.Path))
		}
		describe(o.stdout, t)
	}
	if len(have) > 0 {
		fmt.Fprintf(o.stderr, "cachesim: %d of %d cells are in %s already\n", len(have), len(tasks), o.out)
	}
	var watch sim.Progress = silent{}
	if !o.quiet {
		watch = newProgress(o.stderr, t.Name, len(todo))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	k := &keeper{Progress: watch, costs: make(map[string]results.Costs), journal: f.journal, tasks: make(map[taskKey]plan.Task), cancel: cancel}
	engineTasks := make([]sim.Task, len(todo))
	for i, task := range todo {
		engineTasks[i] = task.Task
		k.tasks[taskKey{task.ID(), task.Timed}] = task
		if o.costs != nil && !task.Timed {
			engineTasks[i].Account = k.account(*o.costs)
		}
	}
	memory := availableMemory()
	if most := mostMemory(engineTasks); most*int64(o.jobs) > memory && len(todo) > 1 {
		fmt.Fprintf(o.stderr, "cachesim: note: a cell needs up to about %s of the %s of memory available: fewer than %d run at a time\n",
			humanize.IBytes(uint64(most)), humanize.IBytes(uint64(memory)), o.jobs)
	}
	_, failures := sim.Run(ctx, t, engineTasks, o.opener(), sim.Options{
		Jobs: o.jobs, Memory: memory, Repeat: o.repeat, Seed: o.seeds[0], Timeout: o.timeout, Progress: k,
	})
	if err := f.journal.Err(); err != nil {
		return false, err
	}
	reportFailures(o.stderr, failures, len(todo), !o.quiet)
	if ctx.Err() != nil {
		return false, errInterrupted
	}
	if described.SHA256 = t.SHA256(); described.SHA256 != "" {
		if err := f.journal.AddTrace(described); err != nil {
			return false, err
		}
	}
	if err := o.warnOfCapacity(t, append(have, k.results...)); err != nil {
		return false, err
	}
	return len(failures) == 0, o.report(t, inOrder(tasks, append(have, k.results...)))
}

// warnOfCapacity names modules whose hit ratios no policy can reach at their
// capacity: they keep more than they may. Those that report what they use are
// held to it by the host already.
func (o *runOptions) warnOfCapacity(t *sim.Trace, list []results.Result) error {
	var suspects []results.Result
	var capacities []int64
	for _, p := range o.policies {
		if p.spec != nil || p.module == nil || p.module.Exports("used", "() -> i64") || p.module.Exports("changes_v1", "() -> i64") {
			continue
		}
		for _, r := range list {
			if r.Policy == p.name && r.Whole && !r.Timed && r.Warmup == 0 && r.Metadata == 0 && r.Hits > 0 &&
				r.Delayed == (sim.Latency{}) && r.Sampling == (sim.Sampling{}) && t.Columns&sim.ColumnTTL == 0 && !t.SizesVary() {
				suspects = append(suspects, r)
				if !slices.Contains(capacities, r.Capacity) {
					capacities = append(capacities, r.Capacity)
				}
			}
		}
	}
	// The bound takes memory and time in proportion to the requests.
	if len(suspects) == 0 || t.Requests > 20_000_000 {
		return nil
	}
	limits, err := bounds.PFOOL(t, bounds.Options{Unit: o.unit}, capacities)
	if err != nil {
		return err
	}
	for _, r := range suspects {
		i := slices.IndexFunc(limits, func(l bounds.Result) bool { return l.Capacity == r.Capacity })
		if limits[i].Hits < r.Hits {
			fmt.Fprintf(o.stderr, "cachesim: warning: %s has a hit ratio of %.2f %% at %s, and no policy can have more than %.2f %% (PFOO-L): it keeps more than its capacity\n",
				clean(r.Policy), 100*r.HitRatio(), r.Cell.Size(), 100*float64(limits[i].Hits)/float64(r.Gets))
		}
	}
	return nil
}

// inOrder returns the results in the order of the plan.
func inOrder(tasks []plan.Task, list []results.Result) []results.Result {
	found := make(map[taskKey]results.Result)
	for _, r := range list {
		found[taskKey{r.CellID, r.Timed}] = r
	}
	var ordered []results.Result
	for _, t := range tasks {
		if r, ok := found[taskKey{t.ID(), t.Timed}]; ok {
			ordered = append(ordered, r)
		}
	}
	return ordered
}

// availableMemory is what cells may occupy together: most of what the system or
// the control group of the process has left.
func availableMemory() int64 {
	available := uint64(4 << 30)
	if m, err := mem.VirtualMemory(); err == nil {
		available = m.Available
	}
	if limit, err := memlimit.FromCgroup(); err == nil && limit > 0 && limit < available {
		available = limit
	}
	return int64(available / 10 * 9)
}

func mostMemory(tasks []sim.Task) (most int64) {
	for _, t := range tasks {
		most = max(most, t.Memory)
	}
	return most
}

// opener makes the versions of the policies.
func (o *runOptions) opener() sim.Opener {
	byName := make(map[string]policy)
	for _, p := range o.policies {
		byName[p.name] = p
	}
	open := o.openGuest
	if open == nil {
		open = wasm.Open
	}
	return func(ctx context.Context, c sim.Cell, t *sim.Trace, heartbeat func()) (sim.Replayer, sim.Setup, error) {
		p, ok := byName[c.Policy]
		if !ok {
			return nil, sim.Setup{}, fmt.Errorf("no policy %s", c.Policy)
		}
		config := sim.Config{Capacity: c.Capacity, Objects: t.Objects, Requests: c.Requests, Seed: c.Seed, Tick: t.Tick, Params: p.params, Sizes: t.Sizes, SampleRate: t.SampleRate}
		if c.Engine == sim.NativeEngine {
			began := time.Now()
			r := sim.Native(p.spec.New(config))
			return r, sim.Setup{Instantiate: time.Since(began)}, nil
		}
		guest := wasm.Config{
			Config: config, Version: c.Version, Binary: p.module, Declared: p.declared,
			Memory: c.GuestMemory, Key: t.ObjectName, Stoppable: o.mayLoop(p), Heartbeat: heartbeat,
		}
		r, setup, err := open(ctx, guest)
		if err != nil || !o.guestLog {
			return r, setup, err
		}
		l := logged{r, c, o.stderr}
		if t, ok := r.(sim.Timer); ok {
			return timedLogged{l, t}, setup, nil
		}
		return l, setup, nil
	}
}

// logged prints what a guest has said when its cell ends.
type logged struct {
	sim.Replayer
	cell   sim.Cell
	stderr io.Writer
}

// CanHold and Has are those of the guest, if it has them.
func (l logged) CanHold() bool {
	h, ok := l.Replayer.(sim.Holding)
	return ok && h.CanHold()
}

func (l logged) Has(id uint32) (bool, error) { return l.Replayer.(sim.Holding).Has(id) }

func (l logged) Close() error {
	text := strings.TrimRight(wasm.Said(l.Replayer), "\n")
	err := l.Replayer.Close()
	if text != "" {
		fmt.Fprintf(l.stderr, "%s wrote:\n  %s\n", l.cell, strings.ReplaceAll(text, "\n", "\n  "))
	}
	return err
}

// timedLogged is logged of a guest that takes its own time.
type timedLogged struct {
	logged
	timer sim.Timer
}

func (l timedLogged) Spent() time.Duration { return l.timer.Spent() }

// mayLoop reports whether p has to be watched for loops that never end, which
// costs time on some engines: the modules that cachesim provides have none.
func (o *runOptions) mayLoop(p policy) bool { return p.spec == nil && o.timeout > 0 }

// interrupted derives the tables from what is finished, and says what there is.
func (o *runOptions) interrupted(f *folder) error {
	if o.journalOnly {
		return errInterrupted
	}
	if f.journal == nil {
		fmt.Fprintln(o.stderr, "cachesim: interrupted before any cell was finished")
		return errInterrupted
	}
	set, err := results.ReadJournals(f.path)
	if err == nil && len(set.Results) == 0 {
		fmt.Fprintln(o.stderr, "cachesim: interrupted before any cell was finished")
		return errInterrupted
	}
	if err == nil {
		set.Sort()
		err = writeTables(f.path, set)
		fmt.Fprintf(o.stderr, "cachesim: interrupted: %s kept in %s; the same command with --resume continues, cachesim plot %s draws what there is\n",
			count(len(set.Results), "result"), o.out, o.out)
	}
	return errors.Join(err, errInterrupted)
}
