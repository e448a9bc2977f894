package native_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	native "cachesim/policies-native"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

func TestScripts(t *testing.T) {
	has := map[string]bool{}
	for _, c := range scripts(t) {
		s := parse(t, c.Policy)
		has[s.Name] = true
		t.Run(fmt.Sprintf("%s/line=%d", c.Policy, c.Line), func(t *testing.T) {
			tr := trace{objects: c.Objects, reqs: c.Requests}
			p := s.open(t, s.config(tr, c.Capacity))
			if err := c.Run(sim.Native(p)); err != nil {
				t.Error(err)
			}
			if err := p.Check(); err != nil {
				t.Errorf("%s:%d: %v", c.File, c.Line, err)
			}
		})
	}
	for _, s := range specs(t) {
		if !has[s.Name] {
			t.Errorf("policy %s has no script in testdata/scripts", s.Name)
		}
	}
}

// TestSpecs checks what is said of each policy for people.
func TestSpecs(t *testing.T) {
	names := map[string]bool{}
	for _, s := range specs(t) {
		base, filter, _ := strings.Cut(s.Name, "+")
		if names[s.Name] || s.Name != strings.ToLower(s.Name) || strings.ContainsAny(base+filter, " :+,=") || base == "" {
			t.Errorf("policy %q: the name is taken, or not one for a command line", s.Name)
		}
		names[s.Name] = true
		if s.Title == "" || s.Doc == "" || s.Paper == "" || s.Memory == 0 {
			t.Errorf("policy %s lacks a title, doc, paper or memory", s.Name)
		}
		if strings.HasSuffix(s.Doc, ".") || strings.Contains(s.Doc, "\n") {
			t.Errorf("policy %s: want one line without a full stop: %q", s.Name, s.Doc)
		}
		for _, p := range s.Params {
			if p.Doc == "" || !(p.Min <= p.Default && p.Default <= p.Max) {
				t.Errorf("policy %s: parameter %q has no doc, or a default out of its range", s.Name, p.Name)
			}
		}
		if _, ok := native.ByName(s.Name); !ok {
			t.Errorf("ByName does not find %s", s.Name)
		}
		if _, err := os.Stat("testdata/scripts/" + cmp.Or(filter, base) + ".txt"); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{"LRU": "lru", "S3-FIFO": "s3fifo", "GD-Size": "gdsize", "wtinylfu": "w-tinylfu", "lru+AdaptSize": "lru+adaptsize", "lruu": "", "": ""} {
		if s, ok := native.ByName(name); ok != (want != "") || s.Name != want {
			t.Errorf("ByName(%q) = %q, %v, want %q", name, s.Name, ok, want)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]string{
		"lrv":            `unknown policy "lrv"; did you mean "lru"?`,
		"lru:x=1":        `policy lru has no parameter "x": it takes none`,
		"lru:x":          `policy lru: "x" is not a parameter: write name=value`,
		"lru:x=one":      "policy lru: x=one is not a number",
		"lrv+prob":       `unknown policy "lrv"; did you mean "lru"?`,
		"lru+prop":       `policy lru+prop: unknown filter "prop"; did you mean "prob"?`,
		"lru+prob+prob":  "policy lru+prob+prob: want one filter at most",
		"lru+prob:p=2":   "policy lru+prob: p=2 is out of range: want 0 to 1",
		"belady+tinylfu": "policy belady cannot have the filter tinylfu, which compares an object with the one to be evicted: the policy does not name that",
	} {
		if _, _, err := native.Parse(text); err == nil || err.Error() != want {
			t.Errorf("Parse(%q): got error %v, want %s", text, err, want)
		}
	}
}

// TestMemory compares what policies allocate with what their specs declare, for
// a cache of all objects and for one of half of them.
func TestMemory(t *testing.T) {
	objects := 200_000
	if testing.Short() {
		objects = 50_000
	}
	rng := rand.New(rand.NewPCG(1, 0))
	tr := trace{objects: objects, reqs: make([]sim.Request, 0, 3*objects)}
	for _, id := range rng.Perm(objects) {
		tr.reqs = append(tr.reqs, sim.Request{ID: uint32(id), Size: 1})
	}
	for range 2 * objects {
		tr.reqs = append(tr.reqs, sim.Request{ID: uint32(rng.IntN(1 + rng.IntN(objects))), Size: 1})
	}
	for i := range tr.reqs {
		tr.reqs[i].Time = uint32(i / 10)
	}
	next := simtest.NextAccess(tr.reqs, nil)
	for _, s := range defaults(t) {
		t.Run(s.Name, func(t *testing.T) {
			most := 0.0
			for _, capacity := range []int64{int64(objects), int64(objects) / 2} {
				before := heap()
				p := s.New(s.config(tr, capacity))
				for i, r := range tr.reqs {
					access(p, r, next[i])
				}
				most = max(most, float64(heap()-before)/float64(objects))
				runtime.KeepAlive(p)
			}
			// What does not grow with the objects may come to 2 MiB.
			fixed := 2 * float64(mib) / float64(objects)
			if declared := float64(s.Memory); most < 0.5*declared || most > 1.3*declared+fixed {
				t.Errorf("%.1f bytes an object are in use, %d are declared", most, s.Memory)
			}
		})
	}
}

// heap returns the bytes of all live objects.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestCosts: the estimates of plan know what each policy takes.
func TestCosts(t *testing.T) {
	for _, s := range native.All {
		if s.Cost <= 0 {
			t.Errorf("costs.csv has no row of %s: go run ./cmd/compare costs writes them", s.Name)
		}
	}
	table, err := os.ReadFile("costs.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(table))[1:] {
		name, _, _ := strings.Cut(line, ",")
		if _, ok := native.ByName(name); !ok {
			t.Errorf("costs.csv has a row of %s, which is no policy", name)
		}
	}
	lru, _ := native.ByName("lru")
	slow, _ := native.ByName("lhd+size-threshold")
	if lru.Cost != 1 || slow.Cost <= 1 {
		t.Errorf("lru costs %v and lhd behind a filter %v", lru.Cost, slow.Cost)
	}
}
