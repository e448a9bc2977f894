package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// random evicts an object chosen at random.
//
//	request   a   b    c     d: draws 0   e: draws 1
//	set       a   ab   abc   cbd          cde          capacity 3
//
// The residents have positions from 0. A new object takes the last one; the
// object in the last one takes that of a victim or a removed object. Each victim
// is one draw of a position from a generator started with the seed of the run,
// all positions being equally likely (kit.Rand.IntN of their number). A hit does
// nothing. The paper is about pages of one size, and leaves the generator open. A
// request takes constant time for each object evicted.
//
// Evictions are the objects evicted.
type random struct {
	kit.Set
	rng kit.Rand
}

var randomSpec = sim.Spec{
	Name:   "random",
	Title:  "Random",
	Doc:    "evicts an object chosen at random",
	Paper:  "Belady, A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5(2), 1966",
	Memory: 20,
	Random: true,
	New:    func(c sim.Config) sim.Policy { return &random{kit.NewSet(c), kit.NewRand(c.Seed)} },
}

// Access serves r and reports whether it was a hit.
func (p *random) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		return true
	}
	for p.Full(r.Size) {
		p.EvictAt(p.rng.IntN(p.Len()))
	}
	p.Add(r.ID, r.Size)
	return false
}
