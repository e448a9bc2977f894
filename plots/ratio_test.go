package plots

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"cachesim/sim"
	"cachesim/sim/results"
)

func TestRatioSeries(t *testing.T) {
	cell := func(policy, engine string, capacity, hits int64, whole bool) results.Result {
		return results.Result{Cell: sim.Cell{Policy: policy, Version: sim.Version{Engine: engine}, Capacity: capacity, Requests: 200}, Tally: sim.Tally{Gets: 200, Hits: hits}, Whole: whole}
	}
	rs := []results.Result{
		cell("lru", "native", 4*mib, 50, true),
		cell("lru", "native", mib, 20, true),
		cell("fifo", "native", 2*mib, 30, true),
		cell("lru", "cranelift", 4*mib, 50, true), // another version, the same point
		cell("lru", "native", 2*mib, 40, false),   // the start of the trace only
		cell("lfu", "native", 2*mib, 40, false),
		cell("lru", "cranelift", 2*mib, 45, true), // a size that native lacks
		cell("fifo", "native", mib, 0, true),
	}
	got := bySize(hitRatio.usable(rs), map[string]string{"lru": "LRU", "fifo": "FIFO"}, hitRatio.measure)
	want := []Series{
		{Name: "LRU", Points: []Point{{X: mib, Y: 10}, {X: 2 * mib, Y: 22.5}, {X: 4 * mib, Y: 25}}},
		{Name: "FIFO", Points: []Point{{X: mib, Y: 0}, {X: 2 * mib, Y: 15}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// labels returns the labels of ticks, and how many ticks have none.
func labels(ticks []plot.Tick) (list []string, without int) {
	for _, t := range ticks {
		if t.Label == "" {
			without++
		} else {
			list = append(list, t.Label)
		}
	}
	return list, without
}

func TestSizeTicks(t *testing.T) {
	tests := []struct {
		sizes   []float64
		want    string
		without int
	}{
		{[]float64{64 * mib}, "64 MiB", 0},
		{[]float64{5_000_000}, "4.8 MiB", 0},
		{[]float64{1000}, "1000 B", 0},
		{[]float64{4 * mib, 8 * mib}, "4 MiB, 8 MiB", 0},
		{[]float64{512, 1024, 2048}, "512 B, 1 KiB, 2 KiB", 0},
		{[]float64{mib, 32 * mib}, "1 MiB, 2 MiB, 4 MiB, 8 MiB, 16 MiB, 32 MiB", 0},
		{[]float64{mib, 64 * mib}, "1 MiB, 4 MiB, 16 MiB, 64 MiB", 3},
		{[]float64{4 * mib, 8 << 30}, "8 MiB, 32 MiB, 128 MiB, 512 MiB, 2 GiB, 8 GiB", 6},
		{[]float64{3_000_000, 90_000_000}, "4 MiB, 8 MiB, 16 MiB, 32 MiB, 64 MiB", 0},
		{[]float64{100 * mib, 110 * mib, 120 * mib}, "100 MiB, 110 MiB, 120 MiB", 0},
		{[]float64{100 * mib, 101 * mib, 119 * mib, 120 * mib}, "101 MiB, 120 MiB", 2},
		{[]float64{7.01 * mib, 7.02 * mib, 7.03 * mib, 7.04 * mib}, "7 MiB", 3},
	}
	for _, tt := range tests {
		low, high := tt.sizes[0], tt.sizes[len(tt.sizes)-1]
		got, without := labels(sizeTicks{tt.sizes, unitBytes}.Ticks(low/1.01, high*1.01))
		if s := strings.Join(got, ", "); s != tt.want || without != tt.without {
			t.Errorf("%.0f: got %s and %d without a label, want %s and %d", tt.sizes, s, without, tt.want, tt.without)
		}
	}
}

// TestSizeTicksHaveRoom tries many ranges: labels are few, differ and do not
// touch on an axis as long as that of the figure.
func TestSizeTicksHaveRoom(t *testing.T) {
	const axis = 200 // points; the figure is 240 wide
	style := textStyle(tickSize)
	for n := 2; n <= 40; n++ {
		for _, factor := range []float64{1.001, 1.03, 1.2, 1.5, 2, 2.7, 8} {
			if math.Pow(factor, float64(n)) > 1e13 {
				continue
			}
			var sizes []float64
			for i := range n {
				sizes = append(sizes, math.Round(5e5*math.Pow(factor, float64(i))))
			}
			low, high := sizes[0]/1.01, sizes[n-1]*1.01
			ticks := sizeTicks{sizes, unitBytes}.Ticks(low, high)
			list, _ := labels(ticks)
			if len(list) < 1 || len(list) > 6 {
				t.Errorf("%d sizes, each %g times the one before: %d labels, want 1 to 6", n, factor, len(list))
			}
			end, last := math.Inf(-1), ""
			for _, tick := range ticks {
				if tick.Label == "" {
					continue
				}
				middle := axis * math.Log(tick.Value/low) / math.Log(high/low)
				half := style.Width(tick.Label).Points() / 2
				if middle-half < end+1 || tick.Label == last {
					t.Errorf("%d sizes, each %g times the one before: %q and %q touch or are the same", n, factor, last, tick.Label)
				}
				end, last = middle+half, tick.Label
			}
		}
	}
}

func TestRatioRange(t *testing.T) {
	tests := []struct {
		low, high float64
		want      string
	}{
		{0, 100, "0 20 40 60 80 100"},
		{11.1, 71.4, "0 20 40 60 80"},
		{11.1, 47.6, "10 20 30 40 50"},
		{38, 41.5, "38 39 40 41 42"},
		{0.17, 0.67, "0.0 0.2 0.4 0.6 0.8"}, // at most one percent
		{0.0012, 0.0067, "0.000 0.002 0.004 0.006 0.008"},
		{80.1, 80.7, "80.0 80.2 80.4 80.6 80.8"},
		{37.2, 37.2, "36.8 37.0 37.2 37.4 37.6"}, // all equal
		{0, 0, "0.0 0.2 0.4 0.6 0.8"},
		{100, 100, "99.2 99.4 99.6 99.8 100.0"},
		{99.9, 100, "99.2 99.4 99.6 99.8 100.0"},
	}
	for _, tt := range tests {
		low, high, step := ratioRange(tt.low, tt.high)
		got, _ := labels(steps(step).Ticks(low, high))
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%g to %g: got %s, want %s", tt.low, tt.high, s, tt.want)
		}
	}
}

// TestRatioRangeHoldsAll tries many ranges: the axis has all values on it, stays
// within 0 to 100, and has a few ticks.
func TestRatioRangeHoldsAll(t *testing.T) {
	for a := 0.0; a <= 100; a += 0.37 {
		for _, d := range []float64{0, 0.001, 0.3, 1, 2.5, 7, 33, 100} {
			b := min(100, a+d)
			low, high, step := ratioRange(a, b)
			if low < 0 || high > 100+1e-9 || low > a+1e-6 || high < b-1e-6 {
				t.Errorf("%g to %g: the axis goes from %g to %g", a, b, low, high)
			}
			if got, _ := labels(steps(step).Ticks(low, high)); len(got) < 4 || len(got) > 8 || distinct(got) != len(got) {
				t.Errorf("%g to %g: labels %q", a, b, got)
			}
		}
	}
}

func distinct(list []string) int {
	set := make(map[string]bool)
	for _, s := range list {
		set[s] = true
	}
	return len(set)
}

// TestHitRatioWidth: one column of a paper, or two where there are many lines with a name in the
// legend; of still more only the best have names, at their ends.
func TestHitRatioWidth(t *testing.T) {
	for n, want := range map[int]vg.Length{1: oneColumn, 8: oneColumn, 9: twoColumns, 12: twoColumns, 40: oneColumn} {
		f := one(t, swept(count(n, "p%d"), sizesOf(mib, 5), rising), "")
		if f.Width != want {
			t.Errorf("%d policies: got a width of %v, want %v", n, f.Width, want)
		}
	}
}

// TestLooks compares the looks of series: of twelve any two differ in at least
// two of colour, dashes and marker, of many in one.
func TestLooks(t *testing.T) {
	differences := func(i, j int) int {
		n := 0
		for _, differ := range []bool{
			acm.line(i).Color != acm.line(j).Color,
			!reflect.DeepEqual(acm.line(i).Dashes, acm.line(j).Dashes),
			acm.glyph(i).Shape != acm.glyph(j).Shape,
		} {
			if differ {
				n++
			}
		}
		return n
	}
	for i := range 280 {
		for j := range i {
			if n := differences(i, j); n == 0 || n < 2 && i < 12 {
				t.Errorf("series %d and %d differ in %d ways", j, i, n)
			}
		}
		if acm.line(i).Color != acm.glyph(i).Color {
			t.Errorf("series %d: line and marker have different colours", i)
		}
	}
}
