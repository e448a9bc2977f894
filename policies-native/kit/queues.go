package kit

import (
	"fmt"
	"unsafe"

	"cachesim/sim"
)

// Queues hold objects in one of a few intrusive queues, or in none. The first
// queues hold residents, the objects in the cache; the others hold ghosts,
// objects that are remembered but take no space of the cache. A T is kept for
// every object of the trace, whether it is in a queue or not.
//
//	nodes   0        1        2     3     4
//	        queue 0  queue 1  id 0  id 1  id 2 ...
//
// The node of each queue closes its ring: its next is the front, its prev the
// back. Every operation takes constant time and touches the node of the object
// and its neighbours only. A node takes 16 bytes and a T.
//
// Note: a map from id to node takes four times as long.
type Queues[T any] struct {
	Space
	nodes     []node[T]
	rings     []ring
	residents uint64 // queues below it hold residents
	loaded    uint64 // keeps Preload's loads from being removed
}

type node[T any] struct {
	value      T // first: a last field of no size would be padded
	prev, next uint32
	meta       uint64 // size << 8 | queue + 1; 0: in no queue
}

type ring struct {
	bytes int64
	len   int
}

// NewQueues returns empty queues for the objects and the capacity of c. Numbers
// of queues start at 0, those of residents first; there are at most 254.
func NewQueues[T any](c sim.Config, residents, ghosts int) Queues[T] {
	n := residents + ghosts
	q := Queues[T]{
		Space:     Space{capacity: c.Capacity},
		nodes:     sim.Make[node[T]](n + c.Objects),
		rings:     make([]ring, n),
		residents: uint64(residents),
	}
	for i := range n {
		q.nodes[i].prev, q.nodes[i].next = uint32(i), uint32(i)
	}
	return q
}

func (q *Queues[T]) at(id uint32) *node[T] { return &q.nodes[int(id)+len(q.rings)] }

func (q *Queues[T]) id(n uint32) uint32 { return n - uint32(len(q.rings)) }

// Has reports whether the object is resident.
func (q *Queues[T]) Has(id uint32) bool { return q.at(id).meta&0xff-1 < q.residents }

// In reports whether the object is in the given queue.
func (q *Queues[T]) In(queue int, id uint32) bool { return q.at(id).meta&0xff == uint64(queue+1) }

// Queue returns the queue that the object is in, or -1.
func (q *Queues[T]) Queue(id uint32) int { return int(q.at(id).meta&0xff) - 1 }

// Value returns the object's T, whether it is in a queue or not.
func (q *Queues[T]) Value(id uint32) *T { return &q.at(id).value }

// Size returns the size of an object that is in a queue.
func (q *Queues[T]) Size(id uint32) int64 { return int64(q.at(id).meta >> 8) }

// Bytes returns the sizes of the objects in a queue together.
func (q *Queues[T]) Bytes(queue int) int64 { return q.rings[queue].bytes }

// Len returns the number of objects in a queue.
func (q *Queues[T]) Len(queue int) int { return q.rings[queue].len }

// Empty reports whether a queue holds no object.
func (q *Queues[T]) Empty(queue int) bool { return q.nodes[queue].next == uint32(queue) }

// Front and Back return an end of a queue that is not empty.
func (q *Queues[T]) Front(queue int) uint32 { return q.id(q.nodes[queue].next) }
func (q *Queues[T]) Back(queue int) uint32  { return q.id(q.nodes[queue].prev) }

// Next returns the object behind id, towards the back; ok is false at the back.
func (q *Queues[T]) Next(id uint32) (behind uint32, ok bool) {
	n := q.at(id).next
	return q.id(n), int(n) >= len(q.rings)
}

// Prev returns the object before id, towards the front; ok is false at the
// front.
func (q *Queues[T]) Prev(id uint32) (before uint32, ok bool) {
	n := q.at(id).prev
	return q.id(n), int(n) >= len(q.rings)
}

// PushFront puts an object that is in no queue at the front of a queue.
func (q *Queues[T]) PushFront(queue int, id uint32, size int64) {
	q.enter(queue, id, size)
	q.link(uint32(queue), id)
}

// PushBack puts an object that is in no queue at the back of a queue.
func (q *Queues[T]) PushBack(queue int, id uint32, size int64) {
	q.enter(queue, id, size)
	q.link(q.nodes[queue].prev, id)
}

// InsertBehind puts an object that is in no queue behind another one, towards
// the back, in that one's queue.
func (q *Queues[T]) InsertBehind(at, id uint32, size int64) {
	q.enter(q.Queue(at), id, size)
	q.link(at+uint32(len(q.rings)), id)
}

// MoveToFront moves an object to the front of the queue that it is in.
func (q *Queues[T]) MoveToFront(id uint32) {
	x := q.at(id)
	q.unlink(x)
	q.link(uint32(x.meta&0xff)-1, id)
}

