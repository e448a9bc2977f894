package sim

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// A Sampling says how a result is estimated from samples of its trace.
type Sampling struct {
	Rate  float64 `json:"rate"`  // share of the objects that a sample has, below 1
	Salts int     `json:"salts"` // samples, of which the mean counts
	// RealSizes says that the objects of a sample have their sizes, and are
	// chosen without regard to them: for policies that compare sizes.
	RealSizes bool `json:"real_sizes,omitempty"`
	// Error is the standard error of the mean hit ratio above which the rate is
	// raised, of that of bytes ByteErrors times as much where that lowers it; 0: it
	// is not raised.
	Error float64 `json:"error,omitempty"`
}

// ByteErrors is how much larger the error of a byte hit ratio may be than that of
// a hit ratio.
const ByteErrors = 3

// mostSampled is the share of the trace up to which samples together are raised.
const mostSampled = 0.5

// String describes the sampling: "a 1 % sample, 3 salts".
func (s Sampling) String() string {
	salts := "1 salt"
	if s.Salts != 1 {
		salts = fmt.Sprintf("%d salts", s.Salts)
	}
	return fmt.Sprintf("a %s %% sample, %s", strconv.FormatFloat(100*s.Rate, 'g', 3, 64), salts)
}

// Sampled says how sure an estimate is.
type Sampled struct {
	// RateUsed is the rate where it was raised above Sampling.Rate, otherwise 0.
	RateUsed float64 `json:"sample_rate_used,omitempty"`
	// HitRatioSD and ByteHitRatioSD are the standard deviations between the
	// salts, 0 with one. The error of their mean is about the square root of
	// the number of salts smaller.
	HitRatioSD     float64 `json:"hit_ratio_sd"`
	ByteHitRatioSD float64 `json:"byte_hit_ratio_sd"`
	// Unfit is the share of the requested bytes that are of objects which fit
	// the cache, and not the miniature: there they count as misses.
	Unfit float64 `json:"unfit_bytes"`
}

// Excess returns how many times as large as s.Error the standard error of an estimate
// is; 0 where nothing was asked for, or nothing is known of the error.
func (u Sampled) Excess(s Sampling) float64 {
	if s.Error <= 0 || s.Salts < 2 {
		return 0
	}
	return max(u.HitRatioSD, u.ByteHitRatioSD/ByteErrors) / math.Sqrt(float64(s.Salts)) / s.Error
}

// A Miniature is a sample of a trace that is replayed with a cache scaled down
// as much (Waldspurger, Saemundsson, Ahmad, Park, Cache modeling and
// optimization using miniature simulations, USENIX ATC 2017).
type Miniature struct {
	*Trace
	Warmup int // its requests that are among the trace's warm-up

	stands []stands // for each object
	old    []uint32 // each object's number in the trace

	// Sums over the objects that are first requested after the warm-up, and over
	// all, by their weights.
	cold, coldBytes float64
	all, allBytes   float64
	bytes           float64 // of gets after the warm-up, by weights
	sizes           sizes   // of its objects; only with RealSizes
}

// stands is what an object of a sample stands for: a number of objects of the trace,
// and the bytes of these together.
type stands struct{ objects, bytes float64 }

// Samples are miniatures of one trace.
type Samples struct {
	Sampling
	*Survey
	Miniatures []Miniature
	least      int64 // capacity that they were chosen for
}

// Share is how many requests the miniatures have together, in those of the trace.
func (s *Samples) Share() float64 { return float64(s.replayed()) / float64(s.t.Requests) }

// replayed is how many requests the miniatures have together.
func (s *Samples) replayed() (n int64) {
	for _, m := range s.Miniatures {
		n += int64(m.Requests)
	}
	return n
}

// Memory is how many bytes the miniatures occupy.
func (s *Samples) Memory() (n int64) {
	for _, m := range s.Miniatures {
		n += m.Source.Memory()
	}
	return n
}

// share returns which share of the trace m is to a cache of c: the rate but for
// chance. With RealSizes chance may be large, where few objects have most of the
// bytes: then it is the share of the bytes of the objects that the miniature can
// hold.
func (s *Samples) share(m Miniature, c Cell) float64 {
	if !s.RealSizes || c.Unit == UnitObjects {
		return s.Rate
	}
	largest := int64(float64(c.Capacity)*s.Rate) - c.Metadata
	n, bytes := m.sizes.upTo(largest)
	allN, allBytes := s.Survey.sizes().upTo(largest)
	if n <= 0 || allN <= 0 || bytes+n*c.Metadata <= 0 {
		return s.Rate
	}
	return float64(bytes+n*c.Metadata) / float64(allBytes+allN*c.Metadata)
}

// capacity is the size of the miniature of a cache.
func (s *Samples) capacity(m Miniature, c Cell) int64 {
	return max(1, int64(math.Round(float64(c.Capacity)*s.share(m, c))))
}

