package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"cachesim/plots"
	"cachesim/sim"
)

func plotCommand(stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "plot",
		Usage:       "draw the figures of result files again",
		ArgsUsage:   "RESULTS.json|RESULTS.csv|BENCH.json [...]",
		Description: "Examples:\n  cachesim plot results/results.json --format svg --title \"Trace A\"\n  cachesim plot results/bench/release/bench.json results/bench/debug/bench.json --out results/bench",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "folder for the figures", Value: "results"},
			&cli.StringSliceFlag{Name: "format", Usage: "of the figures: " + strings.Join(plots.Formats, ", "), Value: cli.NewStringSlice("png", "pdf")},
			&cli.StringFlag{Name: "title", Usage: "of the figures"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("plot wants a result file: cachesim plot results/results.json")
			}
			formats, err := parseFormats(c.StringSlice("format"))
			if err != nil {
				return err
			}
			var all []sim.Result
			var costs []sim.CallCost
			for _, name := range c.Args().Slice() {
				results, calls, err := readResults(name)
				if err != nil {
					return err
				}
				all, costs = append(all, results...), append(costs, calls...)
			}
			if len(all)+len(costs) == 0 {
				return errors.New("the files hold no results")
			}
			if err := os.MkdirAll(c.String("out"), 0o777); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			if len(all) > 0 {
				if err := drawFigures(c.String("out"), all, formats, c.String("title")); err != nil {
					return err
				}
			}
			if len(costs) > 0 {
				figures, err := plots.CallFigures(costs, c.String("title"))
				if err != nil {
					return err
				}
				if err := writeFigures(c.String("out"), figures, formats); err != nil {
					return err
				}
			}
			fmt.Fprintf(stderr, "cachesim: figures are in %s\n", c.String("out"))
			return nil
		},
	}
}

// readResults reads a result file of run or of bench.
func readResults(name string) ([]sim.Result, []sim.CallCost, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, fmt.Errorf("read results: %w", err)
	}
	read := sim.ReadJSON
	if strings.HasSuffix(name, ".csv") {
		read = sim.ReadCSV
	} else if costs, err := sim.ReadCallCostJSON(bytes.NewReader(b)); err == nil && len(costs) > 0 {
		return nil, costs, nil
	}
	results, err := read(bytes.NewReader(b))
	if err != nil {
		return nil, nil, fmt.Errorf("read results %s: %w", name, err)
	}
	return results, nil, nil
}
