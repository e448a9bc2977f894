package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// gdSize is GreedyDual-Size with a cost of 1 for every object, which favours
// the object hit ratio. It evicts the object with the least H, the least
// recently used first among equals.
//
//	stored or hit   H = L + 1/size
//	evicted         L = H of the victim
//
// So small objects stay longer, and L, which only rises, ages those that are
// not requested.
type gdSize struct {
	kit.Heap          // key: H
	inflation float64 // L
}

var gdSizeSpec = sim.Spec{
	Name:    "gdsize",
	Title:   "GD-Size",
	Doc:     "GreedyDual-Size with cost 1: prefers to keep small and recently used objects",
	Paper:   "Cao, Irani, Cost-aware WWW proxy caching algorithms, USITS 1997",
	Default: true,
	Memory:  44,
	New:     func(c sim.Config) sim.Policy { return &gdSize{Heap: kit.NewHeap(c)} },
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
func (p *gdSize) h(r sim.Request) float64 { return p.inflation + 1/float64(r.Size) }
