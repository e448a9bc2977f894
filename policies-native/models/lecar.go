package models

import (
	"math"

	"cachesim/sim"
)

// leCaR has the residents in order of last use, and the victims of LRU and of LFU,
// whose times are those of their evictions. Counts are frequencies.
type leCaR struct {
	residents
	cache        list
	lru, lfu     list
	weight       float64 // of LRU
	rate         float64
	historyLimit int64
	fitting      fitting
	random       generator
	time         int // number of the request under way
}

func newLeCaR(c sim.Config) Model {
	m := &leCaR{
		weight: 0.5, rate: c.Param("rate"), historyLimit: share(c, "history"),
		fitting: fitting{capacity: c.Capacity}, random: generator(c.Seed),
	}
	m.capacity, m.in = c.Capacity, []*list{&m.cache}
	return m
}

func (m *leCaR) Access(r sim.Request, _ uint32) bool {
	m.time++
	if e := m.cache.take(r.ID); e != nil {
		e.count++
		m.cache.push(e)
		return true
	}
	x := &entry{id: r.ID, size: r.Size, count: 1}
	forLRU, forLFU := m.weight, 1-m.weight
	if e := m.lru.take(r.ID); e != nil {
		forLRU *= m.regret(e)
		x.count = e.count + 1
		m.weight = min(0.99, max(0.01, forLRU/(forLRU+forLFU)))
	} else if e := m.lfu.take(r.ID); e != nil {
		forLFU *= m.regret(e)
		x.count = e.count + 1
		m.weight = min(0.99, max(0.01, forLRU/(forLRU+forLFU)))
	}
	for !m.fits(r.Size) {
		m.evict()
	}
	m.cache.push(x)
	m.fitting.store(r.Size)
	return false
}

func (m *leCaR) regret(e *entry) float64 {
	d := math.Pow(0.005, 1/float64(m.fitting.n()))
	return math.Exp(-m.rate * math.Pow(d, float64(m.time-e.at)))
}

func (m *leCaR) evict() {
	byLRU, byLFU := m.cache.oldest(), m.cache.oldest()
	for i := len(m.cache) - 1; i >= 0; i-- {
		if m.cache[i].count < byLFU.count {
			byLFU = m.cache[i]
		}
	}
	m.evicted++
	if byLRU == byLFU {
		m.cache.take(byLRU.id)
		return
	}
	victim, history := byLFU, &m.lfu
	if m.random.fraction() < m.weight {
		victim, history = byLRU, &m.lru
	}
	m.cache.take(victim.id)
	victim.at = m.time
	history.push(victim)
	history.shrink(m.historyLimit)
}
