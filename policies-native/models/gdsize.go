package models

import "cachesim/sim"

// newGDSize evicts the object with the least H, the one whose latest request is
// the oldest among equals. H becomes L + 1/size at each request, and L is the H
// of the last victim.
func newGDSize(c sim.Config) Model {
	inflation := 0.0
	return &ranked{
		capacity: c.Capacity,
		first:    func(a, b object) bool { return a.key < b.key || a.key == b.key && a.usedAt < b.usedAt },
		renew:    func(o *object) { o.key = inflation + 1/float64(o.size) }, // +Inf where the size is 0
		evicting: func(o object) { inflation = o.key },
	}
}
