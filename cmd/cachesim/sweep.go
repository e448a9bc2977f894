package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"cachesim/sim/plan"
	"cachesim/sim/results"
)

func sweepCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "sweep",
		Usage:     "replay many traces, here or on a cluster, from a file that says what to replay",
		ArgsUsage: "FILE",
		Description: `FILE names the traces and has the flags of run as keys; cachesim plan --save writes one:
  traces = ["traces/*.zst"]
  policy = ["lru", "sieve", "s3fifo:small=0.2"]
  size = ["1%", "10%"]
Examples:
  cachesim sweep run sweep.toml                    on this machine
  cachesim sweep sweep.toml --on slurm --submit    on a cluster, and wait for it
  cachesim sweep sweep.toml --on snakemake         write a Snakefile
  cachesim sweep status sweep.toml                 what is done, missing, failed`,
		Flags: []cli.Flag{
			&cli.StringFlag{Category: aboutRuns, Name: "on", Usage: "`SYSTEM` to write job files for: " + strings.Join(systems, ", ")},
			&cli.BoolFlag{Category: aboutRuns, Name: "submit", Usage: "with slurm and parallel: run the jobs, wait, repeat those that were killed, merge the results"},
			&cli.IntFlag{Category: aboutRuns, Name: "shards", Usage: "`N` jobs (default: as many as take 30 minutes each by the estimate, 1000 at most)"},
			&cli.IntFlag{Category: aboutRuns, Name: "jobs", Usage: "`N` cells at a time in each job, which has as many processors", Value: 1},
			&cli.BoolFlag{Category: aboutRuns, Name: "retry-failed", Usage: "with --submit: run the cells again that failed"},
		},
		Action: func(c *cli.Context) error {
			s, err := sweepArg(c)
			if err != nil {
				return err
			}
			return s.schedule(c, stderr)
		},
		Subcommands: []*cli.Command{
			{
				Name:      "run",
				Usage:     "run a sweep, or a shard of it, on this machine",
				ArgsUsage: "FILE",
				Description: `Each trace is replayed by itself. Cells of which the results folder has a result are left out, and
those that failed unless --retry-failed is given, so that the same command continues.`,
				Flags: []cli.Flag{
					&cli.StringFlag{Category: aboutRuns, Name: "shard", Usage: "run only shard `I/N` of those that sweep --on has made; env/N takes I from the environment of an array job"},
					&cli.StringFlag{Category: aboutRuns, Name: "trace", Usage: "run only the cells of `TRACE`"},
					&cli.StringFlag{Category: aboutRuns, Name: "cell", Usage: "run only the cell `ID`"},
					&cli.IntFlag{Category: aboutRuns, Name: "jobs", Usage: "`N` cells at a time (default: as the file says, or one for each processor)"},
					&cli.BoolFlag{Category: aboutRuns, Name: "resume", Usage: "leave out the cells that there are results of; a sweep always does", Value: true},
					&cli.BoolFlag{Category: aboutRuns, Name: "retry-failed", Usage: "run the cells again that failed"},
					&cli.BoolFlag{Category: aboutRuns, Name: "any-version", Usage: "accept results of another version of cachesim"},
					&cli.BoolFlag{Category: aboutOutput, Name: "quiet", Usage: "no progress on stderr"},
				},
				Action: func(c *cli.Context) error {
					s, err := sweepArg(c)
					if err != nil {
						return err
					}
					return s.run(c, stdout, stderr)
				},
			},
			{
				Name:        "status",
				Usage:       "print how many cells of each trace are done, missing and failed",
				ArgsUsage:   "FILE",
				Description: "The exit code is 0 when all cells have results, and 1 otherwise.",
				Action: func(c *cli.Context) error {
					s, err := sweepArg(c)
					if err != nil {
						return err
					}
					return s.status(c.Context, stdout, stderr)
				},
			},
		},
	}
}

func sweepArg(c *cli.Context) (*sweep, error) {
	if c.NArg() != 1 {
		return nil, usagef("%s expects one sweep file; cachesim plan --save writes one", c.Command.HelpName)
	}
	return readSweep(c.Args().First())
}

