package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// mru evicts the object that was used last.
//
//	request   a   b    c     a     d     e
//	queue     a   ba   cba   acb   dcb   ecb   newest first, capacity 3
//
// A hit moves the object to the front. A miss evicts from the front until the
// new object fits, so that what was stored early stays: the best that can be
// done in a loop over more than fits. The paper is about pages of one size, of which
// a miss evicts one. A request takes constant time for each object evicted.
//
// Evictions are the objects evicted.
type mru struct{ kit.Queue }

var mruSpec = sim.Spec{
	Name:       "mru",
	Title:      "MRU",
	Doc:        "evicts the object that was used last",
	Paper:      "Chou, DeWitt, An evaluation of buffer management strategies for relational database systems, VLDB 1985",
	Memory:     16,
	FixedScale: true, // newcomers share the place of one object
	New:        func(c sim.Config) sim.Policy { return &mru{kit.NewQueue(c)} },
}

// Access serves r and reports whether it was a hit.
func (p *mru) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		p.MoveToFront(r.ID)
		return true
	}
	for p.Full(r.Size) {
		p.Evict(p.Front())
	}
	p.PushFront(r)
	return false
}
