package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/results"
)

// gets of each replay: the standard error of a ratio is 0.05 points or less.
const gets = 1_000_000

// cell makes the result of a whole replay; hits are in percent.
func cell(policy string, capacity int64, hits float64, change ...func(*results.Result)) results.Result {
	r := results.Result{
		Cell: sim.Cell{Trace: "web", TraceDigest: "d1", Requests: gets, Policy: policy, Capacity: capacity, Unit: sim.UnitBytes,
			Version: sim.Version{Engine: sim.NativeEngine}},
		Tally: sim.Tally{Gets: gets, Hits: int64(gets * hits / 100), Bytes: gets, HitBytes: int64(gets * hits / 200)}, Whole: true,
	}
	for _, f := range change {
		f(&r)
	}
	r.CellID = r.Cell.ID()
	return r
}

func seed(n uint64) func(*results.Result) { return func(r *results.Result) { r.Seed = n } }

// timed makes a timed cell; its replays are around ns per request.
func timed(policy string, ns float64, version sim.Version, replays int) results.Result {
	return cell(policy, 2<<20, 0, func(r *results.Result) {
		r.Timed, r.Whole, r.Version, r.Requests, r.Gets = true, false, version, 1000, 1000
		r.Hits, r.Bytes, r.HitBytes = 0, 1000, 0
		for i := range replays {
			r.Replays = append(r.Replays, time.Duration(1000*ns)+time.Duration(i-replays/2))
		}
		r.Repeats, r.Replay = replays, results.Median(r.Replays)
		r.ReplayMin, r.ReplayMax = slices.Min(r.Replays), slices.Max(r.Replays)
	})
}

var (
	native = sim.Version{Engine: sim.NativeEngine}
	wazero = sim.Version{Engine: "wazero", ABI: "batch", Handle: "srs"}
)

// usual is a run as it usually is: three sizes, two policies, times.
func usual() Input {
	set := &results.Set{
		Runs: []results.Provenance{{Version: "0.2.0", Go: "go1.26", OS: "linux", Arch: "amd64", Host: "bench-1", CPU: "A processor", CPUs: 8,
			Engines: map[string]string{"wazero": "wazero 1.12.0", "native": "go1.26"}, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Command: []string{"/usr/local/bin/cachesim", "run", "my trace.log", "--size", "1MiB,10%"}}},
		Traces: []results.Trace{{Name: "web", Path: "my trace.log", Digest: "d1", Format: "lines", ObjectSize: "first", Requests: gets, Gets: gets,
			Objects: gets / 5, Footprint: 20 << 20, RequestBytes: gets, LargestSize: 1, Notes: []string{"3 lines were comments"}}},
	}
	for i, capacity := range []int64{1 << 20, 2 << 20, 10 << 20} {
		base := []float64{30, 60, 78}[i]
		set.Results = append(set.Results, cell("lru", capacity, base), cell("s3fifo", capacity, base+[]float64{5, 4, 0.01}[i]), cell("belady", capacity, base+[]float64{10, 6, 2}[i]))
	}
	set.Results = append(set.Results, timed("lru", 90, wazero, 6), timed("s3fifo", 130, wazero, 6), timed("lru", 9, native, 6), timed("s3fifo", 14, native, 6))
	return Input{Set: set, Sources: []string{"results"}}
}

// hostile has names that are HTML, scripts, and characters that control a display.
func hostile() Input {
	in := usual()
	const attack = `"><script>window.attacked=1</script><img src=http://192.0.2.1/x onerror="window.attacked=1"><b>&` + "\u202e\x1b[31m"
	for i := range in.Set.Results {
		r := &in.Set.Results[i]
		r.Cell.Trace = attack
		r.Policy += ":" + attack
		r.CellID = r.Cell.ID()
	}
	in.Set.Results[0].Title = attack + "title"
	run := &in.Set.Runs[0]
	run.Host, run.CPU, run.Command = attack, attack, []string{"cachesim", "run", attack}
	run.Engines[attack] = attack
	in.Set.Traces[0].Name, in.Set.Traces[0].Path, in.Set.Traces[0].Notes = attack, attack, []string{attack}
	in.Set.Failures = []results.Failure{{Cell: in.Set.Results[0].Cell, Error: attack}}
	in.Set.Conflicts = []string{attack}
	in.Options.Title, in.Sources = attack, []string{attack}
	return in
}

