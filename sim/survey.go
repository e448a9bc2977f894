package sim

import (
	"errors"
	"math"
	"slices"
	"sync"
)

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
	objects         []surveyed
	sizes           func() sizes     // of the objects
	order           func() []ordered // that objects are sampled in
	gets, bytes     int64            // after the warm-up
	early           uint32           // objects first requested in the warm-up, which have the lowest numbers
	cold, coldBytes int64            // objects first requested after it, and their bytes
	loaded          uint32           // keeps preload's loads from being removed

	mu     sync.Mutex
	raised []*raisedSamples // the latest, at most keptSamples
}

// surveyed is what a Survey knows of an object.
type surveyed struct {
	size     int64
	requests uint32
	counted  uint32 // gets after the warm-up
}

// NewSurvey reads t once, for caches of capacities in the given unit that need
// metadata bytes for each object, and for replays whose first warmup requests do
// not count.
func NewSurvey(t *Trace, warmup int, unit string, metadata int64) (*Survey, error) {
	if t.SizesVary() {
		return nil, errSizesVary
	}
	v := &Survey{t: t, warmup: warmup, unit: unit, metadata: metadata, objects: Make[surveyed](t.Objects)}
	v.sizes = sync.OnceValue(func() sizes {
		each := make([]int64, len(v.objects))
		for id, o := range v.objects {
			each[id] = o.size
		}
		return newSizes(each)
	})
	v.order = sync.OnceValue(v.sort)
	err := t.Each(ColumnOps, func(start int, b Batch) error {
		for i, r := range b.Requests {
			if i%surveyAhead == 0 {
				v.preload(b.Requests[i:min(i+surveyAhead, len(b.Requests))])
			}
			o := &v.objects[r.ID]
			count := start+i >= warmup
			if count && (b.Ops == nil || b.Ops[i] == Get) {
				o.counted++
				v.gets++
				v.bytes += r.Size
			}
			if o.requests == 0 {
				o.size = r.Size
				if count {
					v.cold++
					v.coldBytes += r.Size
				} else {
					v.early++
				}
			}
			o.requests++
		}
		return nil
	})
	return v, err
}

// surveyAhead is how many requests preload is for.
const surveyAhead = 32

// preload loads the objects of reqs: many at a time, where NewSurvey would wait for one
// after the other.
func (v *Survey) preload(reqs []Request) {
	for _, r := range reqs {
		v.loaded += v.objects[r.ID].requests
	}
}

// A Choice asks for samples for caches of the given capacity and above.
type Choice struct {
	Sampling
	Capacity int64
}

// Samples makes the samples of each of the list, in a pass for each 64 of them; nil where
// they would have as many requests as the trace.
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
	var waiting []*sampler
	for i, c := range list {
		sets, requests := v.choose(c)
		all := 0
		for _, n := range requests {
			all += n
		}
		if all >= v.t.Requests { // of a few popular objects, or many large ones
			continue
		}
		made[i] = &Samples{Sampling: c.Sampling, Survey: v, Miniatures: make([]Miniature, c.Salts), least: c.Capacity}
		for salt, set := range sets {
			m := &made[i].Miniatures[salt]
			s, err := newSampler(v.t, set, m)
			if err != nil {
				return nil, err
			}
			s.memory.Reserve(requests[salt])
			s.size = v.weigh(m, c)
			m.SampleRate = c.Rate
			if waiting = append(waiting, s); len(waiting) == inPass {
				if err := gather(v.t, v.warmup, waiting); err != nil {
					return nil, err
				}
				waiting = nil
			}
		}
	}
	return made, gather(v.t, v.warmup, waiting)
}

// choose chooses the objects of the sample of each salt, and returns how many requests
// these have.
func (v *Survey) choose(c Choice) (sets []*objectSet, requests []int) {
	p := v.probability(c)
	at := make([]float64, c.Salts)
	requests = make([]int, c.Salts)
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
				requests[salt] += int(o.requests)
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

// weigh sets what the objects of m stand for, and returns the sizes that they have in m.
func (v *Survey) weigh(m *Miniature, c Choice) (scaled []int64) {
	p := v.probability(c)
	m.stands = make([]stands, len(m.old))
	sizes := make([]int64, len(m.old))
	scaled = make([]int64, len(m.old))
	for i, id := range m.old {
		size := v.objects[id].size
		p := p(size)
		sizes[i], scaled[i] = size, size
		if p > c.Rate {
			scaled[i] = max(1, int64(math.Round(float64(size+v.metadata)*c.Rate/p))-v.metadata)
		}
		s := stands{1 / p, float64(size) / p}
		m.stands[i] = s
		m.all += s.objects
		m.allBytes += s.bytes
		m.bytes += s.bytes * float64(v.objects[id].counted)
		if id >= v.early {
			m.cold += s.objects
			m.coldBytes += s.bytes
		}
	}
	if c.RealSizes { // of which p is never above the rate
		m.sizes = newSizes(sizes)
	} else {
		m.Sizes = sizes
	}
	return scaled
}

// DividesMost reports whether samples of a rate divide the sizes of objects that have more
// than half of the bytes, for caches of the given capacity.
func (v *Survey) DividesMost(rate float64, capacity int64) bool {
	if v.unit == UnitObjects {
		return false
	}
	limit := int64(v.limit(rate, capacity)) - v.metadata
	var divided int64
	for _, o := range v.objects {
		if o.size > limit {
			divided += o.size
		}
	}
	return divided > v.t.Footprint-divided
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
	keys := make([]uint64, len(v.objects))
	for id, o := range v.objects {
		popularity := uint64(4 * math.Log2(float64(o.requests)))
		size := uint64(2 * math.Log2(float64(max(1, o.size))))
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
		order[i] = ordered{id, v.objects[id].requests, v.objects[id].size}
	}
	return order
}

// sizes are the sizes of objects, ascending, each summed with those before it.
type sizes struct{ each, sum []int64 }

// newSizes sorts of, and keeps it.
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
