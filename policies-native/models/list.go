package models

import (
	"math/bits"
	"slices"

	"cachesim/sim"
)

// An entry is what a model knows of an object. Every model uses the fields that it
// needs; what they mean it says where it differs from what is said here.
type entry struct {
	id     uint32
	size   int64
	count  int // requests or hits
	at     int // a time, in requests
	marked bool
}

// A list is a queue of objects, the newest first.
type list []*entry

func (l list) bytes() int64 {
	var n int64
	for _, e := range l {
		n += e.size
	}
	return n
}

// index returns where an object is in the list, or -1.
func (l list) index(id uint32) int {
	for i, e := range l {
		if e.id == id {
			return i
		}
	}
	return -1
}

func (l list) has(id uint32) bool { return l.index(id) >= 0 }

// find returns an object of the list, or nil.
func (l list) find(id uint32) *entry {
	if i := l.index(id); i >= 0 {
		return l[i]
	}
	return nil
}

// oldest returns the last object, or nil.
func (l list) oldest() *entry {
	if len(l) == 0 {
		return nil
	}
	return l[len(l)-1]
}

// push makes e the newest.
func (l *list) push(e *entry) { *l = slices.Insert(*l, 0, e) }

// pushOldest makes e the oldest.
func (l *list) pushOldest(e *entry) { *l = append(*l, e) }

// oldestFirst returns the objects, the oldest first.
func (l list) oldestFirst() []*entry {
	all := slices.Clone([]*entry(l))
	slices.Reverse(all)
	return all
}

// take takes an object out of the list and returns it; nil if it is not there.
func (l *list) take(id uint32) *entry {
	i := l.index(id)
	if i < 0 {
		return nil
	}
	e := (*l)[i]
	*l = slices.Delete(*l, i, i+1)
	return e
}

// pop takes out the oldest, which must exist.
func (l *list) pop() *entry { return l.take(l.oldest().id) }

// shrink takes out the oldest until the list has at most the given bytes.
func (l *list) shrink(most int64) {
	for len(*l) > 0 && l.bytes() > most {
		l.pop()
	}
}

// remember pushes e, if it has no more bytes than most, after the oldest have made
// room for it within them.
func (l *list) remember(e *entry, most int64) {
	if e.size > most {
		return
	}
	l.shrink(most - e.size)
	l.push(e)
}

// residents are the lists that make up a cache.
type residents struct {
	capacity int64
	in       []*list
	evicted  int64
}

func (m *residents) Remove(id uint32) bool {
	for _, l := range m.in {
		if l.take(id) != nil {
			return true
		}
	}
	return false
}

func (m *residents) Used() int64 {
	var n int64
	for _, l := range m.in {
		n += l.bytes()
	}
	return n
}

func (m *residents) Evictions() int64 { return m.evicted }

func (m *residents) objects() int {
	n := 0
	for _, l := range m.in {
		n += len(*l)
	}
	return n
}

func (m *residents) fits(size int64) bool { return m.Used()+size <= m.capacity }

// share returns a share of the capacity in bytes, rounded down.
func share(c sim.Config, param string) int64 { return int64(c.Param(param) * float64(c.Capacity)) }

// generator is SplitMix64.
type generator uint64

func (g *generator) next() uint64 {
	*g += 0x9e3779b97f4a7c15
	return splitMix(uint64(*g))
}

// below returns a number less than n: the upper 64 bits of n times the next one.
func (g *generator) below(n int) int {
	high, _ := bits.Mul64(uint64(n), g.next())
	return int(high)
}

// fraction returns a number from 0 to 1, of 53 bits.
func (g *generator) fraction() float64 { return float64(g.next()>>11) * 0x1p-53 }

// splitMix is the finalizer of SplitMix64.
func splitMix(z uint64) uint64 {
	z ^= z >> 30
	z *= 0xbf58476d1ce4e5b9
	z ^= z >> 27
	z *= 0x94d049bb133111eb
	return z ^ z>>31
}

// fitting estimates how many objects fit: the capacity divided by the mean size of
// those stored so far.
type fitting struct{ capacity, bytes, stored int64 }

func (f *fitting) store(size int64) { f.bytes += size; f.stored++ }

func (f *fitting) n() int64 {
	if f.bytes == 0 {
		return max(1, f.capacity)
	}
	return max(1, f.capacity*f.stored/f.bytes)
}