// run replays the traces of the sweep that are part of the shard.
func (s *sweep) run(c *cli.Context, stdout, stderr io.Writer) error {
	if !c.Bool("resume") {
		return usagef("a sweep always resumes: remove %s to start again", s.out)
	}
	for _, f := range []string{"trace", "cell"} {
		if c.IsSet(f) && c.IsSet("shard") {
			return usagef("--%s and --shard cannot be used together", f)
		}
	}
	var files []string
	var parts []shard
	switch {
	case c.IsSet("shard"):
		one, err := parseShard(c.String("shard"), os.Getenv)
		if err != nil {
			return err
		}
		all, err := s.readShards()
		if err != nil {
			return err
		}
		if one.n != len(all.Shards) {
			return usagef("--shard %d/%d: the sweep was cut into %d shards", one.i, one.n, len(all.Shards))
		}
		for _, p := range all.Shards[one.i-1].Pieces {
			files, parts = append(files, p.Trace), append(parts, shard{p.I, p.N})
		}
	case c.IsSet("trace"):
		here, err := os.Getwd()
		if err != nil {
			return err
		}
		files, parts = []string{absTrace(here, c.String("trace"))}, []shard{{1, 1}}
	default:
		var err error
		if files, err = s.files(); err != nil {
			return err
		}
		for range files {
			parts = append(parts, shard{1, 1})
		}
	}
	o, err := s.options(files, stdout, stderr)
	if err != nil {
		return err
	}
	o.parts, o.cell = parts, c.String("cell")
	o.quiet, o.retryFailed, o.anyVersion = c.Bool("quiet"), c.Bool("retry-failed"), c.Bool("any-version")
	if c.IsSet("jobs") {
		if o.jobs = c.Int("jobs"); o.jobs < 1 {
			return usagef("--jobs %d: expects at least 1", o.jobs)
		}
	}
	if c.IsSet("shard") || c.IsSet("trace") || c.IsSet("cell") {
		o.journalOnly, o.stdout = true, io.Discard
	}
	return o.run(c.Context)
}

// status prints a row a trace.
func (s *sweep) status(ctx context.Context, stdout, stderr io.Writer) error {
	p, err := s.plan(ctx, stderr)
	if err != nil {
		return err
	}
	states, err := results.ReadStates(s.out)
	if err != nil {
		return err
	}
	t := newTable(stdout, 1, "trace", "cells", "done", "missing", "failed", "time left")
	var cells, done, failed int
	var left time.Duration
	slower, calibrated := p.slower(states)
	broken := false
	for _, trace := range p.Traces {
		if trace.Error != "" {
			broken = true
			t.AppendRow([]any{s.rel(trace.Path), "-", "-", "-", "cannot be replayed", "-"})
			continue
		}
		var d, f int
		var time1 int64
		for _, c := range trace.Cells {
			done, failed := c.of(states)
			switch {
			case done:
				d++
			case failed:
				f++
			default:
				time1 += int64(slower * float64(c.Time))
			}
		}
		n := len(trace.Cells)
		t.AppendRow([]any{s.rel(trace.Path), n, d, n - d - f, f, time.Duration(time1).Round(time.Millisecond)})
		cells, done, failed, left = cells+n, done+d, failed+f, left+time.Duration(time1)
	}
	t.Render()
	fmt.Fprintf(stdout, "\n%s cells of %s traces: %s done, %s missing, %s failed; about %v of processor time left\n",
		humanize.Comma(int64(cells)), humanize.Comma(int64(len(p.Traces))), humanize.Comma(int64(done)),
		humanize.Comma(int64(cells-done-failed)), humanize.Comma(int64(failed)), left.Round(time.Second))
	if calibrated > 0 && done+failed < cells {
		fmt.Fprintf(stdout, "The %s done took %.2g times their estimate, and the rest is expected to.\n", humanize.Comma(int64(calibrated)), slower)
	}
	if done < cells || broken {
		return errReported
	}
	return nil
}

