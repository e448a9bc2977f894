// Package bounds computes what the best possible policy could reach on a trace.
// With objects of different sizes the optimum itself is NP-hard to find; PFOOL
// and PFOOU enclose it (Berger, Beckmann, Harchol-Balter, Practical bounds on
// optimal caching with variable object sizes, POMACS 2(2), 2018).
//
// Both look at intervals: one from each request for an object to the next one. An
// interval is a hit if the object stays in the cache that long, and no policy has
// other hits. At any time, the objects of the intervals that are kept must fit.
//
//	requests    a   b   a   c   b
//	intervals   a-------a
//	                b-----------b
//
// The bounds hold for policies with any rule for what they store, those that
// bypass the cache included.
package bounds

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"

	"cachesim/sim"
)

// Options say what is replayed. The zero value stands for the whole trace and
// capacities in bytes.
type Options struct {
	Requests int    // from the start of the trace; 0: all
	Unit     string // of the capacities: sim.UnitBytes, or sim.UnitObjects
}

// A Result bounds the hits at a capacity, and the bytes of hits. No policy need
// reach both at the same time: each is computed by itself.
type Result struct {
	Capacity       int64
	Hits, HitBytes int64
}

// PFOOL returns, for each capacity, more hits and bytes of hits than any policy
// can have, or as many: an upper bound on hit ratios, and a lower one on miss
// ratios, hence its name. It relaxes the capacity, which only has to suffice on
// average over all requests, and keeps the intervals in the order of their value
// by what they occupy, bytes times requests: a knapsack whose items may be cut.
//
// It takes 20 bytes of memory a request, and time as for sorting the requests.
// The trace may have deletes, but no times to live and no updates of sizes.
func PFOOL(t *sim.Trace, o Options, capacities []int64) ([]Result, error) {
	return compute(t, o, capacities, (*intervals).relaxed)
}

// PFOOU returns, for each capacity, hits and bytes of hits that can be reached,
// by a policy that knows the future: a lower bound on those of the optimum, and
// an upper one on its misses, hence its name. It goes through the intervals in
// the same order as PFOOL and keeps those that fit at every moment beside those
// that are kept already.
//
// The authors divide the intervals into groups and keep the best of each group by
// a min-cost flow. This is the case of groups of one interval: the result is
// feasible all the same, a little farther from the optimum, and much faster.
//
// It takes up to 68 bytes of memory a request, and time in proportion to
// n log n for n requests, at each capacity. The trace may have deletes, but no
// times to live and no updates of sizes.
func PFOOU(t *sim.Trace, o Options, capacities []int64) ([]Result, error) {
	return compute(t, o, capacities, (*intervals).feasible)
}

// An interval is from a request to the next one for its object.
type interval struct {
	size   int64  // of the object, in bytes
	length uint32 // requests from one to the other
	end    uint32 // number of the first interval that starts when it is over, or later
}

// intervals are those of a trace in the order of their starts.
type intervals struct {
	all      []interval
	requests uint64
	objects  bool // capacities are in objects
}

// goal is what the intervals are chosen for.
type goal int

const (
	forHits goal = iota
	forBytes
)

func compute(t *sim.Trace, o Options, capacities []int64, bound func(*intervals, []uint32, goal, int64) int64) ([]Result, error) {
	in, err := read(t, o)
	if err != nil {
		return nil, fmt.Errorf("bounds of trace %s: %w", t.Name, err)
	}
	results := make([]Result, len(capacities))
	for i, c := range capacities {
		results[i].Capacity = c
	}
	for _, g := range []goal{forHits, forBytes} {
		order := in.order(g)
		for i, c := range capacities {
			n := bound(in, order, g, c)
			if g == forHits {
				results[i].Hits = n
			} else {
				results[i].HitBytes = n
			}
		}
	}
	return results, nil
}

// read finds the intervals of a trace.
func read(t *sim.Trace, o Options) (*intervals, error) {
	if t.Columns&sim.ColumnTTL != 0 {
		return nil, errors.New("it has times to live, for which there are no bounds")
	}
	if t.SizesVary() && t.SizeRule == sim.SizeUpdates {
		return nil, errors.New("its objects are updated to other sizes while they are in the cache, for which there are no bounds")
	}
	n := t.Requests
	if o.Requests > 0 {
		n = min(n, o.Requests)
	}
	in := &intervals{requests: uint64(n), objects: o.Unit == sim.UnitObjects}
	open := make([]uint32, t.Objects) // number of each object's interval under way, plus 1
	end := errors.New("the end")
	err := t.Each(sim.ColumnNext|sim.ColumnOps, func(start int, b sim.Batch) error {
		for i, r := range b.Requests {
			at := start + i
			if at >= n {
				return end
			}
			if k := open[r.ID]; k != 0 {
				in.all[k-1].end = uint32(len(in.all))
				open[r.ID] = 0
			}
			next := b.Next[i]
			if next == sim.Never || int(next) >= n || b.Ops != nil && b.Ops[i] == sim.Delete {
				continue
			}
			in.all = append(in.all, interval{size: r.Size, length: next - uint32(at)})
			open[r.ID] = uint32(len(in.all))
		}
		return nil
	})
	if err != nil && err != end {
		return nil, err
	}
	return in, nil
}

