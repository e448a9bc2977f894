package kit

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// countBuckets are the ends of lists of nodes, one list for each count that a node has.
//
// The buckets of counts below lowCounts are an array, and a bitmap says which of them hold an
// object. Those above are a sorted slice, of which there are few: n of them take n*lowCounts
// requests. So every operation takes constant time, but for a search among high counts. The buckets
// take 8 bytes for each number up to the largest count below lowCounts.
type countBuckets struct {
	low    []countBucket // by count
	high   []highBucket
	filled countSet // of low
}

// countBucket has the ends of a bucket, as numbers of nodes. 0, the node of a queue, stands for
// none.
type countBucket struct{ first, last uint32 }

type highBucket struct {
	count uint32
	countBucket
}

// least returns the first node of the lowest count. There must be one.
func (c *countBuckets) least() uint32 {
	if c.filled.empty() {
		return c.high[0].first
	}
	return c.low[c.filled.min()].first
}

// bucket returns the bucket of a count, which may be a new one.
func (c *countBuckets) bucket(count uint32) *countBucket {
	if int(count) < len(c.low) {
		return &c.low[count]
	}
	return c.otherBucket(count)
}

func (c *countBuckets) otherBucket(count uint32) *countBucket {
	if count < lowCounts {
		c.low = append(c.low, make([]countBucket, int(count)+1-len(c.low))...)
		c.filled.grow(count)
		return &c.low[count]
	}
	i, ok := c.highAt(count)
	if !ok {
		c.high = slices.Insert(c.high, i, highBucket{count: count})
	}
	return &c.high[i].countBucket
}

// open puts the first node into the bucket of a count.
func (c *countBuckets) open(b *countBucket, count, n uint32) {
	b.first, b.last = n, n
	if count < lowCounts {
		c.filled.add(count)
	}
}

// empty takes the last node out of the bucket of a count.
func (c *countBuckets) empty(count uint32) {
	if count < lowCounts {
		c.low[count] = countBucket{}
		c.filled.remove(count)
		return
	}
	i, _ := c.highAt(count)
	c.high = slices.Delete(c.high, i, i+1)
}

func (c *countBuckets) highAt(count uint32) (int, bool) {
	return slices.BinarySearchFunc(c.high, count, func(b highBucket, count uint32) int { return cmp.Compare(b.count, count) })
}

// checkBuckets has check look at every bucket, and returns an error where they contradict
// themselves.
func (c *countBuckets) checkBuckets(check func(count uint32, b countBucket) error) error {
	for count, b := range c.low {
		if err := check(uint32(count), b); err != nil {
			return err
		}
		if c.filled.has(uint32(count)) != (b.first != 0) {
			return fmt.Errorf("the bucket of count %d is marked as filled: %v", count, b.first == 0)
		}
	}
	for i, b := range c.high {
		if err := check(b.count, b.countBucket); err != nil {
			return err
		}
		if b.first == 0 || i > 0 && c.high[i-1].count >= b.count {
			return fmt.Errorf("the bucket of count %d is empty, or misplaced", b.count)
		}
	}
	return nil
}

// lowCounts is what a countSet can hold: the numbers below 64^3.
const lowCounts = 1 << 18

// countSet is a set of numbers below lowCounts, of which the least is found at once: a tree of
// bitmaps, in which a bit says that a word of the level below is not 0.
type countSet struct {
	top    uint64
	middle [64]uint64
	leaves []uint64
}

// grow makes room for a number.
func (s *countSet) grow(i uint32) {
	if n := int(i>>6) + 1 - len(s.leaves); n > 0 {
		s.leaves = append(s.leaves, make([]uint64, n)...)
	}
}

func (s *countSet) empty() bool { return s.top == 0 }

func (s *countSet) has(i uint32) bool { return s.leaves[i>>6]>>(i&63)&1 != 0 }

func (s *countSet) add(i uint32) {
	s.leaves[i>>6] |= 1 << (i & 63)
	s.middle[i>>12] |= 1 << (i >> 6 & 63)
	s.top |= 1 << (i >> 12)
}

func (s *countSet) remove(i uint32) {
	if s.leaves[i>>6] &^= 1 << (i & 63); s.leaves[i>>6] != 0 {
		return
	}
	if s.middle[i>>12] &^= 1 << (i >> 6 & 63); s.middle[i>>12] == 0 {
		s.top &^= 1 << (i >> 12)
	}
}

// min returns the least number of a set that is not empty.
func (s *countSet) min() uint32 {
	i := bits.TrailingZeros64(s.top)
	i = i<<6 | bits.TrailingZeros64(s.middle[i])
	return uint32(i<<6 | bits.TrailingZeros64(s.leaves[i]))
}
