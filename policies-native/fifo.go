package native

import "cachesim/sim"

// FIFO evicts the object that was stored first.
//
//	request   a   b    c     a     d
//	queue     a   ba   cba   cba   dcb   newest first, capacity 3
//
// A hit moves nothing.
type FIFO struct {
	space
	t table[int64] // value: the object's size
}

// FIFOSpec describes FIFO.
var FIFOSpec = sim.Spec{
	Name:  "fifo",
	Doc:   "evicts the object that was stored first",
	Paper: "Belady, A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5(2), 1966",
	New: func(c sim.Config) sim.Policy {
		return &FIFO{space{capacity: c.Capacity}, newTable[int64](c.Objects, 1)}
	},
}

// Access serves r and reports whether it was a hit.
func (p *FIFO) Access(r sim.Request) bool {
	if p.t.has(r.ID) {
		return true
	}
	for p.full(r.Size) {
		p.evict(*p.t.remove(p.t.back(0)))
	}
	*p.t.pushFront(0, r.ID) = r.Size
	p.admit(r.Size)
	return false
}
