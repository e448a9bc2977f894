package models

import "cachesim/sim"

// slru has segments, the lowest first, each with the bytes that it may have; where
// the lowest is not bounded, those are the capacity.
type slru struct {
	residents
	shares []int64
}

func newSLRU(c sim.Config) Model {
	return makeSLRU(c, []int64{c.Capacity, share(c, "protected")})
}

func newS4LRU(c sim.Config) Model {
	var shares []int64
	n := int64(c.Param("segments"))
	for range n {
		shares = append(shares, c.Capacity/n)
	}
	if c.Param("bounded") == 0 {
		shares[0] = c.Capacity
	}
	return makeSLRU(c, shares)
}

func makeSLRU(c sim.Config, shares []int64) Model {
	m := &slru{shares: shares}
	m.capacity = c.Capacity
	for range shares {
		m.in = append(m.in, &list{})
	}
	return m
}

func (m *slru) Access(r sim.Request, _ uint32) bool {
	for i, segment := range m.in {
		e := segment.take(r.ID)
		if e == nil {
			continue
		}
		if i+1 < len(m.in) && e.size <= m.shares[i+1] {
			i++
		}
		m.in[i].push(e)
		m.pushDown(i)
		return true
	}
	for !m.fits(r.Size) {
		for _, segment := range m.in {
			if len(*segment) > 0 {
				segment.pop()
				m.evicted++
				break
			}
		}
	}
	enters := m.in[0]
	for i := len(m.in) - 1; i >= 0; i-- {
		if m.in[i].bytes()+r.Size <= m.shares[i] {
			enters = m.in[i]
		}
	}
	enters.push(&entry{id: r.ID, size: r.Size})
	return false
}

// pushDown limits segment i to its share and, where that pushes objects down, those
// below it.
func (m *slru) pushDown(i int) {
	for pushed := i > 0; pushed && i >= 0; i-- {
		pushed = false
		for m.in[i].bytes() > m.shares[i] {
			e := m.in[i].pop()
			if i == 0 {
				m.evicted++
				continue
			}
			m.in[i-1].push(e)
			pushed = true
		}
	}
}
