package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// lruK evicts the object whose k-th last request is the furthest in the past.
//
//	request   a    b      a      c      b      d      k = 2, capacity 2
//	cache     a-   a-b-   b-a1   c-a1   a1b2   d-b2   victim first, with the time
//	                                                  of the 2nd last request
//
// An object with fewer than k requests has an infinite distance and is evicted
// before all others, the least recently used first; so are others with the same
// k-th last request, of which there are none. Requests are counted whether they
// hit or not, and those before an eviction or a removal count too, unless the
// object misses more than history requests (for any object) after its own last
// one: then what was known of it is forgotten. So for history 10, the object of
// request 1 is still known at request 11. With history 0 nothing is forgotten.
// Removals are no requests.
//
// The paper's Correlated Reference Period, in which further requests for an object
// count as one, is 0; its Retained Information Period is history. Here both would
// count requests, where the paper has times. Room is made before the new object is
// stored, which is not among the victims. A request takes time logarithmic in the
// number of residents.
//
// Evictions are the objects evicted.
type lruK struct {
	kit.Heap // key: time of the k-th last request; 0: there is none
	k        int
	history  uint32   // retained information period, requests; 0: no end
	now      uint32   // number of the request, from 1
	times    []uint32 // k of every object, newest first; 0: no such request
}

var lruKSpec = sim.Spec{
	Name:  "lru-k",
	Title: "LRU-K",
	Doc:   "evicts the object whose k-th last request is the furthest in the past",
	Paper: "O'Neil, O'Neil, Weikum, The LRU-K page replacement algorithm for database disk buffering, SIGMOD 1993",
	Params: []sim.Param{
		{Name: "k", Default: 2, Min: 1, Max: 4, Doc: "which of an object's last requests counts; 1 is LRU"},
		{Name: "history", Default: 0, Min: 0, Max: 1<<32 - 1, Doc: "requests after which an object that is not in the cache is forgotten; 0: never"},
	},
	Memory:     52,   // for k = 2
	FixedScale: true, // objects with one request share the place of a few, as with LFU
	New: func(c sim.Config) sim.Policy {
		k := int(c.Param("k"))
		return &lruK{
			Heap:    kit.NewHeap(c),
			k:       k,
			history: uint32(c.Param("history")),
			times:   sim.Make[uint32](k * c.Objects),
		}
	},
}

// Access serves r and reports whether it was a hit.
func (p *lruK) Access(r sim.Request) bool {
	hit := p.Has(r.ID)
	p.now++
	times := p.times[int(r.ID)*p.k:][:p.k]
	if !hit && p.history > 0 && p.now-times[0] > p.history {
		clear(times)
	}
	copy(times[1:], times)
	times[0] = p.now
	key := float64(times[p.k-1])
	if hit {
		p.Update(r.ID, key)
		return true
	}
	for p.Full(r.Size) {
		victim, _ := p.Min()
		p.Evict(victim)
	}
	p.Push(r.ID, r.Size, key)
	return false
}
