package models

import (
	"math"

	"cachesim/sim"
)

// drawn admits an object if a number drawn for it is less than its probability.
type drawn struct {
	random      generator
	probability func(r sim.Request) float64
}

func newLRUProb(c sim.Config) Model {
	return lruBehind(c, &drawn{generator(c.Seed), func(sim.Request) float64 { return c.Param("p") }})
}

func newLRUExpSize(c sim.Config) Model {
	return lruBehind(c, &drawn{generator(c.Seed), func(r sim.Request) float64 {
		return math.Exp(-float64(r.Size) / c.Param("c"))
	}})
}

func (f *drawn) admit(r sim.Request) bool { return f.random.fraction() < f.probability(r) }
func (f *drawn) served(sim.Request)       {}
