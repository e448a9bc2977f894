// Package report writes results as one HTML page: a summary in words, figures,
// tables, and where it all comes from. The page needs no network and no script;
// its script sorts tables and shows the values of figures.
package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/results"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// An Input is what a report shows.
type Input struct {
	Set   *results.Set
	Costs []results.CallCost // of the micro benchmark
	// Options are those of figures and tables. Without a style it is web.
	Options plots.Options
	// Kinds of figures; empty: the usual ones.
	Kinds []string
	// Sources are the files or folders that Set was read from, for the commands
	// that reproduce the page.
	Sources []string
}

// page is what page.html shows.
type page struct {
	Title, Lead   string
	Policy        template.HTMLAttr // content security policy
	Style, Script template.HTML
	Warnings      []string
	Groups        []groupView
	Bench         *benchView
	Figures       []figureView
	Tables        []tableView
	Runs          []runView
	Traces        []traceView
	Failures      *tableView
	Commands      []string
}

// groupView is the summary of one trace.
type groupView struct {
	Heading string
	Parts   []part
}

// A part is a sentence with what it introduces.
type part struct {
	Heading, Text string
	Items         []string
	Table         *tableView
}

type benchView struct {
	Items []string
	Table tableView
}

type runView struct {
	Heading string
	Rows    []pair
}

type traceView struct {
	Name  string
	Rows  []pair
	Notes []string
}

type pair struct{ Name, Value string }

