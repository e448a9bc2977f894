package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/traces"
)

// scoreInput is where --serve reads from; tests replace it.
var scoreInput io.Reader = os.Stdin

func scoreCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "score",
		Usage:     "score a module against FIFO on a suite of traces, for programs that search policies",
		ArgsUsage: "FILE.wasm",
		Description: "Prints one JSON object; docs/PLUGINS.md says what is in it and in suite.toml. Exit codes: 0 scored, 1 the suite cannot be read, " +
			"2 invalid module (or, without JSON, invalid usage), 3 a limit of time or memory exceeded, 4 wrong behaviour.\n" +
			"Examples:\n  cachesim score my.wasm --suite suite.toml\n  cachesim score --serve --suite suite.toml < modules.jsonl",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "suite", Usage: "`FILE` of the suite"},
			&cli.StringFlag{Name: "stage", Usage: "`STAGE` to end with: " + strings.Join(scoreStages, ", ") + "; test leaves out sample and train", Value: stageTrain},
			&cli.Float64Flag{Name: "bar", Usage: "stop when the score cannot reach this `NUMBER` (default: never)"},
			&cli.DurationFlag{Name: "budget", Usage: "`TIME` that a module may take, instead of the suite's limit"},
			&cli.Uint64Flag{Name: "seed", Usage: "`SEED` of the objects' numbers and of the module, instead of the suite's"},
			&cli.BoolFlag{Name: "twice", Usage: "replay every cell twice and expect the same outcomes"},
			&cli.BoolFlag{Name: "isolate", Usage: "run modules in processes of their own, so that what crashes an engine fails one module"},
			&cli.StringFlag{Name: "engine", Usage: "`ENGINE` to run modules on (default: the fastest that runs the module)"},
			&cli.BoolFlag{Name: "serve", Usage: `read lines such as {"module": "my.wasm"} from standard input, with stage, bar and id if wanted, and answer a line each, in the order of completion`},
			&cli.IntFlag{Name: "jobs", Usage: "`N` modules at a time with --serve; without, N cells of the module", Value: runtime.NumCPU()},
			&cli.StringFlag{Name: "score-cache", Usage: "`FOLDER` that keeps the baselines, or off", Value: defaultScoreCache()},
			&cli.StringFlag{Name: "trace-cache", Usage: "`FOLDER` that keeps decoded traces for the next run, or off", Value: defaultTraceCache()},
		},
		Action: func(c *cli.Context) error {
			s, err := newScorer(c)
			if err != nil {
				return err
			}
			if c.Bool("serve") {
				return s.serve(c.Context, scoreInput, stdout, c.Int("jobs"))
			}
			out, err := s.score(c.Context, c.Args().First(), s.last, barOf(c))
			if err != nil {
				if c.Context.Err() != nil {
					return errInterrupted
				}
				return err
			}
			if err := json.NewEncoder(stdout).Encode(out); err != nil {
				return err
			}
			if out.Code != 0 {
				return exitError(out.Code)
			}
			return nil
		},
	}
}

func barOf(c *cli.Context) *float64 {
	if !c.IsSet("bar") {
		return nil
	}
	bar := c.Float64("bar")
	return &bar
}

func defaultScoreCache() string {
	dir, err := traces.DefaultCache()
	if err != nil {
		return "off"
	}
	return filepath.Join(filepath.Dir(dir), "scores")
}

