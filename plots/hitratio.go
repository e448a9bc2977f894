package plots

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim/results"
)

// series is a line: hit ratios in percent by cache size in bytes, ascending.
type series struct {
	name   string
	points plotter.XYs
}

// ratioSeries makes a line for each policy of the cells that replayed the whole
// trace. Versions of a policy agree, so the first of each size will do.
func ratioSeries(rs []results.Result) []series {
	var all []series
	for _, r := range rs {
		if !r.Whole {
			continue
		}
		i := slices.IndexFunc(all, func(s series) bool { return s.name == r.Policy })
		if i < 0 {
			i = len(all)
			all = append(all, series{name: r.Policy})
		}
		x := float64(r.Capacity)
		if !slices.ContainsFunc(all[i].points, func(p plotter.XY) bool { return p.X == x }) {
			all[i].points = append(all[i].points, plotter.XY{X: x, Y: 100 * r.HitRatio()})
		}
	}
	for _, s := range all {
		slices.SortFunc(s.points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
	}
	return all
}

// hitRatio draws hit ratio against cache size, a line a policy.
func hitRatio(rs []results.Result, title string) (Figure, bool) {
	all := ratioSeries(rs)
	if len(all) == 0 {
		return Figure{}, false
	}
	p := newPlot("Cache size", "Hit ratio (%)")
	p.X.Scale = plot.LogScale{}
	p.Add(grid())
	var entries []legendEntry
	var sizes []float64
	low, high := math.Inf(1), math.Inf(-1)
	for i, s := range all {
		line, _ := plotter.NewLine(s.points)
		line.LineStyle = lineStyle(i)
		marks, _ := plotter.NewScatter(s.points)
		marks.GlyphStyle = glyphStyle(i)
		p.Add(line, marks)
		for _, xy := range s.points {
			low, high = min(low, xy.Y), max(high, xy.Y)
			if !slices.Contains(sizes, xy.X) {
				sizes = append(sizes, xy.X)
			}
		}
		entries = append(entries, legendEntry{s.name, func(c draw.Canvas) {
			y := c.Center().Y
			c.StrokeLine2(lineStyle(i), c.Min.X, y, c.Max.X, y)
			c.DrawGlyph(glyphStyle(i), c.Center())
		}})
	}
	slices.Sort(sizes)
	first, last := sizes[0], sizes[len(sizes)-1]
	beside := 1.5
	if first < last {
		beside = min(1.4, math.Pow(last/first, 0.03))
	}
	p.X.Min, p.X.Max = first/beside, last*beside
	p.X.Tick.Marker = sizeTicks(sizes)
	var step float64
	p.Y.Min, p.Y.Max, step = ratioRange(low, high)
	p.Y.Tick.Marker = steps(step)

	width, height := vg.Length(oneColumn), 2*vg.Inch
	l := newLegend(entries, width-2*margin)
	if len(entries) > 8 || l.rows() > 4 {
		width, height = twoColumns, 2.6*vg.Inch
		l = newLegend(entries, width-2*margin)
	}
	h := newHeader(title, width, l)
	f := Figure{Name: "hit-ratio", Width: width, Height: height + h.height()}
	f.draw = func(c draw.Canvas) { p.Draw(h.drawTo(c)) }
	return f, true
}

// ratioRange returns the ends of an axis for percentages from low to high, and
// the step between its ticks. Differences of less than one percent do not fill
// it, unless all there is is less.
func ratioRange(low, high float64) (bottom, top, step float64) {
	span := max(high-low, min(1, high))
	if span <= 0 {
		span = 1
	}
	step = nice(span / 5)
	bottom = max(0, step*math.Floor(low/step+1e-9))
	top = min(100, step*math.Ceil(high/step-1e-9))
	for top-bottom < 3.5*step {
		bottom, top = max(0, bottom-step), min(100, top+step)
	}
	return bottom, top, step
}

// sizeTicks puts ticks at powers of two bytes, with as many labels as have
// room. Where the sizes drawn span less than two of them, or are one, it puts
// them at the sizes.
type sizeTicks []float64

func (s sizeTicks) Ticks(low, high float64) []plot.Tick {
	const labels = 6
	var at []float64
	for k := math.Ceil(math.Log2(low)); k <= math.Log2(high); k++ {
		at = append(at, math.Pow(2, k))
	}
	// The distance that labels keep, of logarithms.
	room := math.Ceil(float64(len(at))/labels) - 0.5
	if len(at) < 2 || len(s) == 1 {
		at, room = s, math.Log2(high/low)/labels
	}
	// From the largest, which readers look for.
	var ticks []plot.Tick
	last, lastLabel := math.Inf(1), ""
	for _, v := range slices.Backward(at) {
		t := plot.Tick{Value: v}
		label := bytesLabel(v)
		if math.Log2(last/v) >= room && label != lastLabel {
			t.Label = label
			last, lastLabel = v, label
		}
		ticks = append(ticks, t)
	}
	slices.Reverse(ticks)
	return ticks
}

func bytesLabel(v float64) string { return strings.Replace(humanize.IBytes(uint64(v)), ".0 ", " ", 1) }
