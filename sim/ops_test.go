package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// lruList is LRU over a plain list, the most recently used object first.
type lruList struct {
	capacity, evicted int64
	list              []Request
}

func (l *lruList) Access(r Request) bool {
	i := slices.IndexFunc(l.list, func(q Request) bool { return q.ID == r.ID })
	if i >= 0 {
		l.list = slices.Insert(slices.Delete(l.list, i, i+1), 0, r)
		return true
	}
	for l.used()+r.Size > l.capacity {
		l.list = l.list[:len(l.list)-1]
		l.evicted++
	}
	l.list = slices.Insert(l.list, 0, r)
	return false
}

func (l *lruList) used() (n int64) {
	for _, q := range l.list {
		n += q.Size
	}
	return n
}

func (l *lruList) Remove(id uint32) bool {
	i := slices.IndexFunc(l.list, func(q Request) bool { return q.ID == id })
	if i >= 0 {
		l.list = slices.Delete(l.list, i, i+1)
	}
	return i >= 0
}

func (l *lruList) Evictions() int64 { return l.evicted }

// operation is a request with its operation and time to live.
type operation struct {
	Request
	op  Op
	ttl uint32
}

func traceOfOps(ops []operation) *Trace {
	t := traceOf("ops", nil, func(id uint32) string { return fmt.Sprint("n", id) })
	m := t.Source.(*Memory)
	for _, o := range ops {
		m.Append(o.Request, o.op, o.ttl)
		t.Objects = max(t.Objects, int(o.ID)+1)
		t.LargestSize = max(t.LargestSize, o.Size)
		t.Span = max(t.Span, o.Time)
		if o.op == Get {
			t.Gets++
		}
	}
	m.Objects, t.Requests, t.Columns, t.Tick = t.Objects, len(ops), m.Columns(), time.Second
	return t
}

// model counts what a cache with deletes, times to live and sizes that vary by a rule comes to,
// request by request.
func model(ops []operation, capacity int64, sizeRule string) (t Tally, hits []bool) {
	cache := &lruList{capacity: capacity}
	sizes := map[uint32]int64{}
	expires, last := map[uint32]uint64{}, map[uint32]uint32{}
	for _, o := range ops {
		hit := false
		if o.ttl == 0 {
			o.ttl = last[o.ID]
		}
		if o.op == Delete {
			t.Deletes++
			cache.Remove(o.ID)
			hits = append(hits, false)
			continue
		}
		if o.op == Get {
			t.Gets++
			t.Bytes += o.Size
		} else {
			t.Sets++
		}
		before, known := sizes[o.ID]
		sizes[o.ID] = o.Size
		resized := known && before != o.Size
		if o.Size > capacity {
			if resized {
				cache.Remove(o.ID)
			}
			if o.op == Get {
				t.TooLarge++
			}
			hits = append(hits, false)
			continue
		}
		last[o.ID] = o.ttl
		if until, ok := expires[o.ID]; o.op == Get && ok && until <= uint64(o.Time) && cache.Remove(o.ID) {
			t.Expired++
		}
		updated := resized && cache.Remove(o.ID) && sizeRule == SizeUpdates
		hit = cache.Access(o.Request)
		if !hit || o.op == Set {
			delete(expires, o.ID)
			if o.ttl > 0 {
				expires[o.ID] = uint64(o.Time) + uint64(o.ttl)
			}
		}
		hit = hit || updated
		if hit && o.op == Get {
			t.Hits++
			t.HitBytes += o.Size
		}
		hits = append(hits, hit)
	}
	t.Evictions = &cache.evicted
	return t, hits
}

