// Package conformance checks whether a WASM module behaves as a cache: that its
// hits are possible, that it repeats itself, and that its calling conventions and
// the engines agree. It does not know which policy the module has.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

// A Status is how a check ended.
type Status string

// The statuses.
const (
	Pass Status = "PASS"
	Fail Status = "FAIL"
	Skip Status = "SKIP" // it does not apply, or is of no use after an earlier failure
)

// A Result is the end of one check.
type Result struct {
	Check  string // its name
	Status Status
	// Detail is what was found: for a failure which request, what was expected
	// and what came; for what was skipped the reason.
	Detail string
	Err    error // of a failure
}

// Options of Run. The zero value has the defaults of the command.
type Options struct {
	Declared string             // ABI that the user says the module supports
	Params   map[string]float64 // given to every instance
	Seed     uint64             // of the requests, and given to every instance
	Engines  []string           // to run on, the first for all checks of behaviour; nil: all of this build
	Memory   int64              // bytes that an instance may have; 0: 1 GiB
	Timeout  time.Duration      // without progress, after which an instance is stopped; 0: 10 s
	// Scripts are cases that the module must behave as. Those of a policy with
	// parameters are left out: Params are the module's.
	Scripts []simtest.Case
	Quick   bool // only whether it starts, its hits are possible, and it repeats itself
	// Open makes instances; nil: wasm.Open.
	Open func(context.Context, wasm.Config) (sim.Replayer, sim.Setup, error)
}

// Run checks a module and calls report with each result as it is known. It returns
// whether nothing failed. A module that does not end its calls is stopped, and
// what cannot be stopped is abandoned.
func Run(ctx context.Context, b *wasm.Binary, o Options, report func(Result)) bool {
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Open == nil {
		o.Open = wasm.Open
	}
	if o.Engines == nil {
		o.Engines = byPreference()
	}
	s := &suite{Options: o, ctx: ctx, b: b, report: report, ok: true}
	s.run()
	return s.ok
}

// byPreference returns the engines of this build, the fastest to compile and run a
// short trace first.
func byPreference() []string {
	all := engines.All()
	slices.SortStableFunc(all, func(a, b engines.Engine) int { return a.Preference - b.Preference })
	var names []string
	for _, e := range all {
		if e.Missing == "" {
			names = append(names, e.Name)
		}
	}
	return names
}

// suite is one run.
type suite struct {
	Options
	ctx    context.Context
	b      *wasm.Binary
	report func(Result)
	ok     bool

	abis   []string
	engine string                    // the first on which the module runs
	next   map[*sim.Request][]uint32 // of the load that begins there
	broken string                    // the check after whose failure the others are of no use
}

// skipped is an error that says why a check does not apply.
type skipped struct{ error }

// check runs one check, f, which returns what it found.
func (s *suite) check(name string, f func() (detail string, err error)) bool {
	if s.broken != "" {
		s.report(Result{name, Skip, "after the failure of " + s.broken, nil})
		return false
	}
	detail, err := f()
	var skip skipped
	switch {
	case errors.As(err, &skip):
		s.report(Result{name, Skip, skip.Error(), nil})
	case err != nil:
		s.ok = false
		s.report(Result{name, Fail, err.Error(), err})
		return false
	default:
		s.report(Result{name, Pass, detail, nil})
	}
	return true
}

// essential runs a check without which the others are of no use.
func (s *suite) essential(name string, f func() (string, error)) {
	if !s.check(name, f) && s.broken == "" {
		s.broken = name
	}
}

// A load is a workload: requests, and a cache for them.
type load struct {
	name     string
	reqs     []sim.Request
	objects  int
	capacity int64
}

// requests is the length of the loads, without those that show what is stored.
const requests = 20_000

