// Package plots draws figures for papers from results. It never sees a running
// simulation, so that a result file is all that a figure needs.
package plots

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"cachesim/sim/results"
)

// Formats lists the file formats that a figure can be drawn in.
var Formats = []string{"png", "svg", "pdf"}

// A Figure can be drawn. Its size is that of print: one column of a paper, 3.33
// inches wide, or two where it would be crowded.
type Figure struct {
	Name          string // base of its file's name
	Width, Height vg.Length
	draw          func(draw.Canvas)
}

// Figures makes the figures that results give: for each trace, hit ratios
// against cache size where whole traces were replayed, and running times where
// cells were timed.
func Figures(rs []results.Result, title string) ([]Figure, error) {
	var traces []string
	byTrace := make(map[string][]results.Result)
	for i, r := range rs {
		if err := drawable(r); err != nil {
			return nil, fmt.Errorf("result %d (%s, %s): %w", i+1, r.Policy, r.Version, err)
		}
		key := r.Cell.Trace + "\x00" + r.TraceDigest + "\x00" + r.Clock
		if byTrace[key] == nil {
			traces = append(traces, key)
		}
		byTrace[key] = append(byTrace[key], r)
	}
	var figures []Figure
	taken := make(map[string]bool)
	for _, key := range traces {
		rs := byTrace[key]
		suffix := ""
		if len(traces) > 1 {
			suffix = "-" + fileName(rs[0].Cell.Trace)
			for n := 2; taken[suffix]; n++ { // traces of one name in several folders
				suffix = fmt.Sprintf("-%s-%d", fileName(rs[0].Cell.Trace), n)
			}
			taken[suffix] = true
		}
		name := title
		if len(traces) > 1 {
			name = strings.TrimSpace(title + " " + rs[0].Cell.Trace)
		}
		if f, ok := hitRatio(rs, name); ok {
			f.Name += suffix
			figures = append(figures, f)
		}
		if f, ok := runTime(rs, name); ok {
			f.Name += suffix
			figures = append(figures, f)
		}
	}
	if len(figures) == 0 {
		return nil, fmt.Errorf("the results hold nothing to draw: neither whole traces nor timed cells")
	}
	return figures, nil
}

// drawable tells what is wrong with r's numbers. A scale needs the right ones, and
// a result file can be edited.
func drawable(r results.Result) error {
	switch {
	case r.Capacity <= 0:
		return fmt.Errorf("capacity of %d bytes: want a positive number", r.Capacity)
	case r.Hits < 0 || r.Hits > r.Gets:
		return fmt.Errorf("%d hits of %d gets", r.Hits, r.Gets)
	case min(r.Replay, r.ReplayMin, r.ReplayMax) < 0:
		return fmt.Errorf("replay took %v, from %v to %v: want no negative time", r.Replay, r.ReplayMin, r.ReplayMax)
	}
	return nil
}

func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, s)
}

// Draw writes the figure in one of Formats: PNG at 300 dots per inch, SVG, or
// PDF with its fonts embedded.
func (f Figure) Draw(w io.Writer, format string) error {
	var c interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case "png":
		c = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.Width, f.Height), vgimg.UseDPI(300))}
	case "svg":
		c = vgsvg.New(f.Width, f.Height)
	case "pdf":
		pdf := vgpdf.New(f.Width, f.Height)
		pdf.EmbedFonts(true)
		c = pdfCanvas{pdf}
	default:
		return fmt.Errorf("unknown figure format %q: known are %s", format, strings.Join(Formats, ", "))
	}
	f.draw(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// pdfCanvas hands text over in the encoding of the embedded fonts, which have
// 256 characters each. (vgpdf writes UTF-8 as if it were in that encoding.)
type pdfCanvas struct{ *vgpdf.Canvas }

// FillString implements vg.Canvas.
func (c pdfCanvas) FillString(f font.Face, at vg.Point, s string) {
	var b []byte
	for _, r := range s {
		switch {
		case r < 0x80 || r >= 0xa0 && r <= 0xff: // Windows-1252 is Latin-1 there
			b = append(b, byte(r))
		default:
			b = append(b, '?')
		}
	}
	c.Canvas.FillString(f, at, string(b))
}

// names returns the distinct values of f over results, in their order.
func names(rs []results.Result, f func(results.Result) string) []string {
	var list []string
	for _, r := range rs {
		if n := f(r); !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}
