package plots

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgtex"
)

// pgfCanvas draws for TeX. (vgtex passes text on as TeX, leaves closed paths
// open, and lets the picture be as large as what is in it.) Text is set in the
// document's own font, in the place that ours needs.
type pgfCanvas struct {
	*vgtex.Canvas
	x *draw.XAlignment // of the next text
}

func newPGF(w, h vg.Length) pgfCanvas {
	middle := draw.XAlignment(draw.XCenter)
	return pgfCanvas{vgtex.New(w, h), &middle}
}

// align implements aligner.
func (c pgfCanvas) align(x draw.XAlignment) { *c.x = x }

// FillString implements vg.Canvas.
func (c pgfCanvas) FillString(f font.Face, at vg.Point, s string) {
	tex := texText(s)
	// The document's font has other widths.
	if side, ok := map[draw.XAlignment]string{draw.XLeft: "l", draw.XRight: "r"}[*c.x]; ok {
		tex = fmt.Sprintf("\\makebox[%.4gpt][%s]{%s}", f.Width(s).Points(), side, tex)
	}
	at.X += (f.Width(s) - f.Width(tex)) / 2 // vgtex centres what it takes the width of tex for
	c.Canvas.FillString(f, at, tex)
}

// Stroke implements vg.Canvas.
func (c pgfCanvas) Stroke(p vg.Path) { c.Canvas.Stroke(closed(p)) }

// Fill implements vg.Canvas.
func (c pgfCanvas) Fill(p vg.Path) { c.Canvas.Fill(closed(p)) }

// WriteTo implements io.WriterTo.
func (c pgfCanvas) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if _, err := c.Canvas.WriteTo(&b); err != nil {
		return 0, err
	}
	const begin = "\\begin{pgfpicture}\n"
	width, height := c.Size()
	box := fmt.Sprintf("  \\pgfpathrectangle{\\pgfpointorigin}{\\pgfpoint{%gpt}{%gpt}}\n  \\pgfusepath{use as bounding box}\n", width.Points(), height.Points())
	out := bytes.Replace(b.Bytes(), []byte(begin), []byte(begin+box), 1)
	n, err := w.Write(out)
	return int64(n), err
}

// closed returns p with lines for its ends.
func closed(p vg.Path) vg.Path {
	var out vg.Path
	var start vg.Point
	for _, part := range p {
		switch part.Type {
		case vg.MoveComp:
			start = part.Pos
		case vg.CloseComp:
			part = vg.PathComp{Type: vg.LineComp, Pos: start}
		}
		out = append(out, part)
	}
	return out
}

// texText writes s so that TeX sets it as it is, in any of its font encodings.
func texText(s string) string {
	return strings.NewReplacer(
		`\`, `\textbackslash{}`, `{`, `\{`, `}`, `\}`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `%`, `\%`, `_`, `\_`,
		`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `<`, `\textless{}`, `>`, `\textgreater{}`, `|`, `\textbar{}`,
		`×`, `\ensuremath{\times}`, `µ`, `\ensuremath{\mu}`, `−`, `\ensuremath{-}`, `±`, `\ensuremath{\pm}`, `α`, `\ensuremath{\alpha}`, `≤`, `\ensuremath{\leq}`, `"`, `{''}`,
	).Replace(s)
}
