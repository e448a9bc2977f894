package models

import "cachesim/sim"

// sieve evicts the first object from the hand on, towards the newest and then
// from the oldest again, that was not hit since the hand passed it.
type sieve struct {
	lists
	hand *item // nil: at the oldest
}

func newSIEVE(c sim.Config) Model { return &sieve{lists: newLists(c, 1, 0)} }

func (m *sieve) Access(r sim.Request, _ uint32) bool {
	if o := m.find(r.ID); o != nil {
		o.hits = 1
		return true
	}
	for m.full(r.Size) {
		o := m.hand
		if o == nil {
			o = m.queues[0][0]
		}
		m.hand = m.newer(o)
		if o.hits == 0 {
			m.evict(o)
		}
		o.hits = 0
	}
	m.enter(0, &item{id: r.ID, size: r.Size})
	return false
}

func (m *sieve) Remove(id uint32) bool {
	if m.hand != nil && m.hand.id == id {
		m.hand = m.newer(m.hand)
	}
	return m.lists.Remove(id)
}
