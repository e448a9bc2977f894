package models

import "cachesim/sim"

// twoQ has the queues A1in, Am and A1out, in this order.
type twoQ struct {
	lists
	kin, kout int64
}

func newTwoQ(c sim.Config) Model {
	m := &twoQ{lists: newLists(c, 2, 1)}
	m.kin, m.kout = m.part(c.Param("kin")), m.part(c.Param("kout"))
	return m
}

func (m *twoQ) Access(r sim.Request, _ uint32) bool {
	if o := m.resident(r.ID); o != nil {
		if o.queue == 1 {
			m.move(o, 1)
		}
		return true
	}
	queue := 0
	if m.forget(r.ID) != nil {
		queue = 1
	}
	for m.full(r.Size) {
		if m.empty(1) || m.bytes(0) > m.kin {
			m.remember(m.queues[0][0], m.kout)
		} else {
			m.evict(m.queues[1][0])
		}
	}
	m.enter(queue, &item{id: r.ID, size: r.Size})
	return false
}
