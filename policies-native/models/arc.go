package models

import "cachesim/sim"

// arc has the four queues of ARC.
type arc struct {
	residents
	t1, t2, b1, b2 list
	p              float64
	single         bool // p moves by the ratio alone, and a ghost leaves at a time
}

func newARC(c sim.Config) Model {
	m := &arc{single: c.Param("step") == 1}
	m.capacity, m.in = c.Capacity, []*list{&m.t1, &m.t2}
	return m
}

func (m *arc) Access(r sim.Request, _ uint32) bool {
	c, s := m.capacity, float64(r.Size)
	if m.single && s > 1 {
		s = 1
	}
	x := &entry{id: r.ID, size: r.Size}
	b1, b2 := float64(m.b1.bytes()), float64(m.b2.bytes())
	switch {
	case m.t1.has(r.ID) || m.t2.has(r.ID):
		m.Remove(r.ID)
		m.t2.push(x)
		return true
	case m.b1.has(r.ID):
		if s > 0 {
			m.p = min(float64(c), m.p+s*max(1, b2/b1))
		}
		m.makeRoom(r)
		m.b1.take(r.ID)
		m.t2.push(x)
	case m.b2.has(r.ID):
		if s > 0 {
			m.p = max(0, m.p-s*max(1, b1/b2))
		}
		m.makeRoom(r)
		m.b2.take(r.ID)
		m.t2.push(x)
	case m.single:
		for !m.fits(r.Size) {
			l1 := m.t1.bytes() + m.b1.bytes()
			switch all := l1 + m.t2.bytes() + m.b2.bytes(); {
			case l1+r.Size <= c && all >= 2*c && len(m.b2) > 0:
				m.b2.pop()
			case l1+r.Size > c && len(m.b1) > 0:
				m.b1.pop()
			case l1+r.Size > c:
				m.t1.pop()
				m.evicted++
				continue
			}
			m.replace(r)
		}
		m.t1.push(x)
	default:
		for m.t1.bytes()+m.b1.bytes()+r.Size > c {
			if len(m.b1) > 0 {
				m.b1.pop()
			} else {
				m.t1.pop()
				m.evicted++
			}
		}
		m.makeRoom(r)
		for m.Used()+m.b1.bytes()+m.b2.bytes()+r.Size > 2*c {
			m.b2.pop()
		}
		m.t1.push(x)
	}
	return false
}

// makeRoom is REPLACE, as often as necessary.
func (m *arc) makeRoom(r sim.Request) {
	for !m.fits(r.Size) {
		m.replace(r)
	}
}

func (m *arc) replace(r sim.Request) {
	t1 := float64(m.t1.bytes())
	if len(m.t2) == 0 || len(m.t1) > 0 && (t1 > m.p || t1 == m.p && m.b2.has(r.ID)) {
		m.b1.push(m.t1.pop())
	} else {
		m.b2.push(m.t2.pop())
	}
	m.evicted++
}
