package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"

	"cachesim/sim/results"
)

// A sweepJob is what one job of a scheduler runs: a shard, or one cell.
type sweepJob struct {
	shard    int      // from 1; 0: one cell
	args     []string // of cachesim sweep run, besides the file
	cells    []results.Key
	request  jobRequest
	attempts int // how often it has been run
}

// ending says how a job ended.
type ending int

const (
	lost        ending = iota // the scheduler does not know: cancelled, or its node failed
	exited                    // by itself
	killed                    // by a signal
	outOfMemory               // killed by the scheduler, which says why
	outOfTime                 // likewise
	refused                   // the scheduler does not take it
)

var endings = []string{"was lost", "exited", "was killed", "exceeded its memory", "exceeded its time", "was refused"}

func (e ending) String() string { return endings[e] }

// A batchSystem runs jobs.
type batchSystem interface {
	// run starts jobs and waits until none of them runs or waits any longer. It
	// calls tick now and then.
	run(ctx context.Context, jobs []*sweepJob, tick func()) ([]ending, error)
}

// maxAttempts limits how often a job is repeated that does not finish its cells.
const maxAttempts = 4

// submit runs all shards that miss cells on a batch system, and repeats those that
// were killed or lost. The cells of a shard that exceeded its memory, or was killed
// twice, are repeated each in a job of its own with twice the memory, so that the
// one cell that needs it does not stop the others. It returns the number of cells
// that still have neither a result nor a failure.
func (s *sweep) submit(ctx context.Context, system batchSystem, p *sweepPlan, all *shards, retryFailed bool, stderr io.Writer) (missing int, err error) {
	cells := make(map[results.Key]cellOfTrace)
	byPath := make(map[string]tracePlan)
	for _, t := range p.Traces {
		byPath[t.Path] = t
		for _, c := range t.Cells {
			cells[c.key()] = cellOfTrace{c, t}
		}
	}
	states, err := results.ReadStates(s.out)
	if err != nil {
		return 0, err
	}
	var todo []*sweepJob
	for i, b := range all.Shards {
		j := &sweepJob{shard: i + 1, request: request(b.Memory, b.Time)}
		if retryFailed {
			j.args = []string{"--retry-failed"}
		}
		for _, piece := range b.Pieces {
			for _, c := range byPath[piece.Trace].Cells {
				if done, failed := c.of(states); c.in(piece) && !done && (!failed || retryFailed) {
					j.cells = append(j.cells, c.key())
				}
			}
		}
		if len(j.cells) > 0 {
			todo = append(todo, j)
		}
	}
	w := &journalWatch{dir: s.out, total: len(cells), read: make(map[string]int64), w: stderr}
	for len(todo) > 0 {
		fmt.Fprintf(stderr, "cachesim: %d jobs started\n", len(todo))
		ends, err := system.run(ctx, todo, w.tick)
		if err != nil {
			return 0, err
		}
		w.tick()
		if states, err = results.ReadStates(s.out); err != nil {
			return 0, err
		}
		var next []*sweepJob
		for i, j := range todo {
			j.attempts++
			j.args = slices.DeleteFunc(j.args, func(a string) bool { return a == "--retry-failed" })
			j.cells = slices.DeleteFunc(j.cells, func(k results.Key) bool {
				done, failed := cells[k].of(states)
				return done || failed
			})
			if len(j.cells) == 0 {
				continue
			}
			again, why := j.again(ends[i], cells)
			fmt.Fprintf(stderr, "cachesim: %s %s with %d cells missing: %s\n", j, ends[i], len(j.cells), why)
			if len(again) == 0 {
				missing += len(j.cells)
				fmt.Fprintf(stderr, "cachesim: what it printed is in %s\n", filepath.Join(s.folder(), "log"))
			}
			next = append(next, again...)
		}
		todo = next
	}
	return missing, nil
}

// cellOfTrace is a cell with the trace that it replays.
type cellOfTrace struct {
	plannedCell
	trace tracePlan
}

func (j *sweepJob) String() string {
	if j.shard > 0 {
		return fmt.Sprintf("shard %d", j.shard)
	}
	return "cell " + j.cells[0].CellID
}