// finer returns the rate that is expected to make the error small enough, or 0 where it is,
// where the samples are as large as they may be, and where only that of bytes is too large
// and would stay so: objects whose sizes are still divided at the higher rate are in samples
// as often as before. Either they have most of the bytes, or the error did not fall; before
// is what the smaller samples came to, nil for the first.
func (s *Samples) finer(u Sampled, before *Sampled) float64 {
	room := mostSampled / s.Share() // how many times as large they may be
	excess := u.Excess(s.Sampling)
	if room <= 1 || excess <= 1 {
		return 0
	}
	// The deviation falls with the root of the rate. There are few rates, since each
	// has samples of its own.
	times := 2.0
	if excess*excess > 2 {
		times = 4
	}
	rate := min(1, s.Rate*min(times, room))
	if ofHits := (Sampled{HitRatioSD: u.HitRatioSD}); ofHits.Excess(s.Sampling) <= 1 {
		if before != nil && u.ByteHitRatioSD >= before.ByteHitRatioSD || !s.RealSizes && s.DividesMost(rate, s.least) {
			return 0
		}
	}
	return rate
}

// keptSamples is how many samples of raised rates are kept for other cells.
const keptSamples = 3

// raisedSamples are chosen once for all cells that ask for them.
type raisedSamples struct {
	Sampling
	capacity int64
	done     chan struct{} // closed when the following are set
	samples  *Samples
	err      error
}

// raise returns samples of a higher rate for the same caches, nil where they would have
// as many requests as the trace: a single object may have most of these. Several cells
// may ask for the same ones at a time.
func (s *Samples) raise(ctx context.Context, rate float64, heartbeat func()) (*Samples, error) {
	v := s.Survey
	want := s.Sampling
	want.Rate = rate
	v.mu.Lock()
	i := slices.IndexFunc(v.raised, func(r *raisedSamples) bool { return r.Sampling == want && r.capacity == s.least })
	if i >= 0 {
		r := v.raised[i]
		v.mu.Unlock()
		return r.wait(ctx, heartbeat)
	}
	r := &raisedSamples{Sampling: want, capacity: s.least, done: make(chan struct{})}
	if v.raised = append(v.raised, r); len(v.raised) > keptSamples {
		v.raised = slices.Delete(v.raised, 0, 1)
	}
	v.mu.Unlock()
	go func() {
		defer close(r.done)
		var all []*Samples
		if all, r.err = v.Samples(Choice{want, s.least}); r.err == nil {
			r.samples = all[0]
		}
	}()
	return r.wait(ctx, heartbeat)
}

// wait returns the samples when they are chosen.
func (r *raisedSamples) wait(ctx context.Context, heartbeat func()) (*Samples, error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.done:
			return r.samples, r.err
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
			heartbeat() // a policy is not to blame for the time that this takes
		}
	}
}

// estimate replays the task's miniatures and estimates the counts of the trace, and
// does so again from larger samples while the deviation between them is too large.
func (r *run) estimate(ctx context.Context, task Task, heartbeat func(), progress func(int)) (all replayed, setup Setup, err error) {
	s := task.Samples
	var before *Sampled
	for {
		one, made, err := r.estimateFrom(ctx, s, task, heartbeat, progress)
		if err != nil {
			return all, setup, err
		}
		one.time += all.time
		all = one
		setup.Compile += made.Compile
		setup.Instantiate += made.Instantiate
		if s.Rate > task.Samples.Rate {
			all.sampled.RateUsed = s.Rate
		}
		rate := s.finer(one.sampled, before)
		if rate == 0 {
			return all, setup, nil
		}
		if s, err = s.raise(ctx, rate, heartbeat); err != nil || s == nil {
			return all, setup, err
		}
		before = &one.sampled
		progress = func(int) { heartbeat() } // the requests of the task are counted
	}
}

// estimateFrom replays the miniatures of s.
func (r *run) estimateFrom(ctx context.Context, s *Samples, task Task, heartbeat func(), progress func(int)) (all replayed, setup Setup, err error) {
	var list []weighed
	for _, m := range s.Miniatures {
		c := task.Cell
		c.Sampling, c.Capacity, c.Requests, c.Warmup = Sampling{}, s.capacity(m, c), m.Requests, m.Warmup
		one, made, err := r.replayCell(ctx, c, m.Trace, task.Needs, heartbeat, progress)
		if err != nil {
			return all, setup, err
		}
		all.time += one.time
		setup.Compile += made.Compile
		setup.Instantiate += made.Instantiate
		w, err := s.weigh(m, one, task.Cell, c.Capacity)
		if err != nil {
			return all, setup, err
		}
		list = append(list, w)
	}
	all.Tally, all.sampled = s.of(list, task.Cell)
	return all, setup, nil
}

// weighed is what the replay of a miniature came to, in the trace's objects and
// bytes.
type weighed struct {
	hit, byteHit        float64 // ratios
	unfit               float64 // share of the bytes that are of objects larger than the miniature only
	sets, deletes       float64
	expired             float64
	evictions, admitted *float64 // nil: the policy does not count them
	admittedBytes       *float64
}

