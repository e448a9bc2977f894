package plots

import (
	"slices"

	"github.com/dustin/go-humanize"

	"cachesim/sim"
	"cachesim/sim/results"
)

// compiledTest is the test whose compiling is shown, where an engine ran it.
const compiledTest = "pair-cached-preload"

// compileStyles are the looks of set-up, of calls and of calls with set-up.
func compileStyles(st Style) (setup, call, total barStyle) {
	return barStyle{abi: "set-up", fill: st.color(2)}, barStyle{abi: "calls alone", fill: st.color(0)}, barStyle{abi: "calls with set-up", fill: st.color(1), hatch: striped}
}

// compileBars returns, for each engine that compiles, what compiling and
// instantiating take, and a call without them and with them, as the costs in
// shown say. Names are those of the engines, with the test's where it is not
// that of the first.
func compileBars(st Style, costs []results.CallCost) (setup, share panel, names []string, shown []results.CallCost) {
	setupStyle, callStyle, totalStyle := compileStyles(st)
	for _, engine := range guestEngines(costs) {
		of := slices.DeleteFunc(slices.Clone(costs), func(c results.CallCost) bool { return c.Engine != engine })
		test := of[0].Test
		if slices.Contains(values(of, testOf), compiledTest) {
			test = compiledTest
		}
		var setups, calls []bar
		var found []results.CallCost
		for i, mode := range modes(costs) {
			c, ok := find(of, test, engine, mode)
			if !ok || c.Setup.Median == 0 {
				continue
			}
			made := func(s results.Stats, style barStyle) bar {
				style.pale = i > 0
				return bar{s.Median, s.Low, s.High, style}
			}
			setups = append(setups, made(c.Setup, setupStyle))
			calls = append(calls, made(c.Call, callStyle), made(c.Total, totalStyle))
			found = append(found, c)
		}
		if engine == sim.NativeEngine || len(found) == 0 {
			continue
		}
		shown = append(shown, found...)
		if test != shown[0].Test {
			engine += " (" + test + ")"
		}
		names = append(names, engine)
		setup.groups = append(setup.groups, setups)
		share.groups = append(share.groups, calls)
	}
	return setup, share, names, shown
}

// benchCompile draws what compiling and instantiating take, and beside it what
// they add to a call.
func benchCompile(o Options, costs []results.CallCost, _ callLook) (Figure, bool) {
	st := o.Style
	setup, share, names, shown := compileBars(st, costs)
	if len(names) == 0 {
		return Figure{}, false
	}
	var s, calls span
	for _, b := range slices.Concat(setup.groups...) {
		s.add(b.low, b.median, b.high)
	}
	for _, b := range slices.Concat(share.groups...) {
		calls.add(b.low, b.median, b.high)
	}
	unit, scale := setupUnit(s)
	for _, g := range setup.groups {
		for i := range g {
			g[i].median, g[i].low, g[i].high = g[i].median/scale, g[i].low/scale, g[i].high/scale
		}
	}
	s = span{s.low / scale, s.high / scale}
	setup.heading = "set-up"
	share.heading = "calls of " + shown[0].Test

	const least = 2 // slots of an engine
	all := sum(groupSlots([]panel{setup}, names, least)) + sum(groupSlots([]panel{share}, names, least))
	width := st.narrow()
	if all > oneColumnBars*2/3 { // the second axis takes room, too
		width = st.wide()
	}
	list := modes(shown)
	setup.unit, share.unit = inBuild(st, unit+" per run", list), perCall(st, list)
	left := newBarChart(st, []panel{setup}, names, least, all, s.fit(), nil)
	right := newBarChart(st, []panel{share}, names, least, all, calls.fit(), nil)
	left.unit, right.unit = setup.unit, share.unit

	with := "calls with set-up"
	if n := shown[0].Calls; n > 0 && !slices.ContainsFunc(shown, func(c results.CallCost) bool { return c.Calls != n }) {
		with += ", " + humanize.Comma(int64(n)) + " a run"
	}
	setupStyle, callStyle, totalStyle := compileStyles(st)
	legends := []legend{newLegend(st, []legendEntry{
		barEntry("set-up: compiling, instantiating", setupStyle),
		barEntry("calls alone", callStyle),
		barEntry(with, totalStyle),
	}, width-2*margin)}
	legends = append(legends, modeLegends(st, list, black, width-2*margin)...)
	f := beside("bench-compile", newHeader(st, o.Title, width, legends...), width, left, right)
	f.Panels = append(barPanels([]panel{setup}, names, left.unit), barPanels([]panel{share}, names, right.unit)...)
	f.fitY(left.rows[0].plots[0].Y, right.rows[0].plots[0].Y)
	f.columns, f.paints = 2, barPaints([]panel{setup, share})
	return f, true
}

// setupUnit returns the unit that suits times, and its nanoseconds.
func setupUnit(s span) (unit string, ns float64) {
	switch {
	case s.high >= 1e10:
		return "s", 1e9
	case s.high >= 1e6:
		return "ms", 1e6
	case s.high >= 1e3:
		return "µs", 1e3
	}
	return "ns", 1
}
