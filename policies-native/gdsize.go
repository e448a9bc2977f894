package native

import "cachesim/sim"

// GDSize is GreedyDual-Size with a cost of 1 for every object, which favours
// the object hit ratio. It evicts the object with the least H, the least
// recently used first among equals.
//
//	stored or hit   H = L + 1/size
//	evicted         L = H of the victim
//
// So small objects stay longer, and L, which only rises, ages those that are
// not requested.
type GDSize struct {
	space
	h         heap    // key: H
	sizes     []int64 // bytes, of stored objects
	inflation float64 // L
}

// GDSizeSpec describes GDSize.
var GDSizeSpec = sim.Spec{
	Name:  "gdsize",
	Doc:   "GreedyDual-Size with cost 1: prefers to keep small and recently used objects",
	Paper: "Cao, Irani, Cost-aware WWW proxy caching algorithms, USITS 1997",
	New: func(c sim.Config) sim.Policy {
		return &GDSize{space: space{capacity: c.Capacity}, h: newHeap(c.Objects), sizes: make([]int64, c.Objects)}
	},
}

// Access serves r and reports whether it was a hit.
func (p *GDSize) Access(r sim.Request) bool {
	hit := p.h.has(r.ID)
	if !hit {
		for p.full(r.Size) {
			var victim uint32
			victim, p.inflation = p.h.top()
			p.h.pop()
			p.evict(p.sizes[victim])
		}
		p.sizes[r.ID] = r.Size
		p.admit(r.Size)
	}
	// An object of no bytes has H = +Inf and is never in the way.
	p.h.set(r.ID, p.inflation+1/float64(r.Size))
	return hit
}
