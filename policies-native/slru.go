package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// slru is LRU in segments that an object rises through with its hits: two in
// SLRU, any number in S4LRU.
//
//	           hit ─▶ ┌───────────┐
//	      ┌──────────▶│ protected │ 80 %
//	      │           └─────┬─────┘
//	     hit                ▼ back
//	      │           ┌───────────┐
//	new ──┴──────────▶│ probation │ the rest ──▶ evicted at the back
//	                  └───────────┘
//
// Segment 0 is the lowest. A new object enters it at the front, after the objects
// at the back of the lowest segment that is not empty have made room. A hit moves
// the object to the front of the next higher segment, in the highest one to its
// front. Then, from that segment downwards, while a segment has more than its
// share, the object at its back moves to the front of the one below. An object
// larger than the share of the next segment is not promoted: a hit moves it to
// the front of its own.
//
// Segment 0 has no share: what the others do not use is its own. Shares are in
// bytes, rounded down; the paper has pages of one size and treats the share as a
// parameter, whose default here is Caffeine's. A request takes constant time for
// each object that moves or is evicted.
//
// Evictions are the objects evicted, not those that move down.
type slru struct {
	kit.Queues[struct{}]
	share []int64 // bytes that each segment holds
}

var slruSpec = sim.Spec{
	Name:  "slru",
	Title: "SLRU",
	Doc:   "segmented LRU: objects that were hit are protected from those that were not",
	Paper: "Karedla, Love, Wherry, Caching strategies to improve disk system performance, IEEE Computer 27(3), 1994",
	Params: []sim.Param{
		{Name: "protected", Default: 0.8, Min: 0, Max: 1, Doc: "share of the capacity that objects with a hit may fill"},
	},
	Memory: 16,
	New: func(c sim.Config) sim.Policy {
		p := &slru{Queues: kit.NewQueues[struct{}](c, 2, 0)}
		p.share = []int64{c.Capacity, p.Share(c.Param("protected"))}
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *slru) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		p.promote(r.ID)
		return true
	}
	for p.Full(r.Size) {
		p.evict()
	}
	p.PushFront(p.entrance(r.Size), r.ID, r.Size)
	return false
}

// entrance returns the segment that a new object enters: the lowest that has room
// for it, or segment 0. It is always 0 where that holds as much as the cache.
func (p *slru) entrance(size int64) int {
	for i, share := range p.share {
		if p.Bytes(i)+size <= share {
			return i
		}
	}
	return 0
}

func (p *slru) promote(id uint32) {
	up := p.Queue(id) + 1
	if up == len(p.share) || p.Size(id) > p.share[up] {
		p.MoveToFront(id)
		return
	}
	p.Move(id, up)
	for i := up; i >= 0 && p.Bytes(i) > p.share[i]; i-- {
		for p.Bytes(i) > p.share[i] {
			if i == 0 {
				p.Evict(p.Back(0))
			} else {
				p.Move(p.Back(i), i-1)
			}
		}
	}
}

func (p *slru) evict() {
	lowest := 0
	for p.Empty(lowest) {
		lowest++
	}
	p.Evict(p.Back(lowest))
}
