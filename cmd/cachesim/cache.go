package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"cachesim/traces"
)

func cacheCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:        "cache",
		Usage:       "list the decoded traces that are kept for the next run, or clear them",
		Description: "Examples:\n  cachesim cache\n  cachesim cache --clear",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "trace-cache", Usage: "`FOLDER` of the trace cache", Value: defaultTraceCache()},
			&cli.BoolFlag{Name: "clear", Usage: "remove them"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("cache takes no arguments")
			}
			dir := c.String("trace-cache")
			entries, err := traces.CacheEntries(dir)
			if err != nil {
				return err
			}
			var total int64
			for _, e := range entries {
				total += e.Bytes
			}
			if c.Bool("clear") {
				if err := traces.ClearCache(dir); err != nil {
					return err
				}
				fmt.Fprintf(stdout, "removed %d traces, %s, from %s\n", len(entries), humanize.IBytes(uint64(total)), dir)
				return nil
			}
			t := newTable(stdout, 1, "trace", "requests", "objects", "size", "last used")
			for _, e := range entries {
				t.AppendRow([]any{clean(strings.Join(e.Sources, " ")), humanize.Comma(int64(e.Requests)), humanize.Comma(int64(e.Objects)), humanize.IBytes(uint64(e.Bytes)), e.LastUse.Local().Format("2006-01-02 15:04")})
			}
			if len(entries) > 0 {
				t.Render()
			}
			fmt.Fprintf(stdout, "%d traces, %s, in %s\n", len(entries), humanize.IBytes(uint64(total)), dir)
			return nil
		},
	}
}
