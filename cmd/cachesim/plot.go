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
		Description: "Examples:\n  cachesim plot results --format svg --title \"Trace A\"\n  cachesim plot results/bench/release/bench.json results/bench/debug/bench.json --out results/bench",
		Flags: append(append([]cli.Flag{
			&cli.StringSliceFlag{Category: aboutOutput, Name: "kind", Usage: "`KINDS` of figures, or all that the results give; cachesim help figures lists them (default: the usual ones)"},
			&cli.StringFlag{Category: aboutOutput, Name: "out", Usage: "`FOLDER` for the figures", Value: "results"},
			&cli.StringFlag{Category: aboutOutput, Name: "x", Usage: "limits of the horizontal axis: `LOW..HIGH`"},
			&cli.StringFlag{Category: aboutOutput, Name: "y", Usage: "limits of the vertical axis: `LOW..HIGH`"},
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
			if o.X.Low, o.X.High, err = parseLimits("x", c.String("x")); err != nil {
				return err
			}
			if o.Y.Low, o.Y.High, err = parseLimits("y", c.String("y")); err != nil {
				return err
			}
			o.X.Scale, o.Y.Scale = c.String("x-scale"), c.String("y-scale")
			o.kinds = c.StringSlice("kind")
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