func newScorer(c *cli.Context) (*scorer, error) {
	switch {
	case c.String("suite") == "":
		return nil, usagef("--suite is missing: cachesim score FILE.wasm --suite suite.toml")
	case c.Bool("serve") && c.NArg() > 0:
		return nil, usagef("score --serve takes modules from standard input, not as arguments")
	case !c.Bool("serve") && c.NArg() != 1:
		return nil, usagef("score expects one module: cachesim score FILE.wasm --suite suite.toml")
	case c.Bool("serve") && c.IsSet("bar"):
		return nil, usagef("--bar is a key of each line with --serve")
	case c.Int("jobs") < 1:
		return nil, usagef("--jobs %d: expects at least 1", c.Int("jobs"))
	case c.Duration("budget") < 0:
		return nil, usagef("--budget %v: expects a time such as 60s", c.Duration("budget"))
	case math.IsNaN(c.Float64("bar")):
		return nil, usagef("--bar: expects a number")
	}
	if err := oneOf("--stage", c.String("stage"), scoreStages); err != nil {
		return nil, err
	}
	if e := c.String("engine"); e != "" {
		if e == sim.NativeEngine {
			return nil, usagef("--engine native: a module runs on %s", strings.Join(engines.Names(true), ", "))
		}
		if _, err := engines.Named(e); err != nil {
			return nil, usageError{err}
		}
	}
	suite, err := readSuite(c.String("suite"))
	if err != nil {
		return nil, err
	}
	if c.IsSet("seed") {
		suite.Seed = c.Uint64("seed")
	}
	suite.traces = &traces.Options{Memory: 4 << 30, CacheSize: 20 << 30}
	if dir := c.String("trace-cache"); dir != "off" {
		suite.traces.Cache = dir
	}
	if dir := c.String("score-cache"); dir != "off" {
		suite.cache = dir
	}
	s := &scorer{suite: suite, last: c.String("stage"), engine: c.String("engine"), budget: suite.Limits.Time, twice: c.Bool("twice"), open: wasm.Open, jobs: 1}
	if !c.Bool("serve") {
		s.jobs = c.Int("jobs")
	}
	if c.Bool("isolate") {
		if s.open, err = isolatedGuests(); err != nil {
			return nil, err
		}
	}
	if c.Duration("budget") > 0 {
		s.budget = c.Duration("budget")
	}
	return s, nil
}

// A scoreRequest is a line that --serve reads.
type scoreRequest struct {
	ID     any      `json:"id"`
	Module string   `json:"module"`
	Stage  string   `json:"stage"`
	Bar    *float64 `json:"bar"`
}

// serve answers lines until the input ends.
func (s *scorer) serve(ctx context.Context, in io.Reader, stdout io.Writer, workers int) error {
	if s.last != stageValidate { // an error of the suite ends it here, not at the first line
		if _, err := s.suite.cells(ctx, s.last); err != nil {
			return err
		}
	}
	lines := make(chan string)
	var group sync.WaitGroup
	var mu sync.Mutex // guards stdout and failed
	var failed error
	answer := func(out score, err error) {
		if err != nil {
			text := clean(err.Error())
			out.OK, out.Error, out.Code = false, &text, exitFailed
		}
		mu.Lock()
		defer mu.Unlock()
		failed = errors.Join(failed, json.NewEncoder(stdout).Encode(out))
	}
	for range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for line := range lines {
				req := scoreRequest{Stage: s.last}
				err := json.Unmarshal([]byte(line), &req)
				if err == nil && req.Module == "" {
					err = errors.New(`it has no "module"`)
				}
				if err == nil {
					err = oneOf("stage", req.Stage, scoreStages)
				}
				if err != nil {
					answer(score{ID: req.ID, Cells: []scoreCell{}}, fmt.Errorf("line %q: %w", line[:min(len(line), 80)], err))
					continue
				}
				out, err := s.score(ctx, req.Module, req.Stage, req.Bar)
				out.ID, out.Module = req.ID, req.Module
				answer(out, err)
			}
		}()
	}
	read := make(chan error, 1)
	go func() { // reading cannot be stopped
		defer close(lines)
		scanner := bufio.NewScanner(in)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			if strings.TrimSpace(scanner.Text()) == "" {
				continue
			}
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				read <- ctx.Err()
				return
			}
		}
		read <- scanner.Err()
	}()
	select {
	case err := <-read:
		group.Wait()
		if ctx.Err() != nil {
			return errInterrupted
		}
		return errors.Join(err, failed)
	case <-ctx.Done():
		return errInterrupted
	}
}
