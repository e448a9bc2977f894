package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"cachesim/sim/plan"
)

func planCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "print the cells that run would replay, with estimates of memory and time",
		ArgsUsage: "TRACE [TRACE...]",
		Description: `Takes the flags of run; those that do not say what to replay only matter with --save. Examples:
  cachesim plan trace.zst --policy all --size 1%,10%
  cachesim plan trace.zst --policy all --shard 2/8 --json
  cachesim plan 'traces/*.zst' --policy lru,sieve --size 1%,10% --save sweep.toml`,
		Flags: append(everyRunFlag(), &cli.StringFlag{Category: aboutRuns, Name: "save", Usage: "write the command line to `FILE`, for cachesim sweep, and read no trace"}),
		Action: func(c *cli.Context) error {
			if c.IsSet("save") {
				return saveSweep(c, stderr)
			}
			o, err := newPlanOptions(c, stderr)
			if err != nil {
				return err
			}
			for _, group := range o.groups {
				t, err := o.open(c.Context, group)
				if err != nil {
					return err
				}
				tasks, err := o.tasks(t)
				if err != nil {
					return err
				}
				if c.Bool("json") {
					err = printPlanJSON(stdout, tasks)
				} else {
					describe(stdout, t)
					printPlan(stdout, tasks, t.Source.Memory(), o.repeat)
				}
				if cerr := t.Close(); err == nil {
					err = cerr
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// printPlan prints a row a cell and the sums.
func printPlan(w io.Writer, tasks []plan.Task, trace int64, repeat int) {
	t := newTable(w, 2, "policy", "version", "size", "seed", "requests", "kind", "memory", "time")
	var total time.Duration
	var most int64
	for _, task := range tasks {
		kind, n := "hit ratio", 1
		if task.Timed {
			kind, n = "timed", repeat
		}
		d := time.Duration(task.Time) * time.Duration(n)
		total += d
		most = max(most, task.Memory)
		t.AppendRow([]any{clean(task.Policy), task.Version, task.Cell.Size(), task.Seed, humanize.Comma(int64(task.Requests)), kind,
			humanize.IBytes(uint64(task.Memory)), d.Round(time.Millisecond)})
	}
	t.Render()
	fmt.Fprintf(w, "\n%s; about %v of processor time; the largest cell needs about %s, the trace %s\n",
		count(len(tasks), "cell"), total.Round(time.Second), humanize.IBytes(uint64(most)), humanize.IBytes(uint64(trace)))
}

func printPlanJSON(w io.Writer, tasks []plan.Task) error {
	e := json.NewEncoder(w)
	for _, t := range tasks {
		if err := e.Encode(struct {
			Cell   any    `json:"cell"`
			ID     string `json:"id"`
			Timed  bool   `json:"timed"`
			Size   string `json:"size"`
			Memory int64  `json:"memory_bytes"`
			Time   int64  `json:"time_ns"`
		}{t.Cell, t.ID(), t.Timed, t.Size, t.Task.Memory, t.Time}); err != nil {
			return err
		}
	}
	return nil
}
