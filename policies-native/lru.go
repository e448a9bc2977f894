package native

import "cachesim/sim"

// LRU evicts the object that has gone unused longest.
//
//	request   a   b    c     a     d
//	queue     a   ba   cba   acb   dac   newest first, capacity 3
//
// A hit moves the object to the front; d pushes b, the oldest, out of the back.
type LRU struct {
	space
	t table[int64] // value: the object's size
}

// LRUSpec describes LRU.
var LRUSpec = sim.Spec{
	Name:  "lru",
	Doc:   "evicts the object that has gone unused longest",
	Paper: "Mattson, Gecsei, Slutz, Traiger, Evaluation techniques for storage hierarchies, IBM Systems Journal 9(2), 1970",
	New: func(c sim.Config) sim.Policy {
		return &LRU{space{capacity: c.Capacity}, newTable[int64](c.Objects, 1)}
	},
}

// Access serves r and reports whether it was a hit.
func (p *LRU) Access(r sim.Request) bool {
	if p.t.has(r.ID) {
		p.t.remove(r.ID)
		p.t.pushFront(0, r.ID)
		return true
	}
	for p.full(r.Size) {
		p.evict(*p.t.remove(p.t.back(0)))
	}
	*p.t.pushFront(0, r.ID) = r.Size
	p.admit(r.Size)
	return false
}
