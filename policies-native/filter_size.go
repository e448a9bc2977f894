package native

import "cachesim/sim"

// sizeThreshold stores objects up to a size only, so that a large object does not
// push out many small ones. The limit is a number of bytes or, where that is 0, a
// share of the capacity.
type sizeThreshold struct {
	config sim.Config
	limit  int64
}

var sizeThresholdSpec = sim.FilterSpec{
	Name:  "size-threshold",
	Title: "size threshold",
	Doc:   "stores objects up to a size only",
	Paper: "Abrams, Standridge, Abdulla, Williams, Fox, Caching proxies: limitations and potentials, WWW 1995 (LRU-THOLD)",
	Sizes: sim.SizesAreWeighed,
	Params: []sim.Param{
		{Name: "bytes", Default: 0, Min: 0, Max: sim.MaxSize, Doc: "largest size that is stored; 0: share counts"},
		{Name: "share", Default: 0.01, Min: 0, Max: 1, Doc: "largest size that is stored, as a share of the capacity"},
	},
	New: func(c sim.Config) sim.Filter {
		if b := c.Param("bytes"); b > 0 {
			return &sizeThreshold{c, int64(b)}
		}
		return &sizeThreshold{c, int64(c.Whole(c.Param("share") * float64(c.Capacity)))}
	},
}

// Admit reports whether the object of r is stored.
func (f *sizeThreshold) Admit(r sim.Request) bool { return f.config.Size(r) <= f.limit }

// Served does nothing.
func (f *sizeThreshold) Served(sim.Request, bool) {}
