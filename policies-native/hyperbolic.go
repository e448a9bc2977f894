package native

import (
	"math"
	"slices"

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
// Samples of 64 are the paper's; how they are drawn, and ties, are choices. The paper
// has costs of objects, too, which are 1 here.
//
// A hit takes constant time, an eviction as long as its sample. Evictions are the
// objects that left to make room.
type hyperbolic struct {
	kit.Set
	rand   kit.Rand
	states []hyperbolicState // by position in the set
	clock  uint32            // requests so far
	bySize bool              // values are divided by the size
	drawn  []uint32          // positions of a sample
	values []uint64          // of these, as bits
	loaded uint32            // keeps Preload's loads from being removed
}

type hyperbolicState struct {
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
	Memory:     28,
	FixedScale: true,
	Sizes:      sim.SizesAreCompared,
	New: func(c sim.Config) sim.Policy {
		samples := int(c.Param("samples"))
		return &hyperbolic{
			Set: kit.NewSet(c), rand: kit.NewRand(c.Seed), bySize: c.Param("size") >= 0.5,
			drawn: make([]uint32, samples), values: make([]uint64, samples),
		}
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
		p.EvictAt(victim)
	}
	p.Add(r.ID, r.Size)
	p.states = append(p.states, hyperbolicState{1, p.clock})
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *hyperbolic) Remove(id uint32) bool {
	if !p.Has(id) {
		return false
	}
	p.drop(p.Index(id))
	return p.Set.Remove(id)
}

// drop removes the state of the object at position i, which is about to leave the set.
func (p *hyperbolic) drop(i int) {
	last := len(p.states) - 1
	p.states[i] = p.states[last]
	p.states = p.states[:last]
}

// victim draws a sample and returns the position of its least value.
//
// Values are not negative, so that their bits compare like them. The minimum of integers takes no
// branch, which would be mispredicted, so that the values of several objects are loaded and
// computed at once.
func (p *hyperbolic) victim() int {
	drawn, states, clock := p.drawn, p.states, p.clock
	values := p.values[:len(drawn)]
	p.rand.Sample(drawn, len(states))
	least := uint64(math.MaxUint64)
	if p.bySize {
		for j, i := range drawn {
			s := &states[i]
			values[j] = math.Float64bits(float64(s.requests) / (float64(clock-s.stored) * float64(p.SizeAt(int(i)))))
			least = min(least, values[j])
		}
	} else {
		for j, i := range drawn {
			s := &states[i]
			v := math.Float64bits(float64(s.requests) / float64(clock-s.stored))
			values[j] = v
			least = min(least, v)
		}
	}
	return int(drawn[slices.Index(values, least)])
}

// Preload loads the positions of the objects in reqs, and then their states.
func (p *hyperbolic) Preload(reqs []sim.Request) {
	if !p.Large() {
		return
	}
	p.Set.Preload(reqs)
	var sum uint32
	for _, r := range reqs {
		if p.Has(r.ID) {
			sum += p.states[p.Index(r.ID)].requests
		}
	}
	p.loaded += sum
}
