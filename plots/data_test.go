package plots

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
	"cachesim/sim/results"
)

// cell makes a result of 1,000 gets.
func cell(trace, policy string, capacity int64, hits int64, change ...func(*results.Result)) results.Result {
	r := results.Result{
		Cell: sim.Cell{
			Trace: trace, TraceDigest: trace, Requests: 1000, Policy: policy, Capacity: capacity, Unit: sim.UnitBytes,
			Version: sim.Version{Engine: sim.NativeEngine},
		},
		Tally: sim.Tally{Gets: 1000, Hits: hits, Bytes: 1000, HitBytes: hits / 2}, Whole: true,
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

func percentOf(s string) func(*results.Result) {
	return func(r *results.Result) { r.Size = s }
}

// shown writes the data of figures: a line for each series.
func shown(figs []Figure) []string {
	var lines []string
	for _, f := range figs {
		for _, p := range f.Panels {
			for _, s := range p.Series {
				line := f.Name
				if p.Heading != "" {
					line += " [" + p.Heading + "]"
				}
				line += " " + s.Name + ":"
				for _, at := range s.Points {
					line += fmt.Sprintf(" %s=%.4g", p.X.value(at.X), at.Y)
					if at.hasInterval() {
						line += fmt.Sprintf("(%.4g..%.4g)", at.Low, at.High)
					}
				}
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func evicted(n int64) func(*results.Result) {
	return func(r *results.Result) { r.Evictions = &n }
}

// TestData: what each kind shows, exactly.
func TestData(t *testing.T) {
	seed := func(n uint64) func(*results.Result) {
		return func(r *results.Result) { r.Seed = n }
	}
	timed := func(ns int, v sim.Version) func(*results.Result) {
		return func(r *results.Result) {
			r.Timed, r.Whole, r.Version, r.Repeats = true, false, v, 3
			d := time.Duration(ns * 1000)
			r.Replay, r.ReplayMin, r.ReplayMax = d, d-1000, d+2000
		}
	}
	native, guest := sim.Version{Engine: sim.NativeEngine}, sim.Version{Engine: "wazero", ABI: "batch", Handle: "srs"}
	one := []results.Result{
		cell("a", "fifo", 1024, 200), cell("a", "fifo", 2048, 400),
		cell("a", "lru", 1024, 360), cell("a", "lru", 2048, 400),
		cell("a", "belady", 1024, 600), cell("a", "belady", 2048, 400),
		cell("a", "sieve", 1024, 100),
		cell("a", "sieve", 4096, 900), // of a size that the baseline lacks
	}
	var many []results.Result
	for i := range int64(5) {
		name := fmt.Sprint("t", i)
		many = append(many, cell(name, "fifo", 100+i, 500, percentOf("1%")), cell(name, "lru", 100+i, 500+50*i, percentOf("1%")),
			cell(name, "fifo", 1000+i, 500, percentOf("10%")), cell(name, "lru", 1000+i, 450, percentOf("10%")))
	}
	series := func(r *results.Result) {
		r.Window = sim.Window{Time: time.Hour}
		for i := range 6 {
			r.Series = append(r.Series, sim.Interval{Start: 100 * i, Time: int64(i) * int64(time.Hour), Warmup: i < 1, Gets: 100, Hits: int64(10 * i)})
		}
		r.Series[3].Gets, r.Series[3].Hits = 0, 0 // nothing to divide by
	}
	noClock := func(r *results.Result) {
		series(r)
		r.Window = sim.Window{Requests: 100}
		for i := range r.Series {
			if r.Capacity < 2048 { // of a trace with a clock, too, requests are counted
				r.Series[i].Time = 0
			}
		}
	}
	profile := TraceProfile{
		Trace: "a", Popularity: []Rank{{1, 1000}, {10, 100}, {100, 10}}, Zipf: &ZipfFit{Alpha: 1, Scale: 1000, From: 1, To: 100},
		ObjectSizes: []Share{{1024, 0.5}, {4096, 1}}, RequestSizes: []Share{{1024, 0.75}, {4096, 1}},
		Reuse: []Share{{1024, 0.25}, {1 << 20, 0.5}}, Load: []Load{{0, time.Hour, 3600}, {time.Hour, time.Hour, 7200}, {2 * time.Hour, 3 * time.Hour, 3 * 3600}},
	}
	tests := []struct {
		kind string
		rows Rows
		o    Options
		want []string
	}{
		{"hit-ratio", Rows{Results: one[:4]}, Options{}, []string{
			"hit-ratio FIFO: 1024=20 2048=40", "hit-ratio LRU: 1024=36 2048=40"}},
		{"byte-hit-ratio", Rows{Results: one[:4]}, Options{}, []string{
			"byte-hit-ratio FIFO: 1024=10 2048=20", "byte-hit-ratio LRU: 1024=18 2048=20"}},
		{"miss-ratio", Rows{Results: one[:4]}, Options{Labels: map[string]string{"lru": "ours"}}, []string{
			"miss-ratio FIFO: 1024=80 2048=60", "miss-ratio ours: 1024=64 2048=60"}},
		{"byte-miss-ratio", Rows{Results: one[:2]}, Options{}, []string{"byte-miss-ratio FIFO: 1024=90 2048=80"}},
		{"hit-ratio", Rows{Results: []results.Result{one[0], one[2]}}, Options{}, []string{"hit-ratio Hit ratio: FIFO=20 LRU=36"}},
		{"hit-ratio", Rows{Results: []results.Result{ // means of seeds: t is 4.303 for three, the standard error 10/√3
			cell("a", "random", 1024, 200, seed(1)), cell("a", "random", 1024, 300, seed(2)), cell("a", "random", 1024, 400, seed(3)),
			cell("a", "random", 2048, 500, seed(1)), cell("a", "random", 2048, 500, seed(2)),
		}}, Options{}, []string{"hit-ratio Random: 1024=30(5.159..54.84) 2048=50"}},
		{"improvement", Rows{Results: one}, Options{}, []string{
			"improvement LRU: 1024=20 2048=0", "improvement Belady: 1024=50 2048=0", "improvement SIEVE: 1024=-12.5"}},
		{"improvement", Rows{Results: one}, Options{Baseline: "lru"}, []string{
			"improvement FIFO: 1024=-25 2048=0", "improvement Belady: 1024=37.5 2048=0", "improvement SIEVE: 1024=-40.62"}},
		{"byte-improvement", Rows{Results: one[:3]}, Options{}, []string{"byte-improvement Byte miss ratio reduction from FIFO: LRU=8.889"}},
		{"optimal-gap", Rows{Results: one}, Options{}, []string{ // at 2048 there is no gap
			"optimal-gap Gap from FIFO to Belady closed: LRU=40 SIEVE=-25"}},
		{"improvement-percentiles", Rows{Results: many}, Options{}, []string{ // reductions at 1%: 0 10 20 30 40
			"improvement-percentiles [cache size 1%] LRU: P10=4 P25=10 median=20 mean=20 P75=30 P90=36",
			"improvement-percentiles [cache size 10%] LRU: P10=-10 P25=-10 median=-10 mean=-10 P75=-10 P90=-10"}},
		{"improvement-box", Rows{Results: Filter(many, Condition{Field: "size", Values: []string{"1%"}})}, Options{}, []string{
			"improvement-box P10: LRU=4", "improvement-box P25: LRU=10", "improvement-box median: LRU=20",
			"improvement-box mean: LRU=20", "improvement-box P75: LRU=30", "improvement-box P90: LRU=36"}},
		{"improvement-cdf", Rows{Results: Filter(many, Condition{Field: "size", Values: []string{"1%"}})}, Options{}, []string{
			"improvement-cdf LRU: 0=0 0=20 10=40 20=60 30=80 40=100"}},
		{"heat-map", Rows{Results: one}, Options{}, []string{
			"heat-map FIFO: 1 KiB=20 2 KiB=40", "heat-map LRU: 1 KiB=36 2 KiB=40", "heat-map Belady: 1 KiB=60 2 KiB=40", "heat-map SIEVE: 1 KiB=10 4 KiB=90"}},
		{"over-time", Rows{Results: []results.Result{cell("a", "lru", 1024, 1, series), cell("a", "lru", 1024, 1, series)}}, Options{}, []string{
			"over-time LRU: 0=0 1=10 2=20 4=40 5=50"}},
		{"over-time", Rows{Results: []results.Result{cell("a", "lru", 1024, 1, noClock), cell("a", "lru", 2048, 1, noClock)}}, Options{}, []string{
			"over-time-1KiB LRU: 0=0 100=10 200=20 400=40 500=50", "over-time-2KiB LRU: 0=0 100=10 200=20 400=40 500=50"}},
		{"runtime", Rows{Results: []results.Result{cell("a", "lru", 1024, 1, timed(20, native)), cell("a", "lru", 1024, 1, timed(50, guest)), cell("a", "fifo", 1024, 1, timed(10, native))}},
			Options{}, []string{"runtime [wazero] native: LRU=20(19..22) FIFO=10(9..12)", "runtime [wazero] batch, srs: LRU=50(49..52)"}},
		{"time-hit-ratio", Rows{Results: []results.Result{
			cell("a", "lru", 1024, 300), cell("a", "lru", 1024, 1, timed(50, guest)), cell("a", "lru", 1024, 1, timed(20, native)),
			cell("a", "fifo", 1024, 1, timed(10, native)), // without a hit ratio
		}}, Options{}, []string{"time-hit-ratio LRU: 20=30"}},
		{"time-hit-ratio", Rows{Results: []results.Result{ // timed cells have no warm-up
			cell("a", "lru", 1024, 300, func(r *results.Result) { r.Warmup = 100 }), cell("a", "lru", 1024, 1, timed(20, native)),
		}}, Options{}, []string{"time-hit-ratio LRU: 20=30"}},
		{"hit-ratio", Rows{Results: []results.Result{
			cell("a", "lru", 1024, 300, func(r *results.Result) { r.Warmup = 100 }), cell("a", "lru", 1024, 1, timed(20, native)),
		}}, Options{}, []string{"hit-ratio Hit ratio: LRU=30"}},
		{"values", Rows{Results: []results.Result{
			cell("a", "s3fifo:small=0.2", 1024, 300), cell("a", "s3fifo:small=0.1", 1024, 250), cell("a", "lru", 1024, 200), cell("a", "s3fifo:small=0.1,ghost=1", 1024, 900),
		}}, Options{X: AxisOptions{Of: "param:small"}, Y: AxisOptions{Of: "miss-ratio"}}, []string{
			"values S3-FIFO: 0.1=75 0.2=70", "values S3-FIFO (ghost=1): 0.1=10"}},
		{"values", Rows{Results: []results.Result{
			cell("a", "lru", 1024, 300, evicted(7)), cell("a", "lru", 2048, 400, evicted(5)), cell("a", "fifo", 2048, 400),
		}}, Options{Y: AxisOptions{Of: "evictions"}}, []string{"values LRU: 1024=7 2048=5"}},
		{"values", Rows{Results: []results.Result{
			cell("a", "lru", 1024, 300), cell("a", "lru", 1024, 1, timed(20, native)), cell("a", "lru", 2048, 1, timed(50, native)),
		}}, Options{Y: AxisOptions{Of: "time"}}, []string{"values LRU, native: 1024=20 2048=50"}},
		{"trace-popularity", Rows{Profiles: []TraceProfile{profile}}, Options{}, []string{
			"trace-popularity objects: 1=1000 10=100 100=10", "trace-popularity Zipf, α = 1.00: 1=1000 100=10"}},
		{"trace-sizes", Rows{Profiles: []TraceProfile{profile}}, Options{}, []string{
			"trace-sizes objects: 1024=50 4096=100", "trace-sizes requests: 1024=75 4096=100"}},
		{"trace-reuse", Rows{Profiles: []TraceProfile{profile, profile}}, Options{}, []string{
			"trace-reuse-a requests: 1024=25 1048576=50", "trace-reuse-a-2 requests: 1024=25 1048576=50"}},
		{"trace-load", Rows{Profiles: []TraceProfile{profile}}, Options{}, []string{"trace-load requests: 0=1 1=2 2=1 5=1"}},
	}
	drawnKinds := make(map[string]bool)
	for _, tt := range tests {
		figs, err := Make(tt.rows, tt.o, tt.kind)
		if err != nil {
			t.Errorf("%s: %v", tt.kind, err)
			continue
		}
		if got := shown(figs); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.kind, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
		drawnKinds[tt.kind] = true
	}
	for _, k := range Kinds { // those of bench are tested in bench_test.go
		if !drawnKinds[k.Name] && !strings.HasPrefix(k.Name, "bench-") {
			t.Errorf("%s is not tested", k.Name)
		}
	}
}

// TestUnlike: what cannot be compared is drawn apart, or refused by name.
func TestUnlike(t *testing.T) {
	objects := func(r *results.Result) { r.Unit = sim.UnitObjects }
	metadata := func(r *results.Result) { r.Metadata = 64 }
	warm := func(r *results.Result) { r.Warmup = 250 }
	delayed := func(r *results.Result) { r.Delayed = sim.Latency{Fixed: 5e6} }
	tests := []struct {
		name    string
		change  func(*results.Result)
		rule    string // size rule of the second trace
		figures string // of two cells of one trace
		refused string // of two traces
	}{
		{"unit", objects, "first", "hit-ratio-bytes hit-ratio-objects", "the unit of the capacity (bytes and objects)"},
		{"metadata", metadata, "first", "hit-ratio-metadata0 hit-ratio-metadata64", "the metadata of an object (0 and 64 bytes)"},
		{"warm-up", warm, "first", "hit-ratio-warmup0 hit-ratio-warmup250", "the warm-up (0 and 25 % of the requests)"},
		{"delayed hits", delayed, "first", "hit-ratio-at-once hit-ratio-after_5ms", "when fetched objects are stored (after 0s and 5ms)"},
		{"size rule", func(*results.Result) {}, "max", "hit-ratio", "the size of objects that counts (first and max)"},
		{"nothing", func(*results.Result) {}, "first", "hit-ratio", ""},
	}
	for _, tt := range tests {
		figs, err := Make(Rows{Results: []results.Result{cell("a", "lru", 100, 5), cell("a", "fifo", 100, 5, tt.change)}}, Options{}, "hit-ratio")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		titles := make(map[string]bool)
		for _, f := range figs {
			got = append(got, f.Name)
			titles[f.Title] = true
		}
		if s := strings.Join(got, " "); s != tt.figures || len(titles) != len(figs) {
			t.Errorf("%s: got %s titled %v, want %s", tt.name, s, titles, tt.figures)
		}
		rows := Rows{Traces: []results.Trace{{Name: "a", Digest: "a", ObjectSize: "first"}, {Name: "b", Digest: "b", ObjectSize: tt.rule}}}
		for _, p := range []string{"fifo", "lru"} {
			rows.Results = append(rows.Results, cell("a", p, 100, 5, percentOf("1%")), cell("b", p, 110, 5, percentOf("1%"), tt.change))
		}
		for _, kind := range []string{"improvement-box", "improvement-percentiles", "improvement-cdf"} {
			_, err := Make(rows, Options{}, kind)
			if tt.refused == "" && err != nil || tt.refused != "" && (err == nil || !strings.Contains(err.Error(), "results of a and of b cannot be in one chart: they differ in "+tt.refused)) {
				t.Errorf("%s, %s: got %v, want … %s", tt.name, kind, err, tt.refused)
			}
		}
	}
}

func TestMakeErrors(t *testing.T) {
	lru := []results.Result{cell("a", "lru", 100, 5), cell("a", "lru", 200, 6)}
	params := []results.Result{cell("a", "2q:in=0.1", 100, 5), cell("a", "2q:in=0.2", 100, 5)}
	tests := []struct {
		rows  Rows
		o     Options
		kinds []string
		want  string
	}{
		{Rows{Results: lru}, Options{}, []string{"pie"}, `unknown figure "pie": known are hit-ratio, `},
		{Rows{Results: lru}, Options{}, []string{"hit-ratio", "runtime"}, "draw runtime: nothing to draw: it shows timed cells"},
		{Rows{Results: lru}, Options{Baseline: "arc"}, []string{"improvement"}, `draw improvement: no results of policy "arc": there are those of lru`},
		{Rows{Results: params}, Options{Baseline: "2q"}, []string{"improvement"}, `"2q" is 2q:in=0.1 and 2q:in=0.2: give the whole name`},
		{Rows{Results: lru}, Options{Y: AxisOptions{Low: 5, High: 2}}, nil, "limits of the vertical axis: 5 is not below 2"},
		{Rows{Results: lru}, Options{X: AxisOptions{High: 2, Scale: "log"}}, nil, "limits of the horizontal axis: a logarithmic one cannot start at 0"},
		{Rows{Results: lru}, Options{X: AxisOptions{Scale: "cubic"}}, nil, `scale "cubic" of the horizontal axis: known are linear, log`},
		{Rows{Results: []results.Result{cell("a", "fifo", 100, 5), cell("a", "lru", 100, 5), cell("b", "fifo", 90, 5), cell("b", "lru", 90, 5)}}, Options{}, []string{"improvement-box"}, "traces have no size in common"},
		{Rows{Profiles: []TraceProfile{{Trace: "a", Reuse: []Share{{5, 0.5}, {4, 0.6}}}}}, Options{}, nil, "profile of a: element 2 of a distribution: share 0.6 up to 4"},
	}
	for _, tt := range tests {
		if _, err := Make(tt.rows, tt.o, tt.kinds...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %v, want … %s", tt.kinds, err, tt.want)
		}
	}
}

func TestParseCondition(t *testing.T) {
	tests := []struct {
		s    string
		want Condition
		err  string
	}{
		{"policy=lru,arc", Condition{Field: "policy", Values: []string{"lru", "arc"}}, ""},
		{"size!=10%", Condition{Field: "size", Values: []string{"10%"}, Not: true}, ""},
		{"policy=2q:in=0.25,out=0.5,lru", Condition{Field: "policy", Values: []string{"2q:in=0.25,out=0.5", "lru"}}, ""},
		{"policy", Condition{}, `condition "policy": expected a field and values`},
		{"policy=", Condition{}, "expected a field and values"},
		{"colour=red", Condition{}, `unknown field "colour": known are trace, policy`},
		{"trace=[", Condition{}, `value "[": syntax error in pattern`},
	}
	for _, tt := range tests {
		got, err := ParseCondition(tt.s)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want … %s", tt.s, err, tt.err)
			}
		} else if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v and %v, want %+v", tt.s, got, err, tt.want)
		}
	}
}

func TestFilter(t *testing.T) {
	rs := []results.Result{
		cell("web.tr", "lru", 64*mib, 1, percentOf("1%")),
		cell("web.tr", "2q:in=0.25,out=0.5", 64*mib, 2),
		cell("cdn.tr", "2q:in=0.1,out=0.5", 128*mib, 3),
		cell("cdn.tr", "lru", 500, 4, func(r *results.Result) {
			r.Unit, r.Seed, r.Timed = sim.UnitObjects, 7, true
			r.Version = sim.Version{Engine: "wazero", ABI: "pair", Handle: "srs"}
		}),
	}
	tests := []struct {
		conditions []string
		want       []int64 // hits
	}{
		{nil, []int64{1, 2, 3, 4}},
		{[]string{"policy=lru"}, []int64{1, 4}},
		{[]string{"policy=2q"}, []int64{2, 3}},
		{[]string{"policy=2q:in=0.25,out=0.5"}, []int64{2}},
		{[]string{"policy!=2q"}, []int64{1, 4}},
		{[]string{"trace=web*"}, []int64{1, 2}},
		{[]string{"trace=web*,cdn.tr", "policy=lru"}, []int64{1, 4}},
		{[]string{"size=1%"}, []int64{1}},
		{[]string{"size=64MiB"}, []int64{1, 2}},
		{[]string{"size=128 MiB"}, []int64{3}},
		{[]string{"size=500 objects"}, []int64{4}},
		{[]string{"engine=wazero"}, []int64{4}},
		{[]string{"version=wazero/*/srs"}, []int64{4}},
		{[]string{"seed=7"}, []int64{4}},
		{[]string{"timed=false", "unit=bytes"}, []int64{1, 2, 3}},
		{[]string{"policy=none"}, nil},
	}
	for _, tt := range tests {
		var cs []Condition
		for _, s := range tt.conditions {
			c, err := ParseCondition(s)
			if err != nil {
				t.Fatal(err)
			}
			cs = append(cs, c)
		}
		var got []int64
		for _, r := range Filter(rs, cs...) {
			got = append(got, r.Hits)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %d, want %d", tt.conditions, got, tt.want)
		}
	}
	groups, err := GroupBy(rs, "trace", "unit")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range groups {
		got = append(got, fmt.Sprint(strings.Join(g.Values, " "), " ", len(g.Results)))
	}
	if want := []string{"web.tr bytes 2", "cdn.tr bytes 1", "cdn.tr objects 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := GroupBy(rs, "colour"); err == nil {
		t.Error("no error for an unknown field")
	}
}

func TestLabels(t *testing.T) {
	titled := func(s string) func(*results.Result) { return func(r *results.Result) { r.Title = s } }
	rs := []results.Result{
		cell("a", "s3fifo:small=0.1", 1, 1), cell("a", "s3fifo:small=0.2", 1, 1), cell("a", "lru", 1, 1), cell("a", "guests/mine.wasm:most=2", 1, 1),
		cell("a", "lru+adaptsize", 1, 1), cell("a", "belady", 1, 1), cell("a", "wtinylfu", 1, 1), cell("a", "x:a=1", 1, 1, titled("Our X")), cell("a", "x:a=2", 1, 1, titled("Our X")),
	}
	tests := []struct {
		given map[string]string
		want  string
	}{
		{nil, "S3-FIFO (small=0.1)|S3-FIFO (small=0.2)|LRU|mine (most=2)|LRU + AdaptSize|Belady|W-TinyLFU|Our X|Our X (a=2)"},
		{map[string]string{"s3fifo": "ours", "lru": "LRU (old)", "x:a=2": "B"}, "ours|ours (small=0.2)|LRU (old)|mine (most=2)|LRU + AdaptSize|Belady|W-TinyLFU|Our X|B"},
	}
	for _, tt := range tests {
		labels := Labels(rs, tt.given)
		var got []string
		for _, r := range rs {
			got = append(got, labels[r.Policy])
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("got  %s\nwant %s", s, tt.want)
		}
	}
}

// TestWilcoxon compares with published values: the depression scores of
// Hollander and Wolfe, example 3.1, and R's wilcox.test.
func TestWilcoxon(t *testing.T) {
	x := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	var d []float64
	for i := range x {
		d = append(d, x[i]-y[i])
	}
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(i)-40) // -40 to 59, with one zero and ties
	}
	tests := []struct {
		d    []float64
		p    float64
		n    int
		near float64
	}{
		{d, 0.0390625, 9, 1e-9}, // 20 of 512 subsets
		{nil, 1, 0, 0},
		{[]float64{0, 0}, 1, 0, 0},
		{[]float64{3}, 1, 1, 0},
		{[]float64{1, 2, 3, 4, 5}, 0.0625, 5, 1e-9},
		{[]float64{-1, 2, -3, 4}, 0.625, 4, 1e-9}, // T+ = 6 of 10; P(T+ <= 4) = 7/16... doubled below 1
		{hundred, 0, 99, 1},
	}
	tests[5].p = 0.875 // subsets of 1..4 with sums to 4: 0 1 2 3 3 4 4, 7 of 16, twice
	for _, tt := range tests {
		p, n := WilcoxonSignedRank(tt.d)
		if n != tt.n || math.Abs(p-tt.p) > tt.near {
			t.Errorf("%v: got p = %g of %d, want %g of %d", tt.d, p, n, tt.p, tt.n)
		}
	}
	// The approximation is near the exact value where both apply.
	var exact, tied []float64
	for i := range 40 {
		v := float64(i + 1)
		if i%3 == 0 {
			v = -v
		}
		exact = append(exact, v)
		tied = append(tied, math.Copysign(math.Ceil(math.Abs(v)/2), v)) // ties in pairs force the approximation
	}
	a, _ := WilcoxonSignedRank(exact)
	b, _ := WilcoxonSignedRank(tied)
	if math.Abs(a-b) > 0.01 {
		t.Errorf("got %g exactly and %g with ties", a, b)
	}
}

func TestQuantile(t *testing.T) {
	for p, want := range map[float64]float64{0: 1, 0.1: 1.4, 0.5: 3, 0.9: 4.6, 1: 5} {
		if got := Quantile([]float64{1, 2, 3, 4, 5}, p); math.Abs(got-want) > 1e-9 {
			t.Errorf("%g: got %g, want %g", p, got, want)
		}
	}
	if got := Quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("of nothing: got %g", got)
	}
}

