package plots

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bar is what was timed: nanoseconds a request or call, median and range.
type bar struct {
	median, low, high float64
	style             barStyle
}

// barStyle is how a version looks: an ABI has a colour, a handle a pattern, so
// that the figure reads without colour too.
type barStyle struct {
	abi, handle string // abi is "native" for native versions, which have no handle
	fill        color.Color
	hatch       hatch
	pale        bool // inside of its edge, for a debug build
}

func (s barStyle) name() string {
	if s.handle == "" {
		return s.abi
	}
	return s.abi + ", " + s.handle
}

// series names the series of the bars that look so.
func (s barStyle) series() string {
	if s.pale {
		return s.name() + ", debug"
	}
	return s.name()
}

type hatch int

const (
	solid   hatch = iota
	striped       // diagonal stripes of the colour on white
	crossed       // white diagonals on the colour
	ruled         // white horizontals on the colour
)

// panel holds bars in groups: those of one engine, a group a policy or test,
// native first.
type panel struct {
	heading string // an engine; empty where there is but native
	unit    string // of its numbers
	groups  [][]bar
}

func hatchOf(handle string) hatch {
	switch handle {
	case "uncached":
		return striped
	case "driver":
		return crossed
	case "cached":
		return ruled
	}
	return solid
}

// barLegends explains styles: one by one while they are few, else ABIs by their
// colours and below them handles by their patterns.
func barLegends(st Style, styles []barStyle, width vg.Length) []legend {
	var each, abis, handles []legendEntry
	for _, s := range styles {
		each = append(each, barEntry(s.name(), s))
		named := func(name string) func(legendEntry) bool {
			return func(e legendEntry) bool { return e.text == name }
		}
		if !slices.ContainsFunc(abis, named(s.abi)) {
			abis = append(abis, barEntry(s.abi, barStyle{fill: s.fill}))
		}
		if name := "handle " + s.handle; s.handle != "" && !slices.ContainsFunc(handles, named(name)) {
			handles = append(handles, barEntry(name, barStyle{fill: black, hatch: s.hatch}))
		}
	}
	if len(each) <= 8 {
		return []legend{newLegend(st, each, width)}
	}
	return []legend{newLegend(st, abis, width), newLegend(st, handles, width)}
}

func barEntry(name string, s barStyle) legendEntry {
	return legendEntry{name, func(c draw.Canvas) { fillBar(c, c.Rectangle, s) }}
}

// timeAxis returns what makes the vertical axis for times from low to high: a
// logarithmic one where they are far apart.
func timeAxis(low, high float64) func(p *plot.Plot) {
	if high <= 0 { // the clock saw nothing
		high = 1
	}
	if farApart(low, high) {
		return logAxis(low, high)
	}
	return linearAxis(high)
}

func farApart(low, high float64) bool { return low > 0 && high/low > 15 }

func linearAxis(high float64) func(p *plot.Plot) {
	return func(p *plot.Plot) {
		p.Y.Min, p.Y.Max = 0, high*1.05
		p.Y.Tick.Marker = steps(nice(high / 5))
	}
}

func logAxis(low, high float64) func(p *plot.Plot) {
	return func(p *plot.Plot) {
		p.Y.Scale = plot.LogScale{}
		p.Y.Min, p.Y.Max = math.Pow(10, math.Floor(math.Log10(low*0.9))), high*1.3
		p.Y.Tick.Marker = decades{}
	}
}

// bars draws the groups of one panel of a block.
type bars struct {
	data  panel
	label func(g []bar, j int) string // above bar j; may be nil
	block
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	_, scale := p.Transforms(&c)
	y := func(v float64) vg.Length { return scale(max(v, p.Y.Min)) } // of zero, too, where the scale has none
	width := min(widestBar, c.Size().X/vg.Length(b.widest))
	for i, g := range b.data.groups {
		left := c.X(b.middle(i)) - width*vg.Length(len(g))/2
		for j, v := range g {
			r := vg.Rectangle{
				Min: vg.Point{X: left + width*(vg.Length(j)+0.06), Y: y(p.Y.Min)},
				Max: vg.Point{X: left + width*(vg.Length(j)+0.94), Y: y(v.median)},
			}
			fillBar(c, r, v.style)
			spot(c, r, named(b.data.heading, b.names[i], v.style.series(), Axis{Unit: b.data.unit}.interval(Point{Y: v.median, Low: v.low, High: v.high})))
			if v.high > v.low {
				mid, cap := (r.Min.X+r.Max.X)/2, min(width*0.25, 1.5)
				s := draw.LineStyle{Color: black, Width: 0.4}
				c.StrokeLine2(s, mid, y(v.low), mid, y(v.high))
				c.StrokeLine2(s, mid-cap, y(v.low), mid+cap, y(v.low))
				c.StrokeLine2(s, mid-cap, y(v.high), mid+cap, y(v.high))
			}
			if b.label != nil {
				b.drawLabel(c, b.label(g, j), r, y(max(v.median, v.high)), width)
			}
		}
	}
}

