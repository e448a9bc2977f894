package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
)

// paint is how a series looks in pgfplots, as near to the drawing as it can.
type paint struct {
	color   color.RGBA
	dashes  []vg.Length
	mark    string
	pattern string // of bars
	pale    bool
}

// texMarks are pgfplots' names of glyphs.
var texMarks = []string{"*", "square*", "triangle*", "x", "o", "square", "triangle", "+"}

// paints returns the paint of each series of panels.
func (st Style) paints(panels []Panel, look looks) map[string]paint {
	all := make(map[string]paint)
	for _, name := range seriesNames(panels) {
		i := look.of(name)
		all[name] = paint{color: st.color(i), dashes: dashes[i%len(dashes)], mark: texMarks[i%len(texMarks)]}
	}
	return all
}

// barPaints returns the paint of each series that barPanels makes.
func barPaints(panels []panel) map[string]paint {
	all := make(map[string]paint)
	for _, p := range panels {
		for _, b := range slices.Concat(p.groups...) {
			all[b.style.series()] = b.style.paint()
		}
	}
	return all
}

func (s barStyle) paint() paint {
	p := paint{color: toRGBA(s.fill), pale: s.pale}
	switch s.hatch {
	case striped:
		p.pattern = "north east lines"
	case crossed:
		p.pattern = "north west lines"
	case ruled:
		p.pattern = "horizontal lines"
	}
	return p
}

