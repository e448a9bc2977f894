package plots

import (
	"fmt"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgtex"
)

// pgfCanvas draws for TeX. (vgtex passes text on as TeX, and leaves closed paths
// open.) Text is set in the document's own font.
type pgfCanvas struct {
	*vgtex.Canvas
	scale float64
}

// FillString implements vg.Canvas.
func (c pgfCanvas) FillString(f font.Face, at vg.Point, s string) {
	c.Canvas.FillString(f, at, texText(s))
}

// Stroke implements vg.Canvas.
func (c pgfCanvas) Stroke(p vg.Path) { c.Canvas.Stroke(closed(p)) }

// Fill implements vg.Canvas.
func (c pgfCanvas) Fill(p vg.Path) { c.Canvas.Fill(closed(p)) }

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

// texText writes s so that TeX sets it as it is.
func texText(s string) string {
	return strings.NewReplacer(
		`\`, `\textbackslash{}`, `{`, `\{`, `}`, `\}`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `%`, `\%`, `_`, `\_`,
		`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `<`, `\textless{}`, `>`, `\textgreater{}`, `|`, `\textbar{}`,
		`×`, `\ensuremath{\times}`, `µ`, `\ensuremath{\mu}`, `−`, `\ensuremath{-}`, `±`, `\ensuremath{\pm}`, `α`, `\ensuremath{\alpha}`, `≤`, `\ensuremath{\leq}`, `"`, `\textquotedbl{}`,
	).Replace(s)
}

// pgfplots writes the figure's data as a TeX picture of pgfplots axes, one a
// panel. It needs \usepackage{pgfplots} and \usepgfplotslibrary{groupplots}.
func (f Figure) pgfplots() string {
	var b strings.Builder
	b.WriteString("% \\usepackage{pgfplots}\n% \\pgfplotsset{compat=1.16}\n% \\usepgfplotslibrary{groupplots}\n")
	columns := min(len(f.Panels), 3)
	rows := 1
	if columns > 0 {
		rows = (len(f.Panels) + columns - 1) / columns
	}
	fmt.Fprintf(&b, "\\begin{tikzpicture}\n\\begin{groupplot}[\n  group style={group size=%d by %d, horizontal sep=1.2cm, vertical sep=1.6cm},\n"+
		"  width=%.2fcm, height=5cm, grid=major, legend style={font=\\footnotesize}, legend cell align=left,\n]\n",
		max(1, columns), rows, max(4, (f.Width/vg.Centimeter).Points()/float64(max(1, columns))))
	for i, p := range f.Panels {
		options := []string{"xlabel={" + texText(p.X.name()) + "}", "ylabel={" + texText(p.Y.name()) + "}"}
		title := p.Heading
		if title == "" && i == 0 {
			title = f.Title
		}
		if title != "" {
			options = append(options, "title={"+texText(title)+"}")
		}
		if p.X.Log {
			base := ""
			if p.X.Unit == unitBytes {
				base = ", log basis x=2"
			}
			options = append(options, "xmode=log"+base)
		}
		if p.Y.Log {
			options = append(options, "ymode=log")
		}
		if len(p.X.Categories) > 0 {
			var at, labels []string
			for j, c := range p.X.Categories {
				at, labels = append(at, strconv.Itoa(j)), append(labels, "{"+texText(c)+"}")
			}
			options = append(options, "xtick={"+strings.Join(at, ",")+"}", "xticklabels={"+strings.Join(labels, ",")+"}", "x tick label style={rotate=45, anchor=east}")
		}
		plot := "\\addplot+"
		switch p.Mark {
		case Bars:
			options = append(options, "ybar")
		case Stacked:
			options = append(options, "ybar stacked")
		case Points, Boxes:
			options, plot = append(options, "only marks"), "\\addplot+[only marks]"
		case Steps:
			plot = "\\addplot+[const plot, mark=none]"
		}
		if i == 0 && len(p.Series) > 1 {
			options = append(options, "legend pos=outer north east")
		}
		fmt.Fprintf(&b, "\\nextgroupplot[%s]\n", strings.Join(options, ", "))
		for _, s := range p.Series {
			errors := false
			for _, at := range s.Points {
				errors = errors || at.hasInterval()
			}
			if errors {
				fmt.Fprintf(&b, "%s plot [error bars/.cd, y dir=both, y explicit] coordinates {", strings.TrimSuffix(plot, "+"))
			} else {
				fmt.Fprintf(&b, "%s coordinates {", plot)
			}
			for j, at := range s.Points {
				if j%6 == 0 {
					b.WriteString("\n  ")
				}
				fmt.Fprintf(&b, "(%g,%.6g)", at.X, at.Y)
				if errors {
					low, high := at.Low, at.High
					if !at.hasInterval() {
						low, high = at.Y, at.Y
					}
					fmt.Fprintf(&b, " += (0,%.6g) -= (0,%.6g)", high-at.Y, at.Y-low)
				}
				b.WriteByte(' ')
			}
			b.WriteString("\n};\n")
			if len(p.Series) > 1 && i == 0 {
				fmt.Fprintf(&b, "\\addlegendentry{%s}\n", texText(s.Name))
			}
		}
	}
	b.WriteString("\\end{groupplot}\n\\end{tikzpicture}\n")
	return b.String()
}
