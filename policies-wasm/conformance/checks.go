package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	wasm "cachesim/policies-wasm"
	"cachesim/sim"
)

// run runs the checks in the order in which they are reported.
func (s *suite) run() {
	mixed := workload("mixed sizes", s.Seed, requests, 2000, 1000, 100_000)
	var want served // what everything else is compared with

	s.essential("module", func() (string, error) {
		return fmt.Sprintf("%d bytes, SHA-256 %s", len(s.b.Bytes), s.b.SHA256), s.b.Err()
	})
	s.essential("abi", func() (_ string, err error) {
		s.abis, err = s.b.ABIs(s.Declared)
		return sentence(s.abis), err
	})
	s.essential("engine", func() (string, error) { return s.firstEngine() })
	s.essential("hits", func() (_ string, err error) {
		want, err = s.serve(s.version(), mixed, 1)
		return fmt.Sprintf("%d of %d requests; each is for an object that the cache can have stored", want.hits, len(mixed.reqs)), err
	})
	s.check("deterministic", func() (string, error) { return s.twice(mixed, want) })
	if s.Quick {
		return
	}
	s.check("capacity", func() (string, error) { return s.counts(mixed) })
	s.check("restart", func() (string, error) { return s.restart(mixed, want) })
	s.check("batches", func() (string, error) {
		for _, cut := range []int{7, 1000, sim.BatchSize, len(mixed.reqs)} {
			got, err := s.serve(s.version(), mixed, cut)
			if err == nil {
				err = same(mixed, got, want, fmt.Sprintf("batches of %d", cut), "batches of 1")
			}
			if err != nil {
				return "", err
			}
		}
		return "the same outcomes however the requests are cut", nil
	})
	s.check("conventions", func() (string, error) { return s.conventions(mixed, want) })
	s.check("removals", func() (string, error) { return s.removals(mixed) })
	if len(s.Scripts) > 0 {
		s.check("scripts", s.scripts)
	}
	s.check("zero sizes", func() (string, error) {
		l := mixed.resized("sizes of 0", mixed.capacity, func(sim.Request) int64 { return 0 })
		half := mixed.resized("every second size 0", mixed.capacity, func(r sim.Request) int64 { return r.Size * int64(r.ID%2) })
		return "served", errors.Join(s.serves(l), s.serves(half))
	})
	s.check("one object", func() (string, error) {
		l := mixed.resized("room for one object", 1000, func(sim.Request) int64 { return 1000 })
		one := mixed.resized("a capacity of 1", 1, func(sim.Request) int64 { return 1 })
		return "served", errors.Join(s.serves(l), s.serves(one))
	})
	s.check("large sizes", func() (string, error) {
		l := mixed.resized("sizes beyond 32 bits", mixed.capacity<<33, func(r sim.Request) int64 { return r.Size << 33 })
		return "served", s.serves(l)
	})
	s.check("many objects", func() (string, error) {
		l := load{name: "objects requested twice", objects: 100_000, capacity: 10_000}
		for i := range 2 * l.objects {
			l.reqs = append(l.reqs, sim.Request{ID: uint32(i / 2 >> (i % 2)), Size: 1}) // a new one, an old one
		}
		how := "it is not told how many before, and grows with them"
		if s.b.Exports("reserve", "(i32) -> ()") || s.version().ABI == wasm.WIT {
			how = "it is told how many before"
		}
		return fmt.Sprintf("%d; %s", l.objects, how), s.serves(l)
	})
	s.engines(mixed, want)
}

// serves runs a load of which only the laws are known.
func (s *suite) serves(l load) error {
	_, err := s.serve(s.version(), l, 1000)
	return err
}

