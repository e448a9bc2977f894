package native_test

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"cachesim/sim"
	"cachesim/sim/simtest"
)

// hits replays a trace, all of which fits, in batches of the given length.
func (s setting) hits(t *testing.T, tr trace, c sim.Config, batch int) []bool {
	t.Helper()
	p := sim.Native(s.open(t, c))
	next := simtest.NextAccess(tr.reqs, tr.removed)
	hit := make([]bool, len(tr.reqs))
	for i := 0; i < len(tr.reqs); {
		if tr.removed != nil && tr.removed[i] {
			var err error
			if hit[i], err = p.Remove(tr.reqs[i].ID); err != nil {
				t.Fatal(err)
			}
			i++
			continue
		}
		j := i
		for j < len(tr.reqs) && j < i+batch && (tr.removed == nil || !tr.removed[j]) {
			j++
		}
		if err := p.Replay(sim.Batch{Requests: tr.reqs[i:j], Next: next[i:j]}, hit[i:j]); err != nil {
			t.Fatal(err)
		}
		i = j
	}
	return hit
}

// lawTrace is what the laws are checked on: sizes differ, and objects are
// removed. At its capacity all policies hit, and all evict.
func lawTrace() (tr trace, capacity int64) {
	tr = mixed(7, 4000, 300, 30, true)
	return tr, tr.footprint() / 6
}

// hashesIDs lists the policies that hash ids without a seed. A sketch is the
// same in all runs; but with other ids, other objects collide in it.
var hashesIDs = []string{"lru+tinylfu", "lru+second-hit"}

// TestRenaming gives objects other ids, which changes nothing.
func TestRenaming(t *testing.T) {
	tr, capacity := lawTrace()
	to := rand.New(rand.NewPCG(3, 0)).Perm(tr.objects)
	renamed := trace{objects: tr.objects, removed: tr.removed}
	for _, r := range tr.reqs {
		r.ID = uint32(to[r.ID])
		renamed.reqs = append(renamed.reqs, r)
	}
	for _, s := range defaults(t) {
		if s.Random || slices.Contains(hashesIDs, s.Name) {
			continue
		}
		want := s.hits(t, tr, s.config(tr, capacity), sim.BatchSize)
		got := s.hits(t, renamed, s.config(renamed, capacity), sim.BatchSize)
		if !slices.Equal(got, want) {
			t.Errorf("policy %s, which is not Random, depends on the ids of objects", s.name)
		}
	}
}

// TestBatches cuts the trace in other places, which changes nothing.
func TestBatches(t *testing.T) {
	tr, capacity := lawTrace()
	for _, s := range defaults(t) {
		want := s.hits(t, tr, s.config(tr, capacity), sim.BatchSize)
		for _, batch := range []int{1, 7, 40} {
			if got := s.hits(t, tr, s.config(tr, capacity), batch); !slices.Equal(got, want) {
				t.Errorf("policy %s depends on where batches end, every %d requests", s.name, batch)
			}
		}
	}
}

// TestSeeds replays with equal and with different seeds.
func TestSeeds(t *testing.T) {
	tr, capacity := lawTrace()
	for _, s := range defaults(t) {
		switch s.Name {
		case "lru+exp-size": // its default is for larger objects
			s = parse(t, "lru+exp-size:c=10")
		case "lru+second-hit": // its default has a false positive in 1000 objects
			s = parse(t, "lru+second-hit:fp=0.5")
		}
		if s.Name == "lru+second-hit" { // its filters are large enough for this trace
			s = parse(t, "lru+second-hit:fp=0.5")
		}
		c := s.config(tr, capacity)
		first := s.hits(t, tr, c, sim.BatchSize)
		if !slices.Equal(s.hits(t, tr, c, sim.BatchSize), first) {
			t.Errorf("policy %s does otherwise with the same seed", s.name)
		}
		differs := false
		for seed := range uint64(8) {
			c.Seed = seed + 2
			differs = differs || !slices.Equal(s.hits(t, tr, c, sim.BatchSize), first)
		}
		if differs != s.Random {
			t.Errorf("policy %s: outcomes depend on the seed: %v; its spec says Random: %v", s.name, differs, s.Random)
		}
	}
}

