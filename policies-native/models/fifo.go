package models

import "cachesim/sim"

// newFIFO evicts the object that was stored first.
func newFIFO(c sim.Config) Model {
	return &ranked{
		capacity: c.Capacity,
		first:    func(a, b object) bool { return a.storedAt < b.storedAt },
	}
}
