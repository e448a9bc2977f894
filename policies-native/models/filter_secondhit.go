package models

import (
	"math"
	"math/bits"

	"cachesim/sim"
)

// secondHit remembers objects in two Bloom filters that take turns.
type secondHit struct {
	current, other bloom
	added, most    int // objects in the current filter, and how many it takes
}

func newLRUSecondHit(c sim.Config) Model {
	f := &secondHit{most: int(c.Param("objects"))}
	n := max(1024, min(f.most, c.Objects))
	f.current = makeBloom(float64(n), c.Param("fp"), c.Seed)
	f.other = makeBloom(float64(n), c.Param("fp"), c.Seed)
	return lruBehind(c, f)
}

func (f *secondHit) admit(r sim.Request) bool { return f.current.has(r.ID) || f.other.has(r.ID) }

func (f *secondHit) served(r sim.Request) {
	if f.admit(r) {
		return
	}
	if f.added == f.most {
		f.current, f.other = f.other, f.current
		f.current.set = map[uint64]bool{}
		f.added = 0
	}
	f.current.add(r.ID)
	f.added++
}

// bloom is a Bloom filter: the cells that are set, of a number of cells, by the given
// number of hash functions.
type bloom struct {
	set    map[uint64]bool
	cells  uint64
	hashes int
	seed   uint64
}

// makeBloom makes the smallest filter that has false positives with probability fp
// once it holds n objects.
func makeBloom(n, fp float64, seed uint64) bloom {
	perObject := -math.Log(fp) / (math.Ln2 * math.Ln2)
	return bloom{
		set:    map[uint64]bool{},
		cells:  uint64(math.Ceil(n * perObject)),
		hashes: int(math.Round(-math.Log2(fp))),
		seed:   splitMix(seed),
	}
}

// of returns the cells of an object: multiples of an odd step behind the first, as
// fractions of 2^64.
func (b *bloom) of(id uint32) []uint64 {
	at, step := splitMix(uint64(id)^b.seed), splitMix(uint64(id)^b.seed^1<<32)|1
	var all []uint64
	for range b.hashes {
		cell, _ := bits.Mul64(at, b.cells)
		all = append(all, cell)
		at += step
	}
	return all
}

func (b *bloom) has(id uint32) bool {
	for _, cell := range b.of(id) {
		if !b.set[cell] {
			return false
		}
	}
	return true
}

func (b *bloom) add(id uint32) {
	for _, cell := range b.of(id) {
		b.set[cell] = true
	}
}
