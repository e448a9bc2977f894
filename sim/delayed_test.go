package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	native "cachesim/policies-native"
	"cachesim/sim"
	"cachesim/sim/costs"
)

// fetching is a request of a trace for delayed hits.
type fetching struct {
	id   uint32
	at   uint32 // ms
	size int64
}

func fetchTrace(list []fetching) *sim.Trace {
	m := &sim.Memory{}
	t := &sim.Trace{Name: "t", Digest: "d", Tick: time.Millisecond, Requests: len(list), Gets: len(list), Source: m, ObjectName: func(id uint32) string { return fmt.Sprint(id) }}
	for _, r := range list {
		t.Objects = max(t.Objects, int(r.id)+1)
		t.RequestBytes += r.size
		t.LargestSize = max(t.LargestSize, r.size)
		m.Append(sim.Request{ID: r.id, Time: r.at, Size: r.size}, sim.Get, 0)
	}
	m.Objects = t.Objects
	return t
}

// strict replays a policy over list with objects that enter when their fetch is
// complete. It returns the outcomes as h and m, and the latencies' sum in ms.
func strict(t *testing.T, policy string, list []fetching, capacity int64, fetch sim.Latency, warmup int) (outcomes string, latency float64) {
	t.Helper()
	tr := fetchTrace(list)
	spec, _, err := native.Parse(policy)
	if err != nil {
		t.Fatal(err)
	}
	m := costs.Model{Miss: fetch, Latency: true, Strict: true}
	task := sim.Task{Needs: spec.Needs, Cell: sim.Cell{Requests: len(list), Warmup: warmup, Policy: policy, Delayed: fetch, Capacity: capacity, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}}
	task.Account = func(tr *sim.Trace, c sim.Cell, out *sim.Outcomes, n sim.Tally) error {
		for i := range list {
			outcomes += map[bool]string{true: "h", false: "m"}[out.Hit(i)]
		}
		found, err := m.Of(tr, c, out, n)
		if err == nil && found.LatencyMean != nil {
			latency = *found.LatencyMean * float64(n.Gets)
		}
		return err
	}
	measure(t, tr, task)
	return outcomes, latency
}

// TestDelayedByHand: z is 5 and the cache holds two objects.
//
//	time   0  1  2  3  4  5  6  7  8  9 10 11 12 13
//	       a  a  b  c  a  a  .  b  .  c  c  .  .  a
//
// a is complete at 5, before the request of that time; b at 7, likewise; c at 8,
// which evicts a, as it was used before b. So the last a is a miss. Stored at once,
// a would be evicted by c at 3, and missed at 4.
func TestDelayedByHand(t *testing.T) {
	list := []fetching{{0, 0, 1}, {0, 1, 1}, {1, 2, 1}, {2, 3, 1}, {0, 4, 1}, {0, 5, 1}, {1, 7, 1}, {2, 9, 1}, {2, 10, 1}, {0, 13, 1}}
	outcomes, latency := strict(t, "lru", list, 2, sim.Latency{Fixed: 5 * time.Millisecond}, 0)
	if outcomes != "mhmmhhhhhm" || latency != 5+4+5+5+1+0+0+0+0+5 {
		t.Errorf("got %s and %v ms", outcomes, latency)
	}
	// An object larger than the cache is fetched each time.
	outcomes, latency = strict(t, "lru", []fetching{{0, 0, 3}, {0, 1, 3}, {1, 2, 1}, {1, 3, 1}}, 2, sim.Latency{Fixed: 5 * time.Millisecond}, 0)
	if outcomes != "mmmh" || latency != 5+5+5+4 {
		t.Errorf("too large: got %s and %v ms", outcomes, latency)
	}
}

// referenceLRU is the strict model for LRU, request by request: the cache is a
// list, and what is under way is searched each time.
func referenceLRU(list []fetching, capacity int64, fetch sim.Latency) (outcomes string, latency float64) {
	type flight struct {
		fetching
		ready int64
	}
	var cache []fetching // the oldest first
	var flights []flight
	for _, r := range list {
		now := int64(r.at) * 1e6
		for {
			i, first := -1, now+1
			for j, f := range flights {
				if f.ready < first {
					i, first = j, f.ready
				}
			}
			if i < 0 {
				break
			}
			cache = append(cache, flights[i].fetching)
			flights = slices.Delete(flights, i, i+1)
			for used(cache) > capacity {
				cache = cache[1:]
			}
		}
		same := func(f fetching) bool { return f.id == r.id }
		if i := slices.IndexFunc(cache, same); i >= 0 {
			cache = append(slices.Delete(cache, i, i+1), r)
			outcomes += "h"
		} else if i := slices.IndexFunc(flights, func(f flight) bool { return same(f.fetching) }); i >= 0 {
			outcomes += "h"
			latency += float64(flights[i].ready-now) / 1e6
		} else {
			outcomes += "m"
			latency += float64(fetch.Of(r.size)) / 1e6
			flights = append(flights, flight{r, now + fetch.Of(r.size)})
		}
	}
	return outcomes, latency
}

func used(cache []fetching) (n int64) {
	for _, r := range cache {
		n += r.size
	}
	return n
}

