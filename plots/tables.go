package plots

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"cachesim/sim"
	"cachesim/sim/results"
)

// A TableKind is one kind of table.
type TableKind struct {
	Name, Doc string
	Default   bool // made where no kind is asked for and there is something to show
	Make      func(Rows, Options) ([]Table, error)
	Needs     string
}

// TableKinds lists the kinds of tables.
var TableKinds = []TableKind{
	{"hit-ratio", "hit ratio of each policy and size", true, ratioTables("hit-ratio", hitRatio), needsRatios},
	{"byte-hit-ratio", "byte hit ratio of each policy and size", false, ratioTables("byte-hit-ratio", byteHitRatio), needsRatios},
	{"miss-ratio", "miss ratio of each policy and size", false, ratioTables("miss-ratio", missRatio), needsRatios},
	{"byte-miss-ratio", "byte miss ratio of each policy and size", false, ratioTables("byte-miss-ratio", byteMissRatio), needsRatios},
	{"improvement", "reduction of the miss ratio relative to a baseline", false, improvementTables("improvement", missRatio), needsBaseline},
	{"byte-improvement", "reduction of the byte miss ratio relative to a baseline", false, improvementTables("byte-improvement", byteMissRatio), needsBaseline},
	{"across-traces", "mean reduction of the miss ratio over traces, with its significance", false, acrossTable, needsTraces},
	{"times", "running time of each policy and version, with its interval and its ratio to native", true, timeTables, needsTimes},
}

// Tables makes tables of the kinds named, or of all default kinds that rows hold
// something of. A kind asked for of which there is nothing is an error.
func Tables(rows Rows, o Options, kinds ...string) ([]Table, error) {
	rows = rows.printable()
	for i, r := range rows.Results {
		if err := drawable(r); err != nil {
			return nil, fmt.Errorf("result %d (%s, %s): %w", i+1, r.Policy, r.Version, err)
		}
	}
	if err := rows.contradictions(); err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(TableKinds), func(k TableKind) bool { return !k.Default })
	if len(kinds) > 0 {
		chosen = nil
		for _, name := range kinds {
			i := slices.IndexFunc(TableKinds, func(k TableKind) bool { return k.Name == name })
			if i < 0 {
				var known []string
				for _, k := range TableKinds {
					known = append(known, k.Name)
				}
				return nil, fmt.Errorf("unknown table %q: known are %s", name, strings.Join(known, ", "))
			}
			chosen = append(chosen, TableKinds[i])
		}
	}
	var tables []Table
	for _, k := range chosen {
		made, err := k.Make(rows, o)
		if err != nil {
			return nil, fmt.Errorf("make table %s: %w", k.Name, err)
		}
		if len(made) == 0 && len(kinds) > 0 {
			return nil, fmt.Errorf("make table %s: nothing to show: it shows %s", k.Name, k.Needs)
		}
		tables = append(tables, made...)
	}
	if len(tables) == 0 {
		return nil, errors.New("nothing to show: neither replays of whole traces nor timed cells")
	}
	return tables, nil
}

// tableTitle says what a table shows, and of what.
func (o Options) tableTitle(what string, g chartGroup) string {
	of := g.trace
	if g.note != "" && g.note != g.trace {
		of = g.note
	}
	if o.Title != "" {
		what = o.Title + ": " + strings.ToLower(what[:1]) + what[1:]
	}
	if of == "" {
		return what
	}
	return what + ", " + of
}

// ratioTables makes a table of a ratio for each trace.
func ratioTables(name string, q ratio) func(Rows, Options) ([]Table, error) {
	return func(rows Rows, o Options) ([]Table, error) {
		labels := Labels(rows.Results, o.Labels)
		var tables []Table
		for _, g := range rows.ratioGroups() {
			rs := q.usable(g.results)
			if len(rs) == 0 {
				continue
			}
			t := sizeTable(rs, labels, o, q.measure, !q.miss)
			t.Name, t.Title = name+g.suffix, o.tableTitle(q.name+" (%)", g)
			tables = append(tables, t)
		}
		return tables, nil
	}
}

