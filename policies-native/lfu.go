package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// lfu evicts the object with the fewest requests since it was stored; among
// those, the one that has gone unused longest. Counts do not survive eviction.
//
//	request   a    b     b     c       a
//	order     a1   a1b1  a1b2  a1c1b2  c1b2a2   victim first, with counts
//
// Objects with the same count stand together, and one that reaches a count goes
// behind the others that have it. So a request takes the same few steps whatever
// the counts (Shah, Mitra, Matani, An O(1) algorithm for implementing the LFU cache
// eviction scheme, 2010, describes such a structure), and constant time for each
// object evicted.
//
// Which of several objects with the fewest requests leaves, and whether a count
// outlives the eviction, is a choice: these are libCacheSim's (perfect-lfu is the
// other one). Evictions are the objects evicted.
type lfu struct{ kit.Counts }

var lfuSpec = sim.Spec{
	Name:       "lfu",
	Title:      "LFU",
	Doc:        "evicts the object with the fewest requests since it was stored, the least recently used first",
	Paper:      "Aho, Denning, Ullman, Principles of optimal page replacement, Journal of the ACM 18(1), 1971",
	Default:    true,
	Memory:     24,
	FixedScale: true,
	New:        func(c sim.Config) sim.Policy { return &lfu{kit.NewCounts(c)} },
}

// Victim returns the object that would be evicted first.
func (p *lfu) Victim() uint32 { return p.Least() }

// Access serves r and reports whether it was a hit.
func (p *lfu) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		p.Increment(r.ID)
		return true
	}
	for p.Full(r.Size) {
		p.Evict(p.Least())
	}
	p.Store(r)
	return false
}
