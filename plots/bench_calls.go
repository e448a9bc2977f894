package plots

import (
	"slices"

	"gonum.org/v1/plot/vg"

	"cachesim/sim"
	"cachesim/sim/results"
)

// So many bars and gaps, with slanting names below, have room beside each other
// in two columns of a paper.
const twoColumnsTests = 110

// callPanels sorts costs of calls into panels: an engine's bars, a group a test,
// a bar a build mode, native ones in each. Styles are those of release builds.
func callPanels(costs []results.CallCost, look callLook) (panels []panel, tests []string, styles []barStyle) {
	tests = values(costs, testOf)
	builds := modes(costs)
	for _, e := range guestEngines(costs) {
		p := panel{heading: heading(e)}
		for _, test := range tests {
			var group []bar
			for _, engine := range slices.Compact([]string{sim.NativeEngine, e}) {
				for i, mode := range builds {
					c, ok := find(costs, test, engine, mode)
					if !ok {
						continue
					}
					style := look(c)
					if !slices.Contains(styles, style) {
						styles = append(styles, style)
					}
					style.pale = i > 0
					group = append(group, bar{c.Call.Median, c.Call.Low, c.Call.High, style})
				}
			}
			p.groups = append(p.groups, group)
		}
		panels = append(panels, p)
	}
	return panels, tests, styles
}

// benchCalls draws what a call of each test takes: a panel an engine, a bar a
// test and build mode.
func benchCalls(o Options, costs []results.CallCost, look callLook) (Figure, bool) {
	st := o.Style
	if len(costs) == 0 {
		return Figure{}, false
	}
	panels, tests, styles := callPanels(costs, look)
	var s span
	for _, p := range panels {
		for _, b := range slices.Concat(p.groups...) {
			s.add(b.low, b.median, b.high)
		}
	}
	const least = 2 // slots of a test
	width := st.narrow()
	if sum(groupSlots(panels, tests, least)) > oneColumnBars {
		width = st.wide()
	}
	for i := range panels {
		panels[i].unit = perCall(st, modes(costs))
	}
	ch := newBarChart(st, panels, tests, least, twoColumnsTests, s.log(), nil)
	ch.unit = panels[0].unit
	if n := len(panels) * len(ch.rows); n > 4 { // the figure is to fit on a page
		for i := range ch.rows {
			ch.rows[i].panel = max(0.8*vg.Inch, min(panelHeight, 6.6*vg.Inch/vg.Length(n)))
		}
	}
	legends := barLegends(st, styles, width-2*margin)
	legends = append(legends, modeLegends(st, modes(costs), black, width-2*margin)...)
	f := beside("bench-calls", newHeader(st, o.Title, width, legends...), width, ch)
	f.Panels, f.paints = barPanels(panels, tests, ch.unit), barPaints(panels)
	f.fitY(ch.rows[0].plots[0].Y)
	return f, true
}
