package kit_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// TestRanks inserts, moves and removes objects beside a slice.
func TestRanks(t *testing.T) {
	const objects = 60
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := kit.NewRanks(sim.Config{Capacity: 2000, Objects: objects})
		var want []uint32
		for step := range 2000 {
			id := uint32(rng.IntN(objects))
			at := slices.Index(want, id)
			if l.Has(id) != (at >= 0) {
				t.Fatalf("seed %d, step %d: Has(%d) is %v", seed, step, id, at < 0)
			}
			switch {
			case at < 0:
				rank := rng.IntN(len(want) + 1)
				l.Insert(rank, id, int64(id))
				want = slices.Insert(want, rank, id)
			case rng.IntN(3+step/500%2) == 0: // the list grows and shrinks
				if !l.Remove(id) || l.Remove(id) {
					t.Fatalf("seed %d, step %d: object %d cannot be removed once", seed, step, id)
				}
				want = slices.Delete(want, at, at+1)
			default:
				rank := rng.IntN(len(want))
				l.MoveTo(rank, id)
				want = slices.Insert(slices.Delete(want, at, at+1), rank, id)
			}
			used := int64(0)
			for rank, id := range want {
				used += int64(id)
				if got := l.Rank(id); got != rank {
					t.Fatalf("seed %d, step %d: got rank %d of object %d, want %d", seed, step, got, id, rank)
				}
			}
			if l.Len() != len(want) || l.Used() != used || used > 0 && l.Last() != want[len(want)-1] {
				t.Fatalf("seed %d, step %d: %d objects of %d, want %d of %d", seed, step, l.Len(), l.Used(), len(want), used)
			}
			if err := l.Check(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
	}
}
