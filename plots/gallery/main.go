// Gallery draws a figure of every kind and writes docs/FIGURES.md:
//
//	go run ./plots/gallery
//
// Its data are described in data.go.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cachesim/plots"
)

// An exhibit is a figure of the gallery.
type exhibit struct {
	kind string
	name string // of its file; empty: that of the kind
	doc  string // what is special about it
	rows plots.Rows
	opts plots.Options
}

func (e exhibit) file() string {
	if e.name != "" {
		return e.name
	}
	return e.kind
}

// exhibits returns the figures, at least one of each kind, in its order.
func exhibits() []exhibit {
	g := load()
	slides, grey := must(plots.StyleNamed("slides")), must(plots.StyleNamed("grey"))
	list := []exhibit{
		{kind: "hit-ratio", rows: g.some()},
		{kind: "hit-ratio", name: "hit-ratio-all", doc: "With more policies it takes two columns.", rows: g.sweep()},
		{kind: "hit-ratio", name: "hit-ratio-highlight", doc: "With `--highlight arc,sieve`; of more than 12 policies the best five and Belady stand out besides.", rows: g.sweep(), opts: plots.Options{Highlight: []string{"arc", "sieve"}}},
		{kind: "hit-ratio", name: "hit-ratio-seeds", doc: "Policies with several seeds: means with their intervals.", rows: g.seeds()},
		{kind: "hit-ratio", name: "hit-ratio-sampled", doc: "Estimates from samples (`cachesim mrc`), with their intervals.", rows: g.sampled()},
		{kind: "hit-ratio", name: "hit-ratio-one-size", doc: "At a single size.", rows: g.sweep("size=64MiB")},
		{kind: "hit-ratio", name: "hit-ratio-grey", doc: "In style grey, with labels of its own.", rows: g.some(), opts: plots.Options{Style: grey, Title: "A title", Labels: map[string]string{"s3fifo": "S3-FIFO (ours)"}}},
		{kind: "hit-ratio", name: "hit-ratio-slides", doc: "In style slides.", rows: g.some(), opts: plots.Options{Style: slides}},
		{kind: "byte-hit-ratio", rows: g.some()},
		{kind: "miss-ratio", rows: g.some()},
		{kind: "miss-ratio", name: "miss-ratio-log", doc: "On a logarithmic axis.", rows: g.some(), opts: plots.Options{Y: plots.AxisOptions{Scale: "log"}}},
		{kind: "byte-miss-ratio", rows: g.some()},
		{kind: "improvement", rows: g.sweep(), opts: plots.Options{Baseline: "lru"}},
		{kind: "byte-improvement", rows: g.some(), opts: plots.Options{Baseline: "lru"}},
		{kind: "improvement-box", rows: g.many()},
		{kind: "improvement-percentiles", rows: g.many("policy!=fifo")},
		{kind: "improvement-cdf", rows: g.many("policy=fifo,lru,arc,sieve,s3fifo")},
		{kind: "optimal-gap", rows: g.sweep()},
		{kind: "heat-map", rows: g.sweep()},
		{kind: "over-time", rows: g.series()},
		{kind: "runtime", rows: g.timed("policy=fifo,lru,sieve,s3fifo")},
		{kind: "time-hit-ratio", rows: g.timed()},
		{kind: "values", doc: "The miss ratio by a parameter of a policy, at two sizes: `--x param:small --y miss-ratio`.", rows: g.params(), opts: plots.Options{X: plots.AxisOptions{Of: "param:small"}, Y: plots.AxisOptions{Of: "miss-ratio"}}},
		{kind: "values", name: "values-evictions", doc: "Evictions by size: `--y evictions`.", rows: g.some(), opts: plots.Options{Y: plots.AxisOptions{Of: "evictions"}}},
		{kind: "bench-calls", rows: g.bench()},
		{kind: "bench-compile", rows: g.bench()},
		{kind: "bench-payload", rows: g.bench()},
		{kind: "bench-breakdown", rows: g.bench()},
		{kind: "trace-popularity", rows: g.profile()},
		{kind: "trace-sizes", rows: g.profile()},
		{kind: "trace-reuse", rows: g.profile()},
		{kind: "trace-load", rows: g.profile()},
	}
	slices.SortStableFunc(list, func(a, b exhibit) int { return kindIndex(a.kind) - kindIndex(b.kind) })
	return list
}

func kindIndex(name string) int {
	return slices.IndexFunc(plots.Kinds, func(k plots.Kind) bool { return k.Name == name })
}

