package models

import (
	"math"
	"slices"

	"cachesim/sim"
)

// cacheus has the queues S and Q of SR-LRU, and the victims of it and of CR-LFU.
// Counts are frequencies, times those when they were set.
type cacheus struct {
	capacity         int64
	s, q, bySR, byCR []*cacheusEntry
	sLimit           int64
	historyLimit     int64
	weight           float64 // of SR-LRU
	fitting          fitting
	random           generator
	evicted          int64
	time             int
	rate             float64
	rates            [2]float64 // of this period and the one before
	first            bool       // the first period has not ended
	served, hits     int        // in this period
	before, reset    float64    // hit ratio of the period before; the rate's reset value
	zeros, negatives int
}

type cacheusEntry struct {
	id            uint32
	size          int64
	frequency, at int
	demoted, new  bool
}

func newCacheus(c sim.Config) Model {
	return &cacheus{
		capacity: c.Capacity,
		sLimit:   c.Capacity - min(c.Capacity, max(1, int64(math.Floor(0.01*float64(c.Capacity)+0.5)))),
		weight:   0.5, historyLimit: share(c, "history"), first: true, served: 1,
		fitting: fitting{capacity: c.Capacity}, random: generator(c.Seed),
	}
}

func cacheusBytes(l []*cacheusEntry) int64 {
	var n int64
	for _, e := range l {
		n += e.size
	}
	return n
}

// takeCacheus takes an object out of the list and returns it; nil if it is not there.
func takeCacheus(l *[]*cacheusEntry, id uint32) *cacheusEntry {
	for i, e := range *l {
		if e.id == id {
			*l = slices.Delete(*l, i, i+1)
			return e
		}
	}
	return nil
}

func pushCacheus(l *[]*cacheusEntry, e *cacheusEntry) {
	*l = slices.Insert(*l, 0, e)
}

func (m *cacheus) Used() int64      { return cacheusBytes(m.s) + cacheusBytes(m.q) }
func (m *cacheus) Evictions() int64 { return m.evicted }

func (m *cacheus) Remove(id uint32) bool {
	return takeCacheus(&m.s, id) != nil || takeCacheus(&m.q, id) != nil
}

// demotions counts the demoted residents.
func (m *cacheus) demotions() float64 {
	n := 0
	for _, e := range m.q {
		if e.demoted {
			n++
		}
	}
	return float64(n)
}

// newVictims counts the new objects in the history of SR-LRU.
func (m *cacheus) newVictims() float64 {
	n := 0
	for _, e := range m.bySR {
		if e.new {
			n++
		}
	}
	return float64(n)
}

// steps returns by how many objects a queue grows.
func steps(wins, losses float64) int64 {
	return max(1, int64(math.Floor(wins/max(1, losses)+0.5)))
}

func (m *cacheus) Access(r sim.Request, _ uint32) bool {
	m.time++
	m.learn()
	m.served++
	if x := takeCacheus(&m.s, r.ID); x != nil {
		m.hits++
		x.frequency++
		x.at = m.time
		pushCacheus(&m.s, x)
		return true
	}
	for _, x := range m.q {
		if x.id != r.ID {
			continue
		}
		m.hits++
		x.frequency++
		x.at = m.time
		if x.demoted {
			m.sLimit = min(m.capacity-1, m.sLimit+x.size*steps(m.newVictims(), m.demotions()))
			x.demoted = false
		}
		takeCacheus(&m.q, x.id)
		for len(m.s) > 0 && cacheusBytes(m.s) > m.sLimit-x.size {
			m.demote()
		}
		pushCacheus(&m.s, x)
		return true
	}
	if x := takeCacheus(&m.bySR, r.ID); x != nil {
		x.size = r.Size // which may have changed
		if x.new {
			x.new = false
			m.sLimit = m.capacity - min(m.capacity-1, m.capacity-m.sLimit+x.size*steps(m.demotions(), m.newVictims()))
		}
		m.weigh(math.Exp(-m.currentRate()), 1)
		m.limitStore(x)
		return false
	}
	if x := takeCacheus(&m.byCR, r.ID); x != nil {
		x.size = r.Size
		m.weigh(1, math.Exp(-m.currentRate()))
		m.limitStore(x)
		return false
	}
	x := &cacheusEntry{id: r.ID, size: r.Size, frequency: 1, at: m.time}
	switch {
	case len(m.q) == 0 && cacheusBytes(m.s)+x.size <= m.sLimit:
		pushCacheus(&m.s, x)
	case m.Used()+x.size <= m.capacity && cacheusBytes(m.q)+x.size <= m.capacity-m.sLimit:
		pushCacheus(&m.q, x)
	default:
		for m.Used()+x.size > m.capacity {
			m.evict()
		}
		x.new = true
		pushCacheus(&m.q, x)
		m.limit()
	}
	m.fitting.store(x.size)
	return false
}

