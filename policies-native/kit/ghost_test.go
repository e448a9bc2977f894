package kit

import (
	"testing"

	"cachesim/sim"
)

func TestShare(t *testing.T) {
	tests := []struct {
		capacity int64
		part     float64
		want     int64
	}{
		{10, 0.1, 1},
		{9, 0.1, 0},
		{134217728, 0.1, 13421772},
		{4, 0.9, 3},
		{3, 4, 12},
		{0, 1, 0},
	}
	for _, test := range tests {
		s := Space{capacity: test.capacity}
		if got := s.Share(test.part); got != test.want {
			t.Errorf("%v of %d: got %d, want %d", test.part, test.capacity, got, test.want)
		}
	}
}

// TestDemote moves residents, one after the other, to a queue of ghosts of 5
// bytes.
func TestDemote(t *testing.T) {
	const resident, ghost, limit = 0, 1, 5
	sizes := []int64{2, 0, 3, 1, 6, 5, 0}
	steps := []struct {
		demoted uint32
		ghosts  []uint32 // the oldest first
	}{
		{0, []uint32{0}},
		{1, []uint32{0, 1}},
		{2, []uint32{0, 1, 2}},
		{3, []uint32{1, 2, 3}}, // one byte less than needed
		{4, []uint32{1, 2, 3}}, // larger than the limit
		{5, []uint32{5}},
		{6, []uint32{5, 6}},
	}
	q := NewQueues[struct{}](sim.Config{Capacity: 100, Objects: len(sizes)}, 1, 1)
	for id, size := range sizes {
		q.PushFront(resident, uint32(id), size)
	}
	for i, step := range steps {
		q.Demote(step.demoted, ghost, limit)
		if err := q.Check(); err != nil {
			t.Fatal(err)
		}
		var got []uint32
		for id, ok := uint32(0), !q.Empty(ghost); ok; {
			if got == nil {
				id = q.Back(ghost)
			}
			got = append(got, id)
			id, ok = q.Prev(id)
		}
		if len(got) != len(step.ghosts) {
			t.Fatalf("after object %d: got ghosts %v, want %v", step.demoted, got, step.ghosts)
		}
		for j, id := range step.ghosts {
			if got[j] != id {
				t.Fatalf("after object %d: got ghosts %v, want %v", step.demoted, got, step.ghosts)
			}
		}
		if q.Has(step.demoted) || q.Evictions() != int64(i+1) {
			t.Fatalf("after object %d: got %d evictions, want %d, and it not resident", step.demoted, q.Evictions(), i+1)
		}
	}
	if !q.Forget(5, ghost) || q.Forget(5, ghost) || q.Forget(0, ghost) || q.In(ghost, 5) {
		t.Error("only the first Forget of object 5 should find a ghost")
	}
	if q.Used() != 0 || q.Evictions() != int64(len(sizes)) {
		t.Errorf("got %d used and %d evictions, want 0 and %d", q.Used(), q.Evictions(), len(sizes))
	}
}
