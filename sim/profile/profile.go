// Package profile describes a trace: how popular its objects are, how large,
// how soon they are requested again, and how requests are spread over time.
package profile

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"cachesim/sim"
)

// A Profile is the description of a trace. Reuse distances and popularity are
// of gets; sizes in bytes.
type Profile struct {
	Requests int `json:"requests"`
	Gets     int `json:"gets"`
	Sets     int `json:"sets"`
	Deletes  int `json:"deletes"`
	Objects  int `json:"objects"`

	Footprint    int64 `json:"footprint_bytes"`
	RequestBytes int64 `json:"request_bytes"`

	// Percentiles of sizes: of the objects, and of the requests.
	ObjectSizes  Percentiles `json:"object_sizes"`
	RequestSizes Percentiles `json:"request_sizes"`

	// OneHit is the share of the objects that are requested once.
	OneHit float64 `json:"one_hit_wonders"`
	// Top10 is the share of the gets that go to the tenth of the objects that
	// is requested most.
	Top10 float64 `json:"top_10_percent_share"`
	// Alpha is the exponent of the Zipf law that fits the popularity: the
	// slope of the least-squares line through the logarithms of rank and
	// requests, at ranks whose logarithms are evenly spaced. R2 is the share of
	// the variance that the line explains.
	Alpha float64 `json:"zipf_alpha"`
	R2    float64 `json:"zipf_r2"`
	// Scale is what the line has at rank 1.
	Scale float64 `json:"zipf_scale"`
	// Popularity are points of that curve: the requests for the object of a
	// rank, from 1.
	Popularity []Rank `json:"popularity"`

	// ReuseDistance are percentiles of the number of distinct objects
	// requested since the last request for the same one, over the gets that
	// have one; ReuseBytes are those of the objects' bytes. An LRU cache of
	// that size would hit.
	// The CDFs say which share is up to a value; those of reuse are of all
	// gets, so that first requests keep the last share below 1.
	ReuseDistance Percentiles `json:"reuse_distance"`
	ReuseBytes    Percentiles `json:"reuse_bytes"`

	ObjectSizeCDF  []Share `json:"object_size_cdf"`
	RequestSizeCDF []Share `json:"request_size_cdf"`
	ReuseBytesCDF  []Share `json:"reuse_bytes_cdf"`

	Span      time.Duration `json:"span_ns"`         // 0 without a clock
	Rate      float64       `json:"requests_per_s"`  // mean; 0 without a clock
	PeakRate  float64       `json:"peak_requests_s"` // of the busiest interval
	Interval  time.Duration `json:"interval_ns"`     // of Rates
	Rates     []int         `json:"interval_counts"` // requests of each interval
	Backwards int           `json:"times_backwards"` // requests earlier than the one before
	Zero      int           `json:"zero_sized_objects"`
}

// A Share is a point of a cumulative distribution: the part, 0 to 1, of a whole
// that is up to a value.
type Share struct {
	Value int64   `json:"value"`
	Share float64 `json:"share"`
}

// A Rank is a point of the popularity curve.
type Rank struct {
	Rank  int `json:"rank"`
	Count int `json:"requests"`
}

// Percentiles of a distribution.
type Percentiles struct {
	Min  int64 `json:"min"`
	P10  int64 `json:"p10"`
	P50  int64 `json:"p50"`
	P90  int64 `json:"p90"`
	P99  int64 `json:"p99"`
	Max  int64 `json:"max"`
	Mean int64 `json:"mean"`
}

// rates is into how many intervals the time of a trace is cut.
const rates = 100

