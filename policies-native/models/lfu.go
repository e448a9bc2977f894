package models

import "cachesim/sim"

// newLFU evicts the object with the fewest requests since it was stored, the
// one whose latest request is the oldest among equals.
func newLFU(c sim.Config) Model {
	return &ranked{
		capacity: c.Capacity,
		first:    func(a, b object) bool { return a.count < b.count || a.count == b.count && a.usedAt < b.usedAt },
	}
}
