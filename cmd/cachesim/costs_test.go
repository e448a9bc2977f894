package main

import (
	"os"
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

// TestDelayedStrict replays a trace with fetches that take longer than the time
// between requests, with objects stored at once and when they arrive.
func TestDelayedStrict(t *testing.T) {
	// a is requested every second, b and c in turns between; a cache of two.
	var b strings.Builder
	for i := range 300 {
		b.WriteString(strconv.Itoa(i) + " " + []string{"a", "b", "a", "c"}[i%4] + " 1\n")
	}
	trace, dir := file(t, "delayed.tr", []byte(b.String())), t.TempDir()
	args := []string{"run", trace, "--policy", "lru,s3fifo,belady", "--size", "2B", "--timing-requests", "none", "--quiet", "--out", dir, "--format", "svg", "--latency", "hit=0s,miss=5s"}
	if _, stderr, code := cachesim(args...); code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	stdout, stderr, code := cachesim(append(args, "--delayed", "strict")...)
	if code != exitDone || !strings.Contains(stdout, "where objects enter the cache when their fetch is complete") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	rows := readCSV(t, dir, "results.csv")
	if len(rows) != 6 {
		t.Fatalf("%d rows, want 3 policies, each with objects stored at once and later", len(rows))
	}
	for _, row := range rows {
		strict := row["fetch_ns"] == "5000000000"
		if !strict && row["fetch_ns"] != "" || strict != strings.Contains(row["cost_model"], "delayed=strict") || row["delayed_hits"] == "0" {
			t.Errorf("got %v", row)
		}
	}
	if _, err := os.Stat(dir + "/hit-ratio-after_5s.svg"); err != nil {
		t.Errorf("strict results have no figure of their own: %v", err)
	}
	coarse := smallTrace(t, 1000)
	for _, bad := range []struct{ trace, flags, want string }{
		{trace, "--delayed strict", "--delayed strict needs --latency"},
		{trace, "--delayed later --latency hit=0s,miss=5s", `unknown "later"`},
		{coarse, "--delayed strict --latency hit=0s,miss=5ms", "longer than a fetch"},
	} {
		args := append([]string{"run", bad.trace, "--out", t.TempDir(), "--timing-requests", "none"}, strings.Fields(bad.flags)...)
		if _, stderr, code := cachesim(args...); code != exitUsage || !strings.Contains(stderr, bad.want) {
			t.Errorf("%s: exit %d: %s", bad.flags, code, stderr)
		}
	}
}

// TestCostOfColumns has costs and latencies in the trace.
func TestCostOfColumns(t *testing.T) {
	// FIFO of two objects: a and b miss, a hits, c misses and evicts a, a misses.
	trace := file(t, "costs.csv", []byte("0,a,1,10,100,2000\n100,b,1,5,100,3000\n200,a,1,10,300,2000\n300,c,1,1,100,500\n400,a,1,4,100,2500\n"))
	dir := t.TempDir()
	args := []string{"run", trace, "--columns", "time=1,id=2,size=3,cost=4,hit_us=5,miss_us=6", "--policy", "fifo", "--size", "2B", "--timing-requests", "none", "--quiet", "--format", "svg", "--out", dir}
	stdout, stderr, code := cachesim(append(args, "--latency", "columns")...)
	if code != exitDone || !strings.Contains(stdout, "cost saved") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	row := readCSV(t, dir, "results.csv")[0]
	for column, want := range map[string]string{"miss_cost": "20", "cost_saving_ratio": "0.33333333333333337", "latency_mean_ms": "1.66", "latency_p50_ms": "2", "latency_p99_ms": "3", "hits": "1"} {
		if row[column] != want {
			t.Errorf("%s is %s, want %s", column, row[column], want)
		}
	}
	plain := smallTrace(t, 100)
	if _, stderr, code := cachesim("run", plain, "--latency", "columns", "--out", t.TempDir()); code != exitUsage || !strings.Contains(stderr, "no column of") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
