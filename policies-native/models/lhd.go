package models

import (
	"maps"
	"math"
	"slices"

	"cachesim/sim"
)

const (
	lhdClasses = 16
	lhdOldest  = 19999
)

// lhd is least hit density. All of its floating point has 32 bits.
type lhd struct {
	set
	tags              map[uint32]lhdTag // of the residents
	classes           [lhdClasses]*lhdClass
	random            generator
	samples           int
	app               int
	period            int
	shift             int
	time              int // requests served
	reconfigured      int // times
	budget            int64
	suspects          []int // ids, the one to be replaced next at index oldest; -1: none
	oldest            int
	mean              float32 // of the ranks of victims
	residents, weight float32 // sums for the mean number of residents
}

// lhdTag is what is known of a resident.
type lhdTag struct {
	at           int // time of its last request
	last, before int // ages at its last hits
	explorer     bool
}

// lhdClass is what was learned of a class. Where density has no value for an age, it
// is 0.
type lhdClass struct {
	hits, lost map[int]float32 // by age
	density    []float32
}

func newLHD(c sim.Config) Model {
	m := &lhd{
		set: set{capacity: c.Capacity}, tags: map[uint32]lhdTag{}, random: generator(c.Seed),
		samples: int(c.Param("samples")), app: int(c.Param("app")), period: int(c.Param("period")),
		shift: 10, budget: int64(0.01 * float64(c.Capacity)),
	}
	for k := range m.classes {
		m.classes[k] = &lhdClass{hits: map[int]float32{}, lost: map[int]float32{}}
	}
	for range int(c.Param("admissions")) {
		m.suspects = append(m.suspects, -1)
	}
	return m
}

// class returns the number of the class of objects like t.
func (m *lhd) class(t lhdTag) int {
	k := 0
	for k < lhdClasses-1 && (t.last+t.before)<<k < lhdOldest+1 {
		k++
	}
	return k
}

func (m *lhd) density(k, age int) float32 {
	switch d := m.classes[k].density; {
	case m.reconfigured == 0:
		return float32(16*m.app+k+1) / float32(age+1)
	case age < len(d):
		return d[age]
	}
	return 0
}

func (m *lhd) age(t lhdTag) int { return min(lhdOldest, (m.time-t.at)>>m.shift) }

func (m *lhd) rank(e *entry) float32 {
	t := m.tags[e.id]
	a := m.age(t)
	if a == lhdOldest {
		return -math.MaxFloat32
	}
	if e.size == 0 {
		return float32(math.Inf(1))
	}
	rank := m.density(m.class(t), a) / float32(e.size)
	if t.explorer {
		rank++
	}
	return rank
}

func (m *lhd) Access(r sim.Request, _ uint32) bool {
	e := m.find(r.ID)
	hit := e != nil
	if hit {
		t := m.tags[r.ID]
		a := m.age(t)
		m.classes[m.class(t)].hits[a]++
		m.returnBudget(e)
		m.tags[r.ID] = lhdTag{at: m.time, last: a, before: t.last}
	} else {
		for !m.fits(r.Size) {
			m.evictOne()
		}
		e = &entry{id: r.ID, size: r.Size}
		m.objects = append(m.objects, e)
		m.tags[r.ID] = lhdTag{at: m.time, before: lhdOldest + 1}
	}
	t := m.tags[r.ID]
	explores := m.random.next()%32 == 0
	if explores && m.budget > 0 && m.reconfigured < 50 {
		t.explorer = true
		m.budget -= r.Size
		m.tags[r.ID] = t
	}
	if !hit && !explores && len(m.suspects) > 0 && m.rank(e) < m.mean {
		m.suspects[m.oldest] = int(r.ID)
		m.oldest = (m.oldest + 1) % len(m.suspects)
	}
	m.time++
	if m.time%m.period == 0 {
		m.reconfigure()
		m.reconfigured++
	}
	return hit
}

// returnBudget gives the size of an explorer back.
func (m *lhd) returnBudget(e *entry) {
	if t := m.tags[e.id]; t.explorer {
		m.budget += e.size
		t.explorer = false
		m.tags[e.id] = t
	}
}

func (m *lhd) Remove(id uint32) bool {
	if e := m.find(id); e != nil {
		m.returnBudget(e)
	}
	return m.set.Remove(id)
}

func (m *lhd) evictOne() {
	samples := m.samples
	if m.reconfigured <= 50 {
		samples = min(8, samples)
	}
	var seen list
	if len(m.objects) <= samples {
		seen = append(seen, m.objects...)
	} else {
		for range samples {
			seen = append(seen, m.objects[m.random.below(len(m.objects))])
		}
	}
	for _, id := range m.suspects {
		if id >= 0 && m.objects.has(uint32(id)) {
			seen = append(seen, m.objects.find(uint32(id)))
		}
	}
	victim := seen[0]
	for _, e := range seen {
		if m.rank(e) < m.rank(victim) {
			victim = e
		}
	}
	if rank := m.rank(victim); rank < float32(math.Inf(1)) {
		m.mean = 0.9*m.mean + 0.1*rank
	}
	t := m.tags[victim.id]
	m.classes[m.class(t)].lost[m.age(t)]++
	m.returnBudget(victim)
	m.evict(victim)
}

func (m *lhd) reconfigure() {
	m.residents = 0.9*m.residents + float32(len(m.objects))
	m.weight = 0.9*m.weight + 1
	shift := m.shift
	if n := m.reconfigured + 1; n == 6 || n == 26 {
		best := m.residents / m.weight / 200
		shift = 1
		for float32(int64(1)<<shift) < best {
			shift++
		}
		m.residents *= 8
		m.weight *= 8
	}
	for _, c := range m.classes {
		c.hits, c.lost = rescaled(c.hits, shift-m.shift), rescaled(c.lost, shift-m.shift)
		oldest := 0
		for _, counts := range []map[int]float32{c.hits, c.lost} {
			for a := range counts {
				oldest = max(oldest, a)
			}
		}
		c.density = make([]float32, oldest+1)
		var hits, all, time float32
		for a := oldest; a >= 0; a-- {
			hits += c.hits[a]
			all += c.hits[a] + c.lost[a]
			time += all
			if all > 1e-5 {
				c.density[a] = hits / time
			}
		}
	}
	m.shift = shift
}

// rescaled returns 0.9 of counts, for ages in units that are 2^by times as long. Ages
// that become too old count as the oldest.
func rescaled(counts map[int]float32, by int) map[int]float32 {
	out := map[int]float32{}
	for _, a := range slices.Sorted(maps.Keys(counts)) { // the order matters to sums
		switch n := 0.9 * counts[a]; {
		case a == lhdOldest:
			out[a] += n
		case by >= 0:
			out[a>>by] += n
		case a<<-by >= lhdOldest:
			out[lhdOldest] += n
		default:
			for to := a << -by; to < (a+1)<<-by && to < lhdOldest; to++ {
				out[to] = n / float32(int(1)<<-by)
			}
		}
	}
	return out
}
