package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"cachesim/plots"
)

func tableCommand(stdout io.Writer) *cli.Command {
	var kinds []string
	for _, k := range plots.TableKinds {
		kinds = append(kinds, k.Name)
	}
	return &cli.Command{
		Name:      "table",
		Usage:     "print tables of result files: text, Markdown, LaTeX, CSV",
		ArgsUsage: "FOLDER|results.json|results.csv|times.csv [...]",
		Description: `Examples:
  cachesim table results
  cachesim table results --kind improvement --relative-to lru --format latex
  cachesim table a b c --kind across-traces --format markdown`,
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Category: aboutOutput, Name: "kind", Usage: "`KINDS` of tables: " + strings.Join(kinds, ", ") + " (default: hit ratios and times)"},
			&cli.StringFlag{Category: aboutOutput, Name: "format", Usage: "`FORMAT`: " + strings.Join(plots.TableFormats, ", "), Value: plots.TableFormats[0]},
			&cli.StringFlag{Category: aboutOutput, Name: "title", Usage: "`TITLE` of the tables"},
			textsFlag(aboutOutput, "label", "`POLICY=LABEL`: my.wasm=MyPolicy"),
			&cli.StringFlag{Category: aboutOutput, Name: "relative-to", Usage: "`POLICY` that improvements are relative to (default: fifo, or lru)"},
		}, chooseFlags()...),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("table expects the folder or the result files of a run: cachesim table results")
			}
			o := plots.Options{Title: c.String("title"), Baseline: c.String("relative-to")}
			var err error
			if o.Labels, err = parseLabels(textsOf(c, "label")); err != nil {
				return err
			}
			format := c.String("format")
			if err := oneOf("--format", format, plots.TableFormats); err != nil {
				return err
			}
			if _, err := pick("kind of table", c.StringSlice("kind"), kinds, kinds); err != nil {
				return err
			}
			where, err := parseWhere(c)
			if err != nil {
				return err
			}
			rows, err := readRows(c.Args().Slice())
			if err != nil {
				return err
			}
			rows.Results = plots.Filter(rows.Results, where...)
			if len(rows.Results) == 0 {
				return errors.New("no result meets the conditions of --where")
			}
			tables, err := plots.Tables(rows, o, c.StringSlice("kind")...)
			if err != nil {
				return err
			}
			for i, t := range tables {
				if i > 0 {
					fmt.Fprintln(stdout)
				}
				if err := t.Render(stdout, format); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// parseLabels reads POLICY=LABEL; a policy with parameters has an equals sign of
// its own.
func parseLabels(list []string) (map[string]string, error) {
	labels := make(map[string]string)
	for _, l := range list {
		i := strings.LastIndex(l, "=")
		if i <= 0 {
			return nil, usagef("--label %s: write POLICY=LABEL", l)
		}
		labels[l[:i]] = l[i+1:]
	}
	return labels, nil
}
