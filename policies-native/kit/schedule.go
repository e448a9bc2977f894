package kit

import (
	"fmt"
	"math/bits"
	"unsafe"

	"cachesim/sim"
)

// A Schedule holds resident objects in the order of their next accesses, for
// policies that know the future: the object that is requested last of all is
// found at once. Objects that are not requested again come before all others,
// the one that was requested latest first. Objects may be divided into classes
// by their size; each class then has an order of its own.
//
// A request for an object can come only when its next access is due, which makes
// it the least of all, so that its entry can stay where it is: it is stale, but
// below every other. So a hit costs one insertion.
//
// Without classes the order is a calendar. With them, it is a 4-ary max-heap for
// each, in which an insertion mostly ends near the leaves; stale entries are
// removed when they are more than half. An object takes 16 bytes, and up to 17
// more while it is resident.
type Schedule struct {
	Space
	objects  []scheduled
	never    []uint32 // residents that are not requested again, the latest last; may be stale
	nevers   int      // of those, not stale
	calendar calendar // where there is one class
	live     int      // entries of the calendar that are not stale
	classes  []agenda // of those that were in use, and below
	class    func(size int64) int
	weights  []int64 // sizes that classes are by where they are not those of the objects
	loaded   uint64  // keeps Preload's loads from being removed
}

type scheduled struct {
	size int64
	next uint32 // 0, when nothing can be requested again: not resident
}

// agenda is the order of one class: next access << 32 | object, and how many of
// the entries are not stale.
type agenda struct {
	heap []uint64
	live int
}

// NewSchedule returns an empty schedule for the objects and the capacity of c.
// class, which returns the class of an object of a weight, from 0 on, may be nil
// where there is one class.
func NewSchedule(c sim.Config, class func(size int64) int) Schedule {
	return Schedule{
		Space:   Space{capacity: c.Capacity},
		objects: sim.Make[scheduled](c.Objects),
		class:   class,
		weights: c.Sizes,
	}
}

// Has reports whether the object is resident.
func (s *Schedule) Has(id uint32) bool { return s.objects[id].next != 0 }

// Size returns the size of an object that is resident.
func (s *Schedule) Size(id uint32) int64 { return s.objects[id].size }

// Weight returns the size by which a resident object is compared with others: its
// size but in a miniature (sim.Config.Sizes).
func (s *Schedule) Weight(id uint32) int64 {
	if s.weights != nil {
		return s.weights[id]
	}
	return s.objects[id].size
}

// Add stores an object that is not resident.
func (s *Schedule) Add(id uint32, size int64, next uint32) {
	s.objects[id].size = size
	s.used += size
	s.enter(id, next)
}

// Renew sets the next access of a resident object.
func (s *Schedule) Renew(id, next uint32) {
	if next != sim.Never && s.objects[id].next == next {
		return // served once more for a request that waited: it is not yet that time
	}
	if now := s.objects[id].next; s.class == nil && now != sim.Never {
		s.calendar.pass(now)
	}
	s.leave(id)
	s.enter(id, next)
}

// Never returns the object that was requested latest of those that are not
// requested again; ok is false where there is none.
func (s *Schedule) Never() (id uint32, ok bool) {
	for n := len(s.never); n > 0; n-- {
		if id := s.never[n-1]; s.objects[id].next == sim.Never {
			s.never = s.never[:n]
			return id, true
		}
	}
	s.never = s.never[:0]
	return 0, false
}

// Farthest returns the object of a class whose next access is the latest, of
// those that are requested again, and that access; ok is false where there is
// none.
func (s *Schedule) Farthest(class int) (id, next uint32, ok bool) {
	if s.class == nil {
		for s.live > 0 {
			e := s.calendar.latest()
			if id, next := uint32(e), uint32(e>>32); s.objects[id].next == next {
				return id, next, true
			}
			s.calendar.pop() // it was removed
		}
		return 0, 0, false
	}
	if class >= len(s.classes) || s.classes[class].live == 0 {
		return 0, 0, false
	}
	a := &s.classes[class]
	for {
		id, next := uint32(a.heap[0]), uint32(a.heap[0]>>32)
		if s.objects[id].next == next {
			return id, next, true
		}
		a.heap = heapPop(a.heap) // it was removed
	}
}

// Evict takes a resident out of the schedule and counts the eviction.
func (s *Schedule) Evict(id uint32) {
	s.Remove(id)
	s.evicted++
}

