package costs

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"cachesim/sim"
	"cachesim/sim/results"
)

// script is a policy with prescribed outcomes.
type script struct {
	hits []bool
	at   int
}

func (s *script) Access(sim.Request) bool { s.at++; return s.hits[s.at-1] }

// request of the hand-made trace; a hit is prescribed.
type request struct {
	id   uint32
	ms   uint32
	size int64
	hit  bool
}

// hand has a delayed hit (request 2), a hit at the moment of arrival (4), one
// on a fetch of the warm-up (1), a miss while a fetch is under way (6, 7) with a
// hit that waits for the later one (8), and a long gap.
var hand = []request{
	{0, 0, 1000, false}, {0, 30, 1000, true}, {1, 40, 2000, false}, {1, 45, 2000, true}, {2, 50, 500, false},
	{2, 101, 500, true}, {3, 110, 100, false}, {3, 120, 100, false}, {3, 165, 100, true}, {0, 2400, 1000, true}, {4, 3500, 7000, false},
}

func replay(t *testing.T, m Model, list []request, warmup int) results.Costs {
	t.Helper()
	tr := &sim.Trace{Name: "hand", Tick: time.Millisecond, Objects: 5, Requests: len(list)}
	mem := &sim.Memory{Objects: 5}
	tr.Source = mem
	var hits []bool
	for _, r := range list {
		mem.Append(sim.Request{ID: r.id, Time: r.ms, Size: r.size}, sim.Get, 0)
		tr.RequestBytes += r.size
		tr.LargestSize = max(tr.LargestSize, r.size)
		hits = append(hits, r.hit)
	}
	var costs results.Costs
	cell := sim.Cell{Requests: len(list), Warmup: warmup, Capacity: 10_000, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}
	task := sim.Task{Cell: cell, Account: func(t *sim.Trace, c sim.Cell, out *sim.Outcomes, n sim.Tally) (err error) {
		admitted := int64(6000)
		n.AdmittedBytes = &admitted
		costs, err = m.Of(t, c, out, n)
		return err
	}}
	open := func(context.Context, sim.Cell, *sim.Trace, func()) (sim.Replayer, sim.Setup, error) {
		return sim.Native(&script{hits: hits}), sim.Setup{}, nil
	}
	if _, failures := sim.Run(context.Background(), tr, []sim.Task{task}, open, sim.Options{Jobs: 1, Repeat: 1}); len(failures) > 0 {
		t.Fatal(failures[0])
	}
	return costs
}

// TestOf compares with a reference that works in floating point, request by
// request, over the whole list at once.
func TestOf(t *testing.T) {
	m := Model{Hit: sim.Latency{Fixed: time.Millisecond}, Miss: sim.Latency{Fixed: 50 * time.Millisecond, PerByte: 1000}, Latency: true, Interval: time.Second, Price: 0.5}
	for _, warmup := range []int{0, 1, 3} {
		got := replay(t, m, hand, warmup)
		arrival := map[uint32]float64{}
		var ms, sum, origin, delayed float64
		var all []float64
		intervals := make([]float64, 4)
		for i, r := range hand {
			ms = 50 + float64(r.size)/1000
			wait := arrival[r.id] - float64(r.ms)
			switch {
			case !r.hit:
				arrival[r.id] = float64(r.ms) + ms
			case wait > 1:
				ms = wait
			default:
				ms = 1
			}
			if i < warmup {
				continue
			}
			all, sum = append(all, ms), sum+ms
			if r.hit && ms > 1 {
				delayed++
			}
			if !r.hit {
				origin += float64(r.size)
				intervals[(r.ms-hand[warmup].ms)/1000] += float64(r.size)
			}
		}
		slices.Sort(all)
		full := slices.Sorted(slices.Values(intervals[:3]))
		at := func(share float64) float64 { return all[int(math.Ceil(share*float64(len(all))))-1] }
		span := float64(hand[len(hand)-1].ms-hand[warmup].ms) / 1000 // s
		for _, v := range []struct {
			name string
			got  float64
			want float64
		}{
			{"mean", *got.LatencyMean, sum / float64(len(all))},
			{"p50", *got.LatencyP50, at(0.5)}, {"p90", *got.LatencyP90, at(0.9)}, {"p99", *got.LatencyP99, at(0.99)},
			{"delayed", float64(*got.DelayedHits), delayed},
			{"origin", float64(*got.OriginBytes), origin},
			{"mean rate", *got.OriginMean, origin * 8 / span / 1e9},
			{"p95 rate", *got.OriginP95, full[2] * 8 / 1e9}, {"peak", *got.OriginPeak, full[2] * 8 / 1e9},
			{"cost", *got.EgressCost, origin / 1e9 * 0.5},
			{"writes a day", *got.WritesPerDay, 6000.0 / 10_000 / (span / 86400)},
		} {
			if math.Abs(v.got-v.want) > 1e-9*math.Abs(v.want) {
				t.Errorf("warm-up %d: %s: got %v, want %v", warmup, v.name, v.got, v.want)
			}
		}
		if warmup == 0 && delayed != 3 {
			t.Errorf("the reference has %v delayed hits, want 3", delayed)
		}
	}
}

// TestCoarseClock: where a tick is longer than a fetch no hit can be said to be
// delayed.
func TestCoarseClock(t *testing.T) {
	got := replay(t, Model{Hit: sim.Latency{}, Miss: sim.Latency{Fixed: time.Microsecond}, Latency: true}, hand, 0)
	if got.DelayedHits != nil || got.OriginMean != nil || got.EgressCost != nil {
		t.Errorf("got %+v", got)
	}
	if want := 6.0 / 11 * 1e-3; math.Abs(*got.LatencyMean-want) > 1e-9 {
		t.Errorf("mean latency %v ms, want %v", *got.LatencyMean, want)
	}
}

func TestParseLatency(t *testing.T) {
	hit, miss, err := ParseLatency("miss=50ms+8ns/B,hit=1ms+0.08ns/B")
	if err != nil || hit != (sim.Latency{Fixed: time.Millisecond, PerByte: 0.08}) || miss != (sim.Latency{Fixed: 50 * time.Millisecond, PerByte: 8}) {
		t.Errorf("got %v, %v, %v", hit, miss, err)
	}
	if _, miss, err = ParseLatency("hit=0s,miss=1us/B"); err != nil || miss != (sim.Latency{Fixed: 0, PerByte: 1000}) {
		t.Errorf("got %v, %v", miss, err)
	}
	for _, bad := range []string{"", "hit=1ms", "hit=1ms,miss=x", "hit=1ms,miss=-1ms", "hit=1ms,hit=1ms,miss=1ms", "hit=1ms,miss=1ms,delay=3ms", "hit=1ms,miss=-2ns/B"} {
		if _, _, err := ParseLatency(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
