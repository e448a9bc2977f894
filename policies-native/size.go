package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// bySize evicts the largest object, the least recently used first among equals.
//
//	request   a2   b1     c2       a2       d2
//	cache     a2   a2b1   a2c2b1   c2a2b1   a2d2b1   victim first, capacity 5
//
// So it holds as many objects as it can. Small ones that are not requested again
// are never evicted for larger ones: where all objects have the same size it is
// LRU, elsewhere it fills up with the smallest. The paper compares several keys to
// evict by, of which size is one; the last use as the second key is a choice. A
// request takes time logarithmic in the number of residents.
//
// Evictions are the objects evicted.
type bySize struct {
	kit.Heap // key: size, negative
	config   sim.Config
}

var sizeSpec = sim.Spec{
	Name:       "size",
	Title:      "Size",
	Doc:        "evicts the largest object, the least recently used first among equals",
	Paper:      "Williams, Abrams, Standridge, Abdulla, Fox, Removal policies in network caches for World-Wide Web documents, SIGCOMM 1996",
	Memory:     44,
	Sizes:      sim.SizesAreWeighed,
	FixedScale: true, // newcomers share the room of a few objects
	New:        func(c sim.Config) sim.Policy { return &bySize{kit.NewHeap(c), c} },
}

// Access serves r and reports whether it was a hit.
func (p *bySize) Access(r sim.Request) bool {
	key := -float64(p.config.Size(r))
	if p.Has(r.ID) {
		p.Update(r.ID, key)
		return true
	}
	for p.Full(r.Size) {
		victim, _ := p.Min()
		p.Evict(victim)
	}
	p.Push(r.ID, r.Size, key)
	return false
}
