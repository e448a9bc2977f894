package conformance

import (
	"fmt"

	"cachesim/sim"
)

// A Residency checks outcomes against what any cache of its capacity could have
// stored, whatever its policy is, and without asking it:
//
//   - an object that was never requested cannot be stored;
//   - of consecutive requests for different objects, those that hit were all stored
//     before the first of them, so that their sizes add up to no more than the capacity.
//
// It takes constant time a request, and 16 bytes an object.
type Residency struct {
	capacity int64
	at       int64         // requests so far
	hitBytes int64         // of them
	last     []lastRequest // by object
	start    int64         // requests before the window of different objects that ends now
	before   int64         // hitBytes before that window
}

// lastRequest is that of one object: its number from 1, 0 for none, and hitBytes
// behind it.
type lastRequest struct{ number, hitBytes int64 }

// NewResidency returns the check of a cache that is empty.
func NewResidency(capacity int64, objects int) *Residency {
	return &Residency{capacity: capacity, last: make([]lastRequest, objects)}
}

// Add checks the next requests with their outcomes. Its error names the first
// request that contradicts the capacity, counted from 1.
func (r *Residency) Add(reqs []sim.Request, hit []bool) error {
	for i, q := range reqs {
		l := &r.last[q.ID]
		r.at++
		if hit[i] && l.number == 0 {
			return fmt.Errorf("request %d, for object %d of %d bytes: expected a miss, since it was never requested before, got a hit", r.at, q.ID, q.Size)
		}
		if l.number > r.start {
			r.start, r.before = l.number, l.hitBytes
		}
		if hit[i] {
			r.hitBytes += q.Size
		}
		if stored := r.hitBytes - r.before; stored > r.capacity {
			return fmt.Errorf("request %d, for object %d of %d bytes: expected a miss, got a hit: requests %d to %d are for different objects, and those that hit have %d bytes together, which a cache of %d bytes cannot have stored",
				r.at, q.ID, q.Size, r.start+1, r.at, stored, r.capacity)
		}
		*l = lastRequest{r.at, r.hitBytes}
	}
	return nil
}
