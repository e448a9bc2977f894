package plots

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"cachesim/sim/results"
)

// is reports whether a policy is the one of a name, which may lack parameters.
func is(policy, name string) bool {
	base, _, _ := strings.Cut(policy, ":")
	return policy == name || base == name
}

// choose returns the one policy of rs that has one of the names, the first name
// that there is.
func choose(rs []results.Result, given string, usual ...string) (string, error) {
	wanted := usual
	if given != "" {
		wanted = []string{given}
	}
	policies := names(rs, policyOf)
	for _, name := range wanted {
		if slices.Contains(policies, name) {
			return name, nil
		}
		var fit []string
		for _, p := range policies {
			if is(p, name) {
				fit = append(fit, p)
			}
		}
		if len(fit) > 1 {
			return "", fmt.Errorf("%q is %s: give the whole name", name, strings.Join(fit, " and "))
		}
		if len(fit) == 1 {
			return fit[0], nil
		}
	}
	if given != "" {
		return "", fmt.Errorf("no results of policy %q: there are those of %s", given, strings.Join(policies, ", "))
	}
	return "", nil
}

// boundPolicies are those that know the future, or have no limit.
var boundPolicies = []string{"belady", "belady-bypass", "belady-size", "pfoo-u", "pfoo-l"}

// isBound reports whether a policy is what others are compared with, not one of them.
func (o Options) isBound(policy string) bool {
	if o.Bound != "" {
		return is(policy, o.Bound)
	}
	return slices.ContainsFunc(boundPolicies, func(b string) bool { return is(policy, b) })
}

// Baseline returns the policy that others are compared with: the one given, or
// fifo, or lru; empty if none was given and neither is there.
func Baseline(rs []results.Result, given string) (string, error) {
	return choose(rs, given, "fifo", "lru")
}

// place is where policies can be compared with each other.
type place struct {
	trace    string
	capacity int64
	seed     uint64
}

func placeOf(r results.Result) place {
	return place{r.Cell.Trace + "\x00" + r.TraceDigest + "\x00" + r.Clock, r.Capacity, r.Seed}
}

// index finds the results of one policy; where it has none of a seed, that of
// another one will do: baselines do not depend on it.
func index(rs []results.Result, policy string) func(results.Result) (results.Result, bool) {
	exact, any := make(map[place]results.Result), make(map[place]results.Result)
	for _, r := range rs {
		if r.Policy != policy {
			continue
		}
		at := placeOf(r)
		exact[at] = r
		at.seed = 0
		if _, ok := any[at]; !ok {
			any[at] = r
		}
	}
	return func(r results.Result) (results.Result, bool) {
		at := placeOf(r)
		if b, ok := exact[at]; ok {
			return b, true
		}
		at.seed = 0
		b, ok := any[at]
		return b, ok
	}
}

// reduction returns by how much of its own a miss ratio is less than that of the
// baseline, in percent. A baseline without misses cannot be improved.
func reduction(base, miss float64) float64 {
	switch {
	case base == miss:
		return 0
	case base == 0:
		return -100 // of what has no misses everything else has infinitely more
	}
	return 100 * (base - miss) / base
}

// reductionOf is reduction of what may be estimated. Both estimates count as
// independent; those of one sample are not, so that the error is rather smaller.
func reductionOf(base, miss estimated) estimated {
	m := estimated{value: reduction(base.value, miss.value)}
	if base.value > 0 {
		m.err = 100 / base.value * math.Hypot(miss.err, base.err*miss.value/base.value)
	}
	return m
}

// gapClosed is how far v is on the way from below to above, in percent.
func gapClosed(below, above, v estimated) estimated {
	gap := above.value - below.value
	share := (v.value - below.value) / gap
	return estimated{100 * share, 100 / gap * math.Hypot(v.err, math.Hypot((1-share)*below.err, share*above.err))}
}

// improvementKind draws the reduction of a miss ratio relative to a baseline.
func improvementKind(name string, q ratio) func(Rows, Options) ([]Figure, error) {
	return func(rows Rows, o Options) ([]Figure, error) {
		labels := Labels(rows.Results, o.Labels)
		look := rows.allLooks(labels)
		var figures []Figure
		for _, g := range rows.ratioGroups() {
			rs := q.usable(g.results)
			base, err := Baseline(rs, o.Baseline)
			if err != nil {
				return nil, inGroup(g, err)
			}
			at := index(rs, base)
			var compared []results.Result
			for _, r := range rs {
				if _, ok := at(r); ok && r.Policy != base {
					compared = append(compared, r)
				}
			}
			if len(compared) == 0 {
				continue
			}
			p := Panel{Mark: Lines, X: sizeAxis(g.semantics.unit), Y: improvementAxis(q, labels[base]), best: 1,
				Series: bySize(compared, labels, func(r results.Result) estimated {
					b, _ := at(r)
					return reductionOf(q.measure(b), q.measure(r))
				})}
			figures = append(figures, sizesFigure(o, name+g.suffix, o.title(g.note), resultsNote(compared), p, look, compared))
		}
		return figures, nil
	}
}

