package models

import "cachesim/sim"

// clock is a queue whose oldest object goes round once more for each of its hits,
// which are counted up to a limit.
type clock struct {
	residents
	ring list
	most int
}

func newClock(c sim.Config) Model {
	m := &clock{most: 1<<int(c.Param("bits")) - 1}
	m.capacity, m.in = c.Capacity, []*list{&m.ring}
	return m
}

func (m *clock) Access(r sim.Request, _ uint32) bool {
	if e := m.ring.find(r.ID); e != nil {
		e.count = min(m.most, e.count+1)
		return true
	}
	for !m.fits(r.Size) {
		e := m.ring.pop()
		if e.count == 0 {
			m.evicted++
			continue
		}
		e.count--
		m.ring.push(e)
	}
	m.ring.push(&entry{id: r.ID, size: r.Size})
	return false
}
