package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/urfave/cli/v2"

	"cachesim/sim"
	"cachesim/sim/plan"
	"cachesim/sim/profile"
	"cachesim/sim/results"
)

// samplingOptions say how to estimate hit ratios.
type samplingOptions struct {
	rate      float64 // share of the objects; 0: replay the whole trace
	salts     int
	error     float64 // standard error above which the rate is raised, see sim.Sampling
	anyPolicy bool
	check     bool
}

// samplingFlags have the share that is the default, and in words.
func samplingFlags(share, words string) []cli.Flag {
	if share == "" {
		words = " (default: replay the whole trace)"
	}
	return []cli.Flag{
		&cli.StringFlag{Category: aboutSampling, Name: "sample", Usage: "estimate from a `SHARE` of the objects, as 1%, with a cache scaled down as much; raised where that is too few" + words, Value: share},
		&cli.IntFlag{Category: aboutSampling, Name: "salts", Usage: "the mean of `N` samples, with the deviation between them", Value: 3},
		&cli.Float64Flag{Category: aboutSampling, Name: "sample-error", Usage: "raise the share where the standard error of the mean hit ratio is above `POINTS`, or that of bytes above three times as many and larger samples lower it, until the samples together are half the trace; 0: never", Value: 0.15},
		&cli.BoolFlag{Category: aboutSampling, Name: "any-policy", Usage: "sample policies too whose behaviour does not scale"},
		&cli.BoolFlag{Category: aboutSampling, Name: "check", Usage: "replay one size in full as well and print the error of the estimates"},
	}
}

func newSamplingOptions(c *cli.Context) (o samplingOptions, err error) {
	o = samplingOptions{salts: c.Int("salts"), anyPolicy: c.Bool("any-policy"), check: c.Bool("check")}
	if o.salts < 1 || o.salts > 1000 {
		return o, usagef("--salts %d: expects a number from 1 to 1000", o.salts)
	}
	points := c.Float64("sample-error")
	if !(points >= 0 && points <= 100) {
		return o, usagef("--sample-error %v: expects points from 0 to 100", points)
	}
	switch {
	case o.salts > 1: // with one nothing is known of the error
		o.error = points / 100
	case c.IsSet("sample-error"):
		return o, usagef("--sample-error goes with --salts 2 or more: one sample does not tell its error")
	}
	share := c.String("sample")
	if share == "" {
		for _, f := range []string{"salts", "sample-error", "any-policy", "check"} {
			if c.IsSet(f) {
				return o, usagef("--%s goes with --sample", f)
			}
		}
		return o, nil
	}
	if o.rate, err = parseShare(share); err != nil {
		return o, err
	}
	if o.rate == 1 {
		o.rate = 0
	}
	return o, nil
}

func mrcCommand(stdout, stderr io.Writer) *cli.Command {
	flags := append(cellFlags(), samplingFlags("1%", "; 100% replays the whole trace")...)
	return &cli.Command{
		Name:      "mrc",
		Usage:     "hit ratio curves fast: LRU exactly, other policies estimated from samples",
		ArgsUsage: "TRACE [TRACE...]",
		Description: `Estimates are marked as such in all tables and files; docs/SAMPLING.md says how good they are. Examples:
  cachesim mrc trace.oracleGeneral.zst
  cachesim mrc trace.oracleGeneral.zst --policy lru,s3fifo,my.wasm --size 1GiB..1TiB --check
  cachesim mrc access.log --policy lru --size 0.1%..100%`,
		Flags: append(append(flags, outputFlags()...), runFlags()...),
		Action: func(c *cli.Context) error {
			p, err := newCellOptions(c, stderr)
			if err != nil {
				return err
			}
			p.exactLRU = true
			o, err := p.toRun(c, stdout, stderr)
			if err != nil {
				return err
			}
			return o.run(c.Context)
		},
	}
}

// A miniature smaller than this estimates little.
const (
	leastObjects = 10_000 // in a sample
	leastCached  = 300    // in the miniature of a cache, where the policy does not ask for more
)

