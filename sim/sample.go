package sim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
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
	counted         []uint32 // for each object: its gets after the warm-up
	size            []int64
	sizes           func() sizes     // of the objects
	order           func() []ordered // that objects are sampled in
	gets, bytes     int64            // after the warm-up
	early           uint32           // objects first requested in the warm-up, which have the lowest numbers
	cold, coldBytes int64            // objects first requested after it, and their bytes

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
	v := &Survey{t: t, warmup: warmup, unit: unit, metadata: metadata,
		requests: make([]uint32, t.Objects), counted: make([]uint32, t.Objects), size: make([]int64, t.Objects)}
	v.sizes = sync.OnceValue(func() sizes { return newSizes(v.size) })
	v.order = sync.OnceValue(v.sort)
	err := t.Each(ColumnOps, func(start int, b Batch) error {
		for i, r := range b.Requests {
			count := start+i >= warmup
			if count && (b.Ops == nil || b.Ops[i] == Get) {
				v.counted[r.ID]++
				v.gets++
				v.bytes += r.Size
			}
			if v.requests[r.ID] == 0 {
				v.size[r.ID] = r.Size
				if count {
					v.cold++
					v.coldBytes += r.Size
				} else {
					v.early++
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

// Samples chooses the samples of each of the list, all in one pass; nil where they would
// have as many requests as the trace.
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
	made := make([]*Samples, len(list))
	var sets []*objectSet // of all samples
	for i, c := range list {
		chosen, requests := v.choose(c)
		if requests >= int64(v.t.Requests) { // of a few popular objects, or many large ones
			continue
		}
		made[i] = &Samples{Sampling: c.Sampling, Survey: v, least: c.Capacity}
		sets = append(sets, chosen...)
	}
	var samplers []*sampler
	for i, c := range list {
		if made[i] == nil {
			continue
		}
		for range c.Salts {
			s, err := newSampler(v.t, sets[len(samplers)])
			if err != nil {
				return nil, err
			}
			m := Miniature{Trace: s.t, old: s.old}
			sizes, scaled := v.weigh(&m, c)
			if s.size = scaled; c.RealSizes {
				m.sizes = newSizes(sizes)
			} else {
				m.Sizes = sizes
			}
			m.SampleRate = c.Rate
			made[i].Miniatures = append(made[i].Miniatures, m)
			samplers = append(samplers, s)
		}
	}
	if err := gather(v.t, v.warmup, samplers); err != nil {
		return nil, err
	}
	for _, m := range made {
		if m == nil {
			continue
		}
		for salt := range m.Miniatures {
			m.Miniatures[salt].Warmup = samplers[0].warmup
			samplers = samplers[1:]
		}
	}
	return made, nil
}

// choose chooses the objects of the sample of each salt, and returns how many requests
// these have together.
func (v *Survey) choose(c Choice) (sets []*objectSet, requests int64) {
	p := v.probability(c)
	at := make([]float64, c.Salts)
	for salt := range at {
		// Multiples of the golden ratio are spread evenly, however many there are.
		at[salt] = math.Mod(0.5+float64(salt)*math.Phi, 1)
		sets = append(sets, newObjectSet(v.t.Objects))
	}
	for _, o := range v.order() {
		p := p(o.size)
		for salt := range at {
			if at[salt] += p; at[salt] >= 1 {
				at[salt]--
				sets[salt].add(o.id)
				requests += int64(o.requests)
			}
		}
	}
	return sets, requests
}

// probability returns with which probability objects of a size are in a sample.
func (v *Survey) probability(c Choice) func(size int64) float64 {
	if c.RealSizes || v.unit == UnitObjects {
		return func(int64) float64 { return min(1, c.Rate) }
	}
	limit := v.limit(c.Rate, c.Capacity)
	return func(size int64) float64 { return min(1, c.Rate*max(1, float64(size+v.metadata)/limit)) }
}

// weigh sets what the objects of m stand for and returns their sizes, and those that
// they have in m.
func (v *Survey) weigh(m *Miniature, c Choice) (sizes, scaled []int64) {
	p := v.probability(c)
	m.stands = make([]stands, len(m.old))
	sizes = make([]int64, len(m.old))
	for i, id := range m.old {
		sizes[i] = v.size[id]
		p := p(sizes[i])
		s := stands{1 / p, float64(sizes[i]) / p}
		m.stands[i] = s
		m.all += s.objects
		m.allBytes += s.bytes
		m.bytes += s.bytes * float64(v.counted[id])
		if id >= v.early {
			m.cold += s.objects
			m.coldBytes += s.bytes
		}
	}
	if c.RealSizes {
		return sizes, sizes
	}
	scaled = slices.Clone(sizes)
	for i, size := range sizes {
		if p := p(size); p > c.Rate {
			scaled[i] = max(1, int64(math.Round(float64(size+v.metadata)*c.Rate/p))-v.metadata)
		}
	}
	return sizes, scaled
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

// ordered is an object in the order that samples are chosen in, with what is looked at
// there.
type ordered struct {
	id, requests uint32
	size         int64
}

// sort returns the objects in the order that samples are chosen in: by classes of
// their number of requests, four to a doubling, then of their size, two to a
// doubling, then by first request. Every other class is in reverse, so that
// neighbours are alike.
func (v *Survey) sort() []ordered {
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
	order := make([]ordered, len(keys))
	for i, k := range keys {
		id := uint32(k)
		if k>>32%2 == 1 {
			id = math.MaxUint32 - id
		}
		order[i] = ordered{id, v.requests[id], v.size[id]}
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
		if r.Size+c.Metadata > capacity && c.Unit != UnitObjects && s.size[m.old[r.ID]]+c.Metadata <= c.Capacity {
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
	for id, size := range v.size {
		if size+c.Metadata > c.Capacity {
			n += int64(v.counted[id])
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

// Sample returns a trace of the requests for a share of t's objects, which a
// hash of their ids chooses, so that every object is in it with all of its
// requests or with none (Waldspurger, Park, Garthwaite, Ahmad, Efficient MRC
// construction with SHARDS, FAST 2015). Ids are dense again; it is held in
// memory. Different salts choose different objects.
func Sample(t *Trace, share float64, salt uint64) (*Trace, error) {
	if t.SizesVary() {
		return nil, errSizesVary
	}
	set := newObjectSet(t.Objects)
	limit := uint64(share * (1 << 63))
	for id := range uint32(t.Objects) {
		if mix(uint64(id)+salt*0x9e3779b97f4a7c15)>>1 < limit {
			set.add(id)
		}
	}
	s, err := newSampler(t, set)
	if err != nil {
		return nil, err
	}
	s.size = make([]int64, len(s.old))
	if err := t.Each(0, func(_ int, b Batch) error {
		for _, r := range b.Requests {
			if set.has(r.ID) {
				s.size[set.number(r.ID)] = r.Size
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return s.t, gather(t, 0, []*sampler{s})
}

// An objectSet is a set of a trace's objects, which are numbered in their order. It is
// small: a quarter of a byte for each object of the trace.
type objectSet struct {
	words []struct {
		bits   uint64 // for each of 64 objects, whether it is in the set
		before int    // objects of the set in earlier words; see list
	}
}

func newObjectSet(objects int) *objectSet {
	s := &objectSet{}
	s.words = slices.Grow(s.words, (objects+63)/64)[:(objects+63)/64]
	return s
}

func (s *objectSet) add(id uint32) { s.words[id>>6].bits |= 1 << (id & 63) }

func (s *objectSet) has(id uint32) bool { return s.words[id>>6].bits>>(id&63)&1 == 1 }

// list returns the objects. None may be added after it, and number be called only then.
func (s *objectSet) list() (ids []uint32) {
	for i := range s.words {
		w := &s.words[i]
		w.before = len(ids)
		for x := w.bits; x != 0; x &= x - 1 {
			ids = append(ids, uint32(i<<6+bits.TrailingZeros64(x)))
		}
	}
	return ids
}

// number returns how many objects of the set come before id.
func (s *objectSet) number(id uint32) uint32 {
	w := &s.words[id>>6]
	return uint32(w.before + bits.OnesCount64(w.bits&(1<<(id&63)-1)))
}

// A sampler makes one sample of a trace.
type sampler struct {
	t      *Trace // the sample
	set    *objectSet
	old    []uint32 // numbers in the trace of the sample's objects
	size   []int64  // that they get
	warmup int      // requests that are of the warm-up
	memory *Memory
}

// newSampler makes a sampler for the requests of t for the objects of a set.
func newSampler(t *Trace, set *objectSet) (*sampler, error) {
	s := &sampler{set: set, old: set.list(), memory: &Memory{}}
	if len(s.old) == 0 {
		return nil, fmt.Errorf("sample of trace %s: none of its %d objects is in it: take a larger share", t.Name, t.Objects)
	}
	c := *t
	s.t = &c // its counts are those of the sample
	c.Requests, c.Objects, c.Footprint, c.RequestBytes, c.LargestSize, c.SizeChanges, c.Gets = 0, len(s.old), 0, 0, 0, 0, 0
	c.FileHash, c.Digest, c.Clock = nil, "", ""
	c.RequestCosts = nil
	c.Prompts = nil // the first block that is not in the sample would end every prefix
	old := s.old
	c.ObjectName = func(id uint32) string { return t.ObjectName(old[id]) }
	c.Source = s.memory
	return s, nil
}

// inPass is how many samples are gathered in one pass over a trace.
const inPass = 64

// gather takes the requests of several samples out of t. The first warmup requests are
// its warm-up.
func gather(t *Trace, warmup int, samplers []*sampler) error {
	for len(samplers) > 0 {
		n := min(inPass, len(samplers))
		if err := gatherPass(t, warmup, samplers[:n]); err != nil {
			return err
		}
		samplers = samplers[n:]
	}
	return nil
}

// gatherPass is a pass of gather, for at most inPass samples.
func gatherPass(t *Trace, warmup int, samplers []*sampler) error {
	in := make([]uint64, t.Objects) // a bit for each of the samples that the object is in
	for k, s := range samplers {
		for _, id := range s.old {
			in[id] |= 1 << k
		}
	}
	type sampled struct { // a request of a batch that is in any sample
		in uint64
		i  int
	}
	batch := make([]sampled, BatchSize)
	of := make([][]uint16, len(samplers)) // for each of the samples: its requests of a batch
	for k := range of {
		of[k] = make([]uint16, 0, BatchSize)
	}
	room := Batch{Requests: make([]Request, BatchSize), Ops: make([]Op, BatchSize), TTL: make([]uint32, BatchSize)}
	if err := t.Each(ColumnOps|ColumnTTL, func(start int, b Batch) error {
		// Most are in none, which no branch can foresee.
		n := 0
		for i, r := range b.Requests {
			samples := in[r.ID]
			batch[n] = sampled{samples, i}
			if samples != 0 {
				n++
			}
		}
		for _, r := range batch[:n] {
			for x := r.in; x != 0; x &= x - 1 {
				k := bits.TrailingZeros64(x)
				of[k] = append(of[k], uint16(r.i))
			}
		}
		for k, s := range samplers {
			s.take(b, of[k], warmup-start, room)
			of[k] = of[k][:0]
		}
		return nil
	}); err != nil {
		return err
	}
	for _, s := range samplers {
		s.finish()
	}
	return nil
}

// take adds the requests of a batch that are in the sample, of which it is passed the
// indexes; the batch's first warmup requests are of the warm-up. room has room for a
// batch.
func (s *sampler) take(b Batch, of []uint16, warmup int, room Batch) {
	got := Batch{Requests: room.Requests[:len(of)]}
	for k, i := range of {
		got.Requests[k] = b.Requests[i]
	}
	if warmup > 0 {
		k, _ := slices.BinarySearch(of, uint16(min(warmup, BatchSize)))
		s.warmup += k
	}
	s.t.Gets += len(of)
	if b.Ops != nil {
		got.Ops = room.Ops[:len(of)]
		for k, i := range of {
			got.Ops[k] = b.Ops[i]
			if b.Ops[i] != Get {
				s.t.Gets--
			}
		}
	}
	if b.TTL != nil {
		got.TTL = room.TTL[:len(of)]
		for k, i := range of {
			got.TTL[k] = b.TTL[i]
		}
	}
	s.memory.AppendBatch(got)
}

// finish gives the requests the numbers and sizes that their objects have in the sample.
// What that looks up is small enough to stay in a fast cache, but not that of all samples
// together.
func (s *sampler) finish() {
	t, m := s.t, s.memory
	for _, reqs := range m.Chunks() {
		for i := range reqs {
			r := &reqs[i]
			r.ID = s.set.number(r.ID)
			r.Size = s.size[r.ID]
			t.RequestBytes += r.Size
		}
	}
	for _, size := range s.size {
		t.Footprint += size
		t.LargestSize = max(t.LargestSize, size)
	}
	m.Objects = t.Objects
	t.Requests, t.Columns = m.Len(), m.Columns()
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014): a hash that no policy uses.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
