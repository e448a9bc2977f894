package main

import (
	"strconv"
	"strings"
	"testing"
)

// TestCosts asks for costs of a run that was made without, which replays its
// cells again, and resumes that.
func TestCosts(t *testing.T) {
	trace, dir := smallTrace(t, 30_000), t.TempDir()
	args := []string{"run", trace, "--policy", "lru,fifo", "--size", "10%,50%", "--timing-requests", "none", "--quiet", "--out", dir, "--format", "png", "--resume"}
	if _, stderr, code := cachesim(args...); code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if rows := readCSV(t, dir, "results.csv"); rows[0]["cost_model"] != "" || rows[0]["origin_bytes"] != "" {
		t.Errorf("without flags: %v", rows[0])
	}
	args = append(args, "--latency", "hit=2ms,miss=40ms", "--egress-cost", "0.5/GB", "--origin-interval", "1m")
	stdout, stderr, code := cachesim(args...)
	if code != exitDone || strings.Contains(stderr, "cells are in") {
		t.Fatalf("with costs: exit %d: %s", code, stderr)
	}
	for _, want := range []string{"Costs at ", "latency ms", "egress cost", "writes a day", "Delayed hits are not counted: the trace's times are in steps of 1s"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	for _, row := range readCSV(t, dir, "results.csv") {
		number := func(column string) float64 {
			f, err := strconv.ParseFloat(row[column], 64)
			if err != nil {
				t.Fatalf("%s: %v", column, err)
			}
			return f
		}
		hit := number("hits") / number("gets")
		if want := 2*hit + 40*(1-hit); number("latency_mean_ms") < want*0.9999 || number("latency_mean_ms") > want*1.0001 {
			t.Errorf("%s: mean latency %s, want %f", row["policy"], row["latency_mean_ms"], want)
		}
		if number("origin_bytes") != number("bytes")-number("hit_bytes") || number("origin_peak_gbits") < number("origin_p95_gbits") ||
			number("origin_p95_gbits") < number("origin_mean_gbits")*0.5 || number("write_ratio") != number("admitted_bytes")/number("bytes") {
			t.Errorf("got %v", row)
		}
	}
	if _, stderr, code = cachesim(args...); code != exitDone || !strings.Contains(stderr, "4 of 4 cells are in") {
		t.Errorf("resumed: exit %d: %s", code, stderr)
	}
	for _, bad := range [][]string{{"--latency", "hit=1ms"}, {"--egress-cost", "free"}, {"--origin-interval", "-1s"}, {"--costs", "--sample", "10%"}} {
		if _, stderr, code := cachesim(append([]string{"run", trace, "--out", t.TempDir()}, bad...)...); code != exitUsage || !strings.Contains(stderr, "--") {
			t.Errorf("%v: exit %d: %s", bad, code, stderr)
		}
	}
}
