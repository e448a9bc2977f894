package plots

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"cachesim/sim"
	"cachesim/sim/results"
)

// runTimePanels sorts timed cells into panels, all with the same policies.
// They are those of the first capacity that was timed; of several results of a
// version the first counts.
func runTimePanels(rs []results.Result) (panels []panel, policies []string, styles []barStyle) {
	var timed []results.Result
	for _, r := range rs {
		if r.Timed && r.Requests > 0 && (len(timed) == 0 || r.Capacity == timed[0].Capacity) &&
			!slices.ContainsFunc(timed, func(t results.Result) bool { return t.Policy == r.Policy && t.Version == r.Version }) {
			timed = append(timed, r)
		}
	}
	policies = names(timed, func(r results.Result) string { return r.Policy })
	slices.SortStableFunc(timed, func(a, b results.Result) int { return nativeFirst(a) - nativeFirst(b) })
	engines := names(timed, func(r results.Result) string { return r.Engine })
	engines = slices.DeleteFunc(engines, func(e string) bool { return e == sim.NativeEngine && len(engines) > 1 })
	guests := slices.DeleteFunc(slices.Clone(timed), func(r results.Result) bool { return r.Engine == sim.NativeEngine })
	abis := names(guests, func(r results.Result) string { return r.ABI })
	style := func(r results.Result) barStyle {
		if r.Engine == sim.NativeEngine {
			return barStyle{abi: "native", fill: gray}
		}
		return barStyle{abi: r.ABI, handle: r.Handle, fill: palette[slices.Index(abis, r.ABI)%len(palette)], hatch: hatchOf(r.Handle)}
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
				n := float64(r.Requests)
				b := bar{r.PerRequest(), float64(r.ReplayMin) / n, float64(r.ReplayMax) / n, style(r)}
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
// bar a version, with the range over the repeats. Policies that have no room
// beside each other get panels of their own.
func runTime(rs []results.Result, title string) (Figure, bool) {
	panels, policies, styles := runTimePanels(rs)
	if len(policies) == 0 {
		return Figure{}, false
	}
	low, high := math.Inf(1), 0.0
	for _, p := range panels {
		for _, b := range slices.Concat(p.groups...) {
			low, high = min(low, b.low, b.median), max(high, b.high, b.median)
		}
	}
	width := vg.Length(oneColumn)
	if sum(groupSlots(panels, policies, leastSlots)) > oneColumnBars {
		width = twoColumns
	}
	ch := newBarChart(panels, policies, leastSlots, twoColumnsBars, timeAxis(low, high))
	ch.unit = "ns per request"
	h := newHeader(title, width, barLegends(styles, width-2*margin)...)
	return beside("runtime", h, width, ch), true
}

const leastSlots = 3 // of a policy, whose name may be long
