package kit

import (
	"fmt"

	"cachesim/sim"
)

// A Heap is an indexed binary min-heap of resident objects: the least key is on
// top, and an object's key can be changed where it is. Among equal keys the one
// that was set first comes first. An object takes 32 bytes while it is resident
// and 4 otherwise.
type Heap struct {
	Space
	entries []entry
	index   []uint32 // of an object in entries plus 1; 0: not in the heap
	clock   uint64   // counts set keys
}

type entry struct {
	key  float64
	born uint64 // the clock when the key was set
	size int64
	id   uint32
}

// NewHeap returns an empty heap for the objects and the capacity of c.
func NewHeap(c sim.Config) Heap {
	return Heap{Space: Space{capacity: c.Capacity}, index: sim.Make[uint32](c.Objects)}
}

func (e *entry) before(f *entry) bool {
	return e.key < f.key || e.key == f.key && e.born < f.born
}

// Has reports whether the object is resident.
func (h *Heap) Has(id uint32) bool { return h.index[id] != 0 }

// Len returns the number of objects in the heap.
func (h *Heap) Len() int { return len(h.entries) }

// Min returns the object with the least key, which must exist, and that key.
func (h *Heap) Min() (id uint32, key float64) { return h.entries[0].id, h.entries[0].key }

// Key and Size return those of an object that is in the heap.
func (h *Heap) Key(id uint32) float64 { return h.entries[h.index[id]-1].key }
func (h *Heap) Size(id uint32) int64  { return h.entries[h.index[id]-1].size }

// Push adds an object that is not in the heap.
func (h *Heap) Push(id uint32, size int64, key float64) {
	h.clock++
	h.used += size
	h.entries = append(h.entries, entry{})
	h.up(entry{key, h.clock, size, id}, len(h.entries)-1)
}

// Update changes the key of an object that is in the heap.
func (h *Heap) Update(id uint32, key float64) {
	h.clock++
	i := int(h.index[id] - 1)
	old := h.entries[i]
	e := entry{key, h.clock, old.size, id}
	if e.before(&old) {
		h.up(e, i)
	} else {
		h.down(e, i)
	}
}

// Evict takes an object out of the heap and counts the eviction.
func (h *Heap) Evict(id uint32) {
	h.Remove(id)
	h.evicted++
}

// Remove takes an object out of the heap and reports whether it was in there.
func (h *Heap) Remove(id uint32) bool {
	if h.index[id] == 0 {
		return false
	}
	i := int(h.index[id] - 1)
	h.used -= h.entries[i].size
	h.index[id] = 0
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries = h.entries[:last]
	switch {
	case i == last:
	case i > 0 && e.before(&h.entries[(i-1)/2]):
		h.up(e, i)
	default:
		h.down(e, i)
	}
	return true
}

// up puts e at hole i or above it, moving down what is greater.
func (h *Heap) up(e entry, i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(&h.entries[parent]) {
			break
		}
		h.put(h.entries[parent], i)
		i = parent
	}
	h.put(e, i)
}

// down puts e at hole i or below it, moving up what is less.
func (h *Heap) down(e entry, i int) {
	for {
		child := 2*i + 1
		if child >= len(h.entries) {
			break
		}
		if r := child + 1; r < len(h.entries) && h.entries[r].before(&h.entries[child]) {
			child = r
		}
		if !h.entries[child].before(&e) {
			break
		}
		h.put(h.entries[child], i)
		i = child
	}
	h.put(e, i)
}

func (h *Heap) put(e entry, i int) {
	h.entries[i] = e
	h.index[e.id] = uint32(i + 1)
}

// Check returns an error where the heap contradicts itself.
func (h *Heap) Check() error {
	var used int64
	for i := range h.entries {
		e := &h.entries[i]
		if h.index[e.id] != uint32(i+1) {
			return fmt.Errorf("object %d is at %d of the heap, but marked as at %d", e.id, i, int(h.index[e.id])-1)
		}
		if i > 0 && e.before(&h.entries[(i-1)/2]) {
			return fmt.Errorf("object %d is below one that comes after it", e.id)
		}
		used += e.size
	}
	return h.check(used)
}
