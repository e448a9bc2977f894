// Package costs computes from the outcomes of a replay what a cache costs:
// latency, traffic from the origin, and writes to the cache. It needs nothing of
// the policy, so that all policies have it, modules included.
package costs

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cachesim/sim"
	"cachesim/sim/results"
)

// A Model says what is computed. The origin's traffic and the writes are always.
type Model struct {
	Hit, Miss sim.Latency
	Latency   bool          // there are latencies
	Columns   bool          // latencies are those of the trace, in sim.RequestCosts
	Strict    bool          // objects enter the cache when their fetch is complete, see sim.Cell.Delayed
	Interval  time.Duration // that the origin's traffic is measured over; 0: no rates
	Price     float64       // of 10^9 bytes from the origin; 0: no cost
}

// String identifies the model.
func (m Model) String() string {
	var parts []string
	if m.Latency {
		if m.Columns {
			parts = append(parts, "columns")
		} else {
			parts = append(parts, fmt.Sprintf("hit=%v,miss=%v", m.Hit, m.Miss))
		}
		if m.Strict {
			parts = append(parts, "delayed=strict")
		}
	}
	parts = append(parts, "interval="+m.Interval.String())
	if m.Price > 0 {
		parts = append(parts, "price="+strconv.FormatFloat(m.Price, 'g', -1, 64))
	}
	return strings.Join(parts, ",")
}

// of names the model, and what requests cost where the trace says so: that is no part of the digest
// of its requests.
func (m Model) of(t *sim.Trace) string {
	if t.RequestCosts == nil {
		return m.String()
	}
	return m.String() + ",trace=" + t.RequestCosts.Digest()
}

// Current reports whether costs that were computed earlier are those of m and t.
func (m Model) Current(c results.Costs, t *sim.Trace) bool { return c.Model == m.of(t) }

// ParseLatency reads hit=1ms,miss=50ms+8ns/B.
func ParseLatency(s string) (hit, miss sim.Latency, err error) {
	found := make(map[string]bool)
	for _, part := range strings.Split(s, ",") {
		name, value, ok := strings.Cut(part, "=")
		to := map[string]*sim.Latency{"hit": &hit, "miss": &miss}[name]
		if !ok || to == nil || found[name] {
			return hit, miss, fmt.Errorf("%q: expects hit and miss, as in hit=1ms,miss=50ms+8ns/B", s)
		}
		found[name] = true
		for _, term := range strings.Split(value, "+") {
			number, perByte := strings.CutSuffix(term, "/B")
			// Not by time.ParseDuration alone: 0.08ns/B is 100 Gbit/s.
			unit := strings.TrimLeft(number, "0123456789.")
			f, err := strconv.ParseFloat(strings.TrimSuffix(number, unit), 64)
			d, uerr := time.ParseDuration("1" + unit)
			if err != nil || uerr != nil || d < 0 {
				return hit, miss, fmt.Errorf("%q: %q is not a time such as 50ms, or for each byte 8ns/B", s, term)
			}
			if perByte {
				to.PerByte += f * float64(d)
			} else {
				to.Fixed += time.Duration(f * float64(d))
			}
		}
	}
	if !found["hit"] || !found["miss"] {
		return hit, miss, fmt.Errorf("%q: expects both hit and miss, as in hit=1ms,miss=50ms+8ns/B", s)
	}
	return hit, miss, nil
}

// Of computes the costs of a replay of c over t with the given outcomes and
// counts, in one pass over t. The warm-up does not count, but its fetches may
// delay later hits.
//
// Delayed hits: a hit on an object whose last fetch, by the times of the trace,
// has not arrived waits for it (Atre, Sherry, Wang, Berger, Caching with delayed
// hits, SIGCOMM 2020). The outcomes are those of a cache that stores an object at
// once when it misses or, with m.Strict, when its fetch is complete. DelayedHits
// says where delayed hits cannot be found.
func (m Model) Of(t *sim.Trace, c sim.Cell, out *sim.Outcomes, n sim.Tally) (results.Costs, error) {
	costs := results.Costs{Model: m.of(t)}
	l := latencies{count: make(map[int64]int64)}
	hitLatency, missLatency := m.latencies(t)
	var cost []float64 // of each request, if it missed
	if t.RequestCosts != nil {
		cost = t.RequestCosts.Cost
	}
	var missCost, allCost float64
	var ready []int64 // when the object's last fetch arrives, in ns
	if m.Latency && m.DelayedHits(t) == nil {
		ready = make([]int64, t.Objects)
	}
	var perInterval []int64
	var origin, delayed int64
	began, last := int64(-1), int64(0)
	done := fmt.Errorf("done")
	err := t.Each(sim.ColumnOps, func(start int, b sim.Batch) error {
		for i, r := range b.Requests {
			at := start + i
			if at >= c.Requests {
				return done
			}
			now := int64(r.Time) * int64(t.Tick)
			if b.Ops != nil && b.Ops[i] != sim.Get {
				if ready != nil {
					ready[r.ID] = 0 // stored or removed: nothing to wait for
				}
				continue
			}
			hit := out.Hit(at)
			var latency int64
			late := false
			if !hit {
				latency = missLatency(at, r.Size)
			} else {
				latency = hitLatency(at, r.Size)
				if ready != nil && ready[r.ID]-now > latency {
					latency, late = ready[r.ID]-now, true
				}
			}
			if !hit && ready != nil {
				ready[r.ID] = now + latency
			}
			if at < c.Warmup {
				continue
			}
			if m.Latency {
				l.add(latency)
			}
			if late {
				delayed++
			}
			if began < 0 {
				began = now
			}
			last = max(last, now)
			if cost != nil {
				allCost += cost[at]
				if !hit {
					missCost += cost[at]
				}
			}
			if hit {
				continue
			}
			origin += r.Size
			if m.Interval > 0 && t.Tick > 0 {
				// Times that go backwards count in the first interval.
				k := int(max(0, now-began) / int64(m.Interval))
				for len(perInterval) <= k {
					perInterval = append(perInterval, 0)
				}
				perInterval[k] += r.Size
			}
		}
		return nil
	})
	if err != nil && err != done {
		return costs, err
	}
	costs.OriginBytes = &origin
	if cost != nil {
		costs.MissCost = &missCost
		if allCost > 0 {
			costs.CostSaving = number(1 - missCost/allCost)
		}
	}
	if m.Price > 0 {
		costs.EgressCost = number(float64(origin) / 1e9 * m.Price)
	}
	if m.Latency {
		costs.LatencyMean = number(l.mean() / 1e6)
		p := l.percentiles(0.5, 0.9, 0.99)
		costs.LatencyP50, costs.LatencyP90, costs.LatencyP99 = number(float64(p[0])/1e6), number(float64(p[1])/1e6), number(float64(p[2])/1e6)
		if ready != nil {
			costs.DelayedHits = &delayed
		}
	}
	span := last - max(0, began)
	if m.Interval > 0 && span > 0 {
		m.rates(&costs, perInterval, origin, span)
	}
	if n.AdmittedBytes != nil {
		if n.Bytes > 0 {
			costs.WriteRatio = number(float64(*n.AdmittedBytes) / float64(n.Bytes))
		}
		if span > 0 && c.Unit == sim.UnitBytes {
			days := float64(span) / float64(24*time.Hour)
			costs.WritesPerDay = number(float64(*n.AdmittedBytes) / float64(c.Capacity) / days)
		}
	}
	return costs, nil
}

