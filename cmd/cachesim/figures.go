package main

import (
	"bytes"
	"encoding/json"
	"fmt"
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
		textsFlag(aboutOutput, "label", "`POLICY=LABEL` for the figures: my.wasm=MyPolicy"),
		&cli.StringFlag{Category: aboutOutput, Name: "relative-to", Usage: "`POLICY` that improvements are relative to (default: fifo, or lru)"},
	}
}

func newFigureOptions(c *cli.Context) (o figureOptions, err error) {
	o.Title, o.Baseline = c.String("title"), c.String("relative-to")
	if o.formats, err = pick("figure format", c.StringSlice("format"), plots.Formats, plots.Formats); err != nil {
		return o, err
	}
	if o.Style, err = plots.StyleNamed(c.String("style")); err != nil {
		return o, usageError{err}
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
func usualKinds(rows plots.Rows, o plots.Options) ([]plots.Figure, error) {
	figures, err := plots.Make(rows, o)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(figures, func(f plots.Figure) bool { return strings.HasPrefix(f.Name, "hit-ratio") }) {
		more, err := plots.Make(rows, o, "byte-hit-ratio")
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
	var figures []plots.Figure
	var err error
	if len(o.kinds) == 0 {
		figures, err = usualKinds(rows, o.Options)
	} else {
		figures, err = plots.Make(rows, o.Options, o.kinds...)
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
