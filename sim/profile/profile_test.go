package profile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"cachesim/sim"
)

// TestStack compares with a plain list that is searched from end to end.
func TestStack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	const objects = 300
	sizes := make([]int64, objects)
	for i := range sizes {
		sizes[i] = rng.Int64N(1000)
	}
	s := NewStack(objects)
	var list []uint32 // most recent first
	for i := range 20_000 {
		id := uint32(rng.IntN(1 + rng.IntN(objects)))
		at := slices.Index(list, id)
		if rng.IntN(20) == 0 {
			s.Remove(id)
			if at >= 0 {
				list = slices.Delete(list, at, at+1)
			}
			continue
		}
		var bytes int64
		for _, o := range list[:at+1] {
			bytes += sizes[o]
		}
		n, b, seen := s.Access(id, sizes[id])
		if seen != (at >= 0) || seen && (n != int64(at+1) || b != bytes) {
			t.Fatalf("request %d: got %d objects, %d bytes, seen %v, want %d, %d, %v", i, n, b, seen, at+1, bytes, at >= 0)
		}
		if at >= 0 {
			list = slices.Delete(list, at, at+1)
		}
		list = slices.Insert(list, 0, id)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	for v := int64(1); v <= 1000; v++ {
		h.add(v)
	}
	h.add(1 << 55)
	p := h.percentiles()
	near := func(got, want int64) bool { return math.Abs(float64(got-want)) <= 0.017*float64(want) }
	if p.Min != 1 || !near(p.P10, 101) || !near(p.P50, 501) || !near(p.P90, 901) || p.Max != 1<<55 {
		t.Errorf("got %+v", p)
	}
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 1000, 1 << 40, 1<<56 - 1} {
		if low := lowest(bin(v)); uint64(low) > v || float64(v)-float64(low) > float64(v)/64 {
			t.Errorf("%d falls into the bin from %d", v, low)
		}
	}
	if (&histogram{}).percentiles() != (Percentiles{}) {
		t.Error("an empty histogram has percentiles")
	}
}

func TestOf(t *testing.T) {
	// Object k of 1,000 is requested about 10,000/k times: alpha is 1.
	var m sim.Memory
	tr := &sim.Trace{Objects: 1000, Tick: time.Second, Source: &m}
	for k := range 1000 {
		for range 10_000 / (k + 1) {
			m.Append(sim.Request{ID: uint32(k), Time: uint32(m.Len() / 10), Size: int64(k)}, sim.Get, 0)
			tr.RequestBytes += int64(k)
		}
		tr.Footprint += int64(k)
	}
	m.Objects, tr.Requests, tr.Span = 1000, m.Len(), uint32((m.Len()-1)/10)
	p, err := Of(tr)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(p.Alpha-1) > 0.01 || p.R2 < 0.999 {
		t.Errorf("alpha %v, R² %v, want 1", p.Alpha, p.R2)
	}
	if p.Gets != m.Len() || p.OneHit != 0 || p.Zero != 1 || p.Backwards != 0 || p.ObjectSizes.Max != 999 {
		t.Errorf("got %+v", p)
	}
	if p.ReuseDistance.Max != 1 { // each object's requests follow each other
		t.Errorf("reuse distances %+v, want 1", p.ReuseDistance)
	}
	if math.Abs(p.Rate-10) > 0.1 || math.Abs(p.PeakRate-10) > 0.2 {
		t.Errorf("%v requests a second, %v at most, want 10", p.Rate, p.PeakRate)
	}
	var sum int
	for _, n := range p.Rates {
		sum += n
	}
	if sum != p.Requests {
		t.Errorf("the intervals have %d requests, want %d", sum, p.Requests)
	}
}
