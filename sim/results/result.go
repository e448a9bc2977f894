// Package results holds what cells come to: results with their provenance, the
// files that they are kept in, and the journal that a run writes while it goes
// on. It computes nothing of a replay.
package results

import (
	"fmt"
	"slices"
	"time"

	"cachesim/sim"
)

// A Result is what one cell came to.
type Result struct {
	sim.Cell
	CellID string `json:"cell"`
	Size   string `json:"size,omitempty"`  // the capacity as it was asked for: "10%", "64MiB"
	Title  string `json:"title,omitempty"` // the policy as in print; empty: Policy
	Order  int    `json:"order"`           // position in the plan of its run

	sim.Tally
	sim.Sampled        // of an estimate, see Cell.Sampling
	Outcome     string `json:"outcome"` // digest of every request's outcome; empty for what is computed or estimated
	Whole       bool   `json:"whole"`   // the whole trace was replayed, not a prefix

	// Timed cells were replayed with nothing else running, Repeats times in
	// turns with the other timed cells. The times of the others are those of
	// one replay among parallel ones: good for a guess, not for a figure.
	Timed   bool `json:"timed"`
	Repeats int  `json:"repeats"`
	// Set-up is compiling, instantiating and initialising; the medians over
	// the repeats.
	Setup       time.Duration `json:"setup_ns"`
	Compile     time.Duration `json:"compile_ns"`
	Instantiate time.Duration `json:"instantiate_ns"`
	// Replay is the time inside the policy, median, smallest and largest over
	// the repeats; Replays are all of them, in order.
	Replay    time.Duration   `json:"replay_ns"`
	ReplayMin time.Duration   `json:"replay_ns_min"`
	ReplayMax time.Duration   `json:"replay_ns_max"`
	Replays   []time.Duration `json:"replays_ns,omitempty"`

	Series []sim.Interval `json:"series,omitempty"`
	Costs  Costs          `json:"costs,omitzero"`
}

// Costs are what a replay costs by a model, see package costs. What was not
// asked for, or does not follow from the trace, is nil.
type Costs struct {
	Model       string   `json:"model" csv:"cost_model"` // empty: there are no costs
	LatencyMean *float64 `json:"latency_mean_ms,omitempty" csv:"latency_mean_ms"`
	LatencyP50  *float64 `json:"latency_p50_ms,omitempty" csv:"latency_p50_ms"`
	LatencyP90  *float64 `json:"latency_p90_ms,omitempty" csv:"latency_p90_ms"`
	LatencyP99  *float64 `json:"latency_p99_ms,omitempty" csv:"latency_p99_ms"`
	DelayedHits *int64   `json:"delayed_hits,omitempty" csv:"delayed_hits"` // hits that wait for a fetch under way
	OriginBytes *int64   `json:"origin_bytes,omitempty" csv:"origin_bytes"` // bytes of the gets that missed
	// Traffic from the origin in Gbit/s (10^9): over the whole time, and the
	// 95th percentile and the largest of the model's intervals.
	OriginMean *float64 `json:"origin_mean_gbits,omitempty" csv:"origin_mean_gbits"`
	OriginP95  *float64 `json:"origin_p95_gbits,omitempty" csv:"origin_p95_gbits"`
	OriginPeak *float64 `json:"origin_peak_gbits,omitempty" csv:"origin_peak_gbits"`
	EgressCost *float64 `json:"egress_cost,omitempty" csv:"egress_cost"` // in the currency of the price
	// MissCost is the sum of the trace's costs of the gets that missed, in its unit;
	// CostSaving is 1 less that over the costs of all gets.
	MissCost   *float64 `json:"miss_cost,omitempty" csv:"miss_cost"`
	CostSaving *float64 `json:"cost_saving_ratio,omitempty" csv:"cost_saving_ratio"`
	// WriteRatio is the bytes written to the cache over the bytes requested,
	// WritesPerDay how many times its capacity is written in a day.
	WriteRatio   *float64 `json:"write_ratio,omitempty" csv:"write_ratio"`
	WritesPerDay *float64 `json:"device_writes_per_day,omitempty" csv:"device_writes_per_day"`
}

