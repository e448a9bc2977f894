package native

import (
	"fmt"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// lirs keeps the objects of low inter-reference recency (LIR) in nearly all of
// the cache. The others (HIR) pass through a small queue, and become LIR when they
// are requested again while the stack still remembers them.
//
//	stack, newest first     a  x  b  y  c     LIR are a, b, c, and one is last
//	queue, newest first     x  z              resident HIR, in the stack or not
//	lost, newest first      y                 non-resident HIR, only in the stack
//
// c is the capacity. The queue has H = max(1, floor(hir*c)) bytes, at most c, and
// the LIR objects the other L = c - H. The bytes of the LIR objects never exceed L,
// nor those of the queue H, so that their sum needs no further bound. For a
// requested object x of s bytes:
//
//   - x is LIR: it moves to the top of the stack; prune.
//   - x is in the queue and in the stack, and s <= L: it leaves both, room for it
//     is made among the LIR objects, and it becomes LIR on top of the stack; prune,
//     since there may have been no other LIR object.
//   - x is in the queue otherwise: it moves to the front of the queue and to the
//     top of the stack.
//   - x is lost and s <= L: a miss; it becomes LIR as above.
//   - otherwise it is a miss, and x leaves the stack and the lost objects, if it
//     was there. If x was not lost and the LIR objects and x have at most L bytes
//     together, it becomes LIR as above. Else if s <= H, room is made in
//     the queue, and x goes to its front and to the top of the stack. Else x is
//     not stored: it goes to the top of the stack and to the front of the lost, as
//     an object would that leaves the queue at once. It is stored if it is
//     requested again in time; an object larger than L and H never is.
//
// To make room among the LIR objects for s bytes, as long as they have more than
// L - s bytes, the last in the stack leaves it and is no longer LIR. If it has at
// most H bytes, room for it is made in the queue, to the front of which it goes;
// else it is evicted and forgotten. Then prune, each time.
//
// Prune: while the last object of the stack is not LIR, it leaves the stack; if it
// was lost, it is forgotten.
//
// To make room in the queue for s bytes, as long as it has more than H - s bytes,
// its back is evicted. Where that object is in the stack, it goes to the front of
// the lost, else it is forgotten.
//
// After each request, while the objects in the stack have more than stack*c bytes
// and there are lost ones, the back of the lost leaves the stack and is forgotten.
// A removed object leaves queue and stack; after a LIR object, prune.
//
// The paper is for objects of one size and has no bound for the stack; there, a
// cache that is not full yet fills its LIR objects first, as this one does at any
// time. The share of 1 % is the paper's. A request takes constant amortized time.
// Evictions are objects that leave the cache from the queue, or from the LIR objects
// where H is too small for them.
type lirs struct {
	kit.Queues[struct{}]                      // LIR objects, the queue, and the lost
	stack                kit.Queues[struct{}] // all of them but part of the queue
	kit.Admitted
	lirLimit, hirLimit, stackLimit int64 // bytes
}

const (
	lirsLIR = iota
	lirsQueue
	lirsLost
)

var lirsSpec = sim.Spec{
	Name:  "lirs",
	Title: "LIRS",
	Doc:   "keeps objects whose last two requests were close together; the others share 1 % of the cache",
	Paper: "Jiang, Zhang, LIRS: an efficient low inter-reference recency set replacement policy to improve buffer cache performance, SIGMETRICS 2002",
	Params: []sim.Param{
		{Name: "hir", Default: 0.01, Min: 0, Max: 1, Doc: "share of the bytes given to resident HIR objects"},
		{Name: "stack", Default: 2, Min: 1, Max: 100, Doc: "bytes of all objects in the stack, residents included, at most, in capacities"},
	},
	Memory:    32,
	Miniature: sim.Miniaturization{TrueSizes: true},
	New: func(c sim.Config) sim.Policy {
		h := min(c.Capacity, max(1, int64(c.Param("hir")*float64(c.Capacity))))
		return &lirs{
			Queues:     kit.NewQueues[struct{}](c, 2, 1),
			stack:      kit.NewQueues[struct{}](c, 0, 1),
			lirLimit:   c.Capacity - h,
			hirLimit:   h,
			stackLimit: int64(c.Param("stack") * float64(c.Capacity)),
		}
	},
}

// Access serves r and reports whether it was a hit.
func (p *lirs) Access(r sim.Request) bool {
	hit := p.access(r)
	for p.stack.Bytes(0) > p.stackLimit && !p.Empty(lirsLost) {
		oldest := p.Back(lirsLost)
		p.stack.Drop(oldest)
		p.Drop(oldest)
	}
	return hit
}

func (p *lirs) access(r sim.Request) bool {
	queue := p.Queue(r.ID)
	fits := r.Size <= p.lirLimit
	switch {
	case queue == lirsLIR:
		p.stack.MoveToFront(r.ID)
		p.prune()
		return true
	case queue == lirsQueue && fits && p.stack.In(0, r.ID):
		p.stack.Drop(r.ID)
		p.Drop(r.ID)
		p.pushLIR(r)
		return true
	case queue == lirsQueue:
		p.MoveToFront(r.ID)
		if p.stack.In(0, r.ID) {
			p.stack.MoveToFront(r.ID)
		} else {
			p.stack.PushFront(0, r.ID, r.Size)
		}
		return true
	}
	if queue == lirsLost {
		p.stack.Drop(r.ID)
		p.Drop(r.ID)
	}
	switch {
	case queue == lirsLost && fits, queue < 0 && p.Bytes(lirsLIR)+r.Size <= p.lirLimit:
		p.pushLIR(r)
		p.Admit(r.Size)
	case r.Size <= p.hirLimit:
		p.makeRoom(r.Size)
		p.PushFront(lirsQueue, r.ID, r.Size)
		p.stack.PushFront(0, r.ID, r.Size)
		p.Admit(r.Size)
	default:
		p.PushFront(lirsLost, r.ID, r.Size)
		p.stack.PushFront(0, r.ID, r.Size)
	}
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *lirs) Remove(id uint32) bool {
	lir := p.In(lirsLIR, id)
	if !p.Queues.Remove(id) {
		return false
	}
	if p.stack.In(0, id) {
		p.stack.Drop(id)
	}
	if lir {
		p.prune()
	}
	return true
}

// pushLIR makes an object that is nowhere LIR, on top of the stack.
func (p *lirs) pushLIR(r sim.Request) {
	for p.Bytes(lirsLIR)+r.Size > p.lirLimit {
		last := p.stack.Back(0)
		size := p.Size(last)
		p.stack.Drop(last)
		if size <= p.hirLimit {
			p.makeRoom(size)
			p.Move(last, lirsQueue)
		} else {
			p.Evict(last)
		}
		p.prune()
	}
	p.PushFront(lirsLIR, r.ID, r.Size)
	p.stack.PushFront(0, r.ID, r.Size)
	p.prune() // objects may have entered the stack while there was none that is LIR
}

// makeRoom evicts from the queue until an object of the given size fits.
func (p *lirs) makeRoom(size int64) {
	for p.Bytes(lirsQueue)+size > p.hirLimit {
		if victim := p.Back(lirsQueue); p.stack.In(0, victim) {
			p.Move(victim, lirsLost)
		} else {
			p.Evict(victim)
		}
	}
}

// prune makes a LIR object the last of the stack.
func (p *lirs) prune() {
	for !p.stack.Empty(0) {
		last := p.stack.Back(0)
		if p.In(lirsLIR, last) {
			return
		}
		p.stack.Drop(last)
		if p.In(lirsLost, last) {
			p.Drop(last)
		}
	}
}

// Check returns an error where the parts contradict each other.
func (p *lirs) Check() error {
	if err := p.Queues.Check(); err != nil {
		return err
	}
	if err := p.stack.Check(); err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	switch {
	case p.Bytes(lirsLIR) > p.lirLimit || p.Bytes(lirsQueue) > p.hirLimit:
		return fmt.Errorf("LIR objects have %d of %d, the queue %d of %d", p.Bytes(lirsLIR), p.lirLimit, p.Bytes(lirsQueue), p.hirLimit)
	case p.stack.Bytes(0) > p.stackLimit && !p.Empty(lirsLost):
		return fmt.Errorf("the stack has %d of %d", p.stack.Bytes(0), p.stackLimit)
	}
	if !p.Empty(lirsLIR) && !p.In(lirsLIR, p.stack.Back(0)) {
		return fmt.Errorf("the last object of the stack, %d, is not LIR", p.stack.Back(0))
	}
	inStack := 0
	for queue := lirsLIR; queue <= lirsLost; queue++ {
		if p.Empty(queue) {
			continue
		}
		for id, ok := p.Front(queue), true; ok; id, ok = p.Next(id) {
			if p.stack.In(0, id) {
				inStack++
			} else if queue != lirsQueue {
				return fmt.Errorf("object %d is in queue %d, but not in the stack", id, queue)
			}
		}
	}
	if inStack != p.stack.Len(0) {
		return fmt.Errorf("%d of %d objects in the stack are known", inStack, p.stack.Len(0))
	}
	return nil
}
