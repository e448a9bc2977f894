package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
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
	// raised, of that of bytes ByteErrors times as much; 0: it is not raised.
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

	// What an object stands for: weight is the number of the trace's objects,
	// size its size in the trace.
	weight []float64
	size   []int64

	// Sums over the objects that are first requested after the warm-up, and over
	// all, by their weights.
	cold, coldBytes float64
	all, allBytes   float64
	sizes           sizes // of its objects; only with RealSizes
}

// Samples are miniatures of one trace.
type Samples struct {
	Sampling
	*Survey
	Miniatures []Miniature
	least      int64 // capacity that they were chosen for
}

// sizes are the sizes of objects, ascending, each summed with those before it.
type sizes struct{ each, sum []int64 }

func newSizes(of []int64) sizes {
	of = slices.Sorted(slices.Values(of))
	s := sizes{of, make([]int64, len(of)+1)}
	for i, v := range of {
		s.sum[i+1] = s.sum[i] + v
	}
	return s
}

// upTo returns the number of objects no larger than size, and their bytes.
func (s sizes) upTo(size int64) (n, bytes int64) {
	i, _ := slices.BinarySearch(s.each, size+1)
	return int64(i), s.sum[i]
}

// leastInMiniature is how many of the objects that are larger than others fit a
// miniature at least; see Survey.Samples.
const leastInMiniature = 200

var errSizesVary = errors.New("sample: objects of the trace change their size, and a sample needs one size for each")

