package main

import (
	"io"

	"github.com/urfave/cli/v2"
)

func cacheCommand(stdout io.Writer) *cli.Command { return &cli.Command{Name: "cache"} }
