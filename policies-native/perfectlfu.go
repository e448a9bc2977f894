package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// perfectLFU evicts the object with the fewest requests since the start of the
// trace; among those, the one that has gone unused longest.
//
//	request   a    b      b      c      a      c      capacity 2
//	cache     a1   a1b1   a1b2   c1b2   b2a2   a2c2   victim first, with counts
//
// Every request adds 1 to the count of its object, whether it hits or not, and
// counts survive eviction and removal. A miss is always stored, however few
// requests it has; the objects that it evicts are chosen first, so that it is
// not among them. That, and the order among equals, are choices of ours. A request
// takes time logarithmic in the number of residents.
//
// Evictions are the objects evicted.
type perfectLFU struct {
	kit.Heap // key: count; note: requests so far
}

var perfectLFUSpec = sim.Spec{
	Name:       "perfect-lfu",
	Title:      "Perfect-LFU",
	Doc:        "evicts the object with the fewest requests so far, those before its last eviction included",
	Paper:      "Breslau, Cao, Fan, Phillips, Shenker, Web caching and Zipf-like distributions: evidence and implications, INFOCOM 1999",
	Memory:     44,
	FixedScale: true, // newcomers share the place of a few objects, as with LFU
	New: func(c sim.Config) sim.Policy {
		return &perfectLFU{kit.NewHeap(c)}
	},
}

// Access serves r and reports whether it was a hit.
func (p *perfectLFU) Access(r sim.Request) bool {
	*p.Note(r.ID)++
	count := float64(*p.Note(r.ID))
	if p.Has(r.ID) {
		p.Update(r.ID, count)
		return true
	}
	for p.Full(r.Size) {
		victim, _ := p.Min()
		p.Evict(victim)
	}
	p.Push(r.ID, r.Size, count)
	return false
}
