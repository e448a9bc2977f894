package models

import "cachesim/sim"

// newSize evicts the largest object, the least recently used first among equals.
func newSize(c sim.Config) Model {
	return &ranked{capacity: c.Capacity, first: func(a, b object) bool {
		return a.size > b.size || a.size == b.size && a.usedAt < b.usedAt
	}}
}
