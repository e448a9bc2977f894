package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"
	"gonum.org/v1/gonum/stat/distuv"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/plan"
	"cachesim/sim/results"
)

// exactUpTo is how many requests advise replays in full rather than samples.
const exactUpTo = 1_000_000

func adviseCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "advise",
		Usage:     "say in words what cache a log asks for: size, policy, traffic saved",
		ArgsUsage: "TRACE [TRACE...]",
		Description: `Compares sizes and policies within seconds: logs of up to 1,000,000 requests are replayed in full, longer ones
are sampled. Figures and tables are written into --out. --size names the sizes that come into question. Examples:
  cachesim advise access.log.gz
  cachesim advise access.log.gz --size 1GiB..64GiB --policy lru,sieve,s3fifo`,
		Flags: append(append(append(cellFlags(), samplingFlags("1%", "")[:4]...), figureFlags()...),
			&cli.StringFlag{Category: aboutOutput, Name: "out", Usage: "`FOLDER` for figures and result files; empty: none", Value: "advice"},
			&cli.DurationFlag{Category: aboutRuns, Name: "guest-timeout", Usage: "abandon a WASM policy that makes no progress for longer than `TIME`; 0: never", Value: 10 * time.Second},
		),
		Action: func(c *cli.Context) error {
			for _, f := range []string{"shard", "seeds", "warmup"} {
				if c.IsSet(f) {
					return usagef("advise goes without --%s: it compares whole logs; run has it", f)
				}
			}
			if !c.IsSet("policy") {
				if err := c.Set("policy", strings.Join(advisable, ",")); err != nil {
					return err
				}
			}
			p, err := newCellOptions(c, stderr)
			if err != nil {
				return err
			}
			p.exactLRU = true
			figures, err := newFigureOptions(c)
			if err != nil {
				return err
			}
			if !c.IsSet("size") {
				p.sizes = []sizes{{size{share: 1.0 / 256}, size{share: 1}}}
			}
			o := &runOptions{planOptions: p, jobs: runtime.NumCPU(), timeout: c.Duration("guest-timeout"), stdout: stdout, stderr: stderr, command: os.Args}
			o.out, o.figures = c.String("out"), figures
			if o.out != "" {
				// Fail now rather than after the work.
				if _, err := os.Stat(filepath.Join(o.out, "journal")); err == nil {
					return usagef("--out %s: it holds results of cachesim run; name another folder", o.out)
				}
				if err := os.MkdirAll(o.out, 0o777); err != nil {
					return fmt.Errorf("--out: %w", err)
				}
			}
			set := &results.Set{Runs: []results.Provenance{newProvenance(os.Args)}}
			again := traceArguments(c)
			var failed error
			for i, group := range o.groups {
				if i > 0 {
					fmt.Fprintln(stdout)
				}
				if err := o.advise(c.Context, group, again, set); errors.Is(err, errReported) {
					failed = err // the other cells and logs are kept
				} else if err != nil {
					return err
				}
			}
			if o.out == "" || len(set.Results) == 0 {
				return failed
			}
			set.Sort()
			if err := writeTables(o.out, set); err != nil {
				return err
			}
			if err := drawFigures(o.out, plots.Rows{Results: set.Results, Traces: set.Traces}, o.figures); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "\nFigures of this, and tables of all sizes and policies, are in the folder %s.\n", clean(o.out))
			return failed
		},
	}
}

// traceArguments are the flags of c that say how to read its traces, as one
// would give them again.
func traceArguments(c *cli.Context) (args []string) {
	for _, f := range append(traceFlags(), &cli.StringFlag{Name: "capacity-unit"}, &cli.Int64Flag{Name: "metadata-bytes"}) {
		name := f.Names()[0]
		if !c.IsSet(name) {
			continue
		}
		if _, ok := f.(*cli.BoolFlag); ok {
			args = append(args, "--"+name)
			continue
		}
		value := fmt.Sprint(c.Value(name))
		if list, ok := c.Value(name).(cli.StringSlice); ok {
			value = strings.Join(list.Value(), ",")
		}
		args = append(args, "--"+name, quoted(value))
	}
	return args
}