func TestFasterThan(t *testing.T) {
	timed := func(ns ...int) results.Result {
		r := results.Result{Cell: sim.Cell{Requests: 10}}
		for _, v := range ns {
			r.Replays = append(r.Replays, time.Duration(v))
		}
		return r
	}
	slow, fast := timed(200, 201, 202, 203, 204, 205), timed(100, 101, 102, 103, 104, 105)
	near := timed(101, 200, 99, 204, 100, 203)
	if !FasterThan(fast, slow) || FasterThan(slow, fast) || FasterThan(fast, near) || FasterThan(near, fast) || FasterThan(fast, timed()) {
		t.Error("a difference within noise is no win, and one beyond it is")
	}
	if FasterThan(timed(100, 101), timed(200, 201)) {
		t.Error("two replays cannot show a difference")
	}
}

func TestTimePerRequest(t *testing.T) {
	r := results.Result{Cell: sim.Cell{Requests: 10}, Replay: 200, ReplayMin: 150, ReplayMax: 400, Replays: []time.Duration{150, 200, 400}}
	if e, ok := TimePerRequest(r); ok || e != (Estimate{20, 15, 40}) {
		t.Errorf("three replays: got %v, %v, want their range", e, ok)
	}
	r.Replays = nil
	for i := range 20 {
		r.Replays = append(r.Replays, time.Duration(150+10*i))
	}
	// For 20 samples the 6th to the 15th hold the median with 95.9 %.
	if e, ok := TimePerRequest(r); !ok || e.Low != 20 || e.High != 29 {
		t.Errorf("20 replays: got %v, %v, want 20 to 29", e, ok)
	}
}

