package plots

import (
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Figures are laid out in points at a text size of textSize, and drawn larger by
// the scale of their style: so everything keeps its proportions.
const (
	margin    = vg.Length(3)
	textSize  = vg.Length(8) // points, as captions are set
	tickSize  = vg.Length(7)
	lineWidth = vg.Length(1)
)

// A Style is how figures look: how large they and their text are, and their
// colours. It is a value; those of Styles can be changed.
type Style struct {
	Name, Doc string
	// Width of a figure that fits one column, and of one that needs two.
	OneColumn, TwoColumns vg.Length
	// Columns is 1 or 2 where all figures have that width; 0: as they need.
	Columns int
	// Scale of text, lines and marks: at 1 text has 8 points.
	Scale   float64
	Serif   bool // Liberation Serif instead of Sans
	Palette []color.RGBA
}

// OkabeIto holds the colours of Okabe and Ito (Color universal design, 2008),
// which colour-blind readers can distinguish, those that print well first. Their
// luminances differ, so that neighbours differ in grey print, too.
var OkabeIto = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermillion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x80, 0x70, 0x00, 0xff}, // olive, for the palette's yellow, which fades on paper
}

// Grey holds greys alone; dashes, markers and patterns distinguish the rest.
var Grey = []color.RGBA{
	{0x00, 0x00, 0x00, 0xff},
	{0x70, 0x70, 0x70, 0xff},
	{0x3a, 0x3a, 0x3a, 0xff},
	{0x98, 0x98, 0x98, 0xff},
}

// Styles lists the styles, the default first.
var Styles = []Style{
	{Name: "acm", Doc: "ACM papers: columns of 3.33 and 7 inches, 8-point sans", OneColumn: 3.33 * vg.Inch, TwoColumns: 7 * vg.Inch, Scale: 1, Palette: OkabeIto},
	{Name: "ieee", Doc: "IEEE papers: columns of 3.5 and 7.16 inches, 8-point serif", OneColumn: 3.5 * vg.Inch, TwoColumns: 7.16 * vg.Inch, Scale: 1, Serif: true, Palette: OkabeIto},
	{Name: "slides", Doc: "half and whole slides of 16:9, 15-point sans", OneColumn: 6.2 * vg.Inch, TwoColumns: 12.5 * vg.Inch, Scale: 1.85, Palette: OkabeIto},
	{Name: "web", Doc: "pages of 480 and 960 pixels, 11-pixel sans", OneColumn: 360, TwoColumns: 720, Scale: 1.4, Palette: OkabeIto},
	{Name: "grey", Doc: "acm without colours", OneColumn: 3.33 * vg.Inch, TwoColumns: 7 * vg.Inch, Scale: 1, Palette: Grey},
}

// StyleNamed returns the style of a name; the empty one is that of the first.
func StyleNamed(name string) (Style, error) {
	var known []string
	for _, s := range Styles {
		if s.Name == name || name == "" {
			return s, nil
		}
		known = append(known, s.Name)
	}
	return Style{}, fmt.Errorf("unknown style %q: known are %s", name, strings.Join(known, ", "))
}

// orDefault completes a style of which fields are unset.
func (st Style) orDefault() Style {
	d := Styles[0]
	if st.OneColumn <= 0 {
		st.OneColumn = d.OneColumn
	}
	if st.TwoColumns <= 0 {
		st.TwoColumns = max(st.OneColumn, d.TwoColumns)
	}
	if st.Scale <= 0 {
		st.Scale = 1
	}
	if len(st.Palette) == 0 {
		st.Palette = d.Palette
	}
	return st
}

// narrow and wide are the widths that figures are laid out in.
func (st Style) narrow() vg.Length {
	if st.Columns == 2 {
		return st.TwoColumns / vg.Length(st.Scale)
	}
	return st.OneColumn / vg.Length(st.Scale)
}

func (st Style) wide() vg.Length {
	if st.Columns == 1 {
		return st.OneColumn / vg.Length(st.Scale)
	}
	return st.TwoColumns / vg.Length(st.Scale)
}

