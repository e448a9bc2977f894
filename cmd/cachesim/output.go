package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/google/renameio/v2/maybe"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"cachesim/plots"
	"cachesim/sim"
)

// describe tells what was read of a trace.
func describe(w io.Writer, t *sim.Trace) {
	fmt.Fprintf(w, "%s: %s requests for %s objects, footprint %s (%s bytes), %s requested; format %s\n",
		t.Name, humanize.Comma(int64(len(t.Requests))), humanize.Comma(int64(t.Objects)),
		humanize.IBytes(uint64(t.Footprint)), humanize.Comma(t.Footprint), humanize.IBytes(uint64(t.RequestBytes)), t.Format)
	if t.SizeChanges > 0 {
		rule := map[string]string{"first": "first seen", "last": "last seen", "max": "largest seen"}[t.SizeRule]
		fmt.Fprintf(w, "%s requests carry another size than the one that counts, the %s of the object (--object-size)\n", humanize.Comma(int64(t.SizeChanges)), rule)
	}
	fmt.Fprintln(w)
}

func (o *runOptions) report(results []sim.Result) error {
	if o.json {
		e := json.NewEncoder(o.stdout)
		for _, r := range results {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	ratioTable(o.stdout, results, "Hit ratio, %", sim.Result.HitRatio)
	ratioTable(o.stdout, results, "Byte hit ratio, %", sim.Result.ByteHitRatio)
	timeTable(o.stdout, results)
	return nil
}

// newTable makes a table that prints to w as aligned text; the first left
// columns are words, the others numbers.
func newTable(w io.Writer, left int, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.AppendHeader(header)
	t.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: "  "},
		Format:  table.FormatOptions{Header: text.FormatDefault},
		Options: table.Options{},
	})
	var columns []table.ColumnConfig
	for i := range header {
		align := text.AlignRight
		if i < left {
			align = text.AlignLeft
		}
		columns = append(columns, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align})
	}
	t.SetColumnConfigs(columns)
	return t
}

// ratioTable prints a row a cache size and a column a policy.
func ratioTable(w io.Writer, results []sim.Result, title string, ratio func(sim.Result) float64) {
	var sizes []int64
	var policies []string
	value := make(map[string]string)
	key := func(policy string, size int64) string { return fmt.Sprint(policy, "@", size) }
	for _, r := range results {
		if !r.Whole {
			continue
		}
		if !slices.Contains(sizes, r.Capacity) {
			sizes = append(sizes, r.Capacity)
		}
		if !slices.Contains(policies, r.Policy) {
			policies = append(policies, r.Policy)
		}
		value[key(r.Policy, r.Capacity)] = fmt.Sprintf("%.2f", 100*ratio(r))
	}
	if len(sizes) == 0 {
		return
	}
	slices.Sort(sizes)
	header := []any{"cache size"}
	for _, p := range policies {
		header = append(header, p)
	}
	t := newTable(w, 0, header...)
	for _, s := range sizes {
		row := table.Row{humanize.IBytes(uint64(s))}
		for _, p := range policies {
			row = append(row, value[key(p, s)])
		}
		t.AppendRow(row)
	}
	fmt.Fprintln(w, title)
	t.Render()
	fmt.Fprintln(w)
}

// timeTable prints a row a timed version.
func timeTable(w io.Writer, results []sim.Result) {
	t := newTable(w, 4, "policy", "engine", "abi", "handle", "ns/request", "spread", "x native", "set-up ms", "hit ratio %", "evictions", "too large")
	native := make(map[string]float64)
	var capacity int64
	var requests int
	for _, r := range results {
		if r.Timed && r.Engine == sim.NativeEngine {
			native[r.Policy] = r.PerRequest()
		}
	}
	for _, r := range results {
		if !r.Timed {
			continue
		}
		capacity, requests = r.Capacity, r.Requests
		times, evictions := "", ""
		if n := native[r.Policy]; n > 0 {
			times = fmt.Sprintf("%.2f", r.PerRequest()/n)
		}
		if r.Evictions != nil {
			evictions = humanize.Comma(*r.Evictions)
		}
		t.AppendRow(table.Row{r.Policy, r.Engine, r.ABI, r.Handle,
			fmt.Sprintf("%.1f", r.PerRequest()), fmt.Sprintf("%.1f", float64(r.ReplaySpread)/float64(r.Requests)), times,
			fmt.Sprintf("%.2f", float64(r.Setup)/float64(time.Millisecond)),
			fmt.Sprintf("%.2f", 100*r.HitRatio()), evictions, humanize.Comma(r.TooLarge)})
	}
	if t.Length() == 0 {
		return
	}
	repeats := 0
	for _, r := range results {
		if r.Timed {
			repeats = max(repeats, r.Repeats)
		}
	}
	fmt.Fprintf(w, "Running time at %s over the first %s requests, median and spread (largest less smallest) of %d\n",
		humanize.IBytes(uint64(capacity)), humanize.Comma(int64(requests)), repeats)
	t.Render()
	fmt.Fprintln(w)
}

// reportFailures prints one line for each cause.
func reportFailures(w io.Writer, failures []sim.Failure, of int) {
	if len(failures) == 0 {
		return
	}
	var order []string
	cells := make(map[string][]sim.Failure)
	for _, f := range failures {
		cause := f.Err.Error()
		if cells[f.Policy+cause] == nil {
			order = append(order, f.Policy+cause)
		}
		cells[f.Policy+cause] = append(cells[f.Policy+cause], f)
	}
	for _, o := range order {
		f := cells[o]
		more := ""
		if len(f) > 1 {
			more = fmt.Sprintf(" (and %d more cells alike)", len(f)-1)
		}
		fmt.Fprintf(w, "cachesim: failed: %s: %v%s\n", f[0].Cell, f[0].Err, more)
	}
	fmt.Fprintf(w, "cachesim: %d of %d cells failed; the others are kept\n", len(failures), of)
}

func resultFile(dir, ext string) string { return filepath.Join(dir, "results."+ext) }

// writeResults writes both result files, whole and then renamed into place.
func writeResults(dir string, results []sim.Result) error {
	for ext, write := range map[string]func(io.Writer, []sim.Result) error{"csv": sim.WriteCSV, "json": sim.WriteJSON} {
		var b bytes.Buffer
		if err := write(&b, results); err != nil {
			return err
		}
		if err := maybe.WriteFile(resultFile(dir, ext), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write results: %w", err)
		}
	}
	return nil
}

func parseFormats(given []string) ([]string, error) {
	return pick("figure format", given, plots.Formats, plots.Formats)
}

// drawFigures draws both figures of each trace.
func drawFigures(dir string, results []sim.Result, formats []string, title string) error {
	figures, err := plots.Figures(results, title)
	if err != nil {
		return err
	}
	return writeFigures(dir, figures, formats)
}

func writeFigures(dir string, figures []plots.Figure, formats []string) error {
	for _, f := range figures {
		for _, format := range formats {
			var b bytes.Buffer
			if err := f.Draw(&b, format); err != nil {
				return fmt.Errorf("draw %s.%s: %w", f.Name, format, err)
			}
			if err := maybe.WriteFile(filepath.Join(dir, f.Name+"."+format), b.Bytes(), 0o644); err != nil {
				return fmt.Errorf("write figure: %w", err)
			}
		}
	}
	return nil
}
