package kit

import (
	"fmt"
	"unsafe"

	"cachesim/sim"
)

// A Queue is one queue of residents, with nothing else kept for each object: Queues of one, whose
// operations take fewer instructions.
//
//	nodes   0      1     2     3
//	        queue  id 0  id 1  id 2 ...
//
// The node of the queue closes the ring: its next is the front, its prev the back. A node takes 16
// bytes. Every operation takes constant time and touches the object's node and its neighbours only.
type Queue struct {
	Space
	nodes  []queued
	loaded int64 // keeps Preload's loads from being removed
}

type queued struct {
	prev, next uint32
	size       int64 // plus 1; 0: not in the queue
}

// NewQueue returns an empty queue for the objects and the capacity of c.
func NewQueue(c sim.Config) Queue {
	return Queue{Space: Space{capacity: c.Capacity}, nodes: sim.Make[queued](1 + c.Objects)}
}

// Has reports whether the object is resident.
func (q *Queue) Has(id uint32) bool { return q.nodes[id+1].size != 0 }

// Front and Back return an end of the queue, which must not be empty.
func (q *Queue) Front() uint32 { return q.nodes[0].next - 1 }
func (q *Queue) Back() uint32  { return q.nodes[0].prev - 1 }

// PushFront puts an object that is not in the queue at its front.
func (q *Queue) PushFront(r sim.Request) {
	q.used += r.Size
	n := r.ID + 1
	x, ends := &q.nodes[n], &q.nodes[0]
	first := ends.next
	*x = queued{0, first, r.Size + 1}
	q.nodes[first].prev = n
	ends.next = n
}

// MoveToFront moves an object to the front of the queue, which it must be in.
func (q *Queue) MoveToFront(id uint32) {
	n := id + 1
	nodes := q.nodes
	x, ends := &nodes[n], &nodes[0]
	nodes[x.prev].next = x.next
	nodes[x.next].prev = x.prev
	first := ends.next
	x.prev, x.next = 0, first
	nodes[first].prev = n
	ends.next = n
}

// Evict takes an object out of the queue and counts the eviction.
func (q *Queue) Evict(id uint32) {
	q.drop(id)
	q.evicted++
}

// Remove takes the object out of the cache and reports whether it was in there.
func (q *Queue) Remove(id uint32) bool {
	if !q.Has(id) {
		return false
	}
	q.drop(id)
	return true
}

func (q *Queue) drop(id uint32) {
	x := &q.nodes[id+1]
	q.nodes[x.prev].next = x.next
	q.nodes[x.next].prev = x.prev
	q.used -= x.size - 1
	x.size = 0
}

// Preload loads the nodes of the objects in reqs, and then the neighbours of those that are in the
// queue.
func (q *Queue) Preload(reqs []sim.Request) {
	nodes := q.nodes
	if len(nodes)*int(unsafe.Sizeof(queued{})) < preloadFrom {
		return
	}
	var sum int64
	for _, r := range reqs {
		sum += nodes[r.ID+1].size
	}
	for _, r := range reqs {
		if x := &nodes[r.ID+1]; x.size != 0 {
			sum += nodes[x.prev].size + nodes[x.next].size
		}
	}
	q.loaded += sum
}

// Check returns an error where the queue contradicts itself.
func (q *Queue) Check() error {
	var used int64
	before, n := uint32(0), 0
	for at := q.nodes[0].next; at != 0; at = q.nodes[at].next {
		x := &q.nodes[at]
		if x.prev != before {
			return fmt.Errorf("object %d does not follow the one before it", at-1)
		}
		if x.size == 0 {
			return fmt.Errorf("object %d is in the queue and not marked as such", at-1)
		}
		used += x.size - 1
		before = at
		n++
	}
	for _, x := range q.nodes {
		if x.size != 0 {
			n--
		}
	}
	if n != 0 {
		return fmt.Errorf("%d objects are marked as in the queue, and are not", -n)
	}
	return q.check(used)
}
