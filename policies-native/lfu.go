package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// lfu evicts the object with the fewest requests since it was stored; among
// those, the one that has gone unused longest. Counts do not survive eviction.
//
//	request   a    b     b     c       a
//	queue     a1   a1b1  a1b2  a1c1b2  c1b2a2   victim first, with counts
//
// The queue is kept in the order of eviction. Objects with the same count stand
// together; a bucket remembers the last of them, behind which the next to reach
// the count goes. So a request takes the same few steps whatever the counts
// (Shah, Mitra, Matani, An O(1) algorithm for implementing the LFU cache
// eviction scheme, 2010, describes such a structure), and constant time for each
// object evicted.
//
// Which of several objects with the fewest requests leaves, and whether a count
// outlives the eviction, is a choice: these are libCacheSim's (perfect-lfu is the
// other one). Evictions are the objects evicted.
type lfu struct {
	kit.Queues[uint32]          // value: index of the object's bucket
	buckets            []bucket // of counts in use, and free ones
	free               []uint32 // indexes of free buckets
}

type bucket struct {
	count uint64
	last  uint32 // id of the last object with this count
}

var lfuSpec = sim.Spec{
	Name:       "lfu",
	Title:      "LFU",
	Doc:        "evicts the object with the fewest requests since it was stored, the least recently used first",
	Paper:      "Aho, Denning, Ullman, Principles of optimal page replacement, Journal of the ACM 18(1), 1971",
	Default:    true,
	Memory:     40,
	FixedScale: true,
	New:        func(c sim.Config) sim.Policy { return &lfu{Queues: kit.NewQueues[uint32](c, 1, 0)} },
}

// Victim returns the object that would be evicted first.
func (p *lfu) Victim() uint32 { return p.Front(0) }

// Access serves r and reports whether it was a hit.
func (p *lfu) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		p.promote(r.ID)
		return true
	}
	for p.Full(r.Size) {
		victim := p.Front(0)
		p.leaveBucket(victim)
		p.Evict(victim)
	}
	p.insert(r)
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *lfu) Remove(id uint32) bool {
	if !p.Has(id) {
		return false
	}
	p.leaveBucket(id)
	return p.Queues.Remove(id)
}

// insert stores a new object behind the others that were requested once.
func (p *lfu) insert(r sim.Request) {
	if !p.Empty(0) {
		first := *p.Value(p.Front(0))
		if b := &p.buckets[first]; b.count == 1 {
			p.InsertBehind(b.last, r.ID, r.Size)
			b.last, *p.Value(r.ID) = r.ID, first
			return
		}
	}
	p.PushFront(0, r.ID, r.Size)
	*p.Value(r.ID) = p.open(1, r.ID)
}

// promote adds one to the count of an object and moves it behind the others
// that have the new count.
func (p *lfu) promote(id uint32) {
	o := p.Value(id)
	b := &p.buckets[*o]
	count, last := b.count, b.last
	if behind, ok := p.Next(last); ok {
		next := *p.Value(behind)
		if nb := &p.buckets[next]; nb.count == count+1 {
			p.leaveBucket(id)
			p.MoveBehind(nb.last, id)
			nb.last, *o = id, next
			return
		}
	}
	if p.alone(id) {
		b.count++
		return
	}
	p.leaveBucket(id)
	if last != id {
		p.MoveBehind(last, id)
	}
	*o = p.open(count+1, id)
}

// alone reports whether no other object has the same count.
func (p *lfu) alone(id uint32) bool {
	bucket := *p.Value(id)
	if p.buckets[bucket].last != id {
		return false
	}
	before, ok := p.Prev(id)
	return !ok || *p.Value(before) != bucket
}

// leaveBucket takes an object out of its bucket, which is freed if it was alone
// there. Its place in the queue is the caller's business.
func (p *lfu) leaveBucket(id uint32) {
	bucket := *p.Value(id)
	switch b := &p.buckets[bucket]; {
	case p.alone(id):
		p.free = append(p.free, bucket)
	case b.last == id:
		b.last, _ = p.Prev(id)
	}
}

// open returns a bucket for a count that no object had.
func (p *lfu) open(count uint64, last uint32) uint32 {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		p.buckets[i] = bucket{count, last}
		return i
	}
	p.buckets = append(p.buckets, bucket{count, last})
	return uint32(len(p.buckets) - 1)
}
