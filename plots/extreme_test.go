package plots

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"cachesim/sim"
	"cachesim/sim/results"
)

// overTraces makes results of policies on n traces at two sizes.
func overTraces(n int, policies []string, f func(trace, policy int) float64) []results.Result {
	var rs []results.Result
	for i := range n {
		for _, size := range []string{"0.1%", "10%"} {
			for j, p := range policies {
				rs = append(rs, cell(fmt.Sprintf("trace%d.oracleGeneral.zst", i), p, int64(1000+i)*int64(len(size)), int64(1000*f(i, j)), percentOf(size)))
			}
		}
	}
	return rs
}

// withAll makes results that every kind of runs has something to draw of.
func withAll(policies []string, sizes []int64, f func(policy, size int) float64) []results.Result {
	rs := swept(policies, sizes, f)
	for _, p := range policies {
		r := cell("t.log", p, sizes[0], 10)
		r.TraceDigest, r.Timed, r.Whole, r.Replay, r.ReplayMin, r.ReplayMax = "1", true, false, 100*time.Microsecond, 90*time.Microsecond, 120*time.Microsecond
		rs = append(rs, r)
	}
	for i := range rs {
		r := &rs[i]
		r.Bytes, r.HitBytes = r.Gets, r.Hits/2
		if r.Whole {
			r.Window = sim.Window{Requests: 1000}
			for k := range 40 {
				r.Series = append(r.Series, sim.Interval{Start: 1000 * k, Warmup: k < 5, Gets: 1000, Hits: int64(25 * k)})
			}
		}
	}
	return rs
}

// extremes are inputs that are difficult to lay out.
var extremes = []struct {
	name string
	rs   []results.Result
}{
	{"plain", withAll([]string{"fifo", "lru", "sieve", "belady"}, sizesOf(mib, 6), rising)},
	{"one point", withAll([]string{"lru"}, []int64{mib}, constant(37))},
	{"one size", withAll([]string{"fifo", "lru", "belady"}, []int64{mib}, rising)},
	{"40 policies", withAll(append(count(38, "policy%d"), "fifo", "belady"), sizesOf(mib, 8), rising)},
	{"40 policies at one size", withAll(append(count(38, "policy%d"), "fifo", "belady"), []int64{mib}, rising)},
	{"ratios 0", withAll([]string{"fifo", "lru", "belady"}, sizesOf(mib, 4), constant(0))},
	{"ratios 0 at one size", withAll([]string{"fifo", "lru", "belady"}, []int64{mib}, constant(0))},
	{"ratios 1", withAll([]string{"fifo", "lru", "belady"}, sizesOf(mib, 4), constant(100))},
	{"0 and 1", withAll([]string{"fifo", "lru", "belady"}, sizesOf(mib, 4), func(p, _ int) float64 { return 50 * float64(p) })},
	{"long names", withAll([]string{"fifo", "wtinylfu:window=0.01,protected=0.8,sample=10,counters=16,doorkeeper=1", "belady", strings.Repeat("endless", 20)}, sizesOf(mib, 5), rising)},
	{"six decades", withAll([]string{"fifo", "lru", "belady"}, []int64{1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}, rising)},
	{"30 sizes", withAll([]string{"fifo", "lru", "belady"}, sizesOf(1024, 30), rising)},
}

// objects changes the unit of results.
func objects(rs []results.Result) []results.Result {
	rs = slices.Clone(rs)
	for i := range rs {
		rs[i].Unit = sim.UnitObjects
	}
	return rs
}

// TestExtremes draws every kind of results in every style, with and without a
// title: texts neither overlap nor leave the figure, legends are above the data,
// and drawing is quick.
func TestExtremes(t *testing.T) {
	for _, e := range extremes {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for i, st := range Styles {
				if st.Name == "grey" {
					continue // laid out like the first
				}
				for _, title := range []string{"", strings.Repeat("A long title about everything ", 3)} {
					if i > 0 && title == "" {
						continue
					}
					rs := e.rs
					if i%2 == 1 {
						rs = objects(rs)
					}
					for _, k := range Kinds {
						figs, err := k.Make(Rows{Results: rs}, Options{Style: st, Title: title})
						if err != nil && err != errSizes {
							t.Fatalf("%s: %v", k.Name, err)
						}
						for _, f := range figs {
							checkTexts(t, k.Name+" in style "+st.Name, title, f)
							checkDrawing(t, f)
						}
					}
				}
			}
		})
	}
}

