package plots

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim"
	"cachesim/sim/results"
)

// costLine is what calls of a test take on an engine, by payload, ascending.
type costLine struct {
	points []results.CallCost
	line   draw.LineStyle
	glyph  draw.GlyphStyle
}

// payloadLines returns the lines of each of engines. An ABI has a colour, a
// handle a pattern of dashes, and a test a marker.
func payloadLines(st Style, costs []results.CallCost, engines, tests []string, look callLook) [][]costLine {
	handles := []string{"cached", "uncached", "srs"} // those with the first dashes
	for _, h := range values(costs, func(c results.CallCost) string { return c.Handle }) {
		if h != "" && !slices.Contains(handles, h) {
			handles = append(handles, h)
		}
	}
	all := make([][]costLine, len(engines))
	for i, e := range engines {
		for _, from := range slices.Compact([]string{sim.NativeEngine, e}) {
			for j, test := range tests {
				var l costLine
				for _, c := range costs {
					// A logarithmic axis has no place for zero.
					if c.Engine == from && c.Test == test && c.Call.Median > 0 &&
						!slices.ContainsFunc(l.points, func(p results.CallCost) bool { return p.Payload == c.Payload }) {
						l.points = append(l.points, c)
					}
				}
				if l.points == nil {
					continue
				}
				c := l.points[0]
				l.line, l.glyph = st.line(max(0, slices.Index(handles, c.Handle))), st.glyph(j)
				l.line.Color = look(c).fill
				l.glyph.Color = l.line.Color
				slices.SortFunc(l.points, func(a, b results.CallCost) int { return cmp.Compare(a.Payload, b.Payload) })
				all[i] = append(all[i], l)
			}
		}
	}
	return all
}

// Plot implements plot.Plotter.
func (l costLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, scale := p.Transforms(&c)
	y := func(v float64) vg.Length { return scale(max(v, p.Y.Min)) }
	var points []vg.Point
	for _, at := range l.points {
		points = append(points, vg.Point{X: x(float64(at.Payload)), Y: y(at.Call.Median)})
	}
	c.StrokeLines(l.line, points)
	for i, at := range l.points {
		spot(c, vg.Rectangle{Min: points[i], Max: points[i]},
			named(at.Test, Axis{Unit: "ns per call"}.interval(Point{Y: at.Call.Median, Low: at.Call.Low, High: at.Call.High})+" at "+bytesLabel(float64(at.Payload))))
	}
	for i, at := range l.points {
		if at.Call.High > at.Call.Low {
			c.StrokeLine2(draw.LineStyle{Color: l.line.Color, Width: 0.5}, points[i].X, y(at.Call.Low), points[i].X, y(at.Call.High))
		}
		c.DrawGlyph(l.glyph, points[i])
	}
}

// benchPayload draws what a call takes by the bytes it passes: a line a test, a
// panel an engine, all with the same axes.
func benchPayload(o Options, costs []results.CallCost, look callLook) (Figure, bool) {
	st := o.Style
	if len(costs) == 0 {
		return Figure{}, false
	}
	costs = inOneMode(costs)
	engines, tests := guestEngines(costs), values(costs, testOf)
	lines := payloadLines(st, costs, engines, tests, look)
	var times span
	var sizes []float64
	entries := make([]legendEntry, len(tests))
	for _, l := range slices.Concat(lines...) {
		for _, c := range l.points {
			times.add(c.Call.Low, c.Call.Median, c.Call.High)
			sizes = append(sizes, float64(c.Payload))
		}
		entries[slices.Index(tests, l.points[0].Test)] = legendEntry{l.points[0].Test, func(c draw.Canvas) {
			y := c.Center().Y
			c.StrokeLine2(l.line, c.Min.X, y, c.Max.X, y)
			c.DrawGlyph(l.glyph, c.Center())
		}}
	}
	if len(sizes) == 0 {
		return Figure{}, false
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	entries = slices.DeleteFunc(entries, func(e legendEntry) bool { return e.draw == nil })

	width, columns := st.narrow(), len(engines)
	if len(engines) > 2 || len(entries) > 12 {
		width = st.wide()
	}
	if columns > 4 {
		columns = 4
		if len(engines) == 5 || len(engines) == 6 || len(engines) == 9 {
			columns = 3
		}
	}
	g := panelGrid{st: st, columns: columns, x: "Payload", y: perCall(st, modes(costs)), headings: engines, panel: 1.5 * vg.Inch}
	if len(engines) == 1 {
		g.headings, g.panel = []string{heading(engines[0])}, 2*vg.Inch
	}
	ticks := payloadTicks{st: st, sizes: sizes, axis: width/vg.Length(columns) - 30}
	for _, of := range lines {
		p := st.plot("", "")
		times.log()(p)
		p.X.Scale = plot.LogScale{}
		p.X.Min, p.X.Max = sizes[0]/1.5, sizes[len(sizes)-1]*1.5
		p.X.Tick.Marker = ticks
		p.Add(gridOf{ticks, p.Y.Tick.Marker})
		for _, l := range of {
			p.Add(l)
		}
		g.plots = append(g.plots, p)
	}
	f := g.figure("bench-payload", newHeader(st, o.Title, width, newLegend(st, entries, width-2*margin)), width)
	fitted := scale{low: sizes[0] / 1.5, high: sizes[len(sizes)-1] * 1.5, log: true, ticks: ticks}
	f.columns, f.paints = columns, make(map[string]paint)
	for i, of := range lines {
		p := Panel{Heading: engines[i], Mark: Lines, X: Axis{Label: g.x, Unit: unitBytes, Log: true, fitted: &fitted}, Y: Axis{Unit: g.y, Log: true}}
		for _, l := range of {
			s := Series{Name: l.points[0].Test}
			f.paints[s.Name] = paint{color: toRGBA(l.line.Color), dashes: l.line.Dashes, mark: texMarks[slices.Index(tests, s.Name)%len(texMarks)]}
			for _, c := range l.points {
				s.Points = append(s.Points, Point{float64(c.Payload), c.Call.Median, c.Call.Low, c.Call.High})
			}
			p.Series = append(p.Series, s)
		}
		f.Panels = append(f.Panels, p)
	}
	f.fitY(g.plots[0].Y)
	return f, true
}

// payloadTicks puts ticks at the sizes that were measured. Each has a label, or
// every second or third, and so on, as there is room on an axis.
type payloadTicks struct {
	st    Style
	sizes []float64 // ascending
	axis  vg.Length
}

func (t payloadTicks) Ticks(low, high float64) []plot.Tick {
	const gap = 6
	style := t.st.text(tickSize)
	at := func(v float64) vg.Length { return t.axis * vg.Length(math.Log(v/low)/math.Log(high/low)) }
	last := len(t.sizes) - 1
	touch := func(every int) bool {
		for i := last; i >= every; i -= every {
			a, b := t.sizes[i-every], t.sizes[i]
			if at(b)-at(a) < (style.Width(bytesLabel(a))+style.Width(bytesLabel(b)))/2+gap {
				return true
			}
		}
		return false
	}
	every := 1
	for touch(every) {
		every++
	}
	var ticks []plot.Tick
	for i, v := range t.sizes {
		tick := plot.Tick{Value: v}
		if (last-i)%every == 0 {
			tick.Label = bytesLabel(v)
		}
		ticks = append(ticks, tick)
	}
	return ticks
}
