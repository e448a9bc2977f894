package plots

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"cachesim/sim"
	"cachesim/sim/results"
)

// timedCells returns the timed cells of a group by capacity, each policy and
// version once: the first. Those in which no request reached the policy have no time.
func timedCells(rs []results.Result) (capacities []int64, cells map[int64][]results.Result) {
	cells = make(map[int64][]results.Result)
	type key struct {
		policy   string
		version  sim.Version
		capacity int64
	}
	seen := make(map[key]bool)
	for _, r := range rs {
		k := key{r.Policy, r.Version, r.Capacity}
		if !r.Timed || r.Requests == 0 || r.Unserved() || seen[k] {
			continue
		}
		seen[k] = true
		if cells[r.Capacity] == nil {
			capacities = append(capacities, r.Capacity)
		}
		cells[r.Capacity] = append(cells[r.Capacity], r)
	}
	return capacities, cells
}

// runTimePanels sorts timed cells into panels, all with the same policies.
func runTimePanels(st Style, timed []results.Result) (panels []panel, policies []string, styles []barStyle) {
	policies = names(timed, policyOf)
	timed = slices.Clone(timed)
	slices.SortStableFunc(timed, func(a, b results.Result) int { return nativeFirst(a) - nativeFirst(b) })
	engines := names(timed, func(r results.Result) string { return r.Engine })
	engines = slices.DeleteFunc(engines, func(e string) bool { return e == sim.NativeEngine && len(engines) > 1 })
	guests := slices.DeleteFunc(slices.Clone(timed), func(r results.Result) bool { return r.Engine == sim.NativeEngine })
	abis := names(guests, func(r results.Result) string { return r.ABI })
	style := func(r results.Result) barStyle {
		if r.Engine == sim.NativeEngine {
			return barStyle{abi: sim.NativeEngine, fill: gray}
		}
		return barStyle{abi: r.ABI, handle: r.Handle, fill: st.color(slices.Index(abis, r.ABI)), hatch: hatchOf(r.Handle)}
	}
	for _, e := range engines {
		var p panel
		if e != sim.NativeEngine {
			p.heading = e
		}
		for _, policy := range policies {
			var group []bar
			for _, r := range timed {
				if r.Policy != policy || r.Engine != e && r.Engine != sim.NativeEngine {
					continue
				}
				t, _ := TimePerRequest(r)
				b := bar{t.Value, t.Low, t.High, style(r)}
				group = append(group, b)
				if !slices.Contains(styles, b.style) {
					styles = append(styles, b.style)
				}
			}
			p.groups = append(p.groups, group)
		}
		panels = append(panels, p)
	}
	return panels, policies, styles
}

func nativeFirst(r results.Result) int {
	if r.Engine == sim.NativeEngine {
		return 0
	}
	return 1
}

// runTime draws running times as bars: a panel an engine, a group a policy, a
// bar a version, with its interval and its ratio to native. Policies that have no
// room beside each other get panels of their own. There is a figure for each
// trace and size, which it names.
func runTime(rows Rows, o Options) ([]Figure, error) {
	labels := Labels(rows.Results, o.Labels)
	var figures []Figure
	for _, g := range rows.timeGroups() {
		capacities, cells := timedCells(g.results)
		for _, c := range capacities {
			name := "runtime" + g.suffix
			if len(capacities) > 1 {
				name += "-" + capacityName(cells[c][0])
			}
			figures = append(figures, runTimeFigure(o, name, g.trace, cells[c], labels))
		}
	}
	return figures, nil
}

func runTimeFigure(o Options, name, trace string, timed []results.Result, labels map[string]string) Figure {
	st := o.Style
	panels, policies, styles := runTimePanels(st, timed)
	low, high := math.Inf(1), 0.0
	for _, p := range panels {
		for _, b := range slices.Concat(p.groups...) {
			low, high = min(low, b.low, b.median), max(high, b.high, b.median)
		}
	}
	for i, p := range policies {
		policies[i] = labels[p]
	}
	width := st.narrow()
	bars := sum(groupSlots(panels, policies, leastSlots))
	// Whether there is room for a number above each bar.
	roomy := func() bool {
		return (width-chartAxis)/vg.Length(min(bars, twoColumnsBars)) >= labelSize*0.95
	}
	// Whether a bar stands beside that of its native version.
	ratios := slices.ContainsFunc(panels, func(p panel) bool {
		return slices.ContainsFunc(p.groups, func(g []bar) bool { return len(g) > 1 && g[0].style.abi == sim.NativeEngine })
	})
	if bars > oneColumnBars || ratios && !roomy() {
		width = st.wide()
	}
	ratios = ratios && roomy()
	axis := timeAxis(low, high)
	note := fmt.Sprintf("%s, %s; median, whiskers: %s", trace, capacityText(timed[0]), whiskers(timed))
	label := func(g []bar, j int) string {
		if !ratios || j == 0 || g[0].style.abi != sim.NativeEngine || g[0].median <= 0 {
			return ""
		}
		return "×" + ratioLabel(g[j].median/g[0].median)
	}
	if ratios {
		note += "; ×: ratio to native"
		// The ratios need room above the bars.
		const share = 0.28
		if farApart(low, high) {
			bottom := math.Pow(10, math.Floor(math.Log10(low*0.9)))
			axis = logAxis(low, bottom*math.Pow(high/bottom, 1/(1-share)))
		} else if high > 0 {
			axis = linearAxis(high / (1 - share))
		}
	}
	for i := range panels {
		panels[i].unit = "ns per request"
	}
	ch := newBarChart(st, panels, policies, leastSlots, twoColumnsBars, axis, label)
	ch.unit = "ns per request"
	if n := len(panels) * len(ch.rows); n > 5 { // the figure is to fit on a page
		for i := range ch.rows {
			ch.rows[i].panel = max(0.75*panelHeight, panelHeight*5/vg.Length(n))
		}
	}
	h := newHeader(st, o.Title, width, barLegends(st, styles, width-2*margin)...).withNote(note, width)
	f := beside(name, h, width, ch)
	f.Title, f.Note, f.Panels, f.paints = o.Title, note, barPanels(panels, policies, "ns per request"), barPaints(panels)
	if ratios {
		labelBars(f.Panels, panels, label)
	}
	f.fitY(ch.rows[0].plots[0].Y)
	return f
}

