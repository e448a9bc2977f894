package plots

import (
	"slices"

	"github.com/dustin/go-humanize"
	"gonum.org/v1/plot/vg"

	"cachesim/sim"
	"cachesim/sim/results"
)

// compiledTest is the test whose compiling is shown, where an engine ran it.
const compiledTest = "pair-cached-preload"

var (
	setupStyle = barStyle{fill: palette[2]}
	callStyle  = barStyle{fill: palette[0]}
	totalStyle = barStyle{fill: palette[1], hatch: striped}
)

// compileBars returns, for each engine that compiles, what compiling and
// instantiating take, and a call without them and with them, as the costs in
// shown say. Names are those of the engines, with the test's where it is not
// that of the first.
func compileBars(costs []results.CallCost) (setup, share panel, names []string, shown []results.CallCost) {
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
func benchCompile(costs []results.CallCost, title string, _ looks) (Figure, bool) {
	setup, share, names, shown := compileBars(costs)
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
	width := vg.Length(oneColumn)
	if all > oneColumnBars*2/3 { // the second axis takes room, too
		width = twoColumns
	}
	left := newBarChart([]panel{setup}, names, least, all, s.fit())
	right := newBarChart([]panel{share}, names, least, all, calls.fit())
	list := modes(shown)
	left.unit, right.unit = inBuild(unit+" per run", list), perCall(list)

	with := "calls with set-up"
	if n := shown[0].Calls; n > 0 && !slices.ContainsFunc(shown, func(c results.CallCost) bool { return c.Calls != n }) {
		with += ", " + humanize.Comma(int64(n)) + " a run"
	}
	legends := []legend{newLegend([]legendEntry{
		barEntry("set-up: compiling, instantiating", setupStyle),
		barEntry("calls alone", callStyle),
		barEntry(with, totalStyle),
	}, width-2*margin)}
	legends = append(legends, modeLegends(list, black, width-2*margin)...)
	return beside("bench-compile", newHeader(title, width, legends...), width, left, right), true
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
