package models

import "cachesim/sim"

// newLFUDA evicts the object with the least K, which is L + its requests, as of its
// latest request. L is the K of the last victim.
func newLFUDA(c sim.Config) Model {
	age := 0.0
	return &ranked{
		capacity: c.Capacity,
		first:    leastKey,
		renew:    func(o *object) { o.key = age + float64(o.count) },
		evicting: func(o object) { age = o.key },
	}
}

// leastKey orders objects by their keys, the least recently used first among equals.
func leastKey(a, b object) bool {
	if a.key != b.key {
		return a.key < b.key
	}
	return a.usedAt < b.usedAt
}
