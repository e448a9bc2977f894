package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// fifo evicts the object that was stored first.
//
//	request   a   b    c     a     d
//	queue     a   ba   cba   cba   dcb   newest first, capacity 3
//
// A hit moves nothing. A miss evicts from the back until the new object fits: the
// paper is about pages of one size, of which a miss evicts one. A request takes
// constant time for each object evicted.
//
// Evictions are the objects evicted.
type fifo struct{ kit.Ring }

var fifoSpec = sim.Spec{
	Name:    "fifo",
	Title:   "FIFO",
	Doc:     "evicts the object that was stored first",
	Paper:   "Belady, A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5(2), 1966",
	Default: true,
	Memory:  28,
	New:     func(c sim.Config) sim.Policy { return &fifo{kit.NewRing(c)} },
}

// Victim returns the object that would be evicted first.
func (p *fifo) Victim() uint32 { return p.Back() }

// Access serves r and reports whether it was a hit.
func (p *fifo) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		return true
	}
	for p.Full(r.Size) {
		p.EvictBack()
	}
	p.PushFront(r)
	return false
}
