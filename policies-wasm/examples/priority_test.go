package examples

import (
	"math/bits"
	"slices"
	"testing"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/conformance"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// TestPriority builds the scaffold with functions that make it a native policy, and
// with one that uses all that it can ask for, for which there is a model.
func TestPriority(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes seconds")
	}
	lines := map[string]struct{ lru, lfu, all string }{
		"c": {"return (double)o->last_access;", "return (double)o->count;", `
	double worth = (double)o->last_access;
	if (now > 700) {
		if (o->count > count_percentile(0.75)) worth += 500;
		if (o->size >= size_percentile(0.9)) worth -= 300;
		if (now - o->added > age_percentile(0.5)) worth += 50;
	}
	const evicted_info *e = history(id);
	if (e) worth += 100 * (double)e->count + 0.5 * (double)e->age;
	return worth - 0.25 * (double)(now - o->previous_access);`},
		"rust": {"o.last_access as f64", "o.count as f64", `
	let mut worth = o.last_access as f64;
	if now > 700 {
		if o.count > cache.count_percentile(0.75) { worth += 500.0 }
		if o.size >= cache.size_percentile(0.9) { worth -= 300.0 }
		if now - o.added > cache.age_percentile(0.5) { worth += 50.0 }
	}
	if let Some(e) = cache.history(id) { worth += 100.0 * e.count as f64 + 0.5 * e.age as f64 }
	worth - 0.25 * (now - o.previous_access) as f64`},
	}
	on := engines.Names(true)
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := Named(name)
			if err == nil {
				l, err = l.Priority()
			}
			if err != nil {
				t.Fatal(err)
			}
			lru, lfu, all := build(t, l, "fifo"), build(t, l, "fifo", line.lru, line.lfu), build(t, l, "fifo", line.lru, line.all)
			for _, b := range []*wasm.Binary{lru, all} {
				conformance.Run(t.Context(), b, conformance.Options{Engines: on[:1]}, func(r conformance.Result) {
					if r.Status == conformance.Fail || r.Check == "removals" && r.Status != conformance.Pass {
						t.Error(r)
					}
				})
			}
			for _, e := range on {
				v := sim.Version{Engine: e, ABI: wasm.Batch, Handle: wasm.SRS}
				compare(t, lru, v, builtin("lru"), 40_000)
				compare(t, lfu, v, builtin("lfu"), 40_000)
			}
			// Large enough that its tables grow.
			compare(t, all, sim.Version{Engine: on[0], ABI: wasm.Pair, Handle: wasm.Driver}, newPriorityModel, 250_000)
			wit, err := l.WIT()
			if err != nil {
				t.Fatal(err)
			}
			compare(t, build(t, wit, "fifo", line.lru, line.lfu), sim.Version{Engine: on[0], ABI: wasm.WIT, Handle: wasm.Driver}, builtin("lfu"), 40_000)
		})
	}
}

// priorityModel is the scaffold with the third function of TestPriority, in the
// plainest way.
type priorityModel struct {
	capacity, used, now, evictions, evictedBytes int64
	cached                                       map[uint32]*modelObject
	past                                         map[uint32]modelEvicted
}

type modelObject struct {
	size, count, last, previous, added int64
	worth                              float64
}

type modelEvicted struct{ count, age, at int64 }

func newPriorityModel(c sim.Config) sim.Policy {
	return &priorityModel{capacity: c.Capacity, cached: make(map[uint32]*modelObject), past: make(map[uint32]modelEvicted)}
}

// percentile returns that of the objects in the cache, by what of says of each.
func (p *priorityModel) percentile(share float64, of func(*modelObject) int64) int64 {
	var all []int64
	for _, o := range p.cached {
		all = append(all, of(o))
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(share*float64(len(all))))]
}

// rounded keeps the upper 8 bits.
func rounded(v int64) int64 {
	low := max(0, bits.Len64(uint64(v))-8)
	return v >> low << low
}

func (p *priorityModel) worth(id uint32, o *modelObject) float64 {
	worth := float64(o.last)
	if p.now > 700 {
		if o.count > p.percentile(0.75, func(o *modelObject) int64 { return rounded(o.count) }) {
			worth += 500
		}
		if o.size >= p.percentile(0.9, func(o *modelObject) int64 { return rounded(o.size) }) {
			worth -= 300
		}
		if p.now-o.added > p.percentile(0.5, func(o *modelObject) int64 { return p.now - o.added }) {
			worth += 50
		}
	}
	if e, ok := p.past[id]; ok && p.evictedBytes-e.at <= p.capacity {
		worth += float64(100*e.count) + float64(e.age)/2
	}
	return worth - float64(p.now-o.previous)/4
}

func (p *priorityModel) Access(r sim.Request) bool {
	p.now++
	o, hit := p.cached[r.ID]
	if !hit {
		for p.used+r.Size > p.capacity {
			p.evict()
		}
		o = &modelObject{size: r.Size, last: p.now, added: p.now}
		p.cached[r.ID] = o
		p.used += r.Size
	}
	o.count++
	o.previous, o.last = o.last, p.now
	o.worth = p.worth(r.ID, o)
	return hit
}

func (p *priorityModel) evict() {
	var least uint32
	var victim *modelObject
	for id, o := range p.cached {
		if victim == nil || o.worth < victim.worth || o.worth == victim.worth && o.last < victim.last {
			least, victim = id, o
		}
	}
	p.evictions++
	p.evictedBytes += victim.size
	p.past[least] = modelEvicted{victim.count, p.now - victim.added, p.evictedBytes}
	p.Remove(least)
}

func (p *priorityModel) Remove(id uint32) bool {
	o, ok := p.cached[id]
	if ok {
		p.used -= o.size
		delete(p.cached, id)
	}
	return ok
}

func (p *priorityModel) Evictions() int64 { return p.evictions }
