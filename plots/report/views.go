package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"cachesim/plots"
)

// tableView is a table of the page.
type tableView struct {
	ID, Caption string
	Header      []headerCell
	Rows        [][]cellView
	Notes       []string
}

type headerCell struct {
	Text    string
	Numeric bool
}

// cellView is a cell; Raw is what it is sorted by.
type cellView struct {
	Text, Raw           string
	Best, Numeric, Head bool
}

func newTableView(id string, t plots.Table) tableView {
	v := tableView{ID: id, Caption: cmp.Or(t.Title, t.Name), Notes: slices.Clone(t.Notes)}
	for i, h := range t.Header {
		v.Header = append(v.Header, headerCell{h, i >= t.Left})
	}
	best := false
	for _, row := range t.Rows {
		cells := make([]cellView, len(row))
		for i, c := range row {
			cells[i] = cellView{Text: c.Text, Raw: cmp.Or(c.Raw, sortKey(c.Text)), Best: c.Best, Numeric: i >= t.Left, Head: i == 0}
			best = best || c.Best
		}
		v.Rows = append(v.Rows, cells)
	}
	if best {
		v.Notes = append([]string{"* best of its " + cmp.Or(t.BestOf, "column") + "."}, v.Notes...)
	}
	return v
}

// sortKey is what text is sorted by: sizes by their bytes, so that 2 GiB comes
// after 10 MiB.
func sortKey(text string) string {
	if text == "" || text[0] < '0' || text[0] > '9' {
		return text
	}
	plain, _, _ := strings.Cut(text, " (")
	number, unit, hasUnit := strings.Cut(strings.ReplaceAll(plain, ",", ""), " ")
	if !hasUnit || unit == "objects" {
		return strings.TrimSuffix(number, "%")
	}
	if n, err := humanize.ParseBytes(plain); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return text
}

// figureView is a figure of the page.
type figureView struct {
	ID, Heading, Description string
	SVG                      template.HTML
	Least                    int // width in pixels below which text becomes too small
	Data                     []tableView
}

const (
	pixelsPerPoint = 4.0 / 3
	mostRows       = 200 // of a table of a figure's data
	mostSeries     = 12  // that a description names
)

var svgStart = regexp.MustCompile(`(?s)^.*?<svg\b([^>]*)>`)

func newFigureView(i int, f plots.Figure, o plots.Options) (figureView, error) {
	v := figureView{ID: fmt.Sprintf("figure-%d", i), Heading: figureHeading(f, o), Description: describe(f)}
	width := float64(f.Width) * pixelsPerPoint
	v.Least = int(math.Round(width * 0.8))
	var b bytes.Buffer
	if err := f.Draw(&b, "svg"); err != nil {
		return v, fmt.Errorf("draw %s: %w", f.Name, err)
	}
	svg := b.String()
	start := svgStart.FindStringIndex(svg)
	if start == nil {
		return v, fmt.Errorf("draw %s: not an SVG", f.Name)
	}
	escape := template.HTMLEscapeString
	open := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="%s-title" aria-describedby="%s-desc" viewBox="0 0 %.5g %.5g" width="%.0f" style="min-width:%dpx">`+
		`<title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`,
		v.ID, v.ID, float64(f.Width), float64(f.Height), width, v.Least, v.ID, escape(v.Heading), v.ID, escape(v.Description))
	end := strings.LastIndex(svg, "</svg>")
	if end < start[1] {
		return v, fmt.Errorf("draw %s: not an SVG", f.Name)
	}
	v.SVG = template.HTML(open + svg[start[1]:end] + spots(f) + svg[end:])
	for j, p := range f.Panels {
		v.Data = append(v.Data, dataTable(fmt.Sprintf("%s-data-%d", v.ID, j+1), v.Heading, p))
	}
	return v, nil
}

// spots are areas over a figure that show its values on hover: titles, of which
// the page's script makes tips for touch and keyboard, too.
func spots(f plots.Figure) string {
	var b strings.Builder
	b.WriteString(`<g class="spots">`)
	for _, s := range f.Spots() {
		title := "<title>" + template.HTMLEscapeString(s.Text) + "</title>"
		if s.Width == 0 {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="4">%s</circle>`, float64(s.X), float64(s.Y), title)
		} else {
			fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f">%s</rect>`, float64(s.X), float64(s.Y), float64(s.Width), float64(s.Height), title)
		}
	}
	b.WriteString("</g>")
	return b.String()
}

// figureHeading names a figure by what its kind shows and what it shows of it.
func figureHeading(f plots.Figure, o plots.Options) string {
	kind, doc := "", ""
	for _, k := range plots.Kinds {
		if (f.Name == k.Name || strings.HasPrefix(f.Name, k.Name+"-")) && len(k.Name) > len(kind) {
			kind, doc = k.Name, k.Doc
		}
	}
	if kind == "" || strings.HasPrefix(doc, "the same") {
		doc = strings.ReplaceAll(cmp.Or(kind, f.Name), "-", " ")
	}
	doc, _, _ = strings.Cut(doc, ";")
	doc = strings.ToUpper(doc[:1]) + doc[1:]
	note := strings.TrimPrefix(strings.TrimPrefix(f.Name, kind), "-")
	if f.Title != "" && f.Title != o.Title {
		note = strings.TrimPrefix(f.Title, o.Title+": ")
	}
	if note != "" {
		doc += ": " + note
	}
	return doc
}

