package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// sieve evicts the next object that was not used since its hand passed last.
//
//	request   a   b    c     a      d       e
//	queue     a   ba   cba   cba*   dca     eda    newest first, * visited
//	hand      -   -    -     -      c       d      - is the back; capacity 3
//
// An object is stored at the front, not visited; a hit marks it visited and moves
// nothing. To evict, the hand starts where it stopped, or at the back where it
// has no object, goes towards the front, and clears the mark of each visited
// object that it passes; from the front it goes on at the back. The first object
// without a mark is evicted, and the hand stops at the one before it, towards the
// front; if that was the front, it has no object, and starts at the back of then.
// So new objects gather before the hand, and leave soon unless they are used,
// while those behind it stay. Removing the object that the hand is at moves the
// hand in the same way, which is ours: the paper has no removals, and objects of one
// size. A request takes constant time, plus that of the marks
// cleared, of which there are at most as many as hits.
//
// Evictions are the objects evicted.
type sieve struct {
	kit.Queues[bool] // value: visited
	hand             uint32
	resting          bool // the hand has no object
}

var sieveSpec = sim.Spec{
	Name:      "sieve",
	Title:     "SIEVE",
	Doc:       "evicts the next object that was not used since a hand passed it, and moves none",
	Paper:     "Zhang, Yang, Yue, Vigfusson, Rashmi, SIEVE is simpler than LRU: an efficient turn-key eviction algorithm for web caches, NSDI 2024",
	Default:   true,
	Memory:    24,
	Miniature: sim.Miniaturization{Cached: 1000},
	New: func(c sim.Config) sim.Policy {
		return &sieve{Queues: kit.NewQueues[bool](c, 1, 0), resting: true}
	},
}

// Access serves r and reports whether it was a hit.
func (p *sieve) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		*p.Value(r.ID) = true
		return true
	}
	for p.Full(r.Size) {
		p.evict()
	}
	*p.Value(r.ID) = false
	p.PushFront(0, r.ID, r.Size)
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *sieve) Remove(id uint32) bool {
	if p.Has(id) && !p.resting && p.hand == id {
		p.advance()
	}
	return p.Queues.Remove(id)
}

func (p *sieve) evict() {
	for {
		if p.resting {
			p.hand, p.resting = p.Back(0), false
		}
		victim := p.hand
		p.advance()
		visited := p.Value(victim)
		if !*visited {
			p.Evict(victim)
			return
		}
		*visited = false
	}
}

// advance moves the hand on by one object.
func (p *sieve) advance() {
	before, ok := p.Prev(p.hand)
	p.hand, p.resting = before, !ok
}
