package models

import "cachesim/sim"

// mq has queues for ranges of requests, the fewest first, and Qout after them. An
// item's hits are its requests.
type mq struct {
	lists
	now, lifetime int
	out           int64
}

func newMQ(c sim.Config) Model {
	m := &mq{lists: newLists(c, int(c.Param("queues")), 1), lifetime: int(c.Param("lifetime"))}
	m.out = m.part(c.Param("out"))
	return m
}

func (m *mq) Access(r sim.Request, _ uint32) bool {
	o := m.resident(r.ID)
	hit := o != nil
	if hit {
		m.leave(o)
	} else {
		if o = m.forget(r.ID); o == nil {
			o = &item{id: r.ID, size: r.Size}
		}
		for m.full(r.Size) {
			i := 0
			for m.empty(i) {
				i++
			}
			m.remember(m.queues[i][0], m.out)
		}
	}
	o.hits++
	log := 0
	for 2<<log <= o.hits {
		log++
	}
	m.enter(min(log, m.residents-1), o)
	o.expires = m.now + m.lifetime
	m.now++
	for i := 1; i < m.residents; i++ {
		if m.empty(i) {
			continue
		}
		if oldest := m.queues[i][0]; oldest.expires < m.now {
			m.move(oldest, i-1)
			oldest.expires = m.now + m.lifetime
		}
	}
	return hit
}