// MoveBehind moves an object behind another one of the same queue.
func (q *Queues[T]) MoveBehind(at, id uint32) {
	q.unlink(q.at(id))
	q.link(at+uint32(len(q.rings)), id)
}

// Move moves an object that is in a queue to the front of another one. From a
// queue of residents to one of ghosts it is an eviction.
func (q *Queues[T]) Move(id uint32, queue int) {
	x := q.at(id)
	size := int64(x.meta >> 8)
	q.unlink(x)
	if q.leave(x) && uint64(queue) >= q.residents {
		q.evicted++
	}
	q.enter(queue, id, size)
	q.link(uint32(queue), id)
}

// Evict takes a resident out of its queue and counts the eviction.
func (q *Queues[T]) Evict(id uint32) {
	q.Drop(id)
	q.evicted++
}

// Drop takes an object out of its queue and counts nothing.
func (q *Queues[T]) Drop(id uint32) {
	x := q.at(id)
	q.unlink(x)
	q.leave(x)
	x.meta = 0
}

// Remove takes the object out of the cache and reports whether it was in there.
// A ghost stays where it is. A policy that keeps references to objects outside
// the queues, such as the hand of a clock, has a Remove of its own.
func (q *Queues[T]) Remove(id uint32) bool {
	if !q.Has(id) {
		return false
	}
	q.Drop(id)
	return true
}

func (q *Queues[T]) enter(queue int, id uint32, size int64) {
	q.at(id).meta = uint64(size)<<8 | uint64(queue+1)
	r := &q.rings[queue]
	r.bytes += size
	r.len++
	if uint64(queue) < q.residents {
		q.used += size
	}
}

// leave is the reverse of enter; it reports whether the object was resident.
func (q *Queues[T]) leave(x *node[T]) bool {
	size := int64(x.meta >> 8)
	queue := x.meta&0xff - 1
	r := &q.rings[queue]
	r.bytes -= size
	r.len--
	if queue < q.residents {
		q.used -= size
		return true
	}
	return false
}

// link puts an object behind node at.
func (q *Queues[T]) link(at, id uint32) {
	n := id + uint32(len(q.rings))
	x, a := &q.nodes[n], &q.nodes[at]
	x.prev, x.next = at, a.next
	q.nodes[a.next].prev = n
	a.next = n
}

func (q *Queues[T]) unlink(x *node[T]) {
	q.nodes[x.prev].next = x.next
	q.nodes[x.next].prev = x.prev
}

// preloadFrom is how large the nodes have to be, in bytes, for Preload to gain:
// smaller ones stay in the processor's caches anyway. By measurement, nothing is
// gained at 100,000 objects of 16 bytes.
const preloadFrom = 4 << 20

// Preload loads the nodes of the objects in reqs, and then the neighbours of
// those that are in a queue.
func (q *Queues[T]) Preload(reqs []sim.Request) {
	var zero node[T]
	if len(q.nodes)*int(unsafe.Sizeof(zero)) < preloadFrom {
		return
	}
	var sum uint64
	for _, r := range reqs {
		sum += q.at(r.ID).meta
	}
	for _, r := range reqs {
		if x := q.at(r.ID); x.meta != 0 {
			sum += q.nodes[x.prev].meta + q.nodes[x.next].meta
		}
	}
	q.loaded += sum
}

// Check returns an error where the queues contradict themselves.
func (q *Queues[T]) Check() error {
	var used int64
	inQueues := 0
	for i, r := range q.rings {
		var bytes int64
		n := 0
		before := uint32(i)
		for at := q.nodes[i].next; int(at) >= len(q.rings); at = q.nodes[at].next {
			x := &q.nodes[at]
			if x.prev != before {
				return fmt.Errorf("queue %d: object %d does not follow the one before it", i, q.id(at))
			}
			if int(x.meta&0xff)-1 != i {
				return fmt.Errorf("queue %d: object %d is marked as in queue %d", i, q.id(at), int(x.meta&0xff)-1)
			}
			bytes += int64(x.meta >> 8)
			n++
			before = at
		}
		if bytes != r.bytes || n != r.len {
			return fmt.Errorf("queue %d: %d objects of %d together, but %d of %d are accounted for", i, n, bytes, r.len, r.bytes)
		}
		if uint64(i) < q.residents {
			used += bytes
		}
		inQueues += n
	}
	for i := range q.nodes[len(q.rings):] {
		if q.nodes[len(q.rings)+i].meta != 0 {
			inQueues--
		}
	}
	if inQueues != 0 {
		return fmt.Errorf("%d objects are marked as in a queue, and in none", -inQueues)
	}
	return q.check(used)
}