// wide has many policies and long names.
func wide() Input {
	in := usual()
	for i := range 24 {
		for _, capacity := range []int64{1 << 20, 2 << 20, 10 << 20} {
			in.Set.Results = append(in.Set.Results, cell(fmt.Sprintf("apolicywithaverylongname%d.wasm", i), capacity, 20+float64(i)))
		}
	}
	in.Set.Traces[0].Path = "/" + strings.Repeat("averylongfolder", 20) + "/trace"
	return in
}

func write(t *testing.T, in Input) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSummary: what the summary says, in full sentences.
func TestSummary(t *testing.T) {
	tests := []struct {
		name string
		in   Input
		want []string
		not  []string
	}{
		{"usual", usual(), []string{
			"S3-FIFO has the best hit ratio at 2 of 3 cache sizes. At 1 the best ones are within noise of each other.",
			"At 1 MiB and 2 MiB, S3-FIFO wins by 4.00 to 5.00 percentage points over the next policy, with 35.00\u00a0% to 64.00\u00a0%.",
			"At 10 MiB, nobody wins: S3-FIFO and LRU are within noise of each other, at 78.01\u00a0%.",
			"Belady, which knows the future, is between 1.99 percentage points above (at 10 MiB) and 5.00 percentage points above (at 1 MiB) the best policy.",
			"The attainable hit ratio is 80.00\u00a0%, that of a cache that never evicts. The smallest of these sizes at which a policy reaches 90 % of it (72.00\u00a0%):",
			"At 10 MiB: S3-FIFO and LRU.",
			"Native policies take from 9.00 ns (LRU) to 14.0 ns (S3-FIFO) per request.",
			"wazero/batch/srs takes 9.64 times native (geometric mean over 2 policies, 9.29 to 10.00).",
			"cachesim run 'my trace.log' --size 1MiB,10%", "cachesim report results --output report.html",
			"bench-1", "wazero 1.12.0", "3 lines were comments", "2026-01-02 03:04:05 UTC",
		}, []string{"too few", "Warning", "/usr/local/bin"}},
		{"one size", Input{Set: &results.Set{Results: []results.Result{cell("lru", 1<<20, 30), cell("arc", 1<<20, 31), cell("lirs", 1<<20, 31.02)}}}, []string{
			"No policy has the best hit ratio beyond noise at any cache size.",
			"At 1 MiB, LIRS and ARC lead and are within noise of each other; the best is 1.02 percentage points above the next policy, at 31.02\u00a0%.",
			"The attainable hit ratio is 31.02\u00a0%, the highest of all results.",
		}, []string{" wins by", " wins with"}},
		// No variant of Belady wins, and the bound that was given does not either.
		{"bounds", Input{Options: plots.Options{Bound: "mine.wasm"}, Set: &results.Set{Results: []results.Result{
			cell("lru", 1<<20, 30), cell("arc", 1<<20, 32), cell("belady-bypass", 1<<20, 40), cell("pfoo-l", 1<<20, 45), cell("mine.wasm", 1<<20, 50)}}}, []string{
			"At 1 MiB, ARC wins with 32.00\u00a0%, 2.00 percentage points above LRU (30.00\u00a0%).", "which knows the future, is 8.00 percentage points above the best policy", ", the bound, is 18.00 percentage points above the best policy",
			"The attainable hit ratio is 50.00\u00a0%, the highest of all results.",
		}, nil},
		{"one policy", Input{Set: &results.Set{Results: []results.Result{cell("lru", 1<<20, 30), cell("lru", 2<<20, 40)}}}, []string{
			"LRU has a hit ratio of 30.00\u00a0% at 1 MiB and of 40.00\u00a0% at 2 MiB. No other policy was replayed.",
		}, []string{" wins by", " wins with"}},
		// The mean of random is higher by a point, but its seeds differ by more.
		{"seeds", Input{Set: &results.Set{Results: []results.Result{
			cell("random", 1<<20, 28, seed(1)), cell("random", 1<<20, 34, seed(2)), cell("lru", 1<<20, 30, seed(1)), cell("lru", 1<<20, 30, seed(2))}}}, []string{
			"At 1 MiB, nobody wins: Random and LRU are within noise of each other",
		}, []string{" wins by", " wins with"}},
		// Two points of a hundred requests are chance.
		{"short trace", Input{Set: &results.Set{Results: []results.Result{
			cell("arc", 1<<20, 32, func(r *results.Result) { r.Gets, r.Hits = 100, 32 }), cell("lru", 1<<20, 30, func(r *results.Result) { r.Gets, r.Hits = 100, 30 })}}}, []string{
			"At 1 MiB, nobody wins: ARC and LRU are within noise of each other",
		}, []string{" wins by", " wins with"}},
		{"too few replays", Input{Set: &results.Set{Results: []results.Result{timed("lru", 9, native, 3), timed("lru", 20, wazero, 3),
			timed("lru", 21, sim.Version{Engine: "cranelift", ABI: "batch", Handle: "srs"}, 3)}}}, []string{
			"No WASM version is the fastest beyond noise. The first of them, wazero/batch/srs, takes 2.22 times native.",
			"With 3 replays of a cell the times of one policy cannot be told from noise",
		}, nil},
		{"enough replays", Input{Set: &results.Set{Results: []results.Result{timed("lru", 9, native, 8), timed("lru", 20, wazero, 8),
			timed("lru", 21, sim.Version{Engine: "cranelift", ABI: "pair", Handle: "srs"}, 8)}}}, []string{
			"The fastest WASM version is wazero/batch/srs: 2.22 times native.",
			"By engine, in its fastest version: wazero 2.22× (wazero/batch/srs), cranelift 2.33× (cranelift/pair/srs).",
			"By ABI, in its fastest version: batch 2.22× (wazero/batch/srs), pair 2.33× (cranelift/pair/srs).",
		}, nil},
		{"failures alone", Input{Set: &results.Set{Failures: []results.Failure{{Cell: cell("lru", 1<<20, 1).Cell, Error: "no memory"}}}}, []string{
			"1 cell failed", "no memory",
		}, nil},
		{"micro benchmark", Input{Costs: []results.CallCost{
			{Kind: results.CostOfCall, Test: "native", Engine: "native", Mode: "release", Runs: 5, Call: results.Stats{Mean: 2, Median: 2, Low: 1.9, High: 2.1, Min: 1.9}},
			{Kind: results.CostOfCall, Test: "pair-cached-preload", Engine: "wazero", ABI: "pair", Mode: "release", Runs: 5, Call: results.Stats{Mean: 20, Median: 20, Low: 19, High: 21, Min: 19}, ToNative: results.Stats{Median: 10}},
			{Kind: results.CostOfCall, Test: "loop", Engine: "wazero", Mode: "release", Runs: 5, Call: results.Stats{Mean: 1, Median: 1, Low: 1, High: 1, Min: 1}},
		}}, []string{
			"wazero: 20.0 ns a call (19.0 to 21.0), in test pair-cached-preload; 10.00 times the native test.", "3 results of the micro benchmark",
		}, nil},
	}
	for _, test := range tests {
		text := plain(write(t, test.in))
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page lacks %q", test.name, want)
			}
		}
		summary, _, _ := strings.Cut(text, "What counts as a difference")
		for _, not := range test.not {
			if strings.Contains(summary, not) {
				t.Errorf("%s: the summary has %q", test.name, not)
			}
		}
		if t.Failed() {
			t.Fatalf("%s: the summary:\n%s", test.name, summary[strings.Index(summary, "Summary"):])
		}
	}
}

