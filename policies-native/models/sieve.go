package models

import "cachesim/sim"

// sieve marks the objects that are visited. Its hand is at an object, or at none.
type sieve struct {
	residents
	queue list
	hand  *entry
}

func newSIEVE(c sim.Config) Model {
	m := &sieve{}
	m.capacity, m.in = c.Capacity, []*list{&m.queue}
	return m
}

func (m *sieve) Access(r sim.Request, _ uint32) bool {
	if e := m.queue.find(r.ID); e != nil {
		e.marked = true
		return true
	}
	for !m.fits(r.Size) {
		if m.hand == nil {
			m.hand = m.queue.oldest()
		}
		e := m.hand
		if e.marked {
			e.marked = false
			m.hand = m.newer(e)
			continue
		}
		m.Remove(e.id)
		m.evicted++
	}
	m.queue.push(&entry{id: r.ID, size: r.Size})
	return false
}

// newer returns the object before e, towards the front, or nil.
func (m *sieve) newer(e *entry) *entry {
	if i := m.queue.index(e.id); i > 0 {
		return m.queue[i-1]
	}
	return nil
}

func (m *sieve) Remove(id uint32) bool {
	if m.hand != nil && m.hand.id == id {
		m.hand = m.newer(m.hand)
	}
	return m.residents.Remove(id)
}
