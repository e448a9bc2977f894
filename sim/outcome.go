package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"math/bits"
)

// Outcomes holds one bit for each request of a replay, set where the object was
// in the cache. Objects larger than the cache never are.
type Outcomes struct {
	words []uint64
	n     int
}

func newOutcomes(n int) *Outcomes {
	return &Outcomes{words: make([]uint64, (n+63)/64), n: n}
}

func (o *Outcomes) set(i int) { o.words[i>>6] |= 1 << (i & 63) }

func (o *Outcomes) clear(i int) { o.words[i>>6] &^= 1 << (i & 63) }

// Hit reports whether request i was a hit.
func (o *Outcomes) Hit(i int) bool { return o.words[i>>6]>>(i&63)&1 == 1 }

// misses yields the requests from from to before to that were no hits.
func (o *Outcomes) misses(from, to int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for from < to {
			end := min(to, from|63+1)
			for x := ^o.words[from>>6] >> (from & 63) << (from & 63); x != 0; x &= x - 1 {
				i := from&^63 + bits.TrailingZeros64(x)
				if i >= end {
					break
				}
				if !yield(i) {
					return
				}
			}
			from = end
		}
	}
}

// FirstDifference returns the first request on which o and p, of equal length,
// disagree, or -1.
func (o *Outcomes) FirstDifference(p *Outcomes) int {
	for w := range o.words {
		if x := o.words[w] ^ p.words[w]; x != 0 {
			return w<<6 + bits.TrailingZeros64(x)
		}
	}
	return -1
}

// Digest returns 16 hex digits of a SHA-256 over the outcomes, by which runs on
// different machines can be compared.
func (o *Outcomes) Digest() string {
	h := sha256.New()
	var b [8]byte
	for _, w := range append([]uint64{uint64(o.n)}, o.words...) {
		binary.LittleEndian.PutUint64(b[:], w)
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