// rateFor returns the share of t's objects to sample for a capacity, at least that
// asked for, or 0 where the samples together would be as large as the trace. A
// miniature holds at least the given number of objects; 0: leastCached.
func (o samplingOptions) rateFor(objects int, capacity, footprint int64, cachedLeast int) (rate float64, why string) {
	cachedLeast = cmp.Or(cachedLeast, leastCached)
	cached := float64(objects) * min(1, float64(capacity)/float64(max(1, footprint)))
	rate = o.rate
	if least := leastObjects / float64(objects); least > rate {
		unit := math.Pow(10, math.Floor(math.Log10(least))-1) // two digits, rounded up
		rate, why = math.Ceil(least/unit-1e-9)*unit, fmt.Sprintf("a sample has at least %s objects", humanize.Comma(leastObjects))
	}
	if least := float64(cachedLeast) / cached; least > rate {
		// Few different rates: each has samples of its own.
		steps := math.Ceil(2*math.Log2(least/rate) - 1e-9)
		rate, why = rate*math.Exp2(steps/2), fmt.Sprintf("a miniature holds at least %d objects", cachedLeast)
		rate, _ = strconv.ParseFloat(strconv.FormatFloat(rate, 'g', 3, 64), 64)
	}
	if rate*float64(o.salts) >= 1 {
		return 0, why
	}
	return rate, why
}

// samples returns what chooses the samples of t for a capacity, and the policies that
// can be estimated from them. Without sampling it returns nil and all policies.
func (o *planOptions) samples(t *sim.Trace, list []plan.Capacity, footprint int64, warmup int) (func(capacity int64, m sim.Miniaturization, realSizes bool) (*sim.Samples, error), []policy, error) {
	if o.sampling.rate == 0 {
		return nil, o.policies, nil
	}
	s := &sampledTrace{planOptions: o, t: t, list: list, footprint: footprint}
	if sampled, err := s.rates(); err != nil || !sampled {
		return nil, o.policies, err
	}
	s.survey = sync.OnceValues(func() (*sim.Survey, error) { return sim.NewSurvey(t, warmup, o.unit, o.metadata) })
	chosen, err := s.scaling()
	if err != nil {
		return nil, nil, err
	}
	// All are made together, when the first is asked for.
	made := sync.OnceValues(func() (map[sim.Choice]*sim.Samples, error) { return s.choose(chosen) })
	return func(capacity int64, m sim.Miniaturization, realSizes bool) (*sim.Samples, error) {
		c, ok := s.choice(capacity, m, realSizes)
		if !ok {
			return nil, nil
		}
		all, err := made()
		return all[c], err
	}, chosen, nil
}

// sampledTrace is a trace of which hit ratios are estimated, at capacities in ascending
// order.
type sampledTrace struct {
	*planOptions
	t         *sim.Trace
	list      []plan.Capacity
	footprint int64
	survey    func() (*sim.Survey, error)
}

func (s *sampledTrace) rateFor(capacity int64, leastCached int) (rate float64, why string) {
	return s.sampling.rateFor(s.t.Objects, capacity, s.footprint, leastCached)
}

// rates says which rates other than that asked for samples have, and reports whether
// there are any samples.
func (s *sampledTrace) rates() (sampled bool, err error) {
	ofLargest, _ := s.rateFor(s.list[len(s.list)-1].Value, 0)
	if ofLargest > 0 {
		if err := oneSize(s.t, "samples"); err != nil {
			return false, err
		}
	}
	rate, why := s.rateFor(s.list[0].Value, 0)
	if why != "" {
		why = ": " + why
	}
	switch name := clean(s.t.Name); {
	case ofLargest == 0:
		fmt.Fprintf(s.notes, "cachesim: note: %s is replayed in full, since samples would be as large as the trace%s\n", name, why)
		return false, nil
	case rate == 0:
		fmt.Fprintf(s.notes, "cachesim: note: %s is replayed in full at the smallest sizes, where samples would be as large as the trace%s\n", name, why)
	case rate > s.sampling.rate:
		fmt.Fprintf(s.notes, "cachesim: note: %s is estimated from up to %s%s\n", name, sim.Sampling{Rate: rate, Salts: s.sampling.salts}, why)
	}
	return true, nil
}