// improvementTables makes a table of reductions for each trace.
func improvementTables(name string, q ratio) func(Rows, Options) ([]Table, error) {
	return func(rows Rows, o Options) ([]Table, error) {
		labels := Labels(rows.Results, o.Labels)
		var tables []Table
		for _, g := range rows.ratioGroups() {
			rs := q.usable(g.results)
			base, err := Baseline(rs, o.Baseline)
			if err != nil {
				return nil, inGroup(g, err)
			}
			at := index(rs, base)
			compared := slices.DeleteFunc(slices.Clone(rs), func(r results.Result) bool {
				_, ok := at(r)
				return !ok || r.Policy == base
			})
			if len(compared) == 0 {
				continue
			}
			t := sizeTable(compared, labels, o, func(r results.Result) estimated {
				b, _ := at(r)
				return reductionOf(q.measure(b), q.measure(r))
			}, true)
			t.Name, t.Title = name+g.suffix, o.tableTitle(fmt.Sprintf("%s reduction from %s (%%)", q.name, labels[base]), g)
			tables = append(tables, t)
		}
		return tables, nil
	}
}

// sizeTable has a row for each policy and a column for each size or, where there
// are more sizes than policies, the other way round. The best of each size is
// marked: where there are intervals also those whose overlap its. A bound like
// Belady takes no part in that.
func sizeTable(rs []results.Result, labels map[string]string, o Options, of func(results.Result) estimated, more bool) Table {
	series := bySize(rs, labels, of)
	label := make(map[float64]string)
	for _, r := range rs {
		label[float64(r.Capacity)] = capacityText(r)
	}
	var sizes []float64
	for _, s := range series {
		for _, p := range s.Points {
			if !slices.Contains(sizes, p.X) {
				sizes = append(sizes, p.X)
			}
		}
	}
	slices.Sort(sizes)
	cells := make([][]TableCell, len(series)) // by policy and size
	policies := names(rs, policyOf)           // of the series
	isBound := func(i int) bool { return o.isBound(policies[i]) }
	several := 0 // policies that are not boundPolicies
	for i := range series {
		if !isBound(i) {
			several++
		}
	}
	for i := range cells {
		cells[i] = make([]TableCell, len(sizes))
	}
	for j, size := range sizes {
		best := -1
		at := make([]Point, len(series))
		has := make([]bool, len(series))
		for i, s := range series {
			k := slices.IndexFunc(s.Points, func(p Point) bool { return p.X == size })
			if k < 0 {
				continue
			}
			at[i], has[i] = s.Points[k], true
			if !at[i].hasInterval() {
				at[i].Low, at[i].High = at[i].Y, at[i].Y
			}
			if !isBound(i) && (best < 0 || more && at[i].Y > at[best].Y || !more && at[i].Y < at[best].Y) {
				best = i
			}
		}
		isAsGood := func(i int) bool {
			if at[i].Low == at[i].High { // two equal numbers of which one is marked would puzzle
				return fmt.Sprintf("%.2f", at[i].Y) == fmt.Sprintf("%.2f", at[best].Y)
			}
			return at[i].High >= at[best].Low && at[i].Low <= at[best].High
		}
		// Where all are equal, none is the best.
		differ := false
		for i := range series {
			differ = differ || has[i] && !isBound(i) && !isAsGood(i)
		}
		for i := range series {
			if !has[i] {
				continue
			}
			text := fmt.Sprintf("%.2f", at[i].Y)
			if at[i].Low != at[i].High {
				text += fmt.Sprintf(" ± %.2f", (at[i].High-at[i].Low)/2)
			}
			isBest := several > 1 && differ && !isBound(i) && isAsGood(i)
			cells[i][j] = TableCell{Text: text, Raw: strconv.FormatFloat(at[i].Y, 'f', 6, 64), Best: isBest}
		}
	}
	t := Table{Left: 1}
	if len(series) >= len(sizes) {
		t.Header = []string{"policy"}
		for _, s := range sizes {
			t.Header = append(t.Header, label[s])
		}
		for i, s := range series {
			t.Rows = append(t.Rows, append([]TableCell{{Text: s.Name}}, cells[i]...))
		}
	} else {
		t.Header = []string{"cache size"}
		for _, s := range series {
			t.Header = append(t.Header, s.Name)
		}
		for j, s := range sizes {
			row := []TableCell{{Text: label[s]}}
			for i := range series {
				row = append(row, cells[i][j])
			}
			t.Rows = append(t.Rows, row)
		}
		t.BestOf = "row"
	}
	if n := resultsNote(rs); n != "" {
		t.Notes = append(t.Notes, strings.ToUpper(n[:1])+n[1:]+".")
	}
	return t
}

