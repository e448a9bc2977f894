package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// adaptiveClimb keeps a list in which a hit moves an object up by `jump` places. The
// jump falls with hits, when the order of the list is good, and rises with misses,
// when it has to change quickly.
//
//	jump 1   a b c d   a hit on d gives   a b d c   CLIMB
//	jump 2             a hit on d gives   a d b c
//	jump 3             a hit on d gives   d a b c   LRU, for 4 objects
//
// The jump starts as 1. With n residents it is cut to n before a request, where it is
// more, which it may be after removals.
//
//   - Hit, with i objects before the requested one: jump = max(1, jump - 1), and the
//     object moves up by min(i, jump) places.
//   - Miss: the last object is evicted until the new one fits, which makes n
//     residents with it. jump = min(n, jump + 1), and the object enters with jump - 1
//     others behind it.
//
// So a cache that fills up without a hit is in the order of LRU. This is written
// from the paper's description, for which there is no code that does it; where it is
// silent we chose that the jump changes before it is used, and where a new object
// enters. There are no parameters. The variant of the paper that changes the size of
// the cache is not defined for a given capacity. A request takes time logarithmic in
// the number of residents. Evictions are the objects that left to make room.
type adaptiveClimb struct {
	kit.Ranks
	jump int
}

var adaptiveClimbSpec = sim.Spec{
	Name:       "adaptiveclimb",
	Title:      "AdaptiveClimb",
	Doc:        "a hit moves an object up by a number of places that falls with hits and rises with misses",
	Paper:      "Berend, Dolev, Kogan-Sadetsky, AdaptiveClimb: adaptive policy for cache replacement, SYSTOR 2019",
	Memory:     24,
	FixedScale: true, // the jump is in places, and changes by one
	New:        func(c sim.Config) sim.Policy { return &adaptiveClimb{Ranks: kit.NewRanks(c), jump: 1} },
}

// Access serves r and reports whether it was a hit.
func (p *adaptiveClimb) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		p.jump = max(1, min(p.jump, p.Len())-1)
		if rank := p.Rank(r.ID); rank > 0 {
			p.MoveTo(max(0, rank-p.jump), r.ID)
		}
		return true
	}
	for p.Full(r.Size) {
		p.Evict(p.Last())
	}
	n := p.Len() + 1
	p.jump = min(n, p.jump+1)
	p.Insert(n-p.jump, r.ID, r.Size)
	return false
}
