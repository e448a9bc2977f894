package native

// table holds one node per object, which is in one of a few intrusive queues or
// in none. Objects have dense ids, so the nodes are an array: finding one costs
// an index, and moving it writes its neighbours only.
//
//	nodes   0     1        2        3       4
//	        -     queue 0  queue 1  id 0    id 1 ...
//
// Node 0 stands for "no node", so that zeroed memory is an empty table. The
// node of each queue closes its ring: its next is the front, its prev the back.
// A node's value outlives its removal from a queue.
//
// Note: a map from id to node was tried by others and takes four times as long.
type table[T any] struct {
	nodes []node[T]
	first uint32 // node of id 0
}

type node[T any] struct {
	prev, next uint32 // 0: in no queue
	value      T
}

func newTable[T any](objects, queues int) table[T] {
	t := table[T]{make([]node[T], 1+queues+objects), uint32(1 + queues)}
	for q := 1; q <= queues; q++ {
		t.nodes[q].prev, t.nodes[q].next = uint32(q), uint32(q)
	}
	return t
}

// has reports whether the object is in a queue.
func (t *table[T]) has(id uint32) bool { return t.nodes[t.first+id].next != 0 }

// value returns the object's value, whether it is in a queue or not.
func (t *table[T]) value(id uint32) *T { return &t.nodes[t.first+id].value }

// empty reports whether queue q holds no object.
func (t *table[T]) empty(q uint32) bool { return t.nodes[q+1].next == q+1 }

// front and back return an end of queue q, which must not be empty.
func (t *table[T]) front(q uint32) uint32 { return t.nodes[q+1].next - t.first }
func (t *table[T]) back(q uint32) uint32  { return t.nodes[q+1].prev - t.first }

// pushFront puts an object that is in no queue at the front of queue q and
// returns its value.
func (t *table[T]) pushFront(q, id uint32) *T { return t.link(q+1, t.first+id) }

// insertAfter puts an object that is in no queue behind one that is.
func (t *table[T]) insertAfter(at, id uint32) *T { return t.link(t.first+at, t.first+id) }

// next returns the object behind id in its queue; ok is false at the back.
func (t *table[T]) next(id uint32) (behind uint32, ok bool) {
	n := t.nodes[t.first+id].next
	return n - t.first, n >= t.first
}

// prev returns the object before id in its queue; ok is false at the front.
func (t *table[T]) prev(id uint32) (before uint32, ok bool) {
	n := t.nodes[t.first+id].prev
	return n - t.first, n >= t.first
}

func (t *table[T]) link(at, n uint32) *T {
	x, a := &t.nodes[n], &t.nodes[at]
	x.prev, x.next = at, a.next
	t.nodes[a.next].prev = n
	a.next = n
	return &x.value
}

// remove takes the object out of its queue and returns its value.
func (t *table[T]) remove(id uint32) *T {
	x := &t.nodes[t.first+id]
	t.nodes[x.prev].next = x.next
	t.nodes[x.next].prev = x.prev
	x.prev, x.next = 0, 0
	return &x.value
}
