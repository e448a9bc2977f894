package native

import (
	"math/bits"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// camp is GreedyDual-Size with rounded ratios of cost to size. It evicts the object
// with the least H, the least recently used first among equals.
//
//	stored or hit   H = L + round(cost * largest / size)
//	evicted         L = least H that remains
//
// largest is the size of the largest object requested so far, this one included, so
// that ratios below 1 keep their order of magnitude. The quotient is rounded down
// to an integer, and then to its `precision` most significant bits, the others
// becoming 0; precision=64 rounds no further. A size of 0 counts as 1. An object
// costs 1, or its size with cost=1, which makes every ratio equal to largest. L
// starts at 0 and stays as it is where nothing remains; a removed object does not
// change it.
//
// Objects with the same ratio, which has few values, leave in the order of their
// last use. The paper keeps them in a queue for each value, and a heap of queues, so
// as to touch the heap rarely; one heap of all objects evicts in the same order, in
// time logarithmic in the number of residents. The default precision is Caffeine's.
// Ties between queues are broken as the paper describes it; its authors' code takes
// the queue of the lower ratio. H is a 64-bit floating-point number, exact up to
// 2^53. Evictions are the objects that left to make room.
type camp struct {
	kit.Heap          // key: H
	inflation float64 // L
	largest   int64   // bytes
	precision int     // significant bits of a ratio
	bySize    bool    // an object costs its size
	config    sim.Config
}

var campSpec = sim.Spec{
	Name:  "camp",
	Title: "CAMP",
	Doc:   "GreedyDual-Size with ratios of cost to size that are rounded to few values",
	Paper: "Ghandeharizadeh, Irani, Lam, Yap, CAMP: a cost adaptive multi-queue eviction policy for key-value stores, Middleware 2014",
	Params: []sim.Param{
		{Name: "precision", Default: 5, Min: 1, Max: 64, Doc: "significant bits that a ratio keeps"},
		{Name: "cost", Default: 0, Min: 0, Max: 1, Doc: "what a miss costs: 0 for 1 (object hit ratio), 1 for the object's size (byte hit ratio)"},
	},
	Memory: 44,
	Sizes:  sim.SizesAreWeighed,
	New: func(c sim.Config) sim.Policy {
		return &camp{Heap: kit.NewHeap(c), largest: 1, precision: int(c.Param("precision")), bySize: c.Param("cost") >= 0.5, config: c}
	},
}

// Access serves r and reports whether it was a hit.
func (p *camp) Access(r sim.Request) bool {
	size := p.config.Size(r)
	p.largest = max(p.largest, size)
	if p.Has(r.ID) {
		p.Update(r.ID, p.inflation+p.ratio(size))
		return true
	}
	for p.Full(r.Size) {
		victim, _ := p.Min()
		p.Evict(victim)
		if p.Len() > 0 {
			_, p.inflation = p.Min()
		}
	}
	p.Push(r.ID, r.Size, p.inflation+p.ratio(size))
	return false
}

// ratio returns the rounded ratio of cost to size.
func (p *camp) ratio(size int64) float64 {
	ratio := uint64(p.largest)
	if !p.bySize {
		ratio /= uint64(max(1, size))
	}
	if drop := bits.Len64(ratio) - p.precision; drop > 0 {
		ratio = ratio >> drop << drop
	}
	return float64(ratio)
}
