// Gallery draws a figure of every kind and writes docs/FIGURES.md:
//
//	go run ./plots/gallery
//
// Its data are synthetic (data.go).
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
	"cachesim/sim/results"
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

func of(rs []results.Result) plots.Rows { return plots.Rows{Results: rs} }

func only(rs []results.Result, conditions ...string) []results.Result {
	for _, s := range conditions {
		c, err := plots.ParseCondition(s)
		if err != nil {
			panic(err) // ours are right
		}
		rs = plots.Filter(rs, c)
	}
	return rs
}

// exhibits returns the figures, at least one of each kind, in its order.
func exhibits() []exhibit {
	one, many := oneTrace(), manyTraces()
	some := only(one, "policy=lru,arc,lirs,sieve,s3fifo,wtinylfu,belady")
	bench := plots.Rows{Costs: costs()}
	prof := plots.Rows{Profiles: []plots.TraceProfile{profile()}}
	slides, _ := plots.StyleNamed("slides")
	grey, _ := plots.StyleNamed("grey")
	list := []exhibit{
		{kind: "hit-ratio", rows: of(some)},
		{kind: "hit-ratio", name: "hit-ratio-all", doc: "With more policies it takes two columns.", rows: of(one)},
		{kind: "hit-ratio", name: "hit-ratio-seeds", doc: "Policies with several seeds: means with their intervals.", rows: of(seeds())},
		{kind: "hit-ratio", name: "hit-ratio-one-size", doc: "At a single size.", rows: of(only(one, "size=1GiB"))},
		{kind: "hit-ratio", name: "hit-ratio-grey", doc: "In style grey, with labels of its own.", rows: of(some), opts: plots.Options{Style: grey, Title: "A title", Labels: map[string]string{"s3fifo": "S3-FIFO (ours)"}}},
		{kind: "hit-ratio", name: "hit-ratio-slides", doc: "In style slides.", rows: of(some), opts: plots.Options{Style: slides}},
		{kind: "byte-hit-ratio", rows: of(some)},
		{kind: "miss-ratio", rows: of(some)},
		{kind: "miss-ratio", name: "miss-ratio-log", doc: "On a logarithmic axis.", rows: of(some), opts: plots.Options{Y: plots.AxisOptions{Scale: "log"}}},
		{kind: "byte-miss-ratio", rows: of(some)},
		{kind: "improvement", rows: of(one), opts: plots.Options{Baseline: "lru"}},
		{kind: "byte-improvement", rows: of(some), opts: plots.Options{Baseline: "lru"}},
		{kind: "improvement-box", rows: of(many)},
		{kind: "improvement-percentiles", rows: of(only(many, "policy=lru,arc,lirs,sieve,s3fifo,wtinylfu"))},
		{kind: "improvement-cdf", rows: of(only(many, "policy=fifo,lru,arc,sieve,s3fifo"))},
		{kind: "optimal-gap", rows: of(one)},
		{kind: "heat-map", rows: of(one)},
		{kind: "over-time", rows: of(series())},
		{kind: "runtime", rows: of(versions())},
		{kind: "time-hit-ratio", rows: of(timed())},
		{kind: "bench-calls", rows: bench},
		{kind: "bench-compile", rows: bench},
		{kind: "bench-payload", rows: bench},
		{kind: "bench-breakdown", rows: bench},
		{kind: "trace-popularity", rows: prof},
		{kind: "trace-sizes", rows: prof},
		{kind: "trace-reuse", rows: prof},
		{kind: "trace-load", rows: prof},
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
		"Every kind of figure, by the name that selects it. The data are synthetic: they show what figures\n" +
		"look like and measure nothing. Written by `go run ./plots/gallery`.\n\n" +
		"Formats: " + strings.Join(plots.Formats, ", ") + ". `png` has 300 dots per inch, `svg` keeps text as text,\n" +
		"`pdf` embeds the letters that it uses, `pgf` is a drawing to `\\input` into LaTeX (package pgf),\n" +
		"`tex` the data as pgfplots axes, `csv` the data alone. The same results give the same bytes.\n\n" +
		"Styles:\n\n| style | for |\n| --- | --- |\n")
	for _, s := range plots.Styles {
		fmt.Fprintf(&b, "| `%s` | %s |\n", s.Name, s.Doc)
	}
	b.WriteString("\nMiss ratio reduction is by how much of the baseline's miss ratio a policy has less:\n" +
		"(baseline - policy) / baseline. The baseline is FIFO, or LRU where there is no FIFO, or the one\ngiven. Sizes have IEC units: 1 GiB is 1024 MiB.\n")
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
	one, many := oneTrace(), manyTraces()
	return []exhibit{
		{kind: "hit-ratio", name: "hit-ratio", rows: of(one)},
		{kind: "hit-ratio", name: "hit-ratio-seeds", rows: of(seeds())},
		{kind: "byte-hit-ratio", name: "byte-hit-ratio", rows: of(one)},
		{kind: "miss-ratio", name: "miss-ratio", rows: of(one)},
		{kind: "byte-miss-ratio", name: "byte-miss-ratio", rows: of(one)},
		{kind: "improvement", name: "improvement", rows: of(one)},
		{kind: "byte-improvement", name: "byte-improvement", rows: of(one)},
		{kind: "across-traces", name: "across-traces", rows: of(many)},
		{kind: "times", name: "times", rows: of(versions())},
	}
}