func toRGBA(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

// What stands around the axes of pgfplots, in TeX points: numbers and labels on the
// left, a gap between panels, and half a label on the right.
const (
	texLeft  = 42.0
	texGap   = 10.0
	texRight = 14.0
)

// pgfplots writes the figure's data as a TeX picture of pgfplots axes, one a
// panel, about as wide as the figure.
func (f Figure) pgfplots() string {
	var b strings.Builder
	b.WriteString("% \\usepackage{pgfplots}\n% \\pgfplotsset{compat=1.16}\n% \\usepgfplotslibrary{groupplots,statistics}\n% \\usetikzlibrary{patterns}\n")
	b.WriteString("\\begin{tikzpicture}\n")
	names := seriesNames(f.Panels)
	var named []string // in the legend
	for i, name := range names {
		if !f.muted[name] {
			named = append(named, name)
		}
		p, ok := f.paints[name]
		if !ok {
			p.color = OkabeIto[0]
		}
		if f.muted[name] {
			p.color = mutedColor
		}
		fmt.Fprintf(&b, "\\definecolor{series%d}{RGB}{%d,%d,%d}\n", i+1, p.color.R, p.color.G, p.color.B)
	}
	columns := max(1, f.columns)
	rows := (len(f.Panels) + columns - 1) / columns
	first := f.Panels[0]
	left, right, gap := texLeft, texRight, texGap
	if columns > 1 && first.Y.name() != f.Panels[1].Y.name() { // each has a vertical axis of its own
		gap = texLeft
	}
	if first.Mark == HeatCell { // names on the left, the scale on the right
		left, right = 12+1.1*widest(names).Points(), 40
	}
	width := (f.Width.Points() - left - right - gap*float64(columns-1)) / float64(columns)
	height := 110.0
	switch {
	case first.Mark == HeatCell:
		height = 11 * float64(len(first.Series))
	case rows > 1:
		height = max(50, min(90, 480/float64(rows)-20))
	}
	fmt.Fprintf(&b, "\\begin{groupplot}[\n"+
		"  group style={group size=%d by %d, horizontal sep=%.0fpt, vertical sep=22pt},\n"+
		"  scale only axis, width=%.1fpt, height=%.1fpt, axis lines=left, axis line style={-}, grid=major, grid style={black!15},\n"+
		"  tick label style={font=\\fontsize{7}{8}\\selectfont}, label style={font=\\fontsize{8}{9}\\selectfont},\n"+
		"  ylabel style={align=center, text width=%.0fpt}, title style={font=\\fontsize{8}{9}\\selectfont, yshift=-5pt},\n"+
		"  scaled ticks=false, every axis plot/.append style={line width=0.8pt, mark size=1.4pt, mark options={solid}},\n]\n",
		columns, rows, gap, width, height, height)
	for i, p := range f.Panels {
		options := axisOptions(p, width)
		if p.Heading != "" {
			options = append(options, "title={"+texText(p.Heading)+"}")
		}
		if i+columns < len(f.Panels) { // labels are below the last row and left of the first column
			options = append(options, "xlabel={}, xticklabels={}")
		}
		if i%columns > 0 && gap == texGap {
			options = append(options, "ylabel={}, yticklabels={}")
		}
		if i == 0 && len(names) > 1 {
			above := 4.0
			if p.Heading != "" {
				above = 15
			}
			all := width*float64(columns) + gap*float64(columns-1)
			// A sample and the gaps take 34 points; other fonts are wider than ours.
			fit := max(1, min(len(named), int(f.Width.Points()/(widest(named).Points()*1.1+34))))
			options = append(options, fmt.Sprintf("legend columns=%d, legend cell align=left, "+
				"legend style={draw=none, at={(%.3f,%.3f)}, anchor=south, font=\\fontsize{7}{8}\\selectfont, /tikz/every even column/.append style={column sep=4pt}}",
				fit, (all-left+right)/2/width, 1+above/height))
		}
		fmt.Fprintf(&b, "\\nextgroupplot[%s]\n", strings.Join(options, ",\n  "))
		if p.Mark == Boxes {
			boxplots(&b, p)
			continue
		}
		if p.Mark == HeatCell {
			heatMatrix(&b, p)
			continue
		}
		if p.shaded > 0 {
			f.shade(&b, p)
		}
		if p.front != nil {
			f.frontLine(&b, p)
		}
		inLegend := make(map[string]bool)
		for _, s := range behind(p.Series, f.muted) {
			f.addplot(&b, p, s, slices.Index(names, s.Name))
			if i == 0 && len(names) > 1 && !f.muted[s.Name] {
				inLegend[s.Name] = true
				fmt.Fprintf(&b, "\\addlegendentry{%s}\n", texText(s.Name))
			}
		}
		for j, name := range names {
			if i > 0 || len(names) < 2 || inLegend[name] || f.muted[name] {
				continue
			}
			image := f.seriesOptions(p.Mark, name, j)
			if p.Mark == Bars || p.Mark == Stacked {
				image = append(image, "area legend")
			}
			fmt.Fprintf(&b, "\\addlegendimage{%s}\n\\addlegendentry{%s}\n", strings.Join(image, ", "), texText(name))
		}
		if i == 0 && len(f.muted) > 0 {
			j := slices.IndexFunc(names, func(n string) bool { return f.muted[n] })
			image := slices.DeleteFunc(f.seriesOptions(p.Mark, names[j], j), func(o string) bool { return o == "forget plot" })
			fmt.Fprintf(&b, "\\addlegendimage{%s}\n\\addlegendentry{%s}\n", strings.Join(image, ", "), mutedText(len(f.muted)))
		}
		if p.Mark == Bars {
			barLabels(&b, p, width)
		}
	}
	b.WriteString("\\end{groupplot}\n")
	var title []string
	for _, line := range []struct{ size, text string }{{"{8}{10}", f.Title}, {"{7}{9}", f.Note}} {
		if line.text != "" {
			title = append(title, "\\fontsize"+line.size+"\\selectfont "+texText(line.text)+"\\par")
		}
	}
	if title != nil {
		fmt.Fprintf(&b, "\\node[anchor=south, align=center, text width=%.0fpt] at (current bounding box.north) {%s};\n", f.Width.Points()-20, strings.Join(title, " "))
	}
	b.WriteString("\\end{tikzpicture}\n")
	return b.String()
}

// widest returns the width of the widest of names as the numbers of an axis.
func widest(names []string) (w vg.Length) {
	style := Styles[0].text(tickSize)
	for _, n := range names {
		w = max(w, style.Width(n))
	}
	return w
}

// axisOptions are those of a panel, whose axes are so many points wide.
func axisOptions(p Panel, width float64) (options []string) {
	list := func(names []string) (at, labels string) {
		var a, l []string
		for j, name := range names {
			a, l = append(a, strconv.Itoa(j)), append(l, "{"+texText(name)+"}")
		}
		return "{" + strings.Join(a, ",") + "}", "{" + strings.Join(l, ",") + "}"
	}
	if name := p.X.name(); name != "" && p.Mark != Bars && p.Mark != Boxes {
		options = append(options, "xlabel={"+texText(name)+"}")
	}
	if name := p.Y.name(); name != "" && p.Mark != HeatCell {
		options = append(options, "ylabel={"+texText(name)+"}")
	}
	for _, a := range []struct {
		letter string
		Axis
	}{{"x", p.X}, {"y", p.Y}} {
		if a.Log {
			options = append(options, a.letter+"mode=log, log basis "+a.letter+"=10")
		}
		if a.fitted != nil && len(a.Categories) == 0 {
			options = append(options, texTicks(a.letter, *a.fitted))
		}
	}
	if c := p.X.Categories; len(c) > 0 {
		at, labels := list(c)
		options = append(options, "xtick="+at, "xticklabels="+labels)
		if widest(c).Points()*1.1+4 > width/float64(len(c)) {
			options = append(options, "x tick label style={rotate=45, anchor=north east, inner sep=1pt}")
		}
	}
	switch p.Mark {
	case Lines:
		if n := len(p.X.Categories); n > 0 {
			options = append(options, fmt.Sprintf("xmin=-0.5, xmax=%g", float64(n)-0.5))
		}
	case HeatCell:
		var policies []string
		for _, s := range p.Series {
			policies = append(policies, s.Name)
		}
		at, labels := list(policies)
		options = append(options, "ytick="+at, "yticklabels="+labels, "y dir=reverse, enlargelimits=false, grid=none, tick style={draw=none}",
			"colorbar, colorbar style={width=6pt, axis lines=box, axis line style={draw=none}, ytick pos=right, y dir=normal}, colormap={heat}{rgb255=(247,251,255) rgb255=(8,48,107)}")
	case Boxes:
		options = append(options, fmt.Sprintf("xmin=-0.6, xmax=%g, xmajorgrids=false", float64(len(p.X.Categories))-0.4))
	case Bars, Stacked:
		kind := "ybar stacked"
		if p.Mark == Bars {
			kind = "ybar=0pt"
		}
		options = append(options, kind, fmt.Sprintf("bar width=%.2fpt, xmin=-0.6, xmax=%g", texBarWidth(p, width), float64(max(1, len(p.X.Categories)))-0.4),
			"xtick style={draw=none}, xmajorgrids=false, axis x line*=bottom")
		if p.Y.Log {
			options = append(options, "log origin=infty")
		}
	}
	return options
}

// texBarWidth returns the width of the bars of a panel whose axes are so many points
// wide.
func texBarWidth(p Panel, width float64) float64 {
	bars := 1
	if p.Mark == Bars {
		bars = max(1, len(p.Series))
	}
	fill := 0.85 // of a group's room
	if bars == 1 {
		fill = 0.6
	}
	return max(0.4, min(14, width/(float64(max(1, len(p.X.Categories)))+0.2)*fill/float64(bars)))
}

// barLabels writes what stands above the bars of a panel, where they are wide enough.
func barLabels(b *strings.Builder, p Panel, width float64) {
	w := texBarWidth(p, width)
	if w < labelSize.Points()*0.95 {
		return
	}
	style := Styles[0].text(labelSize)
	for j, s := range p.Series {
		for i, at := range s.Points {
			if len(s.labels) <= i || s.labels[i] == "" || p.Y.Log && at.Y <= 0 {
				continue
			}
			position := "anchor=south"
			if style.Width(s.labels[i]).Points() > w {
				position = "rotate=90, anchor=west"
			}
			fmt.Fprintf(b, "\\node[%s, inner sep=1.5pt, font=\\fontsize{6}{7}\\selectfont] at ([xshift=%.2fpt]axis cs:%g,%.6g) {%s};\n",
				position, (float64(j)-float64(len(p.Series)-1)/2)*w, at.X, max(at.Y, at.High), texText(s.labels[i]))
		}
	}
}

// shade fills the warm-up.
func (f Figure) shade(b *strings.Builder, p Panel) {
	to := p.shaded
	if p.X.fitted != nil {
		to = min(to, p.X.fitted.high)
	}
	y := 0.0
	if p.Y.fitted != nil {
		y = p.Y.fitted.low
	}
	fmt.Fprintf(b, "\\fill[black!20, fill opacity=0.5] (rel axis cs:0,0) rectangle ({axis cs:%.10g,%.10g} |- {rel axis cs:0,1});\n", to, y)
}

// frontLine draws the line through the points that no other one dominates.
func (f Figure) frontLine(b *strings.Builder, p Panel) {
	b.WriteString("\\addplot[forget plot, no marks, const plot, color=black!50, line width=0.6pt, dash pattern=on 2pt off 2pt] coordinates {")
	last := Point{}
	for _, at := range p.front {
		fmt.Fprintf(b, "(%.10g,%.6g) ", at.X, at.Y)
		last = at
	}
	if p.X.fitted != nil && p.X.fitted.high > last.X {
		fmt.Fprintf(b, "(%.10g,%.6g)", p.X.fitted.high, last.Y)
	}
	b.WriteString("};\n")
}

// texTicks writes an axis as it was drawn: sizes have labels like 64 MiB.
func texTicks(letter string, s scale) string {
	var at, labels, minor []string
	for _, t := range s.ticks.Ticks(s.low, s.high) {
		switch {
		case t.Value < s.low || t.Value > s.high:
		case t.Label == "":
			minor = append(minor, fmt.Sprintf("%.10g", t.Value))
		default:
			at, labels = append(at, fmt.Sprintf("%.10g", t.Value)), append(labels, "{"+texText(t.Label)+"}")
		}
	}
	options := fmt.Sprintf("%smin=%.10g, %smax=%.10g", letter, s.low, letter, s.high)
	if len(at) > 0 {
		options += fmt.Sprintf(", %stick={%s}, %sticklabels={%s}", letter, strings.Join(at, ","), letter, strings.Join(labels, ","))
	}
	if len(minor) > 0 {
		options += fmt.Sprintf(", minor %stick={%s}", letter, strings.Join(minor, ","))
	}
	return options
}

// seriesOptions are how series i looks.
func (f Figure) seriesOptions(m Mark, name string, i int) []string {
	color := fmt.Sprintf("series%d", i+1)
	look := f.paints[name]
	if m == Bars || m == Stacked {
		fill := "fill=" + color
		if look.pale {
			fill += "!40"
		}
		options := []string{"draw=" + color, fill, "line width=0.3pt, area legend"}
		if look.pattern != "" {
			options = append(options, "postaction={pattern="+look.pattern+", pattern color=white}")
		}
		return options
	}
	options := []string{"color=" + color}
	if m == Points {
		options = append(options, "only marks")
	}
	if f.muted[name] {
		options = append(options, "forget plot")
		if m == Points {
			return append(options, "mark=*")
		}
		return append(options, "no marks", "line width=0.4pt")
	}
	if look.mark != "" {
		options = append(options, "mark="+look.mark)
	}
	if len(look.dashes) > 0 && m != Points {
		dash := make([]string, len(look.dashes))
		for i, d := range look.dashes {
			dash[i] = fmt.Sprintf("%s %gpt", []string{"on", "off"}[i%2], d.Points())
		}
		options = append(options, "dash pattern="+strings.Join(dash, " "))
	}
	return options
}

// addplot writes series i.
func (f Figure) addplot(b *strings.Builder, p Panel, s Series, i int) {
	options := f.seriesOptions(p.Mark, s.Name, i)
	if p.Mark == Steps {
		options = append(options, "const plot")
	}
	if n := len(s.Points); n > manyPoints && (p.Mark == Lines || p.Mark == Steps) {
		options = append(options, fmt.Sprintf("mark repeat=%d, mark phase=%d", n/8, 1+n/16))
	}
	intervals := slices.ContainsFunc(s.Points, Point.hasInterval)
	if intervals {
		options = append(options, "error bars/.cd, y dir=both, y explicit, error bar style={solid, black, line width=0.4pt}, error mark options={rotate=90, black, mark size=1pt, line width=0.4pt}")
	}
	fmt.Fprintf(b, "\\addplot[%s] coordinates {", strings.Join(options, ", "))
	n := 0
	for _, at := range s.Points {
		if p.Y.Log && at.Y <= 0 || p.X.Log && at.X <= 0 {
			continue // a logarithmic axis has no position for it
		}
		if n%6 == 0 {
			b.WriteString("\n  ")
		}
		n++
		fmt.Fprintf(b, "(%.10g,%.6g)", at.X, at.Y)
		if intervals {
			low, high := at.Low, at.High
			if !at.hasInterval() {
				low, high = at.Y, at.Y
			}
			fmt.Fprintf(b, " += (0,%.6g) -= (0,%.6g)", high-at.Y, at.Y-low)
		}
		b.WriteByte(' ')
	}
	b.WriteString("\n};\n")
}

// boxplots writes the percentiles of a panel as boxes.
func boxplots(b *strings.Builder, p Panel) {
	at := make(map[string]map[float64]float64)
	for _, s := range p.Series {
		at[s.Name] = make(map[float64]float64)
		for _, q := range s.Points {
			at[s.Name][q.X] = q.Y
		}
	}
	for _, q := range p.Series[0].Points {
		fmt.Fprintf(b, "\\addplot[boxplot prepared={draw direction=y, draw position=%g, box extend=0.6, average=%.6g, lower whisker=%.6g, lower quartile=%.6g, median=%.6g, upper quartile=%.6g, upper whisker=%.6g}, draw=black, solid, line width=0.5pt, fill=series1!30, mark=diamond*] coordinates {};\n",
			q.X, at["mean"][q.X], at["P10"][q.X], at["P25"][q.X], at["median"][q.X], at["P75"][q.X], at["P90"][q.X])
	}
}

// heatMatrix writes a heat map: a row a series.
func heatMatrix(b *strings.Builder, p Panel) {
	columns := len(p.X.Categories)
	fmt.Fprintf(b, "\\addplot[matrix plot*, point meta=explicit, mesh/cols=%d] coordinates {\n", columns)
	for i, s := range p.Series {
		value := make(map[int]float64)
		for _, q := range s.Points {
			value[int(q.X)] = q.Y
		}
		for j := range columns {
			v, ok := value[j]
			text := "nan"
			if ok {
				text = fmt.Sprintf("%.4g", v)
			}
			fmt.Fprintf(b, "(%d,%d) [%s] ", j, i, text)
		}
		b.WriteByte('\n')
	}
	b.WriteString("};\n")
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range p.Series {
		for _, q := range s.Points {
			low, high = min(low, q.Y), max(high, q.Y)
		}
	}
	for i, s := range p.Series {
		for _, q := range s.Points {
			color := "black"
			if (q.Y-low)/max(high-low, 1e-9) > 0.65 {
				color = "white"
			}
			fmt.Fprintf(b, "\\node[text=%s, font=\\fontsize{7}{8}\\selectfont] at (axis cs:%g,%d) {%.1f};\n", color, q.X, i, q.Y)
		}
	}
}
