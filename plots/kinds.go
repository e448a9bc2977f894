// Package plots draws figures for papers from results. It never sees a running
// simulation, so that a result file is all that a figure needs.
package plots

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Kind is one kind of figure.
type Kind struct {
	Name, Doc string
	Default   bool // drawn where no kind is asked for and there is something to draw
	// Make returns the figures of this kind that rows give: none if rows hold
	// nothing that it shows. It fails where rows cannot be compared.
	Make func(Rows, Options) ([]Figure, error)
	// Needs says what it shows, for a reader whose rows hold nothing of it.
	Needs string
}

// Kinds lists the kinds of figures.
var Kinds = []Kind{
	{"hit-ratio", "hit ratio against cache size; bars at one size", true, ratioKind("hit-ratio", hitRatio), needsRatios},
	{"byte-hit-ratio", "byte hit ratio against cache size", false, ratioKind("byte-hit-ratio", byteHitRatio), needsRatios},
	{"miss-ratio", "miss ratio against cache size", false, ratioKind("miss-ratio", missRatio), needsRatios},
	{"byte-miss-ratio", "byte miss ratio against cache size", false, ratioKind("byte-miss-ratio", byteMissRatio), needsRatios},
	{"improvement", "reduction of the miss ratio relative to a baseline, against cache size", false, improvementKind("improvement", missRatio), needsBaseline},
	{"byte-improvement", "reduction of the byte miss ratio relative to a baseline, against cache size", false, improvementKind("byte-improvement", byteMissRatio), needsBaseline},
	{"improvement-box", "the same over traces: boxes of the 10th, 25th, 50th, 75th and 90th percentiles and the mean", false, improvementBox, needsTraces},
	{"improvement-percentiles", "the same over traces: a line of percentiles for each policy", false, improvementPercentiles, needsTraces},
	{"improvement-cdf", "the same over traces: its cumulative distribution", false, improvementCDF, needsTraces},
	{"optimal-gap", "share of the gap between a baseline and Belady that a policy closes, against cache size", false, optimalGap, "whole replays of a baseline, of belady and of another policy"},
	{"heat-map", "hit ratio of each policy at each cache size", false, heatMap, needsRatios},
	{"over-time", "hit ratio of each interval of a trace", true, overTime, "results with a series of intervals"},
	{"runtime", "running times by engine, ABI and handle, with their ratio to native", true, runTime, needsTimes},
	{"time-hit-ratio", "running time against hit ratio, with the policies that no other one dominates", false, timeHitRatio, "timed cells, and whole replays of their policies at the same cache size"},
	{"values", "one number of the results against another, as chosen by --x and --y", false, numbers, "results that have both numbers"},
	{"bench-calls", "what a call of each test of the micro benchmark takes", true, benchKind(callCosts, benchCalls), needsBench},
	{"bench-compile", "what compiling and instantiating take, and add to a call", true, benchKind(callCosts, benchCompile), needsBench},
	{"bench-payload", "what a call takes by the bytes that it passes", true, benchKind(payloadCosts, benchPayload), needsBench},
	{"bench-breakdown", "the parts of a call", true, benchKind(partCosts, benchBreakdown), needsBench},
	{"trace-popularity", "requests of each object by rank, with the fitted Zipf line", true, tracePopularity, needsProfile},
	{"trace-sizes", "cumulative distribution of sizes, of objects and of requests", true, traceSizes, needsProfile},
	{"trace-reuse", "cumulative distribution of reuse distances", true, traceReuse, needsProfile},
	{"trace-load", "requests over time", true, traceLoad, needsProfile},
}

const (
	needsRatios   = "replays of whole traces"
	needsBaseline = "whole replays of a baseline and of another policy at the same cache size"
	needsTraces   = "whole replays of a baseline and of another policy, at the same share of the footprint in two traces or more"
	needsTimes    = "timed cells in which not all objects are larger than the cache"
	needsBench    = "results of the micro benchmark"
	needsProfile  = "a profile of a trace"
)

