package plots

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// legendEntry is a sample and the words beside it.
type legendEntry struct {
	text string
	draw func(c draw.Canvas) // fills c
}

const (
	sampleWidth  = vg.Length(18)
	sampleHeight = vg.Length(7)
	sampleGap    = vg.Length(3)
	entryGap     = vg.Length(8)
)

// legend lays entries out in as few rows as it can, so that it stays small and
// never covers data. Its columns are each as wide as they need.
type legend struct {
	st      Style
	entries []legendEntry
	columns []vg.Length // widths
	row     vg.Length   // height
}

// newLegend makes a legend at most as wide as width, which has room for a
// sample and a few letters.
func newLegend(st Style, entries []legendEntry, width vg.Length) legend {
	style := st.text(tickSize)
	l := legend{st: st, row: style.Height("X") * 1.35}
	for _, e := range entries {
		e.text = shorten(e.text, style, width-sampleWidth-sampleGap)
		l.entries = append(l.entries, e)
	}
	for rows := 1; rows <= len(entries); rows++ {
		l.columns = make([]vg.Length, (len(entries)+rows-1)/rows)
		for i, e := range l.entries {
			w := &l.columns[i%len(l.columns)]
			*w = max(*w, sampleWidth+sampleGap+style.Width(e.text))
		}
		if w, _ := l.size(); w <= width {
			break
		}
	}
	return l
}

func (l legend) rows() int {
	if len(l.entries) == 0 {
		return 0
	}
	return (len(l.entries) + len(l.columns) - 1) / len(l.columns)
}

func (l legend) size() (width, height vg.Length) {
	for i, w := range l.columns {
		if i > 0 {
			width += entryGap
		}
		width += w
	}
	return width, l.row * vg.Length(l.rows())
}

// box returns where entry i stands, with its words, in a legend whose top left
// corner is at 0, 0.
func (l legend) box(i int) vg.Rectangle {
	x, y := vg.Length(0), -l.row*vg.Length(i/len(l.columns))
	for _, w := range l.columns[:i%len(l.columns)] {
		x += w + entryGap
	}
	width := sampleWidth + sampleGap + l.st.text(tickSize).Width(l.entries[i].text)
	return vg.Rectangle{Min: vg.Point{X: x, Y: y - l.row}, Max: vg.Point{X: x + width, Y: y}}
}

// drawTo draws the legend at the top of c, centred.
func (l legend) drawTo(c draw.Canvas) {
	style := l.st.text(tickSize)
	style.YAlign = draw.YCenter
	width, _ := l.size()
	corner := vg.Point{X: c.Center().X - width/2, Y: c.Max.Y}
	for i, e := range l.entries {
		b := l.box(i).Add(corner)
		y := (b.Min.Y + b.Max.Y) / 2
		e.draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: b.Min.X, Y: y - sampleHeight/2},
			Max: vg.Point{X: b.Min.X + sampleWidth, Y: y + sampleHeight/2},
		}})
		fillText(c, style, vg.Point{X: b.Min.X + sampleWidth + sampleGap, Y: y}, e.text)
	}
}
