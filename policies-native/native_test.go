package native

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"cachesim/policies-native/policytest"
	"cachesim/sim"
)

func TestScripts(t *testing.T) {
	cases, err := policytest.Load("testdata/scripts")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, c := range cases {
		told[c.Policy] = true
		t.Run(fmt.Sprintf("%s/line=%d", c.Policy, c.Line), func(t *testing.T) {
			s, ok := ByName(c.Policy)
			if !ok {
				t.Fatalf("%s:%d: there is no policy %q", c.File, c.Line, c.Policy)
			}
			if err := c.Run(sim.Native(newPolicy(t, s, c.Capacity, c.Objects))); err != nil {
				t.Error(err)
			}
		})
	}
	for _, s := range All {
		if !told[s.Name] {
			t.Errorf("policy %s has no script in testdata/scripts", s.Name)
		}
	}
}

func TestByName(t *testing.T) {
	for _, s := range All {
		if got, ok := ByName(s.Name); !ok || got.Doc != s.Doc {
			t.Errorf("ByName(%q) = %+v, %v", s.Name, got, ok)
		}
	}
	if s, ok := ByName("LRU"); ok {
		t.Errorf("ByName(%q) = %+v, want none", "LRU", s)
	}
}

// TestLFUMemory sees to it that LFU needs no more buckets than it has stored
// objects, however many it evicts.
func TestLFUMemory(t *testing.T) {
	const objects, stored = 100, 10
	rng := rand.New(rand.NewPCG(1, 0))
	p := LFUSpec.New(sim.Config{Capacity: stored, Objects: objects}).(*LFU)
	for i := range 20000 {
		p.Access(sim.Request{ID: uint32(rng.IntN(1 + rng.IntN(objects))), Size: 1})
		if n := len(p.buckets); n > stored {
			t.Fatalf("after request %d there are %d buckets for %d stored objects", i+1, n, stored)
		}
	}
}

// TestHeap sets and pops keys, many of them equal, beside a sorted slice.
func TestHeap(t *testing.T) {
	const objects = 60
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		h := newHeap(objects)
		var want []entry // in the order of popping
		for step := range 5000 {
			// The heap grows and shrinks in turn.
			if len(want) > 0 && rng.IntN(10) < 3+4*(step/500%2) {
				id, key := h.top()
				if id != want[0].id || key != want[0].key {
					t.Fatalf("seed %d, step %d: top is object %d with key %v, want %d with %v", seed, step, id, key, want[0].id, want[0].key)
				}
				h.pop()
				want = want[1:]
				if h.has(id) {
					t.Fatalf("seed %d, step %d: object %d is in the heap after it was popped", seed, step, id)
				}
				continue
			}
			e := entry{id: uint32(rng.IntN(objects)), key: float64(rng.IntN(8))}
			i := slices.IndexFunc(want, func(w entry) bool { return w.id == e.id })
			if h.has(e.id) != (i >= 0) {
				t.Fatalf("seed %d, step %d: has(%d) is %v", seed, step, e.id, i < 0)
			}
			h.set(e.id, e.key)
			if i >= 0 {
				want = slices.Delete(want, i, i+1)
			}
			// Behind the keys that are not greater: equal ones are older.
			i = 0
			for i < len(want) && want[i].key <= e.key {
				i++
			}
			want = slices.Insert(want, i, e)
		}
		for _, w := range want {
			if id, key := h.top(); id != w.id || key != w.key {
				t.Fatalf("seed %d: at the end, top is object %d with key %v, want %d with %v", seed, id, key, w.id, w.key)
			}
			h.pop()
		}
	}
}