// Of describes a trace in one pass. It takes some 40 bytes an object and the
// time of a few replays: finding reuse distances costs a logarithm of the
// number of objects for each request.
func Of(t *sim.Trace) (*Profile, error) {
	p := &Profile{Requests: t.Requests, Objects: t.Objects, Footprint: t.Footprint, RequestBytes: t.RequestBytes}
	counts := make([]uint32, t.Objects)
	sizes := make([]int64, t.Objects)
	stack := NewStack(t.Objects)
	var requestSizes, distances, distanceBytes histogram
	if t.Tick > 0 {
		p.Span = time.Duration(t.Span) * t.Tick
		p.Interval = max(t.Tick, p.Span/rates)
		p.Rates = make([]int, int(p.Span/p.Interval)+1)
	}
	var last uint32
	err := t.Each(sim.ColumnOps, func(_ int, b sim.Batch) error {
		for i, r := range b.Requests {
			sizes[r.ID] = r.Size
			if t.Tick > 0 {
				if r.Time < last {
					p.Backwards++
				}
				last = r.Time
				p.Rates[min(int(time.Duration(r.Time)*t.Tick/p.Interval), len(p.Rates)-1)]++
			}
			op := sim.Get
			if b.Ops != nil {
				op = b.Ops[i]
			}
			switch op {
			case sim.Delete:
				p.Deletes++
				continue
			case sim.Set:
				p.Sets++
			case sim.Get:
				p.Gets++
				counts[r.ID]++
				requestSizes.add(r.Size)
			}
			objects, bytes, seen := stack.Access(r.ID, r.Size)
			if op == sim.Get && seen {
				distances.add(objects)
				distanceBytes.add(bytes)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.RequestSizes, p.ReuseDistance, p.ReuseBytes = requestSizes.percentiles(), distances.percentiles(), distanceBytes.percentiles()
	var objectSizes histogram
	for _, s := range sizes {
		objectSizes.add(s)
		if s == 0 {
			p.Zero++
		}
	}
	p.ObjectSizes = objectSizes.percentiles()
	p.ObjectSizeCDF, p.RequestSizeCDF = objectSizes.cdf(objectSizes.n), requestSizes.cdf(requestSizes.n)
	p.ReuseBytesCDF = distanceBytes.cdf(int64(p.Gets))
	p.popularity(counts)
	if p.Span > 0 {
		p.Rate = float64(p.Requests) / p.Span.Seconds()
		p.PeakRate = float64(slices.Max(p.Rates)) / p.Interval.Seconds()
	}
	return p, nil
}

// popularity describes how often objects are requested; it sorts counts.
func (p *Profile) popularity(counts []uint32) {
	slices.SortFunc(counts, func(a, b uint32) int { return int(int64(b) - int64(a)) })
	counts = counts[:len(counts)-countZeros(counts)]
	if len(counts) == 0 {
		return
	}
	once, top := 0, 0
	for i, c := range counts {
		if c == 1 {
			once++
		}
		if i < (len(counts)+9)/10 {
			top += int(c)
		}
	}
	p.OneHit = float64(once) / float64(len(counts))
	p.Top10 = float64(top) / float64(max(1, p.Gets))
	var x, y []float64
	for rank := 1.0; int(rank) <= len(counts); rank = math.Max(rank+1, rank*1.2) {
		c := int(counts[int(rank)-1])
		p.Popularity = append(p.Popularity, Rank{int(rank), c})
		x, y = append(x, math.Log(math.Floor(rank))), append(y, math.Log(float64(c)))
	}
	if len(x) < 3 || slices.Max(y) == slices.Min(y) {
		return
	}
	intercept, slope := stat.LinearRegression(x, y, nil, false)
	p.Scale = math.Exp(intercept)
	p.Alpha, p.R2 = -slope, stat.RSquared(x, y, nil, intercept, slope)
}

func countZeros(sorted []uint32) (n int) {
	for n < len(sorted) && sorted[len(sorted)-1-n] == 0 {
		n++
	}
	return n
}

// histogram counts values from 0 in bins that are at most 1/64 of a value wide,
// so that percentiles are within 1.6 %.
type histogram struct {
	bins     [64 * 64]int64
	n        int64
	sum      float64
	min, max int64
}

func (h *histogram) add(v int64) {
	if h.n == 0 || v < h.min {
		h.min = v
	}
	h.max = max(h.max, v)
	h.n++
	h.sum += float64(v)
	h.bins[bin(uint64(v))]++
}

// bin keeps the six bits after the highest one.
func bin(v uint64) int {
	if v < 64 {
		return int(v)
	}
	shift := bits.Len64(v) - 7
	return (shift+1)*64 + int(v>>shift) - 64
}

// lowest is the smallest value of a bin.
func lowest(b int) int64 {
	if b < 64 {
		return int64(b)
	}
	return int64(64+b%64) << (b/64 - 1)
}

func (h *histogram) percentiles() Percentiles {
	if h.n == 0 {
		return Percentiles{}
	}
	at := func(share float64) int64 {
		left := int64(math.Ceil(share * float64(h.n)))
		for b, n := range h.bins {
			if left -= n; left <= 0 {
				return min(max(lowest(b), h.min), h.max)
			}
		}
		return h.max
	}
	return Percentiles{h.min, at(0.1), at(0.5), at(0.9), at(0.99), h.max, int64(h.sum / float64(h.n))}
}

// cdf returns some points of the distribution, as shares of whole.
func (h *histogram) cdf(whole int64) (list []Share) {
	if h.n == 0 {
		return nil
	}
	// A bin of every few: some hundred points at most.
	used := 0
	for _, n := range h.bins {
		if n > 0 {
			used++
		}
	}
	step, seen := 1+used/300, 0
	var sum int64
	for b, n := range h.bins {
		if n == 0 {
			continue
		}
		sum += n
		if seen++; seen%step == 0 || sum == h.n {
			list = append(list, Share{min(max(lowest(b), h.min), h.max), float64(sum) / float64(whole)})
		}
	}
	return list
}
