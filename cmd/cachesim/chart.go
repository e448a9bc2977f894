package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"

	"github.com/guptarohit/asciigraph"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"cachesim/plots"
	"cachesim/sim/results"
)

// chartOptions say whether and how run draws a chart on a terminal.
type chartOptions struct {
	width  int // columns; 0: no chart
	colour bool
}

const (
	usualColumns = 80
	mostColumns  = 120 // a wider chart is no clearer
	chartRows    = 14
	mostCurves   = 6 // more than these hide each other
)

func chartFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Category: aboutOutput, Name: "chart", Usage: "draw hit ratios as curves on stdout (default: where it is a terminal)"},
		&cli.BoolFlag{Category: aboutOutput, Name: "no-chart", Usage: "draw none"},
	}
}

// newChartOptions decides for stdout. NO_COLOR and terminals without colours are
// respected: curves are of letters then.
func newChartOptions(c *cli.Context, stdout io.Writer) (o chartOptions, err error) {
	if c.Bool("chart") && c.Bool("no-chart") {
		return o, usagef("--chart and --no-chart contradict each other: give one of them")
	}
	f, ok := stdout.(*os.File)
	isTerminal := ok && term.IsTerminal(int(f.Fd()))
	if c.Bool("no-chart") || !isTerminal && !c.Bool("chart") {
		return o, nil
	}
	o.width = usualColumns
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		o.width = n
	}
	if isTerminal {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			o.width = n
		}
		o.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return o, nil
}

// curveColours are those of figures, as near as 256 colours come.
var curveColours = []asciigraph.AnsiColor{asciigraph.DodgerBlue, asciigraph.DarkOrange, asciigraph.MediumSeaGreen, asciigraph.HotPink, asciigraph.Gold, asciigraph.SkyBlue}

// drawChart draws the hit ratios of list, which are of one trace, by cache size:
// the best policies, LRU or else FIFO to compare with, and Belady. Of one size
// there is no curve.
func (o chartOptions) drawChart(w io.Writer, list []results.Result, given map[string]string) error {
	rows := plots.Rows{Results: slices.DeleteFunc(slices.Clone(list), func(r results.Result) bool { return r.Timed || !r.Whole })}
	if o.width == 0 || len(rows.Results) == 0 {
		return nil
	}
	figures, err := plots.Make(rows, plots.Options{Labels: given}, "hit-ratio")
	if err != nil {
		return err
	}
	panel := figures[0].Panels[0]
	if panel.Mark != plots.Lines {
		return nil // one size
	}
	curves := worthDrawing(panel.Series)
	low, high := math.Inf(1), 0.0 // sizes
	for _, s := range curves {
		for _, p := range s.Points {
			low, high = min(low, p.X), max(high, p.X)
		}
	}
	const label, over = 7, 5 // columns of the numbers beside the axis, and of half a size that stands at its end
	columns := min(o.width, mostColumns) - label - over
	if columns < 20 || low >= high {
		return nil
	}
	options := []asciigraph.Option{
		asciigraph.Height(chartRows),
		asciigraph.YAxisValueFormatter(func(v float64) string { return fmt.Sprintf("%4.0f", v) }),
		// Ticks are of logarithms.
		asciigraph.XAxisRange(math.Log(low), math.Log(high)), asciigraph.XAxisTickCount(max(2, columns/16)),
		asciigraph.XAxisValueFormatter(func(v float64) string { return panel.X.Text(math.Round(math.Exp(v))) }),
	}
	var legend []string
	var data [][]float64
	for i, s := range curves {
		data = append(data, alongColumns(s.Points, low, high, columns))
		if o.colour {
			legend = append(legend, curveColours[i].String()+"■ "+asciigraph.Default.String()+clean(s.Name))
		} else {
			legend = append(legend, letter(i)+" "+clean(s.Name))
		}
	}
	if o.colour {
		options = append(options, asciigraph.SeriesColors(curveColours[:len(curves)]...))
	} else {
		var sets []asciigraph.CharSet
		for i := range curves {
			sets = append(sets, asciigraph.CreateCharSet(letter(i)))
		}
		options = append(options, asciigraph.SeriesChars(sets...))
	}
	if n := len(panel.Series) - len(curves); n > 0 {
		legend = append(legend, fmt.Sprintf("(%d more in the table)", n))
	}
	fmt.Fprintf(w, "Hit ratio (%%) by cache size\n%s\n", asciigraph.PlotMany(data, options...))
	for _, line := range wrapped(legend, o.width-label) {
		fmt.Fprintf(w, "%*s%s\n", label, "", line)
	}
	_, err = fmt.Fprintln(w)
	return err
}

func letter(i int) string { return string(rune('a' + i)) }

// worthDrawing returns the curves that have room in a chart: in their order those
// of the highest mean, with LRU or FIFO among them.
func worthDrawing(all []plots.Series) []plots.Series {
	if len(all) <= mostCurves {
		return all
	}
	mean := func(s plots.Series) float64 {
		sum := 0.0
		for _, p := range s.Points {
			sum += p.Y
		}
		return sum / float64(len(s.Points))
	}
	ranked := slices.Clone(all)
	slices.SortStableFunc(ranked, func(a, b plots.Series) int {
		switch x, y := mean(a), mean(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	chosen := make(map[string]bool)
	for _, name := range []string{"LRU", "FIFO"} {
		if slices.ContainsFunc(all, func(s plots.Series) bool { return s.Name == name }) {
			chosen[name] = true
			break
		}
	}
	for _, s := range ranked {
		if len(chosen) < mostCurves {
			chosen[s.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s plots.Series) bool { return !chosen[s.Name] })
}

// alongColumns returns a curve's height at each of n columns, which are at equal
// ratios of sizes: on the lines between points, and not a number beside them.
func alongColumns(points []plots.Point, low, high float64, n int) []float64 {
	column := func(x float64) float64 { return float64(n-1) * math.Log(x/low) / math.Log(high/low) }
	heights := make([]float64, n)
	for i := range heights {
		heights[i] = math.NaN()
	}
	for k, p := range points {
		at := column(p.X)
		heights[int(math.Round(at))] = p.Y
		if k == 0 {
			continue
		}
		before := points[k-1]
		from := column(before.X)
		for i := int(math.Round(from)) + 1; i < int(math.Round(at)); i++ {
			heights[i] = before.Y + (p.Y-before.Y)*(float64(i)-from)/(at-from)
		}
	}
	return heights
}

// wrapped joins items to lines of at most so many columns.
func wrapped(items []string, columns int) (lines []string) {
	used := 0
	for _, item := range items {
		n := text.StringWidthWithoutEscSequences(item)
		if len(lines) > 0 && used+3+n <= columns {
			lines[len(lines)-1] += "   " + item
			used += 3 + n
			continue
		}
		lines = append(lines, item)
		used = n
	}
	return lines
}