func inGroup(g chartGroup, err error) error {
	if g.note == "" {
		return err
	}
	return fmt.Errorf("%s: %w", g.note, err)
}

func improvementAxis(q ratio, base string) Axis {
	return Axis{Label: q.name + " reduction from " + base, Unit: unitPercent, zero: true}
}

// lowestGap is where the axis of optimalGap ends where policies are far worse than
// the baseline.
const lowestGap = -100

// optimalGap draws what share of the gap between the miss ratios of a baseline
// and of the bound each policy closes.
func optimalGap(rows Rows, o Options) ([]Figure, error) {
	labels := Labels(rows.Results, o.Labels)
	look := rows.allLooks(labels)
	var figures []Figure
	for _, g := range rows.ratioGroups() {
		rs := ratios(g.results)
		base, err := Baseline(rs, o.Baseline)
		if err != nil {
			return nil, inGroup(g, err)
		}
		bound, err := choose(rs, o.Bound, boundPolicies...)
		if err != nil {
			return nil, inGroup(g, err)
		}
		if base == "" || bound == "" || base == bound {
			continue
		}
		below, above := index(rs, base), index(rs, bound)
		var compared []results.Result
		for _, r := range rs {
			b, ok := below(r)
			a, ok2 := above(r)
			// Where the baseline is as good as the bound there is no gap.
			if ok && ok2 && r.Policy != base && r.Policy != bound && a.HitRatio() > b.HitRatio() {
				compared = append(compared, r)
			}
		}
		if len(compared) == 0 {
			continue
		}
		p := Panel{Mark: Lines, X: sizeAxis(g.semantics.unit),
			Y: Axis{Label: fmt.Sprintf("Gap from %s to %s closed", labels[base], labels[bound]), Unit: unitPercent, zero: true}, best: 1,
			Series: bySize(compared, labels, func(r results.Result) estimated {
				b, _ := below(r)
				a, _ := above(r)
				return gapClosed(hitRatio.measure(b), hitRatio.measure(a), hitRatio.measure(r))
			})}
		of, note := o, resultsNote(compared)
		lowest := 0.0
		for _, s := range p.Series {
			for _, at := range s.Points {
				lowest = min(lowest, at.Y)
			}
		}
		if lowest < lowestGap && o.Y.Low == 0 && o.Y.High == 0 { // a gap that is about to close leaves no room for others
			of.Y.Low, of.Y.High = lowestGap, 100
			note = joinNotes(note, fmt.Sprintf("the axis is cut at %d %%: the lowest is %.0f", lowestGap, lowest))
		}
		figures = append(figures, sizesFigure(of, "optimal-gap"+g.suffix, o.title(g.note), note, p, look, compared))
	}
	return figures, nil
}

// A Reduction is by how much a policy reduces the miss ratio of a baseline, in
// percent of the baseline's, at one size: an element for each trace, ascending.
type Reduction struct {
	Policy, Size string
	Values       []float64
}

// Reductions compares policies with a baseline over traces, at each size that
// SizeLabel names alike in several of them. Of a trace with several seeds the
// mean counts. It fails where the traces were replayed with different semantics.
func Reductions(rows Rows, baseline string) (base string, all []Reduction, err error) {
	if err := rows.sameSemantics(); err != nil {
		return "", nil, err
	}
	rs := ratios2(rows)
	base, err = Baseline(rs, baseline)
	if err != nil || base == "" {
		return base, nil, err
	}
	at := index(rs, base)
	type key struct{ policy, size string }
	values := make(map[key]map[string][]float64) // by trace
	var order []key
	for _, r := range rs {
		b, ok := at(r)
		if !ok || r.Policy == base {
			continue
		}
		k := key{r.Policy, SizeLabel(r)}
		if values[k] == nil {
			values[k] = make(map[string][]float64)
			order = append(order, k)
		}
		trace := placeOf(r).trace
		values[k][trace] = append(values[k][trace], reduction(1-b.HitRatio(), 1-r.HitRatio()))
	}
	for _, k := range order {
		red := Reduction{Policy: k.policy, Size: k.size}
		for _, v := range values[k] {
			red.Values = append(red.Values, Mean(v).Value)
		}
		slices.Sort(red.Values)
		if len(red.Values) > 1 {
			all = append(all, red)
		}
	}
	return base, all, nil
}

// ratios2 is ratios of all traces.
func ratios2(rows Rows) []results.Result {
	var rs []results.Result
	for _, g := range rows.ratioGroups() {
		rs = append(rs, ratios(g.results)...)
	}
	return rs
}

// sameSemantics returns an error if results of several traces cannot be drawn in
// one chart.
func (rows Rows) sameSemantics() error {
	groups := rows.ratioGroups()
	percent := func(g chartGroup) semantics {
		s := g.semantics
		s.timed = 0
		if n := g.results[0].Requests; n > 0 {
			s.warmup = int(100*float64(s.warmup)/float64(n) + 0.5)
		}
		return s
	}
	for i, g := range groups {
		if i == 0 {
			continue
		}
		if d := percent(groups[0]).differences(percent(g)); d != "" {
			return fmt.Errorf("results of %s and of %s cannot be in one chart: they differ in %s: choose those of one kind", groups[0].trace, g.trace, d)
		}
	}
	return nil
}

