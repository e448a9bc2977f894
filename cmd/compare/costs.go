package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// costsFile is the table that the estimates of cachesim plan come from.
const costsFile = "policies-native/costs.csv"

// costs measures every policy at two sizes in interleaved rounds and writes what a
// request takes, in multiples of LRU's time, into costsFile.
func (c *comparison) costs() error {
	byPolicy := make(map[string][]float64)
	var order []string
	for _, size := range []string{"1%", "10%"} {
		dir := filepath.Join(c.dir, "costs"+size)
		if _, err := measure(c.ours, "run", c.trace, "--policy", "all", "--size", size, "--engine", "native",
			"--timing-requests", "all", "--repeat", fmt.Sprint(c.repeat), "--quiet", "--format", "svg", "--out", dir); err != nil {
			return err
		}
		rows, err := allRows(filepath.Join(dir, "times.csv"))
		if err != nil {
			return err
		}
		ns := make(map[string]float64)
		for _, row := range rows {
			if ns[row["policy"]], err = strconv.ParseFloat(row["ns_per_request"], 64); err != nil {
				return err
			}
			if byPolicy[row["policy"]] == nil {
				order = append(order, row["policy"])
			}
			byPolicy[row["policy"]] = append(byPolicy[row["policy"]], ns[row["policy"]])
		}
		for p, list := range byPolicy {
			list[len(list)-1] /= ns["lru"]
			fmt.Fprintf(c.w, "%-20s at %-4s %7.1f ns\n", p, size, ns[p])
		}
	}
	table := [][]string{{"policy", "over_lru"}}
	for _, p := range order {
		table = append(table, []string{p, strconv.FormatFloat(middle(byPolicy[p]), 'f', 2, 64)})
	}
	var text strings.Builder
	if err := csv.NewWriter(&text).WriteAll(table); err != nil {
		return err
	}
	fmt.Fprintln(c.w, "written to", costsFile)
	return os.WriteFile(costsFile, []byte(text.String()), 0o666)
}
