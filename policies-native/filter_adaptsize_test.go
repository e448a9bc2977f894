package native

import (
	"math"
	"math/rand/v2"
	"testing"

	"cachesim/sim"
)

// TestAdaptSizeTunes has 200 small objects that are requested often, and large
// ones that are requested once: c must come to lie between their sizes, and the
// small objects must then be hits.
func TestAdaptSizeTunes(t *testing.T) {
	const small, large, window = 10, 5000, 5000
	s, given, err := Parse("lru+adaptsize:window=5000")
	if err != nil {
		t.Fatal(err)
	}
	params, err := sim.CheckParams(s.Name, s.Params, given)
	if err != nil {
		t.Fatal(err)
	}
	p := s.New(sim.Config{Capacity: 2 * large, Objects: 20_000, Seed: 1, Params: params})
	rng := rand.New(rand.NewPCG(1, 0))
	once := uint32(200)
	late := 0
	for i := range 4 * window {
		r := sim.Request{ID: uint32(rng.IntN(200)), Size: small}
		if rng.IntN(2) == 0 {
			r = sim.Request{ID: once, Size: large}
			once++
		}
		if hit := p.Access(r); hit && i >= 3*window {
			late++
		}
	}
	f := p.(*filtered).filter.(*adaptSize)
	if f.c < small || f.c > large {
		t.Errorf("c is %v, want it between %d and %d", f.c, small, large)
	}
	if late < window*45/100 {
		t.Errorf("%d hits in the last window of %d requests, want nearly half", late, window)
	}
	if len(f.known) > window*3/2 { // of twice as many that were requested
		t.Errorf("%d objects are remembered, most of which were requested once long ago", len(f.known))
	}
}

// TestAdaptSizePresent compares both forms of the probability with the formula,
// where that can be computed.
func TestAdaptSizePresent(t *testing.T) {
	for _, rt := range []float64{0, 1e-9, 0.5, 3, 29.9, 30.1, 200} {
		for _, x := range []float64{0, 0.1, 5, 100, 400} {
			a := math.Exp(-x)
			want := a * math.Expm1(rt) / (1 + float64(a*math.Expm1(rt)))
			if got := present(rt, x, math.Exp(x)); math.Abs(got-want) > 1e-9*(want+1e-300) {
				t.Errorf("rT %v, a exp(-%v): got %v, want %v", rt, x, got, want)
			}
		}
	}
	if p := present(2000, 900, math.Exp(900)); p != 1 {
		t.Errorf("an object that is admitted rarely and requested much more often: got %v, want 1", p)
	}
}
