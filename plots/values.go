package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"cachesim/sim/results"
)

// A Number is a quantity of results that an axis can show.
type Number struct {
	Name, Doc string
	axis      Axis
	of        func(results.Result) estimated // not a number where a result has none
	// Whether it is of timed cells or of replays of whole traces; neither: both
	// have it.
	timed, whole bool
	best         int // as of a Panel
}

// ParamPrefix stands before the name of a policy's parameter where that is a
// Number: "param:small".
const ParamPrefix = "param:"

// Numbers lists the numbers, apart from parameters of policies.
var Numbers = []Number{
	{Name: "size", Doc: "capacity, in bytes or objects", axis: Axis{Label: "Cache size"}, of: exactly(func(r results.Result) float64 { return float64(r.Capacity) })},
	{Name: "hit-ratio", Doc: "in percent", axis: Axis{Label: hitRatio.name, Unit: unitPercent}, of: hitRatio.measure, whole: true, best: 1},
	{Name: "byte-hit-ratio", Doc: "in percent", axis: Axis{Label: byteHitRatio.name, Unit: unitPercent}, of: byteHitRatio.measure, whole: true, best: 1},
	{Name: "miss-ratio", Doc: "in percent", axis: Axis{Label: missRatio.name, Unit: unitPercent}, of: missRatio.measure, whole: true, best: -1},
	{Name: "byte-miss-ratio", Doc: "in percent", axis: Axis{Label: byteMissRatio.name, Unit: unitPercent}, of: byteMissRatio.measure, whole: true, best: -1},
	{Name: "prefix-hit-ratio", Doc: "of blocks of prompts, in percent", axis: Axis{Label: "Prefix hit ratio", Unit: unitPercent}, whole: true,
		of: exactly(func(r results.Result) float64 { return known(100*r.PrefixHitRatio(), r.LLMRequests > 0) })},
	{Name: "evictions", Doc: "objects evicted", axis: Axis{Label: "Evictions", count: true, zero: true}, of: counted(func(r results.Result) *int64 { return r.Evictions }), whole: true},
	{Name: "admissions", Doc: "objects admitted", axis: Axis{Label: "Admissions", count: true, zero: true}, of: counted(func(r results.Result) *int64 { return r.Admissions }), whole: true},
	{Name: "admitted-bytes", Doc: "bytes written to the cache", axis: Axis{Label: "Bytes admitted", Unit: unitBytes}, of: counted(func(r results.Result) *int64 { return r.AdmittedBytes }), whole: true},
	{Name: "warmup", Doc: "requests before those that count", axis: Axis{Label: "Warm-up (requests)", count: true}, of: exactly(func(r results.Result) float64 { return float64(r.Warmup) })},
	{Name: "metadata", Doc: "bytes added to each object", axis: Axis{Label: "Metadata of an object (bytes)", zero: true}, of: exactly(func(r results.Result) float64 { return float64(r.Metadata) })},
	{Name: "sample", Doc: "share of the objects that an estimate is from, in percent; 100: exact", axis: Axis{Label: "Sample", Unit: unitPercent, Log: true}, whole: true,
		of: exactly(func(r results.Result) float64 { return 100 * cmp.Or(r.Sample().Rate, 1) })},
	{Name: "time", Doc: "running time of a request in nanoseconds", axis: Axis{Label: "Running time", Unit: "ns per request", zero: true}, of: exactly(results.Result.PerRequest), timed: true, best: -1},
	{Name: "setup", Doc: "compiling and instantiating, in milliseconds", axis: Axis{Label: "Set-up", Unit: "ms", zero: true}, of: exactly(func(r results.Result) float64 { return r.Setup.Seconds() * 1e3 }), timed: true, best: -1},
	{Name: "latency", Doc: "mean latency in milliseconds, with --latency", axis: Axis{Label: "Mean latency", Unit: "ms", zero: true}, of: optional(func(r results.Result) *float64 { return r.Costs.LatencyMean }), whole: true, best: -1},
	{Name: "latency-p99", Doc: "99th percentile", axis: Axis{Label: "Latency, 99th percentile", Unit: "ms", zero: true}, of: optional(func(r results.Result) *float64 { return r.Costs.LatencyP99 }), whole: true, best: -1},
	{Name: "origin-bytes", Doc: "bytes from the origin", axis: Axis{Label: "Bytes from the origin", Unit: unitBytes}, of: counted(func(r results.Result) *int64 { return r.Costs.OriginBytes }), whole: true},
	{Name: "origin-p95", Doc: "traffic from the origin, 95th percentile, in Gbit/s", axis: Axis{Label: "Traffic from the origin, P95", Unit: "Gbit/s", zero: true}, of: optional(func(r results.Result) *float64 { return r.Costs.OriginP95 }), whole: true},
	{Name: "egress-cost", Doc: "in the currency of the price", axis: Axis{Label: "Cost of egress", zero: true}, of: optional(func(r results.Result) *float64 { return r.Costs.EgressCost }), whole: true},
	{Name: "write-ratio", Doc: "bytes written to the cache over bytes requested", axis: Axis{Label: "Write ratio", zero: true}, of: optional(func(r results.Result) *float64 { return r.Costs.WriteRatio }), whole: true},
}

