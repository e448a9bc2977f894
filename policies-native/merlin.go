package native

import (
	"fmt"
	"math"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// merlin passes new objects through a FIFO queue, the filter, to a core of objects
// that are requested often; what leaves the core is staged before it is evicted. The
// guard, the frequency from which an object belongs to the core, follows the
// frequencies of the residents.
//
//	            filter 10 %                  core                    staging 5 %
//	miss  ->  [ newest old ] -- often --> [ newest  old ] -------> [ newest  old ] -> victim
//	               \-> ghosts, counts        ^-------- often ----------/     \-> ghosts
//
// c is the capacity, F = min(c, max(1, floor(filter*c))) the bytes of the filter, and
// K = c - F - min(c - F, floor(staging*c)) those of the core. A resident has a
// frequency from 0 to 7; an object y is hot if it is at least the guard, which starts
// as 2, and cold otherwise. est(y) is a count of y's departures from the filter and the
// ghosts, from 0 to 255, which is kept for every object of the trace.
// For a requested object x of s bytes:
//
//   - x is resident: its frequency rises by 1, to 7 at most.
//   - s > F: x is not stored, and nothing changes.
//   - x is a ghost: it leaves the ghosts; EVICT until it fits. With a frequency, that
//     at its eviction, of at least the guard it becomes the newest of the core.
//     Otherwise it becomes the newest of staging with frequency 0, and est(x) rises
//     by 1.
//   - otherwise EVICT until x fits. It enters with frequency 0, as the newest of the
//     core where filter and staging are empty, as in a cache that fills up, and of the
//     filter elsewhere.
//
// EVICT evicts one object. First the guard moves by 1 at most: it rises, up to 7, if
// more residents are hot than there are objects in the core; otherwise it falls, to 1
// at least, if no more residents would be hot after that than there are objects in the
// core. Then, while x is not a ghost, the filter is not empty, and it has more than
// F - s bytes, its oldest object y is taken. If y is hot it becomes the newest of the
// core with frequency 0, and the next is looked at. If it is cold, and there is an
// object t, the oldest of staging, cold, est(t) <= 32 and est(y) > est(t), then t is
// evicted without becoming a ghost and y becomes the newest of staging, with its
// frequency. Otherwise est(y) rises by 1 and y is evicted as a ghost. In both cases this
// ends EVICT.
//
// If it has not ended so: while the core has more than K bytes, its oldest becomes the
// newest of staging. While the oldest of staging is hot, its frequency falls by 1 and
// it becomes the newest of the core. Then the oldest of staging is evicted as a ghost,
// or the one before it, if that is cold too and has the lower estimate. Where staging
// is empty, the oldest of the filter is evicted as a ghost, after its est rose by 1, or,
// where that is empty as well, the oldest of the core is evicted as a ghost.
//
// A new ghost is the newest, and keeps its frequency; while ghosts have more than
// floor(ghost*c) bytes, the oldest is forgotten. When the evictions since the last
// epoch are as many as there are residents after one of them, an epoch ends, and after
// every 32 epochs each est is halved, rounded down. A removed object leaves its queue.
//
// This is written from a description of the paper, whose authors' code was not used: it
// is our reading of it, and not checked against theirs. Ours are: that an object staged
// from the filter is not a ghost at the same time, what the first cold object of
// staging is compared with, the order of EVICT and of storing, that an epoch ends even
// where sizes let evictions jump over its length, and that counts are exact, where the
// paper has a counting Bloom filter with false positives of 0.1 %. The defaults are
// those of the description. A hit takes constant
// time, a miss constant time for each object that moves, but for the halving. Evictions
// are the objects that left to make room.
type merlin struct {
	kit.Queues[merlinObject]
	kit.Admitted
	objects            uint32 // in the trace
	filter, core       int64  // bytes
	ghosts             int64  // bytes
	guard              uint8
	frequencies        [8]int // residents with each
	epochStart, epochs int64  // evictions before the epoch; epochs since the last halving
}

type merlinObject struct {
	frequency uint8 // 0 to 7
	estimate  uint8 // for any object, never requested ones included
}

const (
	merlinFilter = iota
	merlinStaging
	merlinCore
	merlinGhosts
)

var merlinSpec = sim.Spec{
	Name:  "merlin",
	Title: "Merlin",
	Doc:   "FIFO queues for new objects, a core of hot ones and staged victims, with an adaptive threshold",
	Paper: "Li et al., Merlin: an efficient adaptive cache eviction algorithm via fine-grained characterization, OSDI 2026",
	Params: []sim.Param{
		{Name: "filter", Default: 0.1, Min: 0, Max: 1, Doc: "share of the bytes given to new objects"},
		{Name: "staging", Default: 0.05, Min: 0, Max: 1, Doc: "share of the bytes given to candidates for eviction"},
		{Name: "ghost", Default: 1, Min: 0, Max: 100, Doc: "bytes of evicted objects that are remembered, in capacities"},
	},
	Memory: 24,
	New: func(c sim.Config) sim.Policy {
		filter := min(c.Capacity, max(1, int64(c.Param("filter")*float64(c.Capacity))))
		rest := c.Capacity - filter
		return &merlin{
			Queues:  kit.NewQueues[merlinObject](c, 3, 1),
			objects: uint32(c.Objects),
			filter:  filter,
			core:    rest - min(rest, int64(c.Param("staging")*float64(c.Capacity))),
			ghosts:  int64(c.Param("ghost") * float64(c.Capacity)),
			guard:   2,
		}
	},
}

// Access serves r and reports whether it was a hit.
func (p *merlin) Access(r sim.Request) bool {
	o := p.Value(r.ID)
	if p.Has(r.ID) {
		if o.frequency < 7 {
			p.frequencies[o.frequency]--
			o.frequency++
			p.frequencies[o.frequency]++
		}
		return true
	}
	if r.Size > p.filter {
		return false
	}
	ghost := p.In(merlinGhosts, r.ID)
	if ghost {
		p.Drop(r.ID)
	} else {
		o.frequency = 0
	}
	for p.Full(r.Size) {
		p.evict(r.Size, !ghost)
	}
	queue := merlinFilter
	switch {
	case ghost && o.frequency >= p.guard:
		queue = merlinCore
	case ghost:
		queue = merlinStaging
		o.frequency = 0
		p.record(r.ID)
	case p.Empty(merlinFilter) && p.Empty(merlinStaging):
		queue = merlinCore
	}
	p.PushFront(queue, r.ID, r.Size)
	p.frequencies[o.frequency]++
	p.Admit(r.Size)
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *merlin) Remove(id uint32) bool {
	if !p.Queues.Remove(id) {
		return false
	}
	p.frequencies[p.Value(id).frequency]--
	return true
}

// evict evicts one object for a new one of the given size, or for a ghost.
func (p *merlin) evict(size int64, isNew bool) {
	p.moveGuard()
	for isNew && !p.Empty(merlinFilter) && p.Bytes(merlinFilter)+size > p.filter {
		y := p.Back(merlinFilter)
		if p.hot(y) {
			p.setFrequency(y, 0)
			p.Move(y, merlinCore)
			continue
		}
		if !p.Empty(merlinStaging) {
			if t := p.Back(merlinStaging); !p.hot(t) {
				if estimate := p.Value(t).estimate; estimate <= 32 && p.Value(y).estimate > estimate {
					p.frequencies[p.Value(t).frequency]--
					p.Evict(t)
					p.evicted()
					p.Move(y, merlinStaging)
					return
				}
			}
		}
		p.record(y)
		p.evictAsGhost(y)
		return
	}
	for p.Bytes(merlinCore) > p.core {
		p.Move(p.Back(merlinCore), merlinStaging)
	}
	for !p.Empty(merlinStaging) {
		victim := p.Back(merlinStaging)
		if p.hot(victim) {
			p.setFrequency(victim, p.Value(victim).frequency-1)
			p.Move(victim, merlinCore)
			continue
		}
		if next, ok := p.Prev(victim); ok && !p.hot(next) && p.Value(next).estimate < p.Value(victim).estimate {
			victim = next
		}
		p.evictAsGhost(victim)
		return
	}
	if p.Empty(merlinFilter) {
		p.evictAsGhost(p.Back(merlinCore))
		return
	}
	y := p.Back(merlinFilter)
	p.record(y)
	p.evictAsGhost(y)
}

func (p *merlin) hot(id uint32) bool { return p.Value(id).frequency >= p.guard }

func (p *merlin) setFrequency(id uint32, frequency uint8) {
	o := p.Value(id)
	p.frequencies[o.frequency]--
	p.frequencies[frequency]++
	o.frequency = frequency
}

// record adds one to the estimate for an object.
func (p *merlin) record(id uint32) {
	if o := p.Value(id); o.estimate < math.MaxUint8 {
		o.estimate++
	}
}

func (p *merlin) moveGuard() {
	hot := 0
	for _, n := range p.frequencies[p.guard:] {
		hot += n
	}
	switch core := p.Len(merlinCore); {
	case hot > core:
		p.guard = min(7, p.guard+1)
	case p.guard > 1 && hot+p.frequencies[p.guard-1] <= core:
		p.guard--
	}
}

func (p *merlin) evictAsGhost(id uint32) {
	p.frequencies[p.Value(id).frequency]--
	p.Move(id, merlinGhosts)
	for p.Bytes(merlinGhosts) > p.ghosts {
		p.Drop(p.Back(merlinGhosts))
	}
	p.evicted()
}

// evicted ends an epoch where an eviction does.
func (p *merlin) evicted() {
	residents := p.Len(merlinFilter) + p.Len(merlinStaging) + p.Len(merlinCore)
	if p.Evictions()-p.epochStart < int64(residents) {
		return
	}
	p.epochStart = p.Evictions()
	if p.epochs++; p.epochs == 32 {
		p.epochs = 0
		for id := range p.objects {
			p.Value(id).estimate >>= 1
		}
	}
}

// Check returns an error where the parts contradict each other.
func (p *merlin) Check() error {
	if err := p.Queues.Check(); err != nil {
		return err
	}
	var frequencies [8]int
	for queue := merlinFilter; queue <= merlinCore; queue++ {
		if p.Empty(queue) {
			continue
		}
		for id, ok := p.Front(queue), true; ok; id, ok = p.Next(id) {
			frequencies[p.Value(id).frequency]++
		}
	}
	if frequencies != p.frequencies {
		return fmt.Errorf("there are %v residents of each frequency, but %v are accounted for", frequencies, p.frequencies)
	}
	return nil
}
