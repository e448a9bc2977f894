package sim

import (
	"context"
	"fmt"
	"time"
)

// batch is how many requests the engine passes to Replay at once: 128 KiB of
// requests, which stay in the second-level cache while they are copied into a
// guest, and enough to make the cost of crossing into it disappear.
const batch = 8192

// A Tally counts the outcomes of a replay.
type Tally struct {
	Requests  int64
	Hits      int64
	Bytes     int64 // of all requests, too large ones included
	HitBytes  int64
	TooLarge  int64 // requests for objects larger than the cache
	Evictions *int64

	Time time.Duration // spent inside Replayer.Replay
}

// replay drives p over reqs. Requests for objects larger than the capacity
// never reach p: they are misses, are not stored, and are counted apart. It
// returns the outcome of every request with the counts, and calls progress
// after each batch. It fails when p does, when p claims a hit on an object that
// it was never given, or when ctx ends.
func replay(ctx context.Context, p Replayer, t *Trace, n int, capacity int64, progress func(requests int)) (Tally, *Outcomes, error) {
	reqs := t.Requests[:n]
	tally := Tally{Requests: int64(n)}
	out := newOutcomes(n)
	seen := newOutcomes(t.Objects)
	hit := make([]bool, batch)
	// Where an object is too large, the batch is copied without it; where,
	// at[i] is the place in reqs of the copy's request i.
	var fitting []Request
	var at []int
	if t.LargestSize > capacity {
		fitting, at = make([]Request, 0, batch), make([]int, 0, batch)
	}
	for start := 0; start < n; start += batch {
		if err := ctx.Err(); err != nil {
			return tally, nil, err
		}
		b := reqs[start:min(start+batch, n)]
		if fitting != nil {
			fitting, at = fitting[:0], at[:0]
			for i, r := range b {
				if r.Size > capacity {
					tally.TooLarge++
					tally.Bytes += r.Size
					continue
				}
				fitting, at = append(fitting, r), append(at, start+i)
			}
			b = fitting
		}
		h := hit[:len(b)]
		began := time.Now()
		err := p.Replay(b, h)
		tally.Time += time.Since(began)
		if err != nil {
			return tally, nil, err
		}
		for i, r := range b {
			tally.Bytes += r.Size
			if !h[i] {
				seen.set(int(r.ID))
				continue
			}
			place := start + i
			if fitting != nil {
				place = at[i]
			}
			if !seen.Hit(int(r.ID)) {
				return tally, nil, fmt.Errorf("impossible outcome: request %d is a hit on object %s, which was never requested before", place+1, t.ObjectName(r.ID))
			}
			tally.Hits++
			tally.HitBytes += r.Size
			out.set(place)
		}
		if progress != nil {
			progress(min(batch, n-start))
		}
	}
	if e, known := p.Evictions(); known {
		tally.Evictions = &e
	}
	return tally, out, nil
}