// scaling returns the policies that can be estimated, and refuses the others or, where
// they were not named, says that they are left out.
func (s *sampledTrace) scaling() (chosen []policy, err error) {
	divided := sync.OnceValues(s.divided)
	var fixed, compares []string // left out
	for _, p := range s.policies {
		switch {
		case p.bound != nil:
			return nil, usagef("policy %s is a bound, which is computed for whole traces: leave out --sample, or mrc use --sample 100%%", p.name)
		case s.sampling.anyPolicy || p.spec == nil:
		case p.spec.FixedScale:
			fixed = append(fixed, p.name)
			continue
		case p.spec.Miniature.TrueSizes:
			yes, err := divided()
			if err != nil {
				return nil, err
			}
			if yes {
				compares = append(compares, p.name)
				continue
			}
		}
		chosen = append(chosen, p)
	}
	for _, l := range []struct {
		names     []string
		one, many string
	}{
		{fixed, "behaves differently in a miniature, so that no sample estimates it", "behave differently in a miniature, so that no sample estimates them"},
		{compares, "behaves differently where sizes of large objects are divided, as samples of this trace have to", "behave differently where sizes of large objects are divided, as samples of this trace have to"},
	} {
		if len(l.names) == 0 {
			continue
		}
		why := l.one
		if len(l.names) > 1 {
			why = l.many
		}
		if !s.implied || len(chosen) == 0 {
			return nil, usagef("%s %s: run replays the whole trace; --any-policy estimates all the same", strings.Join(l.names, ", "), why)
		}
		fmt.Fprintf(s.notes, "cachesim: note: left out: %s %s (--any-policy)\n", strings.Join(l.names, ", "), why)
	}
	return chosen, nil
}

// divided reports whether there are samples that divide the sizes of objects with most of
// the bytes, so that policies with Miniaturization.TrueSizes cannot be estimated.
func (s *sampledTrace) divided() (bool, error) {
	v, err := s.survey()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(s.list, func(c plan.Capacity) bool {
		rate, _ := s.rateFor(c.Value, 0)
		return rate > 0 && v.DividesMost(rate, c.Value)
	}), nil
}

// choice returns which samples a policy is estimated from at a capacity, if any.
func (s *sampledTrace) choice(capacity int64, m sim.Miniaturization, realSizes bool) (c sim.Choice, sampled bool) {
	rate, _ := s.rateFor(capacity, m.Cached)
	if rate == 0 {
		return c, false
	}
	// Those for the smallest capacity are for all with the same rate.
	i := slices.IndexFunc(s.list, func(c plan.Capacity) bool {
		r, _ := s.rateFor(c.Value, m.Cached)
		return r == rate
	})
	return sim.Choice{
		Sampling: sim.Sampling{Rate: rate, Salts: s.sampling.salts, Error: s.sampling.error, RealSizes: realSizes},
		Capacity: s.list[i].Value,
	}, true
}

// choose makes the samples that policies ask for; those that would be as large as the
// trace are nil.
func (s *sampledTrace) choose(policies []policy) (map[sim.Choice]*sim.Samples, error) {
	var all []sim.Choice
	for _, p := range policies {
		if s.computed(p) {
			continue
		}
		q := p.planned()
		_, ratios, _, err := plan.Versions(q, s.planOptions.choice, ways())
		if err != nil {
			return nil, usageError{err}
		}
		for _, v := range ratios {
			for _, capacity := range s.list {
				if c, ok := s.choice(capacity.Value, q.Miniature, q.RealSizes(v)); ok && !slices.Contains(all, c) {
					all = append(all, c)
				}
			}
		}
	}
	v, err := s.survey()
	if err != nil {
		return nil, err
	}
	found, err := v.Samples(all...)
	if err != nil {
		return nil, err
	}
	made := make(map[sim.Choice]*sim.Samples)
	for i, c := range all {
		made[c] = found[i]
	}
	return made, nil
}

// computed reports whether p's hit ratios come from lruCurve.
func (o *planOptions) computed(p policy) bool {
	return o.exactLRU && p.name == "lru" && o.choice.Engines == nil
}

// lruCurve computes LRU at all capacities at once when the first of its cells
// asks. It returns nothing for those that have to be replayed.
func (o *planOptions) lruCurve(t *sim.Trace, list []plan.Capacity, warmup int) func(int64) func(context.Context, *sim.Trace) (sim.Tally, error) {
	p := profile.LRUOptions{Unit: o.unit, Metadata: o.metadata, Warmup: warmup}
	var capacities []int64
	for _, c := range list {
		if profile.CanLRU(t, c.Value, p) {
			capacities = append(capacities, c.Value)
		}
	}
	all := sync.OnceValues(func() (map[int64]sim.Tally, error) {
		curve, err := profile.LRU(t, p, capacities)
		at := make(map[int64]sim.Tally)
		for i, n := range curve {
			at[capacities[i]] = n
		}
		return at, err
	})
	return func(capacity int64) func(context.Context, *sim.Trace) (sim.Tally, error) {
		if !profile.CanLRU(t, capacity, p) {
			return nil
		}
		return func(context.Context, *sim.Trace) (sim.Tally, error) {
			at, err := all()
			return at[capacity], err
		}
	}
}

