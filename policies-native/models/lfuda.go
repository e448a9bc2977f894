package models

import "cachesim/sim"

// newLFUDA evicts the object with the least K, which is L + its requests, as of its
// latest request. L is the K of the last victim.
func newLFUDA(c sim.Config) Model {
	if c.Param("rebase") == 0 {
		return &addingLFUDA{ranked: ranked{capacity: c.Capacity, first: leastKey}}
	}
	age := 0.0
	return &ranked{
		capacity: c.Capacity,
		first:    leastKey,
		renew:    func(o *object) { o.key = age + float64(o.count) },
		evicting: func(o object) { age = o.key },
	}
}

// leastKey orders objects by their keys, the least recently used first among equals.
func leastKey(a, b object) bool {
	if a.key != b.key {
		return a.key < b.key
	}
	return a.usedAt < b.usedAt
}

// addingLFUDA is LFUDA as libCacheSim has it: a hit adds L to K, and L is the least K in
// the cache as long as that rises, from the first eviction on.
type addingLFUDA struct {
	ranked
	age float64
}

func (m *addingLFUDA) Access(r sim.Request, next uint32) bool {
	hit := m.find(r.ID) >= 0
	for !hit && m.Used()+r.Size > m.capacity {
		m.evicting = func(o object) { m.age = o.key }
		m.evict()
		m.raise()
	}
	m.ranked.Access(r, next)
	o := &m.stored[m.find(r.ID)]
	if hit {
		o.key += m.age
		m.raise()
	} else {
		o.key = m.age + 1
	}
	return hit
}

func (m *addingLFUDA) raise() {
	if m.evictions == 0 || len(m.stored) == 0 {
		return
	}
	least := m.stored[0].key
	for _, o := range m.stored {
		least = min(least, o.key)
	}
	m.age = max(m.age, least)
}
