package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// secondHit stores an object when it is missed for the second time: most objects
// of a content delivery network are requested once. Two Bloom filters remember
// which objects were requested.
//
//	every request     if neither filter holds the object, it is added to the
//	                  current one
//	current full      the other one is emptied and becomes the current one
//
// So an object is forgotten after one to two times as many other ones were added
// as a filter takes. A false positive stores an object at its first miss.
//
// How the filters are aged is a choice: two that take turns, and their rate of false
// positives, are webcachesim2's. A request takes constant time for each hash.
type secondHit struct {
	filters [2]kit.Bloom
	current int
	objects int64 // that a filter takes
}

// leastBloom is the least number of objects that a filter is made for: in smaller
// ones, a false positive more or less would show.
const leastBloom = 1024

var secondHitSpec = sim.FilterSpec{
	Name:  "second-hit",
	Title: "second hit",
	Doc:   "stores an object at its second miss, by two Bloom filters that take turns",
	Paper: "Maggs, Sitaraman, Algorithmic nuggets in content delivery, ACM SIGCOMM CCR 45(3), 2015",
	Params: []sim.Param{
		{Name: "objects", Default: 1_000_000, Min: 1, Max: 1e10, Doc: "objects that are remembered before the other filter takes over"},
		{Name: "fp", Default: 0.001, Min: 1e-6, Max: 0.5, Doc: "probability that a full filter claims to hold an object that it does not"},
	},
	Random:     true,
	Memory:     4,
	FixedScale: true,
	New: func(c sim.Config) sim.Filter {
		f := &secondHit{objects: int64(c.Param("objects"))}
		// A filter never holds more than all objects of the trace.
		n := max(leastBloom, min(f.objects, int64(c.Objects)))
		for i := range f.filters {
			f.filters[i] = kit.NewBloom(n, c.Param("fp"), c.Seed)
		}
		return f
	},
}

// Admit reports whether the object of r is stored.
func (f *secondHit) Admit(r sim.Request) bool {
	return f.filters[0].Has(r.ID) || f.filters[1].Has(r.ID)
}

// Served adds the object of r.
func (f *secondHit) Served(r sim.Request, _ bool) {
	if f.Admit(r) {
		return
	}
	if f.filters[f.current].Len() >= f.objects {
		f.current = 1 - f.current
		f.filters[f.current].Clear()
	}
	f.filters[f.current].Add(r.ID)
}
