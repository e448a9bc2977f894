package models

import "cachesim/sim"

// beladySize evicts by size times the distance of the next request. Of the
// objects whose sizes have the same first four binary digits and as many digits
// (all, for sizes below 16), only the one with the farthest next request is a
// candidate; among candidates of equal cost it is the largest.
type beladySize struct {
	ranked
	now      uint32
	served   int               // index after now
	expected map[uint32]uint32 // next request of each object, whether it is stored or not
}

func newBeladySize(c sim.Config) Model {
	return &beladySize{ranked: ranked{capacity: c.Capacity}, expected: map[uint32]uint32{}}
}

func (m *beladySize) Access(r sim.Request, next uint32) bool {
	m.now = uint32(m.served)
	if e, ok := m.expected[r.ID]; ok && e != sim.Never {
		m.now = e
	}
	m.served = int(m.now) + 1
	m.expected[r.ID] = next
	m.requests++
	if i := m.find(r.ID); i >= 0 {
		m.stored[i].next, m.stored[i].usedAt = next, m.requests
		return true
	}
	for m.Used()+r.Size > m.capacity {
		if next == sim.Never {
			return false
		}
		victim := -1
		for i, o := range m.stored {
			if victim < 0 || m.goesBefore(o, m.stored[victim]) {
				victim = i
			}
		}
		if v := m.stored[victim]; v.next != sim.Never && m.cost(v) <= m.cost(object{size: r.Size, next: next}) {
			return false
		}
		m.stored = append(m.stored[:victim], m.stored[victim+1:]...)
		m.evictions++
	}
	m.stored = append(m.stored, object{id: r.ID, size: r.Size, next: next, usedAt: m.requests})
	return false
}

func (m *beladySize) goesBefore(a, b object) bool {
	switch {
	case a.next == sim.Never || b.next == sim.Never:
		return farther(a, b)
	case digits(a.size) == digits(b.size):
		return farther(a, b)
	case m.cost(a) != m.cost(b):
		return m.cost(a) > m.cost(b)
	}
	return a.size > b.size
}

func (m *beladySize) cost(o object) int64 { return o.size * int64(o.next-m.now) }

// digits returns size with all but its first four binary digits set to 0.
func digits(size int64) int64 {
	zeros := int64(1)
	for size/zeros >= 16 {
		zeros *= 2
	}
	return size / zeros * zeros
}
