package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim"
)

var lightGray = color.RGBA{0xd0, 0xd0, 0xd0, 0xff}

// bar is one timed cell: nanoseconds a request, median and range.
type bar struct {
	median, low, high float64
	style             barStyle
}

// barStyle is how a version looks: an ABI has a colour, a handle a pattern, so
// that the figure reads without colour too.
type barStyle struct {
	name  string
	fill  color.Color
	hatch hatch
}

type hatch int

const (
	solid   hatch = iota
	striped       // diagonal stripes of the colour on white
	crossed       // white diagonals on the colour
)

// panel holds the bars of one engine, a group a policy, native first.
type panel struct {
	engine string
	groups [][]bar
}

// runTimePanels sorts timed cells into panels. Policies are those of the first
// capacity that was timed.
func runTimePanels(results []sim.Result) (panels []panel, policies []string, styles []barStyle) {
	var timed []sim.Result
	for _, r := range results {
		if r.Timed && r.Requests > 0 && (len(timed) == 0 || r.Capacity == timed[0].Capacity) {
			timed = append(timed, r)
		}
	}
	policies = names(timed, func(r sim.Result) string { return r.Policy })
	engines := names(timed, func(r sim.Result) string { return r.Engine })
	abis := names(timed, func(r sim.Result) string { return r.ABI })
	engines = slices.DeleteFunc(engines, func(e string) bool { return e == sim.NativeEngine && len(engines) > 1 })
	abis = slices.DeleteFunc(abis, func(a string) bool { return a == "" })
	style := func(r sim.Result) barStyle {
		if r.Engine == sim.NativeEngine {
			return barStyle{"native", color.RGBA{0x40, 0x40, 0x40, 0xff}, solid}
		}
		s := barStyle{name: r.ABI + ", " + r.Handle, fill: palette[slices.Index(abis, r.ABI)%len(palette)]}
		switch r.Handle {
		case "uncached":
			s.hatch = striped
		case "driver":
			s.hatch = crossed
		}
		return s
	}
	for _, e := range engines {
		p := panel{engine: e}
		for _, policy := range policies {
			var group []bar
			for _, r := range timed {
				if r.Policy != policy || r.Engine != e && r.Engine != sim.NativeEngine {
					continue
				}
				n := float64(r.Requests)
				b := bar{r.PerRequest(), float64(r.ReplayMin) / n, float64(r.ReplayMax) / n, style(r)}
				group = append(group, b)
				if !slices.Contains(styles, b.style) {
					styles = append(styles, b.style)
				}
			}
			p.groups = append(p.groups, group)
		}
		panels = append(panels, p)
	}
	return panels, policies, styles
}

// runTime draws running times as bars: a panel an engine, a group a policy, a
// bar a version, with the range over the repeats.
func runTime(results []sim.Result, title string) (Figure, bool) {
	panels, policies, styles := runTimePanels(results)
	if len(policies) == 0 {
		return Figure{}, false
	}
	low, high, widest := math.Inf(1), 0.0, 0
	for _, p := range panels {
		bars := len(p.groups) // the gaps between groups
		for _, g := range p.groups {
			bars += len(g)
			for _, b := range g {
				low, high = min(low, b.low), max(high, b.high)
			}
		}
		widest = max(widest, bars)
	}
	width := vg.Length(oneColumn)
	if widest > 45 {
		width = twoColumns
	}
	var entries []legendEntry
	for _, s := range styles {
		entries = append(entries, legendEntry{s.name, func(c draw.Canvas) {
			fillBar(c, c.Rectangle, s)
		}})
	}
	l := newLegend(entries, width-8)
	logarithmic := high/low > 15
	var plots []*plot.Plot
	for i, pan := range panels {
		p := newPlot("", "")
		p.Y.Min, p.Y.Max = 0, high*1.05
		step := nice(high / 5)
		p.Y.Tick.Marker = steps(step)
		if logarithmic {
			p.Y.Scale = plot.LogScale{}
			p.Y.Min, p.Y.Max = math.Pow(10, math.Floor(math.Log10(low*0.9))), high*1.3
			p.Y.Tick.Marker = decades{}
		}
		labels := make([]plot.Tick, len(policies))
		for j, name := range policies {
			labels[j] = plot.Tick{Value: float64(j), Label: name}
			if i < len(panels)-1 {
				labels[j].Label = ""
			}
		}
		if pan.engine != sim.NativeEngine {
			p.Title.Text = pan.engine
			p.Title.TextStyle.Font = font.Font{Typeface: typeface.Typeface, Variant: typeface.Variant, Size: tickSize}
			p.Title.Padding = 2
		}
		p.X.Min, p.X.Max = -0.5, float64(len(policies))-0.5
		p.X.Tick.Marker = plot.ConstantTicks(labels)
		p.X.Tick.Length = 0
		g := grid()
		g.Vertical.Width = 0
		p.Add(g, bars{pan, widest})
		plots = append(plots, p)
	}
	const panelHeight = 1.3 * vg.Inch
	f := Figure{Name: "runtime", Width: width, Height: 0.3*vg.Inch + panelHeight*vg.Length(len(panels)) + l.height()}
	if len(panels) == 1 {
		f.Height += 0.5 * vg.Inch
	}
	f.draw = func(c draw.Canvas) {
		c = frame(c, title, l)
		// One label for all panels. (The library centres that of a logarithmic
		// axis as if it were linear, and makes room for what then sticks out.)
		label := textStyle(textSize)
		label.Rotation, label.XAlign, label.YAlign = math.Pi/2, draw.XCenter, draw.YTop
		c.FillText(label, vg.Point{X: c.Min.X, Y: c.Center().Y}, "ns per request")
		c = draw.Crop(c, label.Height("X")+5, 0, 0, 0)
		// The last panel is taller by its labels, so that all axes are alike.
		labels := textStyle(tickSize).Height("X") + 3
		each := (c.Size().Y - labels) / vg.Length(len(plots))
		for i, p := range plots {
			floor := c.Size().Y - each*vg.Length(i+1)
			if i == len(plots)-1 {
				floor = 0
			}
			p.Draw(draw.Crop(c, 0, 0, floor, -each*vg.Length(i)-3))
		}
	}
	return f, true
}

