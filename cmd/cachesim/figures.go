package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/google/renameio/v2/maybe"
	"github.com/urfave/cli/v2"

	"cachesim/plots"
)

// figureOptions say which figures to draw, and how.
type figureOptions struct {
	plots.Options
	kinds   []string // empty: the usual ones
	where   []plots.Condition
	formats []string
	groupBy []string // fields; empty: all results are in one figure
}

func figureFlags() []cli.Flag {
	var styles []string
	for _, s := range plots.Styles {
		styles = append(styles, s.Name)
	}
	return []cli.Flag{
		&cli.StringSliceFlag{Category: aboutOutput, Name: "format", Usage: "`FORMATS` of the figures: " + strings.Join(plots.Formats, ", "), Value: cli.NewStringSlice("png", "pdf")},
		&cli.StringFlag{Category: aboutOutput, Name: "title", Usage: "`TITLE` of the figures"},
		&cli.StringFlag{Category: aboutOutput, Name: "style", Usage: "`STYLE` of the figures: " + strings.Join(styles, ", "), Value: styles[0]},
		&cli.IntFlag{Category: aboutOutput, Name: "figure-columns", Usage: "width of the figures: `N` columns of the style, 1 or 2 (default: as many as each needs)"},
		textsFlag(aboutOutput, "label", "`POLICY=LABEL` for the figures: my.wasm=MyPolicy"),
		&cli.StringSliceFlag{Category: aboutOutput, Name: "highlight", Usage: "`POLICIES` that stand out in figures with lines, the others being grey; of more than 12 the best do"},
		&cli.StringFlag{Category: aboutOutput, Name: "relative-to", Usage: "`POLICY` that improvements are relative to (default: fifo, or lru)"},
	}
}

func newFigureOptions(c *cli.Context) (o figureOptions, err error) {
	o.Title, o.Baseline, o.Highlight = c.String("title"), c.String("relative-to"), joinParams(c.StringSlice("highlight"))
	if o.formats, err = pick("figure format", c.StringSlice("format"), plots.Formats, plots.Formats); err != nil {
		return o, err
	}
	if o.Style, err = plots.StyleNamed(c.String("style")); err != nil {
		return o, usageError{err}
	}
	if o.Style.Columns = c.Int("figure-columns"); o.Style.Columns < 0 || o.Style.Columns > 2 {
		return o, usagef("--figure-columns %d: expects 1 or 2", o.Style.Columns)
	}
	if o.Labels, err = parseLabels(textsOf(c, "label")); err != nil {
		return o, err
	}
	return o, nil
}

// chooseFlags are those of commands that choose from results.
func chooseFlags() []cli.Flag {
	var fields []string
	for _, f := range plots.Fields {
		fields = append(fields, f.Name)
	}
	return []cli.Flag{
		textsFlag(aboutPolicies, "where", "`CONDITION` that results must meet, as policy=lru,arc or size!=10%; fields: "+strings.Join(fields, ", ")),
	}
}

func parseWhere(c *cli.Context) (all []plots.Condition, err error) {
	for _, text := range textsOf(c, "where") {
		condition, err := plots.ParseCondition(text)
		if err != nil {
			return nil, usagef("--where: %w", err)
		}
		all = append(all, condition)
	}
	return all, nil
}

// parseAxis reads NAME, LOW..HIGH or NAME=LOW..HIGH.
func parseAxis(flag, s string, o *plots.AxisOptions) (err error) {
	name, limits, both := strings.Cut(s, "=")
	if !both {
		name, limits = s, ""
		if strings.Contains(s, "..") {
			name, limits = "", s
		}
	}
	if name != "" {
		if _, err := plots.NumberNamed(name); err != nil {
			return usagef("--%s: %w", flag, err)
		}
		o.Of = name
	}
	o.Low, o.High, err = parseLimits(flag, limits)
	return err
}

// parseLimits reads LOW..HIGH for an axis, with sizes where it is of sizes.
func parseLimits(flag, s string) (low, high float64, err error) {
	if s == "" {
		return 0, 0, nil
	}
	a, b, ok := strings.Cut(s, "..")
	number := func(s string) float64 {
		if f, ferr := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64); ferr == nil {
			return f
		}
		n, perr := humanize.ParseBytes(s)
		if perr != nil {
			ok = false
		}
		return float64(n)
	}
	low, high = number(a), number(b)
	if !ok {
		return 0, 0, usagef("--%s %q: write LOW..HIGH, as in 40..100 or 1MiB..1GiB", flag, s)
	}
	return low, high, nil
}