// labelSize is that of the numbers above bars.
const labelSize = vg.Length(6)

// drawLabel writes above a bar whose whisker ends at top: upright where the bar
// is narrow, and not at all where it is too narrow or there is no room above it.
func (b bars) drawLabel(c draw.Canvas, text string, r vg.Rectangle, top, width vg.Length) {
	s := b.st.text(labelSize)
	s.XAlign, s.YAlign = draw.XCenter, draw.YBottom
	at := vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: max(top, r.Max.Y, c.Min.Y) + 1.5}
	switch {
	case text == "" || width < labelSize*0.95:
		return
	case s.Width(text) > width:
		s.Rotation, s.XAlign, s.YAlign = upright, draw.XLeft, draw.YCenter
	}
	if high := s.Rectangle(text).Add(at).Max.Y; high > c.Max.Y+2 {
		return // its bar reaches too high
	}
	fillText(c, s, at, text)
}

// fillBar fills a rectangle in a style.
func fillBar(c draw.Canvas, r vg.Rectangle, s barStyle) {
	fill, lines := s.fill, color.Color(color.White)
	if s.pale {
		fill = lighter(fill)
	}
	if s.hatch == striped {
		fill, lines = color.White, fill
	}
	c.SetColor(fill)
	c.Fill(r.Path())
	pattern := draw.LineStyle{Color: lines, Width: 0.6}
	switch s.hatch {
	case striped, crossed:
		diagonals(c, r, pattern, s.hatch == crossed)
	case ruled:
		var path vg.Path
		for y := r.Min.Y + hatchGap; y < r.Max.Y; y += hatchGap {
			path.Move(vg.Point{X: r.Min.X, Y: y})
			path.Line(vg.Point{X: r.Max.X, Y: y})
		}
		strokePath(c, pattern, path)
	}
	c.SetLineStyle(draw.LineStyle{Color: s.fill, Width: 0.4})
	path := r.Path()
	c.Stroke(path)
}

// lighter mixes a colour with white.
func lighter(c color.Color) color.Color {
	r, g, b, _ := c.RGBA()
	mix := func(v uint32) uint8 { return uint8(0xff - (0xffff-v)*4/10>>8) }
	return color.RGBA{mix(r), mix(g), mix(b), 0xff}
}

const hatchGap = vg.Length(2.5)

// diagonals strokes lines at 45 degrees, clipped to r; they fall where down is
// set.
func diagonals(c draw.Canvas, r vg.Rectangle, s draw.LineStyle, down bool) {
	w, h := r.Max.X-r.Min.X, r.Max.Y-r.Min.Y
	var path vg.Path
	for d := hatchGap - h; d < w; d += hatchGap {
		// The line y = x - d in the rectangle's own coordinates.
		x0, x1 := max(0, d), min(w, h+d)
		if x1 <= x0 {
			continue
		}
		y0, y1 := x0-d, x1-d
		if down {
			y0, y1 = h-y0, h-y1
		}
		path.Move(vg.Point{X: r.Min.X + x0, Y: r.Min.Y + y0})
		path.Line(vg.Point{X: r.Min.X + x1, Y: r.Min.Y + y1})
	}
	strokePath(c, s, path)
}

// strokePath strokes lines in one go, which keeps files small.
func strokePath(c draw.Canvas, s draw.LineStyle, path vg.Path) {
	if len(path) > 0 {
		c.SetLineStyle(s)
		c.Stroke(path)
	}
}
