package native_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	native "cachesim/policies-native"
	"cachesim/sim"
	"cachesim/traces"
)

var (
	update = flag.Bool("update", false, "rewrite testdata/golden.tsv for the traces that are there")
	models = flag.Int("models", 10_000, "requests at the start of each golden trace to check with the models, which are slow")
)

const (
	cloudPhysics = "cloudPhysicsIO.oracleGeneral.bin"
	web          = "web-1m.dat.gz"
	example      = "web.tr.gz"

	mib = 1 << 20
)

// open reads a trace: the example from this repository, the others from the
// folder CACHESIM_DATA. The test is skipped where the trace is not there, unless
// CACHESIM_DATA says that it is.
func open(t *testing.T, name string) *sim.Trace {
	t.Helper()
	dir, demanded := os.LookupEnv("CACHESIM_DATA")
	if !demanded {
		dir = "../../shared/data"
	}
	if name == example {
		dir, demanded = "../traces/example", false
	}
	tr, err := traces.Open(filepath.Join(dir, name), traces.Options{})
	if !demanded && errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%v; CACHESIM_DATA can name the folder", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func newPolicy(t *testing.T, s sim.Spec, capacity int64, objects int) sim.Policy {
	t.Helper()
	params, err := sim.CheckParams(s.Name, s.Params, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.New(sim.Config{Capacity: capacity, Objects: objects, Params: params})
}

// counts is what a replay comes to.
type counts struct{ requests, hits, hitBytes, bytes, evictions int64 }

// replay counts what a policy makes of a trace. Objects larger than the capacity
// never reach it.
func replay(p sim.Policy, tr *sim.Trace, capacity int64) counts {
	var c counts
	for _, r := range tr.Requests {
		c.requests++
		c.bytes += r.Size
		if r.Size <= capacity && p.Access(r) {
			c.hits++
			c.hitBytes += r.Size
		}
	}
	c.evictions = p.(sim.EvictionCounter).Evictions()
	return c
}

// TestLibCacheSim compares misses with those that libCacheSim's own tests
// expect of its sample of a CloudPhysics trace (test/test_evictionAlgo.c).
func TestLibCacheSim(t *testing.T) {
	tr := open(t, cloudPhysics)
	tests := []struct {
		spec   sim.Spec
		misses [8]int64 // at 128, 256, 384 ... 1024 MiB
		bytes  [8]int64 // missed; 0: not told
	}{
		{
			spec:   native.LRUSpec,
			misses: [8]int64{93374, 89783, 83572, 81722, 72494, 72104, 71972, 71704},
			bytes: [8]int64{4214303232, 4061242368, 3778040320, 3660569600,
				3100927488, 3078128640, 3075403776, 3061662720},
		},
		{
			spec:   native.FIFOSpec,
			misses: [8]int64{93403, 89386, 84387, 84025, 72498, 72228, 72182, 72140},
		},
		{
			spec:   native.LFUSpec,
			misses: [8]int64{91699, 86720, 78578, 76707, 69945, 66221, 64445, 64376},
		},
	}
	for _, tt := range tests {
		t.Run(tt.spec.Name, func(t *testing.T) {
			for i, want := range tt.misses {
				capacity := int64(i+1) * 128 * mib
				c := replay(newPolicy(t, tt.spec, capacity, tr.Objects), tr, capacity)
				if got := c.requests - c.hits; got != want {
					t.Errorf("%d MiB: got %d misses, want %d", capacity/mib, got, want)
				}
				if got, want := c.bytes-c.hitBytes, tt.bytes[i]; want != 0 && got != want {
					t.Errorf("%d MiB: got %d missed bytes, want %d", capacity/mib, got, want)
				}
			}
		})
	}
}

var golden = []struct {
	trace      string
	capacities []int64 // bytes
}{
	{cloudPhysics, []int64{128 * mib, 256 * mib, 384 * mib, 512 * mib, 640 * mib, 768 * mib, 896 * mib, 1024 * mib}},
	{web, []int64{4 * mib, 8 * mib, 16 * mib, 32 * mib, 64 * mib}},
	// Some of its objects are larger than the first of these.
	{example, []int64{4 * mib, 16 * mib, 64 * mib, 256 * mib}},
}

const (
	goldenFile   = "testdata/golden.tsv"
	goldenHeader = "trace\tpolicy\tcapacity\trequests\thits\thit_bytes\tevictions"
)

// TestGolden compares every policy with the table of results that it once had.
// The table was confirmed by the models over the whole traces:
//
//	go test ./policies-native -run Golden -models 1000000000 -timeout 0
func TestGolden(t *testing.T) {
	want := readGolden(t)
	for _, g := range golden {
		t.Run(g.trace, func(t *testing.T) {
			tr := open(t, g.trace)
			var got []string
			for _, s := range native.All {
				for _, capacity := range g.capacities {
					c := replay(newPolicy(t, s, capacity, tr.Objects), tr, capacity)
					got = append(got, fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%d\t%d",
						g.trace, s.Name, capacity, c.requests, c.hits, c.hitBytes, c.evictions))
				}
			}
			if *update {
				want[g.trace] = got
				return
			}
			if got, want := strings.Join(got, "\n"), strings.Join(want[g.trace], "\n"); got != want {
				t.Errorf("got other results than %s, which -update rewrites:\n%s\ngot:\n%s\nwant:\n%s", goldenFile, goldenHeader, got, want)
			}
		})
	}
	if *update {
		var b bytes.Buffer
		fmt.Fprintln(&b, goldenHeader)
		for _, g := range golden {
			for _, row := range want[g.trace] {
				fmt.Fprintln(&b, row)
			}
		}
		if err := os.WriteFile(goldenFile, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// readGolden returns the rows of the golden table by trace.
func readGolden(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(goldenFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if trace, _, _ := strings.Cut(line, "\t"); line != goldenHeader {
			rows[trace] = append(rows[trace], line)
		}
	}
	return rows
}

// TestGoldenModels compares every policy with its model on the start of the
// golden traces, request by request.
func TestGoldenModels(t *testing.T) {
	if testing.Short() {
		t.Skip("the models are slow")
	}
	for _, g := range golden {
		t.Run(g.trace, func(t *testing.T) {
			tr := open(t, g.trace)
			for _, s := range native.All {
				for _, capacity := range g.capacities {
					t.Run(fmt.Sprintf("%s/%d", s.Name, capacity), func(t *testing.T) {
						t.Parallel()
						checkStart(t, s, capacity, tr)
					})
				}
			}
		})
	}
}

func checkStart(t *testing.T, s sim.Spec, capacity int64, tr *sim.Trace) {
	p, m := newPolicy(t, s, capacity, tr.Objects), native.NewModel(s.Name, capacity)
	for i, r := range tr.Requests[:min(*models, len(tr.Requests))] {
		if r.Size > capacity {
			continue
		}
		if got, want := p.Access(r), m.Access(r); got != want {
			t.Fatalf("request %d: got hit %v, want %v", i+1, got, want)
		}
	}
	if got, want := p.(sim.EvictionCounter).Evictions(), m.Evictions(); got != want {
		t.Errorf("got %d evictions, want %d", got, want)
	}
}
