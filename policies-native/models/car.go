package models

import "cachesim/sim"

// car has the two clocks of CAR as queues, whose oldest objects are at the hands,
// and its two queues of ghosts. Objects that were hit are marked.
type car struct {
	residents
	t1, t2, b1, b2 list
	p              float64
}

func newCAR(c sim.Config) Model {
	m := &car{}
	m.capacity, m.in = c.Capacity, []*list{&m.t1, &m.t2}
	return m
}

func (m *car) Access(r sim.Request, _ uint32) bool {
	for _, l := range m.in {
		if e := l.find(r.ID); e != nil {
			e.marked = true
			return true
		}
	}
	c, s := m.capacity, float64(r.Size)
	for !m.fits(r.Size) {
		m.replace()
	}
	x := &entry{id: r.ID, size: r.Size}
	b1, b2 := float64(m.b1.bytes()), float64(m.b2.bytes())
	switch {
	case m.b1.has(r.ID):
		if s > 0 {
			m.p = min(float64(c), m.p+s*max(1, b2/b1))
		}
		m.b1.take(r.ID)
		m.t2.push(x)
	case m.b2.has(r.ID):
		if s > 0 {
			m.p = max(0, m.p-s*max(1, b1/b2))
		}
		m.b2.take(r.ID)
		m.t2.push(x)
	default:
		for m.t1.bytes()+m.b1.bytes()+r.Size > c {
			m.b1.pop()
		}
		for m.Used()+m.b1.bytes()+m.b2.bytes()+r.Size > 2*c {
			m.b2.pop()
		}
		m.t1.push(x)
	}
	return false
}

// replace makes one object a ghost.
func (m *car) replace() {
	for {
		clock, ghosts := &m.t2, &m.b2
		if len(m.t2) == 0 || len(m.t1) > 0 && float64(m.t1.bytes()) >= max(1, m.p) {
			clock, ghosts = &m.t1, &m.b1
		}
		e := clock.pop()
		if !e.marked {
			ghosts.push(e)
			m.evicted++
			return
		}
		e.marked = false
		m.t2.push(e)
	}
}
