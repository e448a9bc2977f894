package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// hyperbolic evicts, of a random sample, the object with the fewest requests for
// each request that has passed since it was stored.
//
//	value = requests for the object since it was stored / requests since then
//
// The request that stored the object counts above the line, and the request under
// way below it. With size=1 the value is divided by the size as well. It is
// computed as float64(requests) / (float64(age) * float64(size)), and is +Inf for
// an object of no bytes with size=1.
//
// To evict, `samples` objects are drawn one after the other, an object possibly
// more than once, by Rand.IntN(residents) of a generator with the given seed, as
// positions in the set of residents: a stored object takes the last position, and
// the object at the last position takes that of one that leaves. The least value
// leaves, the first drawn among equals. This is repeated until the object fits.
//
// A hit takes constant time, an eviction as long as its sample. Every object that
// left to make room is an eviction.
type hyperbolic struct {
	kit.Set
	rand    kit.Rand
	states  []hyperbolicState // by position in the set
	clock   uint32            // requests so far
	samples int
	bySize  float64 // 1: values are divided by the size
}

type hyperbolicState struct {
	divisor  float64 // the size, or 1
	requests uint32
	stored   uint32 // the clock when it was
}

var hyperbolicSpec = sim.Spec{
	Name:  "hyperbolic",
	Title: "Hyperbolic",
	Doc:   "evicts the object with the lowest request rate since it was stored, of a random sample",
	Paper: "Blankstein, Sen, Freedman, Hyperbolic caching: flexible caching for web applications, USENIX ATC 2017",
	Params: []sim.Param{
		{Name: "samples", Default: 64, Min: 1, Max: 1 << 20, Doc: "objects looked at for each eviction"},
		{Name: "size", Default: 0, Min: 0, Max: 1, Doc: "1: the value of an object is that of each of its bytes"},
	},
	Random:     true,
	Memory:     36,
	FixedScale: true,
	Sizes:      sim.SizesAreCompared,
	New: func(c sim.Config) sim.Policy {
		return &hyperbolic{Set: kit.NewSet(c), rand: kit.NewRand(c.Seed), samples: int(c.Param("samples")), bySize: c.Param("size")}
	},
}

// Access serves r and reports whether it was a hit.
func (p *hyperbolic) Access(r sim.Request) bool {
	p.clock++
	if p.Has(r.ID) {
		p.states[p.Index(r.ID)].requests++
		return true
	}
	for p.Full(r.Size) {
		victim := p.victim()
		p.drop(victim)
		p.Evict(victim)
	}
	divisor := 1.0
	if p.bySize >= 0.5 {
		divisor = float64(r.Size)
	}
	p.Add(r.ID, r.Size)
	p.states = append(p.states, hyperbolicState{divisor, 1, p.clock})
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *hyperbolic) Remove(id uint32) bool {
	if !p.Has(id) {
		return false
	}
	p.drop(id)
	return p.Set.Remove(id)
}

// drop removes the state of an object that is about to leave the set.
func (p *hyperbolic) drop(id uint32) {
	last := len(p.states) - 1
	p.states[p.Index(id)] = p.states[last]
	p.states = p.states[:last]
}

func (p *hyperbolic) victim() uint32 {
	n := p.Len()
	best := p.rand.IntN(n)
	least := p.value(best)
	for range p.samples - 1 {
		i := p.rand.IntN(n)
		if v := p.value(i); v < least {
			best, least = i, v
		}
	}
	return p.At(best)
}

func (p *hyperbolic) value(i int) float64 {
	s := &p.states[i]
	return float64(s.requests) / (float64(p.clock-s.stored) * s.divisor)
}
