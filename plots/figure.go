package plots

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Formats lists the file formats that a figure can be written in; they are the
// extensions of their files, too. png is at 300 dots per inch; svg has its text
// as text; pdf embeds the letters that it uses; pgf is a drawing to \input where
// the document uses package pgf; tex is the data as pgfplots axes, to be changed
// by hand; csv is the data alone.
var Formats = []string{"png", "svg", "pdf", "pgf", "tex", "csv"}

// A Figure can be drawn. Its size is that of print.
type Figure struct {
	Name          string // base of its file's name; it has no dots
	Title         string
	Note          string // below the title: what the numbers are of, and what intervals mean
	Width, Height vg.Length
	Panels        []Panel // what it shows

	scale   float64
	draw    func(draw.Canvas) // into a canvas of Width and Height over scale
	columns int               // of panels beside each other
	paints  map[string]paint  // of series, for pgfplots
	muted   map[string]bool   // series that stand behind others
}

// A Panel is a pair of axes with the data that it shows.
type Panel struct {
	Heading string
	Mark    Mark
	X, Y    Axis
	Series  []Series

	// best is 1 where larger values of Y are better, -1 where smaller ones are, and
	// 0 where none is.
	best   int
	shaded float64 // of a warm-up: the part to the left of it; 0: none
	front  []Point // a line of steps through them below the data; nil: none
}

// A Mark is how data are drawn.
type Mark string

// The marks. Of a heat map, Series are its rows and Low their colours' values.
const (
	Lines    Mark = "lines"
	Steps    Mark = "steps" // Y holds up to the next point
	Points   Mark = "points"
	Bars     Mark = "bars"    // one beside the other, a series a bar of each group
	Stacked  Mark = "stacked" // one on top of the other
	Boxes    Mark = "boxes"   // series P10, P25, median, mean, P75 and P90
	HeatCell Mark = "heat"
)

// An Axis says what the numbers of one coordinate are.
type Axis struct {
	Label string // without its unit
	Unit  string // "bytes", "objects", "%", "ns per request", ...; empty: a plain number
	Log   bool
	// Categories, if there are any, are what X counts from 0.
	Categories []string

	zero   bool   // the axis includes 0
	count  bool   // of things that are counted: labels have k and M
	fitted *scale // as it is drawn, where that does not follow from the data alone
}

// name is what is written beside the axis. Sizes carry their units themselves.
func (a Axis) name() string {
	switch {
	case a.Unit == "" || a.Unit == unitBytes:
		return a.Label
	case a.Label == "":
		return a.Unit
	}
	return a.Label + " (" + a.Unit + ")"
}

// Text writes a coordinate for people.
func (a Axis) Text(v float64) string {
	if i := int(v); len(a.Categories) > i && i >= 0 && float64(i) == v {
		return a.Categories[i]
	}
	switch {
	case a.Unit == unitBytes && v >= 0:
		return bytesLabel(v)
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return humanize.Comma(int64(v))
	case math.Abs(v) >= 1000:
		return humanize.Comma(int64(math.Round(v)))
	case math.Abs(v) < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, 3-int(math.Floor(math.Log10(math.Abs(v))))), 64)
}

// Units of axes.
const (
	unitBytes   = "bytes"
	unitObjects = "objects"
	unitPercent = "%"
)

// A Series is a name and points, in order of X where they are joined.
type Series struct {
	Name   string
	Points []Point

	labels []string // above bars, one for each point; nil: none
}

// A Point has an interval around Y unless Low and High are both 0.
type Point struct{ X, Y, Low, High float64 }

func (p Point) hasInterval() bool { return p.Low != 0 || p.High != 0 }

func newFigure(st Style, name string, width, height vg.Length, draw func(draw.Canvas)) Figure {
	s := vg.Length(st.Scale)
	return Figure{Name: name, Width: width * s, Height: height * s, scale: st.Scale, draw: draw}
}

