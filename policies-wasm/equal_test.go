package wasm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

// slow reports whether a request costs microseconds.
func slow(v sim.Version) bool { return v.Handle == wasm.Uncached && v.ABI != wasm.Batch }

// everyVersion runs f as a parallel subtest for each engine, ABI and handle; with
// -short, of the ABIs for pair and batch only, kept handles. Engines that are not in
// this build are skipped, unless CACHESIM_ENGINES, a list with
// commas, names them.
func everyVersion(t *testing.T, f func(*testing.T, sim.Version)) {
	t.Helper()
	var demanded []string
	if list := os.Getenv("CACHESIM_ENGINES"); list != "" {
		demanded = strings.Split(list, ",")
	}
	for _, name := range demanded {
		if !slices.Contains(engines.Names(false), name) {
			t.Errorf("CACHESIM_ENGINES wants the engine %q, which cachesim does not know", name)
		}
	}
	for _, e := range engines.All() {
		if e.Missing != "" {
			t.Run("engine="+e.Name, func(t *testing.T) {
				if slices.Contains(demanded, e.Name) {
					t.Fatalf("CACHESIM_ENGINES wants the engine %s: %s", e.Name, e.Missing)
				}
				t.Skip(e.Missing)
			})
			continue
		}
		for _, abi := range guestABIs() {
			for _, handle := range wasm.Handles {
				if testing.Short() && (abi != wasm.Pair && abi != wasm.Batch || handle == wasm.Uncached) {
					continue
				}
				if wasm.Combines(abi, handle) {
					v := sim.Version{Engine: e.Name, ABI: abi, Handle: handle}
					t.Run(fmt.Sprintf("engine=%s/abi=%s/handle=%s", v.Engine, v.ABI, v.Handle), func(t *testing.T) {
						t.Parallel()
						f(t, v)
					})
				}
			}
		}
	}
}

// A twin is a policy that has both a native version and a guest, with parameters
// as a script names it: "s3fifo:small=0.2".
type twin struct {
	name   string
	spec   sim.Spec
	params map[string]float64
	binary *wasm.Binary
}

// twins lists the embedded guests, each with the default parameters of its
// native version.
func twins(t testing.TB) []twin {
	t.Helper()
	var all []twin
	for _, name := range wasm.Builtins() {
		w, ok := twinOf(t, name)
		if !ok {
			t.Fatalf("the guest %s has no native version", name)
		}
		all = append(all, w)
	}
	return all
}

// twinOf finds a policy by its name with parameters; ok is false where it has no
// guest.
func twinOf(t testing.TB, policy string) (w twin, ok bool) {
	t.Helper()
	name, list, _ := strings.Cut(policy, ":")
	w.name = policy
	if w.binary, ok = wasm.Builtin(name); !ok {
		return w, false
	}
	if w.spec, ok = native.ByName(name); !ok {
		return w, false
	}
	given := make(map[string]float64)
	for _, pair := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		key, value, _ := strings.Cut(pair, "=")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("policy %s: %v", policy, err)
		}
		given[key] = v
	}
	var err error
	if w.params, err = sim.CheckParams(name, w.spec.Params, given); err != nil {
		t.Fatal(err)
	}
	return w, true
}

// open makes the policy's guest.
func (w twin) open(t testing.TB, v sim.Version, c sim.Config) sim.Replayer {
	t.Helper()
	c.Params = w.params
	g, _, err := wasm.Open(context.Background(), wasm.Config{Config: c, Binary: w.binary, Version: v})
	if err != nil {
		t.Fatalf("open %s on %v: %v", w.name, v, err)
	}
	return g
}

// serve replays reqs in batches of the given lengths, and then the rest at once.
// Where removed is set it removes the object instead, between batches.
func serve(t *testing.T, p sim.Replayer, reqs []sim.Request, removed []bool, batches ...int) []bool {
	t.Helper()
	hit := make([]bool, len(reqs))
	start := 0
	for _, n := range append(batches, len(reqs)) {
		end := min(start+n, len(reqs))
		out, err := simtest.Replay(p, reqs[start:end], removed[start:end])
		if err != nil {
			t.Fatalf("requests %d to %d: %v", start+1, end, err)
		}
		copy(hit[start:], out)
		start = end
	}
	return hit
}

