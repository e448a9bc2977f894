package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"cachesim/plots"
	"cachesim/plots/report"
	"cachesim/sim/results"
)

// reportFile is the report that run --report writes beside its results.
const reportFile = "report.html"

func reportCommand(stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "write an HTML page of result files: summary, figures, tables, provenance",
		ArgsUsage: "FOLDER|results.json|results.csv|times.csv|bench.json [...]",
		Description: `Examples:
  cachesim report results --output report.html
  cachesim report results results/bench/bench.json --title "Trace A" --where policy=lru,s3fifo`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Category: aboutOutput, Name: "output", Aliases: []string{"o"}, Usage: "`FILE` for the page", Value: reportFile},
			&cli.StringSliceFlag{Category: aboutOutput, Name: "kind", Usage: "`KINDS` of figures; cachesim figures lists them (default: the usual ones)"},
			&cli.StringFlag{Category: aboutOutput, Name: "title", Usage: "`TITLE` of the page and the figures"},
			&cli.StringSliceFlag{Category: aboutOutput, Name: "label", Usage: "`POLICY=LABEL`: my.wasm=MyPolicy"},
			&cli.StringFlag{Category: aboutOutput, Name: "relative-to", Usage: "`POLICY` that improvements are relative to (default: fifo, or lru)"},
		}, chooseFlags()...),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("report expects the folder or the result files of a run: cachesim report results")
			}
			in := report.Input{
				Options: plots.Options{Title: c.String("title"), Baseline: c.String("relative-to")},
				Kinds:   c.StringSlice("kind"), Sources: c.Args().Slice(),
			}
			var err error
			if in.Options.Labels, err = parseLabels(c.StringSlice("label")); err != nil {
				return err
			}
			for _, k := range in.Kinds {
				if _, err := plots.KindNamed(k); err != nil {
					return usagef("--kind: %w", err)
				}
			}
			where, err := parseWhere(c)
			if err != nil {
				return err
			}
			if in.Set, in.Costs, err = readSet(in.Sources); err != nil {
				return err
			}
			if len(where) > 0 {
				if in.Set.Results = plots.Filter(in.Set.Results, where...); len(in.Set.Results) == 0 {
					return errors.New("no result meets the conditions of --where")
				}
			}
			if err := writeReport(c.String("output"), in); err != nil {
				return err
			}
			fmt.Fprintf(stderr, "cachesim: the report is %s\n", c.String("output"))
			return nil
		},
	}
}

// readSet merges the results of files and folders, with their runs and failures.
func readSet(names []string) (*results.Set, []results.CallCost, error) {
	all := &results.Set{}
	var costs []results.CallCost
	for _, name := range names {
		set, of, err := readResults(name)
		if err != nil {
			return nil, nil, err
		}
		all.Add(set)
		costs = append(costs, of...)
	}
	if len(all.Results)+len(all.Failures)+len(costs) == 0 {
		return nil, nil, errors.New("the files hold no results")
	}
	all.Sort()
	return all, costs, nil
}

// writeReport writes a report, whole and then renamed into place.
func writeReport(path string, in report.Input) error {
	var b bytes.Buffer
	if err := report.Write(&b, in); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := maybe.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// reportRun writes the report of a run's folder.
func reportRun(dir string, set *results.Set, o figureOptions) error {
	chosen := *set
	chosen.Results = plots.Filter(set.Results, o.where...)
	// The figures' style is for print; the page has its own.
	options := plots.Options{Title: o.Title, Labels: o.Labels, Baseline: o.Baseline}
	return writeReport(filepath.Join(dir, reportFile), report.Input{Set: &chosen, Options: options, Kinds: o.kinds, Sources: []string{dir}})
}
