package plots

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A Table can be written in several formats.
type Table struct {
	Name   string // base of its file's name; it has no dots
	Title  string
	Header []string
	Rows   [][]TableCell // each as long as Header
	Notes  []string      // below the table, a sentence each
	BestOf string        // what a marked cell is the best of; empty: of its column
	Left   int           // so many columns at the left are of words; the others are of numbers
}

// A TableCell is a text, and for CSV a number if it has one.
type TableCell struct {
	Text string
	Raw  string // without rounding or interval; empty: Text
	Best bool   // none is better by more than noise
}

// TableFormats lists the formats of tables: aligned text for a terminal,
// Markdown, LaTeX (it needs package booktabs), and CSV.
var TableFormats = []string{"text", "markdown", "latex", "csv"}

// Render writes the table in one of TableFormats. CSV has neither title, notes
// nor marks.
func (t Table) Render(w io.Writer, format string) error {
	var s string
	switch format {
	case "text":
		s = t.text()
	case "markdown":
		s = t.markdown()
	case "latex":
		s = t.latex()
	case "csv":
		return t.csv(w)
	default:
		return fmt.Errorf("unknown table format %q: known are %s", format, strings.Join(TableFormats, ", "))
	}
	_, err := io.WriteString(w, s)
	return err
}

// hasBest reports whether a cell is marked.
func (t Table) hasBest() bool {
	for _, row := range t.Rows {
		for _, c := range row {
			if c.Best {
				return true
			}
		}
	}
	return false
}

func (t Table) text() string {
	style := table.StyleDefault
	style.Options = table.Options{SeparateHeader: true}
	style.Box = table.BoxStyle{MiddleHorizontal: "-", MiddleSeparator: "--", PaddingRight: "  "}
	style.Format.Header = text.FormatDefault
	p := table.NewWriter()
	p.SetStyle(style)
	header := make(table.Row, len(t.Header))
	var columns []table.ColumnConfig
	for i, h := range t.Header {
		header[i] = h
		align := text.AlignRight
		if i < t.Left {
			align = text.AlignLeft
		}
		columns = append(columns, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
	}
	p.SetColumnConfigs(columns)
	p.AppendHeader(header)
	// A mark takes a letter in all cells of a column that has one, so that its
	// numbers stay aligned.
	marked := make([]bool, len(t.Header))
	for _, row := range t.Rows {
		for i, c := range row {
			marked[i] = marked[i] || c.Best
		}
	}
	for _, row := range t.Rows {
		cells := make(table.Row, len(row))
		for i, c := range row {
			s := c.Text
			switch {
			case c.Best:
				s += "*"
			case marked[i]:
				s += " "
			}
			cells[i] = s
		}
		p.AppendRow(cells)
	}
	var b strings.Builder
	if t.Title != "" {
		b.WriteString(t.Title + "\n")
	}
	for _, line := range strings.Split(p.Render(), "\n") {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if t.hasBest() {
		b.WriteString("* best of its " + cmp.Or(t.BestOf, "column") + "\n")
	}
	for _, n := range t.Notes {
		b.WriteString(n + "\n")
	}
	return b.String()
}

func (t Table) markdown() string {
	escape := strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "\n", " ").Replace
	var b strings.Builder
	if t.Title != "" {
		fmt.Fprintf(&b, "**%s**\n\n", escape(t.Title))
	}
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	var header, rule []string
	for i, h := range t.Header {
		header = append(header, escape(h))
		if i < t.Left {
			rule = append(rule, "---")
		} else {
			rule = append(rule, "---:")
		}
	}
	line(header)
	line(rule)
	for _, row := range t.Rows {
		var cells []string
		for _, c := range row {
			s := escape(c.Text)
			if c.Best {
				s = "**" + s + "**"
			}
			cells = append(cells, s)
		}
		line(cells)
	}
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", escape(n))
	}
	return b.String()
}

// texSizes are the sizes of type in which LaTeX sets tables, the largest first,
// with the room between columns: from that of text in a column to the smallest
// that can be read.
var texSizes = []struct {
	command    string
	size, room float64 // points
}{{"", 10, 12}, {"\\small", 9, 10}, {"\\footnotesize", 8, 6}, {"\\scriptsize", 7, 4}}

// texSize returns the environment and the size of type for a table: it is to fit
// a column, if need be in footnotes' size, or else the width of a page.
func (t Table) texSize() (environment string, size int) {
	style := Style{Serif: true}.text(10)
	width := func(size int) float64 {
		all := 0.0
		for i := range t.Header {
			widest := style.Width(t.Header[i])
			for _, row := range t.Rows {
				w := style.Width(row[i].Text)
				if row[i].Best { // bold
					w *= 1.1
				}
				widest = max(widest, w)
			}
			all += 1.08*widest.Points()*texSizes[size].size/10 + texSizes[size].room
		}
		return all
	}
	const column, page = 238, 500 // of ACM, the narrower ones, in points
	for size = range 3 {
		if width(size) <= column {
			return "table", size
		}
	}
	for size = range texSizes {
		if width(size) <= page {
			break
		}
	}
	return "table*", size
}

func (t Table) latex() string {
	environment, size := t.texSize()
	var b strings.Builder
	fmt.Fprintf(&b, "%% \\usepackage{booktabs}\n\\begin{%s}\n\\centering\n", environment)
	if t.Title != "" {
		fmt.Fprintf(&b, "\\caption{%s}\n", texText(t.Title))
	}
	if s := texSizes[size]; size > 0 {
		fmt.Fprintf(&b, "%s\\setlength{\\tabcolsep}{%gpt}\n", s.command, s.room/2)
	}
	left := min(t.Left, len(t.Header))
	fmt.Fprintf(&b, "\\begin{tabular}{%s%s}\n\\toprule\n", strings.Repeat("l", left), strings.Repeat("r", len(t.Header)-left))
	line := func(cells []string) { b.WriteString(strings.Join(cells, " & ") + " \\\\\n") }
	var header []string
	for _, h := range t.Header {
		header = append(header, texText(h))
	}
	line(header)
	b.WriteString("\\midrule\n")
	for _, row := range t.Rows {
		var cells []string
		for _, c := range row {
			s := texText(c.Text)
			if c.Best {
				s = "\\textbf{" + s + "}"
			}
			cells = append(cells, s)
		}
		line(cells)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	if len(t.Notes) > 0 {
		var notes []string
		for _, n := range t.Notes {
			notes = append(notes, texText(n))
		}
		fmt.Fprintf(&b, "\\par\\smallskip\\footnotesize %s\n", strings.Join(notes, " "))
	}
	fmt.Fprintf(&b, "\\end{%s}\n", environment)
	return b.String()
}

func (t Table) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(t.Header); err != nil {
		return err
	}
	for _, row := range t.Rows {
		var cells []string
		for _, cell := range row {
			if cell.Raw != "" {
				cells = append(cells, cell.Raw)
			} else {
				cells = append(cells, cell.Text)
			}
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
