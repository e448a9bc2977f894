package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// clock is FIFO that gives a second chance to the objects that were used.
//
//	request   a    b      c        a        d
//	queue     a0   b0a0   c0b0a0   c0b0a1   d0a0c0   newest first, capacity 3
//
// An object is stored at the front with counter 0. A hit adds 1 to the counter,
// up to 2^bits-1, and moves nothing. To evict, the hand takes the object at the
// back: if its counter is above 0, it is lowered by 1 and the object moves to
// the front; if it is 0, the object is evicted. (A hand that goes round a ring
// of slots does the same, as long as all objects have one size.) A request takes
// constant time, plus that of the moves, of which there are at most as many as
// hits.
//
// With one bit this is CLOCK, also called second chance or FIFO-Reinsertion. The
// paper has a parameter between FIFO and LRU, and finds a simple case of it good
// enough; the counter and its default of one bit are libCacheSim's. In
// hardware, loading a page is a use and sets its bit; here, as in libCacheSim and
// Caffeine, only a hit does. Evictions are the objects evicted, not those moved to the front.
type clock struct {
	kit.Queues[uint8] // value: the counter
	max               uint8
}

var clockSpec = sim.Spec{
	Name:  "clock",
	Title: "CLOCK",
	Doc:   "FIFO that keeps an object for another round for each of its hits, as far as the counter goes",
	Paper: "Corbató, A paging experiment with the Multics system, MIT Project MAC memo MAC-M-384, 1968",
	Params: []sim.Param{
		{Name: "bits", Default: 1, Min: 1, Max: 8, Doc: "bits of an object's counter of hits"},
	},
	Memory: 24,
	New: func(c sim.Config) sim.Policy {
		return &clock{kit.NewQueues[uint8](c, 1, 0), uint8(1<<uint(c.Param("bits")) - 1)}
	},
}

// Access serves r and reports whether it was a hit.
func (p *clock) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		if used := p.Value(r.ID); *used < p.max {
			*used++
		}
		return true
	}
	for p.Full(r.Size) {
		p.evict()
	}
	*p.Value(r.ID) = 0
	p.PushFront(0, r.ID, r.Size)
	return false
}

// evict moves the hand on to the first object whose counter is 0.
func (p *clock) evict() {
	for {
		id := p.Back(0)
		used := p.Value(id)
		if *used == 0 {
			p.Evict(id)
			return
		}
		*used--
		p.MoveToFront(id)
	}
}