// whiskers says what the intervals of timed cells are.
func whiskers(timed []results.Result) string {
	least, most := timed[0].Repeats, 0
	all := true
	for _, r := range timed {
		least, most = min(least, r.Repeats), max(most, r.Repeats)
		_, interval := TimePerRequest(r)
		all = all && interval
	}
	n := fmt.Sprint(most)
	if least < most {
		n = fmt.Sprintf("%d to %d", least, most)
	}
	if all {
		return "95 % interval of " + n + " replays"
	}
	return "range of " + n + " replays"
}

// barPanels returns what bars show: a series for each style.
func barPanels(panels []panel, names []string, unit string) []Panel {
	var list []Panel
	for _, p := range panels {
		out := Panel{Heading: p.heading, Mark: Bars, X: Axis{Categories: names}, Y: Axis{Unit: unit}}
		at := make(map[string]int)
		for i, g := range p.groups {
			for _, b := range g {
				name := b.style.series()
				j, ok := at[name]
				if !ok {
					j = len(out.Series)
					at[name] = j
					out.Series = append(out.Series, Series{Name: name})
				}
				out.Series[j].Points = append(out.Series[j].Points, Point{float64(i), b.median, b.low, b.high})
			}
		}
		list = append(list, out)
	}
	return list
}

// labelBars adds to the panels that barPanels made of panels what stands above bars.
func labelBars(list []Panel, panels []panel, label func(g []bar, j int) string) {
	for k, p := range panels {
		at := make(map[string]*Series)
		for i := range list[k].Series {
			at[list[k].Series[i].Name] = &list[k].Series[i]
		}
		for _, g := range p.groups {
			for j, b := range g {
				s := at[b.style.series()]
				s.labels = append(s.labels, label(g, j))
			}
		}
	}
}

// ratioLabel writes a ratio as short as a label above a bar must be.
func ratioLabel(v float64) string {
	switch {
	case v >= 1e4:
		return fmt.Sprintf("%.0e", v)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

const leastSlots = 3 // of a policy, whose name may be long

// timeHitRatio draws running time against hit ratio: a point for each policy, in
// its fastest version, and a line through those that no other one dominates.
func timeHitRatio(rows Rows, o Options) ([]Figure, error) {
	labels := Labels(rows.Results, o.Labels)
	look := rows.allLooks(labels)
	objectSize := rows.objectSizes()
	var whole []results.Result
	for _, g := range rows.ratioGroups() {
		whole = append(whole, ratios(g.results)...)
	}
	var figures []Figure
	for _, g := range rows.timeGroups() {
		capacities, cells := timedCells(g.results)
		for _, c := range capacities {
			p := Panel{Mark: Points, X: Axis{Label: "Running time", Unit: "ns per request", Log: true}, Y: Axis{Label: "Hit ratio", Unit: unitPercent}}
			for _, policy := range names(cells[c], policyOf) {
				best := -1
				for i, r := range cells[c] {
					if r.Policy == policy && r.Replay > 0 && (best < 0 || r.PerRequest() < cells[c][best].PerRequest()) {
						best = i
					}
				}
				if best < 0 {
					continue
				}
				timed := cells[c][best]
				i := slices.IndexFunc(whole, func(r results.Result) bool {
					return r.Policy == policy && r.Capacity == c && r.Cell.Trace == timed.Cell.Trace && r.TraceDigest == timed.TraceDigest &&
						r.Unit == timed.Unit && r.Metadata == timed.Metadata && objectSize(r) == objectSize(timed)
				})
				if i >= 0 {
					p.Series = append(p.Series, Series{Name: labels[policy], Points: []Point{{X: timed.PerRequest(), Y: hitRatio.of(whole[i])}}})
				}
			}
			if len(p.Series) == 0 {
				continue
			}
			p.front = paretoFront(p.Series)
			name := "time-hit-ratio" + g.suffix
			if len(capacities) > 1 {
				name += "-" + capacityName(cells[c][0])
			}
			ch := xyChart{name: name, title: o.Title, panels: []Panel{p}, looks: look}
			ch.note = fmt.Sprintf("%s, %s; line: no other policy is both faster and better", g.trace, capacityText(cells[c][0]))
			figures = append(figures, ch.figure(o))
		}
	}
	return figures, nil
}
