package native_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"cachesim/sim"
	"cachesim/sim/simtest"
)

// TestInvariants drives every policy through random requests, removals and changes of size,
// with objects of no bytes and capacities down to 0, and checks after each of them
// what holds for all policies, whether they have a model or not. A second
// instance with the same seed must do the same.
func TestInvariants(t *testing.T) {
	for _, s := range settings(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			seeds := uint64(36)
			if testing.Short() {
				seeds = 9
			}
			for seed := range seeds {
				s.checkInvariants(t, seed)
			}
		})
	}
}

func (s setting) checkInvariants(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	objects := []int{3, 8, 30, 120}[seed%4]
	largest := []int64{1, 3, 40}[seed%3]
	tr := mixed(seed, 600, objects, largest, true)
	if seed%2 == 1 {
		tr = tr.resized(seed, largest)
	}
	capacity := []int64{0, 1, 2, 3, 5, 1 + rng.Int64N(20), 1 + rng.Int64N(1+tr.footprint())}[rng.IntN(7)]
	if seed%5 == 4 {
		capacity = tr.footprint() / 4
	}
	tr = tr.fitting(capacity)
	next := simtest.NextAccess(tr.reqs, tr.removed)
	c := s.config(tr, capacity)
	p, twin := s.open(t, c), s.open(t, c)
	sizes := map[uint32]int64{}
	for i, r := range tr.reqs {
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("after the last of these requests: %s\npolicy %s\ncapacity %d, seed %d\nrequests %s",
				fmt.Sprintf(format, args...), s.name, capacity, seed, tr.cut(i+1))
		}
		if size, ok := sizes[r.ID]; ok && size != r.Size {
			had := p.Has(r.ID)
			if got := p.Remove(r.ID); got != had || twin.Remove(r.ID) != had {
				fail("with another size, the removal says %v, but the object was in the cache: %v", got, had)
			}
		}
		sizes[r.ID] = r.Size
		had, evictions := p.Has(r.ID), p.Evictions()
		if tr.removed[i] {
			if got := p.Remove(r.ID); got != had {
				fail("the removal says %v, but the object was in the cache: %v", got, had)
			}
			if p.Has(r.ID) || p.Evictions() != evictions {
				fail("the object is in the cache after it was removed: %v, with %d evictions", p.Has(r.ID), p.Evictions()-evictions)
			}
			twin.Remove(r.ID)
		} else {
			hit := access(p, r, next[i])
			if hit != had {
				fail("hit %v, but the object was in the cache: %v", hit, had)
			}
			if _, bypasses := p.(sim.AdmissionCounter); !bypasses && s.Needs == 0 && !hit && r.Size == 0 && !p.Has(r.ID) {
				fail("an object of no bytes was not stored")
			}
			if access(twin, r, next[i]) != hit {
				fail("another instance with the same seed does otherwise")
			}
		}
		var used int64
		for id, size := range sizes {
			if p.Has(id) {
				used += size
			}
		}
		switch err := p.Check(); {
		case err != nil:
			fail("%v", err)
		case p.Used() != used || used > capacity:
			fail("%d are used, but residents have %d", p.Used(), used)
		case p.Used() != twin.Used() || p.Evictions() != twin.Evictions():
			fail("another instance with the same seed has other residents")
		}
	}
}
