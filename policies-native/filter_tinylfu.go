package native

import (
	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// tinyLFU stores an object, where there is no room, only if it was requested more
// often lately than the object that would be evicted first. The request that
// misses counts: it adds 1 to its object's estimate, up to 15, but to no counter
// before the decision.
//
//	miss                  c is requested; the policy would evict v first
//	count(c) > count(v)   c is stored, and as many are evicted as it needs
//	otherwise             c is not stored
//
// The counts are those of a kit.Sketch, which hashes with the given seed: of 4 bits,
// halved after ten times as many requests as the cache holds objects. Counting starts
// with the first miss for which there is no room, and again with one at which the cache
// holds more objects than the sketch is made for, which is then replaced by a larger one.
//
// The paper leaves open what an object competes with that needs the room of several:
// here with the first victim alone. Its doorkeeper, a Bloom filter before the sketch, is
// left out. A request takes constant time; the sketch is halved in time linear in the
// objects that fit.
type tinyLFU struct {
	sketch kit.Sketch
}

// mostCounted is the largest count of a kit.Sketch.
const mostCounted = 15

var tinyLFUSpec = sim.FilterSpec{
	Name:       "tinylfu",
	Title:      "TinyLFU",
	Doc:        "stores an object if it was requested more often lately than the one to be evicted",
	Paper:      "Einziger, Friedman, TinyLFU: a highly efficient cache admission policy, PDP 2014",
	Random:     true,
	Revision:   1,
	Memory:     16,
	FixedScale: true,
	New:        func(c sim.Config) sim.Filter { return &tinyLFU{kit.NewSketch(c)} },
}

// Admit reports that the object is stored: there is room.
func (f *tinyLFU) Admit(sim.Request) bool { return true }

// AdmitOver reports whether the object of r is stored in the place of victim.
func (f *tinyLFU) AdmitOver(r sim.Request, victim uint32, cached int) bool {
	f.sketch.Fit(int64(cached))
	return min(f.sketch.Count(r.ID)+1, mostCounted) > f.sketch.Count(victim)
}

// Served counts the request.
func (f *tinyLFU) Served(r sim.Request, _ bool) {
	if !f.sketch.Empty() {
		f.sketch.Add(r.ID)
	}
}
