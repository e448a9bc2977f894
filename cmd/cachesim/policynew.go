package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"cachesim/policies-wasm/examples"
)

func policyNew(stdout io.Writer) *cli.Command {
	var known []string
	for _, l := range examples.Languages {
		known = append(known, l.Name)
	}
	return &cli.Command{
		Name:        "new",
		Usage:       "write a project with a working policy, to change",
		ArgsUsage:   "NAME",
		Description: "Example:\n  cachesim policy new mine --lang c && sh mine/test.sh",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "lang", Usage: "`LANGUAGE`: " + strings.Join(known, ", ")},
			&cli.StringFlag{Name: "from", Usage: "`POLICY` to start from: " + strings.Join(examples.Policies, ", "), Value: examples.Policies[0]},
			&cli.StringFlag{Name: "scaffold", Usage: "`SCAFFOLD`: priority, in which the policy is one function that says what an object is worth: rust, c"},
			&cli.BoolFlag{Name: "wit", Usage: "export the interface of policy.wit, for tools of the component model: rust, c, cpp"},
			&cli.BoolFlag{Name: "wit-bindgen", Usage: "the same by the crate wit-bindgen, built by Cargo: rust"},
			&cli.StringFlag{Name: "out", Usage: "`FOLDER` of the project, new or empty (default: NAME)"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("policy new expects one name: cachesim policy new NAME --lang LANGUAGE")
			}
			if c.String("lang") == "" {
				return usagef("--lang is missing; known are %s", strings.Join(known, ", "))
			}
			l, err := examples.Named(c.String("lang"))
			if err != nil {
				return usagef("--lang: %w", err)
			}
			switch scaffold := c.String("scaffold"); {
			case scaffold == "":
			case scaffold != "priority":
				return usagef("--scaffold %q: known is priority", scaffold)
			case c.IsSet("from"):
				return usagef("--scaffold and --from exclude each other: a scaffold starts as LRU")
			default:
				if l, err = l.Priority(); err != nil {
					return usagef("--scaffold: %w", err)
				}
			}
			if c.Bool("wit") && c.Bool("wit-bindgen") {
				return usagef("--wit and --wit-bindgen exclude each other")
			}
			if c.Bool("wit-bindgen") {
				if l, err = l.Bindgen(); err != nil {
					return usagef("--wit-bindgen: %w", err)
				}
			}
			if c.Bool("wit") {
				if l, err = l.WIT(); err != nil {
					return usagef("--wit: %w", err)
				}
			}
			name, dir := c.Args().First(), c.String("out")
			if dir == "" {
				dir = name
			}
			written, err := l.New(dir, name, c.String("from"))
			if err != nil {
				return usagef("policy new: %w", err)
			}
			slices.Sort(written)
			fmt.Fprintf(stdout, "%s: %s\n", clean(dir), strings.Join(written, ", "))
			if err := l.Missing(); err != nil {
				fmt.Fprintf(stdout, "It needs %s; missing here: %v\n", l.Needs, err)
			}
			fmt.Fprintf(stdout, "The policy is in %s. Build it:\n\n  sh %s/build.sh\n\nBuild and check it:\n\n  sh %s/test.sh\n", l.Policy, clean(dir), clean(dir))
			return nil
		},
	}
}
