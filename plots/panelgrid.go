package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// panelGrid is panels in rows and columns that share their axes: labels stand
// on the left and below only.
type panelGrid struct {
	st       Style
	columns  int
	plots    []*plot.Plot
	headings []string
	x, y     string
	panel    vg.Length // height, without what is below
	right    vg.Length // room beside the last column, for what plots write there
}

func (g panelGrid) figure(name string, h header, width vg.Length) Figure {
	const gap = vg.Length(14)
	st := g.st
	style := st.text(tickSize)
	headed := vg.Length(nameGap)
	if g.headings[0] != "" {
		headed += style.Height("X") + nameGap
	}
	// What labels and overhanging ends need around a panel's axes.
	area := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: width / vg.Length(g.columns), Y: g.panel}}}
	axes := g.plots[0].DataCanvas(area)
	rows := (len(g.plots) + g.columns - 1) / g.columns
	units := unitLines(st, g.y, g.panel*vg.Length(rows)-headed)
	left, below, right := axes.Min.X+unitWidth(st)*vg.Length(len(units)), axes.Min.Y, max(area.Max.X-axes.Max.X, g.right)

	for i, p := range g.plots {
		if i%g.columns > 0 {
			p.Y.Tick.Marker = unlabelled{p.Y.Tick.Marker}
		}
		if i+g.columns < len(g.plots) {
			p.X.Tick.Marker = unlabelled{p.X.Tick.Marker}
		}
	}
	label := textSize + nameGap
	each := (width - 2*margin - left - right - gap*vg.Length(g.columns-1)) / vg.Length(g.columns)
	height := h.height() + g.panel*vg.Length(rows) + below + label + margin
	return newFigure(st, name, width, height, func(c draw.Canvas) {
		c = h.drawTo(c)
		axis := st.text(textSize)
		axis.XAlign, axis.YAlign = draw.XCenter, draw.YBottom
		fillText(c, axis, vg.Point{X: (c.Min.X + left + c.Max.X - right) / 2, Y: c.Min.Y}, g.x)
		drawUnit(st, c, units, vg.Point{X: c.Min.X, Y: (c.Min.Y + label + below + c.Max.Y) / 2})
		for i, p := range g.plots {
			column := vg.Length(i % g.columns)
			box := vg.Rectangle{
				Min: vg.Point{X: c.Min.X + left + (each+gap)*column, Y: c.Max.Y - g.panel*vg.Length(i/g.columns+1)},
				Max: vg.Point{X: c.Min.X + left + (each+gap)*column + each, Y: c.Max.Y - g.panel*vg.Length(i/g.columns) - headed},
			}
			drawAxes(p, c, box)
			if g.headings[i] != "" {
				style.XAlign = draw.XCenter
				fillText(c, style, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: box.Max.Y + nameGap}, shorten(g.headings[i], style, each))
			}
		}
	})
}

// drawAxes draws p so that its axes stand at box, whatever their labels need.
func drawAxes(p *plot.Plot, c draw.Canvas, box vg.Rectangle) {
	area := draw.Canvas{Canvas: c.Canvas, Rectangle: box}
	for range 4 { // what a label at an end needs depends on the length of the axis
		axes := p.DataCanvas(area)
		area = draw.Crop(area, box.Min.X-axes.Min.X, box.Max.X-axes.Max.X, box.Min.Y-axes.Min.Y, box.Max.Y-axes.Max.Y)
	}
	p.Draw(area)
}

// unlabelled keeps a ticker's marks.
type unlabelled struct{ plot.Ticker }

func (u unlabelled) Ticks(low, high float64) []plot.Tick {
	ticks := u.Ticker.Ticks(low, high)
	for i := range ticks {
		ticks[i].Label = ""
	}
	return ticks
}

// gridOf is lines at those ticks that have labels where there is room for them.
// (The library's grid has no lines where the axis has no labels.)
type gridOf struct{ x, y plot.Ticker }

// Plot implements plot.Plotter.
func (g gridOf) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := grid().Vertical
	for _, t := range g.x.Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" {
			c.StrokeLine2(style, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
	for _, t := range g.y.Ticks(p.Y.Min, p.Y.Max) {
		if t.Label != "" {
			c.StrokeLine2(style, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		}
	}
}
