package models

import "cachesim/sim"

// A filter is the model of an admission filter.
type filter interface {
	admit(r sim.Request) bool
	served(r sim.Request)
}

// behind is an LRU cache behind a filter.
type behind struct {
	*ranked
	filter filter
}

func lruBehind(c sim.Config, f filter) Model { return behind{newLRU(c).(*ranked), f} }

func (m behind) Access(r sim.Request, next uint32) bool {
	hit := m.find(r.ID) >= 0
	if hit || m.filter.admit(r) {
		m.ranked.Access(r, next)
	}
	m.filter.served(r)
	return hit
}

// sizeThreshold admits objects of at most a number of bytes, or of a share of the
// capacity.
type sizeThreshold struct{ most float64 }

func newLRUSizeThreshold(c sim.Config) Model {
	most := c.Param("bytes")
	if most == 0 {
		most = c.Param("share") * float64(c.Capacity)
	}
	return lruBehind(c, sizeThreshold{most})
}

func (f sizeThreshold) admit(r sim.Request) bool { return float64(r.Size) <= f.most }
func (f sizeThreshold) served(sim.Request)       {}