// Remove takes an object out of the schedule and reports whether it was in
// there.
func (s *Schedule) Remove(id uint32) bool {
	if !s.Has(id) {
		return false
	}
	s.leave(id)
	s.objects[id].next = 0
	s.used -= s.objects[id].size
	return true
}

func (s *Schedule) classOf(id uint32) *agenda {
	class := s.class(s.Weight(id))
	for class >= len(s.classes) {
		s.classes = append(s.classes, agenda{})
	}
	return &s.classes[class]
}

// slack is how many stale entries are kept in any case.
const slack = 64

func (s *Schedule) enter(id, next uint32) {
	s.objects[id].next = next
	if next == sim.Never {
		s.nevers++
		s.never = append(s.never, id)
		if len(s.never) > 2*s.nevers+slack {
			s.cleanNever()
		}
		return
	}
	e := uint64(next)<<32 | uint64(id)
	if s.class == nil {
		s.live++
		s.calendar.push(e)
		return
	}
	a := s.classOf(id)
	a.live++
	a.heap = heapPush(a.heap, e)
	if len(a.heap) > 2*a.live+slack {
		s.clean(a)
	}
}

// leave makes the entry of an object stale.
func (s *Schedule) leave(id uint32) {
	switch {
	case s.objects[id].next == sim.Never:
		s.nevers--
	case s.class == nil:
		s.live--
	default:
		s.classOf(id).live--
	}
}

// clean removes the stale entries of a class.
func (s *Schedule) clean(a *agenda) {
	kept := a.heap[:0]
	for _, e := range a.heap {
		if s.objects[uint32(e)].next == uint32(e>>32) {
			kept = append(kept, e)
		}
	}
	a.heap = kept
	heapOrder(kept)
}

// cleanNever removes the stale entries of never, and those of an object that
// was stored again since.
func (s *Schedule) cleanNever() {
	const kept = 0 // a next access that no resident has
	n := len(s.never)
	for i := n - 1; i >= 0; i-- {
		if id := s.never[i]; s.objects[id].next == sim.Never {
			s.objects[id].next = kept
			n--
			s.never[n] = id
		}
	}
	s.never = append(s.never[:0], s.never[n:]...)
	for _, id := range s.never {
		s.objects[id].next = sim.Never
	}
}

// Preload loads the state of the objects in reqs.
func (s *Schedule) Preload(reqs []sim.Request) {
	if len(s.objects)*int(unsafe.Sizeof(scheduled{})) < preloadFrom {
		return
	}
	var sum uint64
	for _, r := range reqs {
		sum += uint64(s.objects[r.ID].next)
	}
	s.loaded += sum
}

// Check returns an error where the schedule contradicts itself.
func (s *Schedule) Check() error {
	var used int64
	residents := 0
	for i := range s.objects {
		if o := &s.objects[i]; o.next != 0 {
			used += o.size
			residents++
		}
	}
	entries := s.live
	live := 0
	err := s.calendar.check(func(e uint64) {
		if s.objects[uint32(e)].next == uint32(e>>32) {
			live++
		}
	})
	switch {
	case err != nil:
		return err
	case live != s.live:
		return fmt.Errorf("the calendar has %d objects, but %d are accounted for", live, s.live)
	}
	for i := range s.classes {
		a := &s.classes[i]
		n := 0
		for j, e := range a.heap {
			id := uint32(e)
			if j > 0 && e > a.heap[(j-1)/4] {
				return fmt.Errorf("class %d: object %d is below one that is requested before it", i, id)
			}
			if s.objects[id].next == uint32(e>>32) {
				n++
				if s.classOf(id) != a {
					return fmt.Errorf("class %d: object %d of weight %d does not belong there", i, id, s.Weight(id))
				}
			}
		}
		if n != a.live {
			return fmt.Errorf("class %d: %d objects, but %d are accounted for", i, n, a.live)
		}
		entries += n
	}
	if entries+s.nevers != residents {
		return fmt.Errorf("%d objects are resident, but %d are scheduled, and %d are not requested again", residents, entries, s.nevers)
	}
	return s.check(used)
}

// SizeClasses is how many classes SizeClass has.
const SizeClasses = 8 + (56-3)*8

// SizeClass returns a class for each size up to sim.MaxSize, 8 to a doubling:
// the largest size of a class is at most 9/8 of the least, and sizes below 16
// have classes of their own.
func SizeClass(size int64) int {
	if size < 8 {
		return int(size)
	}
	shift := bits.Len64(uint64(size)) - 4
	return 8*shift + int(size>>shift)
}