// A Survey is what samples of a trace are chosen by.
type Survey struct {
	t               *Trace
	warmup          int
	unit            string
	metadata        int64
	requests        []uint32 // for each object
	size            []int64
	sizes           func() sizes    // of the objects
	order           func() []uint32 // that objects are sampled in
	gets, bytes     int64           // after the warm-up
	cold, coldBytes int64           // objects first requested after the warm-up, and their bytes

	mu     sync.Mutex
	raised []*raisedSamples // the latest, at most keptSamples
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

// NewSurvey reads t once, for caches of capacities in the given unit that need
// metadata bytes for each object, and for replays whose first warmup requests do
// not count.
func NewSurvey(t *Trace, warmup int, unit string, metadata int64) (*Survey, error) {
	if t.SizesVary() {
		return nil, errSizesVary
	}
	v := &Survey{t: t, warmup: warmup, unit: unit, metadata: metadata, requests: make([]uint32, t.Objects), size: make([]int64, t.Objects)}
	v.sizes = sync.OnceValue(func() sizes { return newSizes(v.size) })
	v.order = sync.OnceValue(v.sort)
	err := t.Each(ColumnOps, func(start int, b Batch) error {
		for i, r := range b.Requests {
			count := start+i >= warmup
			if count && (b.Ops == nil || b.Ops[i] == Get) {
				v.gets++
				v.bytes += r.Size
			}
			if v.requests[r.ID] == 0 {
				v.size[r.ID] = r.Size
				if count {
					v.cold++
					v.coldBytes += r.Size
				}
			}
			v.requests[r.ID]++
		}
		return nil
	})
	return v, err
}

// A Choice asks for samples for caches of the given capacity and above.
type Choice struct {
	Sampling
	Capacity int64
}

// Samples chooses the samples of each of the list, all in one pass.
//
// Which objects a sample has is no pure chance: the objects are put in an order by
// how often they are requested, then by size, then by their first request, and
// one is taken every so far. So each sample has its share of the popular ones, of
// the rare ones, of the large ones, and of those of any time, which hashes of ids
// have by chance only (systematic sampling; W. G. Cochran, Sampling Techniques,
// 1977). Salts start at different points of the order.
//
// Few objects may have most of the bytes, and a miniature has no room for them.
// So an object that is larger than a small part of the miniature is chosen with a
// probability that grows with its size, up to 1, and its size divided so that the
// sample has, in the mean, its share of the bytes all the same: where the rate is
// 1 % and an object is in the sample for certain, it has 1 % of its size. What it
// misses counts for as many objects as it stands for (Horvitz, Thompson, A
// generalization of sampling without replacement from a finite universe, Journal
// of the American Statistical Association 47, 1952). Policies that compare sizes
// learn the true ones from Config.Sizes or, with RealSizes, replay samples
// without this.
func (v *Survey) Samples(list ...Choice) ([]*Samples, error) {
	var all [][]uint32 // the objects of each sample
	probability := make([]func(size int64) float64, len(list))
	for i, c := range list {
		probability[i] = v.probability(c)
		at := make([]float64, c.Salts)
		for salt := range at {
			// Multiples of the golden ratio are spread evenly, however many there are.
			at[salt] = math.Mod(0.5+float64(salt)*math.Phi, 1)
		}
		chosen := make([][]uint32, c.Salts)
		for _, id := range v.order() {
			p := probability[i](v.size[id])
			for salt := range at {
				if at[salt] += p; at[salt] >= 1 {
					at[salt]--
					chosen[salt] = append(chosen[salt], id)
				}
			}
		}
		all = append(all, chosen...)
	}
	samplers, err := gather(v.t, v.warmup, all)
	if err != nil {
		return nil, err
	}
	var made []*Samples
	for i, c := range list {
		s := &Samples{Sampling: c.Sampling, Survey: v, least: c.Capacity}
		for _, m := range samplers[:c.Salts] {
			v.weigh(m, c, probability[i])
			s.Miniatures = append(s.Miniatures, m.m)
		}
		samplers = samplers[c.Salts:]
		made = append(made, s)
	}
	return made, nil
}

// probability returns with which probability objects of a size are in a sample.
func (v *Survey) probability(c Choice) func(size int64) float64 {
	if c.RealSizes || v.unit == UnitObjects {
		return func(int64) float64 { return min(1, c.Rate) }
	}
	limit := v.limit(c.Rate, c.Capacity)
	return func(size int64) float64 { return min(1, c.Rate*max(1, float64(size+v.metadata)/limit)) }
}

// weigh sets what the objects of a sample stand for and, unless they keep them, their
// sizes.
func (v *Survey) weigh(s *sampler, c Choice, probability func(size int64) float64) {
	m := &s.m
	m.weight, m.size = make([]float64, m.Objects), s.sizes
	scaled := make([]int64, m.Objects)
	for i, size := range s.sizes {
		p := probability(size)
		w := 1 / p
		m.weight[i] = w
		m.all += w
		m.allBytes += w * float64(size)
		if s.late[i] {
			m.cold += w
			m.coldBytes += w * float64(size)
		}
		scaled[i] = size
		if p > c.Rate {
			scaled[i] = max(1, int64(math.Round(float64(size+v.metadata)*c.Rate/p))-v.metadata)
		}
	}
	if c.RealSizes {
		m.sizes = newSizes(s.sizes)
	} else {
		s.resize(scaled)
		m.Trace.Sizes = s.sizes
	}
	m.Trace.SampleRate = c.Rate
}

// Divided returns which share of the objects' bytes is of those whose sizes samples
// of a rate divide, for caches of the given capacity.
func (v *Survey) Divided(rate float64, capacity int64) float64 {
	if v.unit == UnitObjects || v.t.Footprint == 0 {
		return 0
	}
	_, bytes := v.sizes().upTo(int64(v.limit(rate, capacity)) - v.metadata)
	return 1 - float64(bytes)/float64(v.t.Footprint)
}

// limit is the size above which objects are sampled more often than others, and
// their sizes divided.
func (v *Survey) limit(rate float64, capacity int64) float64 {
	return max(1, rate*float64(capacity)/leastInMiniature)
}

// sort returns the objects in the order that samples are chosen in: by classes of
// their number of requests, four to a doubling, then of their size, two to a
// doubling, then by first request. Every other class is in reverse, so that
// neighbours are alike.
func (v *Survey) sort() []uint32 {
	keys := make([]uint64, len(v.size))
	for id, n := range v.requests {
		popularity := uint64(4 * math.Log2(float64(n)))
		size := uint64(2 * math.Log2(float64(max(1, v.size[id]))))
		if popularity%2 == 1 {
			size = 127 - size
		}
		first := uint64(id)
		if size%2 == 1 {
			first = math.MaxUint32 - first
		}
		keys[id] = popularity<<40 | size<<32 | first
	}
	slices.Sort(keys)
	order := make([]uint32, len(keys))
	for i, k := range keys {
		order[i] = uint32(k)
		if k>>32%2 == 1 {
			order[i] = math.MaxUint32 - uint32(k)
		}
	}
	return order
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

// finer returns the rate that is expected to make the error small enough, or 0
// where it is, or where the samples are as large as they may be.
func (s *Samples) finer(u Sampled) float64 {
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
	return s.Rate * min(times, room)
}

// raise returns samples of a higher rate for the same caches. Several cells may ask
// for the same ones at a time.
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
		rate := s.finer(one.sampled)
		if rate == 0 {
			return all, setup, nil
		}
		if s, err = s.raise(ctx, rate, heartbeat); err != nil {
			return all, setup, err
		}
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
	all.Tally, all.sampled = s.of(list)
	return all, setup, nil
}

// weighed is what the replay of a miniature came to, in the trace's objects and
// bytes.
type weighed struct {
	hit, byteHit        float64 // ratios
	tooLarge            float64 // gets of objects larger than the cache
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
	var misses, missBytes, bytes float64
	missed := 0
	err = m.Each(ColumnOps, func(start int, b Batch) error {
		for i, r := range b.Requests {
			if start+i < m.Warmup {
				continue
			}
			weight, size := m.weight[r.ID], m.size[r.ID]
			if b.Ops != nil && b.Ops[i] != Get {
				if b.Ops[i] == Set {
					w.sets += weight
				} else {
					w.deletes += weight
				}
				continue
			}
			bytes += weight * float64(size)
			if !one.out.Hit(start + i) {
				missed++
				misses += weight
				missBytes += weight * float64(size)
			}
			if c.Unit == UnitObjects {
				continue
			}
			switch {
			case size+c.Metadata > c.Capacity:
				w.tooLarge += weight
			case r.Size+c.Metadata > capacity:
				w.unfit += weight * float64(size)
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
	if bytes > 0 {
		w.unfit /= bytes
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

// of estimates the counts of the trace from its miniatures'.
func (s *Samples) of(list []weighed) (t Tally, u Sampled) {
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
	t.TooLarge = count(func(w weighed) float64 { return w.tooLarge })
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

// Sample returns a trace of the requests for a share of t's objects, which a
// hash of their ids chooses, so that every object is in it with all of its
// requests or with none (Waldspurger, Park, Garthwaite, Ahmad, Efficient MRC
// construction with SHARDS, FAST 2015). Ids are dense again; it is held in
// memory. Different salts choose different objects.
func Sample(t *Trace, share float64, salt uint64) (*Trace, error) {
	if t.SizesVary() {
		return nil, errSizesVary
	}
	var chosen []uint32
	limit := uint64(share * (1 << 63))
	for id := range uint32(t.Objects) {
		if mix(uint64(id)+salt*0x9e3779b97f4a7c15)>>1 < limit {
			chosen = append(chosen, id)
		}
	}
	samplers, err := gather(t, 0, [][]uint32{chosen})
	if err != nil {
		return nil, err
	}
	return samplers[0].m.Trace, nil
}

// sampledObject says that an object is in a sample.
type sampledObject struct {
	sampler uint32
	id      uint32 // there, or notRequested so far
}

const notRequested = ^uint32(0)

// gather takes the requests for the objects chosen for each of several samples out of
// t, in one pass, and consumes chosen. The first warmup requests are its warm-up.
//
//	object   0  1  2  3           first    0  2  2  3
//	sampled  A     B  A           sampled  A B  C  A
//	         B     C
//
// What is sampled of object k is sampled[first[k]:first[k+1]].
func gather(t *Trace, warmup int, chosen [][]uint32) ([]*sampler, error) {
	first := make([]uint32, t.Objects+2)
	for _, ids := range chosen {
		for _, id := range ids {
			first[id+2]++
		}
	}
	for i := 2; i < len(first); i++ {
		first[i] += first[i-1]
	}
	sampled := make([]sampledObject, first[len(first)-1])
	var samplers []*sampler
	for k, ids := range chosen {
		for _, id := range ids {
			sampled[first[id+1]] = sampledObject{uint32(k), notRequested}
			first[id+1]++
		}
		chosen[k] = nil
		samplers = append(samplers, newSampler(t))
	}
	of := make([]uint32, BatchSize) // requests of a batch that are of objects in a sample
	if err := t.Each(ColumnOps|ColumnTTL, func(start int, b Batch) error {
		// Most are in none, which no branch can foresee.
		n := 0
		for i, r := range b.Requests {
			of[n] = uint32(i)
			if first[r.ID] != first[r.ID+1] {
				n++
			}
		}
		for _, i := range of[:n] {
			id := b.Requests[i].ID
			in := sampled[first[id]:first[id+1]]
			for k := range in {
				samplers[in[k].sampler].add(b, int(i), &in[k].id, start+int(i) < warmup)
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, s := range samplers {
		if err := s.finish(); err != nil {
			return nil, err
		}
	}
	return samplers, nil
}

// sampler makes one sample.
type sampler struct {
	t, of  *Trace
	m      Miniature
	memory *Memory
	sizes  []int64
	late   []bool   // first requested after the warm-up
	old    []uint32 // ids in the trace
	// What is not in memory yet, of up to samplerBuffer requests.
	reqs []Request
	ops  []Op
	ttl  []uint32
}

const samplerBuffer = 512

// newSampler makes a sampler of nothing.
func newSampler(t *Trace) *sampler {
	s := &sampler{of: t, memory: &Memory{}, reqs: make([]Request, 0, samplerBuffer)}
	c := *t
	s.t = &c // its counts are those of the sample
	c.Requests, c.Objects, c.Footprint, c.RequestBytes, c.LargestSize, c.SizeChanges, c.Gets = 0, 0, 0, 0, 0, 0, 0
	c.FileHash, c.Digest, c.Clock = nil, "", ""
	c.RequestCosts = nil
	c.Prompts = nil // the first block that is not in the sample would end every prefix
	return s
}

// add takes request i of a batch of the trace; they come in order. id is that of its
// object in the sample.
func (s *sampler) add(b Batch, i int, id *uint32, warmup bool) {
	r := b.Requests[i]
	if warmup {
		s.m.Warmup++
	}
	if *id == notRequested {
		*id = uint32(len(s.old))
		s.old = append(s.old, r.ID)
		s.sizes = append(s.sizes, r.Size)
		s.late = append(s.late, !warmup)
	}
	r.ID = *id
	if len(s.reqs) == samplerBuffer {
		s.flush()
	}
	s.reqs = append(s.reqs, r)
	if b.Ops != nil {
		s.ops = append(s.ops, b.Ops[i])
	}
	if b.TTL != nil {
		s.ttl = append(s.ttl, b.TTL[i])
	}
	s.t.RequestBytes += r.Size
	if b.Ops == nil || b.Ops[i] == Get {
		s.t.Gets++
	}
}

func (s *sampler) flush() {
	s.memory.AppendBatch(Batch{Requests: s.reqs, Ops: s.ops, TTL: s.ttl})
	s.reqs, s.ops, s.ttl = s.reqs[:0], s.ops[:0], s.ttl[:0]
}

func (s *sampler) finish() error {
	s.flush()
	m := s.memory
	if m.Len() == 0 {
		return fmt.Errorf("sample of trace %s: none of its %d objects is in it: take a larger share", s.of.Name, s.of.Objects)
	}
	m.Objects = len(s.old)
	s.t.Requests, s.t.Objects, s.t.Columns, s.t.Source = m.Len(), len(s.old), m.Columns(), m
	for _, size := range s.sizes {
		s.t.Footprint += size
		s.t.LargestSize = max(s.t.LargestSize, size)
	}
	of, old := s.of, s.old
	s.t.ObjectName = func(id uint32) string { return of.ObjectName(old[id]) }
	s.m.Trace = s.t
	return nil
}

// resize gives the objects of the sample other sizes.
func (s *sampler) resize(sizes []int64) {
	t := s.t
	t.Footprint, t.LargestSize, t.RequestBytes = 0, 0, 0
	for _, size := range sizes {
		t.Footprint += size
		t.LargestSize = max(t.LargestSize, size)
	}
	for _, reqs := range s.memory.reqs {
		for i := range reqs {
			reqs[i].Size = sizes[reqs[i].ID]
			t.RequestBytes += reqs[i].Size
		}
	}
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014): a hash that no policy uses.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
