package models

import (
	"math"
	"slices"

	"cachesim/sim"
)

// fifoMerge is a queue over which a hand goes that chooses victims. Counts are hits.
type fifoMerge struct {
	residents
	queue      list
	hand       *entry // nil: none
	victims    list   // the first to be evicted first
	exam, keep int
}

func newFIFOMerge(c sim.Config) Model {
	m := &fifoMerge{exam: int(c.Param("exam"))}
	m.keep = int(math.Floor(float64(m.exam) * c.Param("keep")))
	m.capacity, m.in = c.Capacity, []*list{&m.queue}
	return m
}

func (m *fifoMerge) Access(r sim.Request, _ uint32) bool {
	if e := m.queue.find(r.ID); e != nil {
		e.count++
		return true
	}
	for !m.fits(r.Size) {
		m.evict()
	}
	m.queue.push(&entry{id: r.ID, size: r.Size})
	return false
}

func (m *fifoMerge) Remove(id uint32) bool {
	if m.hand != nil && m.hand.id == id {
		m.hand = m.newer(m.hand)
	}
	m.victims.take(id)
	return m.residents.Remove(id)
}

// newer returns the object before e, towards the front, or nil.
func (m *fifoMerge) newer(e *entry) *entry {
	if i := m.queue.index(e.id); i > 0 {
		return m.queue[i-1]
	}
	return nil
}

func (m *fifoMerge) evict() {
	m.evicted++
	if len(m.victims) == 0 {
		if len(m.queue) <= m.exam {
			m.queue.pop()
			m.hand = nil
			return
		}
		m.choose()
	}
	m.Remove(m.victims[0].id)
}

// choose goes over the next objects and chooses the victims.
func (m *fifoMerge) choose() {
	for range m.exam {
		if m.hand == nil {
			m.hand = m.queue.oldest()
		}
		m.victims = append(m.victims, m.hand)
		m.hand = m.newer(m.hand)
	}
	slices.SortStableFunc(m.victims, func(a, b *entry) int {
		switch {
		case a.size == 0 || b.size == 0: // the other one first
			return int(min(1, b.size)) - int(min(1, a.size))
		case int64(a.count)*b.size != int64(b.count)*a.size:
			return a.count*int(b.size) - b.count*int(a.size)
		}
		return int(b.size - a.size)
	})
	m.victims = m.victims[:m.exam-m.keep]
}
