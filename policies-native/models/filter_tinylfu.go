package models

import "cachesim/sim"

// tinyLFU is an LRU cache that stores an object where there is no room only if it has
// the larger estimate than the one that would be evicted first.
type tinyLFU struct {
	*ranked
	sketch sketch
}

func newLRUTinyLFU(c sim.Config) Model {
	return &tinyLFU{ranked: newLRU(c).(*ranked), sketch: sketch{seed: c.Seed}}
}

func (m *tinyLFU) Access(r sim.Request, next uint32) bool {
	hit := m.find(r.ID) >= 0
	defer func() { // r is counted when all is decided
		if m.sketch.words > 0 {
			m.sketch.add(r.ID)
		}
	}()
	if !hit && m.Used()+r.Size > m.capacity {
		m.sketch.fit(int64(len(m.stored)))
		victim := m.stored[0]
		for _, o := range m.stored {
			if o.usedAt < victim.usedAt {
				victim = o
			}
		}
		if min(15, m.sketch.estimate(r.ID)+1) <= m.sketch.estimate(victim.id) {
			return false
		}
	}
	return m.ranked.Access(r, next)
}
