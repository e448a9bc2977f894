package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"gonum.org/v1/plot"

	"cachesim/sim"
	"cachesim/sim/results"
)

// ratio is one of the four ratios, in percent.
type ratio struct {
	name string // of its axis
	of   func(results.Result) float64
	sd   func(results.Result) float64 // of one sample, where it is estimated from several
	byte bool                         // it is of bytes
	miss bool
}

var (
	hitRatio      = ratio{"Hit ratio", func(r results.Result) float64 { return 100 * r.HitRatio() }, hitSD, false, false}
	byteHitRatio  = ratio{"Byte hit ratio", func(r results.Result) float64 { return 100 * r.ByteHitRatio() }, byteHitSD, true, false}
	missRatio     = ratio{"Miss ratio", func(r results.Result) float64 { return 100 * (1 - r.HitRatio()) }, hitSD, false, true}
	byteMissRatio = ratio{"Byte miss ratio", func(r results.Result) float64 { return 100 * (1 - r.ByteHitRatio()) }, byteHitSD, true, true}
)

func hitSD(r results.Result) float64     { return 100 * r.HitRatioSD }
func byteHitSD(r results.Result) float64 { return 100 * r.ByteHitRatioSD }

// An estimated is a number with the standard error of an estimate from samples; 0
// where it is exact, or where nothing is known of the error.
type estimated struct{ value, err float64 }

// measure returns the ratio of r.
func (q ratio) measure(r results.Result) estimated {
	m := estimated{value: q.of(r)}
	if n := r.Sampling.Salts; r.Sampling.Rate > 0 && n > 1 {
		m.err = q.sd(r) / math.Sqrt(float64(n))
	}
	return m
}

// better is Panel.best of the ratio.
func (q ratio) better() int {
	if q.miss {
		return -1
	}
	return 1
}

// usable returns the results that have the ratio.
func (q ratio) usable(rs []results.Result) []results.Result {
	rs = ratios(rs)
	if q.byte {
		rs = slices.DeleteFunc(rs, func(r results.Result) bool { return r.Bytes == 0 })
	}
	return rs
}

// sizeAxis is that of cache sizes.
func sizeAxis(unit string) Axis {
	if unit == sim.UnitObjects {
		return Axis{Label: "Cache size", Unit: unitObjects, Log: true}
	}
	return Axis{Label: "Cache size", Unit: unitBytes, Log: true}
}

