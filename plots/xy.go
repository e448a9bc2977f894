package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// looks numbers the series of a figure, so that a policy looks the same in all
// figures of one Make.
type looks map[string]int

func looksOf(names []string) looks {
	l := make(looks)
	for _, n := range names {
		if _, ok := l[n]; !ok {
			l[n] = len(l)
		}
	}
	return l
}

func (l looks) of(name string) int {
	if i, ok := l[name]; ok {
		return i
	}
	return len(l)
}

// xyChart is panels with the same axes that show lines, steps or points.
type xyChart struct {
	name, title, note string
	panels            []Panel
	looks             looks
	plain             bool // no legend: there is but one series, and the title names it
}

func (ch xyChart) figure(o Options) Figure {
	st := o.Style
	muted := ch.muted(o)
	// Lines that are few among many are named where they end.
	named := len(muted) > 0 && len(ch.panels) == 1 && ch.panels[0].Mark != Points &&
		len(seriesNames(ch.panels))-len(muted) <= mostNamed
	var xs, ys []float64
	var entries []legendEntry
	inLegend := make(map[string]bool)
	for _, p := range ch.panels {
		for _, s := range p.Series {
			for _, at := range s.Points {
				xs, ys = append(xs, at.X), append(ys, at.Y)
				if at.hasInterval() {
					ys = append(ys, at.Low, at.High)
				}
			}
			if !inLegend[s.Name] && !ch.plain && !muted[s.Name] && !named {
				inLegend[s.Name] = true
				entries = append(entries, st.entry(s.Name, ch.looks.of(s.Name), p.Mark))
			}
		}
	}
	if len(muted) > 0 {
		entries = append(entries, legendEntry{mutedText(len(muted)), func(c draw.Canvas) {
			if ch.panels[0].Mark == Points {
				c.DrawGlyph(mutedGlyph, c.Center())
				return
			}
			c.StrokeLine2(mutedLine, c.Min.X, c.Center().Y, c.Max.X, c.Center().Y)
		}})
	}
	x := ch.panels[0].X.with(o.X).fit(xs, o.X)
	y := ch.panels[0].Y.with(o.Y).fit(ys, o.Y)
	for i := range ch.panels {
		ch.panels[i].X.Log, ch.panels[i].Y.Log = x.log, y.log
		ch.panels[i].X.fitted, ch.panels[i].Y.fitted = &x, &y
	}

	width, height := st.narrow(), 1.75*vg.Inch
	l := newLegend(st, entries, width-2*margin)
	columns := 1
	switch {
	case len(ch.panels) > 1:
		width, height = st.wide(), 1.5*vg.Inch
		columns = min(3, len(ch.panels), max(1, int(width/150)))
		if len(ch.panels) == 4 {
			columns = min(columns, 2)
		}
		l = newLegend(st, entries, width-2*margin)
	case len(entries) > 8 || l.rows() > 4:
		width, height = st.wide(), 2.35*vg.Inch
		l = newLegend(st, entries, width-2*margin)
	}
	var right vg.Length // room for names
	if named {
		for _, name := range seriesNames(ch.panels) {
			if !muted[name] {
				right = max(right, st.text(tickSize).Width(shorten(name, st.text(tickSize), width/3))+2*nameGap)
			}
		}
	}
	x.ticks = thinned{x.ticks, st, (width-right)/vg.Length(columns) - 45, x.log}
	g := panelGrid{right: right, st: st, columns: columns, x: ch.panels[0].X.name(), y: ch.panels[0].Y.name(), panel: height}
	for _, data := range ch.panels {
		p := st.plot("", "")
		x.apply(&p.X)
		y.apply(&p.Y)
		if data.shaded > 0 {
			p.Add(shade(data.shaded))
		}
		if data.front != nil {
			p.Add(frontLine(data.front))
		}
		p.Add(gridOf{x.ticks, y.ticks})
		p.Add(xyData{st, data, ch.looks, muted, right})
		g.plots = append(g.plots, p)
		g.headings = append(g.headings, data.Heading)
	}
	f := g.figure(ch.name, newHeader(st, ch.title, width, l).withNote(ch.note, width), width)
	f.Title, f.Note, f.Panels, f.columns, f.paints = ch.title, ch.note, ch.panels, columns, st.paints(ch.panels, ch.looks)
	f.muted = muted
	return f
}

