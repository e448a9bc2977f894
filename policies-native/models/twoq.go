package models

import "cachesim/sim"

// twoQ is the full version of 2Q.
type twoQ struct {
	residents
	in, main, out list
	kin, kout     int64
}

func newTwoQ(c sim.Config) Model {
	m := &twoQ{kin: share(c, "kin"), kout: share(c, "kout")}
	m.capacity, m.residents.in = c.Capacity, []*list{&m.in, &m.main}
	return m
}

func (m *twoQ) Access(r sim.Request, _ uint32) bool {
	if e := m.main.take(r.ID); e != nil {
		m.main.push(e)
		return true
	}
	if m.in.has(r.ID) {
		return true
	}
	enters := &m.in
	if m.out.take(r.ID) != nil {
		enters = &m.main
	}
	for !m.fits(r.Size) {
		if m.in.bytes() > m.kin || len(m.main) == 0 {
			m.out.remember(m.in.pop(), m.kout)
		} else {
			m.main.pop()
		}
		m.evicted++
	}
	enters.push(&entry{id: r.ID, size: r.Size})
	return false
}
