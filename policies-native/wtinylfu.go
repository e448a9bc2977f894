package native

import (
	"math"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// wTinyLFU stores new objects in a small LRU window. What leaves the window has to
// be requested more often than the object that it would replace in the main part, a
// segmented LRU, by the estimates of a sketch that remembers objects which are not
// in the cache too.
//
//	           window 1 %         probation            protected, 80 % of the rest
//	miss  ->  [ newest  old ] -> [ newest     old ] -> victim, unless it wins
//	                              ^ demoted     \_ hit -> [ newest   old ]
//
// c is the capacity and s the size of the requested object x. The window should have
// at most w = c - floor((1-window)*c) bytes, the protected part at most
// u = floor(protected*(c-w)).
//
//   - x in the window or protected: it becomes the newest there.
//   - x in probation: if s > u it becomes the newest there, else the newest of
//     the protected; while these have more than u bytes, their oldest becomes the
//     newest of probation.
//   - otherwise x enters as the newest of the window; if s > w, as its oldest, so
//     that it does not drive the others out. While the window has more
//     than w bytes, its oldest object becomes the newest of probation: it is a
//     candidate. While more than c bytes are used, the candidate that left the window
//     first competes with the oldest of probation, the victim. The loser is evicted.
//     After a candidate that won comes the next one, after a victim that lost the
//     object that was the next newer one in its queue. When no candidate is left, the
//     objects of the window are, from the oldest on; once they are done too, victims
//     are evicted without contest, and after those of probation the protected and
//     the window from the oldest on. A candidate that is its own victim is evicted,
//     and ends the search for others but in the window.
//
// So an object that is larger than its victim has to win once only. With large=1, x enters
// the window as its newest whatever its size. libCacheSim stores no object with s > w, which
// here is the filter size-threshold:share=0.01.
//
// The candidate wins if its estimate is larger than that of the victim; or with
// jitter=1, if its estimate is 6 or more and a number drawn then by Rand.Uint64, of a
// generator with the given seed, is divisible by 128, which prevents attacks on the
// hash.
//
// Estimates are those of a kit.Sketch, which hashes with the given seed and is fitted
// to N objects. As long as all objects that were stored have size 1, N is c, but at most
// the objects of the trace, and x is added to the sketch by each request. Otherwise how
// many objects fit is not known before the cache fills: N is the number of objects in
// it, x included, once a miss finds at least delay*c bytes in use, s included; from there
// on requests are added, and each miss that finds as many in use fits it again. This comes
// before the contest.
//
// With hill climbing, w and u adapt. Once there was an eviction, hits and requests
// are counted; at the end of a request at which there are at least sample*N of them,
// with the N that the sketch was fitted to last, let h be the hit ratio and dh the
// difference to that of the last sample (0 at first). The direction of the step, at
// first -pivot*c bytes, is reversed if dh < 0. The step, cut to an integer, is made;
// the next one is pivot*c bytes in the same direction, which a step of 0 keeps, if
// |dh| >= restart, or decay times the step otherwise. A step of k > 0 bytes moves q
// = min(k, u) bytes from u to w; the protected part is cut to u, its oldest becoming
// the newest of probation; then, while there is one and it has at most the bytes of
// q that are left, the oldest of probation or, if that is empty, of the protected
// becomes the newest of the window. A step of k < 0 bytes moves min(-k, w-1) bytes
// from w to u, if that is more than 0; the oldest of the window become the newest of
// probation until it has at most w bytes. Counts start again.
//
// This follows Caffeine: its simulator but for hashing and the aging of the sketch
// (after 10 N requests, as in the paper and the library), and its library where an
// object is larger than the window. A removed object leaves; the sketch keeps its counts.
// A request takes constant time for each object that moves; the sketch is halved in time
// linear in N every 10 N requests. Evictions are the objects that left to make room, those
// that lost against a victim included. Besides 16 bytes for each object, the sketch takes
// up to 16 for each that fits.
type wTinyLFU struct {
	kit.Queues[struct{}]
	sketch    kit.Sketch
	n         int64 // N
	objects   int64 // in the trace
	sized     bool  // an object of another size than 1 was stored
	delay     int64 // bytes in use from which the sketch counts then
	rand      kit.Rand
	jitter    bool
	large     bool  // an object larger than the window enters it like others
	window    int64 // w
	protected int64 // u
	climber   *climber
	config    sim.Config
	shares    float64 // of the objects in the cache, in a miniature
}

const (
	wTinyWindow = iota
	wTinyProbation
	wTinyProtected
)

var (
	wTinyLFUParams = []sim.Param{
		{Name: "window", Default: 0.01, Min: 0, Max: 1, Doc: "share of the bytes given to the window, at first where it adapts"},
		{Name: "protected", Default: 0.8, Min: 0, Max: 1, Doc: "share of the other bytes given to objects that were hit in probation"},
		{Name: "large", Default: 0, Min: 0, Max: 1, Doc: "an object larger than the window enters it 0: as the oldest (Caffeine), 1: as the newest (Caffeine's simulator)"},
		{Name: "delay", Default: 0.5, Min: 0, Max: 1, Doc: "share of the bytes in use from which requests are counted, where sizes differ from 1"},
		{Name: "jitter", Default: 1, Min: 0, Max: 1, Doc: "1: an object with an estimate of 6 or more wins with probability 1/128 where it would lose"},
	}
	wTinyLFUSpec = sim.Spec{
		Name:     "w-tinylfu",
		Title:    "W-TinyLFU",
		Doc:      "LRU window in front of a segmented LRU that admits by estimated frequency",
		Paper:    "Einziger, Friedman, Manes, TinyLFU: a highly efficient cache admission policy, ACM Transactions on Storage 13(4), 2017",
		Params:   wTinyLFUParams,
		Random:   true,
		Default:  true,
		Revision: 1,
		Memory:   32,
		New:      func(c sim.Config) sim.Policy { return newWTinyLFU(c) },
	}
	wTinyLFUAdaptiveSpec = sim.Spec{
		Name:  "w-tinylfu-adaptive",
		Title: "W-TinyLFU adaptive",
		Doc:   "W-TinyLFU whose window grows and shrinks by hill climbing on the hit ratio",
		Paper: "Einziger, Eytan, Friedman, Manes, Adaptive software cache management, Middleware 2018",
		Params: append(wTinyLFUParams[:len(wTinyLFUParams):len(wTinyLFUParams)],
			sim.Param{Name: "pivot", Default: 0.0625, Min: 0, Max: 1, Doc: "share of the bytes by which the window changes at first"},
			sim.Param{Name: "sample", Default: 10, Min: 0.001, Max: 1e6, Doc: "requests between changes, in objects that fit"},
			sim.Param{Name: "decay", Default: 0.98, Min: 0, Max: 1, Doc: "factor by which each change is smaller than the one before"},
			sim.Param{Name: "restart", Default: 0.05, Min: 0, Max: 1, Doc: "difference in hit ratio at which changes are as large as at first again"}),
		Random:     true,
		Revision:   1,
		FixedScale: true, // with few objects the hit ratio that it climbs by is mostly chance
		Memory:     32,
		New: func(c sim.Config) sim.Policy {
			p := newWTinyLFU(c)
			pivot := c.Param("pivot") * float64(c.Capacity)
			p.climber = &climber{pivot: pivot, step: -pivot, sample: c.Param("sample"), decay: c.Param("decay"), restart: c.Param("restart")}
			return p
		},
	}
)

func newWTinyLFU(c sim.Config) *wTinyLFU {
	main := int64((1 - c.Param("window")) * float64(c.Capacity))
	return &wTinyLFU{
		Queues:    kit.NewQueues[struct{}](c, 3, 0),
		sketch:    kit.NewSketch(c),
		n:         1,
		objects:   int64(c.Objects),
		delay:     int64(math.Ceil(c.Param("delay") * float64(c.Capacity))),
		rand:      kit.NewRand(c.Seed),
		jitter:    c.Param("jitter") >= 0.5,
		large:     c.Param("large") >= 0.5,
		window:    c.Capacity - main,
		protected: int64(c.Param("protected") * float64(main)),
		config:    c,
	}
}

// Access serves r and reports whether it was a hit.
func (p *wTinyLFU) Access(r sim.Request) bool {
	hit := p.access(r)
	if p.climber != nil && p.Evictions() > 0 {
		if step := p.climber.request(hit, p.n); step > 0 {
			p.growWindow(step)
		} else if step < 0 {
			p.shrinkWindow(-step)
		}
	}
	return hit
}

func (p *wTinyLFU) access(r sim.Request) bool {
	queue := p.Queue(r.ID)
	if queue >= 0 {
		p.count(r)
		p.hit(r, queue)
		return true
	}
	if r.Size <= p.window || p.large {
		p.PushFront(wTinyWindow, r.ID, r.Size)
	} else {
		p.PushBack(wTinyWindow, r.ID, r.Size)
	}
	p.shares += p.config.Share(r)
	p.fit(r.Size)
	p.count(r)
	p.makeRoom()
	return false
}

// hit moves the object of r, which is in the given queue.
func (p *wTinyLFU) hit(r sim.Request, queue int) {
	if queue != wTinyProbation || r.Size > p.protected {
		p.MoveToFront(r.ID)
		return
	}
	p.Move(r.ID, wTinyProtected)
	p.demote()
}

// fit fits the sketch after an object of the given size was stored.
func (p *wTinyLFU) fit(size int64) {
	p.sized = p.sized || size != 1
	switch {
	case !p.sized:
		p.n = min(p.Capacity(), p.objects)
	case p.Used() >= p.delay:
		p.n = int64(p.Len(wTinyWindow) + p.Len(wTinyProbation) + p.Len(wTinyProtected))
		if p.config.Sizes != nil {
			p.n = max(1, int64(p.shares+0.5))
		}
	default:
		return
	}
	p.sketch.Fit(p.n)
}

// count adds a request for an object to the sketch, once there is one.
func (p *wTinyLFU) count(r sim.Request) {
	if !p.sketch.Empty() {
		p.sketch.AddShare(r.ID, p.config.Share(r))
	}
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *wTinyLFU) Remove(id uint32) bool {
	if !p.Has(id) {
		return false
	}
	p.shares -= p.share(id)
	return p.Queues.Remove(id)
}

// share is what an object in the cache counts as.
func (p *wTinyLFU) share(id uint32) float64 {
	return p.config.Share(sim.Request{ID: id, Size: p.Size(id)})
}

// demote cuts the protected objects to their share.
func (p *wTinyLFU) demote() {
	for p.Bytes(wTinyProtected) > p.protected {
		p.Move(p.Back(wTinyProtected), wTinyProbation)
	}
}

// makeRoom cuts the window to its share and evicts, by contests between what leaves the
// window and what the main part would lose, until the objects fit.
func (p *wTinyLFU) makeRoom() {
	var candidate uint32
	competes := false
	for p.Bytes(wTinyWindow) > p.window {
		id := p.Back(wTinyWindow)
		p.Move(id, wTinyProbation)
		if !competes {
			candidate, competes = id, true
		}
	}
	if !p.Full(0) {
		return
	}
	victim, found := p.oldest(wTinyProbation)
	from := wTinyProbation
	searched := false // the window, for candidates
	for p.Full(0) {
		if !competes && !searched {
			candidate, competes = p.oldest(wTinyWindow)
			searched = true
		}
		switch {
		case !competes && !found:
			if from == wTinyProbation {
				from = wTinyProtected
			} else {
				from = wTinyWindow
			}
			victim, found = p.oldest(from)
		case competes && found && candidate == victim:
			victim, found = p.evict(victim)
			competes = false
		case !found || competes && !p.wins(candidate, victim):
			candidate, competes = p.evict(candidate)
		default:
			victim, found = p.evict(victim)
			if competes {
				candidate, competes = p.Prev(candidate)
			}
		}
	}
}

// evict evicts an object and returns the next newer one of its queue, if there is one.
func (p *wTinyLFU) evict(id uint32) (newer uint32, ok bool) {
	newer, ok = p.Prev(id)
	p.shares -= p.share(id)
	p.Evict(id)
	return newer, ok
}

// oldest returns the oldest object of a queue, if it has one.
func (p *wTinyLFU) oldest(queue int) (id uint32, ok bool) {
	if p.Empty(queue) {
		return 0, false
	}
	return p.Back(queue), true
}

func (p *wTinyLFU) wins(candidate, victim uint32) bool {
	f := p.sketch.Count(candidate)
	return f > p.sketch.Count(victim) || p.jitter && f >= 6 && p.rand.Uint64()%128 == 0
}

func (p *wTinyLFU) growWindow(step int64) {
	quota := min(step, p.protected)
	p.protected -= quota
	p.window += quota
	p.demote()
	for {
		oldest, ok := p.oldest(wTinyProbation)
		if !ok {
			oldest, ok = p.oldest(wTinyProtected)
		}
		if !ok || p.Size(oldest) > quota {
			return
		}
		quota -= p.Size(oldest)
		p.Move(oldest, wTinyWindow)
	}
}

func (p *wTinyLFU) shrinkWindow(step int64) {
	quota := min(step, p.window-1)
	if quota <= 0 {
		return
	}
	p.window -= quota
	p.protected += quota
	for p.Bytes(wTinyWindow) > p.window {
		p.Move(p.Back(wTinyWindow), wTinyProbation)
	}
}

// Preload loads the nodes of the objects in reqs, and their counters.
func (p *wTinyLFU) Preload(reqs []sim.Request) {
	p.Queues.Preload(reqs)
	p.sketch.Preload(reqs)
}

// climber is the hill climber of wTinyLFU.
type climber struct {
	hits, requests         int64 // in the sample
	hitRatio               float64
	step                   float64 // bytes; below 0 the window shrinks
	pivot                  float64 // bytes
	sample, decay, restart float64
}

// request counts a request and returns by how many bytes the window has to grow,
// where objects of number n fit into the cache.
func (c *climber) request(hit bool, n int64) int64 {
	c.requests++
	if hit {
		c.hits++
	}
	if float64(c.requests) < c.sample*float64(n) {
		return 0
	}
	ratio := float64(c.hits) / float64(c.requests)
	change := ratio - c.hitRatio
	if change < 0 {
		c.step = -c.step
	}
	step := int64(c.step)
	if math.Abs(change) >= c.restart {
		c.step = math.Copysign(c.pivot, c.step) // a step of 0 has a direction too
	} else {
		c.step *= c.decay
	}
	c.hitRatio, c.hits, c.requests = ratio, 0, 0
	return step
}