// fitY notes the vertical axes of the panels as they are drawn; one is that of all.
func (f *Figure) fitY(axes ...plot.Axis) {
	for i := range f.Panels {
		a := axes[min(i, len(axes)-1)]
		_, log := a.Scale.(plot.LogScale)
		f.Panels[i].Y.fitted = &scale{low: a.Min, high: a.Max, log: log, ticks: a.Tick.Marker}
		f.Panels[i].Y.Log = log
	}
}

// layout returns the size in which the figure was laid out.
func (f Figure) layout() (width, height vg.Length) {
	s := vg.Length(f.scale)
	return f.Width / s, f.Height / s
}

// Draw writes the figure in one of Formats. The same figure always gives the
// same bytes.
func (f Figure) Draw(w io.Writer, format string) error {
	width, height := f.layout()
	var c interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case "png":
		if err := f.checkLetters(format); err != nil {
			return err
		}
		dpi := 300 * f.scale
		c = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(int(dpi+0.5)))}
	case "svg":
		c = vgsvg.New(f.Width, f.Height)
		c.Push()
		c.Scale(f.scale, f.scale)
	case "pdf":
		if err := f.checkLetters(format); err != nil {
			return err
		}
		c = newPDF(f.Width, f.Height, f.scale, cmp.Or(f.Title, f.Name))
	case "pgf":
		c = newPGF(f.Width, f.Height)
		c.Push()
		c.Scale(f.scale, f.scale)
	case "tex":
		_, err := io.WriteString(w, f.pgfplots())
		return err
	case "csv":
		return f.writeCSV(w)
	default:
		return fmt.Errorf("unknown figure format %q: known are %s", format, strings.Join(Formats, ", "))
	}
	f.draw(draw.NewCanvas(c, width, height))
	if format == "svg" || format == "pgf" {
		c.Pop()
	}
	_, err := c.WriteTo(w)
	return err
}

// checkLetters returns an error if a text has a letter that the fonts lack. An
// SVG is shown with the fonts of its reader, and TeX has its own.
func (f Figure) checkLetters(format string) error {
	var r recorder.Canvas
	width, height := f.layout()
	f.draw(draw.NewCanvas(&r, width, height))
	var errs []error
	seen := make(map[string]bool)
	for _, a := range r.Actions {
		t, ok := a.(*recorder.FillString)
		if !ok || seen[t.String] {
			continue
		}
		seen[t.String] = true
		if letter, ok := unknownLetter(t.String); ok {
			errs = append(errs, fmt.Errorf("draw %s as %s: the font has no letter %q of %q: give it another label, or draw it as svg", f.Name, format, letter, t.String))
		}
	}
	return errors.Join(errs...)
}

// unknownLetter returns the first letter of s that Liberation lacks. Its
// variants have the same letters.
func unknownLetter(s string) (rune, bool) {
	face := Styles[0].text(textSize).Handler.Cache().Lookup(Styles[0].typeface(), textSize)
	var b sfnt.Buffer
	for _, r := range s {
		if r < 0x7f && r >= ' ' {
			continue
		}
		if i, err := face.Face.GlyphIndex(&b, r); err != nil || i == 0 {
			return r, true
		}
	}
	return 0, false
}

// writeCSV writes a line for each point.
func (f Figure) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"panel", "series", "x", "y", "low", "high", "x_label", "x_unit", "y_label", "y_unit"}); err != nil {
		return err
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	for _, p := range f.Panels {
		for _, s := range p.Series {
			for _, at := range s.Points {
				row := []string{p.Heading, s.Name, p.X.value(at.X), number(at.Y), "", "", p.X.Label, p.X.Unit, p.Y.Label, p.Y.Unit}
				if at.hasInterval() {
					row[4], row[5] = number(at.Low), number(at.High)
				}
				if err := c.Write(row); err != nil {
					return err
				}
			}
		}
	}
	c.Flush()
	return c.Error()
}

// value writes a coordinate: a category by its name.
func (a Axis) value(v float64) string {
	if i := int(v); len(a.Categories) > i && i >= 0 && float64(i) == v {
		return a.Categories[i]
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 10, 64)
}
