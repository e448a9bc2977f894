package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// beladyBypass is MIN for a cache that need not store what it misses: the new
// object is a candidate like those in the cache. While there is no room, the
// object whose next request is the farthest goes; when that is the new one, it
// is not stored. An object that is not requested again is stored only where
// there is room.
//
//	request   a b c   b a
//	cached    a ab ab ab ab   capacity 2; c is not stored
//
// With objects of one size no policy has fewer misses. With sizes, objects that were
// evicted before it turns out that the new one is not stored are not restored, which
// is a choice. Costs are those of belady. Evictions are the objects evicted, not those
// that are not stored.
type beladyBypass struct {
	belady
	kit.Admitted
}

var beladyBypassSpec = sim.Spec{
	Name:  "belady-bypass",
	Title: "Belady (bypass)",
	Doc:   "offline: like belady, but does not store an object that is requested later than those in the cache",
	Paper: "Belady, A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5(2), 1966; " +
		"bypassing as in McFarling, Cache replacement with dynamic exclusion, ISCA 1992",
	Needs:     sim.NeedsNext,
	Memory:    32,
	Miniature: sim.Miniaturization{Cached: 600},
	New: func(c sim.Config) sim.Policy {
		return &beladyBypass{belady: belady{kit.NewSchedule(c, nil)}}
	},
}

// AccessNext serves r and reports whether it was a hit.
func (p *beladyBypass) AccessNext(r sim.Request, next uint32) bool {
	if p.Has(r.ID) {
		p.Renew(r.ID, next)
		return true
	}
	for p.Full(r.Size) {
		victim, last := p.last()
		if next >= last {
			return false
		}
		p.Evict(victim)
	}
	p.Add(r.ID, r.Size, next)
	p.Admit(r.Size)
	return false
}
