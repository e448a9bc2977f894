package models

import "cachesim/sim"

// clock evicts the oldest object; one that was hit becomes the newest instead,
// with a hit less.
type clock struct {
	lists
	most int // hits that are counted
}

func newClock(c sim.Config) Model {
	most := 1
	for range int(c.Param("bits")) {
		most *= 2
	}
	return &clock{newLists(c, 1, 0), most - 1}
}

func (m *clock) Access(r sim.Request, _ uint32) bool {
	if o := m.find(r.ID); o != nil {
		o.hits = min(o.hits+1, m.most)
		return true
	}
	for m.full(r.Size) {
		o := m.queues[0][0]
		if o.hits == 0 {
			m.evict(o)
		} else {
			o.hits--
			m.move(o, 0)
		}
	}
	m.enter(0, &item{id: r.ID, size: r.Size})
	return false
}