// space returns what the object of an interval occupies.
func (in *intervals) space(v interval) int64 {
	if in.objects {
		return 1
	}
	return v.size
}

// order returns the numbers of the intervals, those first that have the most value
// for bytes (or objects) times requests.
func (in *intervals) order(g goal) []uint32 {
	order := make([]uint32, len(in.all))
	for i := range order {
		order[i] = uint32(i)
	}
	// What an interval occupies by its value is its length, times its size where
	// it is valued as one hit, and by its size where it occupies one object.
	slices.SortFunc(order, func(i, j uint32) int {
		a, b := in.all[i], in.all[j]
		sa, sb := uint64(1), uint64(1)
		switch {
		case g == forHits && !in.objects:
			sa, sb = uint64(a.size), uint64(b.size)
		case g == forBytes && in.objects:
			sa, sb = uint64(b.size), uint64(a.size)
		}
		ah, al := bits.Mul64(uint64(a.length), sa)
		bh, bl := bits.Mul64(uint64(b.length), sb)
		switch {
		case ah < bh || ah == bh && al < bl:
			return -1
		case ah > bh || al > bl:
			return 1
		}
		return int(int64(i) - int64(j))
	})
	return order
}

// value returns what an interval is worth.
func (v interval) value(g goal) int64 {
	if g == forHits {
		return 1
	}
	return v.size
}

// relaxed returns the bound of PFOOL for a capacity.
func (in *intervals) relaxed(order []uint32, g goal, capacity int64) int64 {
	if in.requests < 2 || capacity < 0 {
		return 0
	}
	// What is kept between two requests is at most the capacity.
	leftHi, leftLo := bits.Mul64(uint64(capacity), in.requests-1)
	var total int64
	for _, i := range order {
		v := in.all[i]
		if in.space(v) > capacity {
			continue
		}
		hi, lo := bits.Mul64(uint64(in.space(v)), uint64(v.length))
		if hi > leftHi || hi == leftHi && lo > leftLo {
			return total + share(v.value(g), leftHi, leftLo, hi, lo)
		}
		var borrow uint64
		leftLo, borrow = bits.Sub64(leftLo, lo, 0)
		leftHi, _ = bits.Sub64(leftHi, hi, borrow)
		total += v.value(g)
	}
	return total
}

// share returns value * left / all, rounded down.
func share(value int64, leftHi, leftLo, allHi, allLo uint64) int64 {
	n := wide(leftHi, leftLo)
	n.Mul(n, big.NewInt(value))
	return n.Div(n, wide(allHi, allLo)).Int64()
}

func wide(hi, lo uint64) *big.Int {
	n := new(big.Int).SetUint64(hi)
	return n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(lo))
}

// feasible returns the bound of PFOOU for a capacity.
func (in *intervals) feasible(order []uint32, g goal, capacity int64) int64 {
	used := newCoverage(len(in.all))
	var total int64
	for _, i := range order {
		v := in.all[i]
		// What is used rises at the starts of intervals only, so that it is enough
		// to look there.
		if space := in.space(v); used.most(int(i), int(v.end)) <= capacity-space {
			used.add(int(i), int(v.end), space)
			total += v.value(g)
		}
	}
	return total
}

// A coverage is a sequence of numbers, all of which in a range can be raised at
// once, and of which the largest in a range can be asked for: a segment tree in
// which a raise stays at the nodes that cover the range.
type coverage struct {
	n      int     // numbers, a power of two
	max    []int64 // largest number below each node, raises at its ancestors left out
	raised []int64 // of all numbers below each node
}

func newCoverage(n int) *coverage {
	n = 1 << bits.Len(uint(max(n, 1)-1))
	return &coverage{n: n, max: make([]int64, 2*n), raised: make([]int64, n)}
}

// most returns the largest of the numbers from to to-1.
func (c *coverage) most(from, to int) int64 { return c.mostBelow(1, 0, c.n, from, to) }

func (c *coverage) mostBelow(node, low, high, from, to int) int64 {
	if from <= low && high <= to {
		return c.max[node]
	}
	middle := (low + high) / 2
	most := int64(math.MinInt64)
	if from < middle {
		most = c.mostBelow(2*node, low, middle, from, to)
	}
	if to > middle {
		most = max(most, c.mostBelow(2*node+1, middle, high, from, to))
	}
	return most + c.raised[node]
}

// add raises the numbers from to to-1.
func (c *coverage) add(from, to int, by int64) { c.addBelow(1, 0, c.n, from, to, by) }

func (c *coverage) addBelow(node, low, high, from, to int, by int64) {
	if from <= low && high <= to {
		c.max[node] += by
		if node < c.n {
			c.raised[node] += by
		}
		return
	}
	middle := (low + high) / 2
	if from < middle {
		c.addBelow(2*node, low, middle, from, to, by)
	}
	if to > middle {
		c.addBelow(2*node+1, middle, high, from, to, by)
	}
	c.max[node] = max(c.max[2*node], c.max[2*node+1]) + c.raised[node]
}