// again returns the jobs that repeat j, which ended as e and misses cells, and says
// what they do.
func (j *sweepJob) again(e ending, cells map[results.Key]cellOfTrace) (jobs []*sweepJob, why string) {
	if j.attempts >= maxAttempts || e == exited && j.attempts >= 2 || e == refused {
		return nil, "it is not repeated again"
	}
	switch {
	case j.shard > 0 && (e == outOfMemory || e == killed && j.attempts >= 2):
		for _, k := range j.cells {
			if slices.ContainsFunc(jobs, func(o *sweepJob) bool { return o.cells[0].CellID == k.CellID }) {
				continue // the timed replay of a cell goes with the other
			}
			c := cells[k]
			alone := request(c.trace.Memory+c.Memory, c.trace.Decode+c.Time)
			alone.Memory = max(alone.Memory, 2*j.request.Memory)
			o := &sweepJob{args: []string{"--trace", c.trace.Path, "--cell", c.ID}, request: alone}
			for _, other := range j.cells {
				if other.CellID == c.ID {
					o.cells = append(o.cells, other)
				}
			}
			jobs = append(jobs, o)
		}
		return jobs, fmt.Sprintf("each is repeated alone with %d MiB", jobs[0].request.MiB())
	case e == outOfMemory || e == killed && j.shard == 0:
		j.request.Memory *= 2
		return []*sweepJob{j}, fmt.Sprintf("repeated with %d MiB", j.request.MiB())
	case e == outOfTime:
		j.request.Time *= 2
		return []*sweepJob{j}, fmt.Sprintf("repeated with %v", j.request.Time)
	}
	return []*sweepJob{j}, "repeated"
}

// journalWatch counts the lines that jobs add to the journals, each byte of which
// it reads once.
type journalWatch struct {
	dir         string
	total, done int
	shown       int
	read        map[string]int64
	w           io.Writer
}

func (j *journalWatch) tick() {
	names, _ := filepath.Glob(filepath.Join(j.dir, "journal", "*.jsonl"))
	for _, name := range names {
		j.count(name)
	}
	if j.done != j.shown {
		j.shown = j.done
		fmt.Fprintf(j.w, "cachesim: %d of %d cells\n", min(j.done, j.total), j.total)
	}
}

func (j *journalWatch) count(name string) {
	f, err := os.Open(name)
	if err != nil {
		return // progress is not worth an error
	}
	defer f.Close()
	if _, err := f.Seek(j.read[name], io.SeekStart); err != nil {
		return
	}
	r := bufio.NewReaderSize(f, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		j.read[name] += int64(len(line))
		if bytes.HasPrefix(line, []byte(`{"result"`)) || bytes.HasPrefix(line, []byte(`{"failure"`)) {
			j.done++
		}
	}
}

// slurm runs jobs with Slurm: shards as tasks of an array for each size of memory,
// cells as jobs of their own.
type slurm struct {
	files  *jobFiles
	stderr io.Writer
}

// oneTask is the array of the job of a cell, which is not part of an array. (The
// script's own array cannot be taken back.)
const oneTask = "0"

func (s *slurm) run(ctx context.Context, jobs []*sweepJob, tick func()) ([]ending, error) {
	ends := make([]ending, len(jobs))
	waiting := make(map[string]int) // Slurm's name of a job, its index
	type class struct {
		memory int64
		time   time.Duration
		args   string
	}
	arrays := make(map[class][]int)
	for i, j := range jobs {
		if j.shard > 0 {
			k := class{j.request.Memory, j.request.Time, strings.Join(j.args, " ")}
			k.time = (k.time + time.Hour - 1).Truncate(time.Hour) // few arrays
			arrays[k] = append(arrays[k], i)
			continue
		}
		id, err := s.sbatch(ctx, j.request, []string{"--array=" + oneTask}, j.args)
		if ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			// Most likely no node has that much memory. Others may fit.
			fmt.Fprintf(s.stderr, "cachesim: %v\n", err)
			ends[i] = refused
			continue
		}
		waiting[id+"_"+oneTask] = i
	}
	for k, list := range arrays {
		var tasks []string
		for _, i := range list {
			tasks = append(tasks, strconv.Itoa(jobs[i].shard-1))
		}
		var args []string
		if k.args != "" {
			args = strings.Split(k.args, " ")
		}
		id, err := s.sbatch(ctx, jobRequest{k.memory, k.time}, []string{"--array=" + strings.Join(tasks, ",")}, args)
		if ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			fmt.Fprintf(s.stderr, "cachesim: %v\n", err)
		}
		for n, i := range list {
			if err != nil {
				ends[i] = refused
				continue
			}
			waiting[id+"_"+tasks[n]] = i
		}
	}
	poll := time.NewTicker(2 * time.Second)
	defer poll.Stop()
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			ids := make(map[string]bool)
			for name := range waiting {
				id, _, _ := strings.Cut(name, "_")
				ids[id] = true
			}
			return nil, fmt.Errorf("%w: the jobs go on; scancel %s ends them", errInterrupted, strings.Join(slices.Sorted(maps.Keys(ids)), " "))
		case <-poll.C:
		}
		states, err := s.states(ctx)
		if err != nil {
			return nil, err
		}
		for name, i := range waiting {
			state, known := states[name]
			if !known {
				delete(waiting, name)
				continue
			}
			if e, over := slurmEnding(state); over {
				ends[i] = e
				delete(waiting, name)
			}
		}
		tick()
	}
	return ends, nil
}

