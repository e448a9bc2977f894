package kit_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// TestFrequencies stores, counts and takes out objects, with counts on both sides of those that
// have a bucket of their own in an array, beside a sorted slice.
func TestFrequencies(t *testing.T) {
	type object struct{ id, count uint32 }
	const objects = 40
	const resident, second, ghosts = 0, 1, 2
	counts := []uint32{1, 2, 3, 63, 64, 4095, 4096, 1<<18 - 2, 1<<18 - 1, 1 << 18, 1<<18 + 1, 1 << 30}
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 0))
		newest := seed%2 == 1
		f := kit.NewFrequencies(sim.Config{Capacity: objects, Objects: objects}, 2, 1, newest)
		var want []object // residents in the order of their counts
		set := func(o object) {
			i := 0
			for i < len(want) && (want[i].count < o.count || want[i].count == o.count && !newest) {
				i++
			}
			want = slices.Insert(want, i, o)
		}
		for step := range 2000 {
			id := uint32(rng.IntN(objects))
			i := slices.IndexFunc(want, func(o object) bool { return o.id == id })
			// The number of residents rises and falls in turn.
			grow := step/200%2 == 0
			switch {
			case i < 0 && (grow || rng.IntN(4) == 0):
				if f.In(ghosts, id) {
					f.Forget(id)
				}
				o := object{id, counts[rng.IntN(len(counts))]}
				f.Store(rng.IntN(2), id, 1, o.count)
				set(o)
			case i < 0:
				if f.Remove(id) {
					t.Fatalf("seed %d, step %d: object %d was removed, and was not resident", seed, step, id)
				}
			case rng.IntN(3) > 0 && grow || rng.IntN(3) == 0:
				f.Increment(id)
				o := object{id, want[i].count + 1}
				want = slices.Delete(want, i, i+1)
				set(o)
			default:
				switch rng.IntN(4) {
				case 0:
					f.Remove(id)
				case 1:
					f.Evict(id)
				case 2:
					f.Move(id, ghosts)
				case 3:
					f.Move(id, second)
					continue // it stays resident
				}
				want = slices.Delete(want, i, i+1)
			}
			if step%200 == 199 { // it looks at every count that has a bucket
				if err := f.Check(); err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, step, err)
				}
			}
			if f.Used() != int64(len(want)) {
				t.Fatalf("seed %d, step %d: %d residents, want %d", seed, step, f.Used(), len(want))
			}
			if len(want) == 0 {
				continue
			}
			if id := f.Least(); id != want[0].id || f.Count(id) != want[0].count {
				t.Fatalf("seed %d, step %d: the least is object %d with count %d, want %v", seed, step, id, f.Count(id), want[0])
			}
		}
	}
}
