package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cachesim/plots"
)

// objectCounts are the numbers of objects that traces draw from: nodes of 16 bytes fill
// the first-level cache of a processor, the second, the third, and memory.
var objectCounts = []int{1_000, 10_000, 100_000, 1_000_000}

// A point is what a request takes in one engine at one number of objects.
type point struct {
	policy, engine string
	objects        int
	ns, ratio      float64 // medians; ratio to the native policy, of the replays of one round
}

// objects measures what a request takes by the number of objects, natively and in the
// engines, which take turns in one process, and writes a table and a figure into out.
func (c *comparison) objects(policies, engines, out string) error {
	if policies == "" {
		policies = "lru,fifo"
	}
	var all []point
	for _, n := range objectCounts {
		trace := filepath.Join(os.TempDir(), fmt.Sprintf("cachesim-objects-%d.oracleGeneral.bin", n))
		if _, err := os.Stat(trace); err != nil {
			// Enough requests that nearly all of the objects have one.
			if _, err := measure(c.ours, "trace", "gen", "--requests", fmt.Sprint(max(2_000_000, 5*n)), "--objects", fmt.Sprint(n), "--skew", "0.7", "--output", trace); err != nil {
				return err
			}
		}
		dir := filepath.Join(c.dir, fmt.Sprint("objects", n))
		if _, err := measure(c.ours, "run", trace, "--policy", policies, "--size", "10%", "--engine", "native,"+engines, "--abi", "batch", "--handle", "srs",
			"--timing-requests", "all", "--repeat", fmt.Sprint(c.repeat), "--quiet", "--format", "svg", "--out", dir); err != nil {
			return err
		}
		points, err := readPoints(filepath.Join(dir, "times.csv"), n)
		if err != nil {
			return err
		}
		all = append(all, points...)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	table := [][]string{{"policy", "engine", "objects", "ns_per_request", "ratio_to_native"}}
	fmt.Fprintf(c.w, "\n%-10s %-20s %10s %10s %10s\n", "policy", "engine", "objects", "ns/req", "of native")
	for _, p := range all {
		fmt.Fprintf(c.w, "%-10s %-20s %10d %10.1f %10.2f\n", p.policy, p.engine, p.objects, p.ns, p.ratio)
		table = append(table, []string{p.policy, p.engine, strconv.Itoa(p.objects), strconv.FormatFloat(p.ns, 'f', 2, 64), strconv.FormatFloat(p.ratio, 'f', 3, 64)})
	}
	var text strings.Builder
	if err := csv.NewWriter(&text).WriteAll(table); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "objects.csv"), []byte(text.String()), 0o666); err != nil {
		return err
	}
	figure := plots.FromPanels(plots.Options{}, "objects", panels(all)...)
	for _, format := range []string{"png", "pdf"} {
		var image strings.Builder
		if err := figure.Draw(&image, format); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, "objects."+format), []byte(image.String()), 0o666); err != nil {
			return err
		}
	}
	fmt.Fprintln(c.w, "objects.csv, objects.png and objects.pdf are in", out)
	return nil
}

// panels has one for each policy, with a line for each engine.
func panels(all []point) []plots.Panel {
	var list []plots.Panel
	byPolicy := make(map[string]int)
	for _, p := range all {
		i, ok := byPolicy[p.policy]
		if !ok {
			i = len(list)
			byPolicy[p.policy] = i
			list = append(list, plots.Panel{
				Heading: plots.PolicyTitle(p.policy), Mark: plots.Lines,
				X: plots.Axis{Label: "Objects", Log: true}, Y: plots.Axis{Label: "Time", Unit: "ns per request"},
			})
		}
		at := plots.Point{X: float64(p.objects), Y: p.ns}
		series := list[i].Series
		found := false
		for j := range series {
			if series[j].Name == p.engine {
				series[j].Points = append(series[j].Points, at)
				found = true
			}
		}
		if !found {
			list[i].Series = append(series, plots.Series{Name: p.engine, Points: []plots.Point{at}})
		}
	}
	return list
}

// readPoints reads the times of a run; each policy's native one comes first.
func readPoints(name string, objects int) ([]point, error) {
	rows, err := allRows(name)
	if err != nil {
		return nil, err
	}
	native := make(map[string][]float64)
	var points []point
	for _, row := range rows {
		p := point{policy: row["policy"], engine: row["engine"], objects: objects}
		if p.ns, err = strconv.ParseFloat(row["ns_per_request"], 64); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var replays []float64
		for _, field := range strings.Fields(row["replays_ns"]) {
			ns, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			replays = append(replays, ns)
		}
		if p.engine == "native" {
			native[p.policy] = replays
		}
		base := native[p.policy]
		if len(base) != len(replays) || len(base) == 0 {
			return nil, fmt.Errorf("%s: %s on %s has %d replays, the native policy %d", name, p.policy, p.engine, len(replays), len(base))
		}
		var ratios []float64
		for i := range replays {
			ratios = append(ratios, replays[i]/base[i])
		}
		p.ratio = middle(ratios)
		points = append(points, p)
	}
	return points, nil
}
