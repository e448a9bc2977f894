package native

import "cachesim/sim"

// LFU evicts the object with the fewest requests since it was stored; among
// those, the one that has gone unused longest. Counts do not survive eviction.
//
//	request   a    b     b     c       a
//	queue     a1   a1b1  a1b2  a1c1b2  c1b2a2   victim first, with counts
//
// The queue is kept in the order of eviction. Objects with the same count stand
// together; a bucket remembers the last of them, behind which the next to reach
// the count goes. So a request takes the same few steps whatever the counts
// (Shah, Mitra, Matani, An O(1) algorithm for implementing the LFU cache
// eviction scheme, 2010, tells of such a structure).
type LFU struct {
	space
	t       table[lfuObject]
	buckets []bucket // of counts in use, and free ones
	free    []uint32 // indexes of free buckets
}

type lfuObject struct {
	size   int64
	bucket uint32
}

type bucket struct {
	count uint64
	last  uint32 // id of the last object with this count
}

// LFUSpec describes LFU.
var LFUSpec = sim.Spec{
	Name:  "lfu",
	Doc:   "evicts the object with the fewest requests since it was stored, the least recently used first",
	Paper: "Aho, Denning, Ullman, Principles of optimal page replacement, Journal of the ACM 18(1), 1971",
	New: func(c sim.Config) sim.Policy {
		return &LFU{space: space{capacity: c.Capacity}, t: newTable[lfuObject](c.Objects, 1)}
	},
}

// Access serves r and reports whether it was a hit.
func (p *LFU) Access(r sim.Request) bool {
	if p.t.has(r.ID) {
		p.promote(r.ID)
		return true
	}
	for p.full(r.Size) {
		victim := p.t.front(0)
		o := p.t.remove(victim)
		if p.buckets[o.bucket].last == victim {
			p.free = append(p.free, o.bucket)
		}
		p.evict(o.size)
	}
	p.insert(r)
	p.admit(r.Size)
	return false
}

// insert stores a new object behind the others that were requested once.
func (p *LFU) insert(r sim.Request) {
	o := p.t.value(r.ID)
	o.size = r.Size
	if !p.t.empty(0) {
		first := p.t.value(p.t.front(0)).bucket
		if b := &p.buckets[first]; b.count == 1 {
			p.t.insertAfter(b.last, r.ID)
			b.last, o.bucket = r.ID, first
			return
		}
	}
	p.t.pushFront(0, r.ID)
	o.bucket = p.open(1, r.ID)
}

// promote adds one to the count of an object and moves it behind the others
// that have the new count.
func (p *LFU) promote(id uint32) {
	o := p.t.value(id)
	b := &p.buckets[o.bucket]
	last := b.last
	before, ok := p.t.prev(id)
	alone := last == id && !(ok && p.t.value(before).bucket == o.bucket)

	if behind, ok := p.t.next(last); ok {
		next := p.t.value(behind).bucket
		if nb := &p.buckets[next]; nb.count == b.count+1 {
			if alone {
				p.free = append(p.free, o.bucket)
			} else if last == id {
				b.last = before
			}
			p.t.remove(id)
			p.t.insertAfter(nb.last, id)
			nb.last, o.bucket = id, next
			return
		}
	}
	if alone {
		b.count++
		return
	}
	if last == id {
		b.last = before
	} else {
		p.t.remove(id)
		p.t.insertAfter(last, id)
	}
	o.bucket = p.open(b.count+1, id)
}

// open returns a bucket for a count that no object had.
func (p *LFU) open(count uint64, last uint32) uint32 {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		p.buckets[i] = bucket{count, last}
		return i
	}
	p.buckets = append(p.buckets, bucket{count, last})
	return uint32(len(p.buckets) - 1)
}
