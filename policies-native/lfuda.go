package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// lfuda is LFU with dynamic aging. It evicts the object with the least K, the
// least recently used first among equals.
//
//	stored     F = 1     K = L + F
//	hit        F = F+1   K = L + F
//	evicted    L = K of the victim
//
// L starts at 0 and only rises, so that an object that was popular once is
// overtaken by newer ones. Room is made before a new object is stored: it gets
// the L of the last victim, and is none itself. F starts again when an object
// comes back. Removal leaves L as it is.
//
// With rebase=0, as in libCacheSim, a hit adds L to K instead of starting again from L;
// and once something was evicted, L rises to the least K in the cache after each eviction and
// each hit.
//
// The paper leaves ties open; that room is made first is a choice, too. A request
// takes time logarithmic in the number of residents. Evictions are the objects evicted.
type lfuda struct {
	kit.Heap           // key: K
	count     []uint32 // F of residents
	inflation float64  // L
	adds      bool     // rebase=0
}

var lfudaSpec = sim.Spec{
	Name:  "lfuda",
	Title: "LFUDA",
	Doc:   "LFU with dynamic aging: a count starts from that of the last victim",
	Paper: "Arlitt, Cherkasova, Dilley, Friedrich, Jin, Evaluating content management techniques for Web proxy caches, ACM SIGMETRICS Performance Evaluation Review 27(4), 2000",
	Params: []sim.Param{
		{Name: "rebase", Default: 1, Min: 0, Max: 1, Doc: "1: a hit sets an object's key to the age plus its requests, 0: it adds the age to the key, like libCacheSim"},
	},
	Memory: 48,
	New: func(c sim.Config) sim.Policy {
		return &lfuda{Heap: kit.NewHeap(c), count: sim.Make[uint32](c.Objects), adds: c.Param("rebase") < 0.5}
	},
}

// Access serves r and reports whether it was a hit.
func (p *lfuda) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		if p.adds {
			p.Update(r.ID, p.Key(r.ID)+p.inflation)
			p.rise()
			return true
		}
		p.count[r.ID]++
		p.Update(r.ID, p.inflation+float64(p.count[r.ID]))
		return true
	}
	for p.Full(r.Size) {
		victim, k := p.Min()
		p.inflation = k
		p.Evict(victim)
		if p.adds {
			p.rise()
		}
	}
	p.count[r.ID] = 1
	p.Push(r.ID, r.Size, p.inflation+1)
	return false
}

// rise raises L to the least K in the cache, once something was evicted.
func (p *lfuda) rise() {
	if p.Evictions() > 0 && p.Len() > 0 {
		_, k := p.Min()
		p.inflation = max(p.inflation, k)
	}
}
