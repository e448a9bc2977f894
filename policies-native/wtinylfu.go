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
// u = floor(protected*(c-w)). Before anything else, the sketch is fitted to N, the
// number of objects that fit (kit.Entries, where x counts as stored on a miss), but at
// most the objects of the trace, and x is added to it (kit.Sketch, which hashes with the
// given seed).
//
//   - x in the window or protected: it becomes the newest there.
//   - x in probation: if s > u it becomes the newest there, else the newest of
//     the protected; while these have more than u bytes, their oldest becomes the
//     newest of probation.
//   - otherwise x enters as the newest of the window. While the window has more than
//     w bytes, its oldest object y, which may be x, becomes the newest of probation
//     and competes: while more than c bytes are used, the oldest of probation or, if
//     that is y, the oldest of the protected, is its opponent. Without an opponent
//     y is evicted. If y wins, the opponent is evicted, else y is, and competes no
//     more.
//   - While more than c bytes are used still (the window had not its full share
//     before), the oldest of the window competes in the same way, with the oldest of
//     probation or, if there is none, of the protected; it stays in the window where
//     it wins. Without an object in the window, that opponent is evicted, and
//     without an opponent, the object in the window.
//
// y wins if its estimate is larger than that of its opponent; or with jitter=1, if
// its estimate is 6 or more and a number drawn then by Rand.Uint64, of a generator
// with the given seed, is divisible by 128, which prevents attacks on the hash.
//
// With hill climbing, w and u adapt. Once there was an eviction, hits and requests
// are counted; at the end of a request at which there are at least sample*N of them,
// let h be the hit ratio and dh the difference to that of the last sample (0 at
// first). The direction of the step, at first -pivot*c bytes, is reversed if dh < 0.
// The step, cut to an integer, is made; the next one is pivot*c bytes in the same
// direction, which a step of 0 keeps, if |dh| >= restart, or decay times the step
// otherwise. A step of k > 0 bytes moves q = min(k, u) bytes from u to w; the protected
// part is cut to u, its oldest becoming the newest of probation; then, while there is
// one and it has at most the bytes of q that are left, the oldest of probation or, if
// that is empty, of the protected becomes the newest of the window. A step of k < 0
// bytes moves min(-k, w-1) bytes from w to u, if that is more than 0; the oldest of the
// window become the newest of probation until it has at most w bytes. Counts start
// again.
//
// With sizes of 1 this follows Caffeine's simulator, but for hashing, and its library
// in a sample of requests for climbing. Each miss stores the object. A removed object
// leaves; the sketch keeps its counts. A request takes constant time for each object
// that moves; the sketch is halved in time linear in N every 10 N requests. Evictions
// are the objects that left to make room, those that lost against their opponent
// included. Besides 16 bytes for each object, the sketch takes up to 16 for each that
// fits.
type wTinyLFU struct {
	kit.Queues[struct{}]
	sketch    kit.Sketch
	entries   kit.Entries
	objects   int64 // in the trace
	rand      kit.Rand
	jitter    bool
	window    int64 // w
	protected int64 // u
	climber   *climber
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
		{Name: "jitter", Default: 1, Min: 0, Max: 1, Doc: "1: an object with an estimate of 6 or more wins with probability 1/128 where it would lose"},
	}
	wTinyLFUSpec = sim.Spec{
		Name:    "w-tinylfu",
		Title:   "W-TinyLFU",
		Doc:     "LRU window in front of a segmented LRU that admits by estimated frequency",
		Paper:   "Einziger, Friedman, Manes, TinyLFU: a highly efficient cache admission policy, ACM Transactions on Storage 13(4), 2017",
		Params:  wTinyLFUParams,
		Random:  true,
		Default: true,
		Memory:  32,
		New:     func(c sim.Config) sim.Policy { return newWTinyLFU(c) },
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
		Random: true,
		Memory: 32,
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
		sketch:    kit.NewSketch(c.Seed),
		entries:   kit.NewEntries(c),
		objects:   int64(c.Objects),
		rand:      kit.NewRand(c.Seed),
		jitter:    c.Param("jitter") >= 0.5,
		window:    c.Capacity - main,
		protected: int64(c.Param("protected") * float64(main)),
	}
}

// Access serves r and reports whether it was a hit.
func (p *wTinyLFU) Access(r sim.Request) bool {
	hit := p.access(r)
	if p.climber != nil && p.Evictions() > 0 {
		if step := p.climber.request(hit, p.entries.N()); step > 0 {
			p.growWindow(step)
		} else if step < 0 {
			p.shrinkWindow(-step)
		}
	}
	return hit
}

func (p *wTinyLFU) access(r sim.Request) bool {
	queue := p.Queue(r.ID)
	if queue < 0 && p.entries.Stored(r.Size) || p.sketch.Empty() {
		p.sketch.Fit(min(p.entries.N(), p.objects))
	}
	p.sketch.Add(r.ID)
	switch queue {
	case wTinyWindow, wTinyProtected:
		p.MoveToFront(r.ID)
		return true
	case wTinyProbation:
		if r.Size > p.protected {
			p.MoveToFront(r.ID)
			return true
		}
		p.Move(r.ID, wTinyProtected)
		p.demote()
		return true
	}
	p.PushFront(wTinyWindow, r.ID, r.Size)
	for p.Bytes(wTinyWindow) > p.window {
		candidate := p.Back(wTinyWindow)
		p.Move(candidate, wTinyProbation)
		p.compete(candidate)
	}
	for p.Full(0) {
		opponent, ok := p.opponent()
		switch {
		case !ok:
			p.Evict(p.Back(wTinyWindow))
		case p.Empty(wTinyWindow) || p.wins(p.Back(wTinyWindow), opponent):
			p.Evict(opponent)
		default:
			p.Evict(p.Back(wTinyWindow))
		}
	}
	return false
}

// demote cuts the protected objects to their share.
func (p *wTinyLFU) demote() {
	for p.Bytes(wTinyProtected) > p.protected {
		p.Move(p.Back(wTinyProtected), wTinyProbation)
	}
}

// compete lets a candidate at the front of probation evict others, or be evicted,
// until the objects fit.
func (p *wTinyLFU) compete(candidate uint32) {
	for p.Full(0) {
		opponent, ok := p.opponent()
		if opponent == candidate {
			if ok = !p.Empty(wTinyProtected); ok {
				opponent = p.Back(wTinyProtected)
			}
		}
		if !ok || !p.wins(candidate, opponent) {
			p.Evict(candidate)
			return
		}
		p.Evict(opponent)
	}
}

// opponent returns the object that the main part would lose, if it has one.
func (p *wTinyLFU) opponent() (id uint32, ok bool) {
	switch {
	case !p.Empty(wTinyProbation):
		return p.Back(wTinyProbation), true
	case !p.Empty(wTinyProtected):
		return p.Back(wTinyProtected), true
	}
	return 0, false
}

func (p *wTinyLFU) wins(candidate, opponent uint32) bool {
	f := p.sketch.Count(candidate)
	return f > p.sketch.Count(opponent) || p.jitter && f >= 6 && p.rand.Uint64()%128 == 0
}

func (p *wTinyLFU) growWindow(step int64) {
	quota := min(step, p.protected)
	p.protected -= quota
	p.window += quota
	p.demote()
	for {
		oldest, ok := p.opponent()
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
