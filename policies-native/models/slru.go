package models

import (
	"math"

	"cachesim/sim"
)

// slru has a queue for each segment, the lowest first.
type slru struct {
	lists
	share []int64
}

func newSLRU(c sim.Config) Model {
	m := &slru{lists: newLists(c, 2, 0)}
	m.share = []int64{math.MaxInt64, m.part(c.Param("protected"))}
	return m
}

func newS4LRU(c sim.Config) Model {
	n := int(c.Param("segments"))
	m := &slru{lists: newLists(c, n, 0)}
	for range n {
		m.share = append(m.share, c.Capacity/int64(n))
	}
	if c.Param("bounded") == 0 {
		m.share[0] = math.MaxInt64
	}
	return m
}

func (m *slru) Access(r sim.Request, _ uint32) bool {
	if o := m.find(r.ID); o != nil {
		above := o.queue + 1
		if above < len(m.share) && o.size <= m.share[above] {
			m.move(o, above)
			m.shrink(above)
		} else {
			m.move(o, o.queue)
		}
		return true
	}
	for m.full(r.Size) {
		i := 0
		for m.empty(i) {
			i++
		}
		m.evict(m.queues[i][0])
	}
	into := 0
	for i := len(m.share) - 1; i >= 0; i-- {
		if m.bytes(i) <= m.share[i]-r.Size {
			into = i
		}
	}
	m.enter(into, &item{id: r.ID, size: r.Size})
	return false
}

// shrink makes a segment fit into its share, and before it takes the next object
// out, the one below as well.
func (m *slru) shrink(i int) {
	for m.bytes(i) > m.share[i] {
		oldest := m.queues[i][0]
		if i == 0 {
			m.evict(oldest)
			continue
		}
		m.move(oldest, i-1)
		m.shrink(i - 1)
	}
}
