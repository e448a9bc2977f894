package native

import (
	"fmt"
	"math"
	"slices"

	"cachesim/policies-native/kit"
	"cachesim/sim"
)

// lhd evicts, of a random sample, the object with the least hit density: the hits
// that it may expect for each byte that it occupies and each request that passes.
// What to expect is learned from the hits and evictions of objects of the same class
// at the same age.
//
//	age       0    1    2    3   ...  19999    in units of 2^shift requests
//	hits      h0   h1   h2   h3                per class, fading
//	lost      e0   e1   e2   e3
//	density   sum of h from here on / time that objects of this age stay, on average
//
// All floating point has 32 bits. time starts at 0 and counts served requests, age is
// (time - time of the last request) >> shift, at most 19999, and shift starts as 10.
// A newly stored object has ages (last, before) of its last hits of (0, 20000); a hit
// at age a makes them (a, last). Its class is the least k with (last+before)*2^k >=
// 20000, at most 15, or 15 if the sum is 0.
//
// The rank of an object of s bytes is density[class][age] / s, plus 1 for an
// explorer; the least 32-bit number if its age is 19999, and otherwise +Inf if s is 0.
// density[k][a] starts as (16*app + k + 1)/(a+1), which resembles GDSF the more, the
// lower app is.
//
// A hit adds 1 to hits[class][age], by the class before the hit, and sets the ages.
// A miss evicts until the object fits and stores it at the last position of the set.
// In both cases, then, a number is drawn by Rand.Uint64 of a generator with the given
// seed. If it is divisible by 32, the budget of explorers is above 0, and there were
// fewer than 50 reconfigurations, the object becomes an explorer, and the budget, 1 %
// of the capacity rounded down at first, falls by its size; otherwise it is none. An
// explorer that is hit, evicted or removed returns its size before that. If the object
// was stored, the number not divisible by 32, and its rank below the fading mean rank
// of victims, its id replaces the oldest of `admissions` suspects. Then time rises
// by 1, and after every `period` requests it is reconfigured.
//
// To evict, `samples` objects are drawn by Rand.IntN(residents), as positions in the
// set (the object at the last position takes that of one that leaves), but 8, or
// samples if that is less, before the 51st reconfiguration. Where there are no more
// residents than that, all are looked at in the order of their positions, and nothing
// is drawn. Then the suspects that are resident are looked at, in the order of their
// slots, which are empty at first. The object of the least rank leaves, the first seen
// among equals; the mean rank, at first 0, becomes 0.9 of itself and 0.1 of that rank,
// unless that is +Inf, and 1 is added to lost[class][age].
//
// To reconfigure: all hits and lost are multiplied by 0.9. The mean number of
// residents, sum and weight both multiplied by 0.9 before one more is added, divided
// by 200, is the best unit of age; at the 6th and 26th reconfiguration, shift becomes
// the least number from 1 on whose power of two is not less, sum and weight are
// multiplied by 8, and the counts move to the new ages: they are summed where the unit
// becomes longer, divided evenly where it becomes shorter, and those of age 19999 stay
// there, to which are added those that become as old. Then densities follow, of all
// classes, from the last age to the first: with H the sum of hits and T that of hits and
// lost at this age and all later ones, and B the sum of all T from this age on, it is
// H/B, or 0 if T is not above 1e-5; that of age 19999 is not used.
//
// This is the authors' code, with its defaults, for a trace of a single application,
// whose number matters to the first densities only; libCacheSim numbers it 1.
// Objects of no bytes are ours. A hit takes constant time, an eviction as long as
// its sample. A resident takes 36 bytes, another object 4, and each class that was
// seen 240 kB. Evictions are the objects that left to make room.
type lhd struct {
	kit.Set
	rand  kit.Rand
	tags  []lhdTag              // by position in the set
	class [lhdClasses]*lhdClass // nil: no object was in it so far

	time             uint32 // requests served
	shift            uint
	period, left     int // requests to the next reconfiguration
	reconfigured     int // times
	samples, app     int
	objects, weight  float32  // fading sum of residents at each reconfiguration, and its weight
	victimRank       float32  // fading mean
	explorerBudget   int64    // bytes
	suspects         []uint32 // ids plus 1
	suspectsRecorded int
	looked           []uint32 // positions that an eviction looks at
	loaded           uint32   // keeps Preload's loads from being removed
}

// lhdTag is what is known of a resident.
type lhdTag struct {
	size         float32
	requested    uint32 // time of the last request
	last, before uint16 // ages at the last two hits
	class        uint8  // by these
	explorer     uint8  // 1: it is one
}

// lhdClass is what was learned of a class, by age.
type lhdClass struct{ hits, lost, density [lhdAges]float32 }

const (
	lhdClasses = 16
	lhdAges    = 20000
	lhdFading  = float32(0.9)
)

