package native

import (
	"fmt"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// clockPro approximates LIRS with a clock: a hit only sets a bit. Objects are hot
// or cold; a cold one that is requested again in its test period becomes hot.
//
//	head  n3  h5  c4'  n2'  h2  c1  h1  ... tail     h hot, c cold, n non-resident
//	                   ^test    ^cold ^hot           ' in its test period
//
// All objects stand on one list, and each hand is at the last object of its kind:
// the hot hand at the last hot object, the cold hand at the last resident cold
// one, the test hand at the last one in its test period. Non-resident objects are
// cold and in their test period. Objects enter and move to the head of the list
// only, or change their kind where they are.
//
// c is the capacity, M = min(c, max(1, floor(cold-min*c))), X = max(M,
// min(c-M, floor(cold-max*c))), and m, which starts as M and is kept from M to X,
// is how many bytes resident cold objects should have. For a requested object x of
// s bytes:
//
//   - x is resident: its reference bit is set.
//   - at most c - M bytes are used with x: x becomes hot at the head. If it was
//     non-resident, it is forgotten as such first; m does not change.
//   - at most c bytes are used with x: likewise, but cold and in its test period.
//   - otherwise COLD HAND until s bytes are free. If x was non-resident and still
//     is, and PROMOTE(x) succeeds, it becomes hot at the head; if it is known as
//     non-resident still, that is forgotten. Else x becomes cold, in its test
//     period, at the head. The bit of x is cleared.
//   - After a miss, SETTLE.
//
// COLD HAND looks at the last resident cold object y; without one, HOT HAND with
// no limit is run once instead. If the bit of y is set, it is cleared and y moves
// to the head: hot, if y was in its test period and PROMOTE(y) succeeds, and
// otherwise cold and in a test period. If the bit is not set, y is evicted: in its
// test period it stays where it is as non-resident, otherwise it is forgotten. Then,
// while the non-resident objects have more than non-resident*c bytes, the test
// period of the object at the test hand ends.
//
// PROMOTE(y) adds the size of y to m. Then, while the hot objects have more than
// c - m - size of y bytes: if y is no longer in its test period, it fails; HOT
// HAND with limit y, and if that fails, so does PROMOTE.
//
// HOT HAND with limit y looks at the last hot object h. If there is none, or h is
// nearer to the head than y, the test periods of all objects farther from the head
// than h end, or where there is no h, those of all objects as far as y, and it
// fails. Otherwise the test periods of all objects farther than h end. If the bit of
// h is set, it is cleared, h moves to the head, and the hand looks at the next one.
// If not, h moves to the head as a cold object out of any test period, SETTLE, and
// it succeeds.
//
// SETTLE ends the test periods of all objects farther from the head than the last
// hot one, if there is one. Test periods end one by one, the farthest first. When
// that of y ends, a non-resident y is forgotten, and m changes by the size of y: it
// rises if y is resident and its bit is set, and falls otherwise.
//
// A removed object leaves the list; then SETTLE. A hit takes constant time, a miss
// constant amortized time. Evictions are residents that became non-resident or were
// forgotten.
//
// This is the paper with sizes, with two additions of its authors' code: a hot
// object that cools down moves to the head, and nothing is promoted where the hot
// hand finds no object to cool down before it. The bounds of m are parameters in
// Caffeine, with these defaults; the paper has as many non-resident objects as fit.
// The hands need no pointers: the queue of each kind is in the order of the list,
// and a number that counts placements at the head compares objects of different
// kinds.
type clockPro struct {
	kit.Queues[clockProObject]
	cold, coldMin, coldMax int64 // m and its bounds, in bytes
	hotLimit               int64 // bytes used up to which an object becomes hot at once
	lostLimit              int64
	placed                 uint64 // objects placed at the head so far
	test                   uint32 // the last resident in its test period, plus 1; 0: there is none
}

// clockProObject is the number of an object's placement, shifted by two bits, and
// its bits.
type clockProObject uint64

const (
	clockProReferenced clockProObject = 1 << iota
	clockProTest
)

const (
	clockProHot = iota
	clockProCold
	clockProLost
)

var clockProSpec = sim.Spec{
	Name:  "clock-pro",
	Title: "CLOCK-Pro",
	Doc:   "LIRS on a clock: a hit only sets a bit, and the share of cold objects adapts",
	Paper: "Jiang, Chen, Zhang, CLOCK-Pro: an effective improvement of the CLOCK replacement, USENIX ATC 2005",
	Params: []sim.Param{
		{Name: "cold-min", Default: 0.01, Min: 0, Max: 1, Doc: "share of the bytes that resident cold objects should have at least"},
		{Name: "cold-max", Default: 0.99, Min: 0, Max: 1, Doc: "share of the bytes that resident cold objects should have at most"},
		{Name: "non-resident", Default: 1, Min: 0, Max: 100, Doc: "bytes of non-resident objects at most, in capacities"},
	},
	Memory:    24,
	Miniature: sim.Miniaturization{TrueSizes: true},
	New: func(c sim.Config) sim.Policy {
		low := min(c.Capacity, max(1, int64(c.Param("cold-min")*float64(c.Capacity))))
		high := max(low, min(c.Capacity-low, int64(c.Param("cold-max")*float64(c.Capacity))))
		return &clockPro{
			Queues: kit.NewQueues[clockProObject](c, 2, 1),
			cold:   low, coldMin: low, coldMax: high, hotLimit: c.Capacity - low,
			lostLimit: int64(c.Param("non-resident") * float64(c.Capacity)),
		}
	},
}

// Access serves r and reports whether it was a hit.
func (p *clockPro) Access(r sim.Request) bool {
	if p.Has(r.ID) {
		*p.Value(r.ID) |= clockProReferenced
		return true
	}
	queue := clockProCold
	switch {
	case p.Used()+r.Size <= p.hotLimit:
		queue = clockProHot
	case p.Full(r.Size):
		for p.Full(r.Size) {
			p.coldHand()
		}
		if p.In(clockProLost, r.ID) && p.promote(r.ID) {
			queue = clockProHot
		}
	}
	if p.In(clockProLost, r.ID) {
		p.Drop(r.ID)
	}
	p.PushFront(queue, r.ID, r.Size)
	p.place(r.ID)
	p.settle()
	return false
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *clockPro) Remove(id uint32) bool {
	if !p.Has(id) {
		return false
	}
	p.leaveTest(id)
	p.Queues.Remove(id)
	p.settle()
	return true
}

// place notes that an object has come to the head: in a test period if it is a
// cold one.
func (p *clockPro) place(id uint32) {
	p.placed++
	o := p.Value(id)
	*o = clockProObject(p.placed << 2)
	if p.In(clockProCold, id) {
		*o |= clockProTest
		if p.test == 0 {
			p.test = id + 1
		}
	}
}

// moveToHead moves a resident to the head of the list, as hot or cold.
func (p *clockPro) moveToHead(id uint32, queue int) {
	p.leaveTest(id)
	p.Move(id, queue)
	p.place(id)
}

// leaveTest takes a resident out of its test period, if it is in one, and moves
// the test hand.
func (p *clockPro) leaveTest(id uint32) {
	*p.Value(id) &^= clockProTest
	if p.test != id+1 {
		return
	}
	p.test = 0
	for at, ok := p.Prev(id); ok; at, ok = p.Prev(at) {
		if *p.Value(at)&clockProTest != 0 {
			p.test = at + 1
			return
		}
	}
}

// at returns the number of an object's placement: it is less if the object is
// farther from the head.
func (p *clockPro) at(id uint32) uint64 { return uint64(*p.Value(id)) >> 2 }

func (p *clockPro) coldHand() {
	if p.Empty(clockProCold) {
		p.hotHand(p.placed + 1)
		return
	}
	y := p.Back(clockProCold)
	o := p.Value(y)
	inTest := *o&clockProTest != 0
	if *o&clockProReferenced != 0 {
		*o &^= clockProReferenced
		queue := clockProCold
		if inTest && p.promote(y) {
			queue = clockProHot
		}
		p.moveToHead(y, queue)
		return
	}
	if inTest {
		p.leaveTest(y)
		p.Move(y, clockProLost)
	} else {
		p.Evict(y)
	}
	for p.Bytes(clockProLost) > p.lostLimit {
		p.endTest(p.placed + 1)
	}
}

// promote reports whether a cold object in its test period may become hot, after
// it has made room for it among the hot ones.
func (p *clockPro) promote(y uint32) bool {
	size, at := p.Size(y), p.at(y)
	p.adjust(size)
	for p.Bytes(clockProHot)+size > p.Capacity()-p.cold {
		inTest := p.In(clockProLost, y) || p.In(clockProCold, y) && *p.Value(y)&clockProTest != 0
		if !inTest || !p.hotHand(at) {
			return false
		}
	}
	return true
}

// hotHand makes the last hot object whose bit is not set a cold one, and reports
// whether there was one before the object placed as number limit.
func (p *clockPro) hotHand(limit uint64) bool {
	for !p.Empty(clockProHot) {
		h := p.Back(clockProHot)
		at := p.at(h)
		for p.endTest(at) {
		}
		if at > limit {
			return false
		}
		if o := p.Value(h); *o&clockProReferenced != 0 {
			*o &^= clockProReferenced
			p.moveToHead(h, clockProHot)
			continue
		}
		p.Move(h, clockProCold)
		p.placed++
		*p.Value(h) = clockProObject(p.placed << 2)
		p.settle()
		return true
	}
	for p.endTest(limit + 1) {
	}
	return false
}

func (p *clockPro) settle() {
	if p.Empty(clockProHot) {
		return
	}
	at := p.at(p.Back(clockProHot))
	for p.endTest(at) {
	}
}

// endTest ends the test period of the farthest object in one, if it was placed
// before number limit, and reports whether it was.
func (p *clockPro) endTest(limit uint64) bool {
	lost := !p.Empty(clockProLost)
	if lost && (p.test == 0 || p.at(p.Back(clockProLost)) < p.at(p.test-1)) {
		y := p.Back(clockProLost)
		if p.at(y) >= limit {
			return false
		}
		p.adjust(-p.Size(y))
		p.Drop(y)
		return true
	}
	if p.test == 0 || p.at(p.test-1) >= limit {
		return false
	}
	y := p.test - 1
	if *p.Value(y)&clockProReferenced != 0 {
		p.adjust(p.Size(y))
	} else {
		p.adjust(-p.Size(y))
	}
	p.leaveTest(y)
	return true
}

func (p *clockPro) adjust(bytes int64) {
	p.cold = max(p.coldMin, min(p.coldMax, p.cold+bytes))
}

// Check returns an error where the parts contradict each other.
func (p *clockPro) Check() error {
	if err := p.Queues.Check(); err != nil {
		return err
	}
	hot := uint64(0)
	if !p.Empty(clockProHot) {
		hot = p.at(p.Back(clockProHot))
	}
	test := uint32(0)
	for queue := clockProHot; queue <= clockProLost; queue++ {
		if p.Empty(queue) {
			continue
		}
		before := p.placed + 1
		for id, ok := p.Front(queue), true; ok; id, ok = p.Next(id) {
			at := p.at(id)
			if at >= before {
				return fmt.Errorf("queue %d: object %d was placed as %d, behind %d", queue, id, at, before)
			}
			before = at
			inTest := *p.Value(id)&clockProTest != 0
			if inTest && queue == clockProCold {
				test = id + 1
			}
			if at < hot && (queue == clockProLost || inTest) {
				return fmt.Errorf("object %d is in its test period behind the hot hand", id)
			}
		}
	}
	if test != p.test {
		return fmt.Errorf("the test hand is at %d, want %d", int(p.test)-1, int(test)-1)
	}
	if p.Bytes(clockProLost) > p.lostLimit {
		return fmt.Errorf("non-resident objects have %d of %d", p.Bytes(clockProLost), p.lostLimit)
	}
	return nil
}
