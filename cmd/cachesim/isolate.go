package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"cachesim/policies-wasm/isolate"
)

// isolated is the command that serves a guest: this program again.
func isolated() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("--isolate: %w", err)
	}
	return []string{self, "isolated-guest"}, nil
}

// isolatedCommand is what isolated starts.
func isolatedCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:   "isolated-guest",
		Usage:  "serve a guest to another cachesim, on standard input and output",
		Hidden: true,
		Action: func(*cli.Context) error {
			return isolate.Serve(os.Stdin, stdout, func() { os.Exit(exitDone) })
		},
	}
}