// checkDrawing looks for a figure that is too large, has too many strokes, or
// draws data over its texts above the axes.
func checkDrawing(t *testing.T, f Figure) {
	t.Helper()
	w, h := f.layout()
	if w <= 0 || h <= 0 || h > 9.5*vg.Inch || math.IsNaN(float64(h)) {
		t.Errorf("%s: %v x %v", f.Name, w, h)
	}
	var r recorder.Canvas
	f.draw(draw.NewCanvas(&r, w, h))
	if len(r.Actions) > 100_000 {
		t.Errorf("%s: %d strokes", f.Name, len(r.Actions))
	}
	for _, a := range r.Actions {
		s, ok := a.(*recorder.Stroke)
		if !ok {
			continue
		}
		if b := bounds(s.Path); b.Min.X < -1 || b.Min.Y < -1 || b.Max.X > w+1 || b.Max.Y > h+1 || math.IsNaN(float64(b.Min.X+b.Min.Y)) {
			t.Errorf("%s: a line leaves the figure: %v", f.Name, b)
			return
		}
	}
}

// TestExtremeTraces draws the figures over 5,000 traces.
func TestExtremeTraces(t *testing.T) {
	policies := append(count(10, "p%d"), "fifo")
	rs := overTraces(5000, policies, func(i, j int) float64 { return 0.2 + 0.6*math.Abs(math.Sin(float64(i*7+j))) })
	var described []results.Trace
	for _, name := range names(rs, func(r results.Result) string { return r.Cell.Trace }) {
		described = append(described, results.Trace{Name: name, Digest: name, ObjectSize: "first"})
	}
	for _, kind := range []string{"improvement-box", "improvement-percentiles", "improvement-cdf"} {
		began := time.Now()
		figs, err := Make(Rows{Results: rs, Traces: described}, Options{}, kind)
		if err != nil {
			t.Fatal(err)
		}
		if len(figs) != 1 || len(figs[0].Panels) != 2 {
			t.Fatalf("%s: %d figures", kind, len(figs))
		}
		checkTexts(t, kind, "", figs[0])
		checkDrawing(t, figs[0])
		var b bytes.Buffer
		if err := figs[0].Draw(&b, "pdf"); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 200<<10 {
			t.Errorf("%s: %d bytes of pdf", kind, b.Len())
		}
		t.Logf("%s: %v", kind, time.Since(began))
	}
	for _, n := range []int{2, 3, 40} {
		for _, p := range [][]string{{"fifo", "lru"}, append(count(40, "policy%d"), "fifo")} {
			for _, kind := range []string{"improvement-box", "improvement-percentiles", "improvement-cdf"} {
				figs, err := Make(Rows{Results: overTraces(n, p, func(i, j int) float64 { return float64((i+j)%11) / 10 })}, Options{}, kind)
				if err != nil {
					t.Fatal(err)
				}
				checkTexts(t, fmt.Sprintf("%s of %d policies on %d traces", kind, len(p), n), "", figs[0])
				checkDrawing(t, figs[0])
			}
		}
	}
}

