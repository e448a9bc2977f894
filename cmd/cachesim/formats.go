package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"cachesim/sim"
	"cachesim/traces"
)

func formatsCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "formats",
		Usage:       "list the formats of traces, or show the parameters of some",
		ArgsUsage:   "[FORMAT ...]",
		Description: "Examples:\n  cachesim formats\n  cachesim formats csv combined",
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				listFormats(stdout)
				return nil
			}
			for i, name := range c.Args().Slice() {
				f, err := formatNamed(name)
				if err != nil {
					return err
				}
				if i > 0 {
					fmt.Fprintln(stdout)
				}
				showFormat(stdout, f)
			}
			return nil
		},
	}
}

func formatNamed(name string) (traces.Format, error) {
	var known []string
	for _, f := range traces.Formats {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	hint := sim.DidYouMean(name, known)
	if !strings.Contains(hint, "did you mean") {
		hint = "" // it lists all, which are too many for a line
	}
	return traces.Format{}, usagef("unknown format %q%s; cachesim formats lists them", name, hint)
}

func listFormats(w io.Writer) {
	for _, group := range traces.Groups {
		t := newTable(w, 2, group, "")
		for _, f := range traces.Formats {
			if f.Group == group {
				t.AppendRow([]any{f.Name, f.Doc})
			}
		}
		t.Render()
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "The format of a trace is detected from its content; --trace-format FORMAT names it, and so does FORMAT:FILE for one file.")
	fmt.Fprintln(w, "Files may be compressed; ARCHIVE!FILE is one in a tar or zip archive, and - is standard input.")
	fmt.Fprintln(w, "cachesim formats FORMAT shows its parameters; docs/FORMATS.md says more.")
}

func showFormat(w io.Writer, f traces.Format) {
	clock := "none"
	if f.Tick > 0 {
		clock = "in units of " + f.Tick.String()
	}
	fmt.Fprintf(w, "%s (%s): %s\n  times: %s\n", f.Name, f.Group, f.Doc, clock)
	if len(f.Params) == 0 {
		fmt.Fprintln(w, "  It has no parameters.")
		return
	}
	fmt.Fprintln(w, "  Parameters, as --trace-param NAME=VALUE, with their defaults:")
	for _, p := range f.Params {
		fmt.Fprintf(w, "  %s=%s\n      %s\n", p.Name, cmp.Or(p.Default, "(empty)"), p.Doc)
	}
}
