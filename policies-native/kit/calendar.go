package kit

import "fmt"

// A calendar holds entries, each a next access << 32 | object, and finds the latest. An entry is
// put into the day of its next access, 2^dayShift requests; only the latest day that has entries
// is ordered, as a heap, so that most entries are only ever appended to a slice. Days that are
// over are forgotten with what is left of them.
//
//	requests    0 ... 16383   ... 32767   ... 49151    ... 65535
//	days        over          7 3 9       (empty)      heap: 2 5      latest
//
// An entry takes 8 bytes, or up to 16 while its day grows, and a day 32.
type calendar struct {
	days   []day
	filled countSet // of days that have entries, reversed: the least is the latest
	passed int      // days that are over
}

type day struct {
	entries []uint64
	ordered bool // they are a heap
}

// dayShift makes all possible days as many as a countSet holds.
const dayShift = 14

func reversed(day int) uint32 { return uint32(lowCounts - 1 - day) }

// push adds an entry.
func (c *calendar) push(e uint64) {
	i := int(e >> (32 + dayShift))
	if i >= len(c.days) {
		if c.days == nil {
			c.filled.grow(lowCounts - 1)
		}
		c.days = append(c.days, make([]day, i+1-len(c.days))...)
	}
	d := &c.days[i]
	if len(d.entries) == 0 {
		c.filled.add(reversed(i))
	}
	if d.ordered {
		d.entries = heapPush(d.entries, e)
	} else {
		d.entries = append(d.entries, e)
	}
}

// latest returns the entry with the latest access. There must be one.
func (c *calendar) latest() uint64 {
	d := &c.days[reversed(int(c.filled.min()))]
	if !d.ordered {
		heapOrder(d.entries)
		d.ordered = true
	}
	return d.entries[0]
}

// pop takes out the entry that latest has returned.
func (c *calendar) pop() {
	i := c.filled.min()
	d := &c.days[reversed(int(i))]
	if d.entries = heapPop(d.entries); len(d.entries) == 0 {
		c.filled.remove(i)
		d.ordered = false
	}
}

// pass forgets the days before that of request now.
func (c *calendar) pass(now uint32) {
	for ; c.passed < min(int(now>>dayShift), len(c.days)); c.passed++ {
		d := &c.days[c.passed]
		if len(d.entries) > 0 {
			c.filled.remove(reversed(c.passed))
		}
		*d = day{}
	}
}

// check returns an error where the calendar contradicts itself. It calls f with each entry.
func (c *calendar) check(f func(e uint64)) error {
	for i := range c.days {
		d := &c.days[i]
		if c.filled.has(reversed(i)) != (len(d.entries) > 0) {
			return fmt.Errorf("day %d has %d entries, but is marked otherwise", i, len(d.entries))
		}
		for j, e := range d.entries {
			if int(e>>(32+dayShift)) != i || i < c.passed {
				return fmt.Errorf("object %d is in day %d, but requested next at %d; %d days are over", uint32(e), i, e>>32, c.passed)
			}
			if d.ordered && j > 0 && e > d.entries[(j-1)/4] {
				return fmt.Errorf("day %d: object %d is below one that is requested before it", i, uint32(e))
			}
			f(e)
		}
	}
	return nil
}

// A 4-ary max-heap is a slice whose element i is not greater than element (i-1)/4.

func heapPush(h []uint64, e uint64) []uint64 {
	h = append(h, e)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if h[parent] >= e {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
	return h
}

// heapPop takes out the greatest element.
func heapPop(h []uint64) []uint64 {
	last := len(h) - 1
	e := h[last]
	h = h[:last]
	if last > 0 {
		heapDown(h, 0, e)
	}
	return h
}

// heapOrder makes a heap of h.
func heapOrder(h []uint64) {
	for i := (len(h) - 2) / 4; i >= 0 && len(h) > 1; i-- {
		heapDown(h, i, h[i])
	}
}

// heapDown puts e at i, or below it, moving up what is greater.
func heapDown(h []uint64, i int, e uint64) {
	for {
		child := 4*i + 1
		if child+3 >= len(h) {
			break
		}
		c := h[child : child+4 : child+4]
		best, other := 0, 2 // selected without a branch
		if c[1] > c[0] {
			best = 1
		}
		if c[3] > c[2] {
			other = 3
		}
		if c[other] > c[best] {
			best = other
		}
		if c[best] <= e {
			h[i] = e
			return
		}
		h[i] = c[best]
		i = child + best
	}
	for child := 4*i + 1; child < len(h); child++ { // at most 3, and below them none
		if h[child] > e {
			best := child
			for c := child + 1; c < len(h); c++ {
				if h[c] > h[best] {
					best = c
				}
			}
			h[i] = h[best]
			i = best
			break
		}
	}
	h[i] = e
}
