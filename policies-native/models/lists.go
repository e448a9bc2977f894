package models

import (
	"slices"

	"cachesim/sim"
)

// lists are queues of objects, the oldest first. The first queues hold residents,
// the last one may hold ghosts. It is the base of models of several queues.
type lists struct {
	capacity  int64
	residents int // queues below it hold residents
	queues    [][]*item
	evictions int64
}

type item struct {
	id      uint32
	size    int64
	queue   int
	hits    int
	ghosts  int   // how often it was found in a queue of ghosts
	expires int   // number of a request
	after   int64 // bytes that entered small up to this item
}

func newLists(c sim.Config, residents, ghosts int) lists {
	return lists{capacity: c.Capacity, residents: residents, queues: make([][]*item, residents+ghosts)}
}

// find returns the item of a resident or a ghost, or nil.
func (l *lists) find(id uint32) *item {
	for _, q := range l.queues {
		for _, o := range q {
			if o.id == id {
				return o
			}
		}
	}
	return nil
}

// resident returns the item of a resident, or nil.
func (l *lists) resident(id uint32) *item {
	if o := l.find(id); o != nil && o.queue < l.residents {
		return o
	}
	return nil
}

// forget takes a ghost out of its queue and returns it, or nil.
func (l *lists) forget(id uint32) *item {
	o := l.find(id)
	if o == nil || o.queue < l.residents {
		return nil
	}
	l.leave(o)
	return o
}

func (l *lists) enter(queue int, o *item) {
	o.queue = queue
	l.queues[queue] = append(l.queues[queue], o)
}

func (l *lists) leave(o *item) {
	q := l.queues[o.queue]
	l.queues[o.queue] = slices.DeleteFunc(slices.Clone(q), func(p *item) bool { return p == o })
}

// move makes an item the newest of a queue, be it its own.
func (l *lists) move(o *item, queue int) {
	l.leave(o)
	l.enter(queue, o)
}

func (l *lists) evict(o *item) {
	l.leave(o)
	l.evictions++
}

// remember evicts an item to the last queue, which holds limit bytes.
func (l *lists) remember(o *item, limit int64) {
	l.evict(o)
	ghosts := len(l.queues) - 1
	if o.size > limit {
		return
	}
	for l.bytes(ghosts)+o.size > limit {
		l.leave(l.queues[ghosts][0])
	}
	l.enter(ghosts, o)
}

// newer returns the item after o in its queue, or nil.
func (l *lists) newer(o *item) *item {
	q := l.queues[o.queue]
	if i := slices.Index(q, o) + 1; i < len(q) {
		return q[i]
	}
	return nil
}

func (l *lists) bytes(queue int) int64 {
	var n int64
	for _, o := range l.queues[queue] {
		n += o.size
	}
	return n
}

func (l *lists) empty(queue int) bool { return len(l.queues[queue]) == 0 }

func (l *lists) full(size int64) bool { return l.Used()+size > l.capacity }

// part returns a share of the capacity.
func (l *lists) part(share float64) int64 { return int64(float64(l.capacity) * share) }

func (l *lists) Used() int64 {
	var n int64
	for q := range l.residents {
		n += l.bytes(q)
	}
	return n
}

func (l *lists) Evictions() int64 { return l.evictions }

func (l *lists) Remove(id uint32) bool {
	o := l.resident(id)
	if o == nil {
		return false
	}
	l.leave(o)
	return true
}
