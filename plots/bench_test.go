package plots

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"cachesim/sim"
	"cachesim/sim/results"
)

func callFigures(t *testing.T, costs []results.CallCost, title string) []Figure {
	t.Helper()
	figs, err := Make(Rows{Costs: costs}, Options{Title: title})
	if err != nil {
		t.Fatal(err)
	}
	return figs
}

// TestDrawBench draws every case in every format; -short leaves pixels to a few,
// which take long under the race detector.
func TestDrawBench(t *testing.T) {
	for _, tt := range benchCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var names []string
			for _, f := range callFigures(t, tt.costs, "") {
				names = append(names, f.Name)
				if f.Width != oneColumn && f.Width != twoColumns {
					t.Errorf("%s: %v wide, want one or two columns of a paper", f.Name, f.Width)
				}
				if f.Height > 9.5*vg.Inch {
					t.Errorf("%s: %v high, want what fits on a page", f.Name, f.Height)
				}
				for _, format := range Formats {
					if format == "png" && testing.Short() && tt.name != "all" && tt.name != "1-engine-release" {
						continue
					}
					file := drawn(t, f, format)
					if *figures != "" {
						if err := os.WriteFile(filepath.Join(*figures, f.Name+"-"+tt.name+"."+format), file, 0o666); err != nil {
							t.Fatal(err)
						}
					}
					checkFile[format](t, f, file)
				}
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBenchTexts(t *testing.T) {
	for _, tt := range benchCases {
		for _, title := range titles {
			for _, f := range callFigures(t, tt.costs, title) {
				checkTexts(t, f.Name+" of "+tt.name, title, f)
			}
		}
	}
}

// figure returns the one of a name.
func figure(t *testing.T, costs []results.CallCost, name string) Figure {
	t.Helper()
	figs := callFigures(t, costs, "")
	i := slices.IndexFunc(figs, func(f Figure) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no %s", name)
	}
	return figs[i]
}

// TestBenchWords looks for what a reader must find in each figure, and how often.
func TestBenchWords(t *testing.T) {
	once := func(words ...string) map[string]int {
		all := make(map[string]int)
		for _, w := range words {
			all[w] = 1
		}
		return all
	}
	calls := once(slices.Concat(callTests, callEngines, []string{"ns per call", "pair", "bincode", "bytemuck", "bytemuck-static", "bincode-static",
		"handle uncached", "handle cached", "handle srs", "handle driver", "release build", "debug build"})...)
	for _, w := range []string{"native", "batch", "loop"} {
		calls[w] = 2 // a test, and in the legend
	}
	compile := once("ms per run", "ns per call", "set-up", "set-up: compiling, instantiating", "calls alone", "calls with set-up, 100,000 a run",
		"calls of pair-cached-preload", "release build", "debug build")
	for _, e := range callEngines {
		compile[e] = 2 // below both panels
	}
	payload := once(slices.Concat(payloadTests, callEngines, []string{"ns per call", "Payload"})...)
	payload["64 KiB"], payload["1 KiB"], payload["1000"], payload["release build"] = 3, 3, 2, 0 // below and on the left only
	parts := once(slices.Concat(callParts, callEngines, []string{"620", "560", "540", "9.00", "24.0", "18.0", "full height", "enlarged ×25.8"})...)
	parts["ns per call"] = 2
	tests := []struct {
		modes []string
		name  string
		want  map[string]int
	}{
		{bothModes, "bench-calls", calls},
		{bothModes, "bench-compile", compile},
		{bothModes, "bench-payload", payload},
		{bothModes, "bench-breakdown", parts},
		{release, "bench-calls", map[string]int{"ns per call": 1, "release build": 0}},
		{bothModes[1:], "bench-calls", map[string]int{"ns per call (debug build)": 1, "debug build": 0}},
		{bothModes[1:], "bench-compile", map[string]int{"ns per call (debug build)": 1, "ms per run (debug build)": 1}},
		{bothModes[1:], "bench-payload", map[string]int{"ns per call (debug build)": 1}},
		{bothModes[1:], "bench-breakdown", map[string]int{"ns per call (debug build)": 2}},
	}
	for _, tt := range tests {
		texts := svgTexts(t, drawn(t, figure(t, everything(tt.modes), tt.name), "svg"))
		for w, want := range tt.want {
			got := 0
			for _, s := range texts {
				if s == w {
					got++
				}
			}
			if got != want {
				t.Errorf("%s of %v: %q is there %d times, want %d: %q", tt.name, tt.modes, w, got, want, texts)
			}
		}
	}
}

// TestBenchWidths: one column of a paper, or two where it would be crowded.
func TestBenchWidths(t *testing.T) {
	widths := map[string]string{"all": "2 2 2 1", "release": "1 1 2 1", "1-engine": "2 1 1 1", "1-engine-release": "1 1 1 1", "2-engines": "2 1 1 1"}
	for _, tt := range benchCases {
		if widths[tt.name] == "" {
			continue
		}
		var got []string
		for _, f := range callFigures(t, tt.costs, "") {
			got = append(got, map[vg.Length]string{oneColumn: "1", twoColumns: "2"}[f.Width])
		}
		if s := strings.Join(got, " "); s != widths[tt.name] {
			t.Errorf("%s: got columns %s, want %s", tt.name, s, widths[tt.name])
		}
	}
}

// TestBenchBars counts bars and samples, and looks for bars that overlap or
// cannot be made out.
func TestBenchBars(t *testing.T) {
	tests := []struct {
		modes   []string
		name    string
		bars    int
		samples int
	}{
		{bothModes, "bench-calls", 6 * 19 * 2, 8 + 4 + 2},
		{release, "bench-calls", 6 * 19, 8 + 4},
		{bothModes, "bench-compile", 6 * (2 + 4), 3 + 2},
		{release, "bench-compile", 6 * (1 + 2), 3},
		{bothModes, "bench-breakdown", 6 * (4 + 1), 4}, // one is white, behind the number
	}
	for _, tt := range tests {
		all := record(figure(t, everything(tt.modes), tt.name)).filled
		if got := len(all) - tt.samples; got != tt.bars {
			t.Errorf("%s of %v: %d bars, want %d", tt.name, tt.modes, got, tt.bars)
		}
		for i, r := range all {
			if w := r.Size().X; w < 3 || w > 20 {
				t.Errorf("%s of %v: a bar %v wide, want 3 to 20 points", tt.name, tt.modes, w)
			}
			for _, other := range all[:i] {
				if overlap(r, other) {
					t.Errorf("%s of %v: bars overlap at %v and %v", tt.name, tt.modes, other, r)
				}
			}
		}
	}
}

func TestCallPanels(t *testing.T) {
	cost := func(test, engine, mode string, ns float64) results.CallCost {
		c := tested(test, engine, mode)
		c.Call = results.Stats{Median: ns, Low: ns - 1, High: ns + 2}
		return c
	}
	costs := []results.CallCost{
		cost("pair-cached-preload", "wazero", "debug", 40),
		cost("pair-cached-preload", "wazero", "release", 30),
		cost("native", sim.NativeEngine, "release", 2),
		cost("pair-cached-preload", "wazero", "release", 31), // a second time
		cost("loop", "wamr", "release", 5),
		cost("bincode-uncached", "wamr", "debug", 90),
	}
	made := func(ns float64, s barStyle, pale bool) bar {
		s.pale = pale
		return bar{ns, ns - 1, ns + 2, s}
	}
	native := barStyle{abi: "native", fill: gray}
	loop := barStyle{abi: "loop", fill: darkGray}
	pair := barStyle{abi: "pair", handle: "cached", fill: acm.color(0), hatch: ruled}
	bincode := barStyle{abi: "bincode", handle: "uncached", fill: acm.color(1), hatch: striped}
	panels, tests, styles := callPanels(costs, callLooks(acm, costs))
	want := []panel{
		{heading: "wazero", groups: [][]bar{{made(30, pair, false), made(40, pair, true)}, {made(2, native, false)}, nil, nil}},
		{heading: "wamr", groups: [][]bar{nil, {made(2, native, false)}, {made(5, loop, false)}, {made(90, bincode, true)}}},
	}
	if !reflect.DeepEqual(panels, want) {
		t.Errorf("got %+v\nwant %+v", panels, want)
	}
	if want := []string{"pair-cached-preload", "native", "loop", "bincode-uncached"}; !slices.Equal(tests, want) {
		t.Errorf("got tests %q, want %q", tests, want)
	}
	if want := []barStyle{pair, native, loop, bincode}; !slices.Equal(styles, want) {
		t.Errorf("got styles %v, want %v", styles, want)
	}
}

// TestCompileBars: an engine without the usual test shows its first one, and
// says so.
func TestCompileBars(t *testing.T) {
	costs := slices.Concat(called(callTests, callEngines[:1], bothModes), called(callTests[15:], callEngines[1:2], release),
		altered(called(callTests, callEngines[2:3], release), func(_ int, c *results.CallCost) { c.Setup = results.Stats{} })) // does not compile
	setup, share, names, shown := compileBars(acm, costs)
	if want := []string{"singlepass", "cranelift (batch)"}; !slices.Equal(names, want) {
		t.Fatalf("got %q, want %q", names, want)
	}
	if len(setup.groups[0]) != 2 || len(share.groups[0]) != 4 || len(setup.groups[1]) != 1 || len(share.groups[1]) != 2 {
		t.Errorf("got set-up %v and calls %v, want 2 and 4 bars for two builds, 1 and 2 for one", setup.groups, share.groups)
	}
	for i, want := range []string{"pair-cached-preload release", "pair-cached-preload debug", "batch release"} {
		if got := shown[i].Test + " " + shown[i].Mode; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if c := shown[0]; setup.groups[0][0].median != c.Setup.Median || share.groups[0][0].median != c.Call.Median || share.groups[0][1].median != c.Total.Median {
		t.Errorf("got %v and %v for %+v", setup.groups[0], share.groups[0], c)
	}
}

func TestSetupUnit(t *testing.T) {
	for ns, want := range map[float64]string{20: "ns", 2e3: "µs", 2e6: "ms", 3e9: "ms", 2e10: "s"} {
		if got, _ := setupUnit(span{1, ns}); got != want {
			t.Errorf("%g ns: got %s, want %s", ns, got, want)
		}
	}
}

func TestPayloadLines(t *testing.T) {
	cost := func(test, engine string, payload int, ns float64) results.CallCost {
		c := tested(test, engine, "release")
		c.Kind, c.Payload, c.Call.Median = results.CostOfPayload, payload, ns
		return c
	}
	costs := []results.CallCost{
		cost("bincode-cached", "wazero", 64, 20),
		cost("bincode-cached", "wazero", 8, 10), // not in order
		cost("bincode-cached", "wazero", 8, 11), // a second time
		cost("bincode-uncached", "wazero", 8, 50),
		cost("bincode-uncached", "wazero", 64, 0), // has no place on the axis
		cost("native", sim.NativeEngine, 8, 1),
		cost("bincode-cached", "wamr", 8, 30),
	}
	lines := payloadLines(acm, costs, guestEngines(costs), values(costs, testOf), callLooks(acm, costs))
	var got [2][]string
	for i, of := range lines {
		for _, l := range of {
			s := l.points[0].Test
			for _, p := range l.points {
				s += " " + bytesLabel(float64(p.Payload)) + "=" + number(p.Call.Median)
			}
			got[i] = append(got[i], s)
		}
	}
	want := [2][]string{
		{"native 8 B=1.00", "bincode-cached 8 B=10.0 64 B=20.0", "bincode-uncached 8 B=50.0"},
		{"native 8 B=1.00", "bincode-cached 8 B=30.0"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	cached, uncached := lines[0][1], lines[0][2]
	if cached.line.Color != uncached.line.Color || cached.line.Dashes != nil || uncached.line.Dashes == nil || cached.glyph.Shape == uncached.glyph.Shape {
		t.Error("handles of an ABI must share its colour and differ in dashes and marker")
	}
}

func TestPayloadTicks(t *testing.T) {
	sizes := []float64{8, 64, 512, 4096, 65536}
	for axis, want := range map[vg.Length]string{
		200: "8 B, 64 B, 512 B, 4 KiB, 64 KiB",
		90:  "8 B, 512 B, 64 KiB",
		20:  "64 KiB",
	} {
		got, _ := labels(payloadTicks{acm, sizes, axis}.Ticks(5, 1e5))
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%v long: got %s, want %s", axis, s, want)
		}
	}
}

// TestPanelsShareAxes: axes of one column or row stand at one place and have one
// length, whether they have labels or not.
func TestPanelsShareAxes(t *testing.T) {
	var r recorder.Canvas
	f := figure(t, everything(release), "bench-payload")
	f.draw(draw.NewCanvas(&r, f.Width, f.Height))
	long := make(map[string]int)
	for _, a := range r.Actions {
		if s, ok := a.(*recorder.Stroke); ok {
			if b := bounds(s.Path); len(s.Path) == 2 && b.Size().X > 100 && b.Size().Y < 1e-6 {
				long[number(math.Round(b.Min.X.Points()*10)/10)+" "+number(math.Round(b.Size().X.Points()*10)/10)]++
			}
		}
	}
	if len(long) != 3 {
		t.Errorf("horizontal lines start and extend so: %v, want three ways, one a column", long)
	}
}

func TestComparableStacks(t *testing.T) {
	tests := []struct {
		totals []float64
		want   [][]float64
	}{
		{[]float64{100, 5, 30}, [][]float64{{100, 5, 30}}},
		{[]float64{4, 100, 3, 30}, [][]float64{{100, 30}, {4, 3}}},
		{[]float64{1e6, 1e4, 100, 1}, [][]float64{{1e6}, {1e4}, {100, 1}}}, // no more than three
		{[]float64{0, 0}, [][]float64{{0, 0}}},
		{[]float64{0, 7}, [][]float64{{7}, {0}}},
	}
	for _, tt := range tests {
		var stacks []stack
		for _, v := range tt.totals {
			stacks = append(stacks, stack{total: v})
		}
		var got [][]float64
		for _, p := range comparableStacks(stacks) {
			var list []float64
			for _, s := range p {
				list = append(list, s.total)
			}
			got = append(got, list)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%v: got %v, want %v", tt.totals, got, tt.want)
		}
	}
}

// TestNegativePart: noise can make a part negative, which is drawn as zero.
func TestNegativePart(t *testing.T) {
	costs := altered(parted(callParts, callEngines[:1], bothModes), func(i int, c *results.CallCost) {
		c.Call = results.Stats{Median: []float64{100, -7, 20, 3}[i%4] * float64(1+i/4)} // debug builds take twice as long
		c.Call.Low = c.Call.Median - 5
	})
	d := record(figure(t, costs, "bench-breakdown"))
	if !slices.ContainsFunc(d.texts, func(p placed) bool { return p.text == "123" }) {
		t.Errorf("got %v, want a total of 123", d.texts)
	}
	if n := len(d.filled) - 4 - 1; n != 3 {
		t.Errorf("%d parts are drawn, want 3", n)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0012: "0.0012", 0.25: "0.25", 9: "9.00", 24.04: "24.0", 540.2: "540", 1234.5: "1234", 2.5e7: "2.5e+07"} {
		if got := number(v); got != want {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
}

func TestCallFiguresErrors(t *testing.T) {
	with := func(kind string, f func(c *results.CallCost)) []results.CallCost {
		return altered(everything(release), func(_ int, c *results.CallCost) {
			if c.Kind == kind && c.Engine == "wazero" {
				f(c)
			}
		})
	}
	tests := []struct {
		name  string
		costs []results.CallCost
		want  string
	}{
		{"nothing", nil, "nothing to draw"},
		{"another kind", altered(everything(release), func(_ int, c *results.CallCost) { c.Kind = "other" }), "nothing to draw"},
		{"payloads that took no time", altered(paid(payloadTests, callEngines, release), times(0)), "nothing to draw"},
		{"negative call", with(results.CostOfCall, func(c *results.CallCost) { c.Call.Median = -3 }), "(pair-uncached-hotload, wazero, release): call of -3 ns"},
		{"negative bound", with(results.CostOfCall, func(c *results.CallCost) { c.Total.Low = -1 }), "(pair-uncached-hotload, wazero, release): total of"},
		{"set-up is NaN", with(results.CostOfCall, func(c *results.CallCost) { c.Setup.Median = math.NaN() }), "(pair-uncached-hotload, wazero, release): setup of NaN ns"},
		{"infinite bound", with(results.CostOfPayload, func(c *results.CallCost) { c.Call.High = math.Inf(1) }), "(bincode-uncached, wazero, release): call of"},
		{"infinite part", with(results.CostOfPart, func(c *results.CallCost) { c.Call.Median = math.Inf(-1) }), "(boxing, wazero, release): call of -Inf ns"},
		{"no payload", with(results.CostOfPayload, func(c *results.CallCost) { c.Payload = 0 }), "(bincode-uncached, wazero, release): payload of 0 bytes: want a positive number"},
	}
	for _, tt := range tests {
		if figs, err := Make(Rows{Costs: tt.costs}, Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %d figures and %v, want … %s …", tt.name, len(figs), err, tt.want)
		}
	}
}

// FuzzCallFigures draws costs that nobody would measure. Whatever the numbers,
// there is an error or a figure.
func FuzzCallFigures(f *testing.F) {
	f.Add(10.0, 9.0, 12.0, 2e6, 8, "release", "")
	f.Add(0.0, 1.0, 0.0, 0.0, 1, "debug", "bench")
	f.Add(1e18, 1e-300, 1e18, 1e18, 1<<62, "", "wazero")
	f.Add(5e-324, 0.0, 5e-324, 5e-324, -1, "release", "native")
	f.Add(math.NaN(), math.Inf(1), -1.0, 3.0, 0, "a\nb", "é")
	f.Fuzz(func(t *testing.T, median, low, high, setup float64, payload int, mode, name string) {
		if len(mode)+len(name) > 200 {
			t.Skip("long names take long to shorten")
		}
		costs := altered(slices.Concat(called(callTests[:4], callEngines[:2], release), paid(payloadTests[:2], callEngines[:2], release), parted(callParts, callEngines, release)), func(i int, c *results.CallCost) {
			if i%3 == 1 {
				c.Call.Median, c.Call.Low, c.Call.High, c.Setup.Median = median, low, high, setup
				c.Payload, c.Mode, c.Test = payload, mode, name
			}
		})
		figs, err := Make(Rows{Costs: costs}, Options{Title: name})
		if (err == nil) != (len(figs) > 0) {
			t.Fatalf("got %d figures and %v", len(figs), err)
		}
		for _, f := range figs {
			var r recorder.Canvas
			f.draw(draw.NewCanvas(&r, f.Width, f.Height))
			if len(r.Actions) > 100_000 {
				t.Errorf("%s: %d strokes", f.Name, len(r.Actions))
			}
		}
	})
}
