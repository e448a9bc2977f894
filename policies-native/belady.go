package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// belady is the offline policy MIN: it evicts the object whose next request is
// the farthest in the future, one that is not requested again before all others
// (of several, the one that was requested latest). It stores every object that
// it misses, as an online policy does.
//
//	request   a b c   a d   b a
//	cached    a ab abc abc abd abd abd   capacity 3; c is never requested again
//
// With objects of one size no policy that stores every miss has fewer misses.
// With sizes it is no bound: see the bounds PFOO-L and PFOO-U for that. Which of
// the objects that are not requested again leaves first is open, and changes the
// evictions only.
//
// A request takes the time of a kit.Schedule: constant, but for an eviction, which
// looks for the farthest next request. Evictions are the objects evicted.
type belady struct{ kit.Schedule }

var beladySpec = sim.Spec{
	Name:      "belady",
	Title:     "Belady",
	Doc:       "offline: evicts the object whose next request is the farthest; stores every object",
	Paper:     "Belady, A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5(2), 1966",
	Needs:     sim.NeedsNext,
	Default:   true,
	Memory:    32,
	Miniature: sim.Miniaturization{Cached: 600},
	New:       func(c sim.Config) sim.Policy { return &belady{kit.NewSchedule(c, nil)} },
}

// Access must not be called: the policy has to know the next access.
func (p *belady) Access(sim.Request) bool { panic("belady is called without the next access") }

// AccessNext serves r and reports whether it was a hit.
func (p *belady) AccessNext(r sim.Request, next uint32) bool {
	if p.Has(r.ID) {
		p.Renew(r.ID, next)
		return true
	}
	for p.Full(r.Size) {
		victim, _ := p.last()
		p.Evict(victim)
	}
	p.Add(r.ID, r.Size, next)
	return false
}

// last returns the object to evict, and its next access.
func (p *belady) last() (id, next uint32) {
	if id, ok := p.Never(); ok {
		return id, sim.Never
	}
	id, next, _ = p.Farthest(0)
	return id, next
}
