package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// s4LRUSpec is SLRU with four segments, or any number n, of the same share: the
// capacity divided by n, rounded down. For the rules see slru.
//
//	            hit       hit       hit
//	new ──▶ 0 ──────▶ 1 ──────▶ 2 ──────▶ 3
//	        │ ◀────── │ ◀────── │ ◀────── │  what does not fit, at the back
//	        ▼
//	     evicted
//
// The paper gives each segment a quarter of the cache. It does not say whether
// segment 0 may use what the others leave free, and with bounded 0 it does: else
// a cache without hits would use a quarter of its space.
//
// With bounded 1 segment 0 has its share as well, as in libCacheSim's SLRU. Then a
// new object, for which room is made as above, enters the lowest segment where it
// fits into the share, and segment 0 where it fits into none, even beyond the
// share of that. When objects pushed down leave segment 0 with more than its share,
// those at its back are evicted, although the cache may have room: a hit can evict.
// A request takes constant time for each object that moves or is evicted.
//
// Evictions are the objects evicted, not those that move down.
var s4LRUSpec = sim.Spec{
	Name:  "s4lru",
	Title: "S4LRU",
	Doc:   "LRU in four segments of the same size; each hit moves an object up by one",
	Paper: "Huang, Birman, van Renesse, Lloyd, Kumar, Li, An analysis of Facebook photo caching, SOSP 2013",
	Params: []sim.Param{
		{Name: "segments", Default: 4, Min: 1, Max: 64, Doc: "number of segments"},
		{Name: "bounded", Default: 0, Min: 0, Max: 1, Doc: "1: the lowest segment is held to its share, and new objects enter the lowest that has room"},
	},
	Memory: 16,
	New: func(c sim.Config) sim.Policy {
		n := int(c.Param("segments"))
		p := &slru{kit.NewQueues[struct{}](c, n, 0), make([]int64, n)}
		for i := range p.share {
			p.share[i] = c.Capacity / int64(n)
		}
		if c.Param("bounded") == 0 {
			p.share[0] = c.Capacity
		}
		return p
	},
}