// reductionSizes returns the sizes of reductions, in the order of their capacities.
func reductionSizes(rows Rows, all []Reduction) []string {
	least := make(map[string]int64)
	for _, r := range rows.Results {
		label := SizeLabel(r)
		if c, ok := least[label]; !ok || r.Capacity < c {
			least[label] = r.Capacity
		}
	}
	var sizes []string
	for _, r := range all {
		if !slices.Contains(sizes, r.Size) {
			sizes = append(sizes, r.Size)
		}
	}
	slices.SortStableFunc(sizes, func(a, b string) int { return cmp.Compare(least[a], least[b]) })
	return sizes
}

// acrossTraces is what the figures over traces share.
type acrossTraces struct {
	labels map[string]string
	looks  looks
	sizes  []string
	all    []Reduction
	axis   Axis // of the reduction
	note   string
}

var errSizes = errors.New("traces have no size in common: use sizes that are a share of the footprint, like 10%")

func across(rows Rows, o Options) (acrossTraces, error) {
	a := acrossTraces{labels: Labels(rows.Results, o.Labels)}
	a.looks = rows.allLooks(a.labels)
	base, all, err := Reductions(rows, o.Baseline)
	if err != nil {
		return a, err
	}
	traces := names(rows.Results, func(r results.Result) string { return placeOf(r).trace })
	if len(all) == 0 {
		if base != "" && len(traces) > 1 && len(names(rows.Results, policyOf)) > 1 {
			return a, errSizes
		}
		return a, nil
	}
	a.all, a.sizes = all, reductionSizes(rows, all)
	a.axis = improvementAxis(missRatio, a.labels[base])
	least, most := len(all[0].Values), 0
	for _, r := range all {
		least, most = min(least, len(r.Values)), max(most, len(r.Values))
	}
	a.note = fmt.Sprintf("%d traces", most)
	if least < most {
		a.note = fmt.Sprintf("%d to %d traces", least, most)
	}
	return a, nil
}

// of returns the reductions at a size.
func (a acrossTraces) of(size string) []Reduction {
	return slices.DeleteFunc(slices.Clone(a.all), func(r Reduction) bool { return r.Size != size })
}

// heading is that of the panel of a size.
func (a acrossTraces) heading(size string) string {
	if len(a.sizes) < 2 {
		return ""
	}
	return "cache size " + size
}

// withSize adds the size to the note where it heads no panel.
func (a acrossTraces) withSize() string {
	if len(a.sizes) == 1 {
		return a.note + ", cache size " + a.sizes[0]
	}
	return a.note
}

// percentiles of the figures over traces, and their mean between them.
var percentiles = []struct {
	name string
	p    float64 // negative: the mean
}{{"P10", 0.1}, {"P25", 0.25}, {"median", 0.5}, {"mean", -1}, {"P75", 0.75}, {"P90", 0.9}}

func percentile(values []float64, p float64) float64 {
	if p < 0 {
		return Mean(values).Value
	}
	return Quantile(values, p)
}

// improvementPercentiles draws a line of percentiles for each policy: the figure
// of Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
func improvementPercentiles(rows Rows, o Options) ([]Figure, error) {
	a, err := across(rows, o)
	if err != nil || len(a.all) == 0 {
		return nil, err
	}
	var panels []Panel
	for _, size := range a.sizes {
		p := Panel{Heading: a.heading(size), Mark: Lines, X: Axis{Label: "Percentile of the traces"}, Y: a.axis}
		for _, q := range percentiles {
			p.X.Categories = append(p.X.Categories, q.name)
		}
		for _, r := range a.of(size) {
			s := Series{Name: a.labels[r.Policy]}
			for i, q := range percentiles {
				s.Points = append(s.Points, Point{X: float64(i), Y: percentile(r.Values, q.p)})
			}
			p.Series = append(p.Series, s)
		}
		panels = append(panels, p)
	}
	o.X = AxisOptions{}
	return []Figure{xyChart{name: "improvement-percentiles", title: o.Title, note: a.withSize(), panels: panels, looks: a.looks}.figure(o)}, nil
}

// improvementCDF draws the cumulative distribution over traces.
func improvementCDF(rows Rows, o Options) ([]Figure, error) {
	a, err := across(rows, o)
	if err != nil || len(a.all) == 0 {
		return nil, err
	}
	var panels []Panel
	for _, size := range a.sizes {
		p := Panel{Heading: a.heading(size), Mark: Steps, X: a.axis, Y: Axis{Label: "Traces", Unit: unitPercent}}
		for _, r := range a.of(size) {
			s := Series{Name: a.labels[r.Policy], Points: []Point{{X: r.Values[0]}}}
			for i, v := range r.Values {
				s.Points = append(s.Points, Point{X: v, Y: 100 * float64(i+1) / float64(len(r.Values))})
			}
			p.Series = append(p.Series, s)
		}
		panels = append(panels, p)
	}
	return []Figure{xyChart{name: "improvement-cdf", title: o.Title, note: a.withSize(), panels: panels, looks: a.looks}.figure(o)}, nil
}
