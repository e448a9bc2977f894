package micro

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"

	"cachesim/sim/results"
)

// resamples is how often the bootstrap draws.
const resamples = 1000

// describe returns the statistics of a sample. The interval is that of a
// percentile bootstrap of the median (Efron, Annals of Statistics 7, 1979).
func describe(x []float64, rng *rand.Rand) results.Stats {
	if len(x) == 0 {
		return results.Stats{}
	}
	s := results.Stats{Mean: stat.Mean(x, nil), Median: median(x), Min: slices.Min(x)}
	if len(x) > 1 {
		s.SD = stat.StdDev(x, nil)
	}
	medians, draw := make([]float64, resamples), make([]float64, len(x))
	for i := range medians {
		for j := range draw {
			draw[j] = x[rng.IntN(len(x))]
		}
		medians[i] = median(draw)
	}
	slices.Sort(medians)
	s.Low, s.High = stat.Quantile(0.025, stat.Empirical, medians, nil), stat.Quantile(0.975, stat.Empirical, medians, nil)
	return s
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// costs makes results of what was measured in so many rounds. Rounds that were
// begun and not ended do not count.
func (o *Options) costs(cells []*cell, runs int, rng *rand.Rand) []results.CallCost {
	perCall := func(c *cell) []float64 {
		x := make([]float64, runs)
		for i := range x {
			x[i] = float64(c.samples[i].calls) / float64(c.cost.Calls)
		}
		return x
	}
	ratios := func(of, to []float64) []float64 {
		x := make([]float64, len(of))
		for i := range x {
			x[i] = of[i] / to[i]
		}
		return x
	}
	find := func(kind, test string, group int) []float64 {
		for _, c := range cells {
			if c.cost.Kind == kind && c.cost.Test == test && c.group == group {
				return perCall(c)
			}
		}
		return nil
	}
	native := find(results.CostOfCall, Native.Name, -1)
	var costs []results.CallCost
	for _, c := range cells {
		r := c.cost
		r.Runs = runs
		r.Samples = perCall(c)
		if c.inner != nil {
			for j, inner := range perCall(c.inner) {
				r.Samples[j] -= inner
			}
		}
		total, setup, mallocs, bytes := make([]float64, runs), make([]float64, runs), make([]float64, runs), make([]float64, runs)
		for j, s := range c.samples[:runs] {
			n := float64(r.Calls)
			total[j], setup[j] = float64(s.setup+s.calls)/n, float64(s.setup)
			if c.inner != nil {
				s.mallocs -= min(s.mallocs, c.inner.samples[j].mallocs)
				s.bytes -= min(s.bytes, c.inner.samples[j].bytes)
			}
			mallocs[j], bytes[j] = float64(s.mallocs)/n, float64(s.bytes)/n
		}
		r.Call = describe(r.Samples, rng)
		r.Allocs, r.AllocBytes = median(mallocs), median(bytes)
		if r.Kind == results.CostOfCall {
			r.Total, r.Setup = describe(total, rng), describe(setup, rng)
			if native != nil {
				r.ToNative = describe(ratios(r.Samples, native), rng)
			}
			if pair := find(results.CostOfCall, "pair-cached-preload", c.group); pair != nil {
				r.ToPair = describe(ratios(r.Samples, pair), rng)
			}
		}
		costs = append(costs, r)
	}
	return costs
}