// limitStore stores an object that was in a history.
func (m *cacheus) limitStore(x *cacheusEntry) {
	for m.Used()+x.size > m.capacity {
		m.evict()
	}
	x.new, x.at = false, m.time
	pushCacheus(&m.s, x)
	m.limit()
	m.fitting.store(x.size)
}

// limit makes S smaller than its limit.
func (m *cacheus) limit() {
	for len(m.s) > 0 && cacheusBytes(m.s) >= m.sLimit {
		m.demote()
	}
}

// demote moves the oldest of S to Q.
func (m *cacheus) demote() {
	y := takeCacheus(&m.s, m.s[len(m.s)-1].id)
	y.demoted = true
	pushCacheus(&m.q, y)
}

// weigh multiplies the weights.
func (m *cacheus) weigh(sr, cr float64) {
	sr *= m.weight
	cr *= 1 - m.weight
	m.weight = min(0.99, max(0.01, sr/(sr+cr)))
}

func (m *cacheus) evict() {
	queue := &m.q
	if len(m.q) == 0 {
		queue = &m.s
	}
	bySR := (*queue)[len(*queue)-1]
	byCR := bySR
	for _, e := range append(append([]*cacheusEntry{}, m.s...), m.q...) {
		if e.frequency < byCR.frequency || e.frequency == byCR.frequency && e.at > byCR.at {
			byCR = e
		}
	}
	m.evicted++
	if bySR == byCR {
		m.Remove(bySR.id)
		return
	}
	victim, history := byCR, &m.byCR
	if m.random.fraction() < m.weight {
		victim, history = bySR, &m.bySR
	}
	m.Remove(victim.id)
	victim.demoted = false
	pushCacheus(history, victim)
	for cacheusBytes(*history) > m.historyLimit {
		takeCacheus(history, (*history)[len(*history)-1].id)
	}
}

// currentRate returns the learning rate.
func (m *cacheus) currentRate() float64 {
	if m.first {
		return math.Sqrt(2 * math.Ln2 / float64(m.fitting.n()))
	}
	return m.rate
}

// learn ends a period, if one is over.
func (m *cacheus) learn() {
	if int64(m.served) < m.fitting.n() {
		return
	}
	if m.first {
		m.rate = m.currentRate()
		m.rates[0] = m.rate
		m.reset = min(1, max(0.001, m.rate))
		m.first = false
	}
	thousandths := func(x float64) float64 { return math.RoundToEven(x*1000) / 1000 }
	h := thousandths(float64(m.hits) / float64(m.served))
	dh := thousandths(h - m.before)
	dr := thousandths(m.rates[0]) - thousandths(m.rates[1])
	switch {
	case dr*dh > 0:
		m.rate = min(1, m.rate+math.Abs(m.rate*dr))
		m.zeros, m.negatives = 0, 0
	case dr*dh < 0:
		m.rate = max(0.001, m.rate-math.Abs(m.rate*dr))
		m.zeros, m.negatives = 0, 0
	case dh <= 0:
		if h == 0 && dh == 0 || dh < 0 {
			m.zeros++
		}
		if dh < 0 {
			m.negatives++
		}
		if m.zeros >= 10 {
			m.rate, m.zeros = m.reset, 0
		} else if dh < 0 {
			m.stray()
		}
	}
	m.rates = [2]float64{m.rate, m.rates[0]}
	m.before = h
	m.served, m.hits = 0, 0
}

// stray changes a rate with which the hit ratio fell.
func (m *cacheus) stray() {
	switch {
	case m.negatives >= 10:
		m.rate, m.negatives = m.reset, 0
	case m.rate >= 1:
		m.rate = 0.9
	case m.rate <= 0.001:
		m.rate = 0.005
	case m.random.fraction() < 0.5:
		m.rate = min(1, m.rate*1.25)
	default:
		m.rate = max(0.001, m.rate*0.75)
	}
}
