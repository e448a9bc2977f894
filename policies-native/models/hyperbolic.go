package models

import "cachesim/sim"

// hyperbolic is Hyperbolic caching. An entry's time is the number of the request that
// stored it.
type hyperbolic struct {
	set
	random  generator
	samples int
	bySize  bool
	time    int // number of the request under way
}

func newHyperbolic(c sim.Config) Model {
	return &hyperbolic{
		set: set{capacity: c.Capacity}, random: generator(c.Seed),
		samples: int(c.Param("samples")), bySize: c.Param("size") == 1,
	}
}

func (m *hyperbolic) Access(r sim.Request, _ uint32) bool {
	m.time++
	if e := m.find(r.ID); e != nil {
		e.count++
		return true
	}
	for !m.fits(r.Size) {
		var victim *entry
		for range m.samples {
			e := m.objects[m.random.below(len(m.objects))]
			if victim == nil || m.value(e) < m.value(victim) {
				victim = e
			}
		}
		m.evict(victim)
	}
	m.objects = append(m.objects, &entry{id: r.ID, size: r.Size, count: 1, at: m.time})
	return false
}

func (m *hyperbolic) value(e *entry) float64 {
	per := float64(m.time - e.at)
	if m.bySize {
		per *= float64(e.size)
	}
	return float64(e.count) / per
}

// A set is a cache in which objects have positions. The last one takes the position of
// one that leaves.
type set struct {
	objects  list
	capacity int64
	evicted  int64
}

func (s *set) find(id uint32) *entry { return s.objects.find(id) }
func (s *set) Used() int64           { return s.objects.bytes() }
func (s *set) Evictions() int64      { return s.evicted }
func (s *set) fits(size int64) bool  { return s.Used()+size <= s.capacity }

func (s *set) Remove(id uint32) bool {
	i := s.objects.index(id)
	if i < 0 {
		return false
	}
	last := len(s.objects) - 1
	s.objects[i] = s.objects[last]
	s.objects = s.objects[:last]
	return true
}

func (s *set) evict(e *entry) {
	s.Remove(e.id)
	s.evicted++
}
