package plots

import (
	"math"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"cachesim/sim/results"
)

// confidence of all intervals.
const confidence = 0.95

// An Estimate is a number and the interval that it is in with a confidence of
// 95 %. Without an interval both ends are that number.
type Estimate struct{ Value, Low, High float64 }

// Mean returns the mean of values, with the interval of Student's t; without one
// for a single value.
func Mean(values []float64) Estimate {
	mean, sd := stat.MeanStdDev(values, nil)
	if len(values) < 2 || sd == 0 {
		return Estimate{mean, mean, mean}
	}
	half := tQuantile(len(values)) * stat.StdErr(sd, float64(len(values)))
	return Estimate{mean, mean - half, mean + half}
}

// tQuantile is half the width of the interval of a mean of n values, 2 or more,
// in standard errors.
func tQuantile(n int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}.Quantile(1 - (1-confidence)/2)
}

// TimePerRequest returns the median replay time of a request of r in nanoseconds.
// Its interval is that of the order statistics of the replays, which assumes
// nothing of their distribution; whole is false where there are too few of them
// for it, and the interval is from the smallest to the largest.
func TimePerRequest(r results.Result) (e Estimate, whole bool) {
	if r.Requests == 0 {
		return Estimate{}, false
	}
	n := float64(r.Requests)
	e = Estimate{float64(r.Replay) / n, float64(r.ReplayMin) / n, float64(r.ReplayMax) / n}
	if len(r.Replays) < 6 { // the least for 95 %
		return e, false
	}
	s := timeSample(r.Replays).summary()
	return Estimate{e.Value, s.Lo / n, s.Hi / n}, true
}

type sample struct{ *benchmath.Sample }

func timeSample(replays []time.Duration) sample {
	values := make([]float64, len(replays))
	for i, d := range replays {
		values[i] = float64(d)
	}
	return sample{benchmath.NewSample(values, &benchmath.DefaultThresholds)}
}

func (s sample) summary() benchmath.Summary {
	return benchmath.AssumeNothing.Summary(s.Sample, confidence)
}

// FasterThan reports whether the replays of a took less time than those of b by
// more than noise explains: the Mann-Whitney U test at 5 %.
func FasterThan(a, b results.Result) bool {
	if len(a.Replays) == 0 || len(b.Replays) == 0 || a.Requests == 0 || b.Requests == 0 {
		return false
	}
	perRequest := func(r results.Result) sample {
		values := make([]float64, len(r.Replays))
		for i, d := range r.Replays {
			values[i] = float64(d) / float64(r.Requests)
		}
		return sample{benchmath.NewSample(values, &benchmath.DefaultThresholds)}
	}
	x, y := perRequest(a), perRequest(b)
	c := benchmath.AssumeNothing.Compare(x.Sample, y.Sample)
	return c.P < c.Alpha && x.summary().Center < y.summary().Center
}

// Quantile returns the quantile p, 0 to 1, of values in ascending order, with
// linear interpolation between neighbours (type 7 of Hyndman and Fan, "Sample
// quantiles in statistical packages", The American Statistician, 1996).
func Quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	h := p * float64(len(sorted)-1)
	i := int(math.Floor(h))
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}

// WilcoxonSignedRank returns the two-sided p-value of the hypothesis that the
// differences are symmetric about zero. Zeros are dropped and ties have their
// mean rank, as in Wilcoxon, "Individual comparisons by ranking methods",
// Biometrics Bulletin, 1945. Up to 50 differences without ties it is exact, by
// the number of subsets of ranks of each sum; else it is that of the normal
// distribution with corrections for ties and continuity (Hollander, Wolfe and
// Chicken, Nonparametric Statistical Methods, 3rd edition, 2014, section 3.1).
// n is how many differences are not zero; without any p is 1.
func WilcoxonSignedRank(differences []float64) (p float64, n int) {
	var d []float64
	for _, v := range differences {
		if v != 0 && !math.IsNaN(v) {
			d = append(d, v)
		}
	}
	n = len(d)
	if n == 0 {
		return 1, 0
	}
	slices.SortFunc(d, func(a, b float64) int {
		switch x, y := math.Abs(a), math.Abs(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	positive, ties := 0.0, 0.0
	for i := 0; i < n; {
		j := i
		for j < n && math.Abs(d[j]) == math.Abs(d[i]) {
			j++
		}
		rank := float64(i+j+1) / 2
		for _, v := range d[i:j] {
			if v > 0 {
				positive += rank
			}
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	total := n * (n + 1) / 2
	if n <= 50 && ties == 0 {
		// ways[s] of choosing ranks that add up to s, as a share of all.
		ways := make([]float64, total+1)
		ways[0] = 1
		for rank := 1; rank <= n; rank++ {
			for s := total; s >= 0; s-- {
				ways[s] /= 2
				if s >= rank {
					ways[s] += ways[s-rank] / 2
				}
			}
		}
		tail := 0.0
		for s := 0; s <= int(min(positive, float64(total)-positive)); s++ {
			tail += ways[s]
		}
		return min(1, 2*tail), n
	}
	mean := float64(total) / 2
	size := float64(n)
	variance := size*(size+1)*(2*size+1)/24 - ties/48
	z := max(0, math.Abs(positive-mean)-0.5) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2), n
}
