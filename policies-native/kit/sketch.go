package kit

import (
	"cmp"
	"math"
	"math/bits"

	"cachesim/sim"
)

// A Sketch estimates how often each object was requested lately, by a count-min
// sketch of 4-bit counters that are halved periodically (Einziger, Friedman,
// Manes, TinyLFU: a highly efficient cache admission policy, ACM Transactions on
// Storage 13(4), 2017; the layout in blocks is that of Caffeine's frequency
// sketch).
//
//	block   64 bytes: 4 rows of 2 words, a word holds 16 counters
//	object  one block, and in each row one counter of 32
//
// So an object touches one block, about one line of the processor's cache. Its
// block is the low bits of h = Mix(id ^ Mix(seed)); byte i of the upper half of h, i
// from 0 to 3, selects the counter in row i: bit 0 the word, bits 1 to 4 the counter.
//
// An estimate is the least of the object's four counters, from 0 to 15. Add adds
// one to each of the four that is below 15; if any was, it counts as an
// addition. When there are 10 additions for each entry that the sketch is fitted
// to, every counter is halved, rounded down; the additions n, where k counters
// were odd, become max(0, (n - k/4) / 2), in integers.
type Sketch struct {
	seed      uint64
	rate      float64 // 1, or sim.Config.SampleRate
	table     []uint64
	fits      int64   // entries of a whole cache that the table is large enough for
	mask      uint64  // blocks - 1
	blocks    uint64  // in a miniature; otherwise 0
	additions int64   // since the last halving, less what halving took off
	part      float64 // of an addition, in a miniature
	period    int64
	loaded    uint64 // keeps Preload's loads from being removed
}

// sketchMinimum is the least number of words of a sketch: in smaller ones, collisions
// would decide.
const sketchMinimum = 256

// NewSketch returns a sketch that has to be fitted.
//
// In a miniature it has its share of the words that the whole cache's would have: a
// power of two would leave more or less room for an object than there is, up to
// twice as much, and collisions show in hit ratios.
func NewSketch(c sim.Config) Sketch {
	return Sketch{seed: Mix(c.Seed), rate: cmp.Or(c.SampleRate, 1)}
}

// Fit makes the sketch large enough for the given number of entries, the objects
// that the cache is expected to hold: it has a word for each, rounded up to a
// power of two, and at least 256. A sketch that is too small is replaced by an
// empty one; it never shrinks. Where the period becomes shorter than what was
// added, the next addition ends it.
func (s *Sketch) Fit(entries int64) {
	s.period = 10 * max(entries, 1)
	if s.rate < 1 {
		entries = int64(float64(entries) / s.rate)
	}
	entries = max(entries, sketchMinimum)
	if entries <= s.fits {
		s.additions = min(s.additions, s.period-1)
		return
	}
	n := uint64(1) << bits.Len64(uint64(entries-1))
	s.fits = int64(n)
	s.mask = n>>3 - 1
	if s.rate < 1 {
		s.blocks = max(1, uint64(math.Round(float64(n)*s.rate/8)))
		n = 8 * s.blocks
	}
	s.table = make([]uint64, n)
	s.additions = 0
}

// block returns the first word of the block that a hash selects.
func (s *Sketch) block(h uint64) uint64 {
	if s.blocks > 0 {
		return h & math.MaxUint32 * s.blocks >> 32 << 3
	}
	return h & s.mask << 3
}

// Count returns the estimate for an object.
func (s *Sketch) Count(id uint32) int {
	h := Mix(uint64(id) ^ s.seed)
	block := (*[8]uint64)(s.table[s.block(h):])
	h >>= 32
	a := block[h&1] >> (h >> 1 & 15 << 2) & 15
	b := block[2+h>>8&1] >> (h >> 9 & 15 << 2) & 15
	c := block[4+h>>16&1] >> (h >> 17 & 15 << 2) & 15
	d := block[6+h>>24&1] >> (h >> 25 & 15 << 2) & 15
	return int(min(a, b, c, d))
}

// Add counts a request for an object. Fit must have been called.
func (s *Sketch) Add(id uint32) { s.AddShare(id, 1) }

// AddShare counts a request for an object that counts as a share of one
// (sim.Config.Share).
func (s *Sketch) AddShare(id uint32, share float64) {
	h := Mix(uint64(id) ^ s.seed)
	block := (*[8]uint64)(s.table[s.block(h):])
	h >>= 32
	added := increment(&block[h&1], h>>1)
	added |= increment(&block[2+h>>8&1], h>>9)
	added |= increment(&block[4+h>>16&1], h>>17)
	added |= increment(&block[6+h>>24&1], h>>25)
	if share < 1 && added > 0 {
		s.part += share
		added = uint64(s.part)
		s.part -= float64(added)
	}
	if s.additions += int64(added); s.additions >= s.period {
		s.halve()
	}
}

// increment adds one to a counter of w, which the low 4 bits of i select, unless it is 15, and
// returns what it added.
func increment(w *uint64, i uint64) uint64 {
	shift := i & 15 << 2
	one := 1 - (*w>>shift&15+1)>>4
	*w += one << shift
	return one
}

func (s *Sketch) halve() {
	odd := 0
	for i, w := range s.table {
		odd += bits.OnesCount64(w & 0x1111111111111111)
		s.table[i] = w >> 1 & 0x7777777777777777
	}
	s.additions = max(0, (s.additions-int64(odd/4))/2)
}

// Preload loads the counters of the objects in reqs.
func (s *Sketch) Preload(reqs []sim.Request) {
	if len(s.table)*8 < preloadSketchFrom {
		return
	}
	var sum uint64
	for _, r := range reqs {
		sum += s.table[s.block(Mix(uint64(r.ID)^s.seed))]
	}
	s.loaded += sum
}

// preloadSketchFrom is how large the table has to be, in bytes, for Preload to gain.
const preloadSketchFrom = 256 << 10

// Empty reports whether Fit was never called.
func (s *Sketch) Empty() bool { return s.table == nil }
