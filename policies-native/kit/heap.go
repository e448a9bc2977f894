package kit

import (
	"fmt"
	"math"
	"math/bits"
	"unsafe"

	"cachesim/sim"
)

// A Heap holds resident objects and finds the one with the least key; an object's
// key can be changed. Among equal keys the one that was set first comes first.
//
// Mostly keys rise, which a lazy 4-ary min-heap makes use of: a key that rises is
// noted with the object only, whose entry in the heap stays where it is, with a
// key that is too low. When such an entry reaches the top, it gets the key that
// the object has by then and moves down. So a hit touches one line of memory, and
// an object that is hit often between two visits to the top moves once.
//
//	objects  a 5   b 9   c 7        keys
//	entries        b 4              top: b has 9 by now, and goes below
//	            a 5   c 7
//
// A key that falls gets another entry, and an entry of an object that left, or
// that is below another one of the same object, does no harm: it is dropped or
// moved when it reaches the top, and removed with others where there are more than
// two for each resident when one is added. An object takes 24 bytes, and up to 40
// more while it is resident.
type Heap struct {
	Space
	objects []heapObject
	entries []heapEntry
	len     int
	clock   uint32 // counts set keys, of which there is one for each request at most
	loaded  uint32 // keeps Preload's loads from being removed
}

type heapObject struct {
	key  uint64 // see heapKey
	size int64  // plus 1; 0: not in the heap
	born uint32 // the clock when the key was set
	note uint32 // the policy's own
}

type heapEntry struct {
	key uint64
	tie uint64 // born << 32 | id
}

func (o *heapObject) entry(id uint32) heapEntry {
	return heapEntry{o.key, uint64(o.born)<<32 | uint64(id)}
}

func (e *heapEntry) id() uint32 { return uint32(e.tie) }

// heapKey returns a number that compares like key: its bits, but for the order of negative ones.
// Adding 0 makes one zero of the two.
func heapKey(key float64) uint64 {
	b := math.Float64bits(key + 0)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

func keyOf(b uint64) float64 { return math.Float64frombits(b ^ (uint64(int64(^b)>>63) | 1<<63)) }

// NewHeap returns an empty heap for the objects and the capacity of c.
func NewHeap(c sim.Config) Heap {
	return Heap{Space: Space{capacity: c.Capacity}, objects: sim.Make[heapObject](c.Objects)}
}

// before returns 1 if e is less than f, else 0: the borrow of their difference.
func (e *heapEntry) before(f *heapEntry) int {
	_, borrow := bits.Sub64(e.tie, f.tie, 0)
	_, borrow = bits.Sub64(e.key, f.key, borrow)
	return int(borrow)
}

// Has reports whether the object is resident.
func (h *Heap) Has(id uint32) bool { return h.objects[id].size != 0 }

// Len returns the number of objects in the heap.
func (h *Heap) Len() int { return h.len }

// Min returns the object with the least key, which must exist, and that key.
func (h *Heap) Min() (id uint32, key float64) {
	for {
		e := &h.entries[0]
		id := e.id()
		switch o := &h.objects[id]; {
		case o.size == 0:
			h.pop()
		case o.born != uint32(e.tie>>32):
			h.down(0, o.entry(id))
		default:
			return id, keyOf(e.key)
		}
	}
}

// Key and Size return those of an object that is in the heap.
func (h *Heap) Key(id uint32) float64 { return keyOf(h.objects[id].key) }
func (h *Heap) Size(id uint32) int64  { return h.objects[id].size - 1 }

// Note returns a number that the policy may keep for an object, whether it is in
// the heap or not.
func (h *Heap) Note(id uint32) *uint32 { return &h.objects[id].note }

// Push adds an object that is not in the heap.
func (h *Heap) Push(id uint32, size int64, key float64) {
	h.clock++
	h.used += size
	h.len++
	o := &h.objects[id]
	o.key, o.size, o.born = heapKey(key), size+1, h.clock
	h.up(o.entry(id))
}

// Update changes the key of an object that is in the heap.
func (h *Heap) Update(id uint32, key float64) {
	h.clock++
	o := &h.objects[id]
	k := heapKey(key)
	falls := k < o.key
	o.key, o.born = k, h.clock
	if falls {
		h.up(o.entry(id))
	}
}

// Evict takes an object out of the heap and counts the eviction.
func (h *Heap) Evict(id uint32) {
	h.Remove(id)
	h.evicted++
}

// Remove takes an object out of the heap and reports whether it was in there.
func (h *Heap) Remove(id uint32) bool {
	o := &h.objects[id]
	if o.size == 0 {
		return false
	}
	h.used -= o.size - 1
	h.len--
	o.size = 0
	if h.entries[0].id() == id {
		h.pop()
	}
	return true
}

// up adds an entry.
func (h *Heap) up(e heapEntry) {
	if len(h.entries) > 2*h.len+slack {
		h.clean()
	}
	h.entries = append(h.entries, e)
	i := len(h.entries) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if e.before(&h.entries[parent]) == 0 {
			break
		}
		h.entries[i] = h.entries[parent]
		i = parent
	}
	h.entries[i] = e
}

