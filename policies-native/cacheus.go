package native

import (
	"fmt"
	"math"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// cacheus is LeCaR with better experts and a learning rate that adapts. SR-LRU, a
// scan-resistant LRU, keeps new objects in Q and those requested again in S; CR-LFU,
// a churn-resistant LFU, keeps the newest of several objects with equal frequency
// last of all.
//
//	            S, requested again           Q, new or demoted
//	hit in Q -> [ newest      oldest ] ----> [ newest      oldest ] ---> victim of SR-LRU
//	                        demoted ^        ^ miss
//
// c is the capacity, s the size of the requested object x. S should have at most
// sLimit bytes: c less min(c, max(1, floor(0.01*c + 0.5))) at first. D is the number
// of demoted residents, W that of new objects in the history of SR-LRU. N is the
// number of objects that fit (kit.Entries). All floating point has 64 bits.
//
//   - x in S: it becomes the newest of S. Its frequency rises by 1.
//   - x in Q: its frequency rises by 1. If it is demoted, S is too small: sLimit =
//     min(c - 1, sLimit + s*max(1, floor(W/max(1, D) + 0.5))), where D still counts x,
//     and x is demoted no longer. x leaves Q; while S is not empty and has more than
//     sLimit - s bytes, its oldest is demoted to be the newest of Q. x becomes the
//     newest of S.
//   - x in the history of SR-LRU: x leaves it. If it is new, Q is too small: it is
//     new no longer, and sLimit = c - min(c - 1, c - sLimit + s*max(1,
//     floor(D/max(1, W) + 0.5))), where W counts x no longer. The weight of SR-LRU is
//     multiplied by exp(-rate); LIMIT STORE.
//   - x in the history of CR-LFU: x leaves it, the weight of CR-LFU is multiplied by
//     exp(-rate); LIMIT STORE.
//   - LIMIT STORE: objects are evicted until x fits. x becomes the newest of S, not
//     new, with the frequency that it had. While S is not empty and has sLimit bytes
//     or more, its oldest is demoted to be the newest of Q, which may be x.
//   - x nowhere, Q empty, and S and x have at most sLimit bytes: x becomes the newest
//     of S, not new, with a frequency of 1.
//   - x nowhere, x fits, and Q and x have at most c - sLimit bytes: likewise in Q.
//   - x nowhere otherwise: objects are evicted until x fits. x becomes the newest of
//     Q, as a new object with a frequency of 1; S is limited as in LIMIT STORE.
//
// After a weight is changed, SR-LRU's is divided by the sum of both and kept from
// 0.01 to 0.99; CR-LFU's is the rest to 1. Both start as 0.5.
//
// To evict: SR-LRU chooses the oldest of Q, or of S where Q is empty; CR-LFU the
// object with the lowest frequency, and of those the one whose frequency was set
// last, by a request or by being stored. If both choose the same, it is evicted and
// forgotten. Otherwise a number is drawn by Rand.Float64, of a generator with the
// given seed; if it is less than SR-LRU's weight, SR-LRU's choice is evicted, else
// CR-LFU's. It is demoted no longer, and enters the history of that expert as the
// newest; then, while that has more than floor(history*c) bytes, its oldest is
// forgotten. A removed object is forgotten.
//
// A period has N requests: it ends before a request when at least N were served
// since the last end, where the first period counts as having one more. The learning
// rate is sqrt(2*ln(2)/N) during the first period, with the N of the moment; the
// last of these, kept from 0.001 to 1, is its reset value. At the end of a period
// let h be its hits divided by its requests, dh the difference to h of the period
// before (0 before the first), and dr the difference of the rates in the last two
// periods (0 before the first), where h, dh, and each rate in dr are rounded to 3
// decimals, half to even.
//
//   - dr*dh > 0: rate = min(1, rate + |rate*dr|); both counters become 0.
//   - dr*dh < 0: rate = max(0.001, rate - |rate*dr|); both counters become 0.
//   - otherwise, dh <= 0: the zero counter rises by 1 if h = 0 and dh = 0; both
//     counters rise by 1 if dh < 0. If the zero counter is 10 or more, the rate is
//     reset and the zero counter is 0. Else if dh < 0: if the other counter is 10 or
//     more, the rate is reset and it is 0; else the rate becomes 0.9 if it is 1 or
//     more, 0.005 if it is 0.001 or less, and otherwise a number is drawn by
//     Rand.Float64: the rate is multiplied by 1.25, at most 1, if it is below 0.5,
//     and by 0.75, at least 0.001, if not.
//
// With sizes of 1 this is the authors' code, with its defaults, but for the generator, and for the
// number that they draw even where both experts agree. In bytes, sLimit moves by the
// size of the object. A request takes constant time for each object evicted or
// demoted. Evictions are the objects that left to
// make room, in a history or not.
type cacheus struct {
	kit.Frequencies // mark: cacheusDemoted and cacheusFresh
	rand            kit.Rand
	entries         kit.Entries
	sLimit          int64 // bytes
	historyLimit    int64 // bytes
	demoted, fresh  int64 // D and W, objects
	weight          float64
	rate            cacheusRate
}

// Marks of an object.
const (
	cacheusDemoted = 1 << iota
	cacheusFresh   // new: it was not in a history when it was stored
)

const (
	cacheusS = iota
	cacheusQ
	cacheusBySR
	cacheusByCR
)

var cacheusSpec = sim.Spec{
	Name:  "cacheus",
	Title: "Cacheus",
	Doc:   "LeCaR with a scan-resistant LRU, a churn-resistant LFU and a learning rate that adapts",
	Paper: "Rodriguez, Yusuf, Lyons, Paz, Rangaswami, Liu, Zhao, Narasimhan, Learning cache replacement with CACHEUS, FAST 2021",
	Params: []sim.Param{
		{Name: "history", Default: 0.5, Min: 0, Max: 100, Doc: "bytes of each expert's victims that are remembered, in capacities"},
	},
	Random:     true,
	FixedScale: true, // the rate, and the chance in its periods, depend on the number of objects
	Memory:     32,
	New: func(c sim.Config) sim.Policy {
		p := &cacheus{
			Frequencies:  kit.NewFrequencies(c, 2, 2, true),
			rand:         kit.NewRand(c.Seed),
			entries:      kit.NewEntries(c),
			sLimit:       c.Capacity - min(c.Capacity, max(1, int64(0.01*float64(c.Capacity)+0.5))),
			historyLimit: int64(c.Param("history") * float64(c.Capacity)),
			weight:       0.5,
		}
		p.rate.start(p.entries.N())
		p.rate.requests = 1
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *cacheus) Access(r sim.Request) bool {
	p.rate.request(p.entries.N(), &p.rand)
	switch queue := p.Queue(r.ID); queue {
	case cacheusS:
		p.hit(r.ID)
		p.MoveToFront(r.ID)
		return true
	case cacheusQ:
		p.hit(r.ID)
		if mark := p.Mark(r.ID); *mark&cacheusDemoted != 0 {
			p.growS(r.Size)
			*mark &^= cacheusDemoted
			p.demoted--
		}
		for !p.Empty(cacheusS) && p.Bytes(cacheusS)+r.Size > p.sLimit {
			p.demote()
		}
		p.Move(r.ID, cacheusS)
		return true
	case cacheusBySR, cacheusByCR:
		p.forget(r.ID)
		if queue == cacheusBySR && *p.Mark(r.ID)&cacheusFresh != 0 {
			p.growQ(r.Size)
		}
		p.weight = reweigh(p.weight, p.rate.now, queue == cacheusBySR)
		p.store(r, cacheusS, p.Count(r.ID), 0)
		p.limitS()
		return false
	}
	switch {
	case p.Empty(cacheusQ) && p.Bytes(cacheusS)+r.Size <= p.sLimit:
		p.store(r, cacheusS, 1, 0)
	case !p.Full(r.Size) && p.Bytes(cacheusQ)+r.Size <= p.Capacity()-p.sLimit:
		p.store(r, cacheusQ, 1, 0)
	default:
		p.store(r, cacheusQ, 1, cacheusFresh)
		p.limitS()
	}
	return false
}

func (p *cacheus) hit(id uint32) {
	p.rate.hits++
	p.Increment(id)
}

// store stores an object that is nowhere.
func (p *cacheus) store(r sim.Request, queue int, frequency, mark uint32) {
	for p.Full(r.Size) {
		p.evict()
	}
	*p.Mark(r.ID) = mark
	p.Store(queue, r.ID, r.Size, frequency)
	before := p.entries.N()
	p.entries.Stored(r)
	if n := p.entries.N(); n != before {
		p.rate.start(n)
	}
}

// demote moves the oldest object of S to Q.
func (p *cacheus) demote() {
	oldest := p.Back(cacheusS)
	*p.Mark(oldest) |= cacheusDemoted
	p.demoted++
	p.Move(oldest, cacheusQ)
}

func (p *cacheus) limitS() {
	for !p.Empty(cacheusS) && p.Bytes(cacheusS) >= p.sLimit {
		p.demote()
	}
}

func (p *cacheus) growS(size int64) {
	p.sLimit = max(0, min(p.Capacity()-1, p.sLimit+step(size, p.fresh, p.demoted)))
}

func (p *cacheus) growQ(size int64) {
	q := p.Capacity() - p.sLimit
	p.sLimit = p.Capacity() - max(0, min(p.Capacity()-1, q+step(size, p.demoted, p.fresh)))
}

// step returns size * max(1, a/b rounded).
func step(size, a, b int64) int64 {
	return size * max(1, int64(float64(a)/float64(max(1, b))+0.5))
}

func (p *cacheus) evict() {
	queue := cacheusQ
	if p.Empty(cacheusQ) {
		queue = cacheusS
	}
	victim := p.Back(queue)
	lfu := p.Least()
	history := -1
	if victim != lfu {
		history = cacheusBySR
		if p.rand.Float64() >= p.weight {
			victim, history = lfu, cacheusByCR
		}
	}
	mark := p.Mark(victim)
	if *mark&cacheusDemoted != 0 {
		*mark &^= cacheusDemoted
		p.demoted--
	}
	if history < 0 {
		p.Evict(victim)
		return
	}
	if history == cacheusBySR && *mark&cacheusFresh != 0 {
		p.fresh++
	}
	p.Move(victim, history)
	for p.Bytes(history) > p.historyLimit {
		p.forget(p.Back(history))
	}
}

// forget takes an object out of the history that it is in.
func (p *cacheus) forget(id uint32) {
	if p.In(cacheusBySR, id) && *p.Mark(id)&cacheusFresh != 0 {
		p.fresh--
	}
	p.Forget(id)
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *cacheus) Remove(id uint32) bool {
	if !p.Frequencies.Remove(id) {
		return false
	}
	if *p.Mark(id)&cacheusDemoted != 0 {
		p.demoted--
	}
	return true
}

// Check returns an error where the parts contradict each other.
func (p *cacheus) Check() error {
	if err := p.Frequencies.Check(); err != nil {
		return err
	}
	if p.sLimit < 0 || p.sLimit > p.Capacity() {
		return fmt.Errorf("queue S should have %d of %d", p.sLimit, p.Capacity())
	}
	demoted, fresh := int64(0), int64(0)
	for queue := cacheusS; queue <= cacheusBySR; queue++ {
		if p.Empty(queue) {
			continue
		}
		for id, ok := p.Front(queue), true; ok; id, ok = p.Next(id) {
			switch mark := *p.Mark(id); {
			case mark&cacheusDemoted != 0 && queue != cacheusQ:
				return fmt.Errorf("object %d is demoted in queue %d", id, queue)
			case mark&cacheusDemoted != 0:
				demoted++
			case mark&cacheusFresh != 0 && queue == cacheusBySR:
				fresh++
			}
		}
	}
	if demoted != p.demoted || fresh != p.fresh {
		return fmt.Errorf("%d objects are demoted, but %d accounted for; %d of the history are new, but %d", demoted, p.demoted, fresh, p.fresh)
	}
	return nil
}

// cacheusRate is the learning rate of cacheus.
type cacheusRate struct {
	now, before, reset float64
	hits, requests     int64 // in the period
	hitRatio           float64
	settled            bool // the first period is over
	zeros, falls       int
}

// start sets the rate of the first period.
func (l *cacheusRate) start(n int64) {
	if !l.settled {
		l.now = math.Sqrt(2 * math.Ln2 / float64(n))
	}
}

// request counts a request that is about to be served, for periods of n.
func (l *cacheusRate) request(n int64, rand *kit.Rand) {
	if l.requests >= n {
		l.adapt(rand)
		l.hits, l.requests = 0, 0
	}
	l.requests++
}

// adapt sets the rate at the end of a period.
func (l *cacheusRate) adapt(rand *kit.Rand) {
	if !l.settled {
		l.settled = true
		l.reset = min(max(l.now, 0.001), 1)
	}
	h := round3(float64(l.hits) / float64(l.requests))
	dh := round3(h - l.hitRatio)
	dr := round3(l.now) - round3(l.before)
	used := l.now
	change := math.Abs(l.now * dr)
	switch {
	case dr*dh > 0:
		l.now = min(1, l.now+float64(change))
		l.zeros, l.falls = 0, 0
	case dr*dh < 0:
		l.now = max(0.001, l.now-float64(change))
		l.zeros, l.falls = 0, 0
	case dh <= 0:
		if h == 0 && dh == 0 {
			l.zeros++
		}
		if dh < 0 {
			l.falls++
			l.zeros++
		}
		switch {
		case l.zeros >= 10:
			l.now, l.zeros = l.reset, 0
		case dh < 0 && l.falls >= 10:
			l.now, l.falls = l.reset, 0
		case dh < 0:
			l.wander(rand)
		}
	}
	l.before, l.hitRatio = used, h
}

// wander moves the rate in a random direction, or away from an extreme.
func (l *cacheusRate) wander(rand *kit.Rand) {
	switch {
	case l.now >= 1:
		l.now = 0.9
	case l.now <= 0.001:
		l.now = 0.005
	case rand.Float64() < 0.5:
		l.now = min(1, l.now*1.25)
	default:
		l.now = max(0.001, l.now*0.75)
	}
}

func round3(x float64) float64 { return math.RoundToEven(x*1000) / 1000 }
