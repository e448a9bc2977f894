package sim

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A Sampling says how a result is estimated from samples of its trace.
type Sampling struct {
	Rate  float64 `json:"rate"`  // share of the objects that a sample has, below 1
	Salts int     `json:"salts"` // samples, of which the mean counts
}

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
	// HitRatioSD and ByteHitRatioSD are the standard deviations between the
	// salts, 0 with one. The error of their mean is about the square root of
	// the number of salts smaller.
	HitRatioSD     float64 `json:"hit_ratio_sd"`
	ByteHitRatioSD float64 `json:"byte_hit_ratio_sd"`
	// Unfit is the share of the requested bytes that are of objects which fit
	// the cache, and not the miniature: there they count as misses.
	Unfit float64 `json:"unfit_bytes"`
}

// A Miniature is a sample of a trace that is replayed with a cache scaled down
// as much (Waldspurger, Saemundsson, Ahmad, Park, Cache modeling and
// optimization using miniature simulations, USENIX ATC 2017).
type Miniature struct {
	*Trace
	Warmup int // its requests that are among the trace's warm-up

	cold, coldBytes int64 // objects first requested after the warm-up, and their bytes
	sizes           sizes // of its objects
}

// Samples are miniatures of one trace, with what estimates need of the trace.
type Samples struct {
	Sampling
	Miniatures []Miniature

	gets, bytes     int64 // of the trace after the warm-up
	cold, coldBytes int64 // objects of the trace first requested after the warm-up, and their bytes
	sizes           sizes // of the trace's objects
}

// sizes are the sizes of objects, ascending, each summed with those before it.
type sizes struct{ each, sum []int64 }

