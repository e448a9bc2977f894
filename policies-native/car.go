package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// car is CLOCK with adaptive replacement: ARC with two clocks in place of its two
// queues of residents, so that a hit only sets a bit.
//
//	miss ->  ( T1 clock )  -> [ B1 ghosts ]      ( T2 clock )  -> [ B2 ghosts ]
//	               \____ reference bit set ______^
//
// The hand of a clock is at its back; what enters and what the hand passes goes
// to the front. c is the capacity, |Q| the bytes in a queue, s the size of the
// requested object x, and p, a 64-bit floating-point number that starts at 0, how
// many bytes T1 should have:
//
//   - x in T1 or T2: its bit is set.
//   - otherwise, REPLACE until s bytes are free. Then:
//   - x in neither B1 nor B2: while |T1|+|B1|+s > c, B1 loses its back; while the
//     four queues and s together are above 2c, B2 does. x enters T1.
//   - x in B1: p = min(c, p + s*max(1, |B2|/|B1|)), and x moves to T2.
//   - x in B2: p = max(0, p - s*max(1, |B1|/|B2|)), and x moves to T2.
//   - In each case its bit is cleared.
//   - REPLACE looks at T1 if T2 is empty, or if T1 is not empty and
//     |T1| >= max(1, p), and otherwise at T2. If the bit at the hand is set, it is
//     cleared and the object goes to the front of T2; this is repeated, with the
//     choice of the clock, until an object with a cleared bit becomes a ghost at
//     the front of B1 or B2.
//
// |B1| and |B2| include x where it is a ghost, and REPLACE works with the p before
// the request. An object of no bytes does not change p. With sizes of 1 this is
// the paper, which has no parameters; in bytes p moves by the size of the object, as
// in ARC. A hit takes
// constant time, and a miss constant amortized time. Evictions are the objects that
// leave T1 and T2.
type car struct {
	kit.Queues[uint32]         // value: the reference bit
	target             float64 // p
}

var carSpec = sim.Spec{
	Name:   "car",
	Title:  "CAR",
	Doc:    "ARC with clocks: a hit only sets a bit",
	Paper:  "Bansal, Modha, CAR: Clock with adaptive replacement, FAST 2004",
	Memory: 24,
	New:    func(c sim.Config) sim.Policy { return &car{Queues: kit.NewQueues[uint32](c, 2, 2)} },
}

// Access serves r and reports whether it was a hit.
func (p *car) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		*p.Value(r.ID) = 1
		return true
	}
	for p.Full(r.Size) {
		p.replace()
	}
	*p.Value(r.ID) = 0
	if queue := p.Queue(r.ID); queue >= 0 {
		p.target = adapted(p.target, p.Capacity(), r.Size, p.Bytes(arcB1), p.Bytes(arcB2), queue == arcB1)
		p.Drop(r.ID) // its size may have been another one
		p.PushFront(arcT2, r.ID, r.Size)
		return false
	}
	for p.Bytes(arcT1)+p.Bytes(arcB1)+r.Size > p.Capacity() {
		p.Drop(p.Back(arcB1))
	}
	for p.Used()+p.Bytes(arcB1)+p.Bytes(arcB2)+r.Size > 2*p.Capacity() {
		p.Drop(p.Back(arcB2))
	}
	p.PushFront(arcT1, r.ID, r.Size)
	return false
}

// replace evicts one object, which becomes a ghost.
func (p *car) replace() {
	for {
		clock, ghosts := arcT2, arcB2
		if p.Empty(arcT2) || !p.Empty(arcT1) && float64(p.Bytes(arcT1)) >= max(1, p.target) {
			clock, ghosts = arcT1, arcB1
		}
		hand := p.Back(clock)
		bit := p.Value(hand)
		if *bit == 0 {
			p.Move(hand, ghosts)
			return
		}
		*bit = 0
		p.Move(hand, arcT2)
	}
}