func known(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}

func exactly(of func(results.Result) float64) func(results.Result) estimated {
	return func(r results.Result) estimated { return estimated{value: of(r)} }
}

func counted(of func(results.Result) *int64) func(results.Result) estimated {
	return func(r results.Result) estimated {
		if n := of(r); n != nil {
			return estimated{value: float64(*n)}
		}
		return estimated{value: math.NaN()}
	}
}

func optional(of func(results.Result) *float64) func(results.Result) estimated {
	return func(r results.Result) estimated {
		if v := of(r); v != nil {
			return estimated{value: *v}
		}
		return estimated{value: math.NaN()}
	}
}

// NumberNamed returns the number of a name.
func NumberNamed(name string) (Number, error) {
	if param, ok := strings.CutPrefix(name, ParamPrefix); ok && param != "" {
		return Number{Name: name, axis: Axis{Label: strings.ToUpper(param[:1]) + param[1:]}, of: exactly(func(r results.Result) float64 { return paramOf(r.Policy, param) })}, nil
	}
	var all []string
	for _, n := range Numbers {
		if n.Name == name {
			return n, nil
		}
		all = append(all, n.Name)
	}
	return Number{}, fmt.Errorf("unknown number %q: known are %s, and %sNAME for a parameter of policies", name, strings.Join(all, ", "), ParamPrefix)
}

// paramOf returns a parameter of a policy, and not a number where its name does
// not hold it.
func paramOf(policy, param string) float64 {
	_, list, _ := strings.Cut(policy, ":")
	for _, p := range strings.Split(list, ",") {
		if name, value, _ := strings.Cut(p, "="); name == param {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				return v
			}
		}
	}
	return math.NaN()
}

// withoutParam returns a policy's name without one parameter.
func withoutParam(policy, param string) string {
	name, list, _ := strings.Cut(policy, ":")
	kept := slices.DeleteFunc(strings.Split(list, ","), func(p string) bool { return p == "" || strings.HasPrefix(p, param+"=") })
	if len(kept) == 0 {
		return name
	}
	return name + ":" + strings.Join(kept, ",")
}

