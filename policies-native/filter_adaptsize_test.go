package native

import (
	"math"
	"math/rand/v2"
	"testing"

	"cachesim/policies-native/models"
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

// TestAdaptSizeModel compares what is predicted for a c at the end of each window with what a
// model predicts, and the c that is chosen, by that, with the best of all c. Large objects are requested as often as small ones here, or
// less, or more.
func TestAdaptSizeModel(t *testing.T) {
	const window, objects = 2000, 1000
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 0))
		skew := 1.1
		if seed%3 == 2 { // a few large objects have most requests
			skew = 2
		}
		zipf := rand.NewZipf(rng, skew, 3, objects-1)
		sizes := make([]int64, objects)
		for i := range sizes {
			sizes[i] = 1 + int64(math.Exp(rng.Float64()*10))
			if seed%3 > 0 { // the more popular, the smaller, or the larger
				rank := float64(i) / objects
				if seed%3 == 2 {
					rank = 1 - rank
				}
				sizes[i] = 1 + int64(math.Exp(rank*7+rng.Float64()*3))
			}
		}
		s, given, err := Parse("lru+adaptsize:window=2000")
		if err != nil {
			t.Fatal(err)
		}
		params, err := sim.CheckParams(s.Name, s.Params, given)
		if err != nil {
			t.Fatal(err)
		}
		const capacity = 100_000
		p := s.New(sim.Config{Capacity: capacity, Objects: objects, Seed: 1, Params: params})
		f := p.(*filtered).filter.(*adaptSize)
		m := models.NewAdaptSize(capacity, window)
		tuned := 0
		for range 5 * window {
			r := sim.Request{ID: uint32(zipf.Uint64())}
			if r.Size = sizes[r.ID]; rng.IntN(4) == 0 { // others become popular
				r.ID = uint32(rng.IntN(objects))
				r.Size = sizes[r.ID]
			}
			c := f.c
			p.Access(r)
			if ends := m.Serve(r.ID, r.Size); !ends {
				if f.c != c {
					t.Fatalf("seed %d: c is tuned within a window", seed)
				}
				continue
			}
			tuned++
			for log2c := 2.0; log2c < 17; log2c += 2 {
				if got, want := f.hits(log2c), m.Predict(math.Exp2(log2c)); math.Abs(got-want) > 0.01*want {
					t.Errorf("seed %d: %.1f hits are predicted for c = 2^%.0f, want %.1f", seed, got, log2c, want)
				}
			}
			if got, want := m.Predict(f.c), m.Most(); got < 0.997*want {
				t.Errorf("seed %d: %.0f hits are predicted for c = %.0f, and %.0f for another", seed, got, f.c, want)
			}
			if m.Predict(8*f.c) > 0.999*m.Predict(f.c) && m.Predict(f.c/8) > 0.999*m.Predict(f.c) {
				t.Errorf("seed %d: any c will do", seed)
			}
		}
		if tuned < 3 {
			t.Errorf("seed %d: c was tuned %d times", seed, tuned)
		}
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