// bySize makes a series for each policy: a value by capacity, ascending. Where
// there are several seeds it is their mean with its interval; where it is
// estimated from several samples it has the interval of Student's t over them.
func bySize(rs []results.Result, labels map[string]string, of func(results.Result) estimated) []Series {
	type cell struct {
		policy   string
		capacity int64
	}
	values := make(map[cell][]float64)
	half := make(map[cell]float64) // of the interval of a sampled one
	for _, r := range rs {
		c := cell{r.Policy, r.Capacity}
		m := of(r)
		values[c] = append(values[c], m.value)
		if m.err > 0 {
			half[c] = m.err * tQuantile(r.Sampling.Salts)
		}
	}
	var all []Series
	for _, policy := range names(rs, policyOf) {
		s := Series{Name: labels[policy]}
		for c, v := range values {
			if c.policy == policy {
				e := Mean(v)
				if h := half[c]; len(v) == 1 && h > 0 {
					e.Low, e.High = e.Value-h, e.Value+h
				}
				s.Points = append(s.Points, point(float64(c.capacity), e))
			}
		}
		slices.SortFunc(s.Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
		all = append(all, s)
	}
	return all
}

// point is an estimate at x.
func point(x float64, e Estimate) Point {
	if e.Low == e.High {
		return Point{X: x, Y: e.Value}
	}
	return Point{x, e.Value, e.Low, e.High}
}

// resultsNote says what intervals are of, and what is estimated, where there is
// any.
func resultsNote(rs []results.Result) string { return joinNotes(seedsNote(rs), samplesNote(rs)) }

// samplesNote says what is estimated, and how.
func samplesNote(rs []results.Result) string {
	sampled := slices.DeleteFunc(slices.Clone(rs), func(r results.Result) bool { return r.Sampling.Rate == 0 })
	if len(sampled) == 0 {
		return ""
	}
	note := "estimated from " + results.SampleText(sampled)
	if slices.ContainsFunc(sampled, func(r results.Result) bool { return r.HitRatioSD > 0 || r.ByteHitRatioSD > 0 }) {
		note += ", with the 95 % interval of their mean"
	}
	if len(sampled) < len(rs) {
		policies := names(slices.DeleteFunc(slices.Clone(rs), func(r results.Result) bool { return r.Sampling.Rate > 0 }), policyOf)
		labels := Labels(rs, nil)
		for i, p := range policies {
			policies[i] = labels[p]
		}
		if len(policies) > 4 {
			return note + ", but for some policies or sizes"
		}
		note += "; exact: " + strings.Join(policies, ", ")
		if len(policies) == len(names(rs, policyOf)) {
			note += ", at some sizes"
		}
	}
	return note
}

// seedsNote says what intervals are of, where there are any.
func seedsNote(rs []results.Result) string {
	seeds := make(map[string]map[uint64]bool)
	for _, r := range rs {
		k := fmt.Sprint(r.Cell.Trace, r.TraceDigest, r.Policy, r.Capacity)
		if seeds[k] == nil {
			seeds[k] = make(map[uint64]bool)
		}
		seeds[k][r.Seed] = true
	}
	most := 0
	for _, s := range seeds {
		most = max(most, len(s))
	}
	if most < 2 {
		return ""
	}
	return fmt.Sprintf("mean of %d seeds with its 95 %% interval", most)
}

// allLooks gives each policy of all rows its look.
func (rows Rows) allLooks(labels map[string]string) looks {
	var list []string
	for _, p := range names(rows.Results, policyOf) {
		list = append(list, labels[p])
	}
	return looksOf(list)
}

// ratioKind draws a ratio against cache size, a line a policy, and at a single
// size as bars.
func ratioKind(name string, q ratio) func(Rows, Options) ([]Figure, error) {
	return func(rows Rows, o Options) ([]Figure, error) {
		labels := Labels(rows.Results, o.Labels)
		look := rows.allLooks(labels)
		var figures []Figure
		for _, g := range rows.ratioGroups() {
			rs := q.usable(g.results)
			if len(rs) == 0 {
				continue
			}
			p := Panel{Mark: Lines, X: sizeAxis(g.semantics.unit), Y: Axis{Label: q.name, Unit: unitPercent}, Series: bySize(rs, labels, q.measure), best: q.better()}
			figures = append(figures, sizesFigure(o, name+g.suffix, o.title(g.note), resultsNote(rs), p, look, rs))
		}
		return figures, nil
	}
}

// sizesFigure draws a panel of series by size, as bars if there is but one size.
func sizesFigure(o Options, name, title, note string, p Panel, look looks, rs []results.Result) Figure {
	sizes := names(rs, func(r results.Result) string { return fmt.Sprint(r.Capacity) })
	if len(sizes) > 1 {
		return xyChart{name: name, title: title, note: note, panels: []Panel{p}, looks: look}.figure(o)
	}
	of := capacityText(rs[0])
	if label := SizeLabel(rs[0]); label != of {
		of += " (" + label + ")"
	}
	note = joinNotes(of, note)
	bars := Panel{Mark: Bars, X: Axis{Label: "Policy"}, Y: p.Y}
	s := Series{Name: p.Y.Label}
	for i, policy := range p.Series {
		bars.X.Categories = append(bars.X.Categories, policy.Name)
		at := policy.Points[0]
		at.X = float64(i)
		s.Points = append(s.Points, at)
		s.labels = append(s.labels, shortNumber(at.Y))
	}
	bars.Series = []Series{s}
	return barFigure(o, name, title, note, bars)
}

func joinNotes(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// barFigure draws a panel of one series as bars with their numbers.
func barFigure(o Options, name, title, note string, p Panel) Figure {
	st := o.Style
	high, low := 0.0, 0.0
	pan := panel{unit: p.Y.Unit}
	for _, at := range p.Series[0].Points {
		b := bar{median: at.Y, low: at.Low, high: at.High, style: barStyle{fill: st.color(0)}}
		if !at.hasInterval() {
			b.low, b.high = at.Y, at.Y
		}
		high, low = max(high, b.high), min(low, b.low)
		pan.groups = append(pan.groups, []bar{b})
	}
	axis := func(pl *plot.Plot) {
		bottom, top := low, high
		step := 0.0
		if o.Y.Low != 0 || o.Y.High != 0 {
			bottom, top = o.Y.Low, o.Y.High
			step = nice((top - bottom) / 5)
		} else {
			if top <= bottom { // all values are 0
				top = bottom + 1
			}
			span := top - bottom
			step = nice(span / 5)
			top += span * 0.2 // of the numbers
			if bottom < 0 {
				bottom -= span * 0.2
			}
		}
		pl.Y.Min, pl.Y.Max = bottom, top
		pl.Y.Tick.Marker = upTo{steps(step), max(high, o.Y.High)}
	}
	const least = 2
	width := st.narrow()
	if len(p.X.Categories)*least > oneColumnBars*2/3 {
		width = st.wide()
	}
	ch := newBarChart(st, []panel{pan}, p.X.Categories, least, twoColumnsBars, axis, func(g []bar, j int) string { return shortNumber(g[j].median) })
	ch.unit = p.Y.name()
	f := beside(name, newHeader(st, title, width).withNote(note, width), width, ch)
	f.Title, f.Note, f.Panels = title, note, []Panel{p}
	f.fitY(ch.rows[0].plots[0].Y)
	return f
}

// upTo drops the ticks above what the data reach.
type upTo struct {
	plot.Ticker
	high float64
}

func (u upTo) Ticks(low, high float64) []plot.Tick {
	return slices.DeleteFunc(u.Ticker.Ticks(low, high), func(t plot.Tick) bool { return t.Value > u.high*(1+1e-9) && t.Value > 0 })
}

// shortNumber writes a percentage above a bar.
func shortNumber(v float64) string {
	if v >= 99.95 || v <= -99.95 {
		return humanize.FtoaWithDigits(v, 0)
	}
	return fmt.Sprintf("%.1f", v)
}
