package models

import "cachesim/sim"

// merlin has the three queues of residents of Merlin, and its ghosts. Counts are
// frequencies.
type merlin struct {
	residents
	filter, core, staging, ghosts      list
	filterLimit, coreLimit, ghostLimit int64
	guard                              int
	estimate                           map[uint32]int
	since, epochs                      int // evictions since the last epoch; epochs
}

func newMerlin(c sim.Config) Model {
	m := &merlin{guard: 2, estimate: map[uint32]int{}, ghostLimit: share(c, "ghost")}
	m.capacity, m.in = c.Capacity, []*list{&m.filter, &m.core, &m.staging}
	m.filterLimit = min(c.Capacity, max(1, share(c, "filter")))
	m.coreLimit = c.Capacity - m.filterLimit - min(c.Capacity-m.filterLimit, share(c, "staging"))
	return m
}

func (m *merlin) Access(r sim.Request, _ uint32) bool {
	for _, l := range m.in {
		if e := l.find(r.ID); e != nil {
			e.count = min(7, e.count+1)
			return true
		}
	}
	if r.Size > m.filterLimit {
		return false
	}
	ghost := m.ghosts.take(r.ID)
	for !m.fits(r.Size) {
		m.evict(r, ghost != nil)
	}
	x := &entry{id: r.ID, size: r.Size}
	switch {
	case ghost != nil && ghost.count >= m.guard:
		ghost.size = r.Size // which may have changed
		m.core.push(ghost)
	case ghost != nil:
		m.staging.push(x)
		m.raise(r.ID)
	case len(m.filter) == 0 && len(m.staging) == 0:
		m.core.push(x)
	default:
		m.filter.push(x)
	}
	return false
}

func (m *merlin) hot(e *entry) bool { return e.count >= m.guard }

// atLeast counts the residents with a frequency of at least f.
func (m *merlin) atLeast(f int) int {
	n := 0
	for _, l := range m.in {
		for _, e := range *l {
			if e.count >= f {
				n++
			}
		}
	}
	return n
}

func (m *merlin) raise(id uint32) { m.estimate[id] = min(255, m.estimate[id]+1) }

// evict makes room for r, which was a ghost or not, by one object.
func (m *merlin) evict(r sim.Request, wasGhost bool) {
	if m.atLeast(m.guard) > len(m.core) {
		m.guard = min(7, m.guard+1)
	} else if m.atLeast(m.guard-1) <= len(m.core) {
		m.guard = max(1, m.guard-1)
	}
	for !wasGhost && len(m.filter) > 0 && m.filter.bytes() > m.filterLimit-r.Size {
		y := m.filter.pop()
		if m.hot(y) {
			y.count = 0
			m.core.push(y)
			continue
		}
		t := m.staging.oldest()
		if t != nil && !m.hot(t) && m.estimate[t.id] <= 32 && m.estimate[y.id] > m.estimate[t.id] {
			m.staging.take(t.id)
			m.staging.push(y)
			m.count()
			return
		}
		m.raise(y.id)
		m.bury(y)
		return
	}
	for m.core.bytes() > m.coreLimit {
		m.staging.push(m.core.pop())
	}
	for len(m.staging) > 0 && m.hot(m.staging.oldest()) {
		y := m.staging.pop()
		y.count--
		m.core.push(y)
	}
	switch {
	case len(m.staging) > 0:
		victim := m.staging.oldest()
		if len(m.staging) > 1 {
			before := m.staging[len(m.staging)-2]
			if !m.hot(before) && m.estimate[before.id] < m.estimate[victim.id] {
				victim = before
			}
		}
		m.bury(m.staging.take(victim.id))
	case len(m.filter) > 0:
		y := m.filter.pop()
		m.raise(y.id)
		m.bury(y)
	default:
		m.bury(m.core.pop())
	}
}

// bury makes y, which has left its queue, a ghost.
func (m *merlin) bury(y *entry) {
	m.ghosts.push(y)
	m.ghosts.shrink(m.ghostLimit)
	m.count()
}

// count counts an eviction, and ends an epoch if that is due.
func (m *merlin) count() {
	m.evicted++
	m.since++
	if m.since < m.objects() {
		return
	}
	m.since = 0
	m.epochs++
	if m.epochs%32 == 0 {
		for id := range m.estimate {
			m.estimate[id] /= 2
		}
	}
}