// Write writes the page. The same input always gives the same bytes. It fails
// where figures or tables cannot be made from the results.
func Write(w io.Writer, in Input) error {
	set, costs := cleaned(in.Set), cleanedCosts(in.Costs)
	o := in.Options
	o.Title, o.Labels = sim.Printable(o.Title), make(map[string]string)
	for policy, label := range in.Options.Labels {
		o.Labels[sim.Printable(policy)] = sim.Printable(label)
	}
	if o.Style.Name == "" {
		web, err := plots.StyleNamed("web")
		if err != nil {
			return err
		}
		o.Style = web
	}
	p := page{Title: cmp.Or(o.Title, "Cache simulation report"), Lead: lead(set, costs)}
	p.Warnings = warnings(set)
	for _, g := range groups(set, o) {
		p.Groups = append(p.Groups, g.view(len(p.Groups)))
	}
	if len(costs) > 0 {
		p.Bench = benchSummary(costs)
	}
	rows := plots.Rows{Results: set.Results, Traces: set.Traces, Costs: costs}
	figures, err := makeFigures(rows, o, in.Kinds)
	if err != nil {
		return err
	}
	for i, f := range figures {
		v, err := newFigureView(i+1, f, o)
		if err != nil {
			return err
		}
		p.Figures = append(p.Figures, v)
	}
	tables, err := makeTables(rows, o)
	if err != nil {
		return err
	}
	for _, t := range tables {
		p.Tables = append(p.Tables, newTableView("table-"+t.Name, t))
	}
	p.provenance(set, costs)
	p.Commands = commands(set, costs, in.Sources)
	p.Style = template.HTML("<style>\n" + pageCSS + "</style>")
	p.Script = template.HTML("<script>" + pageJS + "</script>")
	sum := sha256.Sum256([]byte(pageJS))
	// Nothing can be loaded, and no other script runs, whatever a name holds.
	p.Policy = template.HTMLAttr(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-` +
		base64.StdEncoding.EncodeToString(sum[:]) + `'"`)
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// makeFigures makes the figures of kinds, or those that run draws.
func makeFigures(rows plots.Rows, o plots.Options, kinds []string) ([]plots.Figure, error) {
	if len(kinds) > 0 {
		return plots.Make(rows, o, kinds...)
	}
	drawn := slices.ContainsFunc(rows.Results, func(r results.Result) bool { return whole(r) || isTimed(r) || len(r.Series) > 0 })
	if !drawn && len(rows.Costs) == 0 {
		return nil, nil
	}
	figures, err := plots.Make(rows, o)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(rows.Results, func(r results.Result) bool { return whole(r) && r.Bytes > 0 }) {
		return figures, nil
	}
	more, err := plots.Make(rows, o, "byte-hit-ratio")
	if err != nil {
		return nil, err
	}
	after := 0
	for i, f := range figures {
		if strings.HasPrefix(f.Name, "hit-ratio") {
			after = i + 1
		}
	}
	return slices.Insert(figures, after, more...), nil
}

func makeTables(rows plots.Rows, o plots.Options) ([]plots.Table, error) {
	if !slices.ContainsFunc(rows.Results, func(r results.Result) bool { return whole(r) || isTimed(r) }) {
		return nil, nil
	}
	tables, err := plots.Tables(rows, o)
	if err != nil || !slices.ContainsFunc(rows.Results, func(r results.Result) bool { return whole(r) && r.Bytes > 0 }) {
		return tables, err
	}
	more, err := plots.Tables(rows, o, "byte-hit-ratio")
	if err != nil {
		return nil, err
	}
	after := 0
	for i, t := range tables {
		if strings.HasPrefix(t.Name, "hit-ratio") {
			after = i + 1
		}
	}
	return slices.Insert(tables, after, more...), nil
}

func whole(r results.Result) bool   { return r.Whole && r.Gets > 0 }
func isTimed(r results.Result) bool { return r.Timed && r.Requests > 0 && !r.Unserved() }

// lead says what the page is about.
func lead(set *results.Set, costs []results.CallCost) string {
	policies, traces := make(map[string]bool), make(map[string]bool)
	for _, r := range set.Results {
		policies[r.Policy], traces[r.Cell.Trace+r.TraceDigest] = true, true
	}
	var parts []string
	if n := len(set.Results); n > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s over %s", count(n, "result"), count(len(policies), "policy"), count(len(traces), "trace")))
	}
	if n := len(costs); n > 0 {
		parts = append(parts, count(n, "result")+" of the micro benchmark")
	}
	if n := len(set.Failures); n > 0 {
		parts = append(parts, count(n, "cell")+" failed")
	}
	if len(parts) == 0 {
		return "There are no results."
	}
	return strings.Join(parts, "; ") + "."
}

func warnings(set *results.Set) (list []string) {
	for _, c := range set.Conflicts {
		list = append(list, "Two runs have different outcomes, which must not happen: "+c+".")
	}
	if n := len(set.Failures); n > 0 {
		list = append(list, count(n, "cell")+" failed and no figure shows them; see Provenance.")
	}
	versions := make(map[string]bool)
	for _, r := range set.Runs {
		versions[r.Version] = true
	}
	if len(versions) > 1 {
		list = append(list, "The results are of several versions of cachesim; see Provenance.")
	}
	return list
}

// view is the summary of a group, the one of index i.
func (g group) view(i int) groupView {
	v := groupView{Heading: g.heading}
	sizes := g.sizes(hitRatio)
	headline, items := winners(hitRatio, sizes)
	items = append(items, aboveBest(sizes)...)
	if headline != "" {
		v.Parts = append(v.Parts, part{Heading: "Hit ratio", Text: headline, Items: items})
	}
	if headline, items := g.reached(sizes); headline != "" {
		v.Parts = append(v.Parts, part{Heading: "Cache size", Text: headline, Items: items})
	}
	if headline, items := winners(byteHitRatio, g.sizes(byteHitRatio)); headline != "" {
		v.Parts = append(v.Parts, part{Heading: "Byte hit ratio", Text: headline, Items: items})
	}
	capacities, cells := g.timed()
	for _, c := range capacities {
		timed := cells[c]
		headline, items, table := g.times(timed)
		at := fmt.Sprintf("at %s, over the first %s", sizeName(timed[0]), count(timed[0].Requests, "request"))
		table.Title = "What a version costs, " + at
		t := newTableView(fmt.Sprintf("cost-%d-%d", i+1, c), table)
		v.Parts = append(v.Parts, part{Heading: "Running time " + at, Text: headline, Items: items, Table: &t})
	}
	if len(v.Parts) == 0 {
		v.Parts = []part{{Text: "There is no replay of the whole trace and no timed one."}}
	}
	return v
}

// benchSummary says what calls of the micro benchmark cost.
func benchSummary(costs []results.CallCost) *benchView {
	t := plots.Table{
		Title: "What a call takes", Header: []string{"kind", "test", "engine", "mode", "payload bytes", "ns/call", "low", "high", "× native", "set-up ms"}, Left: 4,
		Notes: []string{"Medians over the runs; low and high: 95 % interval of the median."},
	}
	number := func(v float64, text string) plots.TableCell {
		return plots.TableCell{Text: text, Raw: fmt.Sprintf("%.4f", v)}
	}
	best := make(map[string]results.CallCost)
	var engines []string
	for _, c := range costs {
		row := []plots.TableCell{{Text: c.Kind}, {Text: c.Test}, {Text: c.Engine}, {Text: c.Mode}, {},
			number(c.Call.Median, nanoseconds(c.Call.Median)), number(c.Call.Low, nanoseconds(c.Call.Low)), number(c.Call.High, nanoseconds(c.Call.High)), {}, {}}
		if c.Payload > 0 {
			row[4] = plots.TableCell{Text: fmt.Sprint(c.Payload)}
		}
		if c.ToNative.Median > 0 {
			row[8] = number(c.ToNative.Median, fmt.Sprintf("%.2f", c.ToNative.Median))
		}
		if c.Setup.Median > 0 {
			row[9] = number(c.Setup.Median/1e6, fmt.Sprintf("%.3f", c.Setup.Median/1e6))
		}
		t.Rows = append(t.Rows, row)
		if c.Kind != results.CostOfCall || c.Mode == "debug" || c.ABI == "" && c.Engine != sim.NativeEngine {
			continue // that without an ABI is the loop, in which nothing is called
		}
		b, ok := best[c.Engine]
		if !ok {
			engines = append(engines, c.Engine)
		}
		if !ok || c.Call.Median < b.Call.Median {
			best[c.Engine] = c
		}
	}
	v := &benchView{Table: newTableView("bench", t)}
	slices.SortStableFunc(engines, func(a, b string) int { return cmp.Compare(best[a].Call.Median, best[b].Call.Median) })
	for _, e := range engines {
		c := best[e]
		s := fmt.Sprintf("%s: %s ns a call (%s to %s), in test %s", e, nanoseconds(c.Call.Median), nanoseconds(c.Call.Low), nanoseconds(c.Call.High), c.Test)
		if c.ToNative.Median > 0 && e != sim.NativeEngine {
			s += fmt.Sprintf("; %.2f times the native test", c.ToNative.Median)
		}
		v.Items = append(v.Items, s+".")
	}
	return v
}

// provenance fills in where the results come from.
func (p *page) provenance(set *results.Set, costs []results.CallCost) {
	for _, r := range runs(set, costs) {
		rows := []pair{{"cachesim", r.Version}, {"Go", r.Go}, {"system", r.OS + "/" + r.Arch}, {"host", r.Host},
			{"processor", fmt.Sprintf("%s, %s", r.CPU, count(r.CPUs, "processor"))}}
		for _, e := range sorted(r.Engines) {
			rows = append(rows, pair{"engine " + e, r.Engines[e]})
		}
		rows = append(rows, pair{"command", commandLine(r.Command)})
		p.Runs = append(p.Runs, runView{"Run of " + r.Started.UTC().Format("2006-01-02 15:04:05 UTC"), rows})
	}
	for _, t := range set.Traces {
		rows := []pair{{"file", t.Path}, {"format", t.Format}, {"requests", humanize.Comma(int64(t.Requests))}}
		if t.Gets != t.Requests {
			rows = append(rows, pair{"gets", humanize.Comma(int64(t.Gets))})
		}
		rows = append(rows, pair{"objects", humanize.Comma(int64(t.Objects))},
			pair{"footprint", amount(t.Footprint)}, pair{"requested", amount(t.RequestBytes)}, pair{"largest object", amount(t.LargestSize)},
			pair{"size of an object", t.ObjectSize}, pair{"requests that change it", humanize.Comma(int64(t.SizeChanges))}, pair{"requests of size 0", t.ZeroSize},
			pair{"resolution of times", resolution(t.Tick)}, pair{"digest of the requests", t.Digest}, pair{"digest of the times", t.Clock}, pair{"SHA-256 of the file", t.SHA256})
		rows = slices.DeleteFunc(rows, func(p pair) bool { return p.Value == "" })
		p.Traces = append(p.Traces, traceView{t.Name, rows, t.Notes})
	}
	if len(set.Failures) > 0 {
		t := plots.Table{Title: "Cells without a result", Header: []string{"trace", "policy", "size", "version", "why"}, Left: 5}
		for _, f := range set.Failures {
			t.Rows = append(t.Rows, []plots.TableCell{{Text: f.Cell.Trace}, {Text: f.Policy}, {Text: f.Cell.Size(), Raw: fmt.Sprint(f.Capacity)}, {Text: f.Version.String()}, {Text: f.Error}})
		}
		v := newTableView("failures", t)
		p.Failures = &v
	}
}

// runs are those of the set and of the micro benchmark.
func runs(set *results.Set, costs []results.CallCost) []results.Provenance {
	list := slices.Clone(set.Runs)
	for _, c := range costs {
		if c.Provenance != nil && !slices.ContainsFunc(list, func(p results.Provenance) bool {
			return p.Started.Equal(c.Provenance.Started) && p.Host == c.Provenance.Host && slices.Equal(p.Command, c.Provenance.Command)
		}) {
			list = append(list, *c.Provenance)
		}
	}
	return list
}

func amount(n int64) string {
	return fmt.Sprintf("%s (%s bytes)", humanize.IBytes(uint64(max(0, n))), humanize.Comma(n))
}

func resolution(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return d.String()
}

func sorted(m map[string]string) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// commands reproduce the results and the page.
func commands(set *results.Set, costs []results.CallCost, sources []string) (list []string) {
	for _, r := range runs(set, costs) {
		if s := commandLine(r.Command); s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if len(sources) > 0 {
		var clean []string
		for _, s := range sources {
			clean = append(clean, sim.Printable(s))
		}
		list = append(list, commandLine(append(append([]string{"cachesim", "report"}, clean...), "--output", "report.html")))
	}
	return list
}

// commandLine quotes words for a shell.
func commandLine(words []string) string {
	var list []string
	for i, w := range words {
		if i == 0 { // where the program is says nothing elsewhere
			w = w[strings.LastIndexAny(w, `/\`)+1:]
		}
		if w == "" || strings.ContainsFunc(w, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,+@%", r))
		}) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		list = append(list, w)
	}
	return strings.Join(list, " ")
}

// cleaned returns a set whose texts, which come from traces, modules and command
// lines, are printable.
func cleaned(set *results.Set) *results.Set {
	c := &results.Set{}
	if set == nil {
		return c
	}
	for _, s := range set.Conflicts {
		c.Conflicts = append(c.Conflicts, sim.Printable(s))
	}
	for _, r := range set.Runs {
		c.Runs = append(c.Runs, cleanedRun(r))
	}
	for _, t := range set.Traces {
		for _, s := range []*string{&t.Name, &t.Path, &t.Format, &t.Digest, &t.Clock, &t.SHA256, &t.ObjectSize, &t.ZeroSize} {
			*s = sim.Printable(*s)
		}
		t.Notes = slices.Clone(t.Notes)
		for i, n := range t.Notes {
			t.Notes[i] = sim.Printable(n)
		}
		c.Traces = append(c.Traces, t)
	}
	for _, r := range set.Results {
		for _, s := range []*string{&r.Cell.Trace, &r.TraceDigest, &r.Clock, &r.Policy, &r.Size, &r.Title, &r.Engine, &r.ABI, &r.Handle} {
			*s = sim.Printable(*s)
		}
		c.Results = append(c.Results, r)
	}
	for _, f := range set.Failures {
		for _, s := range []*string{&f.Cell.Trace, &f.Policy, &f.Engine, &f.ABI, &f.Handle, &f.Error} {
			*s = sim.Printable(*s)
		}
		c.Failures = append(c.Failures, f)
	}
	return c
}

func cleanedRun(r results.Provenance) results.Provenance {
	for _, s := range []*string{&r.Version, &r.Go, &r.OS, &r.Arch, &r.Host, &r.CPU} {
		*s = sim.Printable(*s)
	}
	engines := make(map[string]string)
	for k, v := range r.Engines {
		engines[sim.Printable(k)] = sim.Printable(v)
	}
	r.Engines, r.Command = engines, slices.Clone(r.Command)
	for i, w := range r.Command {
		r.Command[i] = sim.Printable(w)
	}
	return r
}

func cleanedCosts(costs []results.CallCost) []results.CallCost {
	var list []results.CallCost
	for _, c := range costs {
		for _, s := range []*string{&c.Test, &c.Engine, &c.ABI, &c.Handle, &c.Loading, &c.Mode, &c.Module} {
			*s = sim.Printable(*s)
		}
		if c.Provenance != nil {
			p := cleanedRun(*c.Provenance)
			c.Provenance = &p
		}
		list = append(list, c)
	}
	return list
}
