package plots

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim"
)

// series is a line: hit ratios in percent by cache size in bytes, ascending.
type series struct {
	name   string
	points plotter.XYs
}

// ratioSeries makes a line for each policy of the cells that replayed the whole
// trace. Versions of a policy agree, so the first of each size will do.
func ratioSeries(results []sim.Result) []series {
	var all []series
	for _, r := range results {
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
		slices.SortFunc(s.points, func(a, b plotter.XY) int { return int(math.Copysign(1, a.X-b.X)) })
	}
	return all
}

// hitRatio draws hit ratio against cache size, a line a policy.
func hitRatio(results []sim.Result, title string) (Figure, bool) {
	all := ratioSeries(results)
	if len(all) == 0 {
		return Figure{}, false
	}
	p := newPlot("Cache size", "Hit ratio (%)")
	p.X.Scale = plot.LogScale{}
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
	p.X.Min, p.X.Max = first/1.12, last*1.12
	if first == last {
		p.X.Min, p.X.Max = first/2, last*2
	}
	p.X.Tick.Marker = sizeTicks(sizes)
	step := nice(max(high-low, 5) / 5)
	p.Y.Min = max(0, step*math.Floor(low/step))
	p.Y.Max = min(100, max(step*math.Ceil(high/step), p.Y.Min+step))
	if p.Y.Min == p.Y.Max {
		p.Y.Min = p.Y.Max - step
	}
	p.Y.Tick.Marker = steps(step)
	p.Add(grid())

	l := newLegend(entries, oneColumn-8)
	f := Figure{Name: "hit-ratio", Width: oneColumn, Height: 2.1*vg.Inch + l.height()}
	f.draw = func(c draw.Canvas) { p.Draw(frame(c, title, l)) }
	return f, true
}

func grid() *plotter.Grid {
	g := plotter.NewGrid()
	for _, s := range []*draw.LineStyle{&g.Vertical, &g.Horizontal} {
		s.Width, s.Color = 0.25, lightGray
	}
	return g
}

// steps puts a labelled tick at each multiple of a step.
type steps float64

func (s steps) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for i := math.Ceil(low/float64(s) - 1e-9); i*float64(s) <= high*(1+1e-9); i++ {
		v := i * float64(s)
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.4g", v)})
	}
	return ticks
}

// sizeTicks puts ticks at powers of two bytes, with as many labels as have
// room. Where the sizes drawn span less than two of them, it labels the sizes.
type sizeTicks []float64

func (s sizeTicks) Ticks(low, high float64) []plot.Tick {
	const labels = 6
	var powers []float64
	for k := math.Ceil(math.Log2(low)); k <= math.Log2(high); k++ {
		powers = append(powers, math.Pow(2, k))
	}
	if len(powers) < 2 {
		powers = s
	}
	every := (len(powers) + labels - 1) / labels
	var ticks []plot.Tick
	for i, v := range powers {
		t := plot.Tick{Value: v}
		// Count from the largest, which readers look for.
		if (len(powers)-1-i)%every == 0 {
			t.Label = strings.Replace(humanize.IBytes(uint64(v)), ".0 ", " ", 1)
		}
		ticks = append(ticks, t)
	}
	return ticks
}
