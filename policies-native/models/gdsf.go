package models

import "cachesim/sim"

// newGDSF evicts the object with the least H, which is L + frequency * cost / size,
// in millionths, as of its latest request.
func newGDSF(c sim.Config) Model {
	inflation := 0.0
	return &ranked{
		capacity: c.Capacity,
		first:    leastKey,
		renew: func(o *object) {
			if c.Param("cost") >= 0.5 {
				o.key = inflation + float64(o.count)*1e6
			} else {
				o.key = inflation + float64(o.count)*1e6/float64(o.size)
			}
		},
		evicting: func(o object) { inflation = o.key },
	}
}
