package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	oneColumn  = 3.33 * vg.Inch
	twoColumns = 7 * vg.Inch
	textSize   = vg.Length(8) // points, as captions are set
	tickSize   = vg.Length(7)
	lineWidth  = vg.Length(1)
)

var typeface = font.Font{Typeface: "Liberation", Variant: "Sans"}

// palette holds the colours of Okabe and Ito (Color universal design, 2008),
// which colour-blind readers can tell apart, those that print well first.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermillion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x80, 0x70, 0x00, 0xff}, // olive, for the palette's yellow, which fades on paper
}

var black = color.RGBA{A: 0xff}

var dashes = [][]vg.Length{
	nil,
	{4, 2},
	{1, 1.5},
	{5, 1.5, 1, 1.5},
	{2.5, 1.5},
}

var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{},
	draw.RingGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.PlusGlyph{},
}

// lineStyle and glyphStyle give series i its look. Colours, dashes and markers
// come round at different numbers, so that a look recurs after 280 series only.
func lineStyle(i int) draw.LineStyle {
	return draw.LineStyle{Color: palette[i%len(palette)], Width: lineWidth, Dashes: dashes[i%len(dashes)]}
}

func glyphStyle(i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: palette[i%len(palette)], Radius: 2, Shape: glyphs[i%len(glyphs)]}
}

func textStyle(size vg.Length) draw.TextStyle {
	f := typeface
	f.Size = size
	return draw.TextStyle{Color: black, Font: f, Handler: plot.DefaultTextHandler}
}

// newPlot returns axes in our style.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = font.Font{Typeface: typeface.Typeface, Variant: typeface.Variant, Size: textSize}
		a.Tick.Label.Font = font.Font{Typeface: typeface.Typeface, Variant: typeface.Variant, Size: tickSize}
		a.LineStyle.Width = 0.5
		a.Tick.LineStyle.Width = 0.5
		a.Tick.Length = 3
		a.Padding = 0
	}
	return p
}

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

// legend lays entries out in columns of equal width over as many rows as it
// takes, so that it never covers data.
type legend struct {
	entries []legendEntry
	columns int
	column  vg.Length
	row     vg.Length
}

func newLegend(entries []legendEntry, width vg.Length) legend {
	l := legend{entries: entries}
	if len(entries) == 0 {
		return l
	}
	style := textStyle(tickSize)
	for _, e := range entries {
		l.column = max(l.column, sampleWidth+sampleGap+style.Width(e.text)+entryGap)
	}
	l.columns = min(len(entries), max(1, int((width+entryGap)/l.column)))
	// Even rows look better than a full one and a rest.
	rows := (len(entries) + l.columns - 1) / l.columns
	l.columns = (len(entries) + rows - 1) / rows
	l.row = style.Height("X") * 1.6
	return l
}

func (l legend) height() vg.Length {
	if l.columns == 0 {
		return 0
	}
	return l.row * vg.Length((len(l.entries)+l.columns-1)/l.columns)
}

// drawTo draws the legend at the top of c, centred.
func (l legend) drawTo(c draw.Canvas) {
	if l.columns == 0 {
		return
	}
	style := textStyle(tickSize)
	style.YAlign = draw.YCenter
	left := c.Min.X + max(0, (c.Size().X-l.column*vg.Length(l.columns)+entryGap)/2)
	for i, e := range l.entries {
		x := left + l.column*vg.Length(i%l.columns)
		y := c.Max.Y - l.row*(vg.Length(i/l.columns)+0.5)
		box := draw.Crop(c, x-c.Min.X, x+sampleWidth-c.Max.X, y-sampleHeight/2-c.Min.Y, y+sampleHeight/2-c.Max.Y)
		e.draw(box)
		c.FillText(style, vg.Point{X: x + sampleWidth + sampleGap, Y: y}, e.text)
	}
}

// frame draws title and legend at the top of c and returns what is left.
func frame(c draw.Canvas, title string, l legend) draw.Canvas {
	// The right margin has room for half of the last label below the axis.
	c = draw.Crop(c, 2, -12, 2, -3)
	if title != "" {
		s := textStyle(textSize)
		s.XAlign, s.YAlign = draw.XCenter, draw.YTop
		c.FillText(s, vg.Point{X: c.Center().X, Y: c.Max.Y}, title)
		c = draw.Crop(c, 0, 0, 0, -s.Height(title)-4)
	}
	l.drawTo(c)
	return draw.Crop(c, 0, 0, 0, -l.height()-4)
}

// nice rounds up to 1, 2 or 5 times a power of ten.
func nice(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if x <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}
