package models

import "cachesim/sim"

// farther orders objects by Belady's rule: the farthest next request first, and
// of those that have none, the one requested latest.
func farther(a, b object) bool {
	return a.next > b.next || a.next == b.next && a.usedAt > b.usedAt
}

// newBelady evicts the object with the farthest next request.
func newBelady(c sim.Config) Model {
	return &ranked{capacity: c.Capacity, first: farther}
}

// beladyBypass lets the object that is missed take part: while all do not fit,
// the one with the farthest next request goes, be it the new one.
type beladyBypass struct{ *ranked }

func newBeladyBypass(c sim.Config) Model {
	return beladyBypass{&ranked{capacity: c.Capacity, first: farther}}
}

func (m beladyBypass) Access(r sim.Request, next uint32) bool {
	if m.find(r.ID) >= 0 {
		return m.ranked.Access(r, next)
	}
	m.requests++
	o := object{id: r.ID, size: r.Size, usedAt: m.requests, next: next}
	for m.Used()+r.Size > m.capacity {
		for _, s := range m.stored {
			if farther(s, o) {
				m.evict()
				o.count = 1 // there was one
				break
			}
		}
		if o.count == 0 {
			return false
		}
		o.count = 0
	}
	m.stored = append(m.stored, o)
	return false
}
