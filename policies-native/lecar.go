package native

import (
	"math"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// leCaR lets LRU or LFU choose each victim at random, by weights that it learns
// from regret: whenever an object is requested that one of them chose to evict, the
// weight of that one falls.
//
//	LRU  a b c   -> victims of LRU, newest first  x y
//	LFU  b c a   -> victims of LFU, newest first  z
//
// c is the capacity. All times are numbers of requests, counted from 1.
//
//   - Hit: the object becomes the most recently used, and its frequency rises by 1.
//   - Miss of an object in a history, evicted at request e, now being n: the weight
//     of the expert that chose it is multiplied by exp(-rate * d^(n-e)), where
//     d = 0.005^(1/N) and N is the number of objects that fit (kit.Entries, of those
//     stored before this request). LRU's weight is then divided by the sum of both
//     and kept from 0.01 to 0.99; LFU's is the rest to 1. The object leaves the
//     history; its frequency is that at its eviction and 1.
//   - Other miss: the frequency is 1.
//   - Then objects are evicted until this one fits, and it is stored as the most
//     recently used.
//   - To evict: LRU chooses the least recently used object, LFU the one with the
//     lowest frequency, and of those the one that has gone unused longest. If both
//     choose the same, it is evicted and forgotten. Otherwise a number is drawn by
//     Rand.Float64, of a generator with the given seed; if it is less than LRU's
//     weight, LRU's choice is evicted, else LFU's. It enters the history of that
//     expert as the newest; then, while that one has more than floor(history*c)
//     bytes, its oldest is forgotten.
//
// Weights start as 0.5. exp, pow and the weights are in 64-bit floating point. With
// sizes of 1 N is the capacity and this is the authors' code with its defaults, in
// which LFU's ties go by the number of the block, and which draws in every case. A
// request takes constant time for each object evicted. Evictions are the objects
// that left to make room, in a history or not.
type leCaR struct {
	kit.Frequencies // residents by last use, and the two histories; mark: the clock when it was evicted
	rand            kit.Rand
	entries         kit.Entries
	clock           uint32  // requests so far
	weight          float64 // of LRU; that of LFU is the rest to 1
	rate            float64
	historyLimit    int64 // bytes
}

// leCaRFading is ln(0.005).
const leCaRFading = -5.298317366548036

const (
	leCaRResident = iota
	leCaRByLRU
	leCaRByLFU
)

var leCaRSpec = sim.Spec{
	Name:  "lecar",
	Title: "LeCaR",
	Doc:   "lets LRU or LFU choose each victim, by weights learned from the victims requested again",
	Paper: "Vietri, Rodriguez, Martinez, Lyons, Liu, Rangaswami, Zhao, Narasimhan, Driving cache replacement with ML-based LeCaR, HotStorage 2018",
	Params: []sim.Param{
		{Name: "rate", Default: 0.45, Min: 0, Max: 1, Doc: "learning rate"},
		{Name: "history", Default: 0.5, Min: 0, Max: 100, Doc: "bytes of each expert's victims that are remembered, in capacities"},
	},
	Random:    true,
	Miniature: sim.Miniaturization{Cached: 1000}, // LFU is learned from few regrets
	Memory:    32,
	New: func(c sim.Config) sim.Policy {
		return &leCaR{
			Frequencies:  kit.NewFrequencies(c, 1, 2, false),
			rand:         kit.NewRand(c.Seed),
			entries:      kit.NewEntries(c),
			weight:       0.5,
			rate:         c.Param("rate"),
			historyLimit: int64(c.Param("history") * float64(c.Capacity)),
		}
	},
}

// Access serves r and reports whether it was a hit.
func (p *leCaR) Access(r sim.Request) bool {
	p.clock++
	queue := p.Queue(r.ID)
	frequency := uint32(1)
	switch queue {
	case leCaRResident:
		p.MoveToFront(r.ID)
		p.Increment(r.ID)
		return true
	case leCaRByLRU, leCaRByLFU:
		frequency += p.Count(r.ID)
		regret := math.Exp(leCaRFading / float64(p.entries.N()) * float64(p.clock-*p.Mark(r.ID)))
		p.weight = reweigh(p.weight, p.rate*regret, queue == leCaRByLRU)
		p.Forget(r.ID)
	}
	for p.Full(r.Size) {
		p.evict()
	}
	p.Store(leCaRResident, r.ID, r.Size, frequency)
	p.entries.Stored(r)
	return false
}

// reweigh returns the weight of LRU after a regret of one of the two experts.
func reweigh(lru, regret float64, ofLRU bool) float64 {
	lfu := 1 - lru
	if ofLRU {
		lru *= math.Exp(-regret)
	} else {
		lfu *= math.Exp(-regret)
	}
	return max(0.01, min(0.99, lru/(lru+lfu)))
}

func (p *leCaR) evict() {
	victim, lfu := p.Back(leCaRResident), p.Least()
	if victim == lfu {
		p.Evict(victim)
		return
	}
	history := leCaRByLRU
	if p.rand.Float64() >= p.weight {
		victim, history = lfu, leCaRByLFU
	}
	*p.Mark(victim) = p.clock
	p.Move(victim, history)
	for p.Bytes(history) > p.historyLimit {
		p.Forget(p.Back(history))
	}
}
