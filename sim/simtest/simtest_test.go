package simtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cachesim/sim"
	"cachesim/sim/simtest"
)

func load(t *testing.T, script string) ([]simtest.Case, string, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.txt")
	if err := os.WriteFile(file, []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	cases, err := simtest.Load(dir)
	return cases, file, err
}

func TestLoad(t *testing.T) {
	got, file, err := load(t, `
# Three cases.
policy p
capacity 5  # bytes
requests a b:2 a   # comment
outcomes . .   H
requests b c:0
outcomes H .
evictions 0

capacity 1
requests b
outcomes .
evictions 7

policy p:small=0.2,big=3
capacity 2
requests a -a a -b
outcomes . H  . .
evictions 0
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []simtest.Case{
		{
			File: file, Line: 4, Policy: "p", Capacity: 5, Objects: 3,
			Requests: []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 2, Size: 0}},
			Removed:  make([]bool, 5),
			Want:     []bool{false, false, true, true, false},
		},
		{
			File: file, Line: 11, Policy: "p", Capacity: 1, Objects: 1,
			Requests: []sim.Request{{ID: 0, Size: 1}}, Removed: make([]bool, 1),
			Want: []bool{false}, Evictions: 7,
		},
		{
			File: file, Line: 17, Policy: "p:small=0.2,big=3", Capacity: 2, Objects: 2,
			Requests: []sim.Request{{ID: 0, Size: 1}, {ID: 0, Size: 1}, {ID: 0, Size: 1}, {ID: 1, Size: 1}},
			Removed:  []bool{false, true, false, true},
			Want:     []bool{false, true, false, false},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for i, want := range []bool{false, false, true} {
		if got[i].Removes() != want {
			t.Errorf("case of line %d: Removes is %v, want %v", got[i].Line, !want, want)
		}
	}
}

func TestLoadFaults(t *testing.T) {
	const start = "policy p\ncapacity 2\n"
	tests := []struct{ script, want string }{
		{"", ":1: it has no case"},
		{"policy p\n", ":1: it has no case"},
		{"capacity 2\n", ":1: want a policy"},
		{"policy p q\n", ":1: want one policy, got 2"},
		{"policy p\ncapacity\n", ":2: want one capacity, got 0"},
		{"policy p\ncapacity many\n", `:2: want a number from 0, got "many"`},
		{"policy p\ncapacity -1\n", `:2: want a number from 0, got "-1"`},
		{"policy p\nrequests a\n", ":2: requests outside a case"},
		{start + "requests a\noutcomes .\n", ":2: this case has no evictions"},
		{start + "capacity 3\n", ":3: capacity inside the case of line 2"},
		{start + "requests\n", ":3: want at least one request"},
		{start + "requests a:x\n", `:3: want a number from 0, got "x"`},
		{start + "requests a:3\n", ":3: object a of 3 bytes is larger"},
		{start + "requests -a:3\n", ":3: object a of 3 bytes is larger"},
		{start + "requests a:2 -a:1\n", ":3: object a has 1 bytes here and 2 above"},
		{start + "requests a:2 a:1\n", ":3: object a has 1 bytes here and 2 above"},
		{start + "requests a\nrequests b\n", ":4: want the outcomes"},
		{start + "outcomes .\n", ":3: outcomes without requests"},
		{start + "requests a b\noutcomes .\n", ":4: want 2 outcomes, got 1"},
		{start + "requests a\n\noutcomes h\n", `:5: want outcomes H or ., got "h"`},
		{start + "requests a\noutcomes .\nevictions\n", ":5: want requests and then one number"},
		{start + "requests a\noutcomes .\nevictions x\n", `:5: want a number from 0, got "x"`},
		{start + "evictions 0\n", ":3: want requests and then one number"},
		{start + "hits 1\n", `:3: unknown word "hits"`},
	}
	for _, tt := range tests {
		_, file, err := load(t, tt.script)
		if err == nil || !strings.HasPrefix(err.Error(), file+tt.want) {
			t.Errorf("script %q:\n got error %v\nwant %s", tt.script, err, file+tt.want)
		}
	}
	if _, err := simtest.Load(t.TempDir()); err == nil {
		t.Error("a folder without scripts gave no error")
	}
}

// stub hits on every request, finds every object that is removed, and reports
// its evictions as given. It keeps the batches and removals that it is passed.
type stub struct {
	evictions int64
	calls     []string
}

func (s *stub) Replay(b sim.Batch, hit []bool) error {
	text := ""
	for i, r := range b.Requests {
		next := "-"
		if b.Next[i] != sim.Never {
			next = fmt.Sprint(b.Next[i])
		}
		text += fmt.Sprintf(" %d>%s", r.ID, next)
		hit[i] = true
	}
	s.calls = append(s.calls, "replay"+text)
	return nil
}

func (s *stub) Remove(id uint32) (bool, error) {
	s.calls = append(s.calls, fmt.Sprint("remove ", id))
	return true, nil
}

func (s *stub) CanRemove() bool    { return true }
func (s *stub) Counts() sim.Counts { return sim.Counts{Evictions: s.evictions} }
func (s *stub) Close() error       { return nil }

func TestRun(t *testing.T) {
	c := simtest.Case{File: "p.txt", Line: 3, Requests: make([]sim.Request, 2), Want: []bool{true, true}, Evictions: 4}
	if err := c.Run(&stub{evictions: 4}); err != nil {
		t.Errorf("the right outcomes gave %v", err)
	}
	wrong := c
	wrong.Want = []bool{true, false}
	for _, tt := range []struct {
		c    simtest.Case
		p    stub
		want string
	}{
		{wrong, stub{evictions: 4}, "p.txt:3: wrong outcomes\n got H H\nwant H ."},
		{c, stub{evictions: 5}, "p.txt:3: got 5 evictions, want 4"},
		{c, stub{evictions: -1}, "p.txt:3: the policy does not count its evictions"},
	} {
		if err := tt.c.Run(&tt.p); err == nil || err.Error() != tt.want {
			t.Errorf("got error %v, want %s", err, tt.want)
		}
	}
}

// TestReplay checks where batches are cut, and the next accesses, which are
// unknown before a removal.
func TestReplay(t *testing.T) {
	reqs := []sim.Request{{ID: 0}, {ID: 1}, {ID: 0}, {ID: 1}, {ID: 1}, {ID: 0}, {ID: 1}}
	removed := []bool{false, false, false, true, true, false, false}
	p := &stub{}
	hit, err := simtest.Replay(p, reqs, removed)
	if err != nil || slices.Contains(hit, false) {
		t.Errorf("got %v, %v", hit, err)
	}
	want := []string{"replay 0>2 1>- 0>5", "remove 1", "remove 1", "replay 0>- 1>-"}
	if !slices.Equal(p.calls, want) {
		t.Errorf("got  %q\nwant %q", p.calls, want)
	}
}

func TestReplayCannotRemove(t *testing.T) {
	reqs := []sim.Request{{ID: 0}, {ID: 0}}
	if _, err := simtest.Replay(sim.Native(keepAll{}), reqs, []bool{false, true}); err == nil {
		t.Error("removing from a policy that cannot remove gave no error")
	}
}

type keepAll struct{}

func (keepAll) Access(sim.Request) bool { return false }

// TestBytes makes a case's requests again from what a fuzzer is seeded with.
func TestBytes(t *testing.T) {
	cases, _, err := load(t, "policy p\ncapacity 300\nrequests a b:2 a c:0\noutcomes . . . .\nevictions 0\n")
	if err != nil {
		t.Fatal(err)
	}
	capacity, sizes, order := cases[0].Bytes()
	reqs, objects := simtest.FromBytes(capacity, sizes, order)
	if capacity != 300 || objects != 3 || !slices.Equal(reqs, cases[0].Requests) {
		t.Errorf("got %v for %d objects at %d, want %v for 3 at 300", reqs, objects, capacity, cases[0].Requests)
	}
	if reqs, objects := simtest.FromBytes(1, []byte{9}, []byte{0}); objects != 1 || reqs[0].Size != 1 {
		t.Errorf("a size above the capacity of 1: got %v", reqs)
	}
	if reqs, objects := simtest.FromBytes(1, nil, []byte{0}); objects != 0 || len(reqs) != 0 {
		t.Errorf("without objects: got %v", reqs)
	}
}
