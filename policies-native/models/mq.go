package models

import "cachesim/sim"

// mq has its queues in the order of the frequencies of their objects, which are the
// counts. The times are those at which objects expire.
type mq struct {
	residents
	out            list
	outLimit       int64
	lifetime, time int
}

func newMQ(c sim.Config) Model {
	m := &mq{outLimit: share(c, "out"), lifetime: int(c.Param("lifetime"))}
	m.capacity = c.Capacity
	for range int(c.Param("queues")) {
		m.in = append(m.in, &list{})
	}
	return m
}

func (m *mq) Access(r sim.Request, _ uint32) bool {
	x := m.takeOut(r.ID)
	hit := x != nil
	if !hit {
		x = &entry{id: r.ID, size: r.Size}
		if ghost := m.out.take(r.ID); ghost != nil {
			x.count = ghost.count
		}
		for !m.fits(r.Size) {
			m.evict()
		}
	}
	x.count++
	x.at = m.time + m.lifetime
	m.in[m.queue(x.count)].push(x)
	m.time++
	for i, queue := range m.in {
		if i == 0 || len(*queue) == 0 || queue.oldest().at >= m.time {
			continue
		}
		e := queue.pop()
		e.at = m.time + m.lifetime
		m.in[i-1].push(e)
	}
	return hit
}

// takeOut takes a resident out of its queue.
func (m *mq) takeOut(id uint32) *entry {
	for _, queue := range m.in {
		if e := queue.take(id); e != nil {
			return e
		}
	}
	return nil
}

// queue returns which queue objects with a frequency are in.
func (m *mq) queue(frequency int) int {
	i := 0
	for frequency >= 2 && i < len(m.in)-1 {
		frequency /= 2
		i++
	}
	return i
}

func (m *mq) evict() {
	for _, queue := range m.in {
		if len(*queue) > 0 {
			m.out.remember(queue.pop(), m.outLimit)
			m.evicted++
			return
		}
	}
}