// usualKinds are drawn by run: what plots draws by itself, and byte hit ratios.
func usualKinds(rows plots.Rows, o figureOptions) ([]plots.Figure, error) {
	figures, err := plots.MakeBy(rows, o.Options, o.groupBy)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(figures, func(f plots.Figure) bool { return strings.HasPrefix(f.Name, "hit-ratio") }) {
		more, err := plots.MakeBy(rows, o.Options, o.groupBy, "byte-hit-ratio")
		if err != nil {
			return nil, err
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

// drawFigures draws rows into a folder.
func drawFigures(dir string, rows plots.Rows, o figureOptions) error {
	rows.Results = plots.Filter(rows.Results, o.where...)
	if len(rows.Results)+len(rows.Costs)+len(rows.Profiles) == 0 {
		if len(o.where) > 0 {
			return fmt.Errorf("no result meets the conditions of --where")
		}
		return nil // every cell failed
	}
	if err := o.CheckHighlight(rows.Results); err != nil {
		return fmt.Errorf("--highlight: %w", err)
	}
	var figures []plots.Figure
	var err error
	if len(o.kinds) == 0 {
		figures, err = usualKinds(rows, o)
	} else {
		figures, err = plots.MakeBy(rows, o.Options, o.groupBy, o.kinds...)
	}
	if err != nil {
		return err
	}
	return writeFigures(dir, figures, o.formats)
}

// figureList names the figures that cachesim has drawn in a folder, so that
// those that no longer follow from its results can be removed.
const figureList = "figures.json"

// writeFigures writes the figures, and removes those of earlier runs that are
// not among them.
func writeFigures(dir string, figures []plots.Figure, formats []string) error {
	var drawn, earlier []string
	for _, f := range figures {
		for _, format := range formats {
			var b bytes.Buffer
			name := f.Name + "." + format
			if err := f.Draw(&b, format); err != nil {
				return fmt.Errorf("draw %s: %w", name, err)
			}
			if err := maybe.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
				return fmt.Errorf("write figure: %w", err)
			}
			drawn = append(drawn, name)
		}
	}
	list := filepath.Join(dir, figureList)
	if b, err := os.ReadFile(list); err == nil && json.Unmarshal(b, &earlier) == nil {
		for _, name := range earlier {
			if !slices.Contains(drawn, name) && filepath.Base(name) == name {
				_ = os.Remove(filepath.Join(dir, name))
			}
		}
	}
	b, err := json.MarshalIndent(drawn, "", "  ")
	if err != nil {
		return err
	}
	return maybe.WriteFile(list, append(b, '\n'), 0o644)
}

func figuresCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "figures",
		Usage:       "list the kinds of figures and tables, and what axes can show",
		Description: "Example:\n  cachesim figures",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("figures expects no arguments")
			}
			t := newTable(stdout, 2, "figure (plot --kind)", "")
			for _, k := range plots.Kinds {
				t.AppendRow([]any{k.Name, k.Doc})
			}
			t.Render()
			fmt.Fprintln(stdout)
			t = newTable(stdout, 2, "table (table --kind)", "")
			for _, k := range plots.TableKinds {
				t.AppendRow([]any{k.Name, k.Doc})
			}
			t.Render()
			fmt.Fprintln(stdout)
			t = newTable(stdout, 2, "number (plot --x, --y)", "")
			for _, n := range plots.Numbers {
				t.AppendRow([]any{n.Name, n.Doc})
			}
			t.AppendRow([]any{plots.ParamPrefix + "NAME", "parameter of a policy, as " + plots.ParamPrefix + "small of s3fifo:small=0.1"})
			t.Render()
			fmt.Fprintln(stdout)
			t = newTable(stdout, 2, "style (--style)", "")
			for _, s := range plots.Styles {
				t.AppendRow([]any{s.Name, s.Doc})
			}
			t.Render()
			fmt.Fprintln(stdout, "\ndocs/FIGURES.md shows them.")
			return nil
		},
	}
}
