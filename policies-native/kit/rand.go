package kit

import "math/bits"

// Rand draws random numbers by SplitMix64 (Steele, Lea, Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014): fast, and easily the same in
// every language that a policy is written in.
type Rand struct{ state uint64 }

// NewRand returns a generator for a seed.
func NewRand(seed uint64) Rand { return Rand{seed} }

// Uint64 returns the next 64 random bits.
func (r *Rand) Uint64() uint64 {
	r.state += golden
	return Mix(r.state)
}

// golden is 2^64 over the golden ratio.
const golden = 0x9e3779b97f4a7c15

// Mix is the output function of SplitMix64: a bijection in which every bit of x
// bears on every bit of the result. It serves as a hash of ids.
func Mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// IntN returns a number from 0 to n-1: the upper half of a product, whose bias
// is below n/2^64.
func (r *Rand) IntN(n int) int {
	hi, _ := bits.Mul64(r.Uint64(), uint64(n))
	return int(hi)
}

// Sample fills drawn with what as many calls of IntN(n) return, in less time.
func (r *Rand) Sample(drawn []uint32, n int) {
	state := r.state
	for i := range drawn {
		state += golden
		hi, _ := bits.Mul64(Mix(state), uint64(n))
		drawn[i] = uint32(hi)
	}
	r.state = state
}

// Float64 returns a number from 0 up to, but not including, 1.
func (r *Rand) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }
