package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/renameio/v2/maybe"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/costs"
	"cachesim/sim/plan"
	"cachesim/sim/results"
)

// A folder is where a run keeps its results: the journals, which are only ever
// added to, and the tables and figures that follow from them.
type folder struct {
	path    string
	made    bool // by this run
	journal *results.Journal
	before  *results.Set // what was there when the run began
}

// openFolder makes the folder, or finds out what it holds of the cells of which
// keep returns true; of all if it is nil.
func openFolder(path string, keep func(sim.Cell) bool) (*folder, error) {
	f := &folder{path: path}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.made = true
	}
	// Fail now rather than after the work.
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	probe, err := os.CreateTemp(path, ".writable-*")
	if err != nil {
		return nil, fmt.Errorf("--out: cannot write to %s: %w", path, err)
	}
	probe.Close()
	os.Remove(probe.Name())
	if f.before, err = results.ReadJournalsOf(path, keep); err != nil {
		return nil, err
	}
	return f, nil
}

// start begins this run's journal, if it has not begun.
func (f *folder) start(p results.Provenance) (err error) {
	if f.journal == nil {
		f.journal, err = results.CreateJournal(f.path, p)
	}
	return err
}

// close ends the journal, and removes the folder if nothing came to be in it.
func (f *folder) close() error {
	if f.journal != nil {
		return f.journal.Close()
	}
	if f.made {
		_ = os.Remove(f.path) // fails where it is not empty
	}
	return nil
}

// finish derives the tables and the figures from all journals of the folder.
func (f *folder) finish(o figureOptions) (*results.Set, error) {
	set, err := results.ReadJournals(f.path)
	if err != nil {
		return nil, err
	}
	set.Sort()
	if err := writeTables(f.path, set); err != nil {
		return set, err
	}
	return set, drawFigures(f.path, plots.Rows{Results: set.Results, Traces: set.Traces}, o)
}

// writeTables writes the result files of a set, each whole and then renamed
// into place.
func writeTables(dir string, set *results.Set) error {
	timed := slices.ContainsFunc(set.Results, func(r results.Result) bool { return r.Timed })
	series := slices.ContainsFunc(set.Results, func(r results.Result) bool { return len(r.Series) > 0 })
	files := []struct {
		name  string
		write func(io.Writer) error
		when  bool
	}{
		{"results.csv", set.WriteCSV, true},
		{"times.csv", set.WriteTimesCSV, timed},
		{"series.csv", set.WriteSeriesCSV, series},
		{"results.json", set.WriteJSON, true},
	}
	for _, file := range files {
		if !file.when {
			continue
		}
		var b bytes.Buffer
		if err := file.write(&b); err != nil {
			return err
		}
		if err := maybe.WriteFile(filepath.Join(dir, file.name), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write results: %w; what the journal in %s has is kept, and the same command with --resume continues", err, filepath.Join(dir, "journal"))
		}
	}
	return nil
}

// taskKey identifies a task: a cell may be replayed for its hit ratio and for
// its running time.
type taskKey struct {
	cell  string
	timed bool
}

// keeper passes on the progress of a run, and writes every result and failure
// to the journal as it comes.
type keeper struct {
	sim.Progress
	journal *results.Journal
	tasks   map[taskKey]plan.Task
	cancel  context.CancelCauseFunc
	results []results.Result

	mu    sync.Mutex
	costs map[string]results.Costs // by cell
}

// account returns what computes the costs of a task.
func (k *keeper) account(m costs.Model) func(*sim.Trace, sim.Cell, *sim.Outcomes, sim.Tally) error {
	return func(t *sim.Trace, c sim.Cell, out *sim.Outcomes, n sim.Tally) error {
		found, err := m.Of(t, c, out, n)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.costs[c.ID()] = found
		return err
	}
}

