package models

import "cachesim/sim"

// newGDSize evicts the object with the least H, the one whose latest request is
// the oldest among equals. H becomes L + cost/size at each request, and L is the H
// of the last victim. The cost is 1, or the packets of a transfer.
func newGDSize(c sim.Config) Model {
	inflation := 0.0
	cost := func(size float64) float64 {
		if c.Param("cost") == 1 {
			return 2 + size/536
		}
		return 1
	}
	return &ranked{
		capacity: c.Capacity,
		first:    func(a, b object) bool { return a.key < b.key || a.key == b.key && a.usedAt < b.usedAt },
		renew:    func(o *object) { o.key = inflation + cost(float64(o.size))/float64(o.size) }, // +Inf where the size is 0
		evicting: func(o object) { inflation = o.key },
	}
}
