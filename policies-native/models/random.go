package models

import "cachesim/sim"

// random evicts an object at a position that it draws.
type random struct {
	set
	positions generator
}

func newRandom(c sim.Config) Model {
	return &random{set{capacity: c.Capacity}, generator(c.Seed)}
}

func (m *random) Access(r sim.Request, _ uint32) bool {
	if m.objects.has(r.ID) {
		return true
	}
	for !m.fits(r.Size) {
		m.evict(m.objects[m.positions.below(len(m.objects))])
	}
	m.objects = append(m.objects, &entry{id: r.ID, size: r.Size})
	return false
}
