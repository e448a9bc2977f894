package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"cachesim/sim/results"
)

// heatMap draws the hit ratio of each policy at each size as a coloured cell.
func heatMap(rows Rows, o Options) ([]Figure, error) {
	labels := Labels(rows.Results, o.Labels)
	var figures []Figure
	for _, g := range rows.ratioGroups() {
		rs := ratios(g.results)
		if len(rs) == 0 {
			continue
		}
		series := bySize(rs, labels, hitRatio.measure)
		figures = append(figures, heatFigure(o, "heat-map"+g.suffix, o.title(g.note), resultsNote(rs), g.semantics.unit, series, rs))
	}
	return figures, nil
}

// heatColor is from white to a blue that is dark in grey print, too.
func heatColor(share float64) color.RGBA {
	from, to := color.RGBA{0xf7, 0xfb, 0xff, 0xff}, color.RGBA{0x08, 0x30, 0x6b, 0xff}
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + share*(float64(b)-float64(a)))) }
	return color.RGBA{mix(from.R, to.R), mix(from.G, to.G), mix(from.B, to.B), 0xff}
}

func heatFigure(o Options, name, title, note, unit string, series []Series, rs []results.Result) Figure {
	st := o.Style
	least := make(map[float64]string)
	for _, r := range rs {
		least[float64(r.Capacity)] = r.Cell.Size()
	}
	var sizes []float64
	for _, s := range series {
		for _, at := range s.Points {
			if !slices.Contains(sizes, at.X) {
				sizes = append(sizes, at.X)
			}
		}
	}
	slices.Sort(sizes)
	p := Panel{Mark: HeatCell, X: Axis{Label: "Cache size", Unit: unit}, Y: Axis{Label: "Hit ratio", Unit: unitPercent}}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range sizes {
		p.X.Categories = append(p.X.Categories, sizeText(v, unit, least[v]))
	}
	for _, s := range series {
		row := Series{Name: s.Name}
		for _, at := range s.Points {
			low, high = min(low, at.Y), max(high, at.Y)
			row.Points = append(row.Points, Point{X: float64(slices.Index(sizes, at.X)), Y: at.Y, Low: at.Low, High: at.High})
		}
		p.Series = append(p.Series, row)
	}
	share := func(v float64) float64 {
		if high <= low {
			return 0.5
		}
		return (v - low) / (high - low)
	}

	const rowHeight, gap = vg.Length(11), vg.Length(4)
	text := st.text(tickSize)
	left := vg.Length(0)
	for _, s := range p.Series {
		left = max(left, min(text.Width(s.Name), 1.3*vg.Inch))
	}
	width := st.narrow()
	cell := func() vg.Length { return (width - 2*margin - left - gap) / vg.Length(len(sizes)) }
	number := text.Width("100.0") + 4
	if cell() < number {
		width = st.wide()
	}
	// Too many sizes for numbers of a digit after the point, or for any.
	format := "%.1f"
	switch {
	case cell() < text.Width("100")+3:
		format = ""
	case cell() < number:
		format = "%.0f"
	}
	below, angle := text.Height("X")+gap, 0.0
	for _, c := range p.X.Categories {
		if text.Width(c) > cell()-3 {
			angle = math.Pi / 4
		}
	}
	if angle > 0 {
		if cell()*math.Sqrt2/2 < tickSize {
			angle = math.Pi / 2
		}
		for _, c := range p.X.Categories {
			below = max(below, text.Width(c)*vg.Length(math.Sin(angle))+text.Height("X"))
		}
	}
	var entries []legendEntry
	if high > low {
		for i := range 5 {
			v := low + (high-low)*float64(i)/4
			entries = append(entries, legendEntry{fmt.Sprintf("%.1f %%", v), func(c draw.Canvas) {
				c.SetColor(heatColor(share(v)))
				c.Fill(c.Rectangle.Path())
			}})
		}
	}
	note = joinNotes("hit ratio in percent", note)
	h := newHeader(st, title, width, newLegend(st, entries, width-2*margin)).withNote(note, width)
	label := textSize + nameGap
	height := h.height() + rowHeight*vg.Length(len(p.Series)) + gap + below + label + margin
	f := newFigure(st, name, width, height, func(c draw.Canvas) {
		c = h.drawTo(c)
		text := text
		for i, s := range p.Series {
			top := c.Max.Y - rowHeight*vg.Length(i)
			text.XAlign, text.YAlign = draw.XRight, draw.YCenter
			text.Color = black
			fillText(c, text, vg.Point{X: c.Min.X + left, Y: top - rowHeight/2}, shorten(s.Name, text, 1.3*vg.Inch))
			for _, at := range s.Points {
				x := c.Min.X + left + gap + cell()*vg.Length(at.X)
				r := vg.Rectangle{Min: vg.Point{X: x, Y: top - rowHeight}, Max: vg.Point{X: x + cell(), Y: top}}
				v := share(at.Y)
				c.SetColor(heatColor(v))
				c.Fill(r.Path())
				c.SetLineStyle(draw.LineStyle{Color: color.White, Width: 0.5})
				c.Stroke(r.Path())
				spot(c, r, named(s.Name, p.Y.interval(at)+" at "+p.X.Text(at.X)))
				if format == "" {
					continue
				}
				text.XAlign, text.Color = draw.XCenter, black
				if v > 0.65 { // where both have the same contrast
					text.Color = color.White
				}
				fillText(c, text, vg.Point{X: x + cell()/2, Y: top - rowHeight/2}, fmt.Sprintf(format, at.Y))
			}
		}
		at := vg.Point{Y: c.Max.Y - rowHeight*vg.Length(len(p.Series)) - gap}
		text.Color, text.XAlign, text.YAlign = black, draw.XCenter, draw.YTop
		if angle > 0 {
			text.Rotation, text.XAlign, text.YAlign = angle, draw.XRight, draw.YCenter
		}
		last := vg.Length(math.Inf(-1))
		for j, s := range p.X.Categories {
			at.X = c.Min.X + left + gap + cell()*(vg.Length(j)+0.5)
			if at.X-last < tickSize*1.2 { // no room for a name at each cell
				continue
			}
			last = at.X
			// A slanting name that starts left of the figure is cut.
			room := vg.Length(math.Inf(1))
			if angle > 0 && math.Cos(angle) > 0.1 {
				room = (at.X-c.Min.X)/vg.Length(math.Cos(angle)) - 2
			}
			fillText(c, text, at, shorten(s, text, room))
		}
		axis := st.text(textSize)
		axis.XAlign, axis.YAlign = draw.XCenter, draw.YBottom
		fillText(c, axis, vg.Point{X: (c.Min.X + left + gap + c.Max.X) / 2, Y: c.Min.Y}, "Cache size")
	})
	f.Title, f.Note, f.Panels = title, note, []Panel{p}
	return f
}

// sizeText names a size below a column: as it was asked for if that was a share.
func sizeText(v float64, unit, label string) string {
	if label != "" && label[len(label)-1] == '%' {
		return label
	}
	return sizeLabel(v, unit)
}
