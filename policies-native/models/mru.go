package models

import "cachesim/sim"

// newMRU evicts the object that was used last.
func newMRU(c sim.Config) Model {
	return &ranked{capacity: c.Capacity, first: func(a, b object) bool { return a.usedAt > b.usedAt }}
}