// bars draws a panel's bars, each group centred on its number. widest is the
// number of bars and gaps that have to fit.
type bars struct {
	panel
	widest int
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	width := c.Size().X / vg.Length(b.widest)
	for i, g := range b.groups {
		left := x(float64(i)) - width*vg.Length(len(g))/2
		for j, v := range g {
			r := vg.Rectangle{
				Min: vg.Point{X: left + width*(vg.Length(j)+0.06), Y: y(p.Y.Min)},
				Max: vg.Point{X: left + width*(vg.Length(j)+0.94), Y: y(v.median)},
			}
			fillBar(c, r, v.style)
			if v.high > v.low {
				mid, cap := (r.Min.X+r.Max.X)/2, min(width*0.25, 1.5)
				s := draw.LineStyle{Color: black, Width: 0.4}
				c.StrokeLine2(s, mid, y(v.low), mid, y(v.high))
				c.StrokeLine2(s, mid-cap, y(v.low), mid+cap, y(v.low))
				c.StrokeLine2(s, mid-cap, y(v.high), mid+cap, y(v.high))
			}
		}
	}
}

// fillBar fills a rectangle in a style.
func fillBar(c draw.Canvas, r vg.Rectangle, s barStyle) {
	fill, lines := s.fill, color.Color(color.White)
	if s.hatch == striped {
		fill, lines = color.White, s.fill
	}
	c.SetColor(fill)
	c.Fill(r.Path())
	if s.hatch != solid {
		diagonals(c, r, draw.LineStyle{Color: lines, Width: 0.6}, s.hatch == crossed)
	}
	c.SetLineStyle(draw.LineStyle{Color: s.fill, Width: 0.4})
	path := r.Path()
	c.Stroke(path)
}

// diagonals strokes lines at 45 degrees, clipped to r; they fall where down is
// set.
func diagonals(c draw.Canvas, r vg.Rectangle, s draw.LineStyle, down bool) {
	const gap = 2.5
	w, h := r.Max.X-r.Min.X, r.Max.Y-r.Min.Y
	for d := vg.Length(gap) - h; d < w; d += gap {
		// The line y = x - d in the rectangle's own coordinates.
		x0, x1 := max(0, d), min(w, h+d)
		if x1 <= x0 {
			continue
		}
		y0, y1 := x0-d, x1-d
		if down {
			y0, y1 = h-y0, h-y1
		}
		c.StrokeLine2(s, r.Min.X+x0, r.Min.Y+y0, r.Min.X+x1, r.Min.Y+y1)
	}
}

// decades labels powers of ten and marks 2 to 9 times them.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for v := math.Pow(10, math.Floor(math.Log10(low))); v <= high; v *= 10 {
		for m := 1.0; m < 10; m++ {
			t := plot.Tick{Value: m * v}
			if m == 1 {
				t.Label = fmt.Sprintf("%g", v)
			}
			if t.Value >= low*(1-1e-9) && t.Value <= high {
				ticks = append(ticks, t)
			}
		}
	}
	return ticks
}