// New makes a result of a measurement.
func New(m sim.Measurement) Result {
	r := Result{
		Cell: m.Cell, CellID: m.Cell.ID(), Tally: m.Tally, Sampled: m.Sampled, Outcome: m.Outcome, Whole: m.Whole, Timed: m.Timed,
		Repeats: len(m.Replays), Replays: m.Replays, Series: m.Series,
	}
	if len(m.Replays) == 0 {
		return r
	}
	r.Replay, r.ReplayMin, r.ReplayMax = Median(m.Replays), slices.Min(m.Replays), slices.Max(m.Replays)
	var compile, instantiate []time.Duration
	for _, s := range m.Setups {
		compile, instantiate = append(compile, s.Compile), append(instantiate, s.Instantiate)
	}
	r.Compile, r.Instantiate = Median(compile), Median(instantiate)
	r.Setup = r.Compile + r.Instantiate
	return r
}

// HitRatio is the share of the gets that were hits: 0 to 1.
func (r Result) HitRatio() float64 { return ratio(r.Hits, r.Gets) }

// ByteHitRatio is the share of the bytes that came from hits: 0 to 1.
func (r Result) ByteHitRatio() float64 { return ratio(r.HitBytes, r.Bytes) }

// PrefixHitRatio is the share of the blocks of LLM requests that were hits with
// all blocks before them in their request: 0 to 1. It is 0 where the trace is of
// something else.
func (r Result) PrefixHitRatio() float64 { return ratio(r.PrefixHitBlocks, r.Gets) }

// Sample says what the result is estimated from, with the rate that was used.
func (r Result) Sample() sim.Sampling {
	s := r.Sampling
	if r.RateUsed > 0 {
		s.Rate = r.RateUsed
	}
	return s
}

// SampleText says what the estimates in list are from: "a 1 % sample, 3 salts" or
// "samples of 1 to 4.8 %, 3 salts"; nothing where there is none.
func SampleText(list []Result) string {
	var first, last sim.Sampling
	salts := true
	for _, r := range list {
		s := r.Sample()
		if s.Rate == 0 {
			continue
		}
		if first.Rate == 0 {
			first, last = s, s
		}
		salts = salts && s.Salts == first.Salts
		if s.Rate < first.Rate {
			first = s
		}
		if s.Rate > last.Rate {
			last = s
		}
	}
	switch {
	case first.Rate == 0:
		return ""
	case first.Rate == last.Rate && salts:
		return first.String()
	}
	text := fmt.Sprintf("samples of %.3g to %.3g %%", 100*first.Rate, 100*last.Rate)
	if salts && first.Salts > 1 {
		text += fmt.Sprintf(", %d salts", first.Salts)
	}
	return text
}

// PerRequest is the median replay time of one request in nanoseconds.
func (r Result) PerRequest() float64 { return r.perRequest(r.Replay) }

// Unserved reports whether no request of a timed cell has reached its policy, since
// every object is larger than the cache: then its time says nothing.
func (r Result) Unserved() bool { return r.Timed && r.Gets > 0 && r.TooLarge >= r.Gets && r.Sets == 0 }

// Spread is the largest replay time less the smallest, of one request, in
// nanoseconds.
func (r Result) Spread() float64 { return r.perRequest(r.ReplayMax - r.ReplayMin) }

func (r Result) perRequest(d time.Duration) float64 {
	if r.Requests == 0 {
		return 0
	}
	return float64(d) / float64(r.Requests)
}