// describe is the alternative text of a figure, from its data.
func describe(f plots.Figure) string {
	var parts []string
	for _, p := range f.Panels {
		var b strings.Builder
		if p.Heading != "" {
			b.WriteString(p.Heading + ": ")
		}
		fmt.Fprintf(&b, "%s of %s against %s. ", markNames[p.Mark], axisName(p.Y, "values"), axisName(p.X, "categories"))
		for i, s := range p.Series {
			if i == mostSeries {
				fmt.Fprintf(&b, "And %d more. ", len(p.Series)-i)
				break
			}
			b.WriteString(describeSeries(p, s))
		}
		parts = append(parts, strings.TrimSpace(b.String()))
	}
	return strings.Join(parts, " ")
}

var markNames = map[plots.Mark]string{
	plots.Lines: "Lines", plots.Steps: "Steps", plots.Points: "Points", plots.Bars: "Bars", plots.Stacked: "Stacked bars",
	plots.Boxes: "Boxes", plots.HeatCell: "Heat map",
}

func describeSeries(p plots.Panel, s plots.Series) string {
	name := cmp.Or(s.Name, "Values")
	if len(s.Points) == 0 {
		return name + ": none. "
	}
	at := func(q plots.Point) string { return p.Y.Text(q.Y) + " at " + p.X.Text(q.X) }
	if len(p.X.Categories) > 0 && len(s.Points) <= mostSeries || len(s.Points) <= 2 {
		var list []string
		for _, q := range s.Points {
			list = append(list, at(q))
		}
		return name + ": " + strings.Join(list, ", ") + ". "
	}
	first, last := s.Points[0], s.Points[len(s.Points)-1]
	low, high := first, first
	for _, q := range s.Points {
		if q.Y < low.Y {
			low = q
		}
		if q.Y > high.Y {
			high = q
		}
	}
	text := fmt.Sprintf("%s: from %s to %s", name, at(first), at(last))
	if ends := []float64{first.Y, last.Y}; low.Y < slices.Min(ends) || high.Y > slices.Max(ends) {
		text += fmt.Sprintf(", lowest %s, highest %s", at(low), at(high))
	}
	return text + ". "
}

func axisName(a plots.Axis, without string) string {
	name := a.Label
	if a.Unit != "" && a.Unit != "bytes" {
		if name == "" {
			return a.Unit
		}
		name += " (" + a.Unit + ")"
	}
	if name == "" {
		return without
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// dataTable has the points of a panel: a row for each X with a column for each
// series where they share their Xs, else a row for each point.
func dataTable(id, heading string, p plots.Panel) tableView {
	t := plots.Table{Title: heading, Left: 1}
	if p.Heading != "" {
		t.Title += ", " + p.Heading
	}
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	x := func(v float64) plots.TableCell {
		c := plots.TableCell{Text: p.X.Text(v)}
		if len(p.X.Categories) == 0 {
			c.Raw = exact(v)
		}
		return c
	}
	y := func(q plots.Point) plots.TableCell {
		c := plots.TableCell{Text: p.Y.Text(q.Y), Raw: exact(q.Y)}
		if q.Low != q.High && p.Mark != plots.HeatCell {
			c.Text += fmt.Sprintf(" (%s to %s)", p.Y.Text(q.Low), p.Y.Text(q.High))
		}
		return c
	}
	var xs []float64
	longest, total := 0, 0
	seen := make(map[float64]bool)
	unique := true // no series has two points of one X
	for _, s := range p.Series {
		longest, total = max(longest, len(s.Points)), total+len(s.Points)
		mine := make(map[float64]bool)
		for _, q := range s.Points {
			unique = unique && !mine[q.X]
			mine[q.X] = true
			if !seen[q.X] {
				seen[q.X] = true
				xs = append(xs, q.X)
			}
		}
	}
	slices.Sort(xs)
	unit := func(a plots.Axis, without string) string {
		s := axisName(a, without)
		return strings.ToUpper(s[:1]) + s[1:]
	}
	if unique && len(xs) <= longest+longest/2+1 {
		t.Header = []string{unit(p.X, "category")}
		index := make(map[float64]int, len(xs))
		for i, v := range xs {
			index[v] = i
			t.Rows = append(t.Rows, append([]plots.TableCell{x(v)}, make([]plots.TableCell, len(p.Series))...))
		}
		for j, s := range p.Series {
			t.Header = append(t.Header, cmp.Or(s.Name, unit(p.Y, "value")))
			for _, q := range s.Points {
				t.Rows[index[q.X]][j+1] = y(q)
			}
		}
		t.Notes = append(t.Notes, unit(p.Y, "values")+".")
	} else {
		t.Header = []string{"Series", unit(p.X, "category"), unit(p.Y, "value")}
		for _, s := range p.Series {
			for _, q := range s.Points {
				t.Rows = append(t.Rows, []plots.TableCell{{Text: s.Name}, x(q.X), y(q)})
			}
		}
	}
	if n := len(t.Rows); n > mostRows {
		rows := make([][]plots.TableCell, mostRows)
		for i := range rows {
			rows[i] = t.Rows[i*(n-1)/(mostRows-1)]
		}
		t.Rows = rows
		t.Notes = append(t.Notes, fmt.Sprintf("%d of %s rows, evenly spaced; cachesim plot --format csv writes all.", mostRows, humanize.Comma(int64(n))))
	}
	return newTableView(id, t)
}
