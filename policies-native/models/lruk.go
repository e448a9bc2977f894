package models

import "cachesim/sim"

// newLRUK evicts the object whose k-th last request is the furthest in the past, which
// it is for ever where there were fewer than k. The history of an object that is not
// in the cache ends after a number of requests.
func newLRUK(c sim.Config) Model {
	k, history := int(c.Param("k")), int(c.Param("history"))
	times := map[uint32][]int{} // of all requests for an object
	m := &ranked{capacity: c.Capacity}
	m.first = leastKey
	m.renew = func(o *object) {
		known := times[o.id]
		if n := len(known); o.storedAt == o.usedAt && history > 0 && n > 0 && m.requests-known[n-1] > history {
			known = nil
		}
		known = append(known, m.requests)
		times[o.id] = known
		o.key = -1
		if len(known) >= k {
			o.key = float64(known[len(known)-k])
		}
	}
	return m
}
