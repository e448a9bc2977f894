package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// clock2QPlus is 2Q with clocks instead of LRU queues, in which an object that is
// used in the small queue is promoted, unless the use follows the first closely.
//
//	  small, newest first
//	─▶│ window │ counts hits │─▶ main (CLOCK) if hit, else ghost
//	                                ▲
//	   ghost requested again ───────┘
//
// Everything in small, main and ghost happens as in s3fifo with revised 1 and
// threshold 1, except for two rules:
//
//   - A hit of an object in small counts if the bytes stored in small after it are
//     at least window times the share of small. (The product is not rounded.)
//   - An object at the back of main that was hit moves to the front with no hits: the
//     counter has one bit.
//
// libCacheSim compares a number of objects with bytes here. That is the same where all
// sizes are 1; with sizes in bytes its window never ends in a trace of fewer objects
// than half of small has bytes, and a window of 1000 comes to the same. The defaults are
// libCacheSim's.
//
// A request takes constant time, plus that of the moves, of which there are at most as
// many as hits. Evictions are those of s3fifo.
type clock2QPlus struct {
	kit.Queues[clock2QPlusState]
	smallShare int64
	mainShare  int64
	ghostShare int64
	window     float64 // bytes
	stored     int64   // bytes ever stored in small
}

type clock2QPlusState struct {
	stored int64 // clock2QPlus.stored when the object entered small, itself included
	hit    bool
}

const (
	c2Small = iota
	c2Main
	c2Ghost
)

var clock2QPlusSpec = sim.Spec{
	Name:  "clock2qplus",
	Title: "Clock2Q+",
	Doc:   "2Q with clocks, and a window after an object is stored in which hits do not count",
	Paper: "Zhai, Marthen, Balivada et al., Clock2Q+: a simple and efficient replacement algorithm for metadata cache in VMware vSAN, arXiv 2511.21958, 2025",
	Params: []sim.Param{
		{Name: "small", Default: 0.1, Min: 0, Max: 1, Doc: "share of the capacity for the small queue"},
		{Name: "ghost", Default: 0.9, Min: 0, Max: 100, Doc: "bytes of ghosts, as a share of the capacity"},
		{Name: "window", Default: 0.5, Min: 0, Max: 1000, Doc: "share of the small queue, its newest part, that does not count hits"},
	},
	Memory: 32,
	New: func(c sim.Config) sim.Policy {
		p := &clock2QPlus{Queues: kit.NewQueues[clock2QPlusState](c, 2, 1)}
		p.smallShare, p.ghostShare = p.Share(c.Param("small")), p.Share(c.Param("ghost"))
		p.mainShare = c.Capacity - p.smallShare
		p.window = float64(p.smallShare) * c.Param("window")
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *clock2QPlus) Access(r sim.Request) bool {
	o := p.Value(r.ID)
	if p.Has(r.ID) {
		if p.In(c2Main, r.ID) || float64(p.stored-o.stored) >= p.window {
			o.hit = true
		}
		return true
	}
	ghost := p.Forget(r.ID, c2Ghost)
	for p.Full(r.Size) {
		if p.Bytes(c2Main) > p.mainShare || p.Empty(c2Small) {
			p.evictMain()
		} else {
			p.evictSmall()
		}
	}
	o.hit = false
	filling := p.Evictions() == 0 && p.Bytes(c2Small) >= p.smallShare
	if ghost || filling {
		p.PushFront(c2Main, r.ID, r.Size)
		return false
	}
	p.stored += r.Size
	o.stored = p.stored
	p.PushFront(c2Small, r.ID, r.Size)
	return false
}

func (p *clock2QPlus) evictSmall() {
	for !p.Empty(c2Small) {
		id := p.Back(c2Small)
		o := p.Value(id)
		if !o.hit {
			p.Demote(id, c2Ghost, p.ghostShare)
			return
		}
		o.hit = false
		p.Move(id, c2Main)
	}
}

func (p *clock2QPlus) evictMain() {
	for {
		id := p.Back(c2Main)
		o := p.Value(id)
		if !o.hit {
			p.Evict(id)
			return
		}
		o.hit = false
		p.MoveToFront(id)
	}
}
