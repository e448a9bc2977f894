package models

import (
	"math"
	"slices"

	"cachesim/sim"
)

// fifoMerge examines the next group of objects when it has no victims left.
type fifoMerge struct {
	lists
	exam, keep int
	hand       *item // nil: at the oldest
	victims    []*item
}

func newFIFOMerge(c sim.Config) Model {
	exam := c.Param("exam")
	return &fifoMerge{lists: newLists(c, 1, 0), exam: int(exam), keep: int(float64(int(exam)) * c.Param("keep"))}
}

func (m *fifoMerge) Access(r sim.Request, _ uint32) bool {
	if o := m.find(r.ID); o != nil {
		o.hits++
		return true
	}
	for m.full(r.Size) {
		switch {
		case len(m.victims) > 0:
		case len(m.queues[0]) <= m.exam:
			m.hand = nil
			m.victims = []*item{m.queues[0][0]}
		default:
			m.examine()
		}
		o := m.victims[0]
		m.drop(o)
		m.evict(o)
	}
	m.enter(0, &item{id: r.ID, size: r.Size})
	return false
}

// examine takes the worst of the next objects, one by one.
func (m *fifoMerge) examine() {
	var group []*item
	for range m.exam {
		if m.hand == nil {
			m.hand = m.queues[0][0]
		}
		group = append(group, m.hand)
		m.hand = m.newer(m.hand)
	}
	worth := func(o *item) float64 {
		if o.size == 0 {
			return math.Inf(1)
		}
		return float64(o.hits) / float64(o.size)
	}
	for len(group) > m.keep {
		worst := 0
		for i, o := range group {
			w := group[worst]
			if worth(o) < worth(w) || worth(o) == worth(w) && o.size > w.size {
				worst = i
			}
		}
		m.victims = append(m.victims, group[worst])
		group = slices.Delete(group, worst, worst+1)
	}
}

// drop takes an object that is about to leave from the victims and the hand.
func (m *fifoMerge) drop(o *item) {
	m.victims = slices.DeleteFunc(m.victims, func(v *item) bool { return v == o })
	if m.hand == o {
		m.hand = m.newer(o)
	}
}

func (m *fifoMerge) Remove(id uint32) bool {
	if o := m.find(id); o != nil {
		m.drop(o)
	}
	return m.lists.Remove(id)
}