// errorText writes a standard error above which samples are enlarged.
func errorText(err float64) string {
	return fmt.Sprintf("%.3g points, or %.3g of bytes", 100*err, 100*err*sim.ByteErrors)
}

// estimates says how sure the estimates in list are.
func estimates(w io.Writer, list []results.Result) {
	var sd, byteSD results.Result // the least sure
	var unfit results.Result
	var raised, above, of int
	most := 0.0
	for _, r := range list {
		if r.Sampling.Rate == 0 {
			continue
		}
		of++
		if r.RateUsed > 0 {
			raised++
			most = max(most, r.RateUsed)
		}
		if r.Excess(r.Sampling) > 1 {
			above++
		}
		if r.HitRatioSD >= sd.HitRatioSD {
			sd = r
		}
		if r.ByteHitRatioSD >= byteSD.ByteHitRatioSD {
			byteSD = r
		}
		if r.Unfit > unfit.Unfit {
			unfit = r
		}
	}
	if of == 0 {
		return
	}
	from := results.SampleText(list)
	if n := sd.Sampling.Salts; n > 1 {
		of := math.Sqrt(float64(n))
		fmt.Fprintf(w, "Estimated from %s: standard errors are up to %.2f points (%s at %s) and of byte hit ratios %.2f (%s at %s).\n", from,
			100*sd.HitRatioSD/of, clean(sd.Policy), sd.Cell.Size(), 100*byteSD.ByteHitRatioSD/of, clean(byteSD.Policy), byteSD.Cell.Size())
	} else {
		fmt.Fprintf(w, "Estimated from %s: --salts 3 would say how sure that is.\n", from)
	}
	if raised > 0 {
		fmt.Fprintf(w, "The samples of %d of %d estimates were enlarged, up to %.3g %%, since the standard error was above %s.\n", raised, of, 100*most, errorText(sd.Sampling.Error))
	}
	if above > 0 {
		fmt.Fprintf(w, "The error of %s remains above that of --sample-error: run replays the whole trace.\n", count(above, "estimate"))
	}
	if unfit.Unfit > 0.01 {
		fmt.Fprintf(w, "At %s %.0f %% of the requested bytes are of objects that fit the cache and not its miniature, where they are misses: take a larger --sample, or run.\n",
			unfit.Cell.Size(), 100*unfit.Unfit)
	}
	fmt.Fprintln(w)
}

// checked compares estimates with the exact results of the same cells.
func checked(w io.Writer, list []results.Result) {
	exact := make(map[sim.Cell]results.Result)
	for _, r := range list {
		if !r.Timed && r.Sampling.Rate == 0 {
			exact[r.Cell] = r
		}
	}
	t := newTable(w, 1, "policy", "hit ratio %", "estimated", "error", "byte hit ratio %", "estimated", "error")
	var at results.Result
	for _, r := range list {
		c := r.Cell
		c.Sampling = sim.Sampling{}
		e, ok := exact[c]
		if r.Sampling.Rate == 0 || !ok {
			continue
		}
		at = r
		number := func(f float64) string { return fmt.Sprintf("%.2f", 100*f) }
		t.AppendRow(table.Row{clean(r.Policy), number(e.HitRatio()), number(r.HitRatio()), fmt.Sprintf("%+.2f", 100*(r.HitRatio()-e.HitRatio())),
			number(e.ByteHitRatio()), number(r.ByteHitRatio()), fmt.Sprintf("%+.2f", 100*(r.ByteHitRatio()-e.ByteHitRatio()))})
	}
	if at.Policy == "" {
		return
	}
	fmt.Fprintf(w, "Replayed in full at %s, to check the estimates (errors in points):\n", at.Cell.Size())
	t.Render()
	fmt.Fprintln(w)
}