// TestDelayedReference compares LRU with the reference, on random traces with
// fetches of equal and of different length, and several requests at a time.
func TestDelayedReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 0))
	for round := range 200 {
		var list []fetching
		now := uint32(0)
		for range 60 {
			id := uint32(rng.IntN(12))
			list = append(list, fetching{id, now, 1 + int64(id%4)})
			now += uint32(rng.IntN(4))
		}
		fetch := sim.Latency{Fixed: time.Duration(1+rng.IntN(15)) * time.Millisecond}
		if round%2 == 1 {
			fetch.PerByte = float64(rng.IntN(5) * 1e6)
		}
		capacity := 4 + rng.Int64N(12)
		want, wantMS := referenceLRU(list, capacity, fetch)
		got, ms := strict(t, "lru", list, capacity, fetch, 0)
		if got != want || ms < wantMS-1e-6 || ms > wantMS+1e-6 {
			t.Fatalf("round %d, fetch %v, capacity %d: got\n%s and %v ms, want\n%s and %v ms", round, fetch, capacity, got, ms, want, wantMS)
		}
	}
}

// TestDelayedPolicies: every native policy says what it has, and where no fetch
// takes longer than until the next request its outcomes are those of a cache that
// stores objects at once.
func TestDelayedPolicies(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	var list []fetching
	for i := range 400 {
		id := uint32(rng.IntN(20) * rng.IntN(3))
		list = append(list, fetching{id, uint32(2 * i), 1 + int64(id%3)})
	}
	for _, spec := range native.All {
		got, _ := strict(t, spec.Name, list, 15, sim.Latency{Fixed: time.Millisecond}, 0)
		var want string
		tr := fetchTrace(list)
		task := sim.Task{Needs: spec.Needs, Cell: sim.Cell{Requests: len(list), Policy: spec.Name, Capacity: 15, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}}
		task.Account = func(_ *sim.Trace, _ sim.Cell, out *sim.Outcomes, _ sim.Tally) error {
			for i := range list {
				want += map[bool]string{true: "h", false: "m"}[out.Hit(i)]
			}
			return nil
		}
		measure(t, tr, task)
		if got != want {
			t.Errorf("%s: got\n%s, want\n%s", spec.Name, got, want)
		}
	}
}

// clockwork keeps everything and notes the times that it sees.
type clockwork struct {
	has  map[uint32]bool
	seen []string
}

func (p *clockwork) Has(id uint32) bool { return p.has[id] }
func (p *clockwork) Access(r sim.Request) bool {
	p.seen = append(p.seen, fmt.Sprintf("%d@%d", r.ID, r.Time))
	hit := p.has[r.ID]
	p.has[r.ID] = true
	return hit
}

// TestDelayedTimes: what has waited reaches the policy at the time when its fetch
// is complete, so that times never go backwards: a is fetched from 0 to 5, b from 2
// to 7, and c from 8 to 13, after the last request.
func TestDelayedTimes(t *testing.T) {
	p := &clockwork{has: make(map[uint32]bool)}
	tr := fetchTrace([]fetching{{0, 0, 1}, {0, 1, 1}, {1, 2, 1}, {0, 6, 1}, {2, 8, 1}})
	task := sim.Task{Cell: sim.Cell{Requests: 5, Capacity: 5, Unit: sim.UnitBytes, Delayed: sim.Latency{Fixed: 4500 * time.Microsecond}, Version: sim.Version{Engine: sim.NativeEngine}}}
	open := func(context.Context, sim.Cell, *sim.Trace, func()) (sim.Replayer, sim.Setup, error) {
		return sim.Native(p), sim.Setup{}, nil
	}
	if _, failures := sim.Run(t.Context(), tr, []sim.Task{task}, open, sim.Options{Jobs: 1, Repeat: 1}); len(failures) > 0 {
		t.Fatal(failures[0])
	}
	if got, want := strings.Join(p.seen, " "), "0@5 0@5 0@6 1@7 2@13"; got != want {
		t.Errorf("the policy saw %s, want %s", got, want)
	}
}

// liar is a policy that says that it has everything, or nothing.
type liar bool

func (l liar) Access(r sim.Request) bool { return !bool(l) }
func (l liar) Has(uint32) bool           { return bool(l) }

// mute cannot say what it has.
type mute struct{}

func (mute) Access(sim.Request) bool { return false }

func TestDelayedRefuses(t *testing.T) {
	list := []fetching{{0, 0, 1}, {0, 10, 1}}
	for _, tt := range []struct {
		p    sim.Policy
		tick time.Duration
		want string
	}{
		{liar(true), time.Millisecond, "hit on object 0, which was never requested before"},
		{liar(false), time.Millisecond, "does not have object 0, and serves it as a hit"},
		{mute{}, time.Millisecond, "cannot say whether it has an object"},
		{liar(true), 0, "the trace has no times"},
	} {
		tr := fetchTrace(list)
		tr.Tick = tt.tick
		task := sim.Task{Cell: sim.Cell{Requests: 2, Capacity: 5, Unit: sim.UnitBytes, Delayed: sim.Latency{Fixed: time.Millisecond}, Version: sim.Version{Engine: sim.NativeEngine}}}
		open := func(context.Context, sim.Cell, *sim.Trace, func()) (sim.Replayer, sim.Setup, error) {
			return sim.Native(tt.p), sim.Setup{}, nil
		}
		_, failures := sim.Run(t.Context(), tr, []sim.Task{task}, open, sim.Options{Jobs: 1, Repeat: 1})
		if len(failures) != 1 || !strings.Contains(failures[0].Error(), tt.want) {
			t.Errorf("got %v, want %q", failures, tt.want)
		}
	}
}
