package kit

import (
	"math"
	"math/bits"
)

// bloomShape returns the best number of cells and of hash functions for n
// objects and the given probability of a false positive.
func bloomShape(n int64, falsePositive float64) (cells uint64, hashes int) {
	perObject := -math.Log(falsePositive) / (math.Ln2 * math.Ln2)
	cells = uint64(math.Ceil(float64(max(n, 1)) * perObject))
	return max(cells, 64), max(1, int(math.Round(perObject*math.Ln2)))
}

// bloomProbe returns the first cell of an object, scaled to 64 bits, and the
// step to each further one, which is odd (Kirsch, Mitzenmacher, Less hashing,
// same performance: building a better Bloom filter, ESA 2006).
func bloomProbe(id uint32) (h, step uint64) {
	return Mix(uint64(id)), Mix(uint64(id)|1<<32) | 1
}

func bloomCell(h, cells uint64) uint64 {
	hi, _ := bits.Mul64(h, cells)
	return hi
}

// A Bloom filter is a set of objects that may claim to hold one that was never
// added, but never the reverse (Bloom, Space/time trade-offs in hash coding with
// allowable errors, Communications of the ACM 13(7), 1970).
type Bloom struct {
	words  []uint64
	cells  uint64
	hashes int
	added  int64
}

// NewBloom returns an empty filter that, once it holds n objects, claims to hold
// another one with the given probability.
func NewBloom(n int64, falsePositive float64) Bloom {
	cells, hashes := bloomShape(n, falsePositive)
	return Bloom{words: make([]uint64, (cells+63)/64), cells: cells, hashes: hashes}
}

// Has reports whether the filter claims to hold the object.
func (b *Bloom) Has(id uint32) bool {
	h, step := bloomProbe(id)
	for range b.hashes {
		i := bloomCell(h, b.cells)
		if b.words[i>>6]>>(i&63)&1 == 0 {
			return false
		}
		h += step
	}
	return true
}

// Add adds an object and reports whether the filter claimed to hold it before;
// if it did, nothing changes.
func (b *Bloom) Add(id uint32) bool {
	h, step := bloomProbe(id)
	had := true
	for range b.hashes {
		i := bloomCell(h, b.cells)
		w := &b.words[i>>6]
		had = had && *w>>(i&63)&1 != 0
		*w |= 1 << (i & 63)
		h += step
	}
	if !had {
		b.added++
	}
	return had
}

// Len returns how many objects were added that the filter did not claim to hold.
func (b *Bloom) Len() int64 { return b.added }

// Clear empties the filter.
func (b *Bloom) Clear() {
	clear(b.words)
	b.added = 0
}

// A CountingBloom estimates how often each object was added, by a counter of
// 8 bits in each cell of a Bloom filter. Only the least counters of an object are
// raised, the minimal increment (Cohen, Matias, Spectral Bloom filters, SIGMOD
// 2003), so that an estimate is too large only where all of an object's cells are
// shared.
type CountingBloom struct {
	counters []uint8
	hashes   int
}

// NewCountingBloom returns a filter for n objects in which an object that was
// never added has an estimate above 0 with the given probability.
func NewCountingBloom(n int64, falsePositive float64) CountingBloom {
	cells, hashes := bloomShape(n, falsePositive)
	return CountingBloom{make([]uint8, cells), hashes}
}

// Count returns the estimate for an object, at most 255.
func (b *CountingBloom) Count(id uint32) int {
	h, step := bloomProbe(id)
	least := uint8(math.MaxUint8)
	for range b.hashes {
		least = min(least, b.counters[bloomCell(h, uint64(len(b.counters)))])
		h += step
	}
	return int(least)
}

// Add adds one to the estimate for an object, unless it is 255.
func (b *CountingBloom) Add(id uint32) {
	least := uint8(b.Count(id))
	if least == math.MaxUint8 {
		return
	}
	h, step := bloomProbe(id)
	for range b.hashes {
		if c := &b.counters[bloomCell(h, uint64(len(b.counters)))]; *c == least {
			*c++
		}
		h += step
	}
}

// Halve halves every counter, rounded down.
func (b *CountingBloom) Halve() {
	for i := range b.counters {
		b.counters[i] >>= 1
	}
}