// slower returns how much longer the cells took that are done than by their
// estimates, and how many these are: 1 for none, or for too little to say.
func (p *sweepPlan) slower(states map[results.Key]results.State) (factor float64, cells int) {
	var took, expected int64
	for _, t := range p.Traces {
		for _, c := range t.Cells {
			if s := states[c.key()]; s.Repeats > 0 && s.Time > 0 {
				took += s.Time
				expected += c.Time / int64(c.Repeats)
				cells++
			}
		}
	}
	if took < int64(time.Second) || expected == 0 {
		return 1, 0
	}
	return float64(took) / float64(expected), cells
}

// rel shortens the path of a trace that is below the sweep file's folder.
func (s *sweep) rel(path string) string {
	format, path := cutFormat(path)
	if r, err := filepath.Rel(s.dir, path); err == nil && filepath.IsLocal(r) {
		path = r
	}
	return clean(format + path)
}

// prepare plans the sweep, cuts it into shards and writes them.
func (s *sweep) prepare(ctx context.Context, n, jobs int, stderr io.Writer) (*sweepPlan, *shards, error) {
	p, err := s.plan(ctx, stderr)
	if err != nil {
		return nil, nil, err
	}
	loads := p.loads()
	if len(loads) == 0 {
		return nil, nil, fmt.Errorf("%s: there is nothing to replay", s.file)
	}
	if n == 0 {
		var total int64
		for _, b := range plan.Cut(loads, 1, 1) {
			total += b.Time
		}
		n = int(min(1000, total/int64(jobs)/int64(30*time.Minute)+1))
	}
	all := &shards{Key: p.Key, Jobs: jobs, Shards: plan.Cut(loads, n, jobs)}
	return p, all, writeJSON(filepath.Join(s.folder(), shardsFile), all)
}

// schedule writes job files and, if asked to, runs them.
func (s *sweep) schedule(c *cli.Context, stderr io.Writer) error {
	on := c.String("on")
	if on == "" {
		return usagef("sweep expects --on with one of %s; cachesim sweep run %s runs it on this machine", strings.Join(systems, ", "), c.Args().First())
	}
	if err := oneOf("--on", on, systems); err != nil {
		return err
	}
	submit, jobs := c.Bool("submit"), c.Int("jobs")
	if submit && on != "slurm" && on != "parallel" {
		return usagef("--submit is for slurm and parallel; without it, cachesim says how to start the jobs of %s", on)
	}
	if c.Bool("retry-failed") && !submit {
		return usagef("--retry-failed goes with --submit")
	}
	if jobs < 1 || jobs > 4096 {
		return usagef("--jobs %d: expects a number from 1", jobs)
	}
	if n := c.Int("shards"); c.IsSet("shards") && (n < 1 || n > 100_000) {
		return usagef("--shards %d: expects a number from 1 to 100000", n)
	}
	if on == "kubernetes" && (s.kubernetes.Image == "" || s.kubernetes.Claim == "") {
		return usagef("%s: Kubernetes needs a container image with cachesim, and the claim of a volume with the traces:\n[kubernetes]\nimage = \"registry.example/cachesim:1\"\nclaim = \"sweep\"", s.file)
	}
	o, err := s.options([]string{"trace"}, io.Discard, io.Discard)
	if err != nil {
		return err
	}
	if s.given["jobs"] && !c.IsSet("jobs") {
		jobs = o.jobs
	}
	p, all, err := s.prepare(c.Context, c.Int("shards"), jobs, stderr)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	files := s.jobFiles(program, all)
	if err := files.write(on, stderr); err != nil {
		return err
	}
	if !submit {
		return nil
	}
	var system batchSystem = &slurm{files: files, stderr: stderr}
	if on == "parallel" {
		system = &parallel{files: files, slots: files.Slots()}
	}
	lost, err := s.submit(c.Context, system, p, all, c.Bool("retry-failed"), stderr)
	if err != nil {
		return err
	}
	err = merge([]string{s.out}, o.outputOptions, stderr)
	for _, t := range p.Traces {
		if t.Error != "" && err == nil {
			err = errReported
		}
	}
	if lost > 0 && err == nil {
		err = errReported
	}
	return err
}