// workload makes requests for objects whose popularity is Zipf's and whose sizes
// are between 1 and largest, with a scan of new objects in every tenth. At its half
// and its end every object is requested once, the latest first, which shows what
// the cache had stored then.
func workload(name string, seed uint64, n, objects int, largest, capacity int64) load {
	rng := rand.New(rand.NewPCG(seed, 1))
	zipf := rand.NewZipf(rng, 1.1, 4, uint64(objects-1))
	ids := make(map[uint64]uint32)
	var sizes []int64
	l := load{name: name, capacity: capacity}
	for i := range n {
		key := zipf.Uint64() + uint64(i/5000)*uint64(objects/10) // what is popular drifts
		if i%1000 >= 900 {
			key = 1<<40 + uint64(i)
		}
		id, known := ids[key]
		if !known {
			id = uint32(len(ids))
			ids[key] = id
			sizes = append(sizes, 1+rng.Int64N(largest))
		}
		l.reqs = append(l.reqs, sim.Request{ID: id, Time: uint32(i), Size: sizes[id]})
		if i == n/2 || i == n-1 {
			asked := make([]bool, len(ids))
			for k := len(l.reqs) - 1; k >= 0; k-- {
				if q := l.reqs[k]; !asked[q.ID] {
					asked[q.ID] = true
					l.reqs = append(l.reqs, sim.Request{ID: q.ID, Time: uint32(i), Size: q.Size})
				}
			}
		}
	}
	l.objects = len(ids)
	return l
}

// resized returns the load with every size replaced.
func (l load) resized(name string, capacity int64, size func(sim.Request) int64) load {
	reqs := slices.Clone(l.reqs)
	for i := range reqs {
		reqs[i].Size = size(reqs[i])
	}
	return load{name, reqs, l.objects, capacity}
}

// batch returns requests i to j-1 of a load, with their next accesses where the module asks for them.
func (s *suite) batch(l load, i, j int) sim.Batch {
	b := sim.Batch{Requests: l.reqs}
	if s.b.Needs()&sim.NeedsNext != 0 && len(l.reqs) > 0 {
		next, ok := s.next[&l.reqs[0]]
		if !ok {
			next = simtest.NextAccess(l.reqs, nil)
			s.next = map[*sim.Request][]uint32{&l.reqs[0]: next} // the loads come one after the other
		}
		b.Next = next
	}
	return b.Slice(i, j)
}

// served is what a module answered to a load.
type served struct {
	hit  []bool
	hits int
	time time.Duration // in Replay
}

// version is the way that checks of behaviour use: what finds the request of a
// fault most exactly.
func (s *suite) version() sim.Version {
	if slices.Contains(s.abis, wasm.Pair) {
		return sim.Version{Engine: s.engine, ABI: wasm.Pair, Handle: wasm.SRS}
	}
	return sim.Version{Engine: s.engine, ABI: s.abis[0], Handle: wasm.SRS}
}

// open makes an instance.
func (s *suite) open(ctx context.Context, v sim.Version, l load, heartbeat func()) (sim.Replayer, error) {
	r, _, err := s.Open(ctx, wasm.Config{
		Config:  sim.Config{Capacity: l.capacity, Objects: l.objects, Requests: len(l.reqs), Seed: s.Seed, Params: s.Params},
		Version: v, Binary: s.b, Declared: s.Declared, Memory: s.Memory, Stoppable: true, Keep: true, Heartbeat: heartbeat,
		Key: func(object uint32) string { return fmt.Sprintf("http://example.org/%d.html", object) },
	})
	return r, err
}

