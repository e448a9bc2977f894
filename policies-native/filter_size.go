package native

import (
	"math"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// sizeThreshold stores objects up to a size only, so that a large object does not
// push out many small ones. The limit is a number of bytes or, where that is 0, a
// share of the capacity.
type sizeThreshold struct {
	config sim.Config
	limit  int64
}

var sizeThresholdSpec = sim.FilterSpec{
	Name:  "size-threshold",
	Title: "size threshold",
	Doc:   "stores objects up to a size only",
	Paper: "Abrams, Standridge, Abdulla, Williams, Fox, Caching proxies: limitations and potentials, WWW 1995 (LRU-THOLD)",
	Sizes: sim.SizesAreWeighed,
	Params: []sim.Param{
		{Name: "bytes", Default: 0, Min: 0, Max: sim.MaxSize, Doc: "largest size that is stored; 0: share counts"},
		{Name: "share", Default: 0.01, Min: 0, Max: 1, Doc: "largest size that is stored, as a share of the capacity"},
	},
	New: func(c sim.Config) sim.Filter {
		if b := c.Param("bytes"); b > 0 {
			return &sizeThreshold{c, int64(b)}
		}
		return &sizeThreshold{c, int64(c.Whole(c.Param("share") * float64(c.Capacity)))}
	},
}

// Admit reports whether the object of r is stored.
func (f *sizeThreshold) Admit(r sim.Request) bool { return f.config.Size(r) <= f.limit }

// Served does nothing.
func (f *sizeThreshold) Served(sim.Request, bool) {}

// prob stores a missed object with a fixed probability, so that an object that is
// requested often is stored sooner than one that is requested once: for each miss a
// number is drawn by Rand.Float64 of a generator with the given seed, and the object is
// stored if that is less than p.
type prob struct {
	p    float64
	rand kit.Rand
}

var probSpec = sim.FilterSpec{
	Name:  "prob",
	Title: "probabilistic",
	Doc:   "stores a missed object with a fixed probability",
	Paper: "Starobinski, Tse, Probabilistic methods for web caching, Performance Evaluation 46(2-3), 2001",
	Params: []sim.Param{
		{Name: "p", Default: 0.5, Min: 0, Max: 1, Doc: "probability that a missed object is stored"},
	},
	Random: true,
	New: func(c sim.Config) sim.Filter {
		return &prob{c.Param("p"), kit.NewRand(c.Seed)}
	},
}

// Admit reports whether the object of r is stored.
func (f *prob) Admit(sim.Request) bool { return f.rand.Float64() < f.p }

// Served does nothing.
func (f *prob) Served(sim.Request, bool) {}

// expSize stores a missed object of size s with the probability exp(-s/c): an
// object of c bytes is stored at one of e = 2.7 misses, one of 5c bytes at one of
// 148. Numbers are drawn as for prob.
type expSize struct {
	config sim.Config
	c      float64 // bytes
	rand   kit.Rand
}

var expSizeSpec = sim.FilterSpec{
	Name:  "exp-size",
	Title: "exp(-size/c)",
	Doc:   "stores a missed object with a probability that falls exponentially with its size",
	Sizes: sim.SizesAreWeighed,
	Paper: "Exp-LRU in Berger, Sitaraman, Harchol-Balter, AdaptSize: orchestrating the hot object memory cache in a content delivery network, NSDI 2017",
	Params: []sim.Param{
		{Name: "c", Default: 1 << 20, Min: 1, Max: sim.MaxSize, Doc: "size in bytes whose probability is 1/e"},
	},
	Random: true,
	New: func(c sim.Config) sim.Filter {
		return &expSize{c, c.Param("c"), kit.NewRand(c.Seed)}
	},
}

// Admit reports whether the object of r is stored.
func (f *expSize) Admit(r sim.Request) bool {
	return f.rand.Float64() < math.Exp(-float64(f.config.Size(r))/f.c)
}

// Served does nothing.
func (f *expSize) Served(sim.Request, bool) {}
