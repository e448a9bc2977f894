package results

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"cachesim/sim"
)

// A Journal is the file that a run writes while it goes on: a line for the
// run's provenance, one for each trace, and one for each result or failure,
// written before the next cell starts. Each run has a journal of its own in the
// folder journal of its output folder, so that several runs, at the same time or
// one after the other, only ever add. A journal is never changed afterwards.
//
// The process may be killed at any moment: a line without its end is ignored.
type Journal struct {
	f    *os.File
	size int64
	err  error // of a line that could not be written
}

// line is one line of a journal. One field is set.
type line struct {
	Schema  int         `json:"schema,omitempty"` // with Run
	Run     *Provenance `json:"run,omitempty"`
	Trace   *Trace      `json:"trace,omitempty"`
	Result  *Result     `json:"result,omitempty"`
	Failure *Failure    `json:"failure,omitempty"`
}

const journalFolder = "journal"

// CreateJournal starts the journal of a run that writes to dir, which it makes
// if need be.
func CreateJournal(dir string, p Provenance) (*Journal, error) {
	folder := filepath.Join(dir, journalFolder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("start the journal: %w", err)
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	name := p.Started.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(random[:]) + ".jsonl"
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("start the journal: %w", err)
	}
	j := &Journal{f: f}
	if err := j.write(line{Schema: Schema, Run: &p}); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, err
	}
	return j, nil
}

// Path returns the name of the journal's file.
func (j *Journal) Path() string { return j.f.Name() }

// AddTrace records a trace. It comes before the trace's results, and may come once more with the
// SHA-256 of the file.
func (j *Journal) AddTrace(t Trace) error { return j.write(line{Trace: &t}) }

// AddResult records a result.
func (j *Journal) AddResult(r Result) error { return j.write(line{Result: &r}) }

// AddFailure records a failure.
func (j *Journal) AddFailure(f Failure) error { return j.write(line{Failure: &f}) }

func (j *Journal) write(l line) error {
	if j.err != nil {
		return j.err
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	n, err := j.f.Write(b)
	if err != nil {
		if n > 0 { // on a full disk a part may have been written
			_ = j.f.Truncate(j.size)
		}
		j.err = fmt.Errorf("write the journal %s: %w; the results before this one are kept", j.f.Name(), err)
		return j.err
	}
	j.size += int64(n)
	return nil
}

// Err returns why a line could not be written, or nil.
func (j *Journal) Err() error { return j.err }

// Close ends the journal.
func (j *Journal) Close() error { return errors.Join(j.f.Sync(), j.f.Close()) }

// ReadJournals reads all journals of a folder that runs have written to, the
// oldest first. Without any the set is empty.
func ReadJournals(dir string) (*Set, error) { return ReadJournalsOf(dir, nil) }

// ReadJournalsOf is ReadJournals that keeps only the results and failures of which
// keep returns true, all if it is nil: a shard of a large sweep need not hold the
// results of all others.
func ReadJournalsOf(dir string, keep func(sim.Cell) bool) (*Set, error) {
	names, err := filepath.Glob(filepath.Join(dir, journalFolder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	type journal struct {
		set     *Set
		started time.Time
	}
	var all []journal
	for _, name := range names {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read results: %w", err)
		}
		s, err := readJournal(f, keep)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("read results %s: %w", name, err)
		}
		j := journal{set: s}
		if len(s.Runs) > 0 {
			j.started = s.Runs[0].Started
		}
		all = append(all, j)
	}
	slices.SortStableFunc(all, func(a, b journal) int { return a.started.Compare(b.started) })
	// Added at once: Add looks through all that is there.
	together, merged := &Set{Schema: Schema}, &Set{Schema: Schema}
	for _, j := range all {
		together.Runs, together.Traces = append(together.Runs, j.set.Runs...), append(together.Traces, j.set.Traces...)
		together.Results, together.Failures = append(together.Results, j.set.Results...), append(together.Failures, j.set.Failures...)
		together.Repeated += j.set.Repeated
		together.Conflicts = append(together.Conflicts, j.set.Conflicts...)
	}
	merged.Add(together)
	return merged, nil
}

// readJournal reads one journal. A last line without its end is that of a
// process that was killed, and is ignored.
func readJournal(r io.Reader, keep func(sim.Cell) bool) (*Set, error) {
	s := &Set{Schema: Schema}
	// Collected first: Add looks through all that is there.
	b := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		text, err := b.ReadBytes('\n')
		if err == io.EOF {
			whole := &Set{Schema: Schema}
			whole.Add(s)
			return whole, nil
		}
		if err != nil {
			return nil, err
		}
		var l line
		if err := json.Unmarshal(bytes.TrimSpace(text), &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case n == 1 && (l.Run == nil || l.Schema == 0):
			return nil, errors.New("line 1: not a journal: it does not start with a run")
		case l.Schema > Schema:
			return nil, fmt.Errorf("line %d: its schema is %d and this cachesim knows up to %d: use a newer one", n, l.Schema, Schema)
		case l.Run != nil:
			s.Runs = append(s.Runs, *l.Run)
		case l.Trace != nil:
			s.Traces = append(s.Traces, *l.Trace)
		case keep != nil && (l.Result != nil && !keep(l.Result.Cell) || l.Failure != nil && !keep(l.Failure.Cell)):
		case l.Result != nil:
			s.Results = append(s.Results, *l.Result)
		case l.Failure != nil:
			s.Failures = append(s.Failures, *l.Failure)
		default:
			return nil, fmt.Errorf("line %d: neither run, trace, result nor failure", n)
		}
	}
}
