package profile

import (
	"errors"
	"math/bits"
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
// to, exactly and all together; see lruCaches. It reads t once, and again for each
// capacity, at some distance. Its result has no evictions.
func LRU(t *sim.Trace, o LRUOptions, capacities []int64) ([]sim.Tally, error) {
	if !slices.IsSorted(capacities) || len(capacities) == 0 || !CanLRU(t, capacities[0], o) {
		return nil, errors.New("compute the LRU curve: expects ascending capacities, none below the largest object, and a trace of gets")
	}
	caches, err := newLRUCaches(t, o, capacities)
	if err != nil {
		return nil, err
	}
	defer caches.close()
	list := make([]sim.Tally, len(capacities)+1) // first: hits that the capacity before does not have
	var gets, bytes int64
	err = t.Each(0, func(start int, b sim.Batch) error {
		for i, r := range b.Requests {
			if i%lruAhead == 0 {
				caches.preload(b.Requests[i:min(i+lruAhead, len(b.Requests))])
			}
			k, err := caches.access(start+i, r)
			if err != nil {
				return err
			}
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

// lruCaches are LRU caches of several capacities at once. Such a cache holds the objects
// that were requested since some moment, which the cache alone decides: no list is needed
// to know them, and each cache holds what the smaller ones do.
//
//	requests       a  b  a  c  d  b  e
//	latest               x  x  x  x  x     of its object: the others count no more
//	since                ^     ^           of two caches: a c d b e, d b e
//
// A request is a hit in the caches whose moment is not after the latest request for its
// object. The others store the object and then move their moment over the requests that
// follow, whose objects they lose, until they fit. So a request takes one look at its
// object, and all moments pass the trace from its start to its end, in order: memory is
// fast at that.
type lruCaches struct {
	o      LRUOptions
	caches []lruCache // ascending
	latest []uint32   // of each object: the index of its latest request, plus 1
	// is has a bit for each request: whether it is the latest of its object.
	is     []uint64
	loaded uint64 // keeps preload's loads from being removed
}

type lruCache struct {
	capacity, used int64
	since          int        // index of a request
	reader         sim.Reader // of the requests from since on
	batch          []sim.Request
	start          int // index of the first of batch
}

func newLRUCaches(t *sim.Trace, o LRUOptions, capacities []int64) (*lruCaches, error) {
	l := &lruCaches{o: o, latest: sim.Make[uint32](t.Objects), is: sim.Make[uint64]((t.Requests + 63) / 64)}
	for _, c := range capacities {
		r, err := t.Reader(0)
		if err != nil {
			l.close()
			return nil, err
		}
		l.caches = append(l.caches, lruCache{capacity: c, reader: r})
	}
	return l, nil
}

func (l *lruCaches) close() {
	for _, c := range l.caches {
		c.reader.Close()
	}
}

// lruAhead is how many requests preload is for: what it loads stays in the processor's
// first cache.
const lruAhead = 32

// preload loads what access looks at for reqs: many at a time, where access would wait for
// one after the other.
func (l *lruCaches) preload(reqs []sim.Request) {
	for _, r := range reqs {
		l.loaded += uint64(l.latest[r.ID])
	}
	for _, r := range reqs {
		if at := l.latest[r.ID]; at > 0 {
			l.loaded += l.is[(at-1)>>6]
		}
	}
}

// access serves request i and returns the index of the smallest cache that held its
// object, or the number of caches.
func (l *lruCaches) access(i int, r sim.Request) (level int, err error) {
	level = len(l.caches)
	if at := l.latest[r.ID]; at > 0 {
		at--
		l.is[at>>6] &^= 1 << (at & 63)
		for level > 0 && int(at) >= l.caches[level-1].since {
			level--
		}
	}
	l.latest[r.ID] = uint32(i + 1)
	l.is[i>>6] |= 1 << (i & 63)
	size := l.size(r)
	for k := range l.caches[:level] {
		c := &l.caches[k]
		c.used += size
		for c.used > c.capacity {
			if err := l.evict(c); err != nil {
				return 0, err
			}
		}
	}
	return level, nil
}

func (l *lruCaches) size(r sim.Request) int64 {
	if l.o.Unit == sim.UnitObjects {
		return 1
	}
	return r.Size + l.o.Metadata
}

// evictAhead is how many requests before its turn one is loaded whose object may go.
const evictAhead = 24

// evict moves the moment of c past the oldest request of an object that it holds.
func (l *lruCaches) evict(c *lruCache) error {
	w := c.since >> 6
	x := l.is[w] >> (c.since & 63) << (c.since & 63)
	for x == 0 {
		w++
		x = l.is[w]
	}
	at := w<<6 + bits.TrailingZeros64(x)
	for at >= c.start+len(c.batch) {
		c.start += len(c.batch)
		b, err := c.reader.Next()
		if err != nil {
			return err
		}
		c.batch = b.Requests
	}
	c.used -= l.size(c.batch[at-c.start])
	c.since = at + 1
	if ahead := at - c.start + evictAhead; ahead < len(c.batch) {
		l.loaded += uint64(c.batch[ahead].ID)
	}
	return nil
}
