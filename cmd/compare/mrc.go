package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mrc compares estimates from samples with full replays of the same policies at
// the same 8 sizes: processor time, which includes reading the trace, and errors.
// It times libCacheSim's mrcProfiler beside them, one policy a run, and leaves what
// that prints in the directory out.
func (c *comparison) mrc(policies, profiler, out string) error {
	var sizes []string
	for i := range 8 {
		sizes = append(sizes, fmt.Sprint(c.footprint>>i))
	}
	if policies == "" {
		policies = "fifo,lru,clock,sieve,s3fifo,slru,2q,arc,gdsf,w-tinylfu,belady"
	}
	common := []string{c.trace, "--policy", policies, "--size", strings.Join(sizes, ","), "--engine", "native", "--trace-cache", "off", "--quiet", "--format", "svg"}
	full, sampled := filepath.Join(c.dir, "full"), filepath.Join(c.dir, "sampled")
	exact, err := measure(c.ours, append([]string{"run", "--timing-requests", "none", "--out", full}, common...)...)
	if err != nil {
		return err
	}
	var estimates []cost
	for range c.repeat {
		one, err := measure(c.ours, append([]string{"mrc", "--out", sampled}, common...)...)
		if err != nil {
			return err
		}
		estimates = append(estimates, one)
	}
	cpu := median(estimates, cpuOf)
	fmt.Fprintf(c.w, "\n8 sizes, %d policies: full %.1f s of processor time, estimated %.1f s: a %.0fth\n", strings.Count(policies, ",")+1, cpuOf(exact), cpu, cpuOf(exact)/cpu)
	if err := c.errors(full, sampled); err != nil {
		return err
	}
	if profiler == "" {
		fmt.Fprintln(c.w, "mrcProfiler is not measured: MRCPROFILER names libCacheSim's binary")
		return nil
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	for _, p := range []struct{ name, profiler, params string }{
		{"LRU", "SHARDS", "FIX_RATE,0.01,42"}, {"FIFO", "MINISIM", "FIX_RATE,0.01,1"}, {"ARC", "MINISIM", "FIX_RATE,0.01,1"}, {"S3FIFO", "MINISIM", "FIX_RATE,0.01,1"},
	} {
		name := filepath.Join(out, "mrcprofiler-"+strings.ToLower(p.name)+".txt")
		one, err := measure(profiler, c.trace, "oracleGeneral", "--algo="+p.name, "--profiler="+p.profiler, "--profiler-params="+p.params,
			"--size="+strings.Join(sizes, ","), "-o", name)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.w, "mrcProfiler, %s by %s: %.1f s of processor time, %.0f MiB; its curve is in %s\n", p.name, p.profiler, cpuOf(one), memoryOf(one), name)
	}
	return nil
}

// errors prints the errors of the estimates of each policy, in points.
func (c *comparison) errors(full, sampled string) error {
	type ratios struct{ hit, byteHit float64 }
	read := func(dir string) (map[string]ratios, []map[string]string, error) {
		rows, err := allRows(filepath.Join(dir, "results.csv"))
		found := make(map[string]ratios)
		for _, row := range rows {
			var r ratios
			for column, to := range map[string]*float64{"hit_ratio": &r.hit, "byte_hit_ratio": &r.byteHit} {
				var perr error
				if *to, perr = strconv.ParseFloat(row[column], 64); perr != nil && err == nil {
					err = fmt.Errorf("%s: %w", dir, perr)
				}
			}
			found[row["policy"]+" "+row["capacity"]] = r
		}
		return found, rows, err
	}
	exact, _, err := read(full)
	if err != nil {
		return err
	}
	got, rows, err := read(sampled)
	if err != nil {
		return err
	}
	sum, worst, n := make(map[string]ratios), make(map[string]ratios), make(map[string]float64)
	var order []string
	for _, row := range rows {
		p, k := row["policy"], row["policy"]+" "+row["capacity"]
		hit, byteHit := 100*math.Abs(got[k].hit-exact[k].hit), 100*math.Abs(got[k].byteHit-exact[k].byteHit)
		if n[p] == 0 {
			order = append(order, p)
		}
		n[p]++
		sum[p] = ratios{sum[p].hit + hit, sum[p].byteHit + byteHit}
		worst[p] = ratios{max(worst[p].hit, hit), max(worst[p].byteHit, byteHit)}
	}
	fmt.Fprintf(c.w, "%-14s %12s %8s %12s %8s\n", "errors, points", "mean", "largest", "bytes: mean", "largest")
	for _, p := range order {
		fmt.Fprintf(c.w, "%-14s %12.2f %8.2f %12.2f %8.2f\n", p, sum[p].hit/n[p], worst[p].hit, sum[p].byteHit/n[p], worst[p].byteHit)
	}
	return nil
}