func (st Style) typeface() font.Font {
	if st.Serif {
		return font.Font{Typeface: "Liberation", Variant: "Serif"}
	}
	return font.Font{Typeface: "Liberation", Variant: "Sans"}
}

// color returns the colour of series i.
func (st Style) color(i int) color.RGBA { return st.Palette[i%len(st.Palette)] }

var (
	black     = color.RGBA{A: 0xff}
	gray      = color.RGBA{0x80, 0x80, 0x80, 0xff}
	darkGray  = color.RGBA{0x40, 0x40, 0x40, 0xff}
	paleGray  = color.RGBA{0xec, 0xec, 0xec, 0xff}
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

// line and glyph give series i its look. Colours, dashes and markers come round
// at different numbers, so that a look recurs after 280 series only.
func (st Style) line(i int) draw.LineStyle {
	return draw.LineStyle{Color: st.color(i), Width: lineWidth, Dashes: dashes[i%len(dashes)]}
}

func (st Style) glyph(i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: st.color(i), Radius: 2, Shape: glyphs[i%len(glyphs)]}
}

// text returns the style of text of a size.
func (st Style) text(size vg.Length) draw.TextStyle {
	f := st.typeface()
	f.Size = size
	return draw.TextStyle{Color: black, Font: f, Handler: plot.DefaultTextHandler}
}

// plot returns axes in our style.
func (st Style) plot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = font.From(st.typeface(), textSize)
		a.Tick.Label.Font = font.From(st.typeface(), tickSize)
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

// aligner is a canvas with fonts of its own, which is told at which point of a
// text it stands.
type aligner interface{ align(draw.XAlignment) }

// underlying returns the canvas that c is a part of: parts are of parts.
func underlying(c draw.Canvas) vg.Canvas {
	for {
		inner, ok := c.Canvas.(draw.Canvas)
		if !ok {
			return c.Canvas
		}
		c = inner
	}
}

// fillText writes s at a point.
func fillText(c draw.Canvas, style draw.TextStyle, at vg.Point, s string) {
	if a, ok := underlying(c).(aligner); ok {
		a.align(style.XAlign)
		defer a.align(draw.XCenter)
	}
	c.FillText(style, at, s)
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
	st      Style
	title   []string
	note    []string // in smaller type below the title
	legends []legend
}

func newHeader(st Style, title string, width vg.Length, legends ...legend) header {
	style := st.text(textSize)
	width -= 2 * margin
	var words []string
	for _, w := range strings.Fields(title) {
		words = append(words, shorten(w, style, width)+" ")
	}
	return header{st: st, title: wrap(words, style, width), legends: legends}
}

// withNote adds what the figure's numbers are of.
func (h header) withNote(note string, width vg.Length) header {
	style := h.st.text(tickSize)
	width -= 2 * margin
	var words []string
	for _, w := range strings.Fields(note) {
		words = append(words, shorten(w, style, width)+" ")
	}
	h.note = wrap(words, style, width)
	return h
}

const (
	titleLine = textSize * 1.25
	noteLine  = tickSize * 1.25
)

func (h header) height() vg.Length {
	y := 2 * margin
	if len(h.title) > 0 {
		y += titleLine*vg.Length(len(h.title)) + margin
	}
	if len(h.note) > 0 {
		y += noteLine*vg.Length(len(h.note)) + margin
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
	s := h.st.text(textSize)
	s.XAlign, s.YAlign = draw.XCenter, draw.YTop
	for _, line := range h.title {
		fillText(c, s, vg.Point{X: c.Center().X, Y: c.Max.Y}, line)
		c.Max.Y -= titleLine
	}
	if len(h.title) > 0 {
		c.Max.Y -= margin
	}
	s = h.st.text(tickSize)
	s.XAlign, s.YAlign, s.Color = draw.XCenter, draw.YTop, darkGray
	for _, line := range h.note {
		fillText(c, s, vg.Point{X: c.Center().X, Y: c.Max.Y}, line)
		c.Max.Y -= noteLine
	}
	if len(h.note) > 0 {
		c.Max.Y -= margin
	}
	for _, l := range h.legends {
		l.drawTo(c)
		_, height := l.size()
		c.Max.Y -= height
	}
	return rest
}
