package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// lru evicts the object that has gone unused longest.
//
//	request   a   b    c     a     d
//	queue     a   ba   cba   acb   dac   newest first, capacity 3
//
// A hit moves the object to the front; d pushes b, the oldest, out of the back. A
// miss evicts until the new object fits: the paper is about pages of one size, of
// which a miss evicts one. A request takes constant time for each object evicted.
//
// Evictions are the objects evicted.
type lru struct{ kit.Queue }

var lruSpec = sim.Spec{
	Name:    "lru",
	Title:   "LRU",
	Doc:     "evicts the object that has gone unused longest",
	Paper:   "Mattson, Gecsei, Slutz, Traiger, Evaluation techniques for storage hierarchies, IBM Systems Journal 9(2), 1970",
	Default: true,
	Memory:  16,
	New:     func(c sim.Config) sim.Policy { return &lru{kit.NewQueue(c)} },
}

// Victim returns the object that would be evicted first.
func (p *lru) Victim() uint32 { return p.Back() }

// Access serves r and reports whether it was a hit.
func (p *lru) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		p.MoveToFront(r.ID)
		return true
	}
	for p.Full(r.Size) {
		p.Evict(p.Back())
	}
	p.PushFront(r)
	return false
}
