package plots

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim/results"
)

// stack is what the parts of a call take on an engine, from below.
type stack struct {
	engine string
	parts  []float64 // ns; negative ones, which noise makes, are zero
	total  float64
}

// costStacks returns the stacks of the engines, and the parts' names.
func costStacks(costs []results.CallCost) (stacks []stack, parts []string) {
	parts = values(costs, testOf)
	for _, engine := range values(costs, engineOf) {
		s := stack{engine: engine}
		for _, part := range parts {
			c, _ := find(costs, part, engine, costs[0].Mode)
			v := max(0, c.Call.Median)
			s.parts = append(s.parts, v)
			s.total += v
		}
		stacks = append(stacks, s)
	}
	return stacks, parts
}

// comparableStacks sorts stacks into panels, each with a scale of its own: those less
// than a twentieth of the highest could not be made out beside it.
func comparableStacks(stacks []stack) (panels [][]stack) {
	const most = 3 // panels
	for len(stacks) > 0 {
		top := slices.MaxFunc(stacks, func(a, b stack) int { return cmp.Compare(a.total, b.total) }).total
		var now, later []stack
		for _, s := range stacks {
			if s.total < top/20 && len(panels) < most-1 {
				later = append(later, s)
			} else {
				now = append(now, s)
			}
		}
		panels = append(panels, now)
		stacks = later
	}
	return panels
}

// partStyle gives part i its look: colours and patterns come round at different
// numbers.
func (st Style) part(i int) barStyle {
	return barStyle{fill: st.color(i), hatch: []hatch{solid, striped, crossed, ruled}[i%4]}
}

// benchBreakdown draws the parts of a call as stacked bars, one an engine.
func benchBreakdown(o Options, costs []results.CallCost, _ callLook) (Figure, bool) {
	st := o.Style
	if len(costs) == 0 {
		return Figure{}, false
	}
	costs = inOneMode(costs)
	stacks, parts := costStacks(costs)
	panels := comparableStacks(stacks)
	width := st.narrow()
	if len(stacks)+2*len(panels) > 12 {
		width = st.wide()
	}
	// Numbers wider than their bars stand on end.
	pitch := (width - chartAxis*vg.Length(len(panels))) / vg.Length(len(stacks))
	upended, above := false, 1.1
	for _, s := range stacks {
		if st.text(tickSize).Width(number(s.total)) > pitch-2 {
			upended, above = true, 1.35
		}
	}
	var charts []chart
	tallest := 0.0 // of the first panel, which has the highest
	for _, list := range panels {
		b := block{st: st, panel: singleHeight, widest: len(list)}
		high := 0.0
		for _, s := range list {
			b.names = append(b.names, s.engine)
			b.slots = append(b.slots, 1)
			high = max(high, s.total)
		}
		if high < 1e-9 { // the clock saw nothing
			high = 1
		}
		tallest = max(tallest, high)
		heading := ""
		if len(panels) > 1 {
			heading = "full height"
			if high < tallest {
				heading = fmt.Sprintf("enlarged ×%.3g", tallest/high)
			}
		}
		b.add(heading, stackBars{list, parts, perCall(st, modes(costs)), upended, b}, func(p *plot.Plot) {
			p.Y.Min, p.Y.Max = 0, high*above
			p.Y.Tick.Marker = steps(nice(high / 5))
		})
		charts = append(charts, chart{st: st, unit: perCall(st, modes(costs)), rows: []block{b}, weight: max(2, len(list))})
	}
	var entries []legendEntry
	for i, part := range parts {
		entries = append(entries, barEntry(part, st.part(i)))
	}
	h := newHeader(st, o.Title, width, newLegend(st, entries, width-2*margin))
	f := beside("bench-breakdown", h, width, charts...)
	f.columns, f.paints = len(panels), make(map[string]paint)
	for i, part := range parts {
		f.paints[part] = st.part(i).paint()
	}
	for i, list := range panels {
		p := Panel{Heading: charts[i].rows[0].headings[0], Mark: Stacked, X: Axis{Categories: charts[i].rows[0].names}, Y: Axis{Unit: charts[i].unit}}
		for j, part := range parts {
			s := Series{Name: part}
			for k, of := range list {
				s.Points = append(s.Points, Point{X: float64(k), Y: of.parts[j]})
			}
			p.Series = append(p.Series, s)
		}
		f.Panels = append(f.Panels, p)
	}
	var axes []plot.Axis
	for _, ch := range charts {
		axes = append(axes, ch.rows[0].plots[0].Y)
	}
	f.fitY(axes...)
	return f, true
}

// stackBars draws stacks with the number of their total above them.
type stackBars struct {
	stacks  []stack
	parts   []string
	unit    string
	upended bool // of the numbers
	block
}

// Plot implements plot.Plotter.
func (s stackBars) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	half := min(widestBar, c.Size().X/vg.Length(s.widest)*0.7) / 2
	label := s.st.text(tickSize)
	label.XAlign = draw.XCenter
	if s.upended {
		label.Rotation, label.XAlign, label.YAlign = math.Pi/2, draw.XLeft, draw.YCenter
	}
	for i, of := range s.stacks {
		x, from := c.X(s.middle(i)), 0.0
		for j, v := range of.parts {
			if v > 0 {
				r := vg.Rectangle{Min: vg.Point{X: x - half, Y: y(from)}, Max: vg.Point{X: x + half, Y: y(from + v)}}
				fillBar(c, r, s.st.part(j))
				spot(c, r, named(s.names[i], s.parts[j], Axis{Unit: s.unit}.TextWithUnit(v)))
				from += v
			}
		}
		at := vg.Point{X: x, Y: y(from) + 2}
		c.SetColor(color.White) // no line of the grid through the number
		c.Fill(label.Rectangle(number(of.total)).Add(at).Path())
		fillText(c, label, at, number(of.total))
	}
}