// acrossTable compares policies with a baseline over traces: a row for each
// policy and size.
func acrossTable(rows Rows, o Options) ([]Table, error) {
	a, err := across(rows, o)
	if err != nil || len(a.all) == 0 {
		return nil, err
	}
	t := Table{
		Name: "across-traces", Title: o.title(""), Left: 2,
		Header: []string{"size", "policy", "traces", "mean %", "median %", "P10 %", "P90 %", "better", "worse", "p"},
		Notes: []string{
			a.axis.Label + " in percent of the baseline's; better and worse: traces.",
			"Marked: intervals of the mean (95 %) overlap that of the best one.",
			"p: Wilcoxon signed-rank test, two-sided, not corrected for the number of comparisons.",
		},
	}
	if t.Title == "" {
		t.Title = a.axis.Label + ", over " + a.note
	}
	for _, size := range a.sizes {
		of := a.of(size)
		best := Mean(of[0].Values)
		for _, r := range of[1:] {
			if m := Mean(r.Values); m.Value > best.Value {
				best = m
			}
		}
		for _, r := range of {
			better, worse := 0, 0
			for _, v := range r.Values {
				if v > 0 {
					better++
				} else if v < 0 {
					worse++
				}
			}
			p, _ := WilcoxonSignedRank(r.Values)
			m := Mean(r.Values)
			number := func(v float64) TableCell {
				return TableCell{Text: fmt.Sprintf("%.2f", v), Raw: strconv.FormatFloat(v, 'f', 6, 64)}
			}
			mean := number(m.Value)
			mean.Text += fmt.Sprintf(" ± %.2f", m.High-m.Value)
			mean.Best = len(of) > 1 && m.High >= best.Low
			t.Rows = append(t.Rows, []TableCell{
				{Text: r.Size}, {Text: a.labels[r.Policy]}, {Text: strconv.Itoa(len(r.Values))}, mean,
				number(Quantile(r.Values, 0.5)), number(Quantile(r.Values, 0.1)), number(Quantile(r.Values, 0.9)),
				{Text: strconv.Itoa(better)}, {Text: strconv.Itoa(worse)}, {Text: pText(p), Raw: strconv.FormatFloat(p, 'g', 6, 64)},
			})
		}
	}
	if len(a.sizes) > 1 {
		t.BestOf = "size"
	}
	return []Table{t}, nil
}

func pText(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// timeTables makes a table of running times for each trace and size. Marked is
// what no other version of any policy is faster than by more than noise.
func timeTables(rows Rows, o Options) ([]Table, error) {
	labels := Labels(rows.Results, o.Labels)
	var tables []Table
	for _, g := range rows.timeGroups() {
		capacities, cells := timedCells(g.results)
		for _, c := range capacities {
			timed := cells[c]
			name := "times" + g.suffix
			if len(capacities) > 1 {
				name += "-" + capacityName(timed[0])
			}
			t := Table{
				Name: name, Title: o.tableTitle("Running time at "+capacityText(timed[0]), g), Left: 4, BestOf: "table",
				Header: []string{"policy", "engine", "abi", "handle", "ns/request", "low", "high", "x native", "set-up ms"},
			}
			n := humanize.Comma(int64(timed[0].Requests))
			t.Notes = []string{fmt.Sprintf("Medians over the first %s requests; low and high: %s.", n, whiskers(timed))}
			if enough := slices.ContainsFunc(timed, func(r results.Result) bool { return len(r.Replays) >= 4 }); enough && len(timed) > 1 {
				t.Notes = append(t.Notes, "Marked: no other one is faster by more than noise (Mann-Whitney U test at 5 %).")
			}
			for _, r := range timed {
				e, _ := TimePerRequest(r)
				beaten := slices.ContainsFunc(timed, func(other results.Result) bool { return FasterThan(other, r) })
				number := func(v float64) TableCell {
					return TableCell{Text: fmt.Sprintf("%.1f", v), Raw: strconv.FormatFloat(v, 'f', 3, 64)}
				}
				value := number(e.Value)
				value.Best = len(timed) > 1 && len(r.Replays) >= 4 && !beaten
				to := TableCell{}
				if i := slices.IndexFunc(timed, func(b results.Result) bool { return b.Policy == r.Policy && b.Engine == sim.NativeEngine }); i >= 0 {
					if native, _ := TimePerRequest(timed[i]); native.Value > 0 && r.Engine != sim.NativeEngine {
						to = TableCell{Text: fmt.Sprintf("%.2f", e.Value/native.Value), Raw: strconv.FormatFloat(e.Value/native.Value, 'f', 4, 64)}
					}
				}
				t.Rows = append(t.Rows, []TableCell{
					{Text: labels[r.Policy]}, {Text: r.Engine}, {Text: r.ABI}, {Text: r.Handle},
					value, number(e.Low), number(e.High), to, {Text: fmt.Sprintf("%.2f", r.Setup.Seconds()*1e3)},
				})
			}
			tables = append(tables, t)
		}
	}
	return tables, nil
}