var lhdSpec = sim.Spec{
	Name:  "lhd",
	Title: "LHD",
	Doc:   "evicts the object with the least expected hits for its space and time, of a random sample",
	Paper: "Beckmann, Chen, Cidon, LHD: improving cache hit rate by maximizing hit density, NSDI 2018",
	Params: []sim.Param{
		{Name: "samples", Default: 32, Min: 1, Max: 1 << 20, Doc: "objects looked at for each eviction"},
		{Name: "admissions", Default: 8, Min: 0, Max: 1 << 20, Doc: "newly stored objects of low rank that are looked at as well"},
		{Name: "app", Default: 1, Min: 0, Max: 15, Doc: "number of the application, from which densities start"},
		{Name: "period", Default: 1 << 20, Min: 16, Max: 1 << 31, Doc: "requests between reconfigurations"},
	},
	Random:     true,
	Memory:     60,
	FixedScale: true,
	Sizes:      sim.SizesAreCompared,
	New: func(c sim.Config) sim.Policy {
		p := &lhd{
			Set:            kit.NewSet(c),
			rand:           kit.NewRand(c.Seed),
			shift:          10,
			period:         int(c.Param("period")),
			samples:        int(c.Param("samples")),
			app:            int(c.Param("app")),
			explorerBudget: int64(0.01 * float64(c.Capacity)),
			suspects:       make([]uint32, int(c.Param("admissions"))),
		}
		p.left = p.period
		return p
	},
}

// Access serves r and reports whether it was a hit.
func (p *lhd) Access(r sim.Request) bool {
	hit := p.Has(r.ID)
	var t *lhdTag
	if hit {
		t = &p.tags[p.Index(r.ID)]
		age := p.age(t)
		p.class[t.class].hits[age]++
		if t.explorer != 0 {
			p.explorerBudget += r.Size
		}
		t.before, t.last = t.last, uint16(age)
		t.class = p.classOf(t.last, t.before)
	} else {
		for p.Full(r.Size) {
			p.evict()
		}
		p.Add(r.ID, r.Size)
		p.tags = append(p.tags, lhdTag{size: float32(r.Size), before: lhdAges, class: p.classOf(0, lhdAges)})
		t = &p.tags[len(p.tags)-1]
	}
	t.requested = p.time
	explore := p.rand.Uint64()%32 == 0
	t.explorer = 0
	if explore && p.explorerBudget > 0 && p.reconfigured < 50 {
		t.explorer = 1
		p.explorerBudget -= r.Size
	}
	if !hit && !explore && len(p.suspects) > 0 && p.rank(t) < p.victimRank {
		p.suspects[p.suspectsRecorded%len(p.suspects)] = r.ID + 1
		p.suspectsRecorded++
	}
	p.time++
	if p.left--; p.left == 0 {
		p.reconfigure()
		p.left = p.period
		p.reconfigured++
	}
	return hit
}

// Remove takes the object out of the cache and reports whether it was in there.
func (p *lhd) Remove(id uint32) bool {
	if !p.Has(id) {
		return false
	}
	p.drop(p.Index(id))
	return p.Set.Remove(id)
}

// drop removes the tag of the object at position i, which is about to leave the set.
func (p *lhd) drop(i int) {
	last := len(p.tags) - 1
	if p.tags[i].explorer != 0 {
		p.explorerBudget += p.SizeAt(i)
	}
	p.tags[i] = p.tags[last]
	p.tags = p.tags[:last]
}

func (p *lhd) evict() {
	n, samples := p.Len(), p.samples
	if p.reconfigured <= 50 {
		samples = min(samples, 8)
	}
	looked := p.looked[:0]
	if n <= samples {
		for i := range n {
			looked = append(looked, uint32(i))
		}
	} else {
		looked = slices.Grow(looked, samples)[:samples]
		p.rand.Sample(looked, n)
	}
	for _, id := range p.suspects {
		if id != 0 && p.Has(id-1) {
			looked = append(looked, uint32(p.Index(id-1)))
		}
	}
	p.looked = looked
	// A rank is not negative, or the least of all, so that its bits compare like it. Below them
	// are the numbers of the objects in the order in which they are looked at: the minimum takes
	// no branch, which would be mispredicted, and ranks of several objects are computed at once.
	best := int64(math.MaxInt64)
	for k, i := range looked {
		best = min(best, int64(int32(math.Float32bits(p.rank(&p.tags[i]))))<<32|int64(k))
	}
	victim, least := int(p.looked[uint32(best)]), math.Float32frombits(uint32(best>>32))
	if !math.IsInf(float64(least), 1) { // or the mean would be infinite from now on
		p.victimRank = float32(lhdFading*p.victimRank) + float32((1-lhdFading)*least)
	}
	t := &p.tags[victim]
	p.class[t.class].lost[p.age(t)]++
	p.drop(victim)
	p.EvictAt(victim)
}

func (p *lhd) age(t *lhdTag) int {
	return min(int((p.time-t.requested)>>(p.shift&31)), lhdAges-1)
}

