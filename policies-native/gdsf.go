package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// gdsf is GreedyDual-Size with Frequency. It evicts the object with the least H,
// the least recently used first among equals.
//
//	stored or hit   H = L + frequency * cost / size
//	evicted         L = H of the victim
//
// The frequency is the number of requests since the object was stored, that one
// included. L starts at 0 and only rises. With cost=0 every object costs 1, which
// favours the object hit ratio; then H is +Inf for an object of no bytes, which is
// never in the way. With cost=1 an object costs its size, H is L + frequency, and
// the byte hit ratio is favoured.
//
// H is computed as L + frequency*1e6/size, or L + frequency*1e6, in 64-bit
// floating point, from left to right; the factor is that of libCacheSim, with
// which rounding is the same too. The victims leave before the object is stored,
// so that it is never its own victim. A removed object does not change L. All this,
// and ties by last use, are choices, since the paper has the formula only.
// A request takes time logarithmic in the number of residents. Evictions are the
// objects that left to make room.
type gdsf struct {
	kit.Heap          // key: H; note: frequency
	inflation float64 // L
	bySize    bool    // an object costs its size
	config    sim.Config
}

var gdsfSpec = sim.Spec{
	Name:  "gdsf",
	Title: "GDSF",
	Doc:   "GreedyDual-Size with Frequency: prefers to keep small, often and recently used objects",
	Paper: "Cherkasova, Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching policy, HP Laboratories HPL-98-69R1, 1998",
	Params: []sim.Param{
		{Name: "cost", Default: 0, Min: 0, Max: 1, Doc: "what a miss costs: 0 for 1 (object hit ratio), 1 for the object's size (byte hit ratio)"},
	},
	Default: true,
	Memory:  44,
	Sizes:   sim.SizesAreWeighed,
	New: func(c sim.Config) sim.Policy {
		return &gdsf{Heap: kit.NewHeap(c), bySize: c.Param("cost") >= 0.5, config: c}
	},
}

// Access serves r and reports whether it was a hit.
func (p *gdsf) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		*p.Note(r.ID)++
		p.Update(r.ID, p.h(r))
		return true
	}
	for p.Full(r.Size) {
		victim, h := p.Min()
		p.inflation = h
		p.Evict(victim)
	}
	*p.Note(r.ID) = 1
	p.Push(r.ID, r.Size, p.h(r))
	return false
}

func (p *gdsf) h(r sim.Request) float64 {
	value := float64(*p.Note(r.ID)) * 1e6
	if p.bySize {
		return p.inflation + float64(value)
	}
	return p.inflation + value/float64(p.config.Size(r))
}
