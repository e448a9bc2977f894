package wasm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	native "cachesim/policies-native"
	"cachesim/policies-native/policytest"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// A version is a way to run a guest.
type version struct{ engine, abi, handle string }

func (v version) String() string {
	return fmt.Sprintf("engine=%s/abi=%s/handle=%s", v.engine, v.abi, v.handle)
}

// slow tells that a request costs microseconds.
func (v version) slow() bool { return v.handle == wasm.Uncached && v.abi != wasm.Batch }

// everyVersion runs f as a parallel subtest for each engine, ABI and handle. Engines that
// are not in this build are skipped, unless CACHESIM_ENGINES, a list with
// commas, names them.
func everyVersion(t *testing.T, f func(*testing.T, version)) {
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
		for _, abi := range wasm.ABIs {
			for _, handle := range wasm.Handles {
				if wasm.Combines(abi, handle) {
					v := version{e.Name, abi, handle}
					t.Run(v.String(), func(t *testing.T) {
						t.Parallel()
						f(t, v)
					})
				}
			}
		}
	}
}

// open makes a guest of the named policy.
func open(t *testing.T, policy string, v version, c sim.Config) sim.Replayer {
	t.Helper()
	b, ok := wasm.Builtin(policy)
	if !ok {
		t.Fatalf("policy %s has no guest", policy)
	}
	g, _, err := wasm.Open(context.Background(), wasm.Config{Config: c, Binary: b, Engine: v.engine, ABI: v.abi, Handle: v.handle})
	if err != nil {
		t.Fatalf("open %s on %v: %v", policy, v, err)
	}
	return g
}

// serve replays reqs in batches of the given lengths, and then the rest at once.
func serve(t *testing.T, p sim.Replayer, reqs []sim.Request, batches ...int) []bool {
	t.Helper()
	hit := make([]bool, len(reqs))
	start := 0
	for _, n := range append(batches, len(reqs)) {
		end := min(start+n, len(reqs))
		if err := p.Replay(reqs[start:end], hit[start:end]); err != nil {
			t.Fatalf("requests %d to %d: %v", start+1, end, err)
		}
		start = end
	}
	return hit
}

// same replays reqs through the named native policy and through its guest, which
// it closes. It fails the test at the first request whose outcomes differ, and
// where the evictions do.
func same(t *testing.T, policy string, c sim.Config, reqs []sim.Request, guest sim.Replayer, batches ...int) {
	t.Helper()
	defer guest.Close()
	spec, ok := native.ByName(policy)
	if !ok {
		t.Fatalf("there is no native policy %s", policy)
	}
	twin := sim.Native(spec.New(c))
	want := serve(t, twin, reqs)
	got := serve(t, guest, reqs, batches...)
	for i, r := range reqs {
		if got[i] != want[i] {
			t.Fatalf("%s: request %d of %d, for object %d of %d bytes: the guest's hit is %v, the native policy's %v",
				policy, i+1, len(reqs), r.ID, r.Size, got[i], want[i])
		}
	}
	e, known := guest.Evictions()
	if w, _ := twin.Evictions(); !known || e != w {
		t.Errorf("%s: the guest has evicted %d objects (known: %v), the native policy %d", policy, e, known, w)
	}
}

func TestScripts(t *testing.T) {
	cases, err := policytest.Load("../policies-native/testdata/scripts")
	if err != nil {
		t.Fatal(err)
	}
	everyVersion(t, func(t *testing.T, v version) {
		for _, c := range cases {
			g := open(t, c.Policy, v, sim.Config{Capacity: c.Capacity, Objects: c.Objects})
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
// ones as time goes on. Sizes go from 0 to 9999 bytes.
func drifting(seed uint64) []sim.Request {
	rng := rand.New(rand.NewPCG(seed, 0))
	rank := rand.NewZipf(rng, 1.1, 1, objects-1)
	reqs := make([]sim.Request, 20_000)
	for i := range reqs {
		id := (uint32(rank.Uint64()) + uint32(i/50)) % objects
		reqs[i] = sim.Request{ID: id, Time: uint32(i), Size: int64(id) * 7919 % 10_000}
	}
	return reqs
}

func TestNativeIsGuest(t *testing.T) {
	reqs := drifting(seed)
	c := sim.Config{Capacity: 400_000, Objects: objects}
	everyVersion(t, func(t *testing.T, v version) {
		t.Logf("the seed of the trace is %d", seed)
		reqs := reqs
		if v.slow() {
			reqs = reqs[:2000]
		}
		for _, s := range native.All {
			// The host passes at most 8192 requests into a guest at once.
			same(t, s.Name, c, reqs, open(t, s.Name, v, c), 1, 7, 8192, 8193)
		}
	})
}

// TestGuestsGrow keeps from guests how many objects there are, so that they have
// to make room as the objects come.
func TestGuestsGrow(t *testing.T) {
	t.Logf("the seed of the trace is %d", seed)
	reqs := drifting(seed)
	c := sim.Config{Capacity: 400_000, Objects: objects}
	for _, s := range native.All {
		guest := open(t, s.Name, version{engines.Names(true)[0], wasm.Batch, wasm.SRS}, sim.Config{Capacity: c.Capacity})
		same(t, s.Name, c, reqs, guest)
	}
}

// FuzzNativeIsGuest compares native policies with their guests on requests as
// policytest.FromBytes makes them; which chooses policy and version. Fuzz with
// -fuzzminimizetime 10x: an execution compiles a module, so that the minute that
// Go takes by default to make an interesting input smaller is spent on little.
func FuzzNativeIsGuest(f *testing.F) {
	var versions []version
	for _, e := range []string{"wazero", "cranelift"} {
		if slices.Contains(engines.Names(true), e) {
			versions = append(versions, version{e, wasm.Batch, wasm.SRS}, version{e, wasm.Pair, wasm.Driver})
		}
	}
	cases, err := policytest.Load("../policies-native/testdata/scripts")
	if err != nil {
		f.Fatal(err)
	}
	for which := range byte(len(native.All) * len(versions)) {
		capacity, sizes, order := policytest.Mixed()
		f.Add(which, capacity, sizes, order)
	}
	for i, c := range cases {
		capacity, sizes, order := c.Bytes()
		f.Add(byte(i), capacity, sizes, order)
	}
	f.Fuzz(func(t *testing.T, which byte, capacity uint16, sizes, order []byte) {
		reqs, objects := policytest.FromBytes(capacity, sizes, order)
		policy := native.All[int(which)%len(native.All)].Name
		v := versions[int(which)/len(native.All)%len(versions)]
		c := sim.Config{Capacity: int64(capacity), Objects: objects}
		same(t, policy, c, reqs, open(t, policy, v, c))
	})
}
