package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// accuracySizes are shares of the footprint.
var accuracySizes = []string{"1%", "10%", "50%"}

// generated are the traces that estimates are compared on, by the flags of cachesim
// trace gen.
var generated = []struct {
	name  string
	flags []string
}{
	{"equal sizes", []string{"--size-sigma", "0", "--size-tail", "0"}},
	{"small objects", []string{"--median-size", "180", "--size-sigma", "0.6", "--size-tail", "0", "--seed", "3", "--skew", "1.0"}},
	{"heavy tail", nil},
}

// accuracy compares estimates with full replays at accuracySizes and prints the
// table of docs/SAMPLING.md: the errors of all policies that scale, on the generated
// traces and those in files.
func (c *comparison) accuracy(policies string, files []string) error {
	if policies == "" {
		policies = "all"
	}
	type trace struct{ name, file string }
	var traces []trace
	for i, g := range generated {
		file := c.trace // the last
		if i < len(generated)-1 {
			file = filepath.Join(c.dir, fmt.Sprintf("generated-%d.bin", i))
			args := append([]string{"trace", "gen", "--requests", fmt.Sprint(c.requests), "--objects", fmt.Sprint(c.requests / 10), "--output", file}, g.flags...)
			if _, err := measure(c.ours, args...); err != nil {
				return err
			}
			defer os.Remove(file)
		}
		traces = append(traces, trace{g.name, file})
	}
	for _, file := range files {
		full, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		traces = append(traces, trace{filepath.Base(file), full})
	}
	var all []*errorsOf
	for _, t := range traces {
		e, err := c.errorsOn(t.file, policies)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		e.name = t.name
		all = append(all, e)
		fmt.Fprintf(c.w, "%s: %.1f s of processor time in full, %.1f s estimated: a %.0fth; samples of up to %.3g %%\n",
			t.name, e.full, e.sampled, e.full/e.sampled, 100*e.rate)
	}
	printErrors(c, all)
	return nil
}

// errorsOf are the errors of estimates on one trace, in points.
type errorsOf struct {
	name          string
	full, sampled float64 // s of processor time, reading included
	rate          float64 // the largest that was used
	bytes         bool    // bytes have errors of their own
	order         []string
	of            map[string][]errorAt // by policy, in the order of sizes
}

type errorAt struct{ hit, byteHit float64 }

func (c *comparison) errorsOn(file, policies string) (*errorsOf, error) {
	common := []string{file, "--policy", policies, "--size", strings.Join(accuracySizes, ","), "--engine", "native", "--trace-cache", "off", "--quiet", "--format", "svg"}
	full, sampled := filepath.Join(c.dir, "accuracy-full"), filepath.Join(c.dir, "accuracy-sampled")
	defer os.RemoveAll(full)
	defer os.RemoveAll(sampled)
	estimate, err := measure(c.ours, append([]string{"mrc", "--out", sampled}, common...)...)
	if err != nil {
		return nil, err
	}
	rows, err := allRows(filepath.Join(sampled, "results.csv"))
	if err != nil {
		return nil, err
	}
	e := &errorsOf{sampled: cpuOf(estimate), of: make(map[string][]errorAt)}
	for _, row := range rows {
		if !slices.Contains(e.order, row["policy"]) {
			e.order = append(e.order, row["policy"])
		}
	}
	common[2] = strings.Join(e.order, ",") // those that scale
	exact, err := measure(c.ours, append([]string{"run", "--timing-requests", "none", "--out", full}, common...)...)
	if err != nil {
		return nil, err
	}
	e.full = cpuOf(exact)
	want := make(map[string]map[string]string)
	fullRows, err := allRows(filepath.Join(full, "results.csv"))
	if err != nil {
		return nil, err
	}
	for _, row := range fullRows {
		want[row["policy"]+" "+row["size"]] = row
	}
	var bad error
	number := func(row map[string]string, column string) float64 {
		v, err := strconv.ParseFloat(row[column], 64)
		if err != nil && bad == nil {
			bad = fmt.Errorf("column %s: %w", column, err)
		}
		return v
	}
	for _, row := range rows {
		w, ok := want[row["policy"]+" "+row["size"]]
		if !ok {
			return nil, fmt.Errorf("%s at %s was not replayed in full", row["policy"], row["size"])
		}
		at := errorAt{100 * (number(row, "hit_ratio") - number(w, "hit_ratio")), 100 * (number(row, "byte_hit_ratio") - number(w, "byte_hit_ratio"))}
		e.bytes = e.bytes || math.Abs(at.hit-at.byteHit) > 0.01
		e.of[row["policy"]] = append(e.of[row["policy"]], at)
		if row["sample_rate"] != "" {
			e.rate = max(e.rate, number(row, "sample_rate"))
		}
	}
	return e, bad
}

// within are the errors that estimates may have, in points.
var within = errorAt{0.3, 1}

// printErrors prints a row for each policy.
func printErrors(c *comparison, all []*errorsOf) {
	header, rule := "| policy |", "| --- |"
	for _, e := range all {
		header += " " + e.name + " |"
		rule += " --- |"
		if e.bytes {
			header += " its bytes |"
			rule += " --- |"
		}
	}
	fmt.Fprintf(c.w, "\n%s\n%s\n", header, rule)
	n, inside := 0, 0
	var beyond []string
	text := func(list []errorAt, of func(errorAt) float64, limit float64, name string) string {
		var parts []string
		for i, at := range list {
			v := of(at)
			n++
			if math.Abs(v) <= limit {
				inside++
			} else {
				beyond = append(beyond, fmt.Sprintf("%s at %s (%+.2f)", name, accuracySizes[i], v))
			}
			s := fmt.Sprintf("%+.2f", v)
			if s == "+0.00" || s == "-0.00" {
				s = "0"
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, " ")
	}
	for _, p := range all[0].order {
		row := "| `" + p + "` |"
		for _, e := range all {
			row += " " + text(e.of[p], func(a errorAt) float64 { return a.hit }, within.hit, p+", "+e.name) + " |"
			if e.bytes {
				row += " " + text(e.of[p], func(a errorAt) float64 { return a.byteHit }, within.byteHit, p+", bytes, "+e.name) + " |"
			}
		}
		fmt.Fprintln(c.w, row)
	}
	fmt.Fprintf(c.w, "\n%d of %d within %.1f points, of bytes %.1f\n", inside, n, within.hit, within.byteHit)
	if len(beyond) > 0 {
		fmt.Fprintf(c.w, "beyond: %s\n", strings.Join(beyond, "; "))
	}
	for _, e := range all {
		var hit, byteHit, k float64
		for _, list := range e.of {
			for _, at := range list {
				hit, byteHit, k = hit+math.Abs(at.hit), byteHit+math.Abs(at.byteHit), k+1
			}
		}
		fmt.Fprintf(c.w, "%s: mean of the absolute errors %.3f, of bytes %.3f\n", e.name, hit/k, byteHit/k)
	}
}
