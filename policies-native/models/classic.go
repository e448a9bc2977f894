package models

import (
	"math/bits"

	"cachesim/sim"
)

// newMRU evicts the object whose latest request is the newest.
func newMRU(c sim.Config) Model {
	return &ranked{
		capacity: c.Capacity,
		first:    func(a, b object) bool { return a.usedAt > b.usedAt },
	}
}

// newSize evicts the largest object, the one whose latest request is the oldest
// among equals.
func newSize(c sim.Config) Model {
	return &ranked{
		capacity: c.Capacity,
		first:    func(a, b object) bool { return a.size > b.size || a.size == b.size && a.usedAt < b.usedAt },
	}
}

// leastKey orders objects by their keys, and then by their latest requests.
func leastKey(a, b object) bool { return a.key < b.key || a.key == b.key && a.usedAt < b.usedAt }

// newPerfectLFU evicts the object with the fewest requests in the trace so far.
func newPerfectLFU(c sim.Config) Model {
	requests := map[uint32]float64{}
	return &ranked{
		capacity: c.Capacity,
		first:    leastKey,
		renew: func(o *object) {
			requests[o.id]++
			o.key = requests[o.id]
		},
	}
}

// newLFUDA evicts the object with the least K. K becomes L + F at each request,
// F being those since the object was stored, and L is the K of the last victim.
func newLFUDA(c sim.Config) Model {
	inflation := 0.0
	return &ranked{
		capacity: c.Capacity,
		first:    leastKey,
		renew:    func(o *object) { o.key = inflation + float64(o.count) },
		evicting: func(o object) { inflation = o.key },
	}
}

// newLRUK evicts the object whose k-th last request is the oldest; one that has
// fewer has it before the trace. What is older than a gap of more than history
// requests, at the end of which the object misses, is forgotten.
func newLRUK(c sim.Config) Model {
	k, history := int(c.Param("k")), int(c.Param("history"))
	requests := map[uint32][]int{}
	now := 0
	return &ranked{
		capacity: c.Capacity,
		first:    leastKey,
		renew: func(o *object) {
			now++
			past := requests[o.id]
			missed := o.count == 1
			if missed && history > 0 && len(past) > 0 && past[len(past)-1]+history < now {
				past = nil
			}
			past = append(past, now)
			requests[o.id] = past
			o.key = 0
			if len(past) >= k {
				o.key = float64(past[len(past)-k])
			}
		},
	}
}

// random evicts objects[i] for a random i, and fills the hole with the last one.
type random struct {
	lists
	state uint64 // of SplitMix64
}

func newRandom(c sim.Config) Model { return &random{newLists(c, 1, 0), c.Seed} }

func (m *random) Access(r sim.Request, _ uint32) bool {
	if m.find(r.ID) != nil {
		return true
	}
	for m.full(r.Size) {
		m.state += 0x9e3779b97f4a7c15
		x := m.state
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
		i, _ := bits.Mul64(x, uint64(len(m.queues[0])))
		m.Remove(m.queues[0][i].id)
		m.evictions++
	}
	m.enter(0, &item{id: r.ID, size: r.Size})
	return false
}

func (m *random) Remove(id uint32) bool {
	all := m.queues[0]
	for i, o := range all {
		if o.id == id {
			all[i] = all[len(all)-1]
			m.queues[0] = all[:len(all)-1]
			return true
		}
	}
	return false
}
