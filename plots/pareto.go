package plots

import (
	"cmp"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// paretoFront returns the points of which no other one is to the left and above,
// ascending.
func paretoFront(series []Series) []Point {
	var all, front []Point
	for _, s := range series {
		all = append(all, s.Points...)
	}
	slices.SortFunc(all, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(b.Y, a.Y)) })
	for _, p := range all {
		if len(front) == 0 || p.Y > front[len(front)-1].Y {
			front = append(front, p)
		}
	}
	return front
}

// frontLine joins points by steps.
type frontLine []Point

// Plot implements plot.Plotter.
func (f frontLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var at []vg.Point
	for _, v := range f {
		at = append(at, vg.Point{X: x(v.X), Y: y(v.Y)})
	}
	if len(at) > 0 {
		at = append(at, vg.Point{X: c.Max.X, Y: at[len(at)-1].Y})
	}
	for _, part := range c.ClipLinesXY(staircase(at)) {
		c.StrokeLines(draw.LineStyle{Color: gray, Width: 0.6, Dashes: []vg.Length{2, 2}}, part)
	}
}
