package profile

import (
	"errors"
	"slices"

	"cachesim/sim"
)

// LRUOptions say of which caches LRU computes the curve.
type LRUOptions struct {
	Unit     string // sim.UnitBytes or sim.UnitObjects
	Metadata int64  // bytes added to the size of each object
	Warmup   int    // requests that do not count
}

// CanLRU reports whether LRU applies to a cache of t: the trace has no deletes,
// times to live or changes of size, after which an LRU cache is no longer the top of
// the stack, and no object is larger than the cache, which would not be stored.
func CanLRU(t *sim.Trace, capacity int64, o LRUOptions) bool {
	return t.Columns == 0 && !t.SizesVary() && (o.Unit == sim.UnitObjects || t.LargestSize+o.Metadata <= capacity)
}

// LRU computes what an LRU cache of each of the capacities, which ascend, comes
// to, exactly, in one pass over t; see lruLevels. Its result has no evictions.
func LRU(t *sim.Trace, o LRUOptions, capacities []int64) ([]sim.Tally, error) {
	if !slices.IsSorted(capacities) || len(capacities) == 0 || !CanLRU(t, capacities[0], o) {
		return nil, errors.New("compute the LRU curve: expects ascending capacities, none below the largest object, and a trace of gets")
	}
	levels := newLRULevels(t.Objects, capacities)
	list := make([]sim.Tally, len(capacities)+1) // first: hits that the capacity before does not have
	var gets, bytes int64
	err := t.Each(0, func(start int, b sim.Batch) error {
		for i, r := range b.Requests {
			if i%lruAhead == 0 {
				levels.preload(b.Requests[i:min(i+lruAhead, len(b.Requests))])
			}
			size := r.Size + o.Metadata
			if o.Unit == sim.UnitObjects {
				size = 1
			}
			k := levels.access(r.ID, size)
			if start+i < o.Warmup {
				continue
			}
			gets++
			bytes += r.Size
			list[k].Hits++
			list[k].HitBytes += r.Size
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list = list[:len(capacities)]
	for k := range list {
		n := &list[k]
		if k > 0 {
			n.Hits += list[k-1].Hits
			n.HitBytes += list[k-1].HitBytes
		}
		n.Gets, n.Bytes = gets, bytes
		admissions, admitted := gets-n.Hits, bytes-n.HitBytes // LRU stores all that it misses
		n.Admissions, n.AdmittedBytes = &admissions, &admitted
	}
	return list, nil
}

// lruLevels are LRU caches of several capacities at once. A cache holds the most
// recently used objects that fit, so that each holds what the smaller ones do:
// they share one list, and differ in where they end.
//
//	list, newest first      e  a  d  b  f  c
//	level                   0  0  1  1  1  2     the smallest cache that holds it
//	last of a level's cache    ^        ^  ^
//
// What is requested moves to the front; each cache that did not hold it then loses
// its last objects until it fits, which is moving its mark. So a request takes
// constant time and as much again as the misses of all caches take, whatever their
// number: less than trees of reuse distances, which it costs a walk for each.
type lruLevels struct {
	capacities []int64
	used       []int64
	last       []uint32 // of each cache, plus 1; 0: it is empty
	front      uint32   // plus 1
	nodes      []lruNode
	loaded     uint32 // keeps preload's loads from being removed
}

type lruNode struct {
	prev, next uint32 // plus 1; 0: there is none
	size       int64
	level      uint32 // plus 1; 0: in no cache, and not on the list
}

// newLRULevels makes empty caches of ascending capacities for ids below objects.
func newLRULevels(objects int, capacities []int64) *lruLevels {
	n := len(capacities)
	return &lruLevels{capacities: capacities, used: make([]int64, n), last: make([]uint32, n), nodes: sim.Make[lruNode](objects)}
}

// lruAhead is how many requests preload is for: their nodes and neighbours stay in the
// processor's first cache.
const lruAhead = 32

// preload loads the nodes of the objects in reqs, and then their neighbours: many at a
// time, where access would wait for one after the other.
func (l *lruLevels) preload(reqs []sim.Request) {
	var sum uint32
	for _, r := range reqs {
		sum += l.nodes[r.ID].level
	}
	for _, r := range reqs {
		x := &l.nodes[r.ID]
		if x.level == 0 {
			continue
		}
		if x.prev != 0 {
			sum += l.nodes[x.prev-1].level
		}
		if x.next != 0 {
			sum += l.nodes[x.next-1].level
		}
	}
	l.loaded += sum
}

// access serves a request for an object, which always has the same size, and
// returns the index of the smallest cache that held it, or the number of caches.
func (l *lruLevels) access(id uint32, size int64) (level int) {
	at := id + 1
	x := &l.nodes[id]
	if x.level == 0 {
		level = len(l.capacities)
		x.size = size
	} else {
		level = int(x.level - 1)
		if l.front == at {
			return level
		}
		for k := level; k < len(l.last) && l.last[k] == at; k++ {
			l.last[k] = x.prev
		}
		l.nodes[x.prev-1].next = x.next
		if x.next != 0 {
			l.nodes[x.next-1].prev = x.prev
		}
	}
	x.prev, x.next, x.level = 0, l.front, 1
	if l.front != 0 {
		l.nodes[l.front-1].prev = at
	}
	l.front = at
	for k := range level {
		if l.last[k] == 0 {
			l.last[k] = at
		}
		l.used[k] += size
		for l.used[k] > l.capacities[k] {
			t := &l.nodes[l.last[k]-1]
			l.used[k] -= t.size
			l.last[k] = t.prev
			if t.prev != 0 { // the next to go: loaded while others are looked at
				l.loaded += l.nodes[t.prev-1].level
			}
			t.level = uint32(k + 2)
			if k == len(l.capacities)-1 { // no cache holds it
				t.level = 0
				if t.prev != 0 {
					l.nodes[t.prev-1].next = 0
				}
			}
		}
	}
	return level
}
