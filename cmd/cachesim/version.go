package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/urfave/cli/v2"

	"cachesim/policies-wasm/engines"
)

func versionCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version, the engines and the libraries they come from",
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("version takes no arguments")
			}
			fmt.Fprintf(stdout, "cachesim %s, %s, %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			t := newTable(stdout, 3, "engine", "runtime", "library")
			t.AppendRow([]any{"native", runtime.Version(), ""})
			for _, e := range engines.All() {
				if e.Missing != "" {
					t.AppendRow([]any{e.Name, "", "not in this build: " + e.Missing})
					continue
				}
				t.AppendRow([]any{e.Name, e.Runtime + " " + e.Version, e.Library})
			}
			t.Render()
			return nil
		},
	}
}
