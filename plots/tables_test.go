package plots

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
	"cachesim/sim/results"
)

// rendered returns the tables of rows in a format.
func rendered(t *testing.T, rows Rows, o Options, format string, kinds ...string) string {
	t.Helper()
	tables, err := Tables(rows, o, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, table := range tables {
		for i, row := range table.Rows {
			if len(row) != len(table.Header) {
				t.Errorf("%s: row %d has %d cells under %d names", table.Name, i, len(row), len(table.Header))
			}
		}
		if err := table.Render(&b, format); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

var tableResults = []results.Result{
	cell("a_b.tr", "fifo", mib, 200), cell("a_b.tr", "fifo", 2*mib, 400),
	cell("a_b.tr", "lru", mib, 360), cell("a_b.tr", "lru", 2*mib, 400),
	cell("a_b.tr", "belady", mib, 600),
}

func TestTableFormats(t *testing.T) {
	tests := map[string]string{
		"text": `Hit ratio (%), a_b.tr
policy   1 MiB  2 MiB
-----------------------
FIFO    20.00   40.00
LRU     36.00*  40.00
Belady  60.00
* best of its column
`,
		"markdown": `**Hit ratio (%), a\_b.tr**

| policy | 1 MiB | 2 MiB |
| --- | ---: | ---: |
| FIFO | 20.00 | 40.00 |
| LRU | **36.00** | 40.00 |
| Belady | 60.00 |  |
`,
		"latex": `% \usepackage{booktabs}
\begin{table}
\centering
\caption{Hit ratio (\%), a\_b.tr}
\begin{tabular}{lrr}
\toprule
policy & 1 MiB & 2 MiB \\
\midrule
FIFO & 20.00 & 40.00 \\
LRU & \textbf{36.00} & 40.00 \\
Belady & 60.00 &  \\
\bottomrule
\end{tabular}
\end{table}
`,
		"csv": `policy,1 MiB,2 MiB
FIFO,20.000000,40.000000
LRU,36.000000,40.000000
Belady,60.000000,
`,
	}
	for _, format := range TableFormats {
		if got := rendered(t, Rows{Results: tableResults}, Options{}, format); got != tests[format] {
			t.Errorf("%s: got\n%s\nwant\n%s", format, got, tests[format])
		}
	}
	if err := (Table{}).Render(&bytes.Buffer{}, "html"); err == nil || !strings.Contains(err.Error(), `unknown table format "html": known are text, markdown, latex, csv`) {
		t.Errorf("got %v", err)
	}
	for _, format := range TableFormats {
		if err := (Table{Header: []string{"a"}, Rows: [][]TableCell{{{Text: "b"}}}}).Render(failing{}, format); err == nil {
			t.Errorf("%s: no error from a writer that fails", format)
		}
	}
}

// TestTables: the other kinds, as text.
func TestTables(t *testing.T) {
	seed := func(n uint64) func(*results.Result) {
		return func(r *results.Result) { r.Seed = n }
	}
	native, guest := sim.Version{Engine: sim.NativeEngine}, sim.Version{Engine: "wazero", ABI: "batch", Handle: "srs"}
	timed := func(v sim.Version, ns ...int) func(*results.Result) {
		return func(r *results.Result) {
			r.Timed, r.Whole, r.Version, r.Repeats, r.Setup = true, false, v, len(ns), 1500*time.Microsecond
			for _, n := range ns {
				r.Replays = append(r.Replays, time.Duration(n*1000))
			}
			r.Replay, r.ReplayMin, r.ReplayMax = results.Median(r.Replays), slices.Min(r.Replays), slices.Max(r.Replays)
		}
	}
	var many []results.Result
	for i := range int64(6) {
		name := "t" + string(rune('0'+i))
		many = append(many, cell(name, "fifo", 100, 500, percentOf("1%")), cell(name, "lru", 100, 510+10*i, percentOf("1%")), cell(name, "arc", 100, 600+20*i, percentOf("1%")))
	}
	fine := func(policy string, hits int64) results.Result { // of a million requests
		r := cell("a", policy, mib, 0)
		r.Gets, r.Hits = 1_000_000, hits
		return r
	}
	tests := []struct {
		kind string
		rs   []results.Result
		o    Options
		want string
	}{
		{"miss-ratio", tableResults[:4], Options{Title: "Set A", Labels: map[string]string{"lru": "mine"}}, `Set A: miss ratio (%), a_b.tr
policy   1 MiB  2 MiB
-----------------------
FIFO    80.00   60.00
mine    64.00*  60.00
* best of its column
`},
		{"byte-hit-ratio", []results.Result{tableResults[0], tableResults[1]}, Options{}, `Byte hit ratio (%), a_b.tr
cache size   FIFO
-------------------
1 MiB       10.00
2 MiB       20.00
`},
		{"improvement", tableResults, Options{}, `Miss ratio reduction from FIFO (%), a_b.tr
policy  1 MiB  2 MiB
----------------------
LRU     20.00   0.00
Belady  50.00
`},
		{"hit-ratio", []results.Result{
			cell("a", "random", mib, 200, seed(1)), cell("a", "random", mib, 300, seed(2)), cell("a", "random", mib, 400, seed(3)),
			cell("a", "lru", mib, 310), cell("a", "fifo", mib, 10),
		}, Options{}, `Hit ratio (%), a
policy           1 MiB
------------------------
Random  30.00 ± 24.84*
LRU             31.00*
FIFO             1.00
* best of its column
Mean of 3 seeds with its 95 % interval.
`},
		{"hit-ratio", []results.Result{
			fine("lru", 627_501), fine("arc", 627_549), fine("fifo", 627_551), fine("sieve", 627_649),
		}, Options{}, `Hit ratio (%), a
policy   1 MiB
----------------
LRU     62.75
ARC     62.75
FIFO    62.76*
SIEVE   62.76*
* best of its column
`},
		{"across-traces", many, Options{}, `Miss ratio reduction from FIFO, over 6 traces
size  policy  traces         mean %  median %  P10 %  P90 %  better  worse      p
-----------------------------------------------------------------------------------
1%    LRU          6   7.00 ± 3.93       7.00   3.00  11.00       6      0  0.031
1%    ARC          6  30.00 ± 7.85*     30.00  22.00  38.00       6      0  0.031
* best of its column
Miss ratio reduction from FIFO in percent of the baseline's; better and worse: traces.
Marked: intervals of the mean (95 %) overlap that of the best one.
p: Wilcoxon signed-rank test, two-sided, not corrected for the number of comparisons.
`},
		{"times", []results.Result{
			cell("a", "lru", mib, 1, timed(native, 20, 21, 22, 23, 24, 25)),
			cell("a", "lru", mib, 1, timed(guest, 40, 42, 44, 46, 48, 50)),
			cell("a", "fifo", mib, 1, timed(native, 20, 19, 23, 21, 24, 26)),
		}, Options{}, `Running time at 1 MiB, a
policy  engine  abi    handle  ns/request   low  high  x native  set-up ms
----------------------------------------------------------------------------
LRU     native                      22.5*  20.0  25.0                 1.50
LRU     wazero  batch  srs          45.0   40.0  50.0      2.00       1.50
FIFO    native                      22.0*  19.0  26.0                 1.50
* best of its table
Medians over the first 1,000 requests; low and high: 95 % interval of 6 replays.
Marked: no other one is faster by more than noise (Mann-Whitney U test at 5 %).
`},
	}
	shown := make(map[string]bool)
	for _, tt := range tests {
		if got := rendered(t, Rows{Results: tt.rs}, tt.o, "text", tt.kind); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.kind, got, tt.want)
		}
		shown[tt.kind] = true
	}
	for _, kind := range []string{"byte-miss-ratio", "byte-improvement"} { // others of the same functions
		if got := rendered(t, Rows{Results: tableResults}, Options{}, "csv", kind); !strings.Contains(got, "LRU") {
			t.Errorf("%s: got %s", kind, got)
		}
		shown[kind] = true
	}
	for _, k := range TableKinds {
		if !shown[k.Name] {
			t.Errorf("%s is not tested", k.Name)
		}
	}
}

func TestTablesErrors(t *testing.T) {
	tests := []struct {
		rs    []results.Result
		kinds []string
		want  string
	}{
		{nil, nil, "nothing to show: neither replays of whole traces nor timed cells"},
		{tableResults, []string{"times"}, "make table times: nothing to show: it shows timed cells"},
		{tableResults, []string{"chair"}, `unknown table "chair": known are hit-ratio, `},
		{[]results.Result{cell("a", "lru", -1, 1)}, nil, "result 1 (lru, native): capacity of -1 bytes"},
	}
	for _, tt := range tests {
		if _, err := Tables(Rows{Results: tt.rs}, Options{}, tt.kinds...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %v, want … %s", tt.kinds, err, tt.want)
		}
	}
}
