package kit_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// TestHeap sets and takes out keys, many of them equal, beside a sorted slice.
func TestHeap(t *testing.T) {
	type pair struct {
		id  uint32
		key float64
	}
	const objects = 60
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		h := kit.NewHeap(sim.Config{Capacity: 2 * objects, Objects: objects})
		var want []pair // in the order of the heap
		for step := range 5000 {
			id := uint32(rng.IntN(objects))
			i := slices.IndexFunc(want, func(w pair) bool { return w.id == id })
			// The heap grows and shrinks in turn.
			switch grow := step/500%2 == 0; {
			case i >= 0 && rng.IntN(10) < 2:
				h.Remove(id)
				want = slices.Delete(want, i, i+1)
			case len(want) > 0 && rng.IntN(10) < 3 && !grow:
				h.Evict(want[0].id)
				want = want[1:]
			default:
				key := float64(rng.IntN(8))
				if i < 0 {
					h.Push(id, 2, key)
				} else {
					h.Update(id, key)
					want = slices.Delete(want, i, i+1)
				}
				// Behind the keys that are not greater: equal ones are older.
				i = 0
				for i < len(want) && want[i].key <= key {
					i++
				}
				want = slices.Insert(want, i, pair{id, key})
			}
			if err := h.Check(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			if h.Len() != len(want) || h.Used() != int64(2*len(want)) {
				t.Fatalf("seed %d, step %d: %d objects of %d, want %d", seed, step, h.Len(), h.Used(), len(want))
			}
			if len(want) == 0 {
				continue
			}
			if id, key := h.Min(); id != want[0].id || key != want[0].key || h.Key(id) != key || h.Size(id) != 2 || !h.Has(id) {
				t.Fatalf("seed %d, step %d: least is object %d with key %v, want %v", seed, step, id, key, want[0])
			}
		}
	}
}