func ratio(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Median returns the median of d, which is not empty, and leaves d as it is.
func Median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// A Failure is a cell that has no result, and why.
type Failure struct {
	sim.Cell
	CellID string `json:"cell"`
	Timed  bool   `json:"timed"`
	Error  string `json:"error"`
}

// Provenance says where results come from: one run of cachesim.
type Provenance struct {
	Version string            `json:"version"` // of cachesim
	Go      string            `json:"go"`
	OS      string            `json:"os"`
	Arch    string            `json:"arch"`
	Host    string            `json:"host"`
	CPU     string            `json:"cpu"`
	CPUs    int               `json:"cpus"`
	Engines map[string]string `json:"engines"` // version of each engine
	Started time.Time         `json:"started"`
	Command []string          `json:"command"`
}

// A Trace describes a trace by its counts.
type Trace struct {
	Name         string        `json:"name"` // base name of its file
	Path         string        `json:"path"` // as it was given
	Digest       string        `json:"digest"`
	Clock        string        `json:"clock_digest,omitempty"`
	SHA256       string        `json:"sha256,omitempty"` // of the file
	Format       string        `json:"format"`
	ObjectSize   string        `json:"object_size"` // which size of an object counts
	ZeroSize     string        `json:"zero_size"`   // what became of requests of size 0
	Tick         time.Duration `json:"tick_ns"`
	Requests     int           `json:"requests"`
	Gets         int           `json:"gets"`
	Objects      int           `json:"objects"`
	Footprint    int64         `json:"footprint_bytes"`
	RequestBytes int64         `json:"request_bytes"`
	LargestSize  int64         `json:"largest_bytes"`
	SizeChanges  int           `json:"size_changes"`
	Notes        []string      `json:"notes,omitempty"`
}

// Describe returns t's counts, without the SHA-256 of its file, which takes longer to compute
// than the rest.
func Describe(t *sim.Trace) Trace {
	return Trace{t.Name, t.Path, t.Digest, t.Clock, "", t.Format, t.SizeRule, t.ZeroSize, t.Tick,
		t.Requests, t.Gets, t.Objects, t.Footprint, t.RequestBytes, t.LargestSize, t.SizeChanges, t.Notes}
}

// A Set is what one or more runs came to.
type Set struct {
	Schema   int          `json:"schema"`
	Runs     []Provenance `json:"runs"`
	Traces   []Trace      `json:"traces"`
	Results  []Result     `json:"results"`
	Failures []Failure    `json:"failures,omitempty"`

	// Repeated counts results that were left out because a later one of the
	// same cell is there.
	Repeated int `json:"-"`
	// Conflicts names cells of which two results have different outcomes,
	// which must not happen.
	Conflicts []string `json:"-"`
}

// Schema is the number of the layout of result files.
const Schema = 2

// key tells cells apart: a cell may have a result for its hit ratio and one for
// its running time.
type key struct {
	cell  string
	timed bool
}

// Add adds what o holds. Of several results of one cell the one added last
// stays, in the position of the first; a failure stays only while its cell has
// no result.
func (s *Set) Add(o *Set) {
	s.Runs = append(s.Runs, o.Runs...)
	for _, t := range o.Traces {
		i := slices.IndexFunc(s.Traces, func(u Trace) bool { return u.Digest == t.Digest && u.Clock == t.Clock && u.Path == t.Path })
		if i < 0 {
			s.Traces = append(s.Traces, t)
		} else if s.Traces[i].SHA256 == "" {
			s.Traces[i].SHA256 = t.SHA256
		}
	}
	at := make(map[key]int, len(s.Results))
	for i, r := range s.Results {
		at[key{r.CellID, r.Timed}] = i
	}
	s.Repeated += o.Repeated
	s.Conflicts = append(s.Conflicts, o.Conflicts...)
	for _, r := range o.Results {
		k := key{r.CellID, r.Timed}
		if i, ok := at[k]; ok {
			if differ(s.Results[i], r) {
				s.Conflicts = append(s.Conflicts, fmt.Sprintf("%s (cell %s)", r.Cell, r.CellID))
			}
			s.Results[i] = r
			s.Repeated++
			continue
		}
		at[k] = len(s.Results)
		s.Results = append(s.Results, r)
	}
	failed := make(map[key]int)
	var failures []Failure
	for _, f := range append(s.Failures, o.Failures...) {
		k := key{f.CellID, f.Timed}
		if _, ok := at[k]; ok {
			continue
		}
		if i, ok := failed[k]; ok {
			failures[i] = f
			continue
		}
		failed[k] = len(failures)
		failures = append(failures, f)
	}
	s.Failures = failures
}

// differ reports whether two results of one cell contradict each other. What is
// computed without a replay has no outcome, only counts.
func differ(a, b Result) bool {
	if a.Outcome == "" || b.Outcome == "" {
		return !a.Timed && (a.Hits != b.Hits || a.HitBytes != b.HitBytes)
	}
	return a.Outcome != b.Outcome
}

// Find returns the result of a cell, if there is one.
func (s *Set) Find(c sim.Cell, timed bool) (Result, bool) {
	id := c.ID()
	for _, r := range s.Results {
		if r.CellID == id && r.Timed == timed {
			return r, true
		}
	}
	return Result{}, false
}

// Trace returns the description of the trace that r replayed.
func (s *Set) Trace(r Result) Trace {
	for _, t := range s.Traces {
		if t.Digest == r.TraceDigest && t.Clock == r.Clock && t.Name == r.Cell.Trace {
			return t
		}
	}
	for _, t := range s.Traces {
		if t.Digest == r.TraceDigest {
			return t
		}
	}
	return Trace{Name: r.Cell.Trace, Digest: r.TraceDigest}
}

// Sort puts the results in an order that does not depend on the one in which
// they were obtained: by trace, position in the plan, policy, capacity and version.
func (s *Set) Sort() {
	slices.SortStableFunc(s.Results, func(a, b Result) int { return compare(a, b) })
}