func newSizes(of []int64) sizes {
	slices.Sort(of)
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

// NewSamples chooses s.Salts samples of t in one pass, for replays whose first
// warmup requests do not count.
func NewSamples(t *Trace, s Sampling, warmup int) (*Samples, error) {
	all := &Samples{Sampling: s}
	var samplers []*sampler
	for i := range s.Salts {
		samplers = append(samplers, newSampler(t, s.Rate, uint64(i+1)))
	}
	seen := newOutcomes(t.Objects)
	of := make([]int64, 0, t.Objects)
	err := t.Each(ColumnOps|ColumnTTL, func(start int, b Batch) error {
		for i, r := range b.Requests {
			count := start+i >= warmup
			if count && (b.Ops == nil || b.Ops[i] == Get) {
				all.gets++
				all.bytes += r.Size
			}
			if !seen.Hit(int(r.ID)) {
				seen.set(int(r.ID))
				of = append(of, r.Size)
				if count {
					all.cold++
					all.coldBytes += r.Size
				}
			}
		}
		for _, s := range samplers {
			s.add(start, b, warmup)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all.sizes = newSizes(of)
	for _, s := range samplers {
		m, err := s.finish()
		if err != nil {
			return nil, err
		}
		all.Miniatures = append(all.Miniatures, m)
	}
	return all, nil
}

// requests is how many requests the miniatures have together.
func (s *Samples) requests() (n int64) {
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

// share returns which share of the trace m is to a cache of c: of the bytes of
// the objects that the miniature can hold, or of the objects where these count.
// It is the rate but for chance: where few large objects have most of the bytes,
// a sample may have twice its share of them, and a cache scaled by the rate alone
// would be half as large in comparison.
func (s *Samples) share(m Miniature, c Cell) float64 {
	if c.Unit == UnitObjects {
		return part(int64(m.Objects), int64(len(s.sizes.each)), s.Rate)
	}
	largest := int64(float64(c.Capacity)*s.Rate) - c.Metadata
	n, bytes := m.sizes.upTo(largest)
	allN, allBytes := s.sizes.upTo(largest)
	return part(bytes+n*c.Metadata, allBytes+allN*c.Metadata, s.Rate)
}

// part is n/of, or rate where that says nothing.
func part(n, of int64, rate float64) float64 {
	if n <= 0 || of <= 0 {
		return rate
	}
	return float64(n) / float64(of)
}

// capacity is the size of the miniature of a cache.
func (s *Samples) capacity(m Miniature, c Cell) int64 {
	return max(1, int64(math.Round(float64(c.Capacity)*s.share(m, c))))
}

// estimate replays the task's miniatures and estimates the counts of the trace.
func (r *run) estimate(ctx context.Context, task Task, heartbeat func(), progress func(int)) (all replayed, setup Setup, err error) {
	s := task.Samples
	var counts []Tally
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
		counts = append(counts, one.Tally)
	}
	all.Tally, all.sampled, err = s.of(task.Cell, counts)
	return all, setup, err
}

// of estimates the counts of c from those of its miniatures.
//
// A sample's misses over its share of the objects (or of their bytes) estimate
// the misses of the trace, which are then held against the true number of gets:
// the sample's own number varies far more, since the most popular objects are in
// it or not (the adjustment of SHARDS). First requests, which miss in every cache, are known exactly and not
// estimated: of the misses of each object one less is uncertain. With operations
// they may hit, and are estimated as well.
func (s *Samples) of(c Cell, counts []Tally) (t Tally, u Sampled, err error) {
	var ratios, byteRatios []float64
	var tooLarge, unfit, total float64
	var evictions, admissions, admitted scaled
	for i, n := range counts {
		m := s.Miniatures[i]
		cold, coldBytes, known, knownBytes := m.cold, m.coldBytes, s.cold, s.coldBytes
		if m.Columns != 0 {
			cold, coldBytes, known, knownBytes = 0, 0, 0, 0
		}
		share := func(misses, cold, known, of int64, rate float64) float64 {
			if of == 0 {
				return 0
			}
			return 1 - min(1, (float64(misses-cold)/rate+float64(known))/float64(of))
		}
		ratios = append(ratios, share(n.Gets-n.Hits, cold, known, s.gets, part(int64(m.Objects), int64(len(s.sizes.each)), s.Rate)))
		byteRatios = append(byteRatios, share(n.Bytes-n.HitBytes, coldBytes, knownBytes, s.bytes, part(m.Footprint, s.sizes.sum[len(s.sizes.each)], s.Rate)))
		large, between, err := m.tooLarge(c, s.capacity(m, c))
		if err != nil {
			return t, u, err
		}
		tooLarge += float64(large) / s.Rate
		unfit += float64(between)
		total += float64(n.Bytes)
		evictions.add(n.Evictions)
		admissions.add(n.Admissions)
		admitted.add(n.AdmittedBytes)
		t.Sets += n.Sets
		t.Deletes += n.Deletes
		t.Expired += n.Expired
	}
	scale := 1 / (s.Rate * float64(len(counts)))
	of := func(n int64) int64 { return int64(math.Round(float64(n) * scale)) }
	t.Sets, t.Deletes, t.Expired = of(t.Sets), of(t.Deletes), of(t.Expired)
	t.Evictions, t.Admissions, t.AdmittedBytes = evictions.by(scale), admissions.by(scale), admitted.by(scale)
	t.TooLarge = int64(math.Round(tooLarge / float64(len(counts))))
	hit, hitSD := meanAndSD(ratios)
	byteHit, byteHitSD := meanAndSD(byteRatios)
	t.Gets, t.Bytes = s.gets, s.bytes
	t.Hits, t.HitBytes = int64(math.Round(hit*float64(s.gets))), int64(math.Round(byteHit*float64(s.bytes)))
	u.HitRatioSD, u.ByteHitRatioSD = hitSD, byteHitSD
	if total > 0 {
		u.Unfit = unfit / total
	}
	return t, u, nil
}

// tooLarge counts the miniature's gets of objects larger than the cache of c,
// and the bytes of those that are larger than its miniature only.
func (m Miniature) tooLarge(c Cell, capacity int64) (large, between int64, err error) {
	if c.Unit == UnitObjects || m.LargestSize+c.Metadata <= capacity {
		return 0, 0, nil
	}
	err = m.Each(ColumnOps, func(start int, b Batch) error {
		for i, r := range b.Requests {
			if start+i < m.Warmup || b.Ops != nil && b.Ops[i] != Get {
				continue
			}
			switch size := r.Size + c.Metadata; {
			case size > c.Capacity:
				large++
			case size > capacity:
				between += r.Size
			}
		}
		return nil
	})
	return large, between, err
}

// scaled is the sum of counts that may be unknown.
type scaled struct {
	sum     int64
	unknown bool
}

func (s *scaled) add(n *int64) {
	if n == nil {
		s.unknown = true
		return
	}
	s.sum += *n
}

func (s scaled) by(scale float64) *int64 {
	if s.unknown {
		return nil
	}
	n := int64(math.Round(float64(s.sum) * scale))
	return &n
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
	s := newSampler(t, share, salt)
	err := t.Each(ColumnOps|ColumnTTL, func(start int, b Batch) error {
		s.add(start, b, 0)
		return nil
	})
	if err != nil {
		return nil, err
	}
	m, err := s.finish()
	return m.Trace, err
}

// sampler makes one sample.
type sampler struct {
	t, of  *Trace
	m      Miniature
	memory *Memory
	ids    []uint32 // in the sample, or notSampled
	sizes  []int64
	old    []uint32 // in the trace
	seen   *Outcomes
}

const notSampled = ^uint32(0)

func newSampler(t *Trace, share float64, salt uint64) *sampler {
	s := &sampler{of: t, memory: &Memory{}, ids: make([]uint32, t.Objects), seen: newOutcomes(t.Objects)}
	limit := uint64(share * (1 << 63))
	for i := range s.ids {
		if mix(uint64(i)+salt*0x9e3779b97f4a7c15)>>1 >= limit {
			s.ids[i] = notSampled
		}
	}
	c := *t
	s.t = &c // its counts are those of the sample
	c.Requests, c.Objects, c.Footprint, c.RequestBytes, c.LargestSize, c.SizeChanges, c.Gets = 0, 0, 0, 0, 0, 0, 0
	c.FileHash, c.Digest, c.Clock = nil, "", ""
	c.Prompts = nil // the first block that is not in the sample would end every prefix
	return s
}

// add takes the next batch of the trace.
func (s *sampler) add(start int, b Batch, warmup int) {
	for i, r := range b.Requests {
		if s.ids[r.ID] == notSampled {
			continue
		}
		first := !s.seen.Hit(int(r.ID))
		if first {
			s.seen.set(int(r.ID))
			s.ids[r.ID] = uint32(len(s.old))
			s.old = append(s.old, r.ID)
			s.sizes = append(s.sizes, r.Size)
			s.t.Footprint += r.Size
			s.t.LargestSize = max(s.t.LargestSize, r.Size)
		}
		switch {
		case start+i < warmup:
			s.m.Warmup++
		case first:
			s.m.cold++
			s.m.coldBytes += r.Size
		}
		r.ID = s.ids[r.ID]
		op, ttl := Get, uint32(0)
		if b.Ops != nil {
			op = b.Ops[i]
		}
		if b.TTL != nil {
			ttl = b.TTL[i]
		}
		s.memory.Append(r, op, ttl)
		s.t.RequestBytes += r.Size
		if op == Get {
			s.t.Gets++
		}
	}
}

func (s *sampler) finish() (Miniature, error) {
	m := s.memory
	if m.Len() == 0 {
		return Miniature{}, fmt.Errorf("sample of trace %s: none of its %d objects is in it: take a larger share", s.of.Name, s.of.Objects)
	}
	m.Objects = len(s.old)
	s.t.Requests, s.t.Objects, s.t.Columns, s.t.Source = m.Len(), len(s.old), m.Columns(), m
	of, old := s.of, s.old
	s.t.ObjectName = func(id uint32) string { return of.ObjectName(old[id]) }
	s.m.Trace, s.m.sizes = s.t, newSizes(s.sizes)
	return s.m, nil
}

// mix is the output function of SplitMix64 (Steele, Lea, Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014): a hash that no policy uses.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