// same replays reqs through the native policy and through its guest, which it
// closes. It fails the test at the first request whose outcomes differ, and
// where the counts do.
func (w twin) same(t *testing.T, c sim.Config, reqs []sim.Request, removed []bool, guest sim.Replayer, batches ...int) {
	t.Helper()
	defer guest.Close()
	if removed == nil {
		removed = make([]bool, len(reqs))
	}
	c.Params = w.params
	policy := sim.Native(w.spec.New(c))
	want := serve(t, policy, reqs, removed)
	got := serve(t, guest, reqs, removed, batches...)
	for i, r := range reqs {
		if got[i] != want[i] {
			t.Fatalf("%s: request %d of %d, for object %d of %d bytes (removal: %v): the guest found it: %v, the native policy: %v",
				w.name, i+1, len(reqs), r.ID, r.Size, removed[i], got[i], want[i])
		}
	}
	if g, n := guest.Counts(), policy.Counts(); g != n || g.Evictions < 0 {
		t.Errorf("%s: the guest has counted %+v, the native policy %+v", w.name, g, n)
	}
}

func TestScripts(t *testing.T) {
	cases, err := simtest.Load("../policies-native/testdata/scripts")
	if err != nil {
		t.Fatal(err)
	}
	everyVersion(t, func(t *testing.T, v sim.Version) {
		for _, c := range cases {
			w, ok := twinOf(t, c.Policy)
			if !ok {
				continue // it is native only
			}
			g := w.open(t, v, sim.Config{Capacity: c.Capacity, Objects: c.Objects})
			if err := c.Run(g); err != nil {
				t.Error(err)
			}
			g.Close()
		}
	})
}

const (
	seed    = 1
	objects = 3000 // that the drifting trace may request
)

// drifting makes a trace in which a few objects get most requests, and other
// ones as time goes on. Sizes go from 0 to 9999 bytes. One request in a hundred
// is a removal.
func drifting(seed uint64) (reqs []sim.Request, removed []bool) {
	rng := rand.New(rand.NewPCG(seed, 0))
	rank := rand.NewZipf(rng, 1.1, 1, objects-1)
	reqs, removed = make([]sim.Request, 20_000), make([]bool, 20_000)
	for i := range reqs {
		id := (uint32(rank.Uint64()) + uint32(i/50)) % objects
		reqs[i] = sim.Request{ID: id, Time: uint32(i), Size: int64(id) * 7919 % 10_000}
		removed[i] = rng.IntN(100) == 0
	}
	return reqs, removed
}

func TestNativeIsGuest(t *testing.T) {
	reqs, removed := drifting(seed)
	c := sim.Config{Capacity: 400_000, Objects: objects}
	everyVersion(t, func(t *testing.T, v sim.Version) {
		t.Logf("the seed of the trace is %d", seed)
		reqs := reqs
		if slow(v) {
			reqs = reqs[:2000]
		}
		for _, w := range twins(t) {
			// The host passes at most 8192 requests into a guest at once.
			w.same(t, c, reqs, nil, w.open(t, v, c), 1, 7, 8192, 8193)
			w.same(t, c, reqs[:2000], removed[:2000], w.open(t, v, c))
		}
	})
}

// TestGuestsGrow keeps from guests how many objects there are, so that they have
// to make room as the objects come.
func TestGuestsGrow(t *testing.T) {
	t.Logf("the seed of the trace is %d", seed)
	reqs, removed := drifting(seed)
	c := sim.Config{Capacity: 400_000, Objects: objects}
	for _, w := range twins(t) {
		guest := w.open(t, sim.Version{Engine: engines.Names(true)[0], ABI: wasm.Batch, Handle: wasm.SRS}, sim.Config{Capacity: c.Capacity})
		w.same(t, c, reqs, removed, guest)
	}
}

