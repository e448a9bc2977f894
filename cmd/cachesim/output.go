package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/results"
)

// count writes a number of things, with the plural of their English word.
func count[N int | int64](n N, word string) string {
	return humanize.Comma(int64(n)) + " " + english.PluralWord(int(n), word, "")
}

// clean shows characters that could control a terminal by their codes.
func clean(s string) string { return sim.Printable(s) }

// messages writes lines of text without characters that control a terminal:
// errors quote file names, traces and modules.
type messages struct {
	io.Writer
	mu *sync.Mutex
}

func (m messages) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := io.WriteString(m.Writer, sim.PrintableBut(string(b), "\n\t")); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (o *runOptions) report(t *sim.Trace, list []results.Result) error {
	if o.json {
		e := json.NewEncoder(o.stdout)
		for _, r := range list {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	if err := o.ratioTables(t, list); err != nil {
		return err
	}
	if err := o.chart.drawChart(o.stdout, list, o.figures.Labels); err != nil {
		return err
	}
	estimates(o.stdout, list)
	checked(o.stdout, list)
	costTable(o.stdout, t, o.costs, list)
	tooLarge(o.stdout, list)
	operations(o.stdout, list)
	prefixTable(o.stdout, list)
	timeTable(o.stdout, list, o.figures.Labels, o.timeout > 0, o.verbose)
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
	t.SuppressTrailingSpaces()
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

// ceiling is the hit ratio of a cache that never evicts: what the first request
// for each object leaves. It is not known with a warm-up or with operations, nor
// where another size is a miss, which may be one anyway.
func ceiling(t *sim.Trace, list []results.Result) float64 {
	if t.Columns != 0 || t.SizesVary() && t.SizeRule == sim.SizeReplaces || slices.ContainsFunc(list, func(r results.Result) bool { return r.Warmup > 0 }) {
		return 0
	}
	return 1 - float64(t.Objects)/float64(t.Requests)
}

func byteCeiling(t *sim.Trace, list []results.Result) float64 {
	if ceiling(t, list) == 0 || t.RequestBytes == 0 || t.SizesVary() {
		return 0
	}
	return 1 - float64(t.Footprint)/float64(t.RequestBytes)
}

// ratioTables prints hit ratios and byte hit ratios, with the ceiling.
func (o *runOptions) ratioTables(t *sim.Trace, list []results.Result) error {
	rows := plots.Rows{Results: slices.DeleteFunc(slices.Clone(list), func(r results.Result) bool { return r.Timed })}
	if len(rows.Results) == 0 {
		return nil
	}
	rows.Traces = []results.Trace{results.Describe(t)}
	tables, err := plots.Tables(rows, plots.Options{Labels: o.figures.Labels}, "hit-ratio", "byte-hit-ratio")
	if err != nil {
		return err
	}
	for i, table := range tables {
		if i == 0 {
			if note := o.askedSizes(rows.Results); note != "" {
				table.Notes = append(table.Notes, note)
			}
		}
		limit := ceiling(t, list)
		if i >= len(tables)/2 {
			limit = byteCeiling(t, list)
		}
		if w := rows.Results[0].Warmup; w > 0 {
			table.Notes = append(table.Notes, fmt.Sprintf("Counted after a warm-up of %s.", count(w, "request")))
		}
		if note := tooRoomy(t, list); note != "" && i == 0 {
			table.Notes = append(table.Notes, note)
		}
		if limit > 0 {
			table.Notes = append(table.Notes, fmt.Sprintf("Without any eviction: %.2f %%; the rest are first requests, which no cache can serve.", 100*limit))
		}
		if err := table.Render(o.stdout, "text"); err != nil {
			return err
		}
		fmt.Fprintln(o.stdout)
	}
	return nil
}

// askedSizes says which shares of the footprint the sizes are that were asked for
// so.
func (o *runOptions) askedSizes(list []results.Result) string {
	var parts []string
	for _, r := range list {
		part := r.Size + " is " + r.Cell.Size()
		if len(o.sizes) > 0 && strings.HasSuffix(r.Size, "%") && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	of := "of the footprint"
	if o.unit == sim.UnitObjects {
		of = "of the objects"
	}
	return fmt.Sprintf("Sizes as shares %s: %s.", of, strings.Join(parts, ", "))
}

// tooRoomy names the sizes at which nothing is ever evicted.
func tooRoomy(t *sim.Trace, list []results.Result) string {
	var sizes []string
	for _, r := range list {
		all := t.Footprint + int64(t.Objects)*r.Metadata
		if r.Cell.Unit == sim.UnitObjects {
			all = int64(t.Objects)
		}
		if size := r.Cell.Size(); r.Capacity > all && !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	if len(sizes) == 0 {
		return ""
	}
	return fmt.Sprintf("Larger than all objects together, so that nothing is evicted: %s.", strings.Join(sizes, ", "))
}

// tooLarge explains what bends a curve: objects that do not fit a cache are
// misses there, and begin to displace others once they fit.
func tooLarge(w io.Writer, list []results.Result) {
	var sizes []results.Result
	for _, r := range list {
		if !r.Timed && r.TooLarge > 0 && !slices.ContainsFunc(sizes, func(s results.Result) bool { return s.Capacity == r.Capacity }) {
			sizes = append(sizes, r)
		}
	}
	if len(sizes) == 0 {
		return
	}
	slices.SortFunc(sizes, func(a, b results.Result) int { return cmp.Compare(a.Capacity, b.Capacity) })
	var parts []string
	for _, r := range sizes {
		parts = append(parts, fmt.Sprintf("%s at %s", humanize.Comma(r.TooLarge), r.Cell.Size()))
	}
	fmt.Fprintf(w, "Requests for objects larger than the cache, which are misses and never stored: %s.\n", strings.Join(parts, ", "))
	fmt.Fprintln(w, "Where such objects begin to fit, they displace many others: a hit ratio may fall as the cache grows.")
	fmt.Fprintln(w)
}

// operations reports what else than gets was replayed.
func operations(w io.Writer, list []results.Result) {
	for _, r := range list {
		if r.Timed || r.Sets+r.Deletes+r.Expired == 0 {
			continue
		}
		fmt.Fprintf(w, "Of each replay %s requests are gets, to which the ratios apply, %s sets and %s deletes; gets of expired objects (%s at %s): misses\n\n",
			humanize.Comma(r.Gets), humanize.Comma(r.Sets), humanize.Comma(r.Deletes), humanize.Comma(r.Expired), r.Policy)
		return
	}
}

// prefixTable prints what the cache saves the requests of a language model: the
// blocks of a prompt count up to the first miss.
func prefixTable(w io.Writer, list []results.Result) {
	list = slices.DeleteFunc(slices.Clone(list), func(r results.Result) bool { return r.Timed || r.LLMRequests == 0 })
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "Prefix hits of %s LLM requests with %s blocks: blocks that were hits with all blocks before them\n",
		humanize.Comma(list[0].LLMRequests), humanize.Comma(list[0].Gets))
	t := newTable(w, 2, "policy", "version", "size", "prefix hit ratio %", "hit ratio %", "saved tokens")
	for _, r := range list {
		t.AppendRow(table.Row{clean(r.Policy), r.Version.String(), r.Cell.Size(), fmt.Sprintf("%.2f", 100*r.PrefixHitRatio()),
			fmt.Sprintf("%.2f", 100*r.HitRatio()), humanize.Comma(r.SavedTokens)})
	}
	t.Render()
	fmt.Fprintln(w)
}

// timeTable prints the running times: a row a policy and a column an engine,
// with the fastest version of each, or a row a version. Modules of files may be
// watched for loops without end.
func timeTable(w io.Writer, list []results.Result, given map[string]string, watched, verbose bool) {
	labels := plots.Labels(list, given)
	untimed := notTimed(list, labels)
	list = slices.DeleteFunc(slices.Clone(list), func(r results.Result) bool { return !r.Timed })
	if i := slices.IndexFunc(list, results.Result.Unserved); i >= 0 {
		more := "--timing-requests all takes more requests, "
		if list[i].Whole { // there are no more
			more = ""
		}
		fmt.Fprintf(w, "No running times: each object of the first %s is larger than the cache of %s, so that no request reached a policy; %s--size names other sizes.\n\n",
			count(list[i].Requests, "request"), list[i].Cell.Size(), more)
		list = slices.DeleteFunc(list, results.Result.Unserved)
	}
	if len(list) == 0 {
		return
	}
	repeats := 0
	native := make(nativeTimes)
	var engines, policies []string
	for _, r := range list {
		repeats = max(repeats, r.Repeats)
		if r.Engine == sim.NativeEngine {
			native[r.Policy] = r.PerRequest()
		}
		if !slices.Contains(engines, r.Engine) {
			engines = append(engines, r.Engine)
		}
		if !slices.Contains(policies, r.Policy) {
			policies = append(policies, r.Policy)
		}
	}
	part := "the first"
	if list[0].Whole {
		part = "all"
	}
	fmt.Fprintf(w, "Running time, ns per request, at %s over %s %s: %s",
		list[0].Cell.Size(), part, count(list[0].Requests, "request"), medianOf(repeats))
	versions := 0
	for _, e := range engines {
		for _, p := range policies {
			n := 0
			for _, r := range list {
				if r.Engine == e && r.Policy == p {
					n++
				}
			}
			versions = max(versions, n)
		}
	}
	if verbose || versions > 1 && len(engines) == 1 {
		fmt.Fprintln(w)
		versionTable(w, list, labels, native)
		native.note(w, policies)
		timeNotes(w, list, labels, untimed, watched)
		fmt.Fprintln(w)
		return
	}
	if len(engines) > 1 {
		fmt.Fprint(w, " (and times the native one)")
	}
	fmt.Fprintln(w)
	var header []any
	header = append(header, "policy")
	for _, e := range engines {
		header = append(header, e)
	}
	t := newTable(w, 1, header...)
	for _, p := range policies {
		row := table.Row{clean(labels[p])}
		for _, e := range engines {
			best := -1.0
			for _, r := range list {
				if r.Engine == e && r.Policy == p && (best < 0 || r.PerRequest() < best) {
					best = r.PerRequest()
				}
			}
			cell := ""
			if best >= 0 {
				cell = fmt.Sprintf("%.1f", best)
				if times := native.times(p, best); times != "" && e != sim.NativeEngine {
					cell += " (" + times + ")"
				}
			}
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	t.Render()
	if versions > 1 {
		fmt.Fprintln(w, "The fastest version of each engine; --verbose shows all, times.csv has them")
	}
	native.note(w, policies)
	timeNotes(w, list, labels, untimed, watched)
	fmt.Fprintln(w)
}

func medianOf(replays int) string {
	if replays == 1 {
		return "one replay"
	}
	return fmt.Sprintf("median of %d replays", replays)
}

// notTimed names the policies of list that have hit ratios but no running times.
func notTimed(list []results.Result, labels map[string]string) (names []string) {
	timed := make(map[string]bool)
	for _, r := range list {
		timed[r.Policy] = timed[r.Policy] || r.Timed
	}
	for _, r := range list {
		if name := clean(labels[r.Policy]); !timed[r.Policy] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// timeNotes says what the table of running times does not have, and what its
// numbers include.
func timeNotes(w io.Writer, list []results.Result, labels map[string]string, untimed []string, watched bool) {
	if len(untimed) > 0 {
		fmt.Fprintf(w, "Not timed: %s; without --engine only policies with a WASM version are, --engine native times all\n", strings.Join(untimed, ", "))
	}
	var files []string
	for _, r := range list {
		if name := clean(labels[r.Policy]); r.Engine != sim.NativeEngine && strings.Contains(r.Policy, ".wasm") && !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	if watched && len(files) > 0 {
		fmt.Fprintf(w, "Modules from files are timed with the checks that stop endless loops, built-in policies without: %s; --guest-timeout 0 leaves the checks out\n", strings.Join(files, ", "))
	}
}

// nativeTimes are the times of native versions, in ns per request by policy.
type nativeTimes map[string]float64

// times returns how many times as long as the native version of a policy ns is, with
// a mark where there is none, but one of lru; "" where there is neither.
func (n nativeTimes) times(policy string, ns float64) string {
	switch {
	case n[policy] > 0:
		return fmt.Sprintf("%.2f", ns/n[policy])
	case n["lru"] > 0:
		return fmt.Sprintf("%.2f†", ns/n["lru"])
	}
	return ""
}

// note explains the mark, where times has set it.
func (n nativeTimes) note(w io.Writer, policies []string) {
	if n["lru"] > 0 && slices.ContainsFunc(policies, func(p string) bool { return n[p] == 0 }) {
		fmt.Fprintln(w, "† no time of a native version: times that of lru")
	}
}

// versionTable prints a row a timed version.
func versionTable(w io.Writer, list []results.Result, labels map[string]string, native nativeTimes) {
	t := newTable(w, 4, "policy", "engine", "abi", "handle", "ns/request", "spread", "x native", "set-up ms", "evictions")
	for _, r := range list {
		evictions := ""
		if r.Evictions != nil {
			evictions = humanize.Comma(*r.Evictions)
		}
		t.AppendRow(table.Row{clean(labels[r.Policy]), r.Engine, r.ABI, r.Handle,
			fmt.Sprintf("%.1f", r.PerRequest()), fmt.Sprintf("%.1f", r.Spread()), native.times(r.Policy, r.PerRequest()),
			fmt.Sprintf("%.2f", float64(r.Setup)/float64(time.Millisecond)), evictions})
	}
	t.Render()
}

// reportFailures prints one line for each cause. With shown, each cause has been printed as it
// came: then a line is repeated only to say of how many cells it holds, among several causes.
func reportFailures(w io.Writer, failures []sim.Failure, of int, shown bool) {
	if len(failures) == 0 {
		return
	}
	var order []string
	cells := make(map[string][]sim.Failure)
	for _, f := range failures {
		cause := f.Policy + f.Err.Error()
		if cells[cause] == nil {
			order = append(order, cause)
		}
		cells[cause] = append(cells[cause], f)
	}
	why := ""
	for _, cause := range order {
		f := cells[cause]
		more := ""
		if len(f) > 1 {
			more = fmt.Sprintf(" (and %s alike)", count(len(f)-1, "more cell"))
		}
		hint := ""
		var stall *sim.StallError
		if errors.As(f[0].Err, &stall) {
			hint = " (--guest-timeout)"
		}
		switch {
		case shown && len(order) == 1:
			why = ", for the reason above" + hint
			continue
		case shown && len(f) == 1 && hint == "":
			why = ", for the reasons above"
			continue
		}
		fmt.Fprintf(w, "cachesim: failed: %s%s%s\n", clean(f[0].Error()), hint, more)
	}
	if len(failures) == of {
		all := fmt.Sprintf("all %d cells", of)
		if of == 1 {
			all = "the only cell"
		}
		fmt.Fprintf(w, "cachesim: %s failed%s\n", all, why)
		return
	}
	fmt.Fprintf(w, "cachesim: %d of %d cells failed%s; the others are kept\n", len(failures), of, why)
}