// TestInclusion checks that what a larger cache of a stack algorithm holds
// includes what a smaller one does (Mattson et al. 1970): a hit stays a hit.
func TestInclusion(t *testing.T) {
	for _, name := range []string{"lru", "belady", "belady-bypass"} {
		s := parse(t, name)
		for seed := range uint64(4) {
			tr := mixed(seed, 3000, 120, 1, false)
			var smaller []bool
			for capacity := int64(1); capacity <= 120; capacity += 7 {
				hit := s.hits(t, tr, s.config(tr, capacity), sim.BatchSize)
				for i := range smaller {
					if smaller[i] && !hit[i] {
						t.Fatalf("policy %s, seed %d: request %d is a hit in a smaller cache and a miss at %d", name, seed, i, capacity)
					}
				}
				smaller = hit
			}
		}
	}
}

// TestBeladyIsOptimal tries, on tiny traces of objects of one size, all choices
// that a policy has, and compares the misses of the best.
func TestBeladyIsOptimal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bypass bool
	}{{"belady", false}, {"belady-bypass", true}} {
		s := parse(t, tt.name)
		for seed := range uint64(300) {
			rng := rand.New(rand.NewPCG(seed, 0))
			tr := trace{objects: 6}
			for range 12 {
				tr.reqs = append(tr.reqs, sim.Request{ID: uint32(rng.IntN(tr.objects)), Size: 1})
			}
			capacity := 1 + rng.IntN(4)
			misses := 0
			for _, hit := range s.hits(t, tr, s.config(tr, int64(capacity)), sim.BatchSize) {
				if !hit {
					misses++
				}
			}
			if want := fewestMisses(tr.reqs, 0, capacity, tt.bypass); misses != want {
				t.Fatalf("%s, capacity %d: %d misses, but %d are possible: %v", tt.name, capacity, misses, want, tr)
			}
		}
	}
}

// fewestMisses tries every choice for a cache that holds the set of objects.
func fewestMisses(reqs []sim.Request, cached uint32, capacity int, bypass bool) int {
	if len(reqs) == 0 {
		return 0
	}
	id := uint32(1) << reqs[0].ID
	switch {
	case cached&id != 0:
		return fewestMisses(reqs[1:], cached, capacity, bypass)
	case bits.OnesCount32(cached) < capacity:
		return 1 + fewestMisses(reqs[1:], cached|id, capacity, bypass)
	}
	best := math.MaxInt
	if bypass {
		best = fewestMisses(reqs[1:], cached, capacity, bypass)
	}
	for rest := cached; rest != 0; rest &= rest - 1 {
		victim := rest & -rest
		best = min(best, fewestMisses(reqs[1:], cached&^victim|id, capacity, bypass))
	}
	return 1 + best
}

// TestBeladyIsBound checks that no policy has fewer misses than Belady's, with
// objects of one size.
func TestBeladyIsBound(t *testing.T) {
	belady, bypass := parse(t, "belady"), parse(t, "belady-bypass")
	for seed := range uint64(3) {
		tr := mixed(seed, 4000, 200, 1, false)
		next := simtest.NextAccess(tr.reqs, nil)
		for _, capacity := range []int64{3, 20, 80} {
			storing, any := belady.replay(t, tr, next, capacity), bypass.replay(t, tr, next, capacity)
			for _, s := range settings(t) {
				most := storing.hits
				if _, ok := s.New(s.config(tr, capacity)).(sim.AdmissionCounter); ok {
					most = any.hits
				}
				if c := s.replay(t, tr, next, capacity); c.hits > most {
					t.Errorf("policy %s, seed %d, capacity %d: %d hits, and %d at most are possible", s.name, seed, capacity, c.hits, most)
				}
			}
		}
	}
}

