package native

import (
	"math"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// expSize stores a missed object of size s with the probability exp(-s/c): an
// object of c bytes is stored at one of e = 2.7 misses, one of 5c bytes at one of
// 148. Numbers are drawn as for prob. c is fixed, and for the user to choose: AdaptSize
// tunes it. A request takes constant time.
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
