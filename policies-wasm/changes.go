package wasm

import (
	"encoding/binary"
	"fmt"

	"cachesim/sim"
)

// changesExport returns, after each batch, what the module stored and evicted in it, in that order:
// an address in the upper half, the number of records in the lower. A record is two u32, an object
// and stored or evicted.
const (
	changesExport = "changes_v1"
	changesSig    = "() -> i64"

	changeStored  = 1
	changeEvicted = 2
)

// changes is the host's own account of a guest's cache.
type changes struct {
	call     *callee
	capacity int64
	used     int64
	sizes    []int64  // by object: its size plus 1, 0 before its first request
	resident []bool   // by object
	asked    []uint32 // by object: the batch in which it was requested last
	batch    uint32
	counts   sim.Counts
}

// bindChanges returns the account of a module that reports its changes, else nil.
func (g *guest) bindChanges(c Config) (*changes, error) {
	if !g.bin.Exports(changesExport, changesSig) {
		return nil, nil
	}
	call, err := g.callee(changesExport)
	if err != nil {
		return nil, err
	}
	return &changes{
		call: call, capacity: c.Capacity,
		sizes: make([]int64, c.Objects), resident: make([]bool, c.Objects), asked: make([]uint32, c.Objects),
	}, nil
}

// applyChanges brings the account up to date after a batch, and says where it cannot be: an object
// stored twice, more than the capacity, or a hit on what was not stored.
func (g *guest) applyChanges(reqs []sim.Request, hit []bool) error {
	c := g.changes
	c.batch++
	for i, r := range reqs {
		c.sizes[r.ID] = r.Size + 1
		if c.asked[r.ID] == c.batch {
			continue // it may have been stored since
		}
		c.asked[r.ID] = c.batch
		if hit[i] && !c.resident[r.ID] {
			return fmt.Errorf("%s: it reports a hit on object %d, which by its changes is not in the cache", changesExport, r.ID)
		}
	}
	stack := [1]uint64{}
	if err := c.call.call(stack[:]); err != nil {
		return fmt.Errorf("%s: %w", changesExport, err)
	}
	at, n := uint32(stack[0]>>32), uint32(stack[0])
	if n > 0 {
		log, err := g.slice(at, 8*int(n))
		if err != nil {
			return fmt.Errorf("%s: it reports %d changes at %d, which is outside the memory", changesExport, n, at)
		}
		for ; len(log) > 0; log = log[8:] {
			if err := c.apply(binary.LittleEndian.Uint32(log), binary.LittleEndian.Uint32(log[4:])); err != nil {
				return fmt.Errorf("%s: %w", changesExport, err)
			}
		}
	}
	return nil
}

func (c *changes) apply(object, what uint32) error {
	switch {
	case int(object) >= len(c.sizes) || c.sizes[object] == 0:
		return fmt.Errorf("object %d was never requested", object)
	case what == changeStored && c.resident[object]:
		return fmt.Errorf("it stores object %d, which is in the cache", object)
	case what == changeEvicted && !c.resident[object]:
		return fmt.Errorf("it evicts object %d, which is not in the cache", object)
	case what == changeStored:
		c.resident[object] = true
		c.used += c.sizes[object] - 1
		c.counts.Admissions++
		c.counts.AdmittedBytes += c.sizes[object] - 1
		if c.used > c.capacity {
			return fmt.Errorf("with object %d it has %d in a cache of %d", object, c.used, c.capacity)
		}
	case what == changeEvicted:
		c.drop(object)
		c.counts.Evictions++
	default:
		return fmt.Errorf("change %d of object %d is neither %d (stored) nor %d (evicted)", what, object, changeStored, changeEvicted)
	}
	return nil
}

func (c *changes) drop(object uint32) {
	c.resident[object] = false
	c.used -= c.sizes[object] - 1
}

// removed notes that the host had the object removed.
func (c *changes) removed(object uint32, was bool) error {
	if was != c.resident[object] {
		return fmt.Errorf("remove returned %d for object %d, but by %s it was %s the cache", map[bool]int{false: 0, true: 1}[was], object, changesExport, map[bool]string{true: "not in", false: "in"}[was])
	}
	if was {
		c.drop(object)
	}
	return nil
}
