package plots

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"cachesim/sim"
	"cachesim/sim/results"
)

// Which costs a kind of figure shows.
const (
	callCosts    = results.CostOfCall
	payloadCosts = results.CostOfPayload
	partCosts    = results.CostOfPart
)

// benchKind draws the costs of the micro benchmark of a kind. Of several costs of
// a test, engine and mode the first counts.
func benchKind(kind string, draw func(Options, []results.CallCost, callLook) (Figure, bool)) func(Rows, Options) ([]Figure, error) {
	return func(rows Rows, o Options) ([]Figure, error) {
		if f, ok := draw(o, ofKind(rows.Costs, kind), callLooks(o.Style, rows.Costs)); ok {
			f.Title = o.Title
			return []Figure{f}, nil
		}
		return nil, nil
	}
}

// measurable returns what is wrong with c's numbers, as drawable does with those
// of a result. A part is a difference, which noise can make negative.
func measurable(c results.CallCost) error {
	const most = 1e18 // ns: 30 years
	stats := map[string]results.Stats{"call": c.Call}
	least := 0.0
	switch c.Kind {
	case results.CostOfCall:
		stats["total"], stats["setup"] = c.Total, c.Setup
	case results.CostOfPayload:
		if c.Payload <= 0 {
			return fmt.Errorf("payload of %d bytes: want a positive number", c.Payload)
		}
	case results.CostOfPart:
		least = -most
	}
	for _, what := range []string{"call", "total", "setup"} {
		s := stats[what]
		for _, v := range []float64{s.Median, s.Low, s.High} {
			if !(v >= least && v <= most) { // NaN is neither
				return fmt.Errorf("%s of %g ns, from %g to %g: want numbers from %g to %g", what, s.Median, s.Low, s.High, least, most)
			}
		}
	}
	return nil
}

func ofKind(costs []results.CallCost, kind string) []results.CallCost {
	return slices.DeleteFunc(slices.Clone(costs), func(c results.CallCost) bool { return c.Kind != kind })
}

// values returns the distinct values of f over costs, in their order.
func values(costs []results.CallCost, f func(results.CallCost) string) []string {
	var list []string
	for _, c := range costs {
		if v := f(c); !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

func testOf(c results.CallCost) string   { return c.Test }
func engineOf(c results.CallCost) string { return c.Engine }

// guestEngines returns the engines that have panels of their own: native is
// drawn beside the others, or alone.
func guestEngines(costs []results.CallCost) []string {
	engines := values(costs, engineOf)
	return slices.DeleteFunc(engines, func(e string) bool { return e == sim.NativeEngine && len(engines) > 1 })
}

// heading is what stands above an engine's panel.
func heading(engine string) string {
	if engine == sim.NativeEngine {
		return ""
	}
	return engine
}

// find returns the first cost of a test on an engine in a mode.
func find(costs []results.CallCost, test, engine, mode string) (results.CallCost, bool) {
	i := slices.IndexFunc(costs, func(c results.CallCost) bool { return c.Test == test && c.Engine == engine && c.Mode == mode })
	if i < 0 {
		return results.CallCost{}, false
	}
	return costs[i], true
}

const releaseMode = "release"

// modes returns the build modes of costs, release first.
func modes(costs []results.CallCost) []string {
	list := values(costs, func(c results.CallCost) string { return c.Mode })
	if i := slices.Index(list, releaseMode); i > 0 {
		list = slices.Insert(slices.Delete(list, i, i+1), 0, releaseMode)
	}
	return list
}

// inOneMode returns the costs of the release build, or of the first there is.
func inOneMode(costs []results.CallCost) []results.CallCost {
	list := modes(costs)
	return slices.DeleteFunc(slices.Clone(costs), func(c results.CallCost) bool { return c.Mode != list[0] })
}

// perCall is the unit of costs in modes. No legend tells of a single mode.
func perCall(st Style, modes []string) string { return inBuild(st, "ns per call", modes) }

func inBuild(st Style, unit string, modes []string) string {
	if len(modes) != 1 || modes[0] == releaseMode || modes[0] == "" {
		return unit
	}
	return unit + " (" + shorten(modes[0], st.text(textSize), 30) + " build)"
}

// modeLegends tells builds apart, by bars in a style, if there are several.
func modeLegends(st Style, modes []string, fill color.Color, width vg.Length) []legend {
	if len(modes) < 2 {
		return nil
	}
	var entries []legendEntry
	for i, m := range modes {
		entries = append(entries, barEntry(m+" build", barStyle{fill: fill, pale: i > 0}))
	}
	return []legend{newLegend(st, entries, width)}
}

// callLook returns the style of a test: its ABI's colour and its handle's pattern,
// which are the same in all figures.
type callLook func(results.CallCost) barStyle

func callLooks(st Style, costs []results.CallCost) callLook {
	abis := values(costs, func(c results.CallCost) string { return c.ABI })
	abis = slices.DeleteFunc(abis, func(abi string) bool { return abi == "" })
	return func(c results.CallCost) barStyle {
		switch {
		case c.Engine == sim.NativeEngine:
			return barStyle{abi: sim.NativeEngine, fill: gray}
		case c.ABI == "":
			return barStyle{abi: c.Test, fill: darkGray}
		}
		return barStyle{abi: c.ABI, handle: c.Handle, fill: st.color(slices.Index(abis, c.ABI)), hatch: hatchOf(c.Handle)}
	}
}

// span is the range of an axis.
type span struct{ low, high float64 }

// add widens s by the numbers that a logarithmic axis can show.
func (s *span) add(numbers ...float64) {
	for _, v := range numbers {
		if v > 0 {
			if s.low == 0 {
				s.low = v
			}
			s.low, s.high = min(s.low, v), max(s.high, v)
		}
	}
}

// log returns a logarithmic axis, of so many decades at most that bars differ.
func (s span) log() func(*plot.Plot) {
	if s.high < 1e-9 { // the clock saw nothing
		return timeAxis(0, 0)
	}
	low := max(s.low, s.high/1e9)
	decade := math.Pow(10, math.Floor(math.Log10(low*0.9)))
	return logAxis(low, max(s.high, 8*decade)) // two powers of ten have labels
}

// fit returns a logarithmic axis where the numbers are far apart.
func (s span) fit() func(*plot.Plot) {
	if s.high > 15*s.low || s.high < 1e-9 {
		return s.log()
	}
	return timeAxis(0, s.high)
}

// number writes v as short as a label above a bar must be.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 100 && v < 1e6:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 && v < 100:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1 && v < 10:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
