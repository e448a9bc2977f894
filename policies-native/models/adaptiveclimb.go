package models

import (
	"slices"

	"cachesim/sim"
)

// adaptiveClimb has one list, whose first object is the highest.
type adaptiveClimb struct {
	residents
	order list
	jump  int
}

func newAdaptiveClimb(c sim.Config) Model {
	m := &adaptiveClimb{jump: 1}
	m.capacity, m.in = c.Capacity, []*list{&m.order}
	return m
}

func (m *adaptiveClimb) Access(r sim.Request, _ uint32) bool {
	m.jump = min(m.jump, max(1, len(m.order)))
	if i := m.order.index(r.ID); i >= 0 {
		m.jump = max(1, m.jump-1)
		m.insert(i-min(i, m.jump), m.order.take(r.ID))
		return true
	}
	for !m.fits(r.Size) {
		m.order.pop()
		m.evicted++
	}
	n := len(m.order) + 1
	m.jump = min(n, m.jump+1)
	m.insert(n-m.jump, &entry{id: r.ID, size: r.Size})
	return false
}

// insert puts e where i objects are before it.
func (m *adaptiveClimb) insert(i int, e *entry) {
	m.order = slices.Insert(m.order, i, e)
}
