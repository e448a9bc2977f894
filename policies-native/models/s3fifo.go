package models

import "cachesim/sim"

// s3fifo has the queues small, main and ghost, in this order. Others of its kind
// differ in what a hit in small counts for, what is left of the hits of an object
// that goes another round in main, where ghosts that come back go, and whether main
// or small gives way.
type s3fifo struct {
	lists
	small, ghost int64
	threshold    int
	revised      bool                  // main is filled at first
	counts       func(o *item) bool    // a hit in small
	again        func(hits int) int    // what is left
	toMain       func(ghosts int) bool // for an object with so many ghosts so far
	smallFirst   bool                  // QD-LP-FIFO
	stored       int64                 // bytes, in small, so far
}

func newS3FIFOLike(c sim.Config) *s3fifo {
	m := &s3fifo{
		lists:     newLists(c, 2, 1),
		threshold: 1,
		revised:   true,
		counts:    func(*item) bool { return true },
		again:     func(hits int) int { return hits - 1 },
		toMain:    func(ghosts int) bool { return ghosts > 0 },
	}
	m.small, m.ghost = m.part(c.Param("small")), m.part(c.Param("ghost"))
	return m
}

func newS3FIFO(c sim.Config) Model {
	m := newS3FIFOLike(c)
	m.threshold = int(c.Param("threshold"))
	m.revised = c.Param("revised") == 1
	return m
}

func newS4FIFO(c sim.Config) Model {
	m := newS3FIFOLike(c)
	m.threshold = int(c.Param("threshold"))
	skip := int64(float64(m.small) * c.Param("skip"))
	m.counts = func(o *item) bool { return m.stored-o.after >= skip }
	m.toMain = func(ghosts int) bool { return ghosts > int(c.Param("ghosthits")) }
	return m
}

func newClock2QPlus(c sim.Config) Model {
	m := newS3FIFOLike(c)
	m.counts = func(o *item) bool { return float64(m.stored-o.after) >= float64(m.small)*c.Param("window") }
	m.again = func(int) int { return 0 }
	return m
}

func newQDLP(c sim.Config) Model {
	m := newS3FIFOLike(c)
	m.revised = false
	m.smallFirst = true
	return m
}

func (m *s3fifo) Access(r sim.Request, _ uint32) bool {
	if o := m.resident(r.ID); o != nil {
		if o.queue == 1 || m.counts(o) {
			o.hits = min(o.hits+1, 3)
		}
		return true
	}
	o := &item{id: r.ID, size: r.Size}
	if ghost := m.forget(r.ID); ghost != nil {
		o.ghosts = ghost.ghosts + 1
	}
	for m.full(r.Size) {
		mainIsAbove := m.bytes(1) > m.capacity-m.small
		switch {
		case m.empty(0) || mainIsAbove && !m.smallFirst:
			m.evictMain()
		default:
			m.evictSmall()
		}
	}
	filling := m.revised && m.evictions == 0 && m.bytes(0) >= m.small
	if m.toMain(o.ghosts) || filling {
		m.enterMain(o)
		return false
	}
	m.stored += o.size
	o.after = m.stored
	m.enter(0, o)
	return false
}

// evictSmall ends with an eviction or, in QD-LP-FIFO, with any object that left.
func (m *s3fifo) evictSmall() {
	for !m.empty(0) {
		o := m.queues[0][0]
		if o.hits < m.threshold {
			o.hits = 0
			m.remember(o, m.ghost)
			return
		}
		m.leave(o)
		o.ghosts = 0
		m.enterMain(o)
		if m.smallFirst {
			return
		}
	}
}

func (m *s3fifo) enterMain(o *item) {
	if m.smallFirst {
		m.makeRoom(o.size)
	}
	o.hits = 0
	m.enter(1, o)
}

// makeRoom holds main to its share, as in QD-LP-FIFO.
func (m *s3fifo) makeRoom(size int64) {
	for !m.empty(1) && m.bytes(1)+size > m.capacity-m.small {
		m.evictMain()
	}
}

func (m *s3fifo) evictMain() {
	for {
		o := m.queues[1][0]
		if o.hits == 0 {
			m.evict(o)
			return
		}
		o.hits = m.again(o.hits)
		m.move(o, 1)
	}
}
