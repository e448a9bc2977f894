package models

import "cachesim/sim"

// newPerfectLFU evicts the object with the fewest requests in the whole trace.
func newPerfectLFU(c sim.Config) Model {
	requests := map[uint32]int{}
	return &ranked{
		capacity: c.Capacity,
		first:    leastKey,
		renew: func(o *object) {
			requests[o.id]++
			o.key = float64(requests[o.id])
		},
	}
}
