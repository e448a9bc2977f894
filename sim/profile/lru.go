package profile

import (
	"errors"
	"slices"

	"cachesim/sim"
)

// LRUOptions say of which caches LRU computes the curve.
type LRUOptions struct {
	Unit     string // sim.UnitBytes or sim.UnitObjects
	Metadata int64  // bytes added to the size of each object
	Warmup   int    // requests that do not count
}

// CanLRU reports whether LRU applies to a cache of t: the trace has no deletes,
// times to live or changes of size, after which an LRU cache is no longer the top of
// the stack, and no object is larger than the cache, which would not be stored.
func CanLRU(t *sim.Trace, capacity int64, o LRUOptions) bool {
	return t.Columns == 0 && !t.SizesVary() && (o.Unit == sim.UnitObjects || t.LargestSize+o.Metadata <= capacity)
}

// LRU computes what an LRU cache of each of the capacities, which ascend, comes
// to, exactly, in one pass over t; see Stack. Its result has no evictions, which
// do not follow from distances.
func LRU(t *sim.Trace, o LRUOptions, capacities []int64) ([]sim.Tally, error) {
	if !slices.IsSorted(capacities) || len(capacities) == 0 || !CanLRU(t, capacities[0], o) {
		return nil, errors.New("compute the LRU curve: expects ascending capacities, none below the largest object, and a trace of gets")
	}
	stack := NewStack(t.Objects)
	list := make([]sim.Tally, len(capacities)) // first: hits that the capacity before does not have
	var gets, bytes int64
	err := t.Each(0, func(start int, b sim.Batch) error {
		for i, r := range b.Requests {
			distance, distanceBytes, seen := stack.Access(r.ID, r.Size+o.Metadata)
			if start+i < o.Warmup {
				continue
			}
			gets++
			bytes += r.Size
			if o.Unit != sim.UnitObjects {
				distance = distanceBytes
			}
			if !seen {
				continue
			}
			if k, _ := slices.BinarySearch(capacities, distance); k < len(list) {
				list[k].Hits++
				list[k].HitBytes += r.Size
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for k := range list {
		n := &list[k]
		if k > 0 {
			n.Hits += list[k-1].Hits
			n.HitBytes += list[k-1].HitBytes
		}
		n.Gets, n.Bytes = gets, bytes
		admissions, admitted := gets-n.Hits, bytes-n.HitBytes // LRU stores all that it misses
		n.Admissions, n.AdmittedBytes = &admissions, &admitted
	}
	return list, nil
}
