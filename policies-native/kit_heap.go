package native

// heap is an indexed binary min-heap of objects: the least key is on top, and an
// object's key can be changed where it stands. Among equal keys the one that
// was set first comes first.
type heap struct {
	entries []entry
	place   []uint32 // of an object in entries plus 1; 0: not in the heap
	clock   uint64   // counts set keys
}

type entry struct {
	key  float64
	born uint64 // the clock when the key was set
	id   uint32
}

func newHeap(objects int) heap { return heap{place: make([]uint32, objects)} }

func (e *entry) before(f *entry) bool {
	return e.key < f.key || e.key == f.key && e.born < f.born
}

// has reports whether the object is in the heap.
func (h *heap) has(id uint32) bool { return h.place[id] != 0 }

// top returns the object with the least key, which must exist, and that key.
func (h *heap) top() (id uint32, key float64) { return h.entries[0].id, h.entries[0].key }

// set gives the object a key, adding it if need be.
func (h *heap) set(id uint32, key float64) {
	h.clock++
	e := entry{key, h.clock, id}
	i := h.place[id]
	if i == 0 {
		h.entries = append(h.entries, e)
		h.up(e, len(h.entries)-1)
		return
	}
	if old := &h.entries[i-1]; e.before(old) {
		h.up(e, int(i-1))
	} else {
		h.down(e, int(i-1))
	}
}

// pop removes the object on top.
func (h *heap) pop() {
	h.place[h.entries[0].id] = 0
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries = h.entries[:last]
	if last > 0 {
		h.down(e, 0)
	}
}

// up puts e at hole i or above it, moving down what is greater.
func (h *heap) up(e entry, i int) {
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
func (h *heap) down(e entry, i int) {
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

func (h *heap) put(e entry, i int) {
	h.entries[i] = e
	h.place[e.id] = uint32(i + 1)
}