func (k *keeper) Done(m sim.Measurement) {
	r := results.New(m)
	task := k.tasks[taskKey{r.CellID, r.Timed}]
	if !r.Timed {
		k.mu.Lock()
		r.Costs = k.costs[r.CellID]
		k.mu.Unlock()
	}
	r.Size, r.Title, r.Order = task.Size, task.Title, task.Order
	k.results = append(k.results, r)
	if err := k.journal.AddResult(r); err != nil {
		k.cancel(err)
	}
	k.Progress.Done(m)
}

func (k *keeper) Failed(f sim.Failure) {
	if err := k.journal.AddFailure(results.Failure{Cell: f.Cell, CellID: f.Cell.ID(), Timed: f.Timed, Error: f.Err.Error()}); err != nil {
		k.cancel(err)
	}
	k.Progress.Failed(f)
}

// resumed separates the tasks that are still to be run from the results of those
// that the folder has.
func (f *folder) resumed(trace *sim.Trace, tasks []plan.Task, o runOptions, version string) (todo []plan.Task, have []results.Result, err error) {
	if !o.resume {
		return tasks, nil, nil
	}
	if !o.anyVersion {
		for _, run := range f.before.Runs {
			if run.Version != version {
				return nil, nil, fmt.Errorf("--resume: %s has results of cachesim %s, and this is %s: use another --out, or --any-version to mix them", f.path, run.Version, version)
			}
		}
	}
	done, failed := make(map[taskKey]results.Result), make(map[taskKey]bool)
	for _, r := range f.before.Results {
		done[taskKey{r.CellID, r.Timed}] = r
	}
	for _, r := range f.before.Failures {
		failed[taskKey{r.CellID, r.Timed}] = true
	}
	for _, t := range tasks {
		k := taskKey{t.ID(), t.Timed}
		r, ok := done[k]
		switch {
		case ok && !t.Timed && o.costs != nil && t.Compute == nil && !o.costs.Current(r.Costs, trace):
			todo = append(todo, t) // its outcomes are needed again
		case ok && (!t.Timed || r.Repeats >= o.repeat):
			have = append(have, r)
		case failed[k] && !o.retryFailed:
		default:
			todo = append(todo, t)
		}
	}
	return todo, have, nil
}

// shard is the value of --shard: i of n, counted from 1.
type shard struct{ i, n int }

// arrayJobs are the environment variables in which schedulers put the index of
// an array job, and the number of jobs; Snakemake gives its jobs the number on the
// command line.
var arrayJobs = []struct{ index, count string }{
	{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"},
	{"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"},
	{"AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"},
	{"SGE_TASK_ID", "SGE_TASK_LAST"},
	{"PBS_ARRAY_INDEX", "PBS_ARRAY_COUNT"},
	{"PBS_ARRAYID", ""}, // Torque
	{"LSB_JOBINDEX", "LSB_JOBINDEX_END"},
}

// parseShard reads --shard: i/n, or env or env/n, which takes i from the
// environment of an array job.
func parseShard(s string, getenv func(string) string) (shard, error) {
	if s == "" {
		return shard{1, 1}, nil
	}
	index, count, hasCount := strings.Cut(s, "/")
	bad := usagef("--shard %q: expects i/n with i from 1 to n, as in 2/8, or env in an array job", s)
	if index != "env" {
		i, err1 := strconv.Atoi(index)
		n, err2 := strconv.Atoi(count)
		if err1 != nil || err2 != nil || i < 1 || i > n {
			return shard{}, bad
		}
		return shard{i, n}, nil
	}
	for _, job := range arrayJobs {
		i, err := strconv.Atoi(getenv(job.index))
		if err != nil {
			continue
		}
		if !hasCount && job.count != "" {
			count = getenv(job.count)
		}
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || i < 0 {
			return shard{}, usagef("--shard env: %s says which shard this is, but nothing how many there are: write --shard env/N", job.index)
		}
		return shard{i%n + 1, n}, nil // wherever the scheduler starts to count
	}
	var names []string
	for _, job := range arrayJobs {
		names = append(names, job.index)
	}
	return shard{}, usagef("--shard env: none of %s is set: it is for array jobs", strings.Join(names, ", "))
}
