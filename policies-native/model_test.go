package native_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	native "cachesim/policies-native"
	"cachesim/policies-native/models"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

var longer = flag.Int("longer", 0, "requests by which tiny traces are longer: each one takes 4 to 7 times as long")

// withoutModel lists the policies that have no model, and why.
var withoutModel = map[string]string{
	"lru+adaptsize": "maximizes a function numerically, where a rounding may decide: TestAdaptSizeModel compares the maxima",
}

func TestEveryPolicyHasAModel(t *testing.T) {
	for _, s := range specs(t) {
		_, without := withoutModel[s.Name]
		if without == (models.All[s.Name] != nil) {
			t.Errorf("policy %s has a model: %v; withoutModel lists it: %v", s.Name, models.All[s.Name] != nil, without)
		}
	}
	for name := range models.All {
		if _, ok := native.ByName(name); !ok {
			t.Errorf("there is a model of %s, which is no policy", name)
		}
	}
}

// between are settings in the middle of the ranges of parameters, which differ from the
// defaults in small caches too.
var between = []string{
	"2q:kin=0.5,kout=0.3",
	"camp:precision=2",
	"cacheus:history=2",
	"clock:bits=2",
	"clock-pro:cold-min=0.2,cold-max=0.6,non-resident=0.5",
	"clock2qplus:small=0.4,ghost=0.5,window=0.7",
	"fifo-merge:exam=5,keep=0.4",
	"hyperbolic:samples=3,size=1",
	"lecar:history=2,rate=0.9",
	"lhd:period=50,samples=20,admissions=2,app=3",
	"lirs:hir=0.3,stack=1.5",
	"lirs:hir=0.7,stack=3",
	"lru-k:k=3,history=20",
	"lru+exp-size:c=3",
	"lru+prob:p=0.3",
	"lru+second-hit:objects=30,fp=0.5",
	"merlin:filter=0.3,staging=0.2,ghost=0.5",
	"mq:queues=4,lifetime=10,out=1",
	"qdlp:small=0.3,ghost=0.5",
	"s3fifo:small=0.3,ghost=2,threshold=1,revised=1",
	"s4fifo:small=0.4,ghost=0.5,skip=0.6,threshold=1,ghosthits=1",
	"s4lru:segments=3,bounded=1",
	"slru:protected=0.4",
	"w-tinylfu:window=0.3,protected=0.5",
	"w-tinylfu:window=0.3,large=1,delay=0.9",
	"w-tinylfu-adaptive:window=0.3,protected=0.5,pivot=0.3,sample=0.4,decay=0.7,restart=0.1",
}

// withModel returns the settings of the policies that have a model.
func withModel(t testing.TB) []setting {
	var all []setting
	candidates := settings(t)
	for _, text := range between {
		candidates = append(candidates, parse(t, text))
	}
	for _, s := range candidates {
		if models.All[s.Name] != nil {
			all = append(all, s)
		}
	}
	return all
}

// TestTinyTraces compares every policy with its model on all traces of a few
// requests. Ids are dense, so object 1 is never requested before object 0.
func TestTinyTraces(t *testing.T) {
	for _, s := range withModel(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			shorter := -*longer
			if testing.Short() {
				shorter++
			}
			if s.name != s.Name || strings.Contains(s.Name, "+") {
				shorter++
			}
			if s.Name == "lhd" { // takes some 100 µs to make
				shorter += 2
			}
			ones := [][]int64{{1, 1, 1, 1}}
			s.checkTiny(t, 9-shorter, 4, false, ones, []int64{1, 2, 3})
			s.checkTiny(t, 6-shorter, 4, false, vectors(4, 0, 1, 2), []int64{0, 1, 2, 3, 4})
			s.checkTiny(t, 8-shorter, 3, true, ones, []int64{1, 2})
			s.checkTiny(t, 6-shorter, 3, true, vectors(3, 0, 1, 2), []int64{2, 3})
		})
	}
}

