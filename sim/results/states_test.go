package results

import (
	"os"
	"testing"
	"time"

	"cachesim/sim"
)

// TestReadStates has one journal with a failure and a torn line, and one with a
// result of the same cell.
func TestReadStates(t *testing.T) {
	dir := t.TempDir()
	cell := func(policy string) sim.Cell { return sim.Cell{Policy: policy, Version: sim.Version{Engine: "native"}} }
	fail := func(j *Journal, policy string) {
		if err := j.AddFailure(Failure{Cell: cell(policy), CellID: cell(policy).ID(), Error: "out of fuel"}); err != nil {
			t.Fatal(err)
		}
	}
	first, err := CreateJournal(dir, Provenance{Started: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	fail(first, "lru")
	fail(first, "fifo")
	if _, err := first.f.WriteString(`{"result":{"cell":"to`); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := CreateJournal(dir, Provenance{Started: time.Unix(2, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.AddResult(Result{Cell: cell("lru"), CellID: cell("lru").ID(), Repeats: 3}); err != nil {
		t.Fatal(err)
	}
	if err := second.AddResult(Result{Cell: cell("lru"), CellID: cell("lru").ID(), Timed: true, Repeats: 5}); err != nil {
		t.Fatal(err)
	}
	// Not closed: it may be that of a job that still runs.
	states, err := ReadStates(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Key]State{
		{cell("lru").ID(), false}:  {Repeats: 3},
		{cell("lru").ID(), true}:   {Repeats: 5},
		{cell("fifo").ID(), false}: {Failure: "out of fuel"},
	}
	if len(states) != len(want) {
		t.Errorf("got %v, want %v", states, want)
	}
	for k, s := range want {
		if states[k] != s {
			t.Errorf("%v: got %+v, want %+v", k, states[k], s)
		}
	}
	set, err := ReadJournalsOf(dir, func(c sim.Cell) bool { return c.Policy == "fifo" })
	if err != nil || len(set.Results) != 0 || len(set.Failures) != 1 || len(set.Runs) != 2 {
		t.Errorf("of fifo: %+v, %v", set, err)
	}
	if err := os.WriteFile(second.Path(), []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadStates(dir); err == nil {
		t.Error("a damaged journal was read")
	}
}
