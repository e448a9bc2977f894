package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// s4fifo is S3-FIFO with two more parameters: hits that follow the first request
// closely do not count, and an object may need several ghosts to enter main.
//
//	  small, newest first
//	─▶│ skip │ counts hits │─▶ main, if hits ≥ threshold; else ghost
//	      ▲
//	      └── requested again, with at most ghosthits ghosts so far
//
// What is not said here is as in s3fifo with revised 1: which of the defaults of the
// two are the same. So is every outcome with the defaults.
//
//   - A hit of an object in small counts if at least ⌊skip · share of small⌋ bytes
//     have been stored in small after it.
//   - An object has a count of ghosts, 0 when it is stored for the first time. A
//     miss that drops a ghost raises it by 1. If it is above ghosthits then, the
//     object is stored in main and the count is 0 again. Otherwise it is stored like
//     one without ghost, with the count, which goes to the next ghost with it. It is
//     lost with the object's eviction from main or its removal, and when its ghost
//     leaves.
//
// The paper's learned model, which chooses the parameters for a trace, is not part of
// this; the defaults are libCacheSim's. A request takes constant time, plus that of the
// moves, of which there are at most as many as hits. Evictions are those of s3fifo.
type s4fifo struct {
	kit.Queues[s4State]
	smallShare int64
	mainShare  int64
	ghostShare int64
	skip       int64 // bytes
	stored     int64 // bytes ever stored in small
	threshold  uint8
	ghosthits  uint8
}

type s4State struct {
	stored int64 // s4fifo.stored when the object entered small, itself included
	hits   uint8 // up to 3
	ghosts uint8 // misses that dropped a ghost; kept for ghosts
}

const (
	s4Small = iota
	s4Main
	s4Ghost
)

var s4fifoSpec = sim.Spec{
	Name:  "s4fifo",
	Title: "S4-FIFO",
	Doc:   "S3-FIFO in which the newest part of the small queue does not count hits",
	Paper: "Xia et al., Learning-augmented heuristics: simple, yet smart, robust and interpretable cache eviction, OSDI 2026",
	Params: []sim.Param{
		{Name: "small", Default: 0.1, Min: 0, Max: 1, Doc: "share of the capacity for the small queue"},
		{Name: "ghost", Default: 0.9, Min: 0, Max: 100, Doc: "bytes of ghosts, as a share of the capacity"},
		{Name: "skip", Default: 0, Min: 0, Max: 1, Doc: "share of the small queue, its newest part, that does not count hits"},
		{Name: "threshold", Default: 2, Min: 1, Max: 3, Doc: "hits in the small queue that move an object to the main one"},
		{Name: "ghosthits", Default: 0, Min: 0, Max: 100, Doc: "ghosts that an object needs before the one that moves it to the main queue"},
	},
	Memory: 32,
	New: func(c sim.Config) sim.Policy {
		p := &s4fifo{
			Queues:    kit.NewQueues[s4State](c, 2, 1),
			threshold: uint8(c.Param("threshold")),
			ghosthits: uint8(c.Param("ghosthits")),
		}
		p.smallShare, p.ghostShare = p.Share(c.Param("small")), p.Share(c.Param("ghost"))
		p.mainShare = c.Capacity - p.smallShare
		p.skip = int64(float64(p.smallShare) * c.Param("skip"))
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *s4fifo) Access(r sim.Request) bool {
	o := p.Value(r.ID)
	if p.Has(r.ID) {
		if p.In(s4Main, r.ID) || p.stored-o.stored >= p.skip {
			o.hits = min(o.hits+1, 3)
		}
		return true
	}
	if p.Forget(r.ID, s4Ghost) {
		o.ghosts++
	} else {
		o.ghosts = 0
	}
	for p.Full(r.Size) {
		if p.Bytes(s4Main) > p.mainShare || p.Empty(s4Small) {
			p.evictMain()
		} else {
			p.evictSmall()
		}
	}
	o.hits = 0
	filling := p.Evictions() == 0 && p.Bytes(s4Small) >= p.smallShare
	if o.ghosts > p.ghosthits || filling {
		p.PushFront(s4Main, r.ID, r.Size)
		return false
	}
	p.stored += r.Size
	o.stored = p.stored
	p.PushFront(s4Small, r.ID, r.Size)
	return false
}

func (p *s4fifo) evictSmall() {
	for !p.Empty(s4Small) {
		id := p.Back(s4Small)
		o := p.Value(id)
		if o.hits < p.threshold {
			p.Demote(id, s4Ghost, p.ghostShare)
			return
		}
		o.hits = 0
		p.Move(id, s4Main)
	}
}

func (p *s4fifo) evictMain() {
	for {
		id := p.Back(s4Main)
		o := p.Value(id)
		if o.hits == 0 {
			p.Evict(id)
			return
		}
		o.hits--
		p.MoveToFront(id)
	}
}
