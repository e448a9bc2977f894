package kit

import (
	"fmt"
	"unsafe"

	"cachesim/sim"
)

// Counts hold residents in the order of a count, the least first, and among equal counts in the
// order in which they got it. Unlike in Frequencies, that is their only order.
//
//	count  1    first  d - b - e  last     a bucket for each count
//	       2           a
//	       7           c - f
//
// A hit takes constant time and touches the object's node, its neighbours, and the last node of the
// next bucket. A node takes 24 bytes.
type Counts struct {
	Space
	countBuckets
	nodes  []counted // by id plus 1; 0 stands for none
	len    int
	loaded uint32 // keeps Preload's loads from being removed
}

type counted struct {
	count        uint32 // 0: not in the cache
	before, next uint32 // nodes in the bucket; 0: none
	size         int64
}

// NewCounts returns an empty order for the objects and the capacity of c.
func NewCounts(c sim.Config) Counts {
	return Counts{Space: Space{capacity: c.Capacity}, nodes: sim.Make[counted](1 + c.Objects)}
}

// Has reports whether the object is resident.
func (c *Counts) Has(id uint32) bool { return c.nodes[id+1].count != 0 }

// Least returns the resident that comes first. There must be one.
func (c *Counts) Least() uint32 { return c.least() - 1 }

// Store puts an object that is not resident into the cache, with a count of 1.
func (c *Counts) Store(r sim.Request) {
	x := &c.nodes[r.ID+1]
	x.size, x.count = r.Size, 1
	c.used += r.Size
	c.len++
	c.rank(x, r.ID+1)
}

// Increment adds 1 to the count of a resident.
func (c *Counts) Increment(id uint32) {
	x := &c.nodes[id+1]
	c.unrank(x)
	x.count++
	c.rank(x, id+1)
}

// Evict takes a resident out and counts the eviction.
func (c *Counts) Evict(id uint32) {
	c.drop(id)
	c.evicted++
}

// Remove takes the object out of the cache and reports whether it was in there.
func (c *Counts) Remove(id uint32) bool {
	if !c.Has(id) {
		return false
	}
	c.drop(id)
	return true
}

func (c *Counts) drop(id uint32) {
	x := &c.nodes[id+1]
	c.unrank(x)
	c.used -= x.size
	c.len--
	x.count = 0
}

// rank puts x, which is node n, behind the others of its count.
func (c *Counts) rank(x *counted, n uint32) {
	b := c.bucket(x.count)
	x.before, x.next = b.last, 0
	if b.last == 0 {
		c.open(b, x.count, n)
		return
	}
	c.nodes[b.last].next = n
	b.last = n
}

func (c *Counts) unrank(x *counted) {
	before, next := x.before, x.next
	if before != 0 && next != 0 {
		c.nodes[before].next = next
		c.nodes[next].before = before
		return
	}
	switch {
	case before != 0:
		c.nodes[before].next = 0
		c.bucket(x.count).last = before
	case next != 0:
		c.nodes[next].before = 0
		c.bucket(x.count).first = next
	default:
		c.empty(x.count)
	}
}

// Preload loads the nodes of the objects in reqs, and then their neighbours.
func (c *Counts) Preload(reqs []sim.Request) {
	nodes := c.nodes
	if len(nodes)*int(unsafe.Sizeof(counted{})) < preloadFrom {
		return
	}
	var sum uint32
	for _, r := range reqs {
		sum += nodes[r.ID+1].count
	}
	for _, r := range reqs {
		if x := &nodes[r.ID+1]; x.count != 0 {
			sum += nodes[x.before].count + nodes[x.next].count
		}
	}
	c.loaded += sum
}

// Check returns an error where the order contradicts itself.
func (c *Counts) Check() error {
	var used int64
	n := 0
	err := c.checkBuckets(func(count uint32, b countBucket) error {
		before := uint32(0)
		for at := b.first; at != 0; at = c.nodes[at].next {
			x := &c.nodes[at]
			if x.count != count || x.before != before {
				return fmt.Errorf("object %d is misplaced in the bucket of count %d", at-1, count)
			}
			used += x.size
			before = at
			n++
		}
		if b.last != before {
			return fmt.Errorf("the bucket of count %d does not end with its last object", count)
		}
		return nil
	})
	if err != nil {
		return err
	}
	marked := 0
	for _, x := range c.nodes {
		if x.count != 0 {
			marked++
		}
	}
	if marked != n || n != c.len {
		return fmt.Errorf("%d objects are in buckets, %d are marked as such, and %d are accounted for", n, marked, c.len)
	}
	return c.check(used)
}