func (s *slurm) sbatch(ctx context.Context, r jobRequest, flags, args []string) (id string, err error) {
	flags = append(flags, "--parsable", fmt.Sprintf("--mem=%dM", r.MiB()), fmt.Sprintf("--time=%d", r.Minutes()), s.files.Path("sweep.sbatch"))
	out, err := output(ctx, "sbatch", append(flags, args...)...)
	if err != nil {
		return "", err
	}
	id, _, _ = strings.Cut(strings.TrimSpace(out), ";") // a cluster's name may follow
	return id, nil
}

// states returns the state of each of the user's jobs that Slurm remembers, by
// their names. It remembers them for minutes after their end.
func (s *slurm) states(ctx context.Context) (map[string]string, error) {
	out, err := output(ctx, "squeue", "--me", "--noheader", "--array", "--states=all", "--Format=JobArrayID:64,State:32,exit_code:32")
	if err != nil {
		return nil, err
	}
	states := make(map[string]string)
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) >= 2 {
			states[f[0]] = strings.Join(f[1:], " ")
		}
	}
	return states, nil
}

// slurmEnding returns how a job ended whose state and exit code are given, and
// whether it has ended at all.
func slurmEnding(state string) (e ending, over bool) {
	state, code, _ := strings.Cut(state, " ")
	switch state {
	case "COMPLETED":
		return exited, true
	case "FAILED":
		// Either "code:signal" or a wait status. A shell adds 128 to the signal.
		status, signal, both := strings.Cut(code, ":")
		n, _ := strconv.Atoi(status)
		if !both {
			signal, n = strconv.Itoa(n&0x7f), n>>8
		}
		if signal != "0" || n > 128 && n < 160 {
			return killed, true
		}
		return exited, true
	case "OUT_OF_MEMORY":
		return outOfMemory, true
	case "TIMEOUT", "DEADLINE":
		return outOfTime, true
	case "CANCELLED", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED":
		return lost, true
	}
	return lost, false
}

// output runs a program and returns what it prints.
func output(ctx context.Context, program string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	switch {
	case ctx.Err() != nil:
		return "", errInterrupted
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("--submit: %s is not installed here", program)
	case err != nil:
		return "", fmt.Errorf("%s: %w: %s", program, err, clean(strings.TrimSpace(stderr.String())))
	}
	return string(out), nil
}

// parallel runs jobs with GNU parallel on this machine.
type parallel struct {
	files *jobFiles
	slots int
}

func (p *parallel) run(ctx context.Context, jobs []*sweepJob, tick func()) ([]ending, error) {
	var list bytes.Buffer
	var most int64
	for _, j := range jobs {
		args := j.args
		if j.shard > 0 {
			args = append(slices.Clone(args), fmt.Sprintf("--shard=%d/%d", j.shard, p.files.Count))
		}
		fmt.Fprintln(&list, p.files.Command(args...))
		most = max(most, j.request.Memory)
	}
	joblog, names := p.files.Path("submitted.joblog"), p.files.Path("submitted.jobs")
	if err := os.Remove(joblog); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := maybe.WriteFile(names, list.Bytes(), 0o644); err != nil {
		return nil, err
	}
	log, err := os.Create(p.files.Path("log/parallel.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := exec.CommandContext(ctx, "parallel", "--jobs", strconv.Itoa(p.slots), "--memfree", fmt.Sprintf("%dM", most>>20), "--joblog", joblog, "::::", names)
	c.Stdout, c.Stderr = log, log
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // it ends its jobs
	if err := c.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			err = errors.New("GNU parallel is not installed here")
		}
		return nil, fmt.Errorf("--submit: %w", err)
	}
	over := make(chan error, 1)
	go func() { over <- c.Wait() }()
	poll := time.NewTicker(time.Second)
	defer poll.Stop()
	for {
		select {
		case err := <-over:
			if ctx.Err() != nil {
				return nil, errInterrupted
			}
			// Up to 100 the exit code is the number of jobs that failed, 101 are more.
			var exit *exec.ExitError
			if err != nil && !(errors.As(err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() <= 101) {
				return nil, fmt.Errorf("parallel: %w; what it printed is in %s", err, log.Name())
			}
			return parallelEndings(joblog, len(jobs))
		case <-poll.C:
			tick()
		}
	}
}

// parallelEndings reads how jobs ended from a job log of GNU parallel: columns
// separated by tabs, among them Seq, Exitval and Signal. A job that is not there
// was lost.
func parallelEndings(name string, n int) ([]ending, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the job log: %w", err)
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the job log %s: %w", name, err)
	}
	ends := make([]ending, n)
	for _, row := range rows[min(1, len(rows)):] {
		if len(row) < 8 {
			continue
		}
		seq, err := strconv.Atoi(row[0])
		if err != nil || seq < 1 || seq > n {
			return nil, fmt.Errorf("read the job log %s: unexpected job %q", name, row[0])
		}
		code, _ := strconv.Atoi(row[6])
		ends[seq-1] = exited
		if row[7] != "0" || code > 128 && code < 160 {
			ends[seq-1] = killed
		}
	}
	return ends, nil
}
