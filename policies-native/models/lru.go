package models

import "cachesim/sim"

// newLRU evicts the object whose latest request is the oldest.
func newLRU(c sim.Config) Model {
	return &ranked{
		capacity: c.Capacity,
		first:    func(a, b object) bool { return a.usedAt < b.usedAt },
	}
}
