package kit

import (
	"fmt"
	"unsafe"

	"cachesim/sim"
)

// A Set is an unordered set of resident objects, of which any can be picked by
// its position: for policies that sample. Positions change with every removal.
type Set struct {
	Space
	members []member
	index   []uint32 // of an object in members plus 1; 0: not in the set
	loaded  uint32   // keeps Preload's loads from being removed
}

type member struct {
	size int64
	id   uint32
}

// NewSet returns an empty set for the objects and the capacity of c.
func NewSet(c sim.Config) Set {
	return Set{Space: Space{capacity: c.Capacity}, index: sim.Make[uint32](c.Objects)}
}

// Has reports whether the object is resident.
func (s *Set) Has(id uint32) bool { return s.index[id] != 0 }

// Len returns the number of objects in the set.
func (s *Set) Len() int { return len(s.members) }

// At returns the object at position i, from 0 to Len-1.
func (s *Set) At(i int) uint32 { return s.members[i].id }

// Index returns the position of an object that is in the set.
func (s *Set) Index(id uint32) int { return int(s.index[id] - 1) }

// Size returns the size of an object that is in the set.
func (s *Set) Size(id uint32) int64 { return s.members[s.index[id]-1].size }

// SizeAt returns the size of the object at position i.
func (s *Set) SizeAt(i int) int64 { return s.members[i].size }

// Add adds an object that is not in the set, at the last position.
func (s *Set) Add(id uint32, size int64) {
	s.members = append(s.members, member{size, id})
	s.index[id] = uint32(len(s.members))
	s.used += size
}

// Evict takes an object out of the set and counts the eviction.
func (s *Set) Evict(id uint32) { s.EvictAt(s.Index(id)) }

// EvictAt does the same with the object at position i.
func (s *Set) EvictAt(i int) {
	s.removeAt(i)
	s.evicted++
}

// Remove takes an object out of the set, whose last one takes its position, and
// reports whether it was in there.
func (s *Set) Remove(id uint32) bool {
	i := s.index[id]
	if i == 0 {
		return false
	}
	s.removeAt(int(i - 1))
	return true
}

func (s *Set) removeAt(i int) {
	m := &s.members[i]
	s.used -= m.size
	id := m.id
	last := s.members[len(s.members)-1]
	*m = last
	s.index[last.id] = uint32(i + 1)
	s.members = s.members[:len(s.members)-1]
	s.index[id] = 0
}

// Large reports whether the set is so large that loading state ahead gains
// something.
func (s *Set) Large() bool { return len(s.index)*int(unsafe.Sizeof(member{})) >= preloadFrom }

// Preload loads the positions of the objects in reqs.
func (s *Set) Preload(reqs []sim.Request) {
	if !s.Large() {
		return
	}
	var sum uint32
	for _, r := range reqs {
		sum += s.index[r.ID]
	}
	s.loaded += sum
}

// Check returns an error where the set contradicts itself.
func (s *Set) Check() error {
	var used int64
	for i, m := range s.members {
		if s.index[m.id] != uint32(i+1) {
			return fmt.Errorf("object %d is at %d of the set, but marked as at %d", m.id, i, int(s.index[m.id])-1)
		}
		used += m.size
	}
	return s.check(used)
}
