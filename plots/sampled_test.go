package plots

import (
	"math"
	"slices"
	"strings"
	"testing"

	"cachesim/sim"
	"cachesim/sim/results"
)

// TestSampled: a table says what is estimated, and shows an exact result rather
// than an estimate of the same cell, the better estimate rather than the other.
func TestSampled(t *testing.T) {
	result := func(policy string, hits int64, rate float64, salts int) results.Result {
		r := results.Result{Cell: sim.Cell{Trace: "t", Policy: policy, Requests: 100, Capacity: 64, Unit: sim.UnitBytes,
			Version: sim.Version{Engine: sim.NativeEngine}}, Whole: true, Tally: sim.Tally{Gets: 100, Hits: hits}}
		if rate > 0 {
			r.Sampling = sim.Sampling{Rate: rate, Salts: salts}
		}
		return r
	}
	for _, tt := range []struct {
		results []results.Result
		note    string
		shown   string
	}{
		{[]results.Result{result("fifo", 11, 0, 0)}, "", "11.00"},
		{[]results.Result{result("fifo", 12, 0.01, 3), result("lru", 50, 0, 0)}, "Estimated from a 1 % sample, 3 salts; exact: LRU.", "12.00"},
		{[]results.Result{result("fifo", 12, 0.01, 3), result("fifo", 13, 0.1, 1)}, "Estimated from a 10 % sample, 1 salt.", "13.00"},
		{[]results.Result{result("fifo", 12, 0.01, 3), result("fifo", 14, 0, 0)}, "", "14.00"},
	} {
		tables, err := Tables(Rows{Results: tt.results}, Options{}, "hit-ratio")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := tables[0].Render(&b, "text"); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.Contains(got, tt.note) || tt.note == "" && strings.Contains(got, "stimated") || !strings.Contains(got, tt.shown) {
			t.Errorf("want %q and %s in\n%s", tt.note, tt.shown, got)
		}
	}
}

// TestSampledRates: what is drawn over the rate of samples has a point for each
// rate, and the exact result at 100 %; other figures show the exact one.
func TestSampledRates(t *testing.T) {
	var rs []results.Result
	for _, r := range []struct {
		rate, raised float64
		hits         int64
	}{{0.01, 0, 300}, {0.02, 0.04, 320}, {0, 0, 325}} {
		rs = append(rs, results.Result{Cell: sim.Cell{Trace: "t", Policy: "lru", Requests: 1000, Capacity: 64, Unit: sim.UnitBytes,
			Version: sim.Version{Engine: sim.NativeEngine}, Sampling: sim.Sampling{Rate: r.rate}},
			Sampled: sim.Sampled{RateUsed: r.raised}, Whole: true, Tally: sim.Tally{Gets: 1000, Hits: r.hits}})
	}
	for _, tt := range []struct {
		x    string
		want []Point
	}{
		{"sample", []Point{{X: 1, Y: 30}, {X: 4, Y: 32}, {X: 100, Y: 32.5}}},
		{"size", []Point{{X: 64, Y: 32.5}}},
	} {
		figs, err := Make(Rows{Results: rs}, Options{X: AxisOptions{Of: tt.x}}, "values")
		if err != nil {
			t.Fatal(err)
		}
		if got := figs[0].Panels[0].Series; len(got) != 1 || !slices.Equal(got[0].Points, tt.want) {
			t.Errorf("by %s: got %v, want %v", tt.x, got, tt.want)
		}
	}
}

// TestSampledIntervals: estimates from several samples have error bars in
// figures, by Student's t, and are not better than what is within them.
func TestSampledIntervals(t *testing.T) {
	result := func(policy string, capacity, hits int64, rate, sd float64) results.Result {
		r := results.Result{Cell: sim.Cell{Trace: "t", Policy: policy, Requests: 1000, Capacity: capacity, Unit: sim.UnitBytes,
			Version: sim.Version{Engine: sim.NativeEngine}}, Whole: true, Tally: sim.Tally{Gets: 1000, Hits: hits}}
		if rate > 0 {
			r.Sampling, r.HitRatioSD = sim.Sampling{Rate: rate, Salts: 3}, sd
		}
		return r
	}
	rs := []results.Result{
		result("fifo", 64, 200, 0, 0), result("fifo", 128, 400, 0, 0),
		result("lru", 64, 300, 0.01, 0.01), result("lru", 128, 500, 0.01, 0.02),
		result("arc", 64, 310, 0.01, 0.01), result("arc", 128, 700, 0.01, 0.01),
	}
	for _, tt := range []struct {
		kind string
		want map[string][]Point // but for fifo
	}{
		// t of 2 degrees of freedom is 4.3027; over the root of 3 salts 2.4842.
		{"hit-ratio", map[string][]Point{"LRU": {{64, 30, 27.5158, 32.4842}, {128, 50, 45.0317, 54.9683}}, "ARC": {{64, 31, 28.5158, 33.4842}, {128, 70, 67.5158, 72.4842}}}},
		{"miss-ratio", map[string][]Point{"LRU": {{64, 70, 67.5158, 72.4842}, {128, 50, 45.0317, 54.9683}}}},
		{"improvement", map[string][]Point{"LRU": {{64, 12.5, 9.3948, 15.6052}, {128, 16.6667, 8.3862, 24.9471}}}},
	} {
		figs, err := Make(Rows{Results: rs}, Options{}, tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range figs[0].Panels[0].Series {
			for i, want := range tt.want[s.Name] {
				got := s.Points[i]
				for _, d := range []float64{got.X - want.X, got.Y - want.Y, got.Low - want.Low, got.High - want.High} {
					if math.Abs(d) > 1e-4 {
						t.Errorf("%s, %s: got %v, want %v", tt.kind, s.Name, got, want)
						break
					}
				}
			}
			if s.Name == "FIFO" && s.Points[0].hasInterval() {
				t.Errorf("%s: exact results have an interval: %v", tt.kind, s.Points[0])
			}
		}
		if note := "with the 95 % interval"; !strings.Contains(figs[0].Note, note) {
			t.Errorf("%s: note %q, want %q in it", tt.kind, figs[0].Note, note)
		}
	}
	tables, err := Tables(Rows{Results: rs}, Options{}, "hit-ratio")
	if err != nil {
		t.Fatal(err)
	}
	best := make(map[string]bool) // policy and column
	for _, row := range tables[0].Rows {
		for i, c := range row {
			best[row[0].Text+tables[0].Header[i]] = c.Best
		}
	}
	if !best["ARC64 B"] || !best["LRU64 B"] || !best["ARC128 B"] || best["LRU128 B"] {
		t.Errorf("best are %v; want ARC, and at 64 B LRU, which overlaps it", best)
	}
}
