package native

import (
	"cmp"
	"math"
	"slices"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// fifoMerge is what Segcache's merging of segments comes to for single objects: it
// goes through the queue in the order of storing and keeps the best of each group.
//
//	newest  ·  ·  ·  │ ·  ·  ·  ·  ·  ·  ·  · │ k  k  v  k  v  v  oldest
//	                 ▲     next group         ▲  kept and victims
//	                 └──────────────────────  hand
//
// An object is stored at the front with no hits; a hit is counted and moves
// nothing. To evict an object:
//
//  1. If there are victims left, the first of them is evicted.
//  2. Otherwise, if there are at most exam objects in the cache, the one at the back
//     is evicted, and the hand has no object afterwards.
//  3. Otherwise the hand goes over exam objects towards the front, starting at its
//     own object, or at the back where it has none, and going on at the back when
//     it has passed the front. It stops at the next object, or has none when it has
//     passed the front. The victims are all but ⌊exam·keep⌋ of these, in ascending
//     order of hits/size; among equals the larger object comes first, then the one
//     that the hand met first. hits/size is infinite for an object of no bytes. The
//     first victim is evicted.
//
// So objects that are kept stay where they are, with their hits, and a hit on a
// victim does not save it. A removed object is no victim any more. If the hand is at
// an object that is removed, or evicted as a victim, which happens after a removal
// only, it goes on to the next object towards the front, or has none.
// A request takes constant time, and an eviction time logarithmic in exam.
//
// The paper merges segments of memory, each with objects of a similar time to live;
// this form for single objects, and its defaults, are libCacheSim's, which chooses
// among equals at random and evicts one object less of each group. Evictions are the
// objects evicted.
type fifoMerge struct {
	kit.Queues[uint32] // value: hits
	keep               int
	hand               uint32
	resting            bool        // the hand has no object
	group              []candidate // of the last examination; its capacity is exam
	victims            []candidate // of group, those that are left
}

type candidate struct {
	worth float64 // hits per byte
	size  int64
	id    uint32
}

var fifoMergeSpec = sim.Spec{
	Name:  "fifo-merge",
	Title: "FIFO-Merge",
	Doc:   "goes through the cache in FIFO order and keeps the objects of each group with the most hits per byte",
	Paper: "Yang, Yue, Vinayak, Segcache: a memory-efficient and scalable in-memory key-value cache for small objects, NSDI 2021",
	Params: []sim.Param{
		{Name: "exam", Default: 100, Min: 1, Max: 10000, Doc: "objects in a group"},
		{Name: "keep", Default: 0.5, Min: 0, Max: 0.99, Doc: "share of a group that is kept"},
	},
	Memory:     24,
	FixedScale: true, // a group is a number of objects
	New: func(c sim.Config) sim.Policy {
		exam := int(c.Param("exam"))
		return &fifoMerge{
			Queues:  kit.NewQueues[uint32](c, 1, 0),
			keep:    int(float64(exam) * c.Param("keep")),
			resting: true,
			group:   make([]candidate, 0, exam),
		}
	},
}

// Access serves r and reports whether it was a hit.
func (p *fifoMerge) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		*p.Value(r.ID)++
		return true
	}
	for p.Full(r.Size) {
		p.evict()
	}
	*p.Value(r.ID) = 0
	p.PushFront(0, r.ID, r.Size)
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *fifoMerge) Remove(id uint32) bool {
	if !p.Has(id) {
		return false
	}
	p.leave(id)
	if i := slices.IndexFunc(p.victims, func(v candidate) bool { return v.id == id }); i >= 0 {
		p.victims = slices.Delete(p.victims, i, i+1)
	}
	return p.Queues.Remove(id)
}

func (p *fifoMerge) evict() {
	if len(p.victims) == 0 {
		if p.Len(0) <= cap(p.group) {
			p.resting = true
			p.Evict(p.Back(0))
			return
		}
		p.examine()
	}
	victim := p.victims[0].id
	p.victims = p.victims[1:]
	p.leave(victim)
	p.Evict(victim)
}

// examine finds the victims among the next objects.
func (p *fifoMerge) examine() {
	p.group = p.group[:0]
	for range cap(p.group) {
		if p.resting {
			p.hand, p.resting = p.Back(0), false
		}
		c := candidate{id: p.hand, size: p.Size(p.hand)}
		c.worth = math.Inf(1)
		if c.size > 0 {
			c.worth = float64(*p.Value(c.id)) / float64(c.size)
		}
		p.group = append(p.group, c)
		p.advance()
	}
	slices.SortStableFunc(p.group, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.worth, b.worth), cmp.Compare(b.size, a.size))
	})
	p.victims = p.group[:len(p.group)-p.keep]
}

// leave moves the hand on if it is at the given object.
func (p *fifoMerge) leave(id uint32) {
	if !p.resting && p.hand == id {
		p.advance()
	}
}

// advance moves the hand on by one object.
func (p *fifoMerge) advance() {
	before, ok := p.Prev(p.hand)
	p.hand, p.resting = before, !ok
}
