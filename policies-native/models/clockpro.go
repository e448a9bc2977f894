package models

import (
	"slices"

	"cachesim/sim"
)

// clockPro is CLOCK-Pro on one list from head to tail, on which the hands look for
// their objects from the tail.
type clockPro struct {
	clock                  []*page
	capacity, lostLimit    int64
	cold, coldMin, coldMax int64
	evicted                int64
}

// A page is an object on the list. One that is neither hot nor resident is in its
// test period.
type page struct {
	id                              uint32
	size                            int64
	resident, hot, test, referenced bool
}

func newClockPro(c sim.Config) Model {
	least := min(c.Capacity, max(1, share(c, "cold-min")))
	most := max(least, min(c.Capacity-least, share(c, "cold-max")))
	return &clockPro{
		capacity: c.Capacity, lostLimit: share(c, "non-resident"),
		cold: least, coldMin: least, coldMax: most,
	}
}

// sum returns the bytes of the objects for which which is true.
func (m *clockPro) sum(which func(p *page) bool) int64 {
	var n int64
	for _, p := range m.clock {
		if which(p) {
			n += p.size
		}
	}
	return n
}

// last returns the index of the object nearest to the tail for which which is true,
// or -1.
func (m *clockPro) last(which func(p *page) bool) int {
	for i := len(m.clock) - 1; i >= 0; i-- {
		if which(m.clock[i]) {
			return i
		}
	}
	return -1
}

func isHot(p *page) bool  { return p.hot }
func isCold(p *page) bool { return p.resident && !p.hot }
func isLost(p *page) bool { return !p.resident }
func inTest(p *page) bool { return p.test }

func (m *clockPro) Used() int64      { return m.sum(func(p *page) bool { return p.resident }) }
func (m *clockPro) Evictions() int64 { return m.evicted }

// where returns the index of an object, or -1.
func (m *clockPro) where(id uint32) int {
	return m.last(func(p *page) bool { return p.id == id })
}

// forget takes an object off the list, if it is there.
func (m *clockPro) forget(id uint32) {
	if i := m.where(id); i >= 0 {
		m.clock = slices.Delete(m.clock, i, i+1)
	}
}

// toHead puts p to the head, from where else it may have been.
func (m *clockPro) toHead(p *page) {
	m.forget(p.id)
	m.clock = slices.Insert(m.clock, 0, p)
}

func (m *clockPro) Remove(id uint32) bool {
	i := m.where(id)
	if i < 0 || !m.clock[i].resident {
		return false
	}
	m.forget(id)
	m.settle()
	return true
}

func (m *clockPro) Access(r sim.Request, _ uint32) bool {
	i := m.where(r.ID)
	if i >= 0 && m.clock[i].resident {
		m.clock[i].referenced = true
		return true
	}
	x := &page{id: r.ID, size: r.Size, resident: true}
	switch used := m.Used() + r.Size; {
	case used <= m.capacity-m.coldMin:
		x.hot = true
	case used <= m.capacity:
		x.test = true
	default:
		for m.Used()+r.Size > m.capacity {
			m.coldHand()
		}
		if k := m.where(r.ID); k >= 0 && m.promote(m.clock[k]) {
			x.hot = true
		} else {
			x.test = true
		}
	}
	m.toHead(x)
	m.settle()
	return false
}

// coldHand looks at one resident cold object.
func (m *clockPro) coldHand() {
	i := m.last(isCold)
	if i < 0 {
		m.hotHand(nil)
		return
	}
	y := m.clock[i]
	if y.referenced {
		y.referenced = false
		if y.test && m.promote(y) {
			y.hot, y.test = true, false
		} else {
			y.test = true
		}
		m.toHead(y)
		return
	}
	m.evicted++
	if !y.test {
		m.forget(y.id)
	} else {
		y.resident = false
	}
	for m.sum(isLost) > m.lostLimit {
		m.endTest(m.clock[m.last(inTest)])
	}
}

// promote makes room among the hot objects for y, and reports whether there is.
func (m *clockPro) promote(y *page) bool {
	m.adjust(y.size)
	for m.sum(isHot) > m.capacity-m.cold-y.size {
		if !y.test || !m.hotHand(y) {
			return false
		}
	}
	return true
}

// hotHand makes the first hot object cold that was not referenced, and reports
// whether there was one before limit.
func (m *clockPro) hotHand(limit *page) bool {
	for {
		i := m.last(isHot)
		end := -1 // index of the object nearest to the head whose test period does not end
		if limit != nil {
			end = m.where(limit.id) - 1
		}
		if i < 0 {
			m.endTests(end)
			return false
		}
		if limit != nil && i < m.where(limit.id) {
			m.endTests(i)
			return false
		}
		h := m.clock[i]
		m.endTests(i)
		m.toHead(h)
		if !h.referenced {
			h.hot = false
			m.settle()
			return true
		}
		h.referenced = false
	}
}

// endTests ends the test periods of all objects behind index i.
func (m *clockPro) endTests(i int) {
	for k := len(m.clock) - 1; k > i; k-- {
		if m.clock[k].test {
			m.endTest(m.clock[k])
		}
	}
}

func (m *clockPro) settle() {
	if i := m.last(isHot); i >= 0 {
		m.endTests(i)
	}
}

func (m *clockPro) endTest(y *page) {
	y.test = false
	if !y.resident {
		m.forget(y.id)
	}
	if y.resident && y.referenced {
		m.adjust(y.size)
	} else {
		m.adjust(-y.size)
	}
}

// adjust changes how many bytes cold objects should have.
func (m *clockPro) adjust(by int64) {
	m.cold = min(m.coldMax, max(m.coldMin, m.cold+by))
}
