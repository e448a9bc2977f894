package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"cachesim/sim/results"
)

func mergeCommand(stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "merge the results of shards, or of any runs, into one folder",
		ArgsUsage: "FOLDER [FOLDER...]",
		Description: `The journals of the folders are copied into --out, where tables and figures are made from them.
Of several results of one cell the latest counts. Example:
  cachesim merge shard-1 shard-2 shard-3 shard-4 --out results`,
		Flags: outputFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("merge expects the folders of runs: cachesim merge shard-1 shard-2 --out results")
			}
			o, err := newOutputOptions(c)
			if err != nil {
				return err
			}
			return merge(c.Args().Slice(), o, stderr)
		},
	}
}

func merge(folders []string, o outputOptions, stderr io.Writer) error {
	// Read all first: nothing is written where one cannot be read.
	for _, dir := range folders {
		set, err := results.Read(dir)
		if err != nil {
			return err
		}
		if len(set.Results)+len(set.Failures) == 0 {
			fmt.Fprintf(stderr, "cachesim: note: %s holds no results\n", dir)
		}
	}
	journals := filepath.Join(o.out, "journal")
	if err := os.MkdirAll(journals, 0o777); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	for _, dir := range folders {
		names, err := filepath.Glob(filepath.Join(dir, "journal", "*.jsonl"))
		if err != nil {
			return err
		}
		if len(names) == 0 {
			return fmt.Errorf("merge: %s has no journal", dir)
		}
		for _, name := range names {
			target := filepath.Join(journals, filepath.Base(name))
			if same, err := sameFile(name, target); err != nil {
				return err
			} else if same {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return fmt.Errorf("merge: %w", err)
			}
			if err := maybe.WriteFile(target, b, 0o644); err != nil {
				return fmt.Errorf("merge: %w", err)
			}
		}
	}
	f := &folder{path: o.out}
	set, err := f.finish(o.figures)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "cachesim: %s of %s are in %s\n", count(len(set.Results), "result"), count(len(set.Runs), "run"), o.out)
	if set.Repeated > 0 {
		fmt.Fprintf(stderr, "cachesim: note: %s found several times, of which the latest counts\n", count(set.Repeated, "result"))
	}
	for _, failure := range set.Failures {
		fmt.Fprintf(stderr, "cachesim: failed: %s: %s\n", clean(failure.Cell.String()), clean(failure.Error))
	}
	if len(set.Conflicts) > 0 {
		return fmt.Errorf("merge: runs have different outcomes for one cell, which must not be: %s", set.Conflicts[0])
	}
	if len(set.Failures) > 0 {
		return errReported
	}
	return nil
}

func sameFile(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	y, err := os.Stat(b)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(x, y), err
}