var tags = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|<[^>]*>`)

// plain returns the text of a page.
func plain(page []byte) string {
	return strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&").Replace(tags.ReplaceAllString(string(page), ""))
}

// TestSameBytes: a page depends on its input alone.
func TestSameBytes(t *testing.T) {
	first := write(t, wide())
	for range 3 {
		if !bytes.Equal(write(t, wide()), first) {
			t.Fatal("two pages of the same input differ")
		}
	}
}

// TestLeavesInput: names are made printable in a copy.
func TestLeavesInput(t *testing.T) {
	in, same := hostile(), hostile()
	write(t, in)
	if a, b := fmt.Sprintf("%+v", *in.Set), fmt.Sprintf("%+v", *same.Set); a != b {
		t.Error("Write changed its input")
	}
}

// TestMarkup: tags are balanced, ids differ, references exist, every figure has
// an alternative text from its data and every table a caption and headers.
func TestMarkup(t *testing.T) {
	for name, in := range map[string]Input{"usual": usual(), "hostile": hostile(), "wide": wide()} {
		page := write(t, in)
		if bytes.Contains(page, []byte("\x1b")) || bytes.Contains(page, []byte("\u202e")) {
			t.Errorf("%s: a character that controls a display is in the page", name)
		}
		ids := make(map[string]bool)
		var refs, levels []string
		figures, tables, captions := 0, 0, 0
		d := xml.NewDecoder(bytes.NewReader(regexp.MustCompile(`(?s)<script>.*?</script>`).ReplaceAll(page, nil)))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		depth := 0
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, ok := token.(xml.EndElement); ok {
				depth--
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			depth++
			attributes := make(map[string]string)
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
				switch a.Name.Local {
				case "id":
					if ids[a.Value] {
						t.Errorf("%s: id %s is there twice", name, a.Value)
					}
					ids[a.Value] = true
				case "aria-labelledby", "aria-describedby":
					refs = append(refs, a.Value)
				case "href":
					refs = append(refs, strings.TrimPrefix(a.Value, "#"))
				}
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" {
					t.Errorf("%s: %s has the attribute %s=%q", name, e.Name.Local, a.Name.Local, a.Value)
				}
			}
			switch e.Name.Local {
			case "svg":
				figures++
				if attributes["role"] != "img" {
					t.Errorf("%s: a figure has the role %q", name, attributes["role"])
				}
			case "table":
				tables++
			case "caption":
				captions++
			case "h1", "h2", "h3", "h4":
				levels = append(levels, e.Name.Local)
			}
		}
		for _, r := range refs {
			if !ids[r] && r != "data:," {
				t.Errorf("%s: a reference to %q, which is no id", name, r)
			}
		}
		if depth != 0 || figures < 2 || tables < 4 || captions != tables {
			t.Errorf("%s: depth %d, %d figures, %d tables, %d captions", name, depth, figures, tables, captions)
		}
		for i := 1; i < len(levels); i++ {
			if levels[i] > levels[i-1] && levels[i][1] != levels[i-1][1]+1 {
				t.Errorf("%s: heading %s follows %s", name, levels[i], levels[i-1])
			}
		}
	}
}

// TestDescription: alternative texts come from the data.
func TestDescription(t *testing.T) {
	page := string(write(t, usual()))
	for _, want := range []string{
		"Lines of hit ratio (%) against cache size. LRU: from 30.00 at 1 MiB to 78.00 at 10 MiB. S3-FIFO: from 35.00 at 1 MiB to 78.01 at 10 MiB.",
		"Bars of ns per request against categories. ",
	} {
		want = strings.ReplaceAll(want, ".00", "")
		if !strings.Contains(page, want) {
			t.Errorf("no figure has the text %q in\n%s", want, regexp.MustCompile(`<desc [^<]*</desc>`).FindAllString(page, -1))
		}
	}
}

// TestDataTable: what a table of a figure's data holds.
func TestDataTable(t *testing.T) {
	points := func(n int, from float64) (list []plots.Point) {
		for i := range n {
			list = append(list, plots.Point{X: from + float64(i), Y: float64(i)})
		}
		return list
	}
	axis := plots.Axis{Label: "X"}
	shared := dataTable("a", "A", plots.Panel{X: axis, Y: axis, Series: []plots.Series{{Name: "s", Points: points(3, 1)}, {Name: "t", Points: points(2, 1)}}})
	if len(shared.Header) != 3 || len(shared.Rows) != 3 || shared.Rows[2][2].Text != "" {
		t.Errorf("series with the same X: %+v", shared)
	}
	apart := dataTable("a", "A", plots.Panel{X: axis, Y: axis, Series: []plots.Series{{Name: "s", Points: points(3, 1)}, {Name: "t", Points: points(3, 100)}}})
	if len(apart.Header) != 3 || apart.Header[0].Text != "Series" || len(apart.Rows) != 6 {
		t.Errorf("series with other X: %+v", apart)
	}
	long := dataTable("a", "A", plots.Panel{X: axis, Y: axis, Series: []plots.Series{{Name: "s", Points: points(1000, 0)}}})
	if len(long.Rows) != mostRows || long.Rows[mostRows-1][0].Text != "999" || !strings.Contains(strings.Join(long.Notes, ""), "200 of 1,000 rows") {
		t.Errorf("a long series: %d rows, notes %q", len(long.Rows), long.Notes)
	}
}

// TestSortKey: sizes are sorted by their bytes.
func TestSortKey(t *testing.T) {
	for text, want := range map[string]string{
		"2 GiB": "2147483648", "10 MiB": "10485760", "1.5 KiB": "1536", "5,000 objects": "5000", "10%": "10", "12.5": "12.5", "1,234": "1234",
		"S3-FIFO": "S3-FIFO", "": "", "2Q": "2Q", "3.4 (1.2 to 5)": "3.4",
	} {
		if got := sortKey(text); got != want {
			t.Errorf("sortKey(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestCommandLine: a shell reads what was given.
func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"/opt/bin/cachesim", "run", "it's a trace", "", "a;b", "--size=10%"})
	if want := `cachesim run 'it'\''s a trace' '' 'a;b' --size=10%`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