// serve passes a load to a new instance, cut requests at a time, and checks that
// the outcomes and counts are possible.
func (s *suite) serve(v sim.Version, l load, cut int) (served, error) {
	return guard(s, func(ctx context.Context, heartbeat func()) (out served, err error) {
		r, err := s.open(ctx, v, l, heartbeat)
		if err != nil {
			return out, err
		}
		defer r.Close()
		out.hit = make([]bool, len(l.reqs))
		law := NewResidency(l.capacity, l.objects)
		for i := 0; i < len(l.reqs); i += cut {
			j := min(i+cut, len(l.reqs))
			began := time.Now()
			err := r.Replay(s.batch(l, i, j), out.hit[i:j])
			out.time += time.Since(began)
			if t, ok := r.(sim.Timer); ok {
				out.time = t.Spent()
			}
			if err == nil {
				err = law.Add(l.reqs[i:j], out.hit[i:j])
			}
			if err != nil {
				return out, fmt.Errorf("%s, cache of %d bytes: %w", l.name, l.capacity, err)
			}
			heartbeat()
		}
		for _, h := range out.hit {
			if h {
				out.hits++
			}
		}
		return out, possible(r.Counts(), len(l.reqs)-out.hits, l)
	})
}

// possible compares a module's counts with its misses.
func possible(c sim.Counts, misses int, l load) error {
	switch {
	case c.Evictions > int64(misses):
		return fmt.Errorf("%s: evictions: expected at most the misses, %d, got %d", l.name, misses, c.Evictions)
	case c.Evictions < -1:
		return fmt.Errorf("%s: evictions: expected a number from 0, got %d", l.name, c.Evictions)
	case c.Admissions > int64(misses):
		return fmt.Errorf("%s: admissions: expected at most the misses, %d, got %d", l.name, misses, c.Admissions)
	case c.Admissions >= 0 && c.Evictions > c.Admissions:
		return fmt.Errorf("%s: evictions: expected at most the admissions, %d, got %d", l.name, c.Admissions, c.Evictions)
	}
	return nil
}

// guard runs f, and stops it when it makes no progress.
func guard[T any](s *suite, f func(ctx context.Context, heartbeat func()) (T, error)) (T, error) {
	return Watch(s.ctx, s.Timeout, f)
}

// ErrStalled is in the error of a module that made no progress.
var ErrStalled = errors.New("it may loop indefinitely")

// Watch runs f, which calls heartbeat whenever it makes progress. When it makes none
// for longer than timeout, or when ctx ends, the context of f ends, and Watch
// returns with an error; f is abandoned if it does not return then.
func Watch[T any](ctx context.Context, timeout time.Duration, f func(ctx context.Context, heartbeat func()) (T, error)) (T, error) {
	type end struct {
		v   T
		err error
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	var last atomic.Int64
	heartbeat := func() { last.Store(time.Now().UnixNano()) }
	heartbeat()
	done := make(chan end, 1)
	go func() {
		v, err := f(inner, heartbeat)
		done <- end{v, err}
	}()
	tick := time.NewTicker(max(time.Millisecond, timeout/20))
	defer tick.Stop()
	for {
		var why error
		select {
		case e := <-done:
			return e.v, e.err
		case <-ctx.Done():
			why = ctx.Err()
		case <-tick.C:
			if time.Since(time.Unix(0, last.Load())) > timeout {
				why = fmt.Errorf("expected an answer, got none for %v: %w", timeout, ErrStalled)
			}
		}
		if why == nil {
			continue
		}
		cancel()
		select { // let it end: its error may have more to say
		case e := <-done:
			if e.err != nil && ctx.Err() == nil {
				why = fmt.Errorf("%w (%v)", why, e.err)
			}
		case <-time.After(timeout):
		}
		var none T
		return none, why
	}
}

// same compares outcomes.
func same(l load, got, want served, gotName, wantName string) error {
	for i := range want.hit {
		if got.hit[i] != want.hit[i] {
			q := l.reqs[i]
			return fmt.Errorf("%s: request %d, for object %d of %d bytes: expected a %s, as with %s, got a %s with %s",
				l.name, i+1, q.ID, q.Size, outcome(want.hit[i]), wantName, outcome(got.hit[i]), gotName)
		}
	}
	return nil
}

func outcome(hit bool) string {
	if hit {
		return "hit"
	}
	return "miss"
}

func sentence(parts []string) string { return strings.Join(parts, ", ") }