// quoted writes s for a shell, with what could control a terminal as bash, zsh
// and ksh write it.
func quoted(s string) string {
	if clean(s) != s {
		var b strings.Builder
		for i := range len(s) {
			if c := s[i]; c < ' ' || c >= 0x7f || c == '\'' || c == '\\' {
				fmt.Fprintf(&b, `\x%02x`, c)
			} else {
				b.WriteByte(c)
			}
		}
		return "$'" + b.String() + "'"
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./%@", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// advisable are the policies that advise compares: what proxies and caches in
// service have, the best of what is recent and simple, and what knows the future.
var advisable = []string{"lru", "fifo", "slru", "lfuda", "gdsf", "w-tinylfu", "s3fifo", "sieve", "belady"}

// products have what they can be set to evict by.
var products = []struct{ name, policy string }{
	{"nginx, Varnish and Squid as installed (LRU)", "lru"},
	{"Squid with heap GDSF", "gdsf"},
	{"Squid with heap LFUDA", "lfuda"},
	{"memcached (SLRU)", "slru"},
	{"Caffeine (W-TinyLFU)", "w-tinylfu"},
}

// printProducts says what products would serve at a size whose results are list.
func printProducts(w io.Writer, list []results.Result, ratio func(results.Result) string) {
	var parts []string
	for _, p := range products {
		for _, r := range list {
			if r.Policy == p.policy {
				parts = append(parts, p.name+" "+ratio(r))
			}
		}
	}
	if len(parts) > 1 {
		fmt.Fprintf(w, "  in products: %s.\n", strings.Join(parts, "; "))
	}
}

// growth is how the objects of a trace keep coming.
type growth struct {
	first, second int // first requests in the halves of the trace
}

func growthOf(t *sim.Trace) (g growth, err error) {
	seen := make([]bool, t.Objects)
	err = t.Each(0, func(start int, b sim.Batch) error {
		for i, r := range b.Requests {
			if seen[r.ID] {
				continue
			}
			seen[r.ID] = true
			if start+i < t.Requests/2 {
				g.first++
			} else {
				g.second++
			}
		}
		return nil
	})
	return g, err
}

// advise prints the advice for one trace, and adds its results to set.
func (o *runOptions) advise(ctx context.Context, group, again []string, set *results.Set) error {
	t, err := o.open(ctx, group)
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err != nil {
		return err
	}
	defer t.Close()
	p := o.planOptions
	if t.Requests <= exactUpTo {
		p.sampling.rate = 0
	}
	tasks, err := p.tasks(t)
	if err != nil {
		return err
	}
	engineTasks := make([]sim.Task, len(tasks))
	for i, task := range tasks {
		engineTasks[i] = task.Task
	}
	measured, failures := sim.Run(ctx, t, engineTasks, o.opener(), sim.Options{Jobs: o.jobs, Memory: availableMemory(), Repeat: 1, Timeout: o.timeout})
	if ctx.Err() != nil {
		return errInterrupted
	}
	reportFailures(o.stderr, failures, len(tasks), false)
	var list []results.Result
	for i, m := range measured {
		r := results.New(m)
		for _, task := range tasks {
			if task.ID() == r.CellID {
				r.Size, r.Title, r.Order = task.Size, task.Title, i
			}
		}
		list = append(list, r)
	}
	set.Add(&results.Set{Traces: []results.Trace{results.Describe(t)}, Results: list})
	g, err := growthOf(t)
	if err != nil {
		return err
	}
	describe(o.stdout, t)
	a := advice{t: t, list: list, growth: g, clairvoyant: clairvoyant(tasks)}
	if err := a.print(o.stdout); err != nil {
		return err
	}
	fmt.Fprintln(o.stdout, "\nTo verify this in full, with figures and tables in the folder results:")
	for _, c := range a.commands(group, again) {
		fmt.Fprintln(o.stdout, "  "+c)
	}
	if len(failures) > 0 {
		return errReported
	}
	return nil
}

// clairvoyant names the policies that nobody can deploy.
func clairvoyant(tasks []plan.Task) map[string]bool {
	names := make(map[string]bool)
	for _, t := range tasks {
		names[t.Policy] = names[t.Policy] || t.Needs&sim.NeedsNext != 0
	}
	return names
}

// advice is what advise found.
type advice struct {
	t           *sim.Trace
	list        []results.Result
	growth      growth
	clairvoyant map[string]bool

	size, twice results.Result // of the best policy by requests
	byRequests  []results.Result
	byBytes     []results.Result
}

// share writes a ratio with the interval that has its true value in 19 of 20
// cases, as far as salts show it.
func share(ratio, sd float64, salts int) string {
	if margin := margin(sd, salts); margin > 0 {
		return fmt.Sprintf("%.1f %% ± %.1f", 100*ratio, 100*margin)
	}
	return fmt.Sprintf("%.1f %%", 100*ratio)
}

// margin is half the width of the 95 % interval of the mean of salts.
func margin(sd float64, salts int) float64 {
	if salts < 2 {
		return 0
	}
	student := distuv.StudentsT{Sigma: 1, Nu: float64(salts - 1)}
	return student.Quantile(0.975) * sd / math.Sqrt(float64(salts))
}

func hitShare(r results.Result) string { return share(r.HitRatio(), r.HitRatioSD, r.Sampling.Salts) }
func byteHitShare(r results.Result) string {
	return share(r.ByteHitRatio(), r.ByteHitRatioSD, r.Sampling.Salts)
}

// title is the policy's name in print with that for the command line.
func title(r results.Result) string {
	switch {
	case r.Title == "":
		return clean(r.Policy)
	case strings.EqualFold(r.Title, r.Policy):
		return clean(r.Title)
	}
	return clean(r.Title) + " (" + clean(r.Policy) + ")"
}

// at returns the results at a capacity, the best first; without those that
// cannot be deployed.
func (a *advice) at(capacity int64, ratio func(results.Result) float64) []results.Result {
	var list []results.Result
	for _, r := range a.list {
		if r.Capacity == capacity && !a.clairvoyant[r.Policy] {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(x, y results.Result) int {
		switch dx, dy := ratio(x), ratio(y); {
		case dx > dy:
			return -1
		case dx < dy:
			return 1
		}
		return 0
	})
	return list
}

func (a *advice) print(w io.Writer) error {
	t := a.t
	hit := results.Result.HitRatio
	byteHit := results.Result.ByteHitRatio
	var capacities []int64
	for _, r := range a.list {
		if !a.clairvoyant[r.Policy] && !slices.Contains(capacities, r.Capacity) {
			capacities = append(capacities, r.Capacity)
		}
	}
	if len(capacities) == 0 {
		return errors.New("advise: there is no policy to compare that could be deployed")
	}
	slices.Sort(capacities)
	tooShort := a.tooShort()
	if tooShort != "" {
		fmt.Fprintf(w, "Caution: %s\n\n", tooShort)
	}

	// The attainable hit ratio: with operations and times to live, of the
	// largest size compared.
	attainable := a.at(capacities[len(capacities)-1], hit)[0].HitRatio()
	if t.Columns == 0 && !t.SizesVary() {
		attainable = 1 - float64(t.Objects)/float64(t.Requests)
		fmt.Fprintf(w, "Limit: a cache that keeps everything serves %.1f %% of the requests; the others are the first for their object.\n", 100*attainable)
	} else {
		fmt.Fprintf(w, "Limit: the largest cache compared serves %.1f %% of the requests.\n", 100*attainable)
	}
	smallest := -1
	for i, c := range capacities {
		if a.at(c, hit)[0].HitRatio() >= attainable-0.01 {
			smallest = i
			break
		}
	}
	if smallest >= 0 {
		list := a.at(capacities[smallest], hit)
		best, with := list[0], title(list[0])
		if worst := list[len(list)-1]; len(list) > 1 && best.HitRatio()-worst.HitRatio() < equal {
			with = "any policy"
		}
		fmt.Fprintf(w, "Size: %s with %s is the smallest compared within one point of the limit: %s.\n", best.Cell.Size(), with, hitShare(best))
	} else {
		best := a.at(capacities[len(capacities)-1], hit)[0]
		fmt.Fprintf(w, "Size: none of the sizes compared comes within one point of the limit; %s with %s serves %s.\n", best.Cell.Size(), title(best), hitShare(best))
	}

	footprint := t.Footprint
	if a.list[0].Unit == sim.UnitObjects {
		footprint = int64(t.Objects)
	}
	middle := capacities[0]
	for _, c := range capacities {
		if nearer(c, middle, footprint) {
			middle = c
		}
	}
	a.byRequests, a.byBytes = a.at(middle, hit), a.at(middle, byteHit)
	a.size = a.byRequests[0]
	of := ""
	if footprint > 0 {
		of = fmt.Sprintf(", %.0f %% of the footprint,", 100*float64(middle)/float64(footprint))
	}
	fmt.Fprintf(w, "\nAt %s%s policies compare so:\n", a.size.Cell.Size(), of)
	a.ranking(w, "requests", a.byRequests, hit, hitShare, func(r results.Result) float64 { return margin(r.HitRatioSD, r.Sampling.Salts) })
	if t.RequestBytes > 0 && a.size.Unit == sim.UnitBytes {
		a.ranking(w, "bytes", a.byBytes, byteHit, byteHitShare, func(r results.Result) float64 { return margin(r.ByteHitRatioSD, r.Sampling.Salts) })
		best := a.byBytes[0]
		saved := best.HitBytes
		fmt.Fprintf(w, "  origin traffic: %s with %s instead of %s without a cache: %s saved", humanize.IBytes(uint64(best.Bytes-saved)), title(best), humanize.IBytes(uint64(best.Bytes)), byteHitShare(best))
		if span := time.Duration(t.Span) * t.Tick; span >= time.Hour {
			fmt.Fprintf(w, ", %s a day", humanize.IBytes(uint64(float64(saved)*float64(24*time.Hour)/float64(span))))
		}
		fmt.Fprintln(w, ".")
	}
	printProducts(w, a.byRequests, hitShare)
	if i := slices.Index(capacities, middle); i+1 < len(capacities) {
		for _, r := range a.list {
			if r.Capacity == capacities[i+1] && r.Policy == a.size.Policy {
				a.twice = r
			}
		}
		word := "Doubling the cache"
		if capacities[i+1] != 2*middle && math.Abs(float64(capacities[i+1])/float64(middle)-2) > 0.02 {
			word = "Going from there"
		}
		gain, byteGain := a.twice.HitRatio()-a.size.HitRatio(), a.twice.ByteHitRatio()-a.size.ByteHitRatio()
		fmt.Fprintf(w, "%s to %s brings %s %+.1f points of hit ratio, to %s", word, a.twice.Cell.Size(), title(a.twice), 100*gain, hitShare(a.twice))
		if t.RequestBytes > 0 && a.size.Unit == sim.UnitBytes {
			fmt.Fprintf(w, ", and %+.1f points of byte hit ratio", 100*byteGain)
		}
		fmt.Fprintln(w, ".")
	}
	// No bound is claimed: with objects of different sizes Belady is none.
	for _, r := range a.list {
		if r.Capacity == middle && r.Policy == "belady" {
			fmt.Fprintf(w, "For comparison: Belady's algorithm, which knows the future and no sizes, serves %s of the requests at %s", hitShare(r), r.Cell.Size())
			if t.RequestBytes > 0 && r.Unit == sim.UnitBytes {
				fmt.Fprintf(w, " and %s of the bytes", byteHitShare(r))
			}
			fmt.Fprintln(w, ".")
		}
	}
	fmt.Fprintln(w)
	tooLarge(w, a.list)
	if from := results.SampleText(a.list); from != "" {
		fmt.Fprintf(w, "Estimated from %s (LRU is exact)%s; ± is the 95 %% interval as far as the salts show it.\n", from, a.raised())
		if r := a.size; r.Unfit > 0.01 {
			fmt.Fprintf(w, "Large objects with %.0f %% of the bytes fit the cache of %s and not its miniature: a larger --sample is more accurate.\n", 100*r.Unfit, r.Cell.Size())
		}
	} else {
		fmt.Fprintln(w, "All sizes and policies were replayed in full: these are exact for this log, and another day's log will differ.")
	}
	return nil
}

// raised says why samples were enlarged, if any were.
func (a *advice) raised() string {
	i := slices.IndexFunc(a.list, func(r results.Result) bool { return r.RateUsed > 0 })
	if i < 0 {
		return ""
	}
	return ", enlarged where the standard error was above " + errorText(a.list[i].Sampling.Error)
}

// equal is a difference of hit ratios that is none in practice.
const equal = 0.002

// ranking prints the best policy, those that are as good, and LRU for comparison.
func (a *advice) ranking(w io.Writer, what string, list []results.Result, ratio func(results.Result) float64, text func(results.Result) string, margin func(results.Result) float64) {
	best := list[0]
	fmt.Fprintf(w, "  by %s: %s serves most, %s", what, title(best), text(best))
	var alike []string
	for _, r := range list[1:] {
		if ratio(best)-ratio(r) <= max(equal, margin(best), margin(r)) {
			alike = append(alike, title(r))
		}
	}
	if len(alike) > 0 {
		word := "about as good"
		if margin(best) > equal {
			word = "within the error of that"
		}
		fmt.Fprintf(w, "; %s: %s", word, strings.Join(alike, ", "))
	}
	if i := slices.IndexFunc(list, func(r results.Result) bool { return r.Policy == "lru" }); i > 0 {
		fmt.Fprintf(w, "; LRU: %s", text(list[i]))
	}
	fmt.Fprintln(w, ".")
}

// tooShort says why the log may not say what it is asked, or nothing.
func (a *advice) tooShort() string {
	t, half := a.t, float64(a.t.Requests)/2
	first, second := float64(a.growth.first)/half, float64(a.growth.second)/half
	span := time.Duration(t.Span) * t.Tick
	switch {
	case t.Requests < 10_000:
		return fmt.Sprintf("the log has only %s requests; what follows describes them, and not what a cache will see. Take a longer one.", humanize.Comma(int64(t.Requests)))
	case second > 0.5:
		return fmt.Sprintf("the log is too short, or has little to cache: even in its second half %.0f %% of the requests are the first for their object. A longer log would show higher hit ratios and larger sizes.", 100*second)
	case first-second > 0.1:
		return fmt.Sprintf("the log is short: %.0f %% of the requests of its first half were for objects not seen before, and %.0f %% of its second; the share was still falling. A cache in service would have a higher hit ratio than is said here.", 100*first, 100*second)
	case t.Tick > 0 && span < 20*time.Hour:
		return fmt.Sprintf("the log covers %v and not a whole day: what differs by the hour is not in it.", span.Round(time.Minute))
	}
	return ""
}

// commands are command lines that replay in full what the advice rests on.
func (a *advice) commands(group, again []string) []string {
	policies := []string{a.byRequests[0].Policy}
	for _, p := range []string{a.byBytes[0].Policy, "lru"} {
		if !slices.Contains(policies, p) {
			policies = append(policies, p)
		}
	}
	sizes := a.size.Size
	if a.twice.Size != "" {
		sizes += "," + a.twice.Size
	}
	var files []string
	for _, f := range group {
		files = append(files, quoted(f))
	}
	read := strings.Join(append(files, again...), " ")
	return []string{
		fmt.Sprintf("cachesim run %s --policy %s --size %s --costs --timing-requests none", read, quoted(strings.Join(policies, ",")), quoted(sizes)),
		fmt.Sprintf("cachesim run %s --timing-requests none", read),
	}
}
