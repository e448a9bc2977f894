package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	native "cachesim/policies-native"
	"cachesim/policies-native/bounds"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

func policiesCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "policies",
		Usage:       "list the policies with their parameters and papers, or show a module's",
		ArgsUsage:   "[POLICY|FILE.wasm ...]",
		Description: "Examples:\n  cachesim policies\n  cachesim policies s3fifo my.wasm",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "verbose", Usage: "with parameters and papers"}, policyDirFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return listPolicies(stdout, c.Bool("verbose"), c.String("policy-dir"))
			}
			given, err := parsePolicies(c.Args().Slice(), c.String("policy-dir"))
			if err != nil {
				return err
			}
			for _, p := range given {
				showPolicy(stdout, p)
			}
			return nil
		},
	}
}

func listPolicies(w io.Writer, verbose bool, dir string) error {
	t := newTable(w, 3, "policy", "WASM", "what it does (parameters)")
	for _, s := range native.All {
		guest := ""
		if _, ok := wasm.Builtin(s.Name); ok {
			guest = "yes"
		}
		t.AppendRow([]any{s.Name, guest, s.Doc + defaults(s.Params)})
	}
	for _, b := range bounds.All {
		t.AppendRow([]any{b.Name, "", b.Doc})
	}
	for _, f := range native.Filters {
		t.AppendRow([]any{"+" + f.Name, "", "in front of a policy, as lru+" + f.Name + ": " + f.Doc + defaults(f.Params)})
	}
	for _, name := range modulesIn(dir) {
		t.AppendRow([]any{clean(name), "only", "your module in " + clean(dir)})
	}
	if !verbose {
		t.Render()
	} else {
		for _, s := range native.All {
			showPolicy(w, policy{name: s.Name, spec: &s})
		}
	}
	fmt.Fprintf(w, "\nEngines of policies with a WASM version, and of modules in files: %s\n", strings.Join(engines.Names(true), ", "))
	fmt.Fprintln(w, "Compared where --policy is not given:", strings.Join(native.Defaults(), ", "))
	if !verbose {
		fmt.Fprintln(w, "cachesim policies NAME shows parameters and paper; FILE.wasm is a module of your own: see docs/ABI.md")
	}
	return nil
}

// defaults lists parameters as they are written in --policy, with their defaults.
func defaults(params []sim.Param) string {
	if len(params) == 0 {
		return ""
	}
	var list []string
	for _, p := range params {
		list = append(list, p.Name+"="+strconv.FormatFloat(p.Default, 'f', -1, 64))
	}
	return " (" + strings.Join(list, ":") + ")"
}

// moduleParam describes a parameter of a module.
func moduleParam(p sim.Param) string {
	if math.IsNaN(p.Default) {
		return p.Name
	}
	return fmt.Sprintf("%s=%v  %s (%v to %v)", p.Name, p.Default, p.Doc, p.Min, p.Max)
}

func showPolicy(w io.Writer, p policy) {
	if p.bound != nil {
		fmt.Fprintf(w, "%s (%s): %s\n  paper    %s\n", p.name, p.bound.Title, p.bound.Doc, p.bound.Paper)
		return
	}
	if p.spec == nil {
		fmt.Fprintf(w, "%s: a WASM module\n", clean(p.name))
		abis, err := p.module.ABIs(p.declared)
		if err != nil {
			fmt.Fprintf(w, "  cannot be run: %v\n", err)
			return
		}
		fmt.Fprintf(w, "  ABIs     %s\n", strings.Join(abis, ", "))
		declared, err := p.module.Declared()
		if err != nil {
			fmt.Fprintf(w, "  parameters cannot be read: %v\n", err)
		}
		for _, q := range declared {
			fmt.Fprintf(w, "  parameter %s\n", clean(moduleParam(q)))
		}
		fmt.Fprintf(w, "  SHA-256  %s\n", p.module.SHA256)
		return
	}
	s := p.spec
	fmt.Fprintf(w, "%s (%s): %s\n", s.Name, s.Title, s.Doc)
	for _, q := range s.Params {
		fmt.Fprintf(w, "  %s=%v  %s (%v to %v)\n", q.Name, q.Default, q.Doc, q.Min, q.Max)
	}
	list := []string{sim.NativeEngine}
	if _, ok := wasm.Builtin(s.Name); ok {
		list = append(list, engines.Names(true)...)
	}
	fmt.Fprintf(w, "  paper    %s\n  engines  %s\n", s.Paper, strings.Join(list, ", "))
	if s.Needs&sim.NeedsNext != 0 {
		fmt.Fprintln(w, "  offline  it knows the future: for comparison, not for a real cache")
	}
}
