package kit

import (
	"fmt"
	"unsafe"

	"cachesim/sim"
)

// A Ring is a queue of residents in the order in which they were stored, for policies that never
// move an object: it leaves at the back, or where it is when it is removed.
//
//	places   id 0  id 1  id 2 ...      slot of the object in entries, plus 1; 0: not in the ring
//	entries  [ .  oldest ... x ... newest  . ]   x: removed, left out when its turn comes
//
// Unlike in Queues, the objects that leave next lie side by side, so that an eviction waits for no
// load, and an object that is not resident takes 4 bytes. A resident takes up to 24 more. Every
// operation takes constant time, amortised.
type Ring struct {
	Space
	places  []uint32
	entries []ringEntry
	oldest  int // slot
	n       int // slots taken, removed objects included
	removed int
	loaded  uint32 // keeps Preload's loads from being removed
}

type ringEntry struct {
	size int64 // -1: removed
	id   uint32
}

// NewRing returns an empty ring for the objects and the capacity of c.
func NewRing(c sim.Config) Ring {
	return Ring{Space: Space{capacity: c.Capacity}, places: sim.Make[uint32](c.Objects)}
}

// Has reports whether the object is resident.
func (r *Ring) Has(id uint32) bool { return r.places[id] != 0 }

// Back returns the object that was stored first. The ring must not be empty.
func (r *Ring) Back() uint32 {
	r.skip()
	return r.entries[r.oldest].id
}

// PushFront puts an object that is not in the ring at its front.
func (r *Ring) PushFront(q sim.Request) {
	if r.n == len(r.entries) {
		r.grow()
	}
	at := r.oldest + r.n
	if at >= len(r.entries) {
		at -= len(r.entries)
	}
	r.entries[at] = ringEntry{q.Size, q.ID}
	r.places[q.ID] = uint32(at + 1)
	r.n++
	r.used += q.Size
}

// EvictBack takes out the object that was stored first and counts the eviction. The ring must not
// be empty.
func (r *Ring) EvictBack() {
	r.skip()
	e := &r.entries[r.oldest]
	r.places[e.id] = 0
	r.used -= e.size
	r.evicted++
	r.pass()
}

// Remove takes the object out of the cache and reports whether it was in there.
func (r *Ring) Remove(id uint32) bool {
	place := r.places[id]
	if place == 0 {
		return false
	}
	e := &r.entries[place-1]
	r.used -= e.size
	e.size = -1
	r.places[id] = 0
	r.removed++
	return true
}

// skip passes over removed objects at the back.
func (r *Ring) skip() {
	for r.entries[r.oldest].size < 0 {
		r.removed--
		r.pass()
	}
}

func (r *Ring) pass() {
	r.n--
	if r.oldest++; r.oldest == len(r.entries) {
		r.oldest = 0
	}
}

// grow makes room for half as many objects as there are, and leaves out the removed ones.
func (r *Ring) grow() {
	live := r.n - r.removed
	entries := sim.Grown[ringEntry](0, live+live/2+16)
	for i := range r.n {
		if e := r.entries[(r.oldest+i)%len(r.entries)]; e.size >= 0 {
			entries = append(entries, e)
			r.places[e.id] = uint32(len(entries))
		}
	}
	r.entries, r.oldest, r.n, r.removed = entries[:cap(entries)], 0, live, 0
}

// Preload loads the places of the objects in reqs.
func (r *Ring) Preload(reqs []sim.Request) {
	if len(r.places)*int(unsafe.Sizeof(ringEntry{})) < preloadFrom {
		return
	}
	var sum uint32
	for _, q := range reqs {
		sum += r.places[q.ID]
	}
	r.loaded += sum
}

// Check returns an error where the ring contradicts itself.
func (r *Ring) Check() error {
	var used int64
	live := 0
	for i := range r.n {
		at := (r.oldest + i) % len(r.entries)
		e := r.entries[at]
		if e.size < 0 {
			continue
		}
		if r.places[e.id] != uint32(at+1) {
			return fmt.Errorf("object %d is at %d of the ring, but marked as at %d", e.id, at, int(r.places[e.id])-1)
		}
		used += e.size
		live++
	}
	if live != r.n-r.removed {
		return fmt.Errorf("the ring holds %d objects, but %d are accounted for", live, r.n-r.removed)
	}
	for _, place := range r.places {
		if place != 0 {
			live--
		}
	}
	if live != 0 {
		return fmt.Errorf("%d objects are marked as in the ring, and are not", -live)
	}
	return r.check(used)
}
