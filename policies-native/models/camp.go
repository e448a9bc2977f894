package models

import (
	"math/bits"

	"cachesim/sim"
)

// newCAMP evicts the object with the least H, which is L + the rounded ratio of cost
// to size, as of its latest request.
func newCAMP(c sim.Config) Model {
	inflation, largest := 0.0, int64(1)
	m := &ranked{capacity: c.Capacity, first: leastKey}
	m.renew = func(o *object) {
		largest = max(largest, o.size)
		ratio := largest / max(1, o.size)
		if c.Param("cost") >= 0.5 {
			ratio = largest
		}
		drop := max(0, bits.Len64(uint64(ratio))-int(c.Param("precision")))
		o.key = inflation + float64(ratio>>drop<<drop)
	}
	m.evicting = func(victim object) {
		least := -1.0
		for _, o := range m.stored {
			if o.id != victim.id && (least < 0 || o.key < least) {
				least = o.key
			}
		}
		if least >= 0 {
			inflation = least
		}
	}
	return m
}
