package plots

import (
	"image/color"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
	"cachesim/sim/results"
)

func TestRunTimePanels(t *testing.T) {
	cell := func(policy string, v version, capacity int64, ns int, timed bool) results.Result {
		d := time.Duration(ns) * time.Nanosecond
		return results.Result{
			Cell:  sim.Cell{Policy: policy, Version: sim.Version{Engine: v.engine, ABI: v.abi, Handle: v.handle}, Capacity: capacity, Requests: 10},
			Timed: timed, Replay: d, ReplayMin: d - 10, ReplayMax: d + 20,
		}
	}
	nat := version{engine: sim.NativeEngine}
	pair, uncached, batch, llvm := version{"cranelift", "pair", "srs"}, version{"cranelift", "pair", "uncached"}, version{"cranelift", "batch", "driver"}, version{"llvm", "pair", "srs"}
	capacities, cells := timedCells([]results.Result{
		cell("lru", nat, mib, 1, false), // not timed
		cell("lru", pair, 4*mib, 400, true),
		cell("lru", nat, 4*mib, 100, true), // not first among the results
		cell("lru", nat, 8*mib, 900, true), // another capacity
		cell("lru", llvm, 4*mib, 500, true),
		cell("fifo", nat, 4*mib, 50, true), // native only
		cell("lru", uncached, 4*mib, 800, true),
		cell("lfu", batch, 4*mib, 200, true), // no native
		cell("lru", pair, 4*mib, 401, true),  // a second time
		cell("arc", nat, 8*mib, 70, true),
	})
	if want := []int64{4 * mib, 8 * mib}; !slices.Equal(capacities, want) {
		t.Errorf("got capacities %d, want %d", capacities, want)
	}
	panels, policies, styles := runTimePanels(acm, cells[4*mib])
	style := func(v version, c color.Color, h hatch) barStyle {
		return barStyle{abi: v.abi, handle: v.handle, fill: c, hatch: h}
	}
	n := barStyle{abi: "native", fill: gray}
	bar10 := func(ns float64, s barStyle) bar { return bar{ns / 10, (ns - 10) / 10, (ns + 20) / 10, s} }
	sPair, sUncached, sBatch := style(pair, acm.color(0), solid), style(uncached, acm.color(0), striped), style(batch, acm.color(1), crossed)
	want := []panel{
		{heading: "cranelift", groups: [][]bar{
			{bar10(100, n), bar10(400, sPair), bar10(800, sUncached)},
			{bar10(50, n)},
			{bar10(200, sBatch)},
		}},
		{heading: "llvm", groups: [][]bar{
			{bar10(100, n), bar10(500, sPair)},
			{bar10(50, n)},
			nil,
		}},
	}
	if !reflect.DeepEqual(panels, want) {
		t.Errorf("got %+v\nwant %+v", panels, want)
	}
	if want := []string{"lru", "fifo", "lfu"}; !slices.Equal(policies, want) {
		t.Errorf("got policies %q, want %q", policies, want)
	}
	if want := []barStyle{n, sPair, sUncached, sBatch}; !slices.Equal(styles, want) {
		t.Errorf("got styles %v, want %v", styles, want)
	}
}

func TestRunTimePanelsOfNative(t *testing.T) {
	panels, _, styles := runTimePanels(acm, timed(four, defaults[:1], measured))
	if len(panels) != 1 || panels[0].heading != "" || len(panels[0].groups) != 4 || len(styles) != 1 {
		t.Errorf("got %+v, want one panel with four bars", panels)
	}
}

// TestBarsDiffer: versions of one engine have looks that can be told apart.
func TestBarsDiffer(t *testing.T) {
	_, _, styles := runTimePanels(acm, timed(four[:1], twoEngines[:18], measured))
	looks := make(map[barStyle]string)
	for _, s := range styles {
		look := barStyle{fill: s.fill, hatch: s.hatch}
		if other, taken := looks[look]; taken {
			t.Errorf("%s looks like %s", s.name(), other)
		}
		looks[look] = s.name()
	}
	if len(looks) != 18 {
		t.Errorf("got %d looks, want 18", len(looks))
	}
}

// TestBarLegends: a sample for each version while they are few, and for each ABI
// and each handle where they are many.
func TestBarLegends(t *testing.T) {
	tests := []struct {
		versions []version
		want     []string
	}{
		{defaults[:4], []string{"native|pair, srs|bytemuck-static, srs|batch, srs"}},
		{twoEngines[:18], []string{"native|pair|bincode|bytemuck|bytemuck-static|bincode-static|batch", "handle uncached|handle srs|handle driver"}},
		{[]version{{"llvm", "", ""}}, []string{""}}, // nobody says that results are complete
	}
	for _, tt := range tests {
		_, _, styles := runTimePanels(acm, timed(four, tt.versions, measured))
		var got []string
		for _, l := range barLegends(acm, styles, twoColumns) {
			var words []string
			for _, e := range l.entries {
				words = append(words, e.text)
			}
			got = append(got, strings.Join(words, "|"))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%d versions: got %q, want %q", len(tt.versions), got, tt.want)
		}
	}
}

func TestTimeAxis(t *testing.T) {
	tests := []struct {
		low, high float64
		want      string
		minor     bool // 2 to 9 times a power of ten are marked: the axis is logarithmic
	}{
		{25, 85, "0 20 40 60 80", false},
		{25, 370, "0 100 200 300", false},
		{25, 380, "10 100", true},
		{10, 1500, "1 10 100 1000", true},
		{0.0023, 0.13, "0.001 0.01 0.1", true},
		{0.2, 0.7, "0.0 0.2 0.4 0.6", false},
		{0, 0, "0.0 0.2 0.4 0.6 0.8 1.0", false},
		{0, 900, "0 200 400 600 800", false},
		{3e9, 7e9, "0 2e+09 4e+09 6e+09", false},
		{2, 3e9, "1 100 1e4 1e6 1e8", true},
	}
	for _, tt := range tests {
		p := acm.plot("", "")
		timeAxis(tt.low, tt.high)(p)
		got, without := labels(p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max))
		if s := strings.Join(got, " "); s != tt.want || (without > 0) != tt.minor {
			t.Errorf("%g to %g: got %s and %d ticks without labels, want %s", tt.low, tt.high, s, without, tt.want)
		}
		if p.Y.Max < tt.high {
			t.Errorf("%g to %g: the axis ends at %g", tt.low, tt.high, p.Y.Max)
		}
	}
}