// entry returns the entry of a series in a legend.
func (st Style) entry(name string, look int, mark Mark) legendEntry {
	return legendEntry{name, func(c draw.Canvas) {
		y := c.Center().Y
		if mark != Points {
			c.StrokeLine2(st.line(look), c.Min.X, y, c.Max.X, y)
		}
		c.DrawGlyph(st.glyph(look), c.Center())
	}}
}

// xyData draws the series of a panel.
type xyData struct {
	st    Style
	panel Panel
	looks looks
	muted map[string]bool // series that are drawn in grey, behind the others
	right vg.Length       // room on the right for the names of the others; 0: none
}

// manyPoints is from how many points on a line not all of them have markers.
const manyPoints = 25

// Plot implements plot.Plotter.
func (d xyData) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	if p.Y.Min < 0 && p.Y.Max > 0 {
		c.StrokeLine2(draw.LineStyle{Color: darkGray, Width: 0.5}, c.Min.X, toY(0), c.Max.X, toY(0))
	}
	visible := func(v float64, a *plot.Axis) bool {
		_, log := a.Scale.(plot.LogScale)
		return !(log && v <= 0)
	}
	var ends []lineEnd
	for _, s := range behind(d.panel.Series, d.muted) {
		look := d.looks.of(s.Name)
		line, glyph := d.st.line(look), d.st.glyph(look)
		muted := d.muted[s.Name]
		if muted {
			line, glyph = mutedLine, mutedGlyph
		}
		var at []vg.Point
		var kept []Point
		for _, v := range s.Points {
			if visible(v.X, &p.X) && visible(v.Y, &p.Y) {
				at = append(at, vg.Point{X: toX(v.X), Y: toY(v.Y)})
				kept = append(kept, v)
			}
		}
		if d.panel.Mark != Points {
			path := at
			if d.panel.Mark == Steps {
				path = staircase(at)
			}
			for _, part := range c.ClipLinesXY(thin(path)) {
				c.StrokeLines(line, part)
			}
		}
		spotsOf(c, d.panel, s, at, kept)
		if d.right > 0 && !muted && len(at) > 0 {
			ends = append(ends, lineEnd{s.Name, line.Color, at[len(at)-1]})
		}
		if muted && d.panel.Mark != Points {
			continue
		}
		interval := draw.LineStyle{Color: line.Color, Width: 0.5}
		for i, v := range kept {
			if !v.hasInterval() || !c.Contains(at[i]) {
				continue
			}
			low, high := max(toY(max(v.Low, p.Y.Min)), c.Min.Y), min(toY(max(v.High, p.Y.Min)), c.Max.Y)
			c.StrokeLine2(interval, at[i].X, low, at[i].X, high)
			for _, end := range []vg.Length{low, high} {
				c.StrokeLine2(interval, at[i].X-1.5, end, at[i].X+1.5, end)
			}
		}
		for i, point := range at {
			if len(at) > manyPoints && d.panel.Mark != Points {
				if len(d.panel.Series) == 1 {
					break
				}
				// Some eight, at other points for each line.
				every := len(at) / 8
				if i%every != (look*every/5+every/2)%every {
					continue
				}
			}
			if c.Contains(point) {
				c.DrawGlyph(glyph, point)
			}
		}
	}
	nameEnds(c, d.st, ends, d.right)
}

// staircase returns the corners of steps that rise at points.
func staircase(at []vg.Point) []vg.Point {
	var path []vg.Point
	for i, p := range at {
		if i > 0 {
			path = append(path, vg.Point{X: p.X, Y: at[i-1].Y})
		}
		path = append(path, p)
	}
	return path
}

// thin drops points of a line that nobody could see: those nearer than a fifth
// of a point to the one before.
func thin(path []vg.Point) []vg.Point {
	if len(path) < 100 {
		return path
	}
	kept := path[:1:1]
	for i, p := range path[1:] {
		last := kept[len(kept)-1]
		if i == len(path)-2 || math.Abs(float64(p.X-last.X)) > 0.2 || math.Abs(float64(p.Y-last.Y)) > 0.2 {
			kept = append(kept, p)
		}
	}
	return kept
}

// seriesNames returns the names of a panel's series.
func seriesNames(panels []Panel) []string {
	var list []string
	for _, p := range panels {
		for _, s := range p.Series {
			if !slices.Contains(list, s.Name) {
				list = append(list, s.Name)
			}
		}
	}
	return list
}