// firstEngine finds an engine for the checks of behaviour, on one request.
func (s *suite) firstEngine() (string, error) {
	one := load{"one request", []sim.Request{{ID: 0, Size: 1}}, 1, 1}
	var errs []error
	for _, e := range s.Engines {
		s.engine = e
		err := errors.New(wasm.Refuses(s.b, e))
		if err.Error() == "" {
			if _, err = s.serve(s.version(), one, 1); err == nil {
				return fmt.Sprintf("it starts and serves a request on %s", e), nil
			}
		}
		// The same error is said once.
		if !slices.ContainsFunc(errs, func(other error) bool { return other.Error() == err.Error() }) {
			errs = append(errs, fmt.Errorf("%s: %w", e, err))
		}
		if s.ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 0 {
		return "", errors.New("this build has no engine")
	}
	return "", errs[0]
}

// counts compares what the module reports of itself with its capacity, after each
// request. With sizes of 1 its counts have to agree with each other.
func (s *suite) counts(mixed load) (string, error) {
	var has []string
	for _, name := range []string{"used", "evictions", "admissions", "admitted_bytes"} {
		if s.b.Exports(name, "() -> i64") {
			has = append(has, name)
		}
	}
	if len(has) == 0 {
		return "", skipped{errors.New("it exports neither used nor evictions: only its hits are checked")}
	}
	unit := mixed.resized("sizes of 1", 300, func(sim.Request) int64 { return 1 })
	_, err := guard(s, func(ctx context.Context, heartbeat func()) (struct{}, error) {
		none := struct{}{}
		r, err := s.open(ctx, s.version(), unit, heartbeat)
		if err != nil {
			return none, err
		}
		defer r.Close()
		hit := make([]bool, 1)
		misses, last := int64(0), int64(0)
		for i := range unit.reqs {
			heartbeat()
			if err := r.Replay(s.batch(unit, i, i+1), hit); err != nil {
				return none, fmt.Errorf("%s: %w", unit.name, err)
			}
			if !hit[0] {
				misses++
			}
			c := r.Counts()
			if err := possible(c, int(misses), unit); err != nil {
				return none, fmt.Errorf("request %d: %w", i+1, err)
			}
			if c.Evictions >= 0 && c.Evictions < last {
				return none, fmt.Errorf("request %d: evictions: expected at least %d, as before it, got %d", i+1, last, c.Evictions)
			}
			last = c.Evictions
			if used, ok := wasm.Used(r); ok && c.Admissions >= 0 && c.Evictions >= 0 && used != c.Admissions-c.Evictions {
				return none, fmt.Errorf("request %d: used: expected %d objects of size 1, which is admissions less evictions, got %d", i+1, c.Admissions-c.Evictions, used)
			}
		}
		return none, nil
	})
	return sentence(has) + " contradict neither the capacity nor each other", err
}

// twice compares two instances that take turns.
func (s *suite) twice(l load, want served) (string, error) {
	_, err := guard(s, func(ctx context.Context, heartbeat func()) (struct{}, error) {
		var both [2]served
		var open [2]sim.Replayer
		for i := range open {
			r, err := s.open(ctx, s.version(), l, heartbeat)
			if err != nil {
				return struct{}{}, err
			}
			defer r.Close()
			open[i], both[i] = r, served{hit: make([]bool, len(l.reqs))}
		}
		const cut = 100
		for i := 0; i < len(l.reqs); i += cut {
			heartbeat()
			j := min(i+cut, len(l.reqs))
			for k := range open {
				if err := open[k].Replay(s.batch(l, i, j), both[k].hit[i:j]); err != nil {
					return struct{}{}, err
				}
			}
		}
		if err := same(l, both[1], both[0], "a second instance", "the first"); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, same(l, both[0], want, "an instance beside another", "one alone")
	})
	return "two instances have the same outcomes", err
}

// restart has a cache of another size served first.
func (s *suite) restart(l load, want served) (string, error) {
	other := l
	other.capacity *= 3
	if err := s.serves(other); err != nil {
		return "", err
	}
	got, err := s.serve(s.version(), l, 1)
	if err == nil {
		err = same(l, got, want, "an instance after others", "the first")
	}
	return "a new instance starts with an empty cache", err
}

// conventions compares every way to call the module on one engine.
func (s *suite) conventions(l load, want served) (string, error) {
	var ways []string
	for _, abi := range s.abis {
		for _, handle := range wasm.Handles {
			v := sim.Version{Engine: s.engine, ABI: abi, Handle: handle}
			if !wasm.Combines(abi, handle) {
				continue
			}
			got, err := s.serve(v, l, sim.BatchSize)
			if err != nil {
				return "", fmt.Errorf("%s: %w", v, err)
			}
			if err := same(l, got, want, v.String(), s.version().String()); err != nil {
				return "", err
			}
			ways = append(ways, abi+"/"+handle)
		}
	}
	return "the same outcomes with " + sentence(ways), nil
}

// removals removes objects between requests.
func (s *suite) removals(l load) (string, error) {
	if !s.b.Exports("remove", "(i32) -> i32") {
		return "", skipped{errors.New("it exports no remove: traces with deletes or times to live cannot be replayed with --ops apply")}
	}
	n, err := guard(s, func(ctx context.Context, heartbeat func()) (removed int, err error) {
		r, err := s.open(ctx, s.version(), l, heartbeat)
		if err != nil {
			return 0, err
		}
		defer r.Close()
		law := NewResidency(l.capacity, l.objects)
		gone := make([]bool, l.objects)
		hit := make([]bool, 1)
		l.reqs = slices.Clone(l.reqs)
		larger := map[uint32]int64{} // sizes that removed objects come back with
		for i := range l.reqs {
			q := &l.reqs[i]
			q.Size = max(q.Size, larger[q.ID])
			heartbeat()
			if err := r.Replay(s.batch(l, i, i+1), hit); err != nil {
				return 0, err
			}
			if hit[0] && gone[q.ID] {
				return 0, fmt.Errorf("request %d, for object %d: expected a miss, since it was removed after its last request, got a hit", i+1, q.ID)
			}
			if err := law.Add(l.reqs[i:i+1], hit); err != nil {
				return 0, err
			}
			gone[q.ID] = false
			if i%5 != 0 {
				continue
			}
			victim := l.reqs[i-i%3*(i/7)].ID
			if size := 3 * l.reqs[i-i%3*(i/7)].Size; size <= l.capacity {
				larger[victim] = size
			}
			was, err := r.Remove(victim)
			if err != nil {
				return 0, err
			}
			if was && gone[victim] {
				return 0, fmt.Errorf("remove(%d) after request %d: expected 0, since it was removed before, got 1", victim, i+1)
			}
			if hit[0] && victim == q.ID && !was {
				return 0, fmt.Errorf("remove(%d) after request %d, which hit it: expected 1, got 0", victim, i+1)
			}
			gone[victim] = true
			if was {
				removed++
			}
			again, err := r.Remove(victim)
			if err != nil {
				return 0, err
			}
			if again {
				return 0, fmt.Errorf("remove(%d) again after request %d: expected 0, got 1", victim, i+1)
			}
		}
		return removed, nil
	})
	return fmt.Sprintf("%d objects were removed, and their next requests missed", n), err
}

// scripts runs the cases of Options.Scripts.
func (s *suite) scripts() (string, error) {
	ran := 0
	for _, c := range s.Scripts {
		if strings.Contains(c.Policy, ":") || c.Removes() && !s.b.Exports("remove", "(i32) -> i32") {
			continue
		}
		ran++
		_, err := guard(s, func(ctx context.Context, heartbeat func()) (struct{}, error) {
			r, err := s.open(ctx, s.version(), load{capacity: c.Capacity, objects: c.Objects, reqs: c.Requests}, heartbeat)
			if err != nil {
				return struct{}{}, err
			}
			defer r.Close()
			return struct{}{}, c.Run(r)
		})
		if err != nil {
			return "", err
		}
	}
	detail := fmt.Sprintf("%d cases", ran)
	if left := len(s.Scripts) - ran; left > 0 {
		detail += fmt.Sprintf("; %d are left out, which are of a policy with parameters or have removals", left)
	}
	if ran == 0 {
		return "", skipped{errors.New(detail)}
	}
	return detail, nil
}

// engines compares the engines, and takes the time of each.
func (s *suite) engines(l load, want served) {
	if s.broken != "" {
		s.check("engines", nil)
		return
	}
	handle := wasm.Driver
	abi := s.version().ABI
	if slices.Contains(s.abis, wasm.Batch) {
		abi, handle = wasm.Batch, wasm.SRS
	}
	for _, e := range s.Engines {
		s.check("engine "+e, func() (string, error) {
			if why := wasm.Refuses(s.b, e); why != "" {
				return "", skipped{errors.New(why)}
			}
			v := sim.Version{Engine: e, ABI: abi, Handle: handle}
			got, err := s.serve(v, l, sim.BatchSize)
			if err != nil && strings.HasPrefix(err.Error(), "compile: ") { // it runs on another
				return "", skipped{fmt.Errorf("it does not run there: %w", err)}
			}
			if err == nil {
				err = same(l, got, want, v.String(), s.version().String())
			}
			return fmt.Sprintf("%.1f ns per request with %s/%s", float64(got.time.Nanoseconds())/float64(len(l.reqs)), abi, handle), err
		})
	}
}
