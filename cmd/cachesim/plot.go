package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"cachesim/plots"
	"cachesim/sim/results"
)

func plotCommand(stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "plot",
		Usage:       "draw the figures of result files again",
		ArgsUsage:   "FOLDER|results.json|results.csv|times.csv|bench.json [...]",
		Description: "Examples:\n  cachesim plot results --format svg --title \"Trace A\"\n  cachesim plot results --kind heat-map --group-by trace --where policy=lru,s3fifo\n  cachesim plot results --x param:small --y miss-ratio --where policy=s3fifo\n  cachesim plot results/bench/release/bench.json results/bench/debug/bench.json --out results/bench",
		Flags: append(append([]cli.Flag{
			&cli.StringSliceFlag{Category: aboutOutput, Name: "kind", Usage: "`KINDS` of figures, or all that the results give; cachesim figures lists them (default: the usual ones)"},
			&cli.StringFlag{Category: aboutOutput, Name: "out", Usage: "`FOLDER` for the figures", Value: "results"},
			&cli.StringFlag{Category: aboutOutput, Name: "x", Usage: "what the horizontal axis shows, or its limits `LOW..HIGH`, or both: size, 1MiB..1GiB, param:small=0..0.5; cachesim figures lists the numbers"},
			&cli.StringFlag{Category: aboutOutput, Name: "y", Usage: "what the vertical axis shows, or its limits `LOW..HIGH`, or both: evictions, 40..100"},
			&cli.StringSliceFlag{Category: aboutOutput, Name: "group-by", Usage: "a figure for each value of `FIELDS`, as policy or size; fields are those of --where"},
			&cli.StringFlag{Category: aboutOutput, Name: "x-scale", Usage: "`SCALE` of the horizontal axis: log or linear"},
			&cli.StringFlag{Category: aboutOutput, Name: "y-scale", Usage: "`SCALE` of the vertical axis: log or linear"},
		}, figureFlags()...), chooseFlags()...),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("plot expects the folder or the result files of a run: cachesim plot results")
			}
			o, err := newFigureOptions(c)
			if err != nil {
				return err
			}
			if o.where, err = parseWhere(c); err != nil {
				return err
			}
			if err := errors.Join(parseAxis("x", c.String("x"), &o.X), parseAxis("y", c.String("y"), &o.Y)); err != nil {
				return err
			}
			o.X.Scale, o.Y.Scale = c.String("x-scale"), c.String("y-scale")
			o.kinds, o.groupBy = c.StringSlice("kind"), c.StringSlice("group-by")
			if o.X.Of != "" || o.Y.Of != "" {
				if len(o.kinds) == 0 {
					o.kinds = []string{"values"}
				} else if !slices.Contains(o.kinds, "values") {
					return usagef("--x and --y name what --kind values shows; the other kinds know what they show, and take limits")
				}
			}
			for _, f := range o.groupBy {
				if _, err := plots.GroupBy(nil, f); err != nil {
					return usagef("--group-by: %w", err)
				}
			}
			for _, k := range o.kinds {
				if _, err := plots.KindNamed(k); err != nil && k != "all" {
					return usagef("--kind: %w", err)
				}
			}
			rows, err := readRows(c.Args().Slice())
			if err != nil {
				return err
			}
			if slices.Contains(o.kinds, "all") {
				o.kinds = possibleKinds(rows, o)
			}
			dir := c.String("out")
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			if err := drawFigures(dir, rows, o); err != nil {
				return err
			}
			fmt.Fprintf(stderr, "cachesim: figures are in %s\n", dir)
			return nil
		},
	}
}

// possibleKinds lists the kinds of figures that rows give.
func possibleKinds(rows plots.Rows, o figureOptions) (names []string) {
	rows.Results = plots.Filter(rows.Results, o.where...)
	for _, k := range plots.Kinds {
		if _, err := plots.Make(rows, o.Options, k.Name); err == nil {
			names = append(names, k.Name)
		}
	}
	return names
}

// readRows merges the results of files and folders.
func readRows(names []string) (rows plots.Rows, err error) {
	all := &results.Set{}
	for _, name := range names {
		set, costs, err := readResults(name)
		if err != nil {
			return rows, err
		}
		all.Add(set)
		rows.Costs = append(rows.Costs, costs...)
	}
	if len(all.Results)+len(rows.Costs) == 0 {
		return rows, errors.New("the files hold no results")
	}
	if len(all.Conflicts) > 0 {
		return rows, fmt.Errorf("the files have different outcomes for one cell, which must not be: %s: leave out the files of one of them", all.Conflicts[0])
	}
	all.Sort()
	rows.Results, rows.Traces = all.Results, all.Traces
	return rows, nil
}

// readResults reads what a run or bench left: a folder or a file.
func readResults(name string) (*results.Set, []results.CallCost, error) {
	if filepath.Ext(name) == ".json" {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("read results: %w", err)
		}
		if costs, err := results.ReadCallCostJSON(bytes.NewReader(b)); err == nil && len(costs) > 0 {
			return &results.Set{}, costs, nil
		}
	}
	set, err := results.Read(name)
	return set, nil, err
}
