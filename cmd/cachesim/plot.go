package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

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
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "folder for the figures", Value: "results"},
			&cli.StringSliceFlag{Name: "format", Usage: "of the figures: " + strings.Join(plots.Formats, ", "), Value: cli.NewStringSlice("png", "pdf")},
			&cli.StringFlag{Name: "title", Usage: "of the figures"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("plot expects the folder or the result files of a run: cachesim plot results")
			}
			formats, err := parseFormats(c.StringSlice("format"))
			if err != nil {
				return err
			}
			all := &results.Set{}
			var costs []results.CallCost
			for _, name := range c.Args().Slice() {
				set, calls, err := readResults(name)
				if err != nil {
					return err
				}
				all.Add(set)
				costs = append(costs, calls...)
			}
			if len(all.Results)+len(costs) == 0 {
				return errors.New("the files hold no results")
			}
			dir := c.String("out")
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			var figures []plots.Figure
			if len(all.Results) > 0 {
				if figures, err = plots.Figures(all.Results, c.String("title")); err != nil {
					return err
				}
			}
			if len(costs) > 0 {
				more, err := plots.CallFigures(costs, c.String("title"))
				if err != nil {
					return err
				}
				figures = append(figures, more...)
			}
			if err := writeFigures(dir, figures, formats); err != nil {
				return err
			}
			fmt.Fprintf(stderr, "cachesim: figures are in %s\n", c.String("out"))
			return nil
		},
	}
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