// lhdClassOf returns the class of an object by the ages at its last two hits.
func lhdClassOf(last, before uint16) uint8 {
	age := int(last) + int(before)
	if age == 0 {
		return lhdClasses - 1
	}
	k := uint8(0)
	for age < lhdAges && k < lhdClasses-1 {
		age <<= 1
		k++
	}
	return k
}

func (p *lhd) rank(t *lhdTag) float32 {
	age := p.age(t)
	switch {
	case age == lhdAges-1:
		return -math.MaxFloat32
	case t.size == 0:
		return float32(math.Inf(1))
	}
	return float32(p.class[t.class&(lhdClasses-1)].density[age]/t.size) + float32(t.explorer)
}

// classOf returns the class of a resident by the ages at its last two hits.
func (p *lhd) classOf(last, before uint16) uint8 {
	k := lhdClassOf(last, before)
	if p.class[k] == nil {
		c := new(lhdClass)
		if p.reconfigured == 0 {
			for a := range c.density {
				c.density[a] = p.firstDensity(int(k), a)
			}
		}
		p.class[k] = c
	}
	return k
}

// firstDensity is the density before anything was learned.
func (p *lhd) firstDensity(k, age int) float32 {
	return float32(lhdClasses*p.app+k+1) / float32(age+1)
}

func (p *lhd) reconfigure() {
	for _, c := range p.class {
		if c == nil {
			continue
		}
		for a := range c.hits {
			c.hits[a] *= lhdFading
			c.lost[a] *= lhdFading
		}
	}
	p.objects = float32(p.objects*lhdFading) + float32(p.Len())
	p.weight = float32(p.weight*lhdFading) + 1
	if p.reconfigured == 5 || p.reconfigured == 25 {
		unit := p.objects / p.weight / (0.01 * lhdAges)
		shift := uint(1)
		for float32(uint64(1)<<shift) < unit {
			shift++
		}
		p.objects *= 8
		p.weight *= 8
		for _, c := range p.class {
			if c != nil {
				rescale(c.hits[:], int(shift)-int(p.shift))
				rescale(c.lost[:], int(shift)-int(p.shift))
			}
		}
		p.shift = shift
	}
	for _, c := range p.class {
		if c == nil {
			continue
		}
		last := lhdAges - 1
		hits, total := c.hits[last], c.hits[last]+c.lost[last]
		lifetime := total
		for a := last - 1; a >= 0; a-- {
			hits += c.hits[a]
			total += c.hits[a] + c.lost[a]
			lifetime += total
			c.density[a] = 0
			if total > 1e-5 {
				c.density[a] = hits / lifetime
			}
		}
	}
}

// rescale moves counts by age to a unit of age that is larger by a factor of
// 2^delta, as the authors do. Of n ages the last stands for all later ones.
//
// Where delta > 0, age a below n>>delta gets the sum, from left to right, of ages
// a<<delta to (a+1)<<delta - 1, which may include the last; those from n>>delta on
// become 0, but the last stays. Where f = -delta > 0, the ages from n>>f on are added
// to the last; then each other age a, from the highest down, gets the count of age
// a>>f divided by 2^f.
func rescale(counts []float32, delta int) {
	last := len(counts) - 1
	switch {
	case delta < 0:
		f := -delta
		for a := len(counts) >> f; a < last; a++ {
			counts[last] += counts[a]
		}
		for a := last - 1; a >= 0; a-- {
			counts[a] = counts[a>>f] / float32(uint64(1)<<f)
		}
	case delta > 0:
		for a := range len(counts) >> delta {
			sum := counts[a<<delta]
			for i := 1; i < 1<<delta; i++ {
				sum += counts[a<<delta+i]
			}
			counts[a] = sum
		}
		for a := len(counts) >> delta; a < last; a++ {
			counts[a] = 0
		}
	}
}

// Preload loads the positions of the objects in reqs, and then their tags.
func (p *lhd) Preload(reqs []sim.Request) {
	if !p.Large() {
		return
	}
	p.Set.Preload(reqs)
	var sum uint32
	for _, r := range reqs {
		if p.Has(r.ID) {
			sum += p.tags[p.Index(r.ID)].requested
		}
	}
	p.loaded += sum
}

// Check returns an error where the parts contradict each other.
func (p *lhd) Check() error {
	if err := p.Set.Check(); err != nil {
		return err
	}
	if len(p.tags) != p.Len() {
		return fmt.Errorf("there are %d tags for %d objects", len(p.tags), p.Len())
	}
	for i := range p.tags {
		if size := p.Size(p.At(i)); p.tags[i].size != float32(size) {
			return fmt.Errorf("object %d has %d bytes, its tag %v", p.At(i), size, p.tags[i].size)
		}
		if t := &p.tags[i]; t.class != lhdClassOf(t.last, t.before) {
			return fmt.Errorf("object %d is in class %d, but its ages are %d and %d", p.At(i), t.class, t.last, t.before)
		}
	}
	return nil
}