// TestProfileTexts lays out profiles of several traces.
func TestProfileTexts(t *testing.T) {
	p := TraceProfile{
		Trace: "a", Popularity: []Rank{{1, 1e9}, {1e7, 1}}, Zipf: &ZipfFit{Alpha: 1.3, Scale: 1e9, From: 1, To: 1e7},
		ObjectSizes: []Share{{1, 0.5}, {1e12, 1}}, RequestSizes: []Share{{1, 0.1}, {1e12, 1}},
		Reuse: []Share{{0, 0.1}, {1, 0.3}, {1e7, 0.5}}, ReuseUnit: sim.UnitObjects, Load: []Load{{0, time.Second, 5e6}},
	}
	q := p
	q.Trace, q.Zipf, q.Load = strings.Repeat("long", 40), nil, nil
	figs, err := Make(Rows{Profiles: []TraceProfile{p, q}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(figs) != 7 {
		t.Errorf("got %d figures, want 7", len(figs))
	}
	for _, f := range figs {
		checkTexts(t, f.Name, "", f)
		checkDrawing(t, f)
	}
}

// TestLegendsAboveData: what is drawn of data is below the legend.
func TestLegendsAboveData(t *testing.T) {
	for _, e := range extremes {
		figs, err := Make(Rows{Results: e.rs}, Options{}, "hit-ratio")
		if err != nil {
			t.Fatal(err)
		}
		f := figs[0]
		if len(f.Panels[0].Series) < 2 || f.Panels[0].Mark == Bars {
			continue
		}
		var r recorder.Canvas
		w, h := f.layout()
		f.draw(draw.NewCanvas(&r, w, h))
		lowest := h // of the legend's words
		for _, p := range record(f).texts {
			named := func(s Series) bool { return s.Name == p.text && len(f.muted) == 0 }
			if slices.ContainsFunc(f.Panels[0].Series, named) || p.text == mutedText(len(f.muted)) {
				lowest = min(lowest, p.Min.Y)
			}
		}
		// The lines of the data are the longest ones of more than two points.
		for _, a := range r.Actions {
			if s, ok := a.(*recorder.Stroke); ok && len(s.Path) > 3 && bounds(s.Path).Size().X > w/2 && bounds(s.Path).Max.Y > lowest {
				t.Errorf("%s: a line reaches %v, the legend stands at %v", e.name, bounds(s.Path).Max.Y, lowest)
			}
		}
	}
}

// TestSameBytes: a figure drawn twice, and made twice, gives the same file.
func TestSameBytes(t *testing.T) {
	rs := extremes[0].rs
	for _, k := range Kinds {
		var before [][]byte
		for range 3 {
			figs, err := k.Make(Rows{Results: rs}, Options{Style: Styles[0]})
			if err != nil && err != errSizes {
				t.Fatal(err)
			}
			var files [][]byte
			for _, f := range figs {
				for _, format := range []string{"svg", "pdf", "pgf", "tex", "csv"} {
					files = append(files, drawn(t, f, format))
				}
			}
			if before != nil && !slices.EqualFunc(before, files, bytes.Equal) {
				t.Errorf("%s: the files differ", k.Name)
			}
			before = files
		}
	}
}

// TestScales: the other scale, and limits, are those that were asked for.
func TestScales(t *testing.T) {
	rs := swept(four, sizesOf(mib, 6), rising)
	tests := []struct {
		x, y  AxisOptions
		words string // that the figure has
		not   string
	}{
		{AxisOptions{}, AxisOptions{}, "16 MiB", ""},
		{AxisOptions{Scale: "linear"}, AxisOptions{}, "24 MiB", ""},
		{AxisOptions{Low: 2 * mib, High: 8 * mib}, AxisOptions{}, "4 MiB", "16 MiB"},
		{AxisOptions{}, AxisOptions{Low: 0, High: 100}, "100", ""},
		{AxisOptions{}, AxisOptions{Scale: "log"}, "20", "0"},
	}
	for _, tt := range tests {
		figs, err := Make(Rows{Results: rs}, Options{X: tt.x, Y: tt.y}, "hit-ratio")
		if err != nil {
			t.Fatal(err)
		}
		checkTexts(t, fmt.Sprint(tt.x, tt.y), "", figs[0])
		checkDrawing(t, figs[0])
		words := svgTexts(t, drawn(t, figs[0], "svg"))
		if !slices.Contains(words, tt.words) || tt.not != "" && slices.Contains(words, tt.not) {
			t.Errorf("%v, %v: got %q, want %q and not %q", tt.x, tt.y, words, tt.words, tt.not)
		}
	}
}
