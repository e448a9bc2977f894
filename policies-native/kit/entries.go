package kit

import "cachesim/sim"

// Entries estimate how many objects fit into a cache whose capacity is in bytes,
// for algorithms that are defined for a cache of N entries. N is the capacity
// divided by the mean size of the objects stored so far, an object counting each
// time that it is stored: for n objects of b bytes together, and 64-bit floating
// point, floor(capacity * n / b), from 1 to 2^62. It is max(1, capacity) where b is
// 0 or n, so that with sizes of 1 it is the capacity at all times.
type Entries struct {
	capacity      int64
	stored, bytes int64
	n             int64
	stale         bool // n is that of before the last objects stored
	config        sim.Config
	share         float64 // in a miniature: stored, in objects of equal probability
}

// NewEntries returns an estimate for the capacity of c. Before an object is
// stored it is the capacity, but at least 1.
func NewEntries(c sim.Config) Entries {
	return Entries{capacity: c.Capacity, n: max(1, c.Capacity), config: c}
}

// Stored notes that the object of r is stored.
func (e *Entries) Stored(r sim.Request) {
	e.stored++
	e.bytes += r.Size
	if e.config.Sizes != nil {
		e.share += e.config.Share(r)
	}
	e.stale = true
}

// N returns the estimate, rounded down, at least 1: the capacity as long as all
// objects stored have no bytes.
func (e *Entries) N() int64 {
	if e.stale {
		e.update()
	}
	return e.n
}

func (e *Entries) update() {
	e.stale = false
	e.n = max(1, e.capacity)
	if e.config.Sizes != nil {
		e.n = max(1, int64(min(float64(e.capacity)*e.share/float64(max(1, e.bytes)), 1<<62)))
	} else if e.bytes > 0 && e.bytes != e.stored {
		e.n = max(1, int64(min(float64(e.capacity)*float64(e.stored)/float64(e.bytes), 1<<62)))
	}
}