func (e exhibit) figure() (plots.Figure, error) {
	figs, err := plots.Make(e.rows, e.opts, e.kind)
	if err != nil {
		return plots.Figure{}, err
	}
	if len(figs) != 1 {
		return plots.Figure{}, fmt.Errorf("%s: %d figures, want 1", e.file(), len(figs))
	}
	return figs[0], nil
}

// page returns docs/FIGURES.md.
func page(folder string) string {
	var b strings.Builder
	b.WriteString("# Figures\n\n" +
		"Every kind of figure, by the name that selects it. `make gallery` draws them from the results in\n" +
		"`plots/gallery/data`: of the example trace, which is synthetic, and of 24 generated traces. They\n" +
		"show what figures look like; times were taken on a busy machine. All of them, as `pdf`, `pgf`\n" +
		"or `tex`, and the tables compile without a warning in a paper of two columns (a test).\n\n" +
		"Formats: " + strings.Join(plots.Formats, ", ") + ". `png` has 300 dots per inch, `svg` keeps text as text,\n" +
		"`pdf` embeds the letters that it uses, `pgf` is a drawing to `\\input` into LaTeX (package pgf),\n" +
		"`tex` the data as pgfplots axes, `csv` the data alone. The same results give the same bytes.\n\n" +
		"`cachesim figures` lists the kinds of figures and tables and what axes can show. `--where` chooses\n" +
		"results and `--group-by` draws a figure for each value of a field; `--x` and `--y` set the limits\n" +
		"of axes, or name the numbers that kind `values` shows, or both (`--x param:small=0..0.5`);\n" +
		"`--x-scale` and `--y-scale` make an axis logarithmic or linear; `--highlight` names policies that\n" +
		"stand out in figures with lines. Results of several traces, units, warm-ups, metadata or rules\n" +
		"for sizes are drawn apart, and named; where two results of one policy contradict each other\n" +
		"nothing is drawn. Where a policy has both estimates and an exact result at a size, the exact one is\n" +
		"shown, otherwise that of the largest sample; with `--x sample` all are, the exact one at 100 %.\n\n" +
		"Styles:\n\n| style | for |\n| --- | --- |\n")
	for _, s := range plots.Styles {
		fmt.Fprintf(&b, "| `%s` | %s |\n", s.Name, s.Doc)
	}
	b.WriteString("\nMiss ratio reduction is by how much of the baseline's miss ratio a policy has less:\n" +
		"(baseline - policy) / baseline. The baseline is FIFO, or LRU where there is no FIFO, or the one\ngiven. Sizes have IEC units: 1 GiB is 1024 MiB. Figures are one or two columns\nwide, as they need, or all as `--figure-columns` says.\n")
	last := ""
	for _, e := range exhibits() {
		if e.kind != last {
			k, _ := plots.KindNamed(e.kind)
			fmt.Fprintf(&b, "\n## %s\n\n%s.\n", k.Name, strings.ToUpper(k.Doc[:1])+k.Doc[1:])
			last = e.kind
		}
		if e.doc != "" {
			fmt.Fprintf(&b, "\n%s\n", e.doc)
		}
		fmt.Fprintf(&b, "\n![%s](%s/%s.svg)\n", e.file(), folder, e.file())
	}
	return b.String()
}

func main() {
	out := flag.String("out", "docs", "folder of FIGURES.md; the figures are in its folder gallery")
	format := flag.String("format", "svg", "of the figures; the page shows svg")
	flag.Parse()
	if err := write(*out, *format); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

func write(out, format string) error {
	const folder = "gallery"
	if err := os.MkdirAll(filepath.Join(out, folder), 0o777); err != nil {
		return err
	}
	for _, e := range exhibits() {
		f, err := e.figure()
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := f.Draw(&b, format); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, folder, e.file()+"."+format), b.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(out, "FIGURES.md"), []byte(page(folder)), 0o666)
}

// tables returns tables of the gallery's data, at least one of each kind.
func tables() []exhibit {
	g := load()
	return []exhibit{
		{kind: "hit-ratio", rows: g.sweep()},
		{kind: "hit-ratio", name: "hit-ratio-seeds", rows: g.seeds()},
		{kind: "hit-ratio", name: "hit-ratio-sampled", rows: g.sampled()},
		{kind: "byte-hit-ratio", rows: g.sweep()},
		{kind: "miss-ratio", rows: g.sweep()},
		{kind: "byte-miss-ratio", rows: g.some()},
		{kind: "improvement", rows: g.sweep()},
		{kind: "byte-improvement", rows: g.some()},
		{kind: "across-traces", rows: g.many()},
		{kind: "times", rows: g.timed()},
	}
}
