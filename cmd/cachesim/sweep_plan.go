package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2/maybe"

	"cachesim/sim/plan"
	"cachesim/sim/results"
	"cachesim/traces"
)

// A sweepPlan is what the cells of a sweep cost, by estimate. It is kept beside
// the results, since making it reads every trace.
type sweepPlan struct {
	Key    string      `json:"key"` // of the sweep that it was made for
	Traces []tracePlan `json:"traces"`
}

type tracePlan struct {
	Path     string        `json:"path"`
	Bytes    int64         `json:"bytes"` // of the file
	Modified time.Time     `json:"modified"`
	Error    string        `json:"error,omitempty"` // why the trace cannot be replayed
	Requests int           `json:"requests"`
	Objects  int           `json:"objects"`
	Memory   int64         `json:"memory_bytes"` // of the trace, while its cells run
	Decode   int64         `json:"decode_ns"`
	Cells    []plannedCell `json:"cells"`
}

type plannedCell struct {
	ID      string `json:"id"`
	Timed   bool   `json:"timed,omitempty"`
	Repeats int    `json:"repeats"` // replays that its result must have
	plan.Cost
}

// Rough costs of a process and of reading a trace, for requests of memory and
// time; docs/SCALE.md has the measurements.
const (
	processMemory   = 96 << 20
	internMemory    = 64  // bytes an object, while the trace is read
	decodePerObject = 300 // ns
	decodePerEntry  = 150 // ns a request
)

func (s *sweep) folder() string { return filepath.Join(s.out, "sweep") }

// plan returns the plan of the sweep for the traces that there are now. It opens
// those that the plan in the results folder does not have.
func (s *sweep) plan(ctx context.Context, stderr io.Writer) (*sweepPlan, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	o, err := s.options(files, io.Discard, stderr)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(s.folder(), "plan.json")
	var before sweepPlan
	if err := readJSON(name, &before); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	known := make(map[string]tracePlan)
	key, err := s.key()
	if err != nil {
		return nil, fmt.Errorf("plan the sweep: %w", err)
	}
	if before.Key == key {
		for _, t := range before.Traces {
			known[t.Path] = t
		}
	}
	p := &sweepPlan{Key: key}
	changed := len(known) != len(files)
	for i, file := range files {
		info, err := os.Stat(traces.PathOf(file))
		if err != nil {
			return nil, fmt.Errorf("plan the sweep: %w", err)
		}
		t, ok := known[file]
		if !ok || t.Error != "" || t.Bytes != info.Size() || !t.Modified.Equal(info.ModTime()) {
			changed = true
			fmt.Fprintf(stderr, "cachesim: planning trace %d of %d: %s\n", i+1, len(files), clean(traces.NameOf(file)))
			if t, err = o.planTrace(ctx, file); err != nil {
				return nil, err
			}
			t.Bytes, t.Modified = info.Size(), info.ModTime()
		}
		if t.Error != "" {
			fmt.Fprintf(stderr, "cachesim: %s is left out: %s\n", clean(file), clean(t.Error))
		}
		p.Traces = append(p.Traces, t)
	}
	if !changed {
		return p, nil
	}
	return p, writeJSON(name, p)
}

// planTrace opens a trace and lists its cells. A trace that cannot be replayed
// does not keep others from it.
func (o *runOptions) planTrace(ctx context.Context, file string) (p tracePlan, err error) {
	p.Path = file
	t, err := o.open(ctx, []string{file})
	if ctx.Err() != nil {
		return p, errInterrupted
	}
	if err != nil {
		p.Error = err.Error()
		return p, nil
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	tasks, err := o.tasks(t)
	if err != nil {
		p.Error = err.Error()
		return p, nil
	}
	p.Requests, p.Objects = t.Requests, t.Objects
	p.Memory = t.Source.Memory() + internMemory*int64(t.Objects)
	p.Decode = decodePerEntry*int64(t.Requests) + decodePerObject*int64(t.Objects)
	for _, task := range tasks {
		c := plannedCell{ID: task.ID(), Timed: task.Timed, Repeats: 1}
		if task.Timed {
			c.Repeats = o.repeat
		}
		c.Cost = plan.Cost{Group: plan.GroupNumber(task.Cell), Time: task.Time * int64(c.Repeats), Memory: task.Task.Memory}
		p.Cells = append(p.Cells, c)
	}
	return p, nil
}

func (c plannedCell) key() results.Key { return results.Key{CellID: c.ID, Timed: c.Timed} }

// of says what a journal has of the cell.
func (c plannedCell) of(states map[results.Key]results.State) (done, failed bool) {
	s := states[c.key()]
	done = s.Repeats >= c.Repeats
	return done, !done && s.Failure != ""
}

// in reports whether the cell is part of a piece of its trace.
func (c plannedCell) in(p plan.Piece) bool { return int(c.Group%uint64(p.N)) == p.I-1 }

// loads returns the plan as what Cut divides.
func (p *sweepPlan) loads() (all []plan.Load) {
	for _, t := range p.Traces {
		l := plan.Load{Trace: t.Path, Decode: t.Decode, Memory: t.Memory}
		for _, c := range t.Cells {
			l.Cells = append(l.Cells, c.Cost)
		}
		if len(l.Cells) > 0 {
			all = append(all, l)
		}
	}
	return all
}

// shards is the file that says what each job of a sweep runs, so that all jobs
// agree on it whatever becomes of the traces' folder.
type shards struct {
	Key    string     `json:"key"`
	Jobs   int        `json:"jobs"` // cells at a time in each shard
	Shards []plan.Bin `json:"shards"`
}

const shardsFile = "shards.json"

// readShards reads the shards of a sweep that job files were written for.
func (s *sweep) readShards() (*shards, error) {
	var all shards
	err := readJSON(filepath.Join(s.folder(), shardsFile), &all)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("there are no shards of %s yet: cachesim sweep %s --on slurm (snakemake, parallel, kubernetes) makes them", s.file, s.file)
	}
	if err != nil {
		return nil, err
	}
	key, err := s.key()
	switch {
	case err != nil: // of this job, where its files may be elsewhere
		return nil, fmt.Errorf("read what %s names: %w", s.file, err)
	case all.Key != key:
		err = fmt.Errorf("%s has changed, or a file that it names, or cachesim, since its jobs were written: write them again with cachesim sweep %s --on ENGINE", s.file, s.file)
	}
	return &all, err
}

func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return maybe.WriteFile(name, append(b, '\n'), 0o644)
}