func TestOperations(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		objects := 1 + rng.IntN(12)
		sizes := make([]int64, objects)
		for i := range sizes {
			sizes[i] = rng.Int64N(6)
		}
		rule := []string{"first", SizeUpdates, SizeReplaces}[seed/3%3]
		var ops []operation
		now := uint32(0)
		changes := 0
		for range rng.IntN(400) {
			now += uint32(rng.IntN(3))
			id := uint32(rng.IntN(objects))
			if rule != "first" && rng.IntN(8) == 0 {
				sizes[id] = rng.Int64N(12)
				changes++
			}
			o := operation{Request: Request{id, now, sizes[id]}}
			switch n := rng.IntN(10); {
			case n == 0:
				o.op = Delete
			case n < 3:
				o.op = Set
			}
			if seed%3 > 0 && rng.IntN(2) == 0 {
				o.ttl = uint32(1 + rng.IntN(20))
			}
			ops = append(ops, o)
		}
		if len(ops) == 0 {
			continue
		}
		const capacity = 10
		tr := traceOfOps(ops)
		tr.SizeRule, tr.SizeChanges = rule, changes
		want, hits := model(ops, capacity, rule)
		got, err := replay(context.Background(), Native(&lruList{capacity: capacity}), tr,
			Cell{Requests: len(ops), Capacity: capacity}, 0, nil)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if *got.Evictions != *want.Evictions {
			t.Fatalf("seed %d: got %d evictions, want %d", seed, *got.Evictions, *want.Evictions)
		}
		tally := got.Tally
		tally.Evictions, tally.Admissions, tally.AdmittedBytes, want.Evictions = nil, nil, nil, nil
		if tally != want {
			t.Fatalf("seed %d: got %+v, want %+v", seed, tally, want)
		}
		for i, h := range hits {
			if got.out.Hit(i) != h {
				t.Fatalf("seed %d: request %d %+v: got hit %v, want %v", seed, i, ops[i], got.out.Hit(i), h)
			}
		}
	}
}

func TestOperationsNeedRemove(t *testing.T) {
	tr := traceOfOps([]operation{{Request: Request{ID: 0, Size: 1}}, {Request: Request{ID: 0, Size: 1}, op: Delete}})
	_, failures := Run(t.Context(), tr, []Task{{Cell: cell(tr, "p", NativeEngine)}}, opener(func(Cell) Replayer { return Native(&keepAll{}) }), Options{Jobs: 1, Repeat: 1})
	if len(failures) != 1 {
		t.Fatal("a policy without Remove replays a trace with deletes")
	}
}

// TestHitAfterRemove has a policy that keeps what was removed.
func TestHitAfterRemove(t *testing.T) {
	tr := traceOfOps([]operation{{Request: Request{ID: 0}}, {Request: Request{ID: 0}, op: Delete}, {Request: Request{ID: 0}}})
	_, err := replay(t.Context(), scripted{
		replay: func(_ []Request, hit []bool) error { hit[0] = true; return nil },
		remove: func(uint32) bool { return true },
	}, tr, Cell{Requests: 3, Capacity: 1}, 0, nil)
	if err == nil {
		t.Error("a hit on a removed object passes")
	}
}

