package sim

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// A Latency is how long a request takes: a part for each request and one for each
// byte.
type Latency struct {
	Fixed   time.Duration `json:"fixed_ns"`
	PerByte float64       `json:"ns_per_byte,omitempty"`
}

// Of returns the time in ns that an object of the given size takes.
func (l Latency) Of(size int64) int64 { return int64(l.Fixed) + int64(l.PerByte*float64(size)) }

// String writes it as --latency has it: "50ms+8ns/B".
func (l Latency) String() string {
	s := l.Fixed.String()
	if l.PerByte > 0 {
		s += "+" + strconv.FormatFloat(l.PerByte, 'g', -1, 64) + "ns/B"
	}
	return s
}

// A Holder is a Policy that can say whether it has an object without serving a
// request for it.
type Holder interface {
	Has(id uint32) bool
}

// A Holding is a Replayer that may be able to say the same. Has must not be called
// where CanHold is false.
type Holding interface {
	CanHold() bool
	Has(id uint32) (bool, error)
}

// replayDelayed drives p over the trace where an object enters the cache only
// when its fetch is complete (Atre, Sherry, Wang, Berger, Caching with delayed
// hits, SIGCOMM 2020):
//
//   - a request for an object in the cache is a hit;
//   - one for an object that is being fetched waits for the rest of the fetch: a
//     delayed hit, which is a hit in the outcomes. No other fetch is started;
//   - any other is a miss and starts a fetch of the length that c.Delayed says;
//   - when a fetch is complete, the policy serves the request that missed, which
//     stores the object or not, and those that have waited for it, in order, at
//     the time of that moment: times that a policy sees do not go backwards. A
//     fetch that is complete at the time of a request comes before the request.
//
// Objects larger than the cache are misses, and each is a fetch of its own.
func replayDelayed(ctx context.Context, p Replayer, t *Trace, c Cell, needs Needs, progress func(requests int)) (replayed, error) {
	s := newReplay(p, t, c, needs)
	s.direct, s.seen = false, newOutcomes(t.Objects)
	switch {
	case t.Tick == 0:
		return s.replayed, errors.New("delayed hits: the trace has no times")
	case t.SizesVary():
		return s.replayed, errors.New("delayed hits: objects of the trace change their size, whose order with fetches under way is not defined")
	case s.ops:
		return s.replayed, errors.New("delayed hits: the trace has sets, deletes or times to live, whose order with fetches under way is not defined")
	}
	holder, ok := p.(Holding)
	if !ok || !holder.CanHold() {
		return s.replayed, errors.New("delayed hits: the policy cannot say whether it has an object: a native one needs Has, a module the export has (i32) -> i32")
	}
	d := &delayed{replayState: s, holder: holder, flight: make(map[uint32]*fetch)}
	var columns Columns
	if needs&NeedsNext != 0 {
		columns, d.next = ColumnNext, make([]uint32, 1)
	}
	err := s.each(ctx, columns, progress, func(b Batch) error {
		for i := range b.Requests {
			if err := d.request(b.Slice(i, i+1)); err != nil {
				return err
			}
			s.at++
			if s.at == c.Warmup {
				s.endWarmup()
			}
		}
		return nil
	})
	if err != nil {
		return s.replayed, err
	}
	if err := d.complete(math.MaxInt64); err != nil {
		return s.replayed, err
	}
	s.finish()
	return s.replayed, nil
}

// delayed is a replay with fetches under way.
type delayed struct {
	*replayState
	holder Holding
	flight map[uint32]*fetch // by object
	queue  fetches           // the same, the one first that is complete first
	next   []uint32          // of one request; nil: the policy needs none
	hit    [1]bool
}

// A fetch is under way.
type fetch struct {
	Request        // that missed, with the size that the policy sees
	ready   int64  // ns
	started int    // index of the request
	waiting int    // requests that wait for it
	next    uint32 // of the last of these
}

// fetches is a heap by time; of fetches that are complete at the same time the
// one started first comes first.
type fetches []*fetch

func (f fetches) Len() int      { return len(f) }
func (f fetches) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f fetches) Less(i, j int) bool {
	return f[i].ready < f[j].ready || f[i].ready == f[j].ready && f[i].started < f[j].started
}
func (f *fetches) Push(x any) { *f = append(*f, x.(*fetch)) }
func (f *fetches) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// request serves the next request of the trace, which is all of b.
func (d *delayed) request(b Batch) error {
	r := b.Requests[0]
	now := int64(r.Time) * int64(d.t.Tick)
	if err := d.complete(now); err != nil {
		return err
	}
	size := d.size(r)
	next := uint32(Never)
	if d.next != nil {
		next = d.clamp(b.Next[0])
	}
	f := d.flight[r.ID]
	var hit bool
	if size <= d.c.Capacity && f == nil {
		var err error
		if hit, err = d.holder.Has(r.ID); err != nil {
			return err
		}
	}
	switch {
	case size > d.c.Capacity:
		d.TooLarge++
	case f != nil:
		hit = true
		f.waiting++
		f.next = next
	case hit:
		if r.ID >= d.met {
			return d.impossible(d.at, r.ID)
		}
		served, err := d.access(Request{r.ID, r.Time, size}, next)
		if err != nil {
			return err
		}
		if !served {
			return fmt.Errorf("request %d: the policy says that it has object %s, and serves it as a miss", d.at+1, d.t.ObjectName(r.ID))
		}
	default:
		f = &fetch{Request: Request{r.ID, r.Time, size}, ready: now + d.c.Delayed.Of(r.Size), started: d.at, next: next}
		d.flight[r.ID] = f
		heap.Push(&d.queue, f)
		d.missed++
		d.missedBytes += r.Size
	}
	d.met = max(d.met, r.ID+1)
	d.Gets++
	d.Bytes += r.Size
	if hit {
		d.out.set(d.at)
		d.Hits++
		d.HitBytes += r.Size
	}
	d.addIntervals(b)
	if d.t.Prompts != nil {
		d.addPrompts(b)
	}
	return nil
}

// complete ends the fetches that are complete at the given time.
func (d *delayed) complete(now int64) error {
	for len(d.queue) > 0 && d.queue[0].ready <= now {
		f := heap.Pop(&d.queue).(*fetch)
		delete(d.flight, f.ID)
		tick := int64(d.t.Tick)
		f.Time = uint32(min((f.ready+tick-1)/tick, math.MaxUint32))
		for i := range f.waiting + 1 {
			hit, err := d.access(f.Request, f.next)
			if err != nil {
				return err
			}
			if i == 0 && hit {
				return fmt.Errorf("request %d: the policy says that it does not have object %s, and serves it as a hit", f.started+1, d.t.ObjectName(f.ID))
			}
		}
	}
	return nil
}

// access lets the policy serve one request.
func (d *delayed) access(r Request, next uint32) (bool, error) {
	b := Batch{Requests: []Request{r}}
	if d.next != nil {
		d.next[0] = next
		b.Next = d.next
	}
	began := time.Now()
	err := d.p.Replay(b, d.hit[:])
	d.spend(began)
	return d.hit[0], err
}
