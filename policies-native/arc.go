package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// arc is the adaptive replacement cache. It keeps objects requested once (T1)
// apart from those requested again (T2), remembers what either has lost lately
// (B1, B2), and lets T1 grow when it hits in B1, T2 when it hits in B2.
//
//	         L1, at most c bytes       L2
//	miss ->  [ T1 ]  -> [ B1 ghosts ]  [ T2 ]  -> [ B2 ghosts ]
//	            \______ any hit ______>^   at most 2c bytes in all
//
// Every queue is in order of last use, newest at the front. c is the capacity,
// |Q| the bytes in a queue, s the size of the requested object x, and p, a 64-bit
// floating-point number that starts at 0, how many bytes T1 should have:
//
//   - x in T1 or T2: x moves to the front of T2.
//   - x in B1: p = min(c, p + s*max(1, |B2|/|B1|)); REPLACE until s bytes are
//     free; x moves to the front of T2.
//   - x in B2: p = max(0, p - s*max(1, |B1|/|B2|)); REPLACE until s bytes are
//     free; x moves to the front of T2.
//   - otherwise: while |T1|+|B1|+s > c, B1 loses its back or, if it is empty, T1
//     does, which is evicted without becoming a ghost. REPLACE until s bytes are
//     free. While the four queues and s together are above 2c, B2 loses its back.
//     x enters at the front of T1.
//   - REPLACE moves the back of T1 to the front of B1 if T2 is empty, or if T1 is
//     not empty and |T1| > p, or |T1| = p and x was in B2. Otherwise it moves the
//     back of T2 to the front of B2.
//
// With step=1, as in libCacheSim, p moves by max(1, ratio) whatever s is, and ghosts leave
// by one before each object that is evicted for a new x: the back of B1 if
// |T1|+|B1|+s > c, without B1 the back of T1 in place of REPLACE; otherwise the back of B2
// if the four queues have 2c bytes or more. In bytes p then hardly moves.
//
// Where x was a ghost, |B1| and |B2| include it until it moves. An object of no
// bytes does not change p. With sizes of 1 all this, by either step, is the paper, which has no
// parameters. There p moves in entries; here it moves by the size of the object. A request takes
// constant time for each object that moves.
// Evictions are the objects that leave T1 and T2, as ghosts or not.
type arc struct {
	kit.Queues[struct{}]
	target float64 // p
	single bool    // step=1
}

const (
	arcT1 = iota
	arcT2
	arcB1
	arcB2
)

var arcSpec = sim.Spec{
	Name:  "arc",
	Title: "ARC",
	Doc:   "divides the cache between objects requested once and again, by what either part has lost lately",
	Paper: "Megiddo, Modha, ARC: a self-tuning, low overhead replacement cache, FAST 2003",
	Params: []sim.Param{
		{Name: "step", Default: 0, Min: 0, Max: 1, Doc: "by what the share of T1 moves: 0: bytes of the object that returns, 1: single bytes, and fewer ghosts leave at a time, like libCacheSim"},
	},
	Default: true,
	Memory:  16,
	New: func(c sim.Config) sim.Policy {
		return &arc{Queues: kit.NewQueues[struct{}](c, 2, 2), single: c.Param("step") >= 0.5}
	},
}

// Access serves r and reports whether it was a hit.
func (p *arc) Access(r sim.Request) bool {
	switch queue := p.Queue(r.ID); queue {
	case arcT1:
		p.Move(r.ID, arcT2)
		return true
	case arcT2:
		p.MoveToFront(r.ID)
		return true
	case arcB1, arcB2:
		size := r.Size
		if p.single {
			size = min(size, 1)
		}
		p.target = adapted(p.target, p.Capacity(), size, p.Bytes(arcB1), p.Bytes(arcB2), queue == arcB1)
		for p.Full(r.Size) {
			p.replace(queue == arcB2)
		}
		p.Drop(r.ID) // its size may have been another one
		p.PushFront(arcT2, r.ID, r.Size)
		return false
	}
	if p.single {
		for p.Full(r.Size) {
			p.evictSingly(r.Size)
		}
		p.PushFront(arcT1, r.ID, r.Size)
		return false
	}
	for p.Bytes(arcT1)+p.Bytes(arcB1)+r.Size > p.Capacity() {
		if p.Empty(arcB1) {
			p.Evict(p.Back(arcT1))
		} else {
			p.Drop(p.Back(arcB1))
		}
	}
	for p.Full(r.Size) {
		p.replace(false)
	}
	for p.Used()+p.Bytes(arcB1)+p.Bytes(arcB2)+r.Size > 2*p.Capacity() {
		p.Drop(p.Back(arcB2))
	}
	p.PushFront(arcT1, r.ID, r.Size)
	return false
}

// replace evicts an object from T1 or T2, which becomes a ghost.
func (p *arc) replace(inB2 bool) {
	t1 := float64(p.Bytes(arcT1))
	if p.Empty(arcT2) || !p.Empty(arcT1) && (t1 > p.target || t1 == p.target && inB2) {
		p.Move(p.Back(arcT1), arcB1)
	} else {
		p.Move(p.Back(arcT2), arcB2)
	}
}

// evictSingly evicts an object for a new one of the given size, with step=1.
func (p *arc) evictSingly(size int64) {
	if p.Bytes(arcT1)+p.Bytes(arcB1)+size > p.Capacity() {
		if p.Empty(arcB1) {
			p.Evict(p.Back(arcT1))
			return
		}
		p.Drop(p.Back(arcB1))
	} else if p.Used()+p.Bytes(arcB1)+p.Bytes(arcB2) >= 2*p.Capacity() && !p.Empty(arcB2) {
		p.Drop(p.Back(arcB2))
	}
	p.replace(false)
}

// adapted returns the new share of T1 after a hit on a ghost of the given size,
// in B1 or in B2, which both ARC and CAR compute in the same way.
func adapted(target float64, capacity, size, b1, b2 int64, inB1 bool) float64 {
	switch {
	case size == 0:
		return target
	case inB1:
		step := float64(size) * max(1, float64(b2)/float64(b1))
		return min(float64(capacity), target+float64(step))
	default:
		step := float64(size) * max(1, float64(b1)/float64(b2))
		return max(0, target-float64(step))
	}
}