func TestWarmup(t *testing.T) {
	tr := letters("abcabcdabcd", nil)
	for warmup := range 12 {
		p := &lruList{capacity: 3}
		got, err := replay(t.Context(), Native(p), tr, Cell{Requests: 11, Warmup: warmup, Capacity: 3}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		whole := &lruList{capacity: 3}
		var hits, evicted, misses int64
		for i, r := range requests(t, tr) {
			before := whole.evicted
			hit := whole.Access(r)
			if i < warmup {
				continue
			}
			evicted += whole.evicted - before
			if hit {
				hits++
			} else {
				misses++
			}
		}
		if got.Hits != hits || got.Gets != int64(11-warmup) || *got.Evictions != evicted || *got.Admissions != misses || *got.AdmittedBytes != misses {
			t.Errorf("warm-up %d: got %+v (%d evictions, %d admissions), want %d hits, %d evictions, %d admissions",
				warmup, got.Tally, *got.Evictions, *got.Admissions, hits, evicted, misses)
		}
	}
}

func TestUnitsAndMetadata(t *testing.T) {
	tr := letters("aabbca", map[rune]int64{'a': 5, 'b': 100, 'c': 2})
	tests := []struct {
		cell   Cell
		passed []int64 // sizes that the policy sees
		want   Tally
	}{
		{Cell{Capacity: 2, Unit: UnitObjects}, []int64{1, 1, 1, 1, 1, 1}, Tally{Gets: 6, Hits: 2, Bytes: 217, HitBytes: 105}},
		{Cell{Capacity: 50, Metadata: 3}, []int64{8, 8, 5, 8}, Tally{Gets: 6, Hits: 2, Bytes: 217, HitBytes: 10, TooLarge: 2}},
		{Cell{Capacity: 102, Metadata: 3}, []int64{8, 8, 5, 8}, Tally{Gets: 6, Hits: 2, Bytes: 217, HitBytes: 10, TooLarge: 2}},
		{Cell{Capacity: 103, Metadata: 3, Unit: UnitBytes}, []int64{8, 8, 103, 103, 5, 8}, Tally{Gets: 6, Hits: 2, Bytes: 217, HitBytes: 105}},
	}
	for _, tt := range tests {
		tt.cell.Requests = 6
		var passed []int64
		cache := &lruList{capacity: tt.cell.Capacity}
		got, err := replay(t.Context(), scripted{replay: func(reqs []Request, hit []bool) error {
			for i, r := range reqs {
				passed = append(passed, r.Size)
				hit[i] = cache.Access(r)
			}
			return nil
		}}, tr, tt.cell, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Tally != tt.want || !slices.Equal(passed, tt.passed) {
			t.Errorf("%+v: got %+v with sizes %v, want %+v with %v", tt.cell, got.Tally, passed, tt.want, tt.passed)
		}
	}
}

func TestSeries(t *testing.T) {
	var list []Request
	for i := range 20 {
		list = append(list, Request{ID: uint32(i % 3), Time: uint32(i * 2), Size: 10})
	}
	tr := traceOf("timed", list, func(id uint32) string { return fmt.Sprint(id) })
	tr.Tick = time.Second
	tests := []struct {
		window Window
		warmup int
		starts []int
		gets   []int64
	}{
		{Window{Requests: 8}, 0, []int{0, 8, 16}, []int64{8, 8, 4}},
		{Window{Time: 10 * time.Second}, 0, []int{0, 5, 10, 15}, []int64{5, 5, 5, 5}},
		{Window{Requests: 8}, 3, []int{0, 3, 8, 16}, []int64{3, 5, 8, 4}},
		{Window{}, 0, nil, nil},
	}
	for _, tt := range tests {
		got, err := replay(t.Context(), Native(&keepAll{}), tr, Cell{Requests: 20, Warmup: tt.warmup, Window: tt.window, Capacity: 100}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		var starts []int
		var gets []int64
		var hits int64
		for _, v := range got.series {
			starts, gets = append(starts, v.Start), append(gets, v.Gets)
			if v.Warmup != (v.Start < tt.warmup) || v.Bytes != 10*v.Gets || v.HitBytes != 10*v.Hits {
				t.Errorf("%+v: interval %+v", tt.window, v)
			}
			hits += v.Hits
		}
		if !slices.Equal(starts, tt.starts) || !slices.Equal(gets, tt.gets) {
			t.Errorf("%+v: got starts %v with %v gets, want %v with %v", tt.window, starts, gets, tt.starts, tt.gets)
		}
		if tt.starts != nil && hits != 17 {
			t.Errorf("%+v: %d hits in all, want 17", tt.window, hits)
		}
	}
}

// foresight checks what it is told of the future.
type foresight struct {
	keepAll
	next []uint32
}

func (f *foresight) AccessNext(r Request, next uint32) bool {
	f.next = append(f.next, next)
	return f.Access(r)
}

func TestNextAccess(t *testing.T) {
	tr := letters("abacLbL", map[rune]int64{'L': 100})
	tests := []struct {
		requests int
		want     []uint32
	}{
		{7, []uint32{2, 5, Never, Never, Never}},
		{5, []uint32{2, Never, Never, Never}},
	}
	for _, tt := range tests {
		for _, capacity := range []int64{50, 1000} {
			f := &foresight{}
			if _, err := replay(t.Context(), Native(f), tr, Cell{Requests: tt.requests, Capacity: capacity}, NeedsNext, nil); err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if capacity == 1000 && tt.requests == 7 {
				want = []uint32{2, 5, Never, Never, 6, Never, Never}
			} else if capacity == 1000 {
				want = []uint32{2, Never, Never, Never, Never}
			}
			if !slices.Equal(f.next, want) {
				t.Errorf("%d requests at %d: got %v, want %v", tt.requests, capacity, f.next, want)
			}
		}
	}
	ops := []operation{{Request: Request{ID: 0}}, {Request: Request{ID: 0}, op: Set}, {Request: Request{ID: 0}}, {Request: Request{ID: 0}, op: Delete}, {Request: Request{ID: 0}}}
	var next []uint32
	err := traceOfOps(ops).Each(ColumnNext, func(_ int, b Batch) error { next = append(next, b.Next...); return nil })
	if want := []uint32{Never, 2, Never, 4, Never}; err != nil || !slices.Equal(next, want) {
		t.Errorf("with operations: got %v (%v), want %v", next, err, want)
	}
	// Where another size is a miss, the request for it is no access to what is stored.
	sized := traceOfOps([]operation{{Request: Request{Size: 2}}, {Request: Request{Size: 2}}, {Request: Request{Size: 3}}, {Request: Request{Size: 2}}})
	sized.Source.(*Memory).SizeReplaces = true
	next = nil
	err = sized.Each(ColumnNext, func(_ int, b Batch) error { next = append(next, b.Next...); return nil })
	if want := []uint32{1, Never, Never, Never}; err != nil || !slices.Equal(next, want) {
		t.Errorf("with other sizes: got %v (%v), want %v", next, err, want)
	}
}

// TestMemoryLimit lets no more cells run at a time than the memory allows.
func TestMemoryLimit(t *testing.T) {
	tr := letters("ab", nil)
	var tasks []Task
	for i := range 8 {
		c := cell(tr, fmt.Sprint("p", i), NativeEngine)
		tasks = append(tasks, Task{Cell: c, Memory: []int64{40, 90, 60, 1000}[i%4]})
	}
	var used, most = make(chan int64, 1), int64(0)
	used <- 0
	need := func(c Cell) int64 {
		for _, task := range tasks {
			if task.Cell == c {
				return min(task.Memory, 100)
			}
		}
		return 0
	}
	results, failures := runOrFail(t, t.Context(), tr, tasks, opener(func(c Cell) Replayer {
		n := <-used + need(c)
		most = max(most, n)
		used <- n
		return scripted{close: func() error { used <- <-used - need(c); return nil }}
	}), Options{Jobs: 4, Repeat: 1, Memory: 100})
	if len(failures) > 0 || len(results) != len(tasks) {
		t.Fatal(results, failures)
	}
	if most > 100 {
		t.Errorf("cells of %d bytes ran at a time, want at most 100", most)
	}
}

// A trace whose operations are all gets has the results of one without operations, which is replayed
// in another way.
func TestGetsOnly(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	known := map[int]uint32{}
	ids := make([]uint32, 2*BatchSize+100)
	for i := range ids {
		k := rng.IntN(200)
		if _, ok := known[k]; !ok {
			known[k] = uint32(len(known))
		}
		ids[i] = known[k]
	}
	tr := numbered(len(ids), func(i int) uint32 { return ids[i] }, func(id uint32) int64 { return int64(id*id%97) + 1 })
	ops := *tr
	var m Memory
	for _, r := range requests(t, tr) {
		m.Append(r, Get, 0)
	}
	m.ops = column[Op](m.reqs)
	m.Objects = tr.Objects
	ops.Source, ops.Columns = &m, ColumnOps
	for _, c := range []Cell{
		{Capacity: 1000},
		{Capacity: 60},
		{Capacity: 1}, // few objects are as small
		{Capacity: 80, Metadata: 10},
		{Capacity: 20, Unit: UnitObjects},
		{Capacity: 60, Warmup: 1234, Window: Window{Requests: 5000}},
	} {
		c.Requests = tr.Requests - 7
		var all [2]replayed
		for i, of := range []*Trace{tr, &ops} {
			var err error
			if all[i], err = replay(t.Context(), Native(&lruList{capacity: c.Capacity}), of, c, 0, nil); err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			all[i].time = 0
		}
		if !reflect.DeepEqual(all[0], all[1]) {
			t.Errorf("%+v:\n got %+v\nwant %+v", c, all[0].Tally, all[1].Tally)
		}
	}
}