// Options say how figures are to be. The zero value is good for most.
type Options struct {
	Style  Style
	Title  string
	Labels map[string]string // of policies: see Labels
	X, Y   AxisOptions
	// Baseline is the policy that others are compared with: its whole name, or
	// its name without parameters. Empty: fifo, or lru where there is no fifo.
	Baseline string
	// Highlight are policies that figures with many lines show in colour, besides the
	// best ones; the others are grey. Each is a whole name, one without parameters, or
	// a label.
	Highlight []string
	// Bound is the policy that no other one can exceed. Empty: belady.
	Bound string

	highlighted []string // labels of Highlight
	references  []string // labels of Bound, or of Belady
	bounds      []string // labels of policies that are not to be ranked among others
}

// AxisOptions override what an axis shows.
type AxisOptions struct {
	// Of is the name of the Number that it shows, in figures of kind values.
	Of string
	// Low and High are its ends, in its unit; sizes are in bytes or objects,
	// ratios in percent. Both 0: the data's.
	Low, High float64
	// Scale is "log", "linear" or empty: what suits the kind.
	Scale string
}

func (o AxisOptions) check(name string) error {
	switch {
	case o.Scale != "" && o.Scale != "log" && o.Scale != "linear":
		return fmt.Errorf("scale %q of the %s axis: known are linear, log", o.Scale, name)
	case o.Low == 0 && o.High == 0:
		return nil
	case !(o.Low < o.High): // NaN is in no order
		return fmt.Errorf("limits of the %s axis: %g is not below %g", name, o.Low, o.High)
	case o.Scale == "log" && o.Low <= 0:
		return fmt.Errorf("limits of the %s axis: a logarithmic one cannot start at %g", name, o.Low)
	}
	return nil
}

// KindNamed returns the kind of a name.
func KindNamed(name string) (Kind, error) {
	var known []string
	for _, k := range Kinds {
		if k.Name == name {
			return k, nil
		}
		known = append(known, k.Name)
	}
	return Kind{}, fmt.Errorf("unknown figure %q: known are %s", name, strings.Join(known, ", "))
}

// Make makes figures of the kinds named, or of all default kinds that rows hold
// something of. A kind asked for of which there is nothing is an error.
func Make(rows Rows, o Options, kinds ...string) ([]Figure, error) {
	o.Style = o.Style.orDefault()
	rows = rows.printable()
	if err := errors.Join(o.X.check("horizontal"), o.Y.check("vertical")); err != nil {
		return nil, err
	}
	for i, r := range rows.Results {
		if err := drawable(r); err != nil {
			return nil, fmt.Errorf("result %d (%s, %s): %w", i+1, r.Policy, r.Version, err)
		}
	}
	for i, c := range rows.Costs {
		if err := measurable(c); err != nil {
			return nil, fmt.Errorf("cost %d (%s, %s, %s): %w", i+1, c.Test, c.Engine, c.Mode, err)
		}
	}
	for _, p := range rows.Profiles {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("profile of %s: %w", p.Trace, err)
		}
	}
	if err := rows.contradictions(); err != nil {
		return nil, err
	}
	o.highlighted = o.highlightedIn(rows.Results)
	o.references = o.labelled(rows.Results, func(policy, _ string) bool { return is(policy, cmp.Or(o.Bound, boundPolicies[0])) })
	o.bounds = o.labelled(rows.Results, func(policy, _ string) bool { return o.isBound(policy) })
	chosen := slices.DeleteFunc(slices.Clone(Kinds), func(k Kind) bool { return !k.Default })
	if len(kinds) > 0 {
		chosen = nil
		for _, name := range kinds {
			k, err := KindNamed(name)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, k)
		}
	}
	var figures []Figure
	for _, k := range chosen {
		made, err := k.Make(rows, o)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", k.Name, err)
		}
		if len(made) == 0 && len(kinds) > 0 {
			return nil, fmt.Errorf("draw %s: nothing to draw: it shows %s", k.Name, k.Needs)
		}
		figures = append(figures, made...)
	}
	if len(figures) == 0 {
		return nil, errors.New("nothing to draw: neither replays of whole traces, series, timed cells, costs of calls nor profiles")
	}
	return figures, nil
}

// title joins the title that was given and what a figure shows a part of.
func (o Options) title(note string) string {
	switch {
	case o.Title == "":
		return note
	case note == "":
		return o.Title
	}
	return o.Title + ": " + note
}
