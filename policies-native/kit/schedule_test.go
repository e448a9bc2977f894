package kit_test

import (
	"math/rand/v2"
	"testing"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// TestSchedule serves requests that are thousands of others apart, so that next accesses are
// spread over many days of the calendar, and looks for the farthest one among all residents, with
// and without classes.
func TestSchedule(t *testing.T) {
	const objects, requests = 50, 2500
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 0))
		classes := 1
		var class func(int64) int
		if seed%2 == 1 {
			classes, class = 3, func(size int64) int { return int(size) - 1 }
		}
		var ids, times, next [requests]uint32
		now := uint32(0)
		for i := range ids {
			ids[i] = uint32(rng.IntN(1 + rng.IntN(objects)))
			now += 1 + rng.Uint32N([]uint32{3, 3_000, 100_000}[seed%3])
			times[i] = now
		}
		last := [objects]uint32{}
		for i := range last {
			last[i] = sim.Never
		}
		for i := requests - 1; i >= 0; i-- {
			next[i] = last[ids[i]]
			last[ids[i]] = times[i]
		}
		s := kit.NewSchedule(sim.Config{Capacity: 3 * objects, Objects: objects}, class)
		stored := map[uint32]uint32{} // next accesses of residents
		for i, id := range ids {
			if s.Has(id) {
				s.Renew(id, next[i])
				if rng.IntN(4) == 0 && next[i] != sim.Never {
					s.Renew(id, next[i]) // for another request, at the same time
				}
			} else {
				s.Add(id, int64(id%3+1), next[i])
			}
			stored[id] = next[i]
			if rng.IntN(10) == 0 {
				id := uint32(rng.IntN(objects))
				if _, ok := stored[id]; s.Remove(id) != ok {
					t.Fatalf("seed %d, request %d: object %d was resident: %v", seed, i, id, ok)
				}
				delete(stored, id)
			}
			for k := range classes {
				far, id := uint32(0), uint32(0)
				for o, n := range stored {
					if n != sim.Never && n > far && (class == nil || class(s.Size(o)) == k) {
						far, id = n, o
					}
				}
				if gotID, got, ok := s.Farthest(k); ok != (far > 0) || ok && (gotID != id || got != far) {
					t.Fatalf("seed %d, request %d: farthest of class %d is object %d at %d (%v), want %d at %d", seed, i, k, gotID, got, ok, id, far)
				}
				if far > 0 && len(stored) > 25 {
					s.Evict(id)
					delete(stored, id)
				}
			}
			if err := s.Check(); err != nil {
				t.Fatalf("seed %d, request %d: %v", seed, i, err)
			}
		}
	}
}
