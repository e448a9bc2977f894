package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// qdlp is quick demotion by a small FIFO queue, and lazy promotion by a clock.
//
//	                 hit        ┌────────┐ hit: again, one hit less
//	        ┌──────────────────▶│  main  │◀─┐
//	        │                   │  90 %  │──┘
//	  ┌─────┴──┐                └─┬──────┘
//	─▶│ small  │ else ┌───────┐   └──▶ evicted
//	  │  10 %  ├─────▶│ ghost │ requested again: to main
//	  └────────┘      └───────┘
//
// All three are FIFO queues: objects enter at the front. Each resident counts up to
// 3 hits, from 0 when it enters small, main from small, or main from ghost.
//
// A miss first drops the object's ghost if there is one. Then, while the object does
// not fit into the cache, the object at the back of small leaves it: with a hit it
// moves to main, otherwise it is evicted to ghost; if small is empty, main evicts one
// object. Then the new object is stored, in main if there was a ghost, in small
// otherwise. Whenever an object is to enter main, main evicts until the object fits
// into its share, or main is empty. To evict one object, main takes the one at its
// back: with hits it moves to the front with one hit less, and the next one is taken;
// without, it is evicted.
//
// So other than in s3fifo, where the bytes decide which queue to evict from, main is
// held to its share and small gets the rest of the evictions. Before an object enters
// ghost, ghosts leave at the back until it fits into ghost times the capacity, counted
// by the sizes that they had; if it is larger than that it is not remembered. The
// share of small is rounded down, main has the rest. An object larger than small enters
// it like any other; libCacheSim never stores one as large. The paper has objects of
// one size, and the defaults of small and ghost.
//
// A request takes constant time, plus that of the moves, of which there are at most
// as many as hits. Evictions are the objects that leave small for ghost, and main;
// neither moves to main or within it, nor ghosts.
type qdlp struct {
	kit.Queues[uint8] // value: hits, up to 3
	mainShare         int64
	ghostShare        int64
}

const (
	qdSmall = iota
	qdMain
	qdGhost
)

var qdlpSpec = sim.Spec{
	Name:  "qdlp",
	Title: "QD-LP-FIFO",
	Doc:   "a small FIFO queue that drops what is not used, before a clock with two bits",
	Paper: "Yang, Qiu, Zhang, Yue, Rashmi, FIFO can be better than LRU: the power of lazy promotion and quick demotion, HotOS 2023",
	Params: []sim.Param{
		{Name: "small", Default: 0.1, Min: 0, Max: 1, Doc: "share of the capacity for the small queue"},
		{Name: "ghost", Default: 0.9, Min: 0, Max: 100, Doc: "bytes of ghosts, as a share of the capacity"},
	},
	Memory: 24,
	New: func(c sim.Config) sim.Policy {
		p := &qdlp{Queues: kit.NewQueues[uint8](c, 2, 1)}
		p.mainShare = c.Capacity - p.Share(c.Param("small"))
		p.ghostShare = p.Share(c.Param("ghost"))
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *qdlp) Access(r sim.Request) bool {
	hits := p.Value(r.ID)
	if p.Has(r.ID) {
		*hits = min(*hits+1, 3)
		return true
	}
	ghost := p.Forget(r.ID, qdGhost)
	for p.Full(r.Size) {
		if p.Empty(qdSmall) {
			p.evictMain()
		} else {
			p.evictSmall()
		}
	}
	*hits = 0
	if ghost {
		p.makeRoom(r.Size)
		p.PushFront(qdMain, r.ID, r.Size)
	} else {
		p.PushFront(qdSmall, r.ID, r.Size)
	}
	return false
}

func (p *qdlp) evictSmall() {
	id := p.Back(qdSmall)
	hits := p.Value(id)
	if *hits == 0 {
		p.Demote(id, qdGhost, p.ghostShare)
		return
	}
	*hits = 0
	p.makeRoom(p.Size(id))
	p.Move(id, qdMain)
}

// makeRoom evicts from main what keeps an object out of its share.
func (p *qdlp) makeRoom(size int64) {
	for p.Bytes(qdMain)+size > p.mainShare && !p.Empty(qdMain) {
		p.evictMain()
	}
}

func (p *qdlp) evictMain() {
	for {
		id := p.Back(qdMain)
		hits := p.Value(id)
		if *hits == 0 {
			p.Evict(id)
			return
		}
		*hits--
		p.MoveToFront(id)
	}
}
