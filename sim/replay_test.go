package sim

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// traceOf makes a trace of requests in memory.
func traceOf(name string, reqs []Request, objectName func(id uint32) string) *Trace {
	var m Memory
	t := &Trace{Name: name, Digest: "5ac" + name, SizeRule: "first", Requests: len(reqs), Gets: len(reqs), ObjectName: objectName, Source: &m}
	for _, r := range reqs {
		m.Append(r, Get, 0)
		t.LargestSize = max(t.LargestSize, r.Size)
		t.Objects = max(t.Objects, int(r.ID)+1)
	}
	m.Objects = t.Objects
	return t
}

// requests returns all requests of a trace.
func requests(t *testing.T, tr *Trace) (all []Request) {
	t.Helper()
	if err := tr.Each(0, func(_ int, b Batch) error {
		all = append(all, b.Requests...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// letters makes a trace of a string: each letter is an object, as large as size
// says, or 1.
func letters(reqs string, size map[rune]int64) *Trace {
	ids := make(map[rune]uint32)
	var names []string
	var list []Request
	for _, c := range reqs {
		id, ok := ids[c]
		if !ok {
			id = uint32(len(names))
			ids[c] = id
			names = append(names, string(c))
		}
		s := int64(1)
		if n, ok := size[c]; ok {
			s = n
		}
		list = append(list, Request{ID: id, Size: s})
	}
	return traceOf("letters", list, func(id uint32) string { return names[id] })
}

// numbered makes a trace of n requests for objects named after their ids, with
// the sizes that size gives to each.
func numbered(n int, id func(i int) uint32, size func(id uint32) int64) *Trace {
	var list []Request
	for i := range n {
		list = append(list, Request{ID: id(i), Size: size(id(i))})
	}
	return traceOf("numbered", list, func(id uint32) string { return fmt.Sprint("n", id) })
}

// keepAll is a policy that never evicts, whatever the capacity: every request
// but an object's first is a hit. It notes what it is asked for.
type keepAll struct {
	has   map[uint32]bool
	asked []Request
}

func (k *keepAll) Access(r Request) bool {
	if k.has == nil {
		k.has = make(map[uint32]bool)
	}
	k.asked = append(k.asked, r)
	hit := k.has[r.ID]
	k.has[r.ID] = true
	return hit
}

// countsEvictions is a policy that knows how many objects it has evicted.
type countsEvictions struct {
	keepAll
	n int64
}

func (c *countsEvictions) Evictions() int64 { return c.n }

// opener makes an Opener that gives everyone the same.
func opener(f func(c Cell) Replayer) Opener {
	return func(_ context.Context, c Cell, _ *Trace, _ func()) (Replayer, Setup, error) {
		return f(c), Setup{}, nil
	}
}

// run1 runs policy p over t at a capacity and returns the one result.
func run1(tb testing.TB, t *Trace, capacity int64, p Policy) Measurement {
	tb.Helper()
	results, failures := Run(context.Background(), t, []Task{{Cell: Cell{
		Trace: t.Name, Requests: t.Requests, Policy: "p", Capacity: capacity, Version: Version{Engine: NativeEngine},
	}}}, opener(func(Cell) Replayer { return Native(p) }), Options{Jobs: 1, Repeat: 1})
	if len(failures) > 0 {
		tb.Fatal(failures[0])
	}
	if len(results) != 1 {
		tb.Fatalf("got %d results, want 1", len(results))
	}
	return results[0]
}

func TestRunCounts(t *testing.T) {
	tests := []struct {
		reqs     string
		size     map[rune]int64
		capacity int64
		want     Tally // its counts
		outcome  string
	}{
		{"", nil, 10, Tally{}, ""},
		{"a", nil, 10, Tally{Bytes: 1}, "."},
		{"abab", nil, 10, Tally{Bytes: 4, Hits: 2, HitBytes: 2}, "..HH"},
		{"abcaabb", map[rune]int64{'a': 5, 'b': 3}, 10, Tally{Bytes: 25, Hits: 4, HitBytes: 16}, "...HHHH"},
		{"aaa", map[rune]int64{'a': 0}, 10, Tally{Hits: 2}, ".HH"},
		{"aaa", map[rune]int64{'a': 10}, 10, Tally{Bytes: 30, Hits: 2, HitBytes: 20}, ".HH"},
		{"aaa", map[rune]int64{'a': 11}, 10, Tally{Bytes: 33, TooLarge: 3}, "..."},
		{"aLabLLba", map[rune]int64{'a': 2, 'L': 100}, 10, Tally{Bytes: 308, Hits: 3, HitBytes: 5, TooLarge: 3}, "..H...HH"},
	}
	for _, tt := range tests {
		t.Run(tt.reqs, func(t *testing.T) {
			var p keepAll
			r := run1(t, letters(tt.reqs, tt.size), tt.capacity, &p)
			tt.want.Gets = int64(len(tt.reqs))
			got := Tally{Gets: r.Gets, Hits: r.Hits, Bytes: r.Bytes, HitBytes: r.HitBytes, TooLarge: r.TooLarge}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if r.Outcome != outcomes(tt.outcome).Digest() {
				t.Errorf("outcomes are not %s", tt.outcome)
			}
			if !r.Whole || r.Timed || len(r.Replays) != 1 {
				t.Errorf("got %+v, want a whole trace replayed once", r)
			}
		})
	}
}

// TestRunCountsAcrossBatches compares with a loop over the whole trace. The
// engine replays 8192 requests at a time.
func TestRunCountsAcrossBatches(t *testing.T) {
	const capacity = 100
	often := func(i int) uint32 { return uint32(i * i % 977) }
	tests := []struct {
		name string
		n    int
		id   func(i int) uint32
		size func(id uint32) int64
	}{
		{"one less than a batch", BatchSize - 1, often, func(id uint32) int64 { return int64(id % 7) }},
		{"a batch", BatchSize, often, func(id uint32) int64 { return int64(id % 7) }},
		{"one more", BatchSize + 1, often, func(id uint32) int64 { return int64(id % 7) }},
		{"none too large", 3*BatchSize + 5, often, func(id uint32) int64 { return int64(id % 101) }},
		{"some too large", 3*BatchSize + 5, often, func(id uint32) int64 { return int64(id % 211) }},
		{"all too large", 2*BatchSize + 5, often, func(id uint32) int64 { return 101 + int64(id) }},
		{"too large at the borders", 3 * BatchSize, func(i int) uint32 {
			if i%BatchSize <= 1 || i%BatchSize >= BatchSize-2 {
				return 0
			}
			return uint32(1 + i%500)
		}, func(id uint32) int64 { return 101 - int64(id)%101 }},
		{"a batch of too large ones", 3 * BatchSize, func(i int) uint32 {
			if i/BatchSize == 1 {
				return uint32(i % 3)
			}
			return uint32(3 + i%5000)
		}, func(id uint32) int64 {
			if id < 3 {
				return 1 << 40
			}
			return 2
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := numbered(tt.n, tt.id, tt.size)
			want := Tally{Gets: int64(tt.n)}
			var fit []Request
			had := make(map[uint32]bool)
			hits := newOutcomes(tt.n)
			for i, r := range requests(t, tr) {
				want.Bytes += r.Size
				if r.Size > capacity {
					want.TooLarge++
					continue
				}
				fit = append(fit, r)
				if had[r.ID] {
					want.Hits++
					want.HitBytes += r.Size
					hits.set(i)
				}
				had[r.ID] = true
			}
			var p keepAll
			r := run1(t, tr, capacity, &p)
			got := Tally{Gets: r.Gets, Hits: r.Hits, Bytes: r.Bytes, HitBytes: r.HitBytes, TooLarge: r.TooLarge}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if r.Outcome != hits.Digest() {
				t.Error("the counts are right but the outcomes are not")
			}
			if len(p.asked) != len(fit) {
				t.Fatalf("the policy was asked %d times, want %d", len(p.asked), len(fit))
			}
			for i, r := range p.asked {
				if r != fit[i] {
					t.Fatalf("question %d to the policy: got %+v, want %+v", i+1, r, fit[i])
				}
			}
		})
	}
}

func TestRunPrefix(t *testing.T) {
	tr := letters("abab", nil)
	results, failures := Run(context.Background(), tr, []Task{{Cell: Cell{Requests: 3, Capacity: 9, Policy: "p", Version: Version{Engine: NativeEngine}}}},
		opener(func(Cell) Replayer { return Native(&keepAll{}) }), Options{Jobs: 1, Repeat: 1})
	if len(failures) > 0 || len(results) != 1 {
		t.Fatal(results, failures)
	}
	if r := results[0]; r.Whole || r.Bytes != 3 || r.Hits != 1 || r.Outcome != outcomes("..H").Digest() {
		t.Errorf("got %+v, want the first 3 requests only", r)
	}
}

func TestRunEvictions(t *testing.T) {
	tr := letters("aab", nil)
	if r := run1(t, tr, 10, &keepAll{}); r.Evictions != nil {
		t.Errorf("a policy that does not count: got %d evictions, want none known", *r.Evictions)
	}
	for _, n := range []int64{0, 7} {
		if r := run1(t, tr, 10, &countsEvictions{n: n}); r.Evictions == nil || *r.Evictions != n {
			t.Errorf("got %v evictions, want %d", r.Evictions, n)
		}
	}
}

// scripted is a Replayer that does what its functions say; those that are nil
// do nothing.
type scripted struct {
	replay func(reqs []Request, hit []bool) error
	counts func() Counts
	remove func(id uint32) bool
	close  func() error
}

func (s scripted) Replay(b Batch, hit []bool) error {
	clear(hit)
	if s.replay == nil {
		return nil
	}
	return s.replay(b.Requests, hit)
}

func (s scripted) CanRemove() bool { return s.remove != nil }

func (s scripted) Remove(id uint32) (bool, error) { return s.remove(id), nil }

func (s scripted) Counts() Counts {
	if s.counts == nil {
		return Counts{Evictions: -1, Admissions: -1, AdmittedBytes: -1}
	}
	return s.counts()
}

func (s scripted) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

var errBroken = errors.New("broken on purpose")