// TestGuestsResize gives objects other sizes after they were removed, while what a policy remembers
// of them has the old ones.
func TestGuestsResize(t *testing.T) {
	t.Logf("the seed of the trace is %d", seed)
	all, _ := drifting(seed)
	sizes := map[uint32]int64{}
	var reqs []sim.Request
	var removed []bool
	for i, r := range all {
		if size, ok := sizes[r.ID]; ok {
			r.Size = size
		}
		if i%10 == 0 {
			reqs, removed = append(reqs, r), append(removed, true)
			r.Size = r.Size/2 + int64(i%1000)
			sizes[r.ID] = r.Size
		}
		reqs, removed = append(reqs, r), append(removed, false)
	}
	c := sim.Config{Capacity: 400_000, Objects: objects}
	for _, w := range twins(t) {
		w.same(t, c, reqs, removed, w.open(t, sim.Version{Engine: engines.Names(true)[0], ABI: wasm.Batch, Handle: wasm.SRS}, c))
	}
}

// TestGuestsPreload has so many objects that guests load their nodes ahead. Where no
// nodes were reserved, objects that have none come late, in the middle of a batch.
func TestGuestsPreload(t *testing.T) {
	t.Logf("the seed of the trace is %d", seed)
	reqs, removed := drifting(seed)
	for i := range reqs {
		reqs[i].ID *= 100
		if i > 15_000 {
			reqs[i].ID += 1_500_000
		}
	}
	c := sim.Config{Capacity: 400_000, Objects: 1_500_000 + 100*objects}
	for _, w := range twins(t) {
		for _, reserved := range []int{c.Objects, 0} {
			for _, removed := range [][]bool{nil, removed} {
				v := sim.Version{Engine: engines.Names(true)[0], ABI: wasm.Batch, Handle: wasm.SRS}
				w.same(t, c, reqs, removed, w.open(t, v, sim.Config{Capacity: c.Capacity, Objects: reserved}))
			}
		}
	}
}

// FuzzNativeIsGuest compares native policies with their guests on requests as
// simtest.FromBytes makes them, every eighth of which is a removal if removals is
// set; which chooses policy and version. Fuzz with -fuzzminimizetime 10x: an
// execution compiles a module, so that the minute that Go takes by default to
// make an interesting input smaller is spent on little.
func FuzzNativeIsGuest(f *testing.F) {
	var versions []sim.Version
	for _, e := range []string{"wazero", "cranelift"} {
		if slices.Contains(engines.Names(true), e) {
			versions = append(versions,
				sim.Version{Engine: e, ABI: wasm.Batch, Handle: wasm.SRS},
				sim.Version{Engine: e, ABI: wasm.Pair, Handle: wasm.Driver})
		}
	}
	cases, err := simtest.Load("../policies-native/testdata/scripts")
	if err != nil {
		f.Fatal(err)
	}
	all := twins(f)
	for which := range byte(len(all) * len(versions)) {
		capacity, sizes, order := simtest.Mixed()
		f.Add(which, which%2 == 0, capacity, sizes, order)
	}
	for i, c := range cases {
		capacity, sizes, order := c.Bytes()
		f.Add(byte(i), c.Removes(), capacity, sizes, order)
	}
	f.Fuzz(func(t *testing.T, which byte, removals bool, capacity uint16, sizes, order []byte) {
		reqs, objects := simtest.FromBytes(capacity, sizes, order)
		removed := make([]bool, len(reqs))
		for i := range removed {
			removed[i] = removals && i%8 == 7
		}
		w := all[int(which)%len(all)]
		v := versions[int(which)/len(all)%len(versions)]
		c := sim.Config{Capacity: int64(capacity), Objects: objects}
		w.same(t, c, reqs, removed, w.open(t, v, c))
	})
}

// guestABIs are those that the embedded guests have.
func guestABIs() []string {
	return slices.DeleteFunc(slices.Clone(wasm.ABIs), func(abi string) bool { return abi == wasm.WIT })
}