// TestMakeBy makes a figure for each value of a field, named after it.
func TestMakeBy(t *testing.T) {
	rs := []results.Result{cell("a", "lru", 1024, 300), cell("a", "lru", 2048, 400), cell("a", "s3fifo", 1024, 500), cell("a", "s3fifo", 2048, 600)}
	figs, err := MakeBy(Rows{Results: rs}, Options{Title: "T"}, []string{"policy"}, "hit-ratio")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"hit-ratio-lru LRU: 1024=30 2048=40", "hit-ratio-s3fifo S3-FIFO: 1024=50 2048=60"}
	if got := shown(figs); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := figs[1].Title; got != "T: S3-FIFO" {
		t.Errorf("title %q", got)
	}
	if _, err := MakeBy(Rows{Results: rs}, Options{}, []string{"colour"}); err == nil {
		t.Error("no error for an unknown field")
	}
}

// TestContradictions: two outcomes of one policy are refused where a chart could
// show but one, with what they differ in; times over other numbers of requests are
// drawn apart.
func TestContradictions(t *testing.T) {
	revision := func(n int) func(*results.Result) { return func(r *results.Result) { r.Revision = n } }
	module := func(sha string) func(*results.Result) { return func(r *results.Result) { r.ModuleSHA = sha } }
	for _, tt := range []struct {
		a, b results.Result
		want string // in the error; empty: none
	}{
		{cell("a", "lru", 1024, 300), cell("a", "lru", 1024, 300), ""},
		{cell("a", "lru", 1024, 300, revision(1)), cell("a", "lru", 1024, 301, revision(2)), "--where revision=2"},
		{cell("a", "my.wasm", 1024, 300, module("11223344556677")), cell("a", "my.wasm", 1024, 301, module("aabbccddeeff")), "--where 'module=aabbccdd*'"},
		{cell("a", "lru", 1024, 300), cell("b", "lru", 1024, 301), ""},
		{cell("a", "lru", 1024, 300), cell("a", "lru", 1024, 301, func(r *results.Result) { r.Seed = 7 }), ""},
	} {
		for name, err := range map[string]error{
			"figures": second(Make(Rows{Results: []results.Result{tt.a, tt.b}}, Options{}, "hit-ratio")),
			"tables":  second(Tables(Rows{Results: []results.Result{tt.a, tt.b}}, Options{}, "hit-ratio")),
		} {
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s of %s and %s: %v, want %q", name, tt.a.Policy, tt.b.Policy, err, tt.want)
			}
		}
	}
	timed := func(r *results.Result) {
		r.Timed, r.Whole, r.Repeats, r.Replay, r.ReplayMin, r.ReplayMax = true, false, 1, 20_000, 20_000, 20_000
	}
	few, many := cell("a", "lru", 1024, 1, timed), cell("a", "fifo", 1024, 1, timed)
	many.Requests *= 10
	figs, err := Make(Rows{Results: []results.Result{few, many}}, Options{}, "runtime")
	if err != nil || len(figs) != 2 || figs[0].Name == figs[1].Name {
		t.Errorf("times over %d and %d requests: %v, %v; want two figures", few.Requests, many.Requests, figs, err)
	}
}

func second[T any](_ T, err error) error { return err }
