package models

import (
	"math"
	"slices"

	"cachesim/sim"
)

// wTinyLFU has the window and the two parts of the main cache.
type wTinyLFU struct {
	residents
	window, probation, protected list
	w, u                         int64 // bytes that the window and protected should have
	jitter                       bool
	large                        float64
	delay                        float64 // bytes
	known                        int64   // objects of the trace
	n                            int64   // objects that fit
	sizes                        map[int64]bool
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
		w:      c.Capacity - int64(math.Floor((1-c.Param("window"))*capacity)),
		jitter: c.Param("jitter") == 1,
		large:  c.Param("large"),
		delay:  c.Param("delay") * capacity,
		known:  int64(c.Objects),
		sizes:  map[int64]bool{},
		sketch: sketch{seed: c.Seed},
		random: generator(c.Seed),
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
	m.serve(r)
	if m.climbs && m.evicted > 0 {
		m.served++
		if hit {
			m.hits++
		}
		if float64(m.served) >= m.samples*float64(m.n) {
			m.climb()
		}
	}
	return hit
}

func (m *wTinyLFU) serve(r sim.Request) {
	counted := func() {
		if m.sketch.words > 0 {
			m.sketch.add(r.ID)
		}
	}
	for _, queue := range []*list{&m.window, &m.protected, &m.probation} {
		e := queue.take(r.ID)
		if e == nil {
			continue
		}
		counted()
		if queue == &m.probation && e.size <= m.u {
			queue = &m.protected
		}
		queue.push(e)
		m.limitProtected()
		return
	}
	x := &entry{id: r.ID, size: r.Size}
	if r.Size > m.w && m.large == 0 {
		m.window.pushOldest(x)
	} else {
		m.window.push(x)
	}
	m.sizes[r.Size] = true
	if len(m.sizes) == 1 && m.sizes[1] {
		m.n = min(m.capacity, m.known)
		m.sketch.fit(m.n)
	} else if float64(m.Used()) >= m.delay {
		m.n = int64(len(m.window) + len(m.probation) + len(m.protected))
		m.sketch.fit(m.n)
	}
	counted()

	// Who competes: first what leaves the window now, then what stays in it.
	var candidates []*entry
	for m.window.bytes() > m.w {
		e := m.window.pop()
		m.probation.push(e)
		candidates = append(candidates, e)
	}
	fromWindow := false
	// Whom they compete with: the oldest of probation that were not victims yet. What
	// leaves the window is in probation by now.
	victims := m.probation.oldestFirst()
	queues := []*list{&m.protected, &m.window}
	for !m.fits(0) {
		if len(candidates) == 0 && !fromWindow {
			candidates, fromWindow = m.window.oldestFirst(), true
			continue
		}
		if len(candidates) == 0 && len(victims) == 0 {
			victims, queues = queues[0].oldestFirst(), queues[1:]
			continue
		}
		switch {
		case len(victims) == 0:
			m.drop(candidates[0])
			candidates = candidates[1:]
		case len(candidates) == 0:
			m.drop(victims[0])
			victims = victims[1:]
		case candidates[0] == victims[0]:
			m.drop(victims[0])
			victims, candidates = victims[1:], nil
		case m.wins(candidates[0], victims[0]):
			m.drop(victims[0])
			victims, candidates = victims[1:], candidates[1:]
		default:
			victims = slices.DeleteFunc(victims, func(e *entry) bool { return e == candidates[0] })
			m.drop(candidates[0])
			candidates = candidates[1:]
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
