package native

import (
	"math/bits"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// mq is the multi-queue policy for caches behind other caches, where an object's
// frequency says more than its last use.
//
//	       f = 8, 9, ...   Q3 ─┐
//	hit ─▶ f = 4 to 7      Q2 ◀┘ not used for lifetime requests
//	       f = 2, 3        Q1 ...
//	new ─▶ f = 1           Q0 ──▶ evicted ──▶ Qout (ghosts with their f, FIFO)
//
// There are m queues in LRU order. An object with f requests is in queue
// min(⌊log2 f⌋, m-1), until it is demoted. Time counts requests, not removals,
// from 0. A request
//
//   - that hits adds 1 to f and moves the object to the front of the queue for f;
//   - that misses looks the object up in Qout: there f is that of the ghost plus 1
//     and the ghost is gone, elsewhere f is 1. While the object does not fit, the
//     one at the back of the lowest queue that is not empty is evicted to the
//     front of Qout. Then the object is stored at the front of its queue.
//
// In both cases the object then expires at time + lifetime. After that, time is
// raised by 1, and for each queue from the second to the m-th, in this order, the
// object at the back moves to the front of the queue below, and expires at
// time + lifetime, if it expires before time. Its f stays.
//
// Before an object enters Qout, ghosts leave at the back until it fits into out
// times the capacity, counted by the sizes that they had; if it is larger than
// that it is not remembered. Shares are rounded down.
//
// The paper derives lifetime from the distances between requests in the trace; here
// it is a parameter, with libCacheSim's default, and so are m and out. A request
// takes time proportional to m. Evictions are the objects evicted; neither demotions
// nor ghosts count.
type mq struct {
	kit.Queues[mqState]
	queues   int
	out      int64 // bytes in Qout
	time     int64 // requests so far
	lifetime int64 // requests
}

type mqState struct {
	f       uint32 // kept for ghosts
	expires int64  // time
}

var mqSpec = sim.Spec{
	Name:  "mq",
	Title: "MQ",
	Doc:   "LRU queues for ranges of frequencies, between which objects move with hits and with age",
	Paper: "Zhou, Philbin, Li, The multi-queue replacement algorithm for second level buffer caches, USENIX ATC 2001",
	Params: []sim.Param{
		{Name: "queues", Default: 8, Min: 1, Max: 32, Doc: "number of queues, m"},
		{Name: "lifetime", Default: 10000, Min: 0, Max: 1 << 40, Doc: "requests after which an unused object is demoted"},
		{Name: "out", Default: 4, Min: 0, Max: 100, Doc: "bytes of ghosts in Qout, as a multiple of the capacity"},
	},
	Memory:     32,
	FixedScale: true, // lifetime is in requests
	New: func(c sim.Config) sim.Policy {
		m := int(c.Param("queues"))
		p := &mq{
			Queues:   kit.NewQueues[mqState](c, m, 1),
			queues:   m,
			lifetime: int64(c.Param("lifetime")),
		}
		p.out = p.Share(c.Param("out"))
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *mq) Access(r sim.Request) bool {
	o := p.Value(r.ID)
	hit := p.Has(r.ID)
	switch {
	case hit:
		o.f++
		p.Move(r.ID, p.queue(o.f))
	case p.Forget(r.ID, p.queues):
		o.f++
	default:
		o.f = 1
	}
	if !hit {
		for p.Full(r.Size) {
			p.evict()
		}
		p.PushFront(p.queue(o.f), r.ID, r.Size)
	}
	o.expires = p.time + p.lifetime
	p.adjust()
	return hit
}

// queue returns the queue of objects with f requests.
func (p *mq) queue(f uint32) int { return min(bits.Len32(f), p.queues) - 1 }

func (p *mq) evict() {
	lowest := 0
	for p.Empty(lowest) {
		lowest++
	}
	p.Demote(p.Back(lowest), p.queues, p.out)
}

// adjust demotes the oldest object of each queue if it has expired.
func (p *mq) adjust() {
	p.time++
	for i := 1; i < p.queues; i++ {
		if p.Empty(i) {
			continue
		}
		id := p.Back(i)
		if o := p.Value(id); o.expires < p.time {
			p.Move(id, i-1)
			o.expires = p.time + p.lifetime
		}
	}
}
