package simtest_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cachesim/policies-native/policytest"
	"cachesim/sim"
)

func load(t *testing.T, script string) ([]policytest.Case, string, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "p.txt")
	if err := os.WriteFile(file, []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	cases, err := policytest.Load(dir)
	return cases, file, err
}

func TestLoad(t *testing.T) {
	got, file, err := load(t, `
# Two cases.
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
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []policytest.Case{
		{
			File: file, Line: 4, Policy: "p", Capacity: 5, Objects: 3,
			Requests: []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 2, Size: 0}},
			Want:     []bool{false, false, true, true, false},
		},
		{
			File: file, Line: 11, Policy: "p", Capacity: 1, Objects: 1,
			Requests: []sim.Request{{ID: 0, Size: 1}}, Want: []bool{false}, Evictions: 7,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
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
	if _, err := policytest.Load(t.TempDir()); err == nil {
		t.Error("a folder without scripts gave no error")
	}
}

// stub answers every request with a hit and tells its evictions as given.
type stub struct {
	evictions int64
	known     bool
}

func (s stub) Replay(_ []sim.Request, hit []bool) error {
	for i := range hit {
		hit[i] = true
	}
	return nil
}
func (s stub) Evictions() (int64, bool) { return s.evictions, s.known }
func (s stub) Close() error             { return nil }

func TestRun(t *testing.T) {
	c := policytest.Case{File: "p.txt", Line: 3, Requests: make([]sim.Request, 2), Want: []bool{true, true}, Evictions: 4}
	if err := c.Run(stub{4, true}); err != nil {
		t.Errorf("the right outcomes gave %v", err)
	}
	wrong := c
	wrong.Want = []bool{true, false}
	for _, tt := range []struct {
		c    policytest.Case
		p    stub
		want string
	}{
		{wrong, stub{4, true}, "p.txt:3: wrong outcomes\n got H H\nwant H ."},
		{c, stub{5, true}, "p.txt:3: got 5 evictions, want 4"},
		{c, stub{4, false}, "p.txt:3: the policy does not tell its evictions"},
	} {
		if err := tt.c.Run(tt.p); err == nil || err.Error() != tt.want {
			t.Errorf("got error %v, want %s", err, tt.want)
		}
	}
}
