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
// same performance: building a better Bloom filter, ESA 2006). They are
// Mix(id ^ seed), the seed being mixed already, and Mix(id ^ seed ^ 2^32) | 1.
func bloomProbe(seed uint64, id uint32) (h, step uint64) {
	x := uint64(id) ^ seed
	return Mix(x), Mix(x^1<<32) | 1
}

// bloomCell scales a hash to one of the cells: the upper half of their product.
func bloomCell(h, cells uint64) uint64 {
	hi, _ := bits.Mul64(h, cells)
	return hi
}

// A Bloom filter is a set of objects that may claim to hold one that was never
// added, but never the reverse (Bloom, Space/time trade-offs in hash coding with
// allowable errors, Communications of the ACM 13(7), 1970).
type Bloom struct {
	seed   uint64
	words  []uint64
	cells  uint64
	hashes int
	added  int64
}

// NewBloom returns an empty filter that, once it holds n objects, claims to hold
// another one with the given probability.
func NewBloom(n int64, falsePositive float64, seed uint64) Bloom {
	cells, hashes := bloomShape(n, falsePositive)
	return Bloom{seed: Mix(seed), words: make([]uint64, (cells+63)/64), cells: cells, hashes: hashes}
}

// Has reports whether the filter claims to hold the object.
func (b *Bloom) Has(id uint32) bool {
	h, step := bloomProbe(b.seed, id)
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
	h, step := bloomProbe(b.seed, id)
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
