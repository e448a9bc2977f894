package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// largeTrace writes a trace of which a sample is worth taking.
func largeTrace(t *testing.T) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 0))
	zipf := rand.NewZipf(rng, 1.05, 100, 150_000)
	var b bytes.Buffer
	for i := range 300_000 {
		id := zipf.Uint64()
		fmt.Fprintf(&b, "%d %d %d\n", i/100, id, 100+id*17%1000)
	}
	return file(t, "large.tr", b.Bytes())
}

// TestMRC estimates curves, resumes, and checks that estimates are marked and
// near, that LRU is exact, and that a full run in the same folder takes
// precedence.
func TestMRC(t *testing.T) {
	trace, dir := largeTrace(t), t.TempDir()
	args := []string{"mrc", trace, "--policy", "lru,fifo,belady", "--size", "10%,50%", "--sample", "10%", "--check", "--quiet", "--out", dir, "--format", "png", "--trace-cache", "off"}
	stdout, stderr, code := cachesim(args...)
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"stimated from a 15 % sample, 3 salts", "exact: LRU", "standard errors are up to", "Replayed in full at"} {
		if !strings.Contains(stdout, want) && !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s%s", want, stdout, stderr)
		}
	}
	type key struct{ policy, size string }
	sampled := make(map[key]map[string]string)
	exact := make(map[key]map[string]string)
	for _, row := range readCSV(t, dir, "results.csv") {
		k := key{row["policy"], row["size"]}
		if row["sample_rate"] == "" {
			exact[k] = row
		} else {
			sampled[k] = row
		}
	}
	if len(sampled) != 4 || len(exact) != 4 {
		t.Fatalf("got %d estimates and %d exact results, want 4 (fifo, belady) and 4 (lru, and the others at 10%%)", len(sampled), len(exact))
	}
	for k, row := range sampled {
		if row["salts"] != "3" || row["outcome"] != "" || row["cell"] == exact[k]["cell"] || k.policy == "lru" {
			t.Errorf("%v: got %v", k, row)
		}
	}
	if _, stderr, code = cachesim(append(args, "--resume")...); code != exitDone || !strings.Contains(stderr, "8 of 8 cells are in") {
		t.Errorf("resumed: exit %d: %s", code, stderr)
	}
	// The full run repeats the exact cells: a conflict would fail it.
	stdout, stderr, code = cachesim("run", trace, "--policy", "lru,fifo,belady", "--size", "10%,50%", "--quiet", "--timing-requests", "none", "--out", dir, "--format", "png", "--trace-cache", "off")
	if code != exitDone {
		t.Fatalf("run: exit %d: %s", code, stderr)
	}
	if strings.Contains(stdout, "stimated") {
		t.Errorf("a full run prints estimates:\n%s", stdout)
	}
	if stdout, _, _ = cachesim("table", dir); strings.Contains(stdout, "stimated") {
		t.Errorf("estimates come before exact results:\n%s", stdout)
	}
	if stdout, _, _ = cachesim("table", dir, "--where", "sample!=100"); !strings.Contains(stdout, "Estimated from a 15 % sample, 3 salts") {
		t.Errorf("a table of estimates does not say so:\n%s", stdout)
	}
	for _, row := range readCSV(t, dir, "results.csv") {
		k := key{row["policy"], row["size"]}
		s, ok := sampled[k]
		if row["sample_rate"] != "" || !ok {
			continue
		}
		number := func(row map[string]string, column string) float64 {
			f, err := strconv.ParseFloat(row[column], 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		sd := number(s, "hit_ratio_sd")
		if e := math.Abs(number(s, "hit_ratio") - number(row, "hit_ratio")); e > 0.003+3*sd {
			t.Errorf("%v: the estimate is off by %.4f, with a deviation of %.4f", k, e, sd)
		}
	}
}

func TestMRCSmall(t *testing.T) {
	stdout, stderr, code := cachesim("mrc", smallTrace(t, 3000), "--policy", "lfu,lru", "--quiet", "--out", t.TempDir(), "--format", "png")
	if code != exitDone || !strings.Contains(stderr, "is replayed in full") || strings.Contains(stdout, "stimated") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

// TestMRCRaised: samples grow where their deviation is above what was asked for, which the
// output and the files say.
func TestMRCRaised(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := cachesim("mrc", largeTrace(t), "--policy", "fifo", "--size", "10%", "--sample", "5%", "--sample-error", "0.0001", "--quiet", "--out", dir, "--format", "png", "--trace-cache", "off")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"The samples of 1 of 1 estimates were enlarged, up to 1", "above 0.0001 points, or 0.0003 of bytes", "The error of 1 estimate remains above"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	row := readCSV(t, dir, "results.csv")[0]
	planned, perr := strconv.ParseFloat(row["sample_rate_planned"], 64)
	used, uerr := strconv.ParseFloat(row["sample_rate"], 64)
	if perr != nil || uerr != nil || used <= planned || used > 0.2 {
		t.Errorf("planned a rate of %s, used %s", row["sample_rate_planned"], row["sample_rate"])
	}
}

func TestMRCUsage(t *testing.T) {
	trace := largeTrace(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"mrc", trace, "--policy", "lfu,lru", "--sample", "10%", "--trace-cache", "off"}, "lfu behaves differently in a miniature"},
		{[]string{"mrc", trace, "--salts", "0"}, "--salts 0: expects"},
		{[]string{"mrc", trace, "--sample-error", "-1"}, "--sample-error -1: expects points"},
		{[]string{"mrc", trace, "--sample", "200%"}, "--sample \"200%\": expects a share"},
		{[]string{"run", trace, "--salts", "2"}, "--salts goes with --sample"},
		{[]string{"run", trace, "--sample", "1%", "--window", "100"}, "--window goes without --sample"},
	} {
		_, stderr, code := cachesim(append(tt.args, "--quiet", "--out", t.TempDir())...)
		if code != exitUsage || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: exit %d: %s, want %q", tt.args[2:], code, stderr, tt.want)
		}
	}
}

