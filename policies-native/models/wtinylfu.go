package models

import (
	"math"

	"cachesim/sim"
)

// wTinyLFU has the window and the two parts of the main cache.
type wTinyLFU struct {
	residents
	window, probation, protected list
	w, u                         int64 // bytes that the window and protected should have
	jitter                       bool
	known                        int64 // objects of the trace
	fitting                      fitting
	sketch                       sketch
	random                       generator

	climbs                               bool
	pivot, samples, decay, restart, step float64
	served, hits                         int // since the last step
	before                               float64
}

func newWTinyLFU(c sim.Config) Model { return makeWTinyLFU(c) }

func makeWTinyLFU(c sim.Config) *wTinyLFU {
	capacity := float64(c.Capacity)
	m := &wTinyLFU{
		w:       c.Capacity - int64(math.Floor((1-c.Param("window"))*capacity)),
		jitter:  c.Param("jitter") == 1,
		known:   int64(c.Objects),
		fitting: fitting{capacity: c.Capacity},
		sketch:  sketch{seed: c.Seed},
		random:  generator(c.Seed),
	}
	m.u = int64(math.Floor(c.Param("protected") * float64(c.Capacity-m.w)))
	m.capacity, m.in = c.Capacity, []*list{&m.window, &m.probation, &m.protected}
	return m
}

func newWTinyLFUAdaptive(c sim.Config) Model {
	m := makeWTinyLFU(c)
	m.climbs = true
	m.pivot = c.Param("pivot") * float64(c.Capacity)
	m.samples, m.decay, m.restart = c.Param("sample"), c.Param("decay"), c.Param("restart")
	m.step = -m.pivot
	return m
}

func (m *wTinyLFU) Access(r sim.Request, _ uint32) bool {
	hit := m.window.has(r.ID) || m.probation.has(r.ID) || m.protected.has(r.ID)
	if !hit {
		m.fitting.store(r.Size)
	}
	n := m.fitting.n()
	m.sketch.fit(min(n, m.known))
	m.sketch.add(r.ID)
	m.serve(r)
	if m.climbs && m.evicted > 0 {
		m.served++
		if hit {
			m.hits++
		}
		if float64(m.served) >= m.samples*float64(min(n, m.known)) {
			m.climb()
		}
	}
	return hit
}

func (m *wTinyLFU) serve(r sim.Request) {
	if e := m.window.take(r.ID); e != nil {
		m.window.push(e)
		return
	}
	if e := m.protected.take(r.ID); e != nil {
		m.protected.push(e)
		return
	}
	if e := m.probation.take(r.ID); e != nil {
		if e.size > m.u {
			m.probation.push(e)
			return
		}
		m.protected.push(e)
		m.limitProtected()
		return
	}
	m.window.push(&entry{id: r.ID, size: r.Size})
	for m.window.bytes() > m.w {
		y := m.window.pop()
		m.probation.push(y)
		for !m.fits(0) {
			opponent := m.probation.oldest()
			if opponent == y {
				opponent = m.protected.oldest()
			}
			if opponent != nil && m.wins(y, opponent) {
				m.drop(opponent)
				continue
			}
			m.drop(y)
			break
		}
	}
	for !m.fits(0) {
		y, opponent := m.window.oldest(), m.probation.oldest()
		if opponent == nil {
			opponent = m.protected.oldest()
		}
		switch {
		case y == nil:
			m.drop(opponent)
		case opponent == nil:
			m.drop(y)
		case m.wins(y, opponent):
			m.drop(opponent)
		default:
			m.drop(y)
		}
	}
}

func (m *wTinyLFU) limitProtected() {
	for m.protected.bytes() > m.u {
		m.probation.push(m.protected.pop())
	}
}

func (m *wTinyLFU) drop(e *entry) {
	m.Remove(e.id)
	m.evicted++
}

func (m *wTinyLFU) wins(y, opponent *entry) bool {
	estimate := m.sketch.estimate(y.id)
	if estimate > m.sketch.estimate(opponent.id) {
		return true
	}
	return m.jitter && estimate >= 6 && m.random.next()%128 == 0
}

// climb ends a sample.
func (m *wTinyLFU) climb() {
	ratio := float64(m.hits) / float64(m.served)
	change := ratio - m.before
	m.before, m.served, m.hits = ratio, 0, 0
	if change < 0 {
		m.step = -m.step
	}
	if k := int64(m.step); k > 0 {
		q := min(k, m.u)
		m.u -= q
		m.w += q
		m.limitProtected()
		for {
			from := &m.probation
			if len(*from) == 0 {
				from = &m.protected
			}
			if len(*from) == 0 || from.oldest().size > q {
				break
			}
			e := from.pop()
			q -= e.size
			m.window.push(e)
		}
	} else if q := min(-k, m.w-1); q > 0 {
		m.w -= q
		m.u += q
		for m.window.bytes() > m.w {
			m.probation.push(m.window.pop())
		}
	}
	if math.Abs(change) >= m.restart {
		if !math.Signbit(m.step) { // a step of 0 keeps its direction
			m.step = m.pivot
		} else {
			m.step = -m.pivot
		}
	} else {
		m.step *= m.decay
	}
}
