package native

import (
	"math/bits"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// beladySize is Belady's rule for objects of different sizes, a heuristic: while
// there is no room, the object goes that would occupy the cache most until its
// next request, by size times the number of requests until then. The new object
// is a candidate too. An object that is not requested again goes before all
// others.
//
//	request   a:1 b:4 c:1 b   a   c
//	cached    a   ab  ac  ac  ac  ac   capacity 5
//
// When c comes, keeping it costs 1*3, a 1*2 and b 4*1, so b goes.
//
// The costs of all objects change with every request, and differently. So
// objects are kept in classes by their size, 8 to a doubling, each ordered by
// next requests, and the first ones of the classes are compared: the victim's
// cost is the greatest there is or at most a ninth less.
//
// The index of the request that is served is the next access that the object's
// previous request had. For a new object it is counted on from the request
// before, which leaves out those that never reach the policy.
//
// The paper leaves open how the greatest cost is found: its authors and libCacheSim
// look at a random sample. A request takes constant time; an eviction looks at the
// classes that hold objects, of which there are at most 8 for each doubling of size.
// Evictions are the objects evicted, not those that are not stored.
type beladySize struct {
	kit.Schedule
	kit.Admitted
	config    sim.Config
	expected  []uint32 // of each object: the latest next access; 0: not requested before
	now       uint32   // index in the trace of the request
	following uint32   // the index after it
	filled    classSet // classes that may hold objects
}

var beladySizeSpec = sim.Spec{
	Name:  "belady-size",
	Title: "Belady-Size",
	Doc:   "offline: evicts the object with the most bytes times requests until it is requested again",
	Paper: "Belady-Size in Berger, Beckmann, Harchol-Balter, Practical bounds on optimal caching with variable object sizes, " +
		"POMACS 2(2), 2018",
	Needs:     sim.NeedsNext,
	Memory:    32,
	Miniature: sim.Miniaturization{Cached: 600},
	Sizes:     sim.SizesAreWeighed,
	New: func(c sim.Config) sim.Policy {
		return &beladySize{
			Schedule: kit.NewSchedule(c, kit.SizeClass),
			config:   c,
			expected: make([]uint32, c.Objects),
		}
	},
}

// Access must not be called: the policy has to know the next access.
func (p *beladySize) Access(sim.Request) bool {
	panic("belady-size is called without the next access")
}

// AccessNext serves r and reports whether it was a hit.
func (p *beladySize) AccessNext(r sim.Request, next uint32) bool {
	p.now = p.following
	if e := p.expected[r.ID]; e != 0 && e != sim.Never {
		p.now = e
	}
	p.following = p.now + 1
	p.expected[r.ID] = next
	if p.Has(r.ID) {
		p.Renew(r.ID, next)
		return true
	}
	weight := p.config.Size(r)
	for p.Full(r.Size) {
		victim, ok := p.Never()
		if next == sim.Never {
			return false
		}
		if !ok {
			var most cost
			victim, most = p.costliest()
			if !most.above(p.cost(weight, next)) {
				return false
			}
		}
		p.Evict(victim)
	}
	p.filled.add(kit.SizeClass(weight))
	p.Add(r.ID, r.Size, next)
	p.Admit(r.Size)
	return false
}

// costliest returns the object to evict, among those of equal cost the largest.
func (p *beladySize) costliest() (victim uint32, most cost) {
	for w := len(p.filled) - 1; w >= 0; w-- {
		for rest := p.filled[w]; rest != 0; {
			bit := bits.Len64(rest) - 1
			rest &^= 1 << bit
			id, next, ok := p.Farthest(w<<6 + bit)
			if !ok {
				p.filled[w] &^= 1 << bit
				continue
			}
			if c := p.cost(p.Weight(id), next); c.above(most) {
				victim, most = id, c
			}
		}
	}
	return victim, most
}

// cost returns what it costs to keep size bytes until request next.
func (p *beladySize) cost(size int64, next uint32) cost {
	hi, lo := bits.Mul64(uint64(size), uint64(next-p.now))
	return cost{hi, lo}
}

// A cost has 88 bits: 56 of a size and 32 of a number of requests.
type cost struct{ hi, lo uint64 }

func (c cost) above(d cost) bool { return c.hi > d.hi || c.hi == d.hi && c.lo > d.lo }

// classSet is a set of size classes.
type classSet [(kit.SizeClasses + 63) / 64]uint64

func (s *classSet) add(class int) { s[class>>6] |= 1 << (class & 63) }
