package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

func policiesCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "policies",
		Usage: "list the policies with their parameters, papers and engines",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("policies takes no arguments")
			}
			for _, s := range native.All {
				list := []string{sim.NativeEngine}
				if _, ok := wasm.Builtin(s.Name); ok {
					list = append(list, engines.Names(true)...)
				}
				fmt.Fprintf(stdout, "%s: %s\n", s.Name, s.Doc)
				for _, p := range s.Params {
					fmt.Fprintf(stdout, "  %s=%v  %s (%v to %v)\n", p.Name, p.Default, p.Doc, p.Min, p.Max)
				}
				fmt.Fprintf(stdout, "  paper    %s\n  engines  %s\n", s.Paper, strings.Join(list, ", "))
			}
			fmt.Fprintf(stdout, "FILE.wasm: a module of your own, see docs/ABI.md\n  engines  %s\n", strings.Join(engines.Names(true), ", "))
			return nil
		},
	}
}
