package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// twoQ keeps objects that were requested again after they had left a FIFO queue.
// It is the full version of 2Q.
//
//	new ──▶ A1in (FIFO) ──▶ A1out (ghosts, FIFO) ──▶ forgotten
//	                          │ requested again
//	                          ▼
//	                         Am (LRU) ──▶ evicted, not remembered
//
// A hit in A1in moves nothing: requests that follow the first one closely say
// little. A hit in Am moves the object to the front. A miss of a ghost takes it
// out of A1out, makes room, and stores the object at the front of Am; any other
// miss makes room and stores it at the front of A1in. To make room, while the
// object does not fit: if A1in has more than kin of the capacity, or Am is empty,
// the object at the back of A1in goes to the front of A1out; otherwise the one at
// the back of Am is evicted.
//
// Before an object enters A1out, ghosts leave at the back until it fits into
// kout, counted by the sizes that they had; if it is larger than that it is not
// remembered. Shares are in bytes, rounded down. kin bounds no object: one that
// is larger enters A1in like any other and is evicted in its turn. The paper has
// pages of one size and recommends the defaults. A request takes constant time
// for each object evicted.
//
// Evictions are the objects that leave A1in and Am. Ghosts do not count.
type twoQ struct {
	kit.Queues[struct{}]
	kin, kout int64 // bytes
}

const (
	twoQIn = iota
	twoQMain
	twoQOut // ghosts
)

var twoQSpec = sim.Spec{
	Name:  "2q",
	Title: "2Q",
	Doc:   "a FIFO queue for new objects, and an LRU queue for those requested again after they left it",
	Paper: "Johnson, Shasha, 2Q: a low overhead high performance buffer management replacement algorithm, VLDB 1994",
	Params: []sim.Param{
		{Name: "kin", Default: 0.25, Min: 0, Max: 1, Doc: "share of the capacity above which objects leave A1in first"},
		{Name: "kout", Default: 0.5, Min: 0, Max: 100, Doc: "bytes of ghosts in A1out, as a share of the capacity"},
	},
	Memory: 16,
	New: func(c sim.Config) sim.Policy {
		p := &twoQ{Queues: kit.NewQueues[struct{}](c, 2, 1)}
		p.kin, p.kout = p.Share(c.Param("kin")), p.Share(c.Param("kout"))
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *twoQ) Access(r sim.Request) bool {
	switch p.Queue(r.ID) {
	case twoQIn:
		return true
	case twoQMain:
		p.MoveToFront(r.ID)
		return true
	}
	queue := twoQIn
	if p.Forget(r.ID, twoQOut) {
		queue = twoQMain
	}
	for p.Full(r.Size) {
		p.evict()
	}
	p.PushFront(queue, r.ID, r.Size)
	return false
}

func (p *twoQ) evict() {
	if p.Bytes(twoQIn) > p.kin || p.Empty(twoQMain) {
		p.Demote(p.Back(twoQIn), twoQOut, p.kout)
	} else {
		p.Evict(p.Back(twoQMain))
	}
}