// vectors returns all vectors of n of the given sizes.
func vectors(n int, sizes ...int64) [][]int64 {
	all := [][]int64{nil}
	for range n {
		var longer [][]int64
		for _, v := range all {
			for _, s := range sizes {
				longer = append(longer, append(v[:len(v):len(v)], s))
			}
		}
		all = longer
	}
	return all
}

// checkTiny tries all sequences of length requests for up to objects objects
// and, with removals, of removals of objects that were requested; with the
// given sizes of the objects, and the capacities.
func (s setting) checkTiny(t *testing.T, length, objects int, removals bool, sizes [][]int64, capacities []int64) {
	tr := trace{objects: objects, reqs: make([]sim.Request, length)}
	if removals {
		tr.removed = make([]bool, length)
	}
	var extend func(at, known int)
	extend = func(at, known int) {
		if at == length {
			for k, v := range sizes {
				if repeats(sizes, k, known) {
					continue
				}
				for i := range tr.reqs {
					tr.reqs[i].Size = v[tr.reqs[i].ID]
				}
				for _, capacity := range capacities {
					s.checkModel(t, tr, capacity, 1)
				}
			}
			return
		}
		tr.reqs[at].Time = uint32(at)
		for id := range min(known+1, objects) {
			tr.reqs[at].ID = uint32(id)
			extend(at+1, max(known, id+1))
		}
		if removals && at < length-1 { // after a removal comes a request
			tr.removed[at] = true
			for id := range known {
				tr.reqs[at].ID = uint32(id)
				extend(at+1, known)
			}
			tr.removed[at] = false
		}
	}
	extend(0, 0)
}

// repeats reports whether sizes[k] is, for the first known objects, equal to the
// vector before it.
func repeats(sizes [][]int64, k, known int) bool {
	return k > 0 && slices.Equal(sizes[k][:known], sizes[k-1][:known])
}

// TestMixedTraces compares every policy with its model on longer traces.
func TestMixedTraces(t *testing.T) {
	for _, s := range withModel(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			traces, requests := uint64(18), 1000
			slow := s.Name == "lhd" && s.params["period"] < 1000 // it learns for 300 µs each time
			if testing.Short() || slow {
				traces = 5
			}
			for seed := range traces {
				objects := []int{10, 40, 150}[seed%3]
				largest := []int64{1, 20, 6}[seed/3%3]
				tr := mixed(seed, requests, objects, largest, seed%2 == 1)
				if seed%4 == 3 {
					tr = tr.resized(seed, largest)
				}
				for _, part := range []int64{20, 5, 2} {
					s.checkModel(t, tr, 1+tr.footprint()/part, 7)
				}
			}
			if !slow {
				tr := mixed(traces, 12000, 400, 3, true) // enough for sketches to fade
				s.checkModel(t, tr, 1+tr.footprint()/8, 100)
			}
		})
	}
}

// FuzzPolicies compares every policy with its model. Object i has sizes[i] bytes,
// cut to what the capacity allows, and every byte of order is a request or, from
// 224 on, a removal.
func FuzzPolicies(f *testing.F) {
	for _, c := range scripts(f) {
		capacity, sizes, order := c.Bytes()
		for i, removed := range c.Removed {
			if removed {
				order[i] += byte((removals + c.Objects - 1) / c.Objects * c.Objects)
			}
		}
		f.Add(capacity, sizes, order)
	}
	capacity, sizes, order := simtest.Mixed()
	f.Add(capacity, sizes, order)
	all := withModel(f)
	f.Fuzz(func(t *testing.T, capacity uint16, sizes, order []byte) {
		const most = 300 // requests; the models are slow
		order = order[:min(len(order), most)]
		tr := trace{name: "fuzz"}
		tr.reqs, tr.objects = simtest.FromBytes(capacity, sizes, order)
		tr.removed = make([]bool, len(tr.reqs))
		for i := range tr.reqs {
			tr.removed[i] = order[i] >= removals
			tr.reqs[i].Time = uint32(i)
		}
		for _, s := range all {
			s.checkModel(t, tr, int64(capacity), 1)
		}
	})
}

// removals is the first byte that FuzzPolicies takes for a removal.
const removals = 224
