package models

import "cachesim/sim"

// qdlp has a small queue, a main one and ghosts. Counts are hits.
type qdlp struct {
	residents
	small, main, ghosts   list
	mainShare, ghostShare int64
}

func newQDLP(c sim.Config) Model {
	m := &qdlp{mainShare: c.Capacity - share(c, "small"), ghostShare: share(c, "ghost")}
	m.capacity, m.in = c.Capacity, []*list{&m.small, &m.main}
	return m
}

func (m *qdlp) Access(r sim.Request, _ uint32) bool {
	for _, l := range m.in {
		if e := l.find(r.ID); e != nil {
			e.count = min(3, e.count+1)
			return true
		}
	}
	ghost := m.ghosts.take(r.ID)
	for !m.fits(r.Size) {
		if len(m.small) == 0 {
			m.evictMain()
			continue
		}
		e := m.small.pop()
		if e.count > 0 {
			m.enterMain(e)
		} else {
			m.evicted++
			m.ghosts.remember(e, m.ghostShare)
		}
	}
	x := &entry{id: r.ID, size: r.Size}
	if ghost != nil {
		m.enterMain(x)
	} else {
		m.small.push(x)
	}
	return false
}

func (m *qdlp) enterMain(e *entry) {
	for len(m.main) > 0 && m.main.bytes()+e.size > m.mainShare {
		m.evictMain()
	}
	e.count = 0
	m.main.push(e)
}

func (m *qdlp) evictMain() {
	for {
		e := m.main.pop()
		if e.count == 0 {
			m.evicted++
			return
		}
		e.count--
		m.main.push(e)
	}
}
