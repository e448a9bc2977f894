package main

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/results"
)

// charted returns results of policies at sizes that double from 1 MiB.
func charted(sizes int, of map[string]float64, order ...string) (list []results.Result) {
	for _, p := range order {
		for k := range sizes {
			list = append(list, results.Result{
				Cell:  sim.Cell{Trace: "t", Policy: p, Requests: 1000, Capacity: 1 << (20 + k), Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}},
				Whole: true, Tally: sim.Tally{Gets: 1000, Hits: int64(of[p]) + int64(100*k)},
			})
		}
	}
	return list
}

// TestChart: curves of letters where there are no colours, sizes below, a legend.
func TestChart(t *testing.T) {
	var b bytes.Buffer
	o := chartOptions{width: 60}
	if err := o.drawChart(&b, charted(5, map[string]float64{"lru": 100, "s3fifo": 300}, "lru", "s3fifo"), nil); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{"Hit ratio (%) by cache size\n", "a LRU   b S3-FIFO\n", "1 MiB", "16 MiB", "  70 ┤", "  10 "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	lines := strings.Split(got, "\n")
	if first := lines[1]; !strings.HasSuffix(first, "b") || strings.Contains(first, "a") {
		t.Errorf("the first line is %q; want the end of S3-FIFO's curve alone", first)
	}
	if strings.Contains(got, "\x1b") {
		t.Errorf("escape sequences without colour:\n%q", got)
	}
}

// TestChartFits: no line is wider than the terminal, whatever the names, and
// colours change nothing of that.
func TestChartFits(t *testing.T) {
	policies := []string{"lru", "fifo", "arc", "lirs", "sieve", "s3fifo:small=0.1", "wtinylfu:window=0.01,protected=0.8,sample=10", "belady"}
	of := make(map[string]float64)
	for i, p := range policies {
		of[p] = float64(50 * i)
	}
	escape := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, colour := range []bool{false, true} {
		for _, width := range []int{40, 80, 100, 200} {
			var b bytes.Buffer
			o := chartOptions{width: width, colour: colour}
			if err := o.drawChart(&b, charted(6, of, policies...), nil); err != nil {
				t.Fatal(err)
			}
			widest := 0
			for _, line := range strings.Split(escape.ReplaceAllString(b.String(), ""), "\n") {
				if strings.Contains(line, "W-TinyLFU (") {
					continue // a name that is wider than the terminal has a line of its own
				}
				widest = max(widest, utf8.RuneCountInString(line))
			}
			if widest > width || widest < min(width, mostColumns)-12 {
				t.Errorf("%d columns: the widest line has %d\n%s", width, widest, b.String())
			}
			if colour != strings.Contains(b.String(), "\x1b") {
				t.Errorf("colour %t:\n%q", colour, b.String())
			}
			if !strings.Contains(b.String(), "(2 more in the table)") || !strings.Contains(b.String(), "LRU") || strings.Contains(b.String(), "FIFO\n") {
				t.Errorf("want six curves, LRU among them\n%s", b.String())
			}
		}
	}
	for name, list := range map[string][]results.Result{"one size": charted(1, of, "lru"), "nothing": nil} {
		var b bytes.Buffer
		if err := (chartOptions{width: 80}).drawChart(&b, list, nil); err != nil || b.Len() > 0 {
			t.Errorf("%s: %v, %q; want no chart", name, err, b.String())
		}
	}
}

// TestAlongColumns: between points a line on the logarithm of sizes, and no number
// where a policy has none.
func TestAlongColumns(t *testing.T) {
	got := alongColumns([]plots.Point{{X: 4, Y: 10}, {X: 16, Y: 50}, {X: 32, Y: 40}}, 2, 64, 11)
	want := []float64{math.NaN(), math.NaN(), 10, 20, 30, 40, 50, 45, 40, math.NaN(), math.NaN()}
	same := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 || math.IsNaN(a) && math.IsNaN(b) }
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestChartFlags(t *testing.T) {
	trace := smallTrace(t, 3000)
	for _, tt := range []struct {
		flags []string
		chart bool
	}{{nil, false}, {[]string{"--chart"}, true}, {[]string{"--no-chart"}, false}} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"cachesim", "run", trace, "--policy", "lru", "--size", "10%,30%,90%", "--timing-requests", "none", "--out", t.TempDir()}, tt.flags...)
		if code := run(args, &stdout, &stderr); code != 0 {
			t.Fatalf("exit %d: %s", code, &stderr)
		}
		if got := strings.Contains(stdout.String(), "by cache size"); got != tt.chart {
			t.Errorf("%q into a buffer: chart %t, want %t", tt.flags, got, tt.chart)
		}
	}
	var stderr bytes.Buffer
	if code := run([]string{"cachesim", "run", trace, "--chart", "--no-chart"}, &bytes.Buffer{}, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "contradict") {
		t.Errorf("both flags: exit %d, %s", code, &stderr)
	}
}