// weigh sums what the requests of a replay of m came to; c is the trace's cell.
//
// The misses are held against the true number of gets: the sample's own number
// varies far more, since the most popular objects are in it or not (the
// adjustment of SHARDS). First requests, which miss in every cache, are known
// exactly and not estimated: of the misses of each object one less is uncertain.
// With operations they may hit, and are estimated as well.
func (s *Samples) weigh(m Miniature, one replayed, c Cell, capacity int64) (w weighed, err error) {
	var misses, missBytes float64
	missed := 0
	miss := func(r Request) {
		stands := m.stands[r.ID]
		missed++
		misses += stands.objects
		missBytes += stands.bytes
		if r.Size+c.Metadata > capacity && c.Unit != UnitObjects && s.objects[m.old[r.ID]].size+c.Metadata <= c.Capacity {
			w.unfit += stands.bytes
		}
	}
	err = m.Each(ColumnOps, func(start int, b Batch) error {
		for i := range one.out.misses(max(start, m.Warmup), start+len(b.Requests)) {
			if b.Ops == nil || b.Ops[i-start] == Get {
				miss(b.Requests[i-start])
			}
		}
		for i, op := range b.Ops {
			switch weight := m.stands[b.Requests[i].ID].objects; {
			case start+i < m.Warmup:
			case op == Set:
				w.sets += weight
			case op == Delete:
				w.deletes += weight
			}
		}
		return nil
	})
	if err != nil {
		return w, err
	}
	cold, coldBytes, known, knownBytes := m.cold, m.coldBytes, float64(s.cold), float64(s.coldBytes)
	if m.Columns != 0 {
		cold, coldBytes, known, knownBytes = 0, 0, 0, 0
	}
	ratio := func(misses, known float64, of int64) float64 {
		if of == 0 {
			return 0
		}
		return 1 - min(1, (misses+known)/float64(of))
	}
	w.hit = ratio((misses-cold)*float64(s.t.Objects)/m.all, known, s.gets)
	if m.allBytes > 0 {
		w.byteHit = ratio((missBytes-coldBytes)*float64(s.t.Footprint)/m.allBytes, knownBytes, s.bytes)
	}
	if m.bytes > 0 {
		w.unfit /= m.bytes
	}
	// What the policy counts is not known by object: it is taken to be of objects
	// like those that it missed. Sizes are divided as weights are multiplied.
	mean := 1 / s.Rate
	if missed > 0 {
		mean = misses / float64(missed)
	}
	times := func(n *int64, by float64) *float64 {
		if n == nil {
			return nil
		}
		f := float64(*n) * by
		return &f
	}
	w.expired = float64(one.Expired) / s.Rate
	w.evictions, w.admitted, w.admittedBytes = times(one.Evictions, mean), times(one.Admissions, mean), times(one.AdmittedBytes, 1/s.Rate)
	return w, nil
}

// tooLarge returns how many gets are of objects larger than the cache. It is no estimate.
func (v *Survey) tooLarge(c Cell) (n int64) {
	if c.Unit == UnitObjects || v.t.LargestSize+c.Metadata <= c.Capacity {
		return 0
	}
	for _, o := range v.objects {
		if o.size+c.Metadata > c.Capacity {
			n += int64(o.counted)
		}
	}
	return n
}

// of estimates the counts of the trace for a cell from its miniatures'.
func (s *Samples) of(list []weighed, c Cell) (t Tally, u Sampled) {
	mean := func(f func(w weighed) float64) (m, sd float64) {
		var x []float64
		for _, w := range list {
			x = append(x, f(w))
		}
		return meanAndSD(x)
	}
	count := func(f func(w weighed) float64) int64 {
		m, _ := mean(f)
		return int64(math.Round(m))
	}
	counted := func(f func(w weighed) *float64) *int64 {
		if f(list[0]) == nil {
			return nil
		}
		n := count(func(w weighed) float64 { return *f(w) })
		return &n
	}
	var hit, byteHit float64
	hit, u.HitRatioSD = mean(func(w weighed) float64 { return w.hit })
	byteHit, u.ByteHitRatioSD = mean(func(w weighed) float64 { return w.byteHit })
	u.Unfit, _ = mean(func(w weighed) float64 { return w.unfit })
	t.Gets, t.Bytes = s.gets, s.bytes
	t.Hits, t.HitBytes = int64(math.Round(hit*float64(s.gets))), int64(math.Round(byteHit*float64(s.bytes)))
	t.TooLarge = s.tooLarge(c)
	t.Sets = count(func(w weighed) float64 { return w.sets })
	t.Deletes = count(func(w weighed) float64 { return w.deletes })
	t.Expired = count(func(w weighed) float64 { return w.expired })
	t.Evictions = counted(func(w weighed) *float64 { return w.evictions })
	t.Admissions = counted(func(w weighed) *float64 { return w.admitted })
	t.AdmittedBytes = counted(func(w weighed) *float64 { return w.admittedBytes })
	return t, u
}

// meanAndSD returns the mean and the standard deviation of a sample.
func meanAndSD(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return mean, 0
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}
