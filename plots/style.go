package plots

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	oneColumn  = 3.33 * vg.Inch
	twoColumns = 7 * vg.Inch
	margin     = vg.Length(3)
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

var (
	black     = color.RGBA{A: 0xff}
	gray      = color.RGBA{0x80, 0x80, 0x80, 0xff}
	darkGray  = color.RGBA{0x40, 0x40, 0x40, 0xff}
	lightGray = color.RGBA{0xd0, 0xd0, 0xd0, 0xff}
)

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

func grid() *plotter.Grid {
	g := plotter.NewGrid()
	for _, s := range []*draw.LineStyle{&g.Vertical, &g.Horizontal} {
		s.Width, s.Color = 0.25, lightGray
	}
	return g
}

// nice rounds x, which is positive, up to 1, 2 or 5 times a power of ten.
func nice(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if x <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// steps puts a labelled tick at each multiple of a step.
type steps float64

func (s steps) Ticks(low, high float64) []plot.Tick {
	step := float64(s)
	var ticks []plot.Tick
	first := math.Ceil(low/step - 1e-9)
	for i := range 1 + int(math.Floor(high/step-first+1e-9)) {
		v := (first + float64(i)) * step
		label := strconv.FormatFloat(v, 'g', 6, 64)
		if step >= 1e-4 && high < 1e6 {
			label = strconv.FormatFloat(v, 'f', max(0, int(math.Ceil(-math.Log10(step)-1e-9))), 64)
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}

// decades labels powers of ten, at most six of them, and marks 2 to 9 times
// them where all are labelled.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	first, last := math.Floor(math.Log10(low)), math.Floor(math.Log10(high))
	every := math.Ceil((last - first + 1) / 6)
	var ticks []plot.Tick
	for k := first; k <= last; k++ {
		for m := 1.0; m < 10; m++ {
			t := plot.Tick{Value: m * math.Pow(10, k)}
			if m == 1 && math.Mod(k-first, every) == 0 {
				t.Label = fmt.Sprintf("%g", t.Value)
			}
			if t.Value >= low*(1-1e-9) && t.Value <= high && (m == 1 || every == 1) {
				ticks = append(ticks, t)
			}
		}
	}
	return ticks
}

// shorten replaces the middle of s by dots until it is as narrow as width:
// names of one family differ at their ends.
func shorten(s string, style draw.TextStyle, width vg.Length) string {
	if style.Width(s) <= width {
		return s
	}
	r := []rune(s)
	for n := len(r) - 1; n > 1; n-- {
		short := string(r[:n/2]) + "..." + string(r[len(r)-(n-n/2):])
		if style.Width(short) <= width {
			return short
		}
	}
	return "..."
}

// wrap joins pieces to lines at most as wide as width; a longer piece is a line
// of its own.
func wrap(pieces []string, style draw.TextStyle, width vg.Length) []string {
	var lines []string
	for _, piece := range pieces {
		last := len(lines) - 1
		if last >= 0 && style.Width(strings.TrimSpace(lines[last]+piece)) <= width {
			lines[last] += piece
		} else {
			lines = append(lines, piece)
		}
	}
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

// header is what stands above the axes: the title and the legends.
type header struct {
	title   []string
	legends []legend
}

func newHeader(title string, width vg.Length, legends ...legend) header {
	style := textStyle(textSize)
	width -= 2 * margin
	var words []string
	for _, w := range strings.Fields(title) {
		words = append(words, shorten(w, style, width)+" ")
	}
	return header{wrap(words, style, width), legends}
}

const titleLine = textSize * 1.25

func (h header) height() vg.Length {
	y := 2 * margin
	if len(h.title) > 0 {
		y += titleLine*vg.Length(len(h.title)) + margin
	}
	for _, l := range h.legends {
		_, height := l.size()
		y += height
	}
	return y
}

// drawTo draws h at the top of c and returns what is left, without the margins.
func (h header) drawTo(c draw.Canvas) draw.Canvas {
	rest := draw.Crop(c, margin, -margin, margin, -h.height())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	s := textStyle(textSize)
	s.XAlign, s.YAlign = draw.XCenter, draw.YTop
	for _, line := range h.title {
		c.FillText(s, vg.Point{X: c.Center().X, Y: c.Max.Y}, line)
		c.Max.Y -= titleLine
	}
	if len(h.title) > 0 {
		c.Max.Y -= margin
	}
	for _, l := range h.legends {
		l.drawTo(c)
		_, height := l.size()
		c.Max.Y -= height
	}
	return rest
}
