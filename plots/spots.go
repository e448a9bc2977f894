package plots

import (
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// A Spot is where a figure shows a number: a point, or the area of a bar, a box or
// a cell of a heat map.
type Spot struct {
	// X and Y are the upper left corner of the area, or the point, from the upper
	// left corner of the figure. A point has neither Width nor Height.
	X, Y, Width, Height vg.Length
	Text                string // "LRU: 75.21 % at 95 MiB"
}

// spotCanvas is told what is where while a figure is drawn.
type spotCanvas struct {
	recorder.Canvas
	spots []Spot // from the lower left corner
}

// Spots returns where the figure shows what.
func (f Figure) Spots() []Spot {
	width, height := f.layout()
	var c spotCanvas
	f.draw(draw.NewCanvas(&c, width, height))
	scale := vg.Length(f.scale)
	for i := range c.spots {
		s := &c.spots[i]
		s.X, s.Y, s.Width, s.Height = s.X*scale, f.Height-(s.Y+s.Height)*scale, s.Width*scale, s.Height*scale
	}
	return c.spots
}

// spot notes that c shows text in an area.
func spot(c draw.Canvas, at vg.Rectangle, text string) {
	if s, ok := underlying(c).(*spotCanvas); ok {
		size := at.Size()
		s.spots = append(s.spots, Spot{at.Min.X, at.Min.Y, size.X, size.Y, text})
	}
}

// spotsOf notes the points of a series; of those that nobody could tell from each
// other one of several.
func spotsOf(c draw.Canvas, p Panel, s Series, at []vg.Point, points []Point) {
	if _, ok := underlying(c).(*spotCanvas); !ok {
		return
	}
	const apart = vg.Length(3)
	last := vg.Point{X: -1000}
	for i, v := range points {
		if !c.Contains(at[i]) {
			continue
		}
		if d := at[i].Sub(last); d.X*d.X+d.Y*d.Y < apart*apart && i < len(points)-1 {
			continue
		}
		last = at[i]
		text := p.Y.interval(v) + " at " + p.X.TextWithUnit(v.X)
		spot(c, vg.Rectangle{Min: at[i], Max: at[i]}, named(s.Name, text))
	}
}

// named puts names before a text.
func named(names ...string) string {
	text := names[len(names)-1]
	var list []string
	for _, n := range names[:len(names)-1] {
		if n != "" {
			list = append(list, n)
		}
	}
	if list == nil {
		return text
	}
	return strings.Join(list, ", ") + ": " + text
}

// TextWithUnit is Text with the axis' unit.
func (a Axis) TextWithUnit(v float64) string {
	if a.Unit == "" || a.Unit == unitBytes || len(a.Categories) > 0 {
		return a.Text(v)
	}
	return a.Text(v) + " " + a.Unit
}

// interval writes a point's Y with its interval.
func (a Axis) interval(p Point) string {
	text := a.TextWithUnit(p.Y)
	if p.hasInterval() && p.Low != p.High {
		text += " (" + a.Text(p.Low) + " to " + a.Text(p.High) + ")"
	}
	return text
}
