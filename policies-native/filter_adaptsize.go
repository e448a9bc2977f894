package native

import (
	"math"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// adaptSize stores a missed object of size s with the probability exp(-s/c), and
// tunes c. After every window of requests it takes the c for which a model of an
// LRU cache behind such a filter has the most hits, given how often each object
// was requested and its size. With rate r and probability of admission a, an
// object is in the cache with the probability
//
//	p = a(e^rT - 1) / (1 + a(e^rT - 1))
//
// where T, how long an object stays that is not requested, is such that the
// bytes of all objects times their p are the capacity, but at most a window: a
// cache that stores next to nothing does fill up in the end, which is not worth
// waiting for. (The authors' simulator has no such limit; a series in place of
// the exponential, which turns negative, excludes such c there.)
//
// The rates of a window count 0.7 and those of before 0.3; an object with a rate
// below 0.1 is forgotten. A window is prolonged by a fiftieth until the objects
// that are remembered have three times the bytes of the capacity. The maximum is
// searched for at c = 1, 4, 16 ... up to the capacity, and then by golden
// sections around the best of those.
//
// A request takes constant time, but for the last one of a window, for which the model is
// computed some 30 times over all objects that are remembered. Windows, weights and the
// search follow webcachesim2.
type adaptSize struct {
	c        float64 // bytes
	capacity float64
	window   int
	left     int // requests until c is tuned
	rand     kit.Rand
	stats    []sizeStat // of each object
	known    []uint32   // objects that are remembered
	bytes    int64      // of those

	// What the model reads, for each known object.
	rates, sizes, inverse []float64
}

type sizeStat struct {
	size int64
	rate float64 // requests in a window, smoothed
	now  uint32  // requests in the window under way
}

const (
	adaptSizeWeight = 0.7 // of the latest window
	adaptSizeLeast  = 0.1 // rate below which an object is forgotten
	adaptSizeSpan   = 3   // capacities that the remembered objects must fill
)

var adaptSizeSpec = sim.FilterSpec{
	Name:  "adaptsize",
	Title: "AdaptSize",
	Doc:   "stores a missed object with the probability exp(-size/c), where c is tuned by a model of the cache",
	Paper: "Berger, Sitaraman, Harchol-Balter, AdaptSize: orchestrating the hot object memory cache in a content delivery network, NSDI 2017",
	Params: []sim.Param{
		{Name: "window", Default: 500_000, Min: 1000, Max: 1e9, Doc: "requests after which c is tuned again"},
		{Name: "c", Default: 1 << 15, Min: 1, Max: sim.MaxSize, Doc: "c in bytes until it is tuned first"},
	},
	Random:     true,
	Memory:     56,
	FixedScale: true,
	Sizes:      sim.SizesAreCompared,
	New: func(c sim.Config) sim.Filter {
		window := int(c.Param("window"))
		return &adaptSize{
			c: c.Param("c"), capacity: float64(c.Capacity), window: window, left: window,
			rand: kit.NewRand(c.Seed), stats: make([]sizeStat, c.Objects),
		}
	},
}

// Admit reports whether the object of r is stored.
func (f *adaptSize) Admit(r sim.Request) bool {
	return f.rand.Float64() < math.Exp(-float64(r.Size)/f.c)
}

// Served counts the request and, at the end of a window, tunes c.
func (f *adaptSize) Served(r sim.Request, _ bool) {
	s := &f.stats[r.ID]
	if s.now == 0 && s.rate == 0 {
		s.size = r.Size
		f.bytes += r.Size
		f.known = append(f.known, r.ID)
	}
	s.now++
	if f.left--; f.left > 0 {
		return
	}
	if float64(f.bytes) <= adaptSizeSpan*f.capacity {
		f.left = f.window / 50
		return
	}
	f.left = f.window
	f.endWindow()
	f.tune()
}

// endWindow smooths the rates and forgets objects.
func (f *adaptSize) endWindow() {
	kept := f.known[:0]
	f.rates, f.sizes = f.rates[:0], f.sizes[:0]
	for _, id := range f.known {
		s := &f.stats[id]
		s.rate = float64((1-adaptSizeWeight)*s.rate) + float64(adaptSizeWeight*float64(s.now))
		s.now = 0
		if s.rate < adaptSizeLeast {
			f.bytes -= s.size
			*s = sizeStat{}
			continue
		}
		kept = append(kept, id)
		f.rates = append(f.rates, s.rate)
		f.sizes = append(f.sizes, float64(s.size))
	}
	f.known = kept
}

// tune sets c to where the model has the most hits.
func (f *adaptSize) tune() {
	const step, sections = 2, 10
	most := math.Log2(f.capacity)
	best, bestHits := most, f.hits(most)
	for x := 0.0; x < most; x += step {
		if h := f.hits(x); h > bestHits {
			best, bestHits = x, h
		}
	}
	low, high := max(0, best-step), min(most, best+step)
	ratio := (math.Sqrt(5) - 1) / 2
	a, b := high-ratio*(high-low), low+ratio*(high-low)
	ha, hb := f.hits(a), f.hits(b)
	for range sections {
		if ha < hb {
			low, a, ha = a, b, hb
			b = low + ratio*(high-low)
			hb = f.hits(b)
		} else {
			high, b, hb = b, a, ha
			a = high - ratio*(high-low)
			ha = f.hits(a)
		}
	}
	for _, end := range []struct{ x, hits float64 }{{a, ha}, {b, hb}} {
		if end.hits > bestHits {
			best, bestHits = end.x, end.hits
		}
	}
	f.c = math.Exp2(best)
}

// hits returns how many hits a window has by the model with c = 2^log2c.
func (f *adaptSize) hits(log2c float64) float64 {
	c := math.Exp2(log2c)
	f.inverse = f.inverse[:0]
	admitted := 0.0 // bytes in a window
	for i, size := range f.sizes {
		inverse := math.Exp(size / c) // of the probability of admission; may be +Inf
		f.inverse = append(f.inverse, inverse)
		admitted += f.rates[i] * size / inverse
	}
	if admitted == 0 {
		return 0
	}
	t := min(1, f.capacity/admitted) // windows
	for range 20 {
		used := 0.0
		for i, size := range f.sizes {
			used += size * present(f.rates[i]*t, size/c, f.inverse[i])
		}
		before := t
		t = min(1, t*f.capacity/used)
		if math.Abs(t-before) < 0.001*before {
			break
		}
	}
	hits := 0.0
	for i, rate := range f.rates {
		hits += rate * present(rate*t, f.sizes[i]/c, f.inverse[i])
	}
	return hits
}

// present returns the probability that an object is in the cache which is
// requested rt times in T and admitted with the probability 1/inverse = exp(-x).
func present(rt, x, inverse float64) float64 {
	if rt > 30 { // e^rt - 1 is e^rt, which may overflow
		return 1 / (1 + math.Exp(x-rt))
	}
	return 1 / (1 + inverse/math.Expm1(rt))
}
