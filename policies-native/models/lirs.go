package models

import "cachesim/sim"

// lirs has the stack and the two queues of LIRS. A marked object of the stack is
// LIR.
type lirs struct {
	stack, queue, lost          list
	limitLIR, limitHIR, limited int64
	evicted                     int64
}

func newLIRS(c sim.Config) Model {
	h := min(c.Capacity, max(1, share(c, "hir")))
	return &lirs{limitLIR: c.Capacity - h, limitHIR: h, limited: share(c, "stack")}
}

// lir returns the LIR objects.
func (m *lirs) lir() list {
	l := make(list, 0, len(m.stack))
	for _, e := range m.stack {
		if e.marked {
			l = append(l, e)
		}
	}
	return l
}

func (m *lirs) Used() int64      { return m.lir().bytes() + m.queue.bytes() }
func (m *lirs) Evictions() int64 { return m.evicted }

func (m *lirs) Remove(id uint32) bool {
	isLIR := m.lir().has(id)
	if !isLIR && !m.queue.has(id) {
		return false
	}
	m.stack.take(id)
	m.queue.take(id)
	if isLIR {
		m.prune()
	}
	return true
}

func (m *lirs) Access(r sim.Request, _ uint32) bool {
	hit := m.request(r)
	for m.stack.bytes() > m.limited && len(m.lost) > 0 {
		m.stack.take(m.lost.pop().id)
	}
	return hit
}

func (m *lirs) request(r sim.Request) bool {
	x := &entry{id: r.ID, size: r.Size}
	inStack, wasLost := m.stack.has(r.ID), m.lost.has(r.ID)
	switch {
	case m.lir().has(r.ID):
		m.stack.push(m.stack.take(r.ID))
		m.prune()
		return true
	case m.queue.has(r.ID) && inStack && r.Size <= m.limitLIR:
		m.becomeLIR(x)
		return true
	case m.queue.has(r.ID):
		m.queue.take(r.ID)
		m.stack.take(r.ID)
		m.queue.push(x)
		m.stack.push(x)
		return true
	case wasLost && r.Size <= m.limitLIR:
		m.becomeLIR(x)
		return false
	}
	m.stack.take(r.ID)
	m.lost.take(r.ID)
	switch {
	case !wasLost && m.lir().bytes()+r.Size <= m.limitLIR:
		m.becomeLIR(x)
	case r.Size <= m.limitHIR:
		m.enterQueue(x)
		m.stack.push(x)
	default:
		m.stack.push(x)
		m.lost.push(x)
	}
	return false
}

// becomeLIR puts x on top of the stack as a LIR object.
func (m *lirs) becomeLIR(x *entry) {
	m.stack.take(x.id)
	m.queue.take(x.id)
	m.lost.take(x.id)
	for m.lir().bytes() > m.limitLIR-x.size {
		y := m.stack.pop()
		y.marked = false
		if y.size <= m.limitHIR {
			m.enterQueue(y)
		} else {
			m.evicted++
		}
		m.prune()
	}
	x.marked = true
	m.stack.push(x)
	m.prune()
}

// enterQueue makes room for y in the queue and puts it to the front.
func (m *lirs) enterQueue(y *entry) {
	for m.queue.bytes() > m.limitHIR-y.size {
		v := m.queue.pop()
		m.evicted++
		if m.stack.has(v.id) {
			m.lost.push(v)
		}
	}
	m.queue.push(y)
}

// prune makes the last object of the stack a LIR one.
func (m *lirs) prune() {
	for len(m.stack) > 0 && !m.stack.oldest().marked {
		m.lost.take(m.stack.pop().id)
	}
}
