package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/isolate"
	"cachesim/sim"
)

// A guestOpener makes guests: wasm.Open, or one that isolates them.
type guestOpener func(context.Context, wasm.Config) (sim.Replayer, sim.Setup, error)

// isolatedGuests returns an opener of guests in processes of their own, each of
// which is this program again.
func isolatedGuests() (guestOpener, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("--isolate: %w", err)
	}
	return func(ctx context.Context, c wasm.Config) (sim.Replayer, sim.Setup, error) {
		return isolate.Open(ctx, c, self, "isolated-guest")
	}, nil
}

// isolatedCommand is what isolatedGuests starts.
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
