package plots

import (
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
