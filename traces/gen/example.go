package gen

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Example returns the example trace, traces/example/web.tr.gz, which is
// committed with the program: two days of made-up requests to a web cache, as
// text lines "time id size" in seconds and bytes. Its parameters are fixed. The
// test of this package writes the file again with -update.
//
// Requests come from three kinds of objects:
//
//	kind     objects   requests                      of an object
//	core       3,000     30,000   Zipf: object k of the core has weight k^-0.9
//	shots      7,000     64,299   Pareto: at least 2, tail exponent 1.1, at most 1,000
//	once      10,000     10,000   1
//
// The core is what a site always has, and is requested evenly over time. A
// shot is news: it is published at some moment, from a tenth of the trace
// before its start to its end, and the ages at which it is requested are
// exponential; their mean is drawn for each shot, log-uniform from 1/300 to
// 1/10 of the trace. Those outside
// the trace are left out. So popularity drifts, which a policy that counts
// requests indefinitely does not follow. (Traverso et al., Temporal locality in today's
// content caching, CCR 2013, calls this the shot noise model.) Objects requested
// once come at any moment.
//
// A size does not depend on the kind. 93 in 100 objects are lognormal, with a
// median of 8,000 bytes and a sigma of 1.3; the others are Pareto, at least
// 60,000 bytes, tail exponent 1.1. All are cut to 100 bytes and 40 MB.
//
// The moments above are shares of the requests. The clock makes seconds of
// them, so that requests are a Poisson process whose rate goes up and down by
// 60 in 100 each day, lowest at the start.
func Example() ([]byte, error) { return compress(text()) }

const (
	coreObjects, coreRequests = 3_000, 30_000
	shots                     = 7_000
	once                      = 10_000
)

// A request is for an object, at a moment from 0, the start of the trace, to 1.
type request struct {
	moment float64
	id     int
}

// text returns the trace.
func text() []byte {
	r := rand.New(rand.NewPCG(20, 26))
	var all []request
	weights := zipf(coreObjects, 0.9)
	for range coreRequests {
		all = append(all, request{r.Float64(), 1 + sort.SearchFloat64s(weights, r.Float64())})
	}
	for id := coreObjects + 1; id <= coreObjects+shots; id++ {
		published := -0.1 + 1.1*r.Float64()
		age := math.Exp(math.Log(1.0/300) + r.Float64()*math.Log(30))
		for range int(min(pareto(r, 2, 1.1), 1_000)) {
			if m := published + age*r.ExpFloat64(); m >= 0 && m < 1 {
				all = append(all, request{m, id})
			}
		}
	}
	for i := range once {
		all = append(all, request{r.Float64(), coreObjects + shots + 1 + i})
	}
	sizes := make([]int, 1+coreObjects+shots+once)
	for i := range sizes {
		sizes[i] = size(r)
	}

	slices.SortStableFunc(all, func(a, b request) int { return cmp.Compare(a.moment, b.moment) })
	var b bytes.Buffer
	for _, q := range all {
		fmt.Fprintf(&b, "%d %d %d\n", seconds(q.moment), q.id, sizes[q.id])
	}
	return b.Bytes()
}

// zipf returns the cumulative distribution of n objects of weights k^-exponent.
func zipf(n int, exponent float64) []float64 {
	c := make([]float64, n)
	var sum float64
	for k := range c {
		sum += math.Pow(float64(k+1), -exponent)
		c[k] = sum
	}
	for k := range c {
		c[k] /= sum
	}
	return c
}

func pareto(r *rand.Rand, least, exponent float64) float64 {
	return least * math.Pow(1-r.Float64(), -1/exponent)
}

// size draws the bytes of an object.
func size(r *rand.Rand) int {
	var s float64
	if r.Float64() < 0.93 {
		s = 8_000 * math.Exp(1.3*r.NormFloat64())
	} else {
		s = pareto(r, 60_000, 1.1)
	}
	return int(math.Round(min(max(s, 100), 40e6)))
}

// seconds returns the time by which the share moment of all requests has come.
// With a rate of 1 - 0.6 cos(2πt), t in days, t - 0.6/2π sin(2πt) have come.
func seconds(moment float64) int64 {
	const days, swing = 2, 0.6
	low, high := 0.0, float64(days)
	for range 50 {
		t := (low + high) / 2
		if t-swing/(2*math.Pi)*math.Sin(2*math.Pi*t) < moment*days {
			low = t
		} else {
			high = t
		}
	}
	return int64(low * 24 * 60 * 60)
}

// compress leaves name and time out of the header, so that the same bytes come
// out every time.
func compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	z.ModTime = time.Unix(0, 0) // which stands for none
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
