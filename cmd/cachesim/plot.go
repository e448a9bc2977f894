package main

import (
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
		ArgsUsage:   "RESULTS.json|RESULTS.csv [...]",
		Description: "Example:\n  cachesim plot results/results.json --format svg --title \"Trace A\"",
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
			for _, name := range c.Args().Slice() {
				results, err := readResults(name)
				if err != nil {
					return err
				}
				all = append(all, results...)
			}
			if len(all) == 0 {
				return errors.New("the files hold no results")
			}
			if err := os.MkdirAll(c.String("out"), 0o777); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			if err := drawFigures(c.String("out"), all, formats, c.String("title")); err != nil {
				return err
			}
			fmt.Fprintf(stderr, "cachesim: figures are in %s\n", c.String("out"))
			return nil
		},
	}
}

func readResults(name string) ([]sim.Result, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	defer f.Close()
	read := sim.ReadJSON
	if strings.HasSuffix(name, ".csv") {
		read = sim.ReadCSV
	}
	results, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("read results %s: %w", name, err)
	}
	return results, nil
}