// DelayedHits says why delayed hits cannot be found in t, or returns nil.
func (m Model) DelayedHits(t *sim.Trace) error {
	if t.Tick == 0 {
		return errors.New("the trace has no times")
	}
	if int64(t.Tick) > m.meanMiss(t) {
		return fmt.Errorf("the trace's times are in steps of %v, which is longer than a fetch", t.Tick)
	}
	return nil
}

// latencies returns the functions of a request's index and size that are the
// latencies in ns of hits and misses.
func (m Model) latencies(t *sim.Trace) (hit, miss func(at int, size int64) int64) {
	if !m.Columns {
		return func(_ int, size int64) int64 { return m.Hit.Of(size) }, func(_ int, size int64) int64 { return m.Miss.Of(size) }
	}
	of := func(column []uint32) func(int, int64) int64 {
		if column == nil {
			return func(int, int64) int64 { return 0 }
		}
		return func(at int, _ int64) int64 { return int64(column[at]) * int64(time.Microsecond) }
	}
	return of(t.RequestCosts.Hit), of(t.RequestCosts.Miss)
}

// meanMiss returns the latency in ns of a miss of mean size, or the mean of the
// trace's latencies.
func (m Model) meanMiss(t *sim.Trace) int64 {
	if !m.Columns {
		return m.Miss.Of(t.RequestBytes / int64(max(1, t.Requests)))
	}
	var sum int64
	for _, us := range t.RequestCosts.Miss {
		sum += int64(us) * int64(time.Microsecond)
	}
	return sum / int64(max(1, len(t.RequestCosts.Miss)))
}

// rates fills in the origin's traffic over time. A last interval that is not
// full is left out of the percentile and the peak unless it is the only one.
func (m Model) rates(c *results.Costs, perInterval []int64, origin, span int64) {
	gbits := func(bytes int64, over float64) float64 { return float64(bytes) * 8 / over } // bytes, ns
	c.OriginMean = number(gbits(origin, float64(span)))
	full := int(span / int64(m.Interval))
	if full == 0 {
		c.OriginP95, c.OriginPeak = c.OriginMean, c.OriginMean
		return
	}
	for len(perInterval) < full {
		perInterval = append(perInterval, 0)
	}
	sorted := slices.Sorted(slices.Values(perInterval[:full]))
	rank := int(math.Ceil(0.95*float64(full))) - 1
	c.OriginP95 = number(gbits(sorted[rank], float64(m.Interval)))
	c.OriginPeak = number(gbits(sorted[full-1], float64(m.Interval)))
}

func number(f float64) *float64 { return &f }

// latencies is a distribution of times in ns, to four digits.
type latencies struct {
	count map[int64]int64
	n     int64
	sum   float64
}

func (l *latencies) add(ns int64) {
	l.n++
	l.sum += float64(ns)
	unit := int64(1)
	for v := ns; v >= 10_000; v /= 10 {
		unit *= 10
	}
	l.count[(ns+unit/2)/unit*unit]++
}

func (l *latencies) mean() float64 { return l.sum / float64(max(1, l.n)) }

// percentiles returns the smallest values that the given shares are up to.
func (l *latencies) percentiles(shares ...float64) []int64 {
	list := make([]int64, len(shares))
	values := slices.Sorted(maps.Keys(l.count))
	for i, share := range shares {
		left := int64(math.Ceil(share * float64(l.n)))
		for _, v := range values {
			if left -= l.count[v]; left <= 0 {
				list[i] = v
				break
			}
		}
	}
	return list
}
