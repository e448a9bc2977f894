package plots

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// improvementBox draws a box for each policy, a panel for each size.
func improvementBox(rows Rows, o Options) ([]Figure, error) {
	a, err := across(rows, o)
	if err != nil || len(a.all) == 0 {
		return nil, err
	}
	st := o.Style
	var policies []string
	for _, r := range a.all {
		if l := a.labels[r.Policy]; !slices.Contains(policies, l) {
			policies = append(policies, l)
		}
	}
	var panels []Panel
	var ys []float64
	for _, size := range a.sizes {
		p := Panel{Heading: a.heading(size), Mark: Boxes, X: Axis{Label: "Policy", Categories: policies}, Y: a.axis}
		for _, q := range percentiles {
			s := Series{Name: q.name}
			for _, r := range a.of(size) {
				v := percentile(r.Values, q.p)
				ys = append(ys, v)
				s.Points = append(s.Points, Point{X: float64(slices.Index(policies, a.labels[r.Policy])), Y: v})
			}
			p.Series = append(p.Series, s)
		}
		panels = append(panels, p)
	}
	y := a.axis.fit(ys, o.Y)
	const least, narrowRoom, wideRoom = 2, 26, 84
	width, room := st.narrow(), narrowRoom
	if len(policies)*least > narrowRoom {
		width, room = st.wide(), wideRoom
	}
	groups := make([]panel, len(panels))
	for i := range panels {
		groups[i] = panel{heading: panels[i].Heading, groups: make([][]bar, len(policies))}
	}
	ch := newBarChart(st, groups, policies, least, room, func(p *plot.Plot) { y.apply(&p.Y) }, nil)
	each := (len(policies) + len(ch.rows) - 1) / len(ch.rows)
	for i := range ch.rows {
		for j := range panels {
			b := &ch.rows[i]
			b.plots[j].Add(boxes{panels[j], i * each, len(b.names), *b})
		}
	}
	for i := range ch.rows {
		if len(ch.rows)*len(panels) < 4 {
			ch.rows[i].panel = singleHeight
		}
	}
	ch.unit = a.axis.name()
	box := func(c draw.Canvas) {
		mid := c.Center()
		drawBox(st, c, mid.X, 5, [6]vg.Length{c.Min.Y, c.Min.Y + 2, mid.Y - 0.5, mid.Y + 1.5, c.Max.Y - 2, c.Max.Y})
	}
	legends := newLegend(st, []legendEntry{{"P10, P25, median, P75, P90; diamond: mean", box}}, width-2*margin)
	f := beside("improvement-box", newHeader(st, o.Title, width, legends).withNote(a.withSize(), width), width, ch)
	f.Title, f.Note, f.Panels = o.Title, a.withSize(), panels
	f.fitY(ch.rows[0].plots[0].Y)
	return []Figure{f}, nil
}

// boxes draws the boxes of some of a panel's policies.
type boxes struct {
	data        Panel
	first, many int
	block
}

// Plot implements plot.Plotter.
func (b boxes) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	clip := func(v float64) vg.Length { return min(max(y(v), c.Min.Y), c.Max.Y) }
	if p.Y.Min < 0 && p.Y.Max > 0 {
		c.StrokeLine2(draw.LineStyle{Color: darkGray, Width: 0.5}, c.Min.X, y(0), c.Max.X, y(0))
	}
	half := min(widestBar, c.Size().X/vg.Length(b.widest)*1.4) / 2
	for k, at := range b.data.Series[0].Points {
		i := int(at.X) - b.first
		if i < 0 || i >= b.many {
			continue
		}
		var q [6]vg.Length
		for j, s := range b.data.Series {
			q[j] = clip(s.Points[k].Y)
		}
		x := c.X(b.middle(i))
		drawBox(b.st, c, x, half, q)
		var values []string
		for _, s := range b.data.Series {
			values = append(values, s.Name+" "+b.data.Y.TextWithUnit(s.Points[k].Y))
		}
		spot(c, vg.Rectangle{Min: vg.Point{X: x - half, Y: q[0]}, Max: vg.Point{X: x + half, Y: q[5]}},
			named(b.data.Heading, b.data.X.Categories[int(at.X)], strings.Join(values, ", ")))
	}
}

// drawBox draws a box at x; q are the heights of percentiles.
func drawBox(st Style, c draw.Canvas, x, half vg.Length, q [6]vg.Length) {
	p10, p25, median, mean, p75, p90 := q[0], q[1], q[2], q[3], q[4], q[5]
	thin := draw.LineStyle{Color: black, Width: 0.5}
	c.StrokeLine2(thin, x, p10, x, p25)
	c.StrokeLine2(thin, x, p75, x, p90)
	for _, end := range []vg.Length{p10, p90} {
		c.StrokeLine2(thin, x-half*0.6, end, x+half*0.6, end)
	}
	r := vg.Rectangle{Min: vg.Point{X: x - half, Y: p25}, Max: vg.Point{X: x + half, Y: max(p75, p25+0.3)}}
	c.SetColor(lighter(st.color(0)))
	c.Fill(r.Path())
	c.SetLineStyle(thin)
	c.Stroke(r.Path())
	c.StrokeLine2(draw.LineStyle{Color: black, Width: 1.2}, x-half, median, x+half, median)
	d := vg.Length(math.Min(2, float64(half)*0.6))
	var diamond vg.Path
	diamond.Move(vg.Point{X: x, Y: mean - d})
	diamond.Line(vg.Point{X: x + d, Y: mean})
	diamond.Line(vg.Point{X: x, Y: mean + d})
	diamond.Line(vg.Point{X: x - d, Y: mean})
	diamond.Close()
	c.SetColor(st.color(1))
	c.Fill(diamond)
}
