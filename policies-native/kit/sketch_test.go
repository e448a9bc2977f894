package kit_test

import (
	"math/rand/v2"
	"testing"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// TestSketch counts in a sketch beside exact counters: estimates are never below
// the smaller of the count and 15, and hardly above.
func TestSketch(t *testing.T) {
	const objects = 1000
	s := kit.NewSketch(sim.Config{Seed: 1})
	s.Fit(objects)
	var exact [objects]int
	rng := rand.New(rand.NewPCG(1, 0))
	above := 0
	for range 2 * objects { // fewer than the period
		id := uint32(rng.IntN(1 + rng.IntN(objects)))
		s.Add(id)
		exact[id]++
	}
	for id, n := range exact {
		got, want := s.Count(uint32(id)), min(n, 15)
		if got < want {
			t.Errorf("object %d: got %d, want %d at least", id, got, want)
		}
		if got > want {
			above++
		}
	}
	if above > objects/20 {
		t.Errorf("%d of %d estimates are too high", above, objects)
	}
}

// TestSketchHalves adds one object again and again, and others in between, until the
// counters are halved: after 10 additions for each entry.
func TestSketchHalves(t *testing.T) {
	s := kit.NewSketch(sim.Config{Seed: 1})
	s.Fit(256)
	for range 20 {
		s.Add(0)
	}
	if got := s.Count(0); got != 15 {
		t.Fatalf("got %d after 20 additions, want 15", got)
	}
	const period = 2560
	added := 15 // additions to full counters do not count
	for id := uint32(1); added < period-1; id++ {
		s.Add(id)
		added++
	}
	if got := s.Count(0); got != 15 {
		t.Fatalf("got %d before the end of the period, want 15", got)
	}
	s.Add(1 << 20)
	if got := s.Count(0); got != 7 {
		t.Fatalf("got %d after the period, want 7", got)
	}
}

// TestSketchGrows fits a sketch to more entries than it has words for, which
// empties it, and to fewer, which does not.
func TestSketchGrows(t *testing.T) {
	s := kit.NewSketch(sim.Config{Seed: 1})
	if !s.Empty() {
		t.Error("a new sketch has a table")
	}
	s.Fit(256)
	s.Add(3)
	s.Fit(10)
	if got := s.Count(3); got != 1 {
		t.Errorf("got %d after Fit(10), want 1", got)
	}
	s.Fit(257)
	if got := s.Count(3); got != 0 {
		t.Errorf("got %d after Fit(257), want 0", got)
	}
}

// TestBloom adds half of a range of objects: all of them are found, and few others.
func TestBloom(t *testing.T) {
	const n = 20_000
	for _, want := range []float64{0.1, 0.01, 0.001} {
		b := kit.NewBloom(n, want, 1)
		for id := range uint32(n) {
			b.Add(id)
		}
		wrong := 0
		for id := range uint32(n) {
			if !b.Has(id) {
				t.Fatalf("object %d was added and is not found", id)
			}
			if b.Has(n + id) {
				wrong++
			}
		}
		if got := float64(wrong) / n; got > 1.5*want {
			t.Errorf("a share of %v was never added and is found, want %v", got, want)
		}
		if got := b.Len(); got < int64(n*(1-want)) || got > n {
			t.Errorf("got length %d after %d additions", got, n)
		}
		if b.Clear(); b.Len() != 0 || b.Has(0) {
			t.Error("the filter is not empty after Clear")
		}
		if b.Add(7) || !b.Add(7) || b.Len() != 1 {
			t.Error("the second addition of an object is not recognized")
		}
	}
}

func TestEntries(t *testing.T) {
	e := kit.NewEntries(sim.Config{Capacity: 100})
	for _, step := range []struct {
		size, n int64
	}{
		{0, 100},
		{1, 200}, // 1 byte for 2 objects
		{1, 150},
		{1, 133},
		{1, 125},
		{94, 6}, // 98 bytes for 6 objects
		{999, 1},
	} {
		if e.Stored(sim.Request{Size: step.size}); e.N() != step.n {
			t.Errorf("after an object of %d: %d fit; want %d", step.size, e.N(), step.n)
		}
	}
	unit := kit.NewEntries(sim.Config{Capacity: 1<<56 - 1})
	for range 1000 {
		if unit.Stored(sim.Request{Size: 1}); unit.N() != 1<<56-1 {
			t.Fatalf("with sizes of 1, %d fit", unit.N())
		}
	}
}

// TestSketchScales: in a miniature as many estimates are too high as in the whole, of
// which the sketch has nearly two words for each object here, where a power of two
// for the miniature would have hardly more than one.
func TestSketchScales(t *testing.T) {
	above := func(objects int, rate float64) float64 {
		s := kit.NewSketch(sim.Config{Seed: 1, SampleRate: rate})
		s.Fit(int64(objects))
		for id := range 5 * objects {
			s.Add(uint32(id))
		}
		n := 0
		for id := range 5 * objects {
			if s.Count(uint32(id)) > 1 {
				n++
			}
		}
		return float64(n) / float64(5*objects)
	}
	whole, miniature, alone := above(33_000, 0), above(2000, 2000.0/33_000), above(2000, 0)
	if d := whole - miniature; d < -0.03 || d > 0.03 {
		t.Errorf("%.3f of the estimates are too high, in a miniature %.3f", whole, miniature)
	}
	if d := whole - alone; d > -0.1 && d < 0.1 {
		t.Errorf("%.3f of the estimates are too high, in a sketch for fewer %.3f: the trace shows nothing", whole, alone)
	}
}