// numbers draws one number of results against another, a line for each policy
// and version, and a figure for each trace.
func numbers(rows Rows, o Options) ([]Figure, error) {
	x, err := NumberNamed(cmp.Or(o.X.Of, "size"))
	if err != nil {
		return nil, err
	}
	y, err := NumberNamed(cmp.Or(o.Y.Of, "hit-ratio"))
	if err != nil {
		return nil, err
	}
	timed := x.timed || y.timed
	if timed && (x.whole || y.whole) {
		return nil, fmt.Errorf("%s is of timed cells and %s of replays of whole traces: --kind time-hit-ratio joins them", pick(x.timed, x, y).Name, pick(x.timed, y, x).Name)
	}
	param, _ := strings.CutPrefix(x.Name, ParamPrefix)
	groups := rows.ratioGroups()
	if timed {
		groups = rows.timeGroups()
	}
	var named []results.Result // by what their lines are
	for _, r := range rows.Results {
		if policy := withoutParam(r.Policy, param); policy != r.Policy {
			r.Policy, r.Title = policy, "" // a title may name the parameter
		}
		named = append(named, r)
	}
	labels := Labels(named, o.Labels)
	look := (Rows{Results: named}).allLooks(labels)
	var figures []Figure
	for _, g := range groups {
		rs := slices.DeleteFunc(slices.Clone(g.results), func(r results.Result) bool { return !r.Timed })
		if !timed {
			rs = ratios(g.results)
			if x.Name == "sample" || y.Name == "sample" { // all rates, not the most accurate one
				rs = ratiosBy(g.results, func(r results.Result) float64 { return r.Sample().Rate })
			}
		}
		p := numbersPanel(rs, x, y, param, timed, labels)
		if len(p.Series) == 0 {
			continue
		}
		p.X.Unit, p.Y.Unit = unitOf(x, g), unitOf(y, g)
		p.best = y.best
		p.X.Log = p.X.Log || x.Name == "size"
		for _, s := range p.Series {
			look.add(s.Name)
		}
		note := ""
		if !timed {
			note = resultsNote(rs)
		}
		if sizes := names(rs, capacityText); len(sizes) == 1 && x.Name != "size" && y.Name != "size" {
			note = joinNotes(sizes[0], note)
		}
		ch := xyChart{name: "values" + g.suffix, title: o.title(g.note), note: note, panels: []Panel{p}, looks: look}
		figures = append(figures, ch.figure(o))
	}
	return figures, nil
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

func (l looks) add(name string) {
	if _, ok := l[name]; !ok {
		l[name] = len(l)
	}
}

func unitOf(n Number, g chartGroup) string {
	if n.Name == "size" {
		return g.semantics.unit
	}
	return n.axis.Unit
}

// numbersPanel makes a line for each policy, of timed cells for each version, and
// where X is not the size and there are several for each size, too.
func numbersPanel(rs []results.Result, x, y Number, param string, timed bool, labels map[string]string) Panel {
	type cell struct {
		line string
		x    float64
	}
	perSize := x.Name != "size" && y.Name != "size" && len(names(rs, func(r results.Result) string { return strconv.FormatInt(r.Capacity, 10) })) > 1
	values := make(map[cell][]float64)
	half := make(map[cell]float64)
	var lines []string
	for _, r := range rs {
		at, v := x.of(r), y.of(r)
		if math.IsNaN(at.value) || math.IsNaN(v.value) {
			continue
		}
		line := labels[withoutParam(r.Policy, param)]
		if timed {
			line += ", " + r.Version.String()
		}
		if perSize {
			line += ", " + SizeLabel(r)
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
		c := cell{line, at.value}
		values[c] = append(values[c], v.value)
		if v.err > 0 {
			half[c] = v.err * tQuantile(r.Sampling.Salts)
		}
	}
	p := Panel{Mark: Lines, X: x.axis, Y: y.axis}
	for _, line := range lines {
		s := Series{Name: line}
		for c, v := range values {
			if c.line != line {
				continue
			}
			e := Mean(v)
			if h := half[c]; len(v) == 1 && h > 0 {
				e.Low, e.High = e.Value-h, e.Value+h
			}
			s.Points = append(s.Points, point(c.x, e))
		}
		slices.SortFunc(s.Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
		p.Series = append(p.Series, s)
	}
	return p
}

// MakeBy makes figures of each group of the results that agree in some fields;
// their names and titles say in what.
func MakeBy(rows Rows, o Options, fields []string, kinds ...string) ([]Figure, error) {
	if len(fields) == 0 {
		return Make(rows, o, kinds...)
	}
	groups, err := GroupBy(rows.Results, fields...)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	taken := make(map[string]bool)
	for _, g := range groups {
		var suffix, note []string
		for i, v := range g.Values {
			suffix = append(suffix, fileName(strings.ReplaceAll(v, " ", "")))
			if fields[i] == "policy" {
				v = Labels(g.Results, o.Labels)[v]
			}
			note = append(note, v)
		}
		of := o
		of.Title = o.title(strings.Join(note, ", "))
		part := rows
		part.Results = g.Results
		made, err := Make(part, of, kinds...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(note, ", "), err)
		}
		for _, f := range made {
			base := f.Name + "-" + strings.Join(suffix, "-")
			f.Name = base
			for n := 2; taken[f.Name]; n++ {
				f.Name = fmt.Sprintf("%s-%d", base, n)
			}
			taken[f.Name] = true
			figures = append(figures, f)
		}
	}
	return figures, nil
}