// TestEqualPolicies compares policies that are the same one in a special case.
func TestEqualPolicies(t *testing.T) {
	tr, capacity := lawTrace()
	for _, pair := range [][2]string{
		{"s4fifo", "s3fifo:revised=1"},
		{"fifo-merge:exam=10000", "fifo"},
		{"lru-k:k=1", "lru"},
		{"mq:queues=1", "lru"},
		{"s4lru:segments=1", "lru"},
	} {
		t.Run(pair[0], func(t *testing.T) {
			a, b := parse(t, pair[0]), parse(t, pair[1])
			if !slices.Equal(a.hits(t, tr, a.config(tr, capacity), sim.BatchSize), b.hits(t, tr, b.config(tr, capacity), sim.BatchSize)) {
				t.Errorf("%s differs from %s", a.name, b.name)
			}
		})
	}
}

// TestSizesOfOne compares policies that are the same one where all sizes are 1.
func TestSizesOfOne(t *testing.T) {
	tr := mixed(7, 4000, 300, 1, false)
	for _, pair := range [][2]string{
		{"arc:step=1", "arc"},
		{"hyperbolic:size=1", "hyperbolic"},
		{"gdsf:cost=1", "gdsf"},
		{"w-tinylfu:delay=0,large=1", "w-tinylfu"},
		{"w-tinylfu:window=1", "lru"},
		{"slru:protected=0", "lru"},
	} {
		for _, capacity := range []int64{20, 60, 150} {
			a, b := parse(t, pair[0]), parse(t, pair[1])
			if !slices.Equal(a.hits(t, tr, a.config(tr, capacity), sim.BatchSize), b.hits(t, tr, b.config(tr, capacity), sim.BatchSize)) {
				t.Errorf("%s differs from %s at %d objects", a.name, b.name, capacity)
			}
		}
	}
}

// TestCapacityInObjects replays a trace of objects of many sizes in a cache for
// a number of objects, and one of objects of 1 byte in as many bytes.
func TestCapacityInObjects(t *testing.T) {
	const capacity = 60
	sized, _ := lawTrace()
	sized.removed = nil
	unit := trace{objects: sized.objects}
	for _, r := range sized.reqs {
		r.Size = 1
		unit.reqs = append(unit.reqs, r)
	}
	run := func(s setting, tr trace, unit string) sim.Measurement {
		m := &sim.Memory{Objects: tr.objects}
		st := &sim.Trace{Requests: len(tr.reqs), Objects: tr.objects, Tick: 1, LargestSize: 100, Source: m}
		for _, r := range tr.reqs {
			m.Append(r, sim.Get, 0)
		}
		task := sim.Task{
			Cell:  sim.Cell{Policy: s.name, Requests: len(tr.reqs), Capacity: capacity, Unit: unit, Version: sim.Version{Engine: sim.NativeEngine}},
			Needs: s.Needs,
		}
		open := func(context.Context, sim.Cell, *sim.Trace, func()) (sim.Replayer, sim.Setup, error) {
			return sim.Native(s.open(t, s.config(tr, capacity))), sim.Setup{}, nil
		}
		done, failed := sim.Run(t.Context(), st, []sim.Task{task}, open, sim.Options{Jobs: 1, Repeat: 1})
		if len(failed) > 0 {
			t.Fatal(failed)
		}
		return done[0]
	}
	for _, s := range defaults(t) {
		got, want := run(s, sized, sim.UnitObjects), run(s, unit, sim.UnitBytes)
		if got.Outcome != want.Outcome || *got.Evictions != *want.Evictions {
			t.Errorf("policy %s: %d hits and %d evictions in a cache of objects, %d and %d in one of bytes", s.name, got.Hits, *got.Evictions, want.Hits, *want.Evictions)
		}
	}
}
