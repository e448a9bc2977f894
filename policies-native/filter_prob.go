package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// prob stores a missed object with a fixed probability, so that an object that is
// requested often is stored sooner than one that is requested once: for each miss a
// number is drawn by Rand.Float64 of a generator with the given seed, and the object is
// stored if that is less than p. The paper leaves p open. A request takes constant time.
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
