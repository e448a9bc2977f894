package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// gdSize is GreedyDual-Size. It evicts the object with the least H, the least
// recently used first among equals.
//
//	stored or hit   H = L + cost/size
//	evicted         L = H of the victim
//
// So small objects stay longer, and L, which only rises, ages those that are
// not requested.
//
// With cost=0 an object costs 1, which favours the object hit ratio: GD-Size(1) of the
// paper. With cost=1 it costs the packets that its transfer takes, 2 + size/536:
// GD-Size(packets), which favours the byte hit ratio. (With its size as its cost, H is L + 1,
// and GreedyDual-Size is LRU.) Both costs are the paper's. Ties by last use, and that room is made
// before the object is stored, so that it is never its own victim, are choices. A removed object
// does not change L. A request takes time logarithmic in the number of residents.
// Evictions are the objects that left to make room.
type gdSize struct {
	kit.Heap          // key: H
	inflation float64 // L
	packets   bool    // cost=1
	config    sim.Config
}

var gdSizeSpec = sim.Spec{
	Name:  "gdsize",
	Title: "GD-Size",
	Doc:   "GreedyDual-Size: prefers to keep small and recently used objects",
	Paper: "Cao, Irani, Cost-aware WWW proxy caching algorithms, USITS 1997",
	Params: []sim.Param{
		{Name: "cost", Default: 0, Min: 0, Max: 1, Doc: "what a miss costs: 0 for 1 (object hit ratio), 1 for the packets of a transfer, 2 + size/536 (byte hit ratio)"},
	},
	Default: true,
	Memory:  44,
	Sizes:   sim.SizesAreWeighed,
	New: func(c sim.Config) sim.Policy {
		return &gdSize{Heap: kit.NewHeap(c), packets: c.Param("cost") >= 0.5, config: c}
	},
}

// Victim returns the object that would be evicted first.
func (p *gdSize) Victim() uint32 {
	id, _ := p.Min()
	return id
}

// Access serves r and reports whether it was a hit.
func (p *gdSize) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		p.Update(r.ID, p.h(r))
		return true
	}
	for p.Full(r.Size) {
		victim, h := p.Min()
		p.inflation = h
		p.Evict(victim)
	}
	p.Push(r.ID, r.Size, p.h(r))
	return false
}

// h is +Inf for an object of no bytes, which is never in the way.
func (p *gdSize) h(r sim.Request) float64 {
	size, cost := float64(p.config.Size(r)), 1.0
	if p.packets {
		cost = 2 + size/536
	}
	return p.inflation + cost/size
}
