package native

import (
	"fmt"
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
// sizes of 1 N is the capacity and this is the authors' code, in which LFU's ties go
// by the number of the block, and which draws in every case. A request takes time
// logarithmic in the number of residents. Evictions are the objects that left to
// make room, in a history or not.
type leCaR struct {
	kit.Queues[leCaRState]          // residents by last use, and the two histories
	lfu                    kit.Heap // residents; key: frequency
	rand                   kit.Rand
	entries                kit.Entries
	clock                  uint32  // requests so far
	weight                 float64 // of LRU; that of LFU is the rest to 1
	rate                   float64
	historyLimit           int64 // bytes
}

type leCaRState struct {
	frequency uint32
	evicted   uint32 // the clock when it was
}

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
	Random: true,
	Memory: 60,
	New: func(c sim.Config) sim.Policy {
		return &leCaR{
			Queues:       kit.NewQueues[leCaRState](c, 1, 2),
			lfu:          kit.NewHeap(c),
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
	o := p.Value(r.ID)
	queue := p.Queue(r.ID)
	if queue == leCaRResident {
		p.MoveToFront(r.ID)
		o.frequency++
		p.lfu.Update(r.ID, float64(o.frequency))
		return true
	}
	if queue < 0 {
		o.frequency = 1
	} else {
		o.frequency++
		d := math.Pow(0.005, 1/float64(p.entries.N()))
		regret := math.Pow(d, float64(p.clock-o.evicted))
		p.weight = reweigh(p.weight, p.rate*regret, queue == leCaRByLRU)
		p.Drop(r.ID)
	}
	for p.Full(r.Size) {
		p.evict()
	}
	p.PushFront(leCaRResident, r.ID, r.Size)
	p.lfu.Push(r.ID, r.Size, float64(o.frequency))
	p.entries.Stored(r.Size)
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
	victim := p.Back(leCaRResident)
	lfu, _ := p.lfu.Min()
	if victim == lfu {
		p.lfu.Remove(victim)
		p.Evict(victim)
		return
	}
	history := leCaRByLRU
	if p.rand.Float64() >= p.weight {
		victim, history = lfu, leCaRByLFU
	}
	p.lfu.Remove(victim)
	p.Value(victim).evicted = p.clock
	p.Move(victim, history)
	for p.Bytes(history) > p.historyLimit {
		p.Drop(p.Back(history))
	}
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *leCaR) Remove(id uint32) bool { return p.lfu.Remove(id) && p.Queues.Remove(id) }

// Check returns an error where the parts contradict each other.
func (p *leCaR) Check() error {
	if err := p.Queues.Check(); err != nil {
		return err
	}
	return checkFrequencies(&p.Queues, 1, &p.lfu, func(o *leCaRState) uint32 { return o.frequency })
}

// checkFrequencies returns an error where a heap does not hold the residents of
// the first queues of q by their frequencies.
func checkFrequencies[T any](q *kit.Queues[T], queues int, lfu *kit.Heap, frequency func(*T) uint32) error {
	if err := lfu.Check(); err != nil {
		return fmt.Errorf("heap of frequencies: %w", err)
	}
	residents := 0
	for queue := range queues {
		if q.Empty(queue) {
			continue
		}
		for id, ok := q.Front(queue), true; ok; id, ok = q.Next(id) {
			if !lfu.Has(id) || lfu.Key(id) != float64(frequency(q.Value(id))) {
				return fmt.Errorf("object %d is not in the heap of frequencies with its own", id)
			}
			residents++
		}
	}
	if residents != lfu.Len() || lfu.Used() != q.Used() {
		return fmt.Errorf("the heap of frequencies has %d objects of %d bytes, the queues %d of %d", lfu.Len(), lfu.Used(), residents, q.Used())
	}
	return nil
}