func TestRateFor(t *testing.T) {
	for _, tt := range []struct {
		asked               float64
		salts, objects      int
		smallest, footprint int64
		want                float64
	}{
		{0.01, 3, 10_000_000, 1000, 100_000, 0.01},
		{0.01, 3, 600_000, 1000, 10_000, 0.017},     // 10,000 objects in a sample
		{0.01, 3, 1_000_000, 100, 1_000_000, 0},     // 300 objects in a cache of 100
		{0.01, 3, 10_000_000, 100, 1_000_000, 0.32}, // 300 objects in a cache of 1000, by steps of the root of 2
		{0.01, 3, 20_000, 10_000, 10_000, 0},
		{0.4, 1, 1_000_000, 100_000, 1_000_000, 0.4},
		{0.4, 3, 1_000_000, 100_000, 1_000_000, 0},
	} {
		o := samplingOptions{rate: tt.asked, salts: tt.salts}
		if got, _ := o.rateFor(tt.objects, tt.smallest, tt.footprint, 0); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}

// TestTimesOfNothing: where every object is larger than the cache no policy was called, and
// there is no time to show.
func TestTimesOfNothing(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := cachesim("run", smallTrace(t, 1000), "--policy", "fifo,lru", "--engine", "native", "--size", "50B", "--quiet", "--out", dir, "--format", "csv", "--trace-cache", "off")
	if code != exitDone || !strings.Contains(stdout, "No running times: each object of the first 1,000 requests is larger than the cache of 50 B") || strings.Contains(stdout, "ns per request") {
		t.Errorf("exit %d: %s%s", code, stderr, stdout)
	}
	if rows := readCSV(t, dir, "times.csv"); rows[0]["timed_too_large"] != "1000" {
		t.Errorf("times.csv has %s gets of objects too large, want 1000", rows[0]["timed_too_large"])
	}
	if stdout, _, _ := cachesim("table", dir, "--kind", "times"); strings.Contains(stdout, "0.0") {
		t.Errorf("a table has times:\n%s", stdout)
	}
	if _, stderr, code := cachesim("plot", dir, "--out", dir, "--highlight", "arc"); code == exitDone || !strings.Contains(stderr, `--highlight: no results of policy "arc"`) {
		t.Errorf("plot: exit %d: %s", code, stderr)
	}
}