// pop takes out the entry on top.
func (h *Heap) pop() {
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries = h.entries[:last]
	if last > 0 {
		h.down(0, e)
	}
}

// down puts e at i or below it, moving up what is less.
func (h *Heap) down(i int, e heapEntry) {
	s := h.entries
	for {
		child := 4*i + 1
		if child+3 >= len(s) {
			break
		}
		c := (*[4]heapEntry)(s[child:])
		best := 0
		for k := 1; k < 4; k++ {
			if c[k].before(&c[best]) == 1 {
				best = k
			}
		}
		if c[best].before(&e) == 0 {
			s[i] = e
			return
		}
		s[i] = c[best]
		i = child + best
	}
	if child := 4*i + 1; child < len(s) { // at most 3, and below them none
		best := child
		for c := child + 1; c < len(s); c++ {
			best += (c - best) * s[c].before(&s[best])
		}
		if s[best].before(&e) == 1 {
			s[i] = s[best]
			i = best
		}
	}
	s[i] = e
}

// clean leaves one entry for each resident, with its key.
func (h *Heap) clean() {
	const kept = 1 << 62 // added to a size while its object has an entry already
	n := 0
	for _, e := range h.entries {
		if o := &h.objects[e.id()]; o.size != 0 && o.size < kept {
			o.size += kept
			h.entries[n] = o.entry(e.id())
			n++
		}
	}
	h.entries = h.entries[:n]
	for _, e := range h.entries {
		h.objects[e.id()].size -= kept
	}
	for i := (n - 2) / 4; i >= 0 && n > 1; i-- {
		h.down(i, h.entries[i])
	}
}

// Preload loads the state of the objects in reqs.
func (h *Heap) Preload(reqs []sim.Request) {
	if len(h.objects)*int(unsafe.Sizeof(heapObject{})) < preloadFrom {
		return
	}
	var sum uint32
	for _, r := range reqs {
		sum += h.objects[r.ID].born
	}
	h.loaded += sum
}

// Check returns an error where the heap contradicts itself.
func (h *Heap) Check() error {
	low := make([]bool, len(h.objects)) // has an entry that is not above its key
	for i := range h.entries {
		e := &h.entries[i]
		if i > 0 && e.before(&h.entries[(i-1)/4]) == 1 {
			return fmt.Errorf("object %d is below one that comes after it", e.id())
		}
		if o := h.objects[e.id()].entry(e.id()); o.before(e) == 0 {
			low[e.id()] = true
		}
	}
	var used int64
	n := 0
	for i := range h.objects {
		o := &h.objects[i]
		if o.size == 0 {
			continue
		}
		if !low[i] {
			return fmt.Errorf("object %d has no entry as low as its key", i)
		}
		used += o.size - 1
		n++
	}
	if n != h.len {
		return fmt.Errorf("%d objects are in the heap, but %d are accounted for", n, h.len)
	}
	return h.check(used)
}
