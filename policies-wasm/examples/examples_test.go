package examples

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/conformance"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// TestNew writes a project in each language.
func TestNew(t *testing.T) {
	for _, l := range Languages {
		t.Run(l.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "mine")
			written, err := l.New(dir, "mine", "fifo")
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range written {
				b, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(b), "fifo.wasm") {
					t.Errorf("%s still has the name of the example", file)
				}
			}
			for _, file := range []string{l.Policy, l.Kit, "README.md", "build.sh", "test.sh"} {
				if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
					t.Error(err)
				}
			}
			policy, _ := os.ReadFile(filepath.Join(dir, l.Policy))
			if n := strings.Count(string(policy), "\n"); n > 30 {
				t.Errorf("%s has %d lines, want 30 or fewer", l.Policy, n)
			}
			if _, err := l.New(dir, "mine", "fifo"); err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("a second project in the same folder: error %v", err)
			}
		})
	}
}

// build makes a project in a language and builds it.
func build(t *testing.T, l Language, start string) *wasm.Binary {
	t.Helper()
	if err := l.Missing(); err != nil {
		if os.Getenv("CACHESIM_LANGUAGES") == "required" {
			t.Fatalf("%v, and CACHESIM_LANGUAGES=required", err)
		}
		t.Skipf("%v; CACHESIM_LANGUAGES=required has this fail", err)
	}
	dir := filepath.Join(t.TempDir(), "mine")
	if _, err := l.New(dir, "mine", start); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", filepath.Join(dir, "build.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := wasm.ReadFile(filepath.Join(dir, "mine.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPolicies builds every policy in each language whose tools are there, checks
// the module, and compares it with the native policy on each engine, request by
// request and removal by removal.
func TestPolicies(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes seconds")
	}
	for _, l := range Languages {
		for _, start := range Policies {
			t.Run(l.Name+"/"+start, func(t *testing.T) {
				t.Parallel()
				b := build(t, l, start)
				on := engines.Names(true)
				if l.Name == "go" { // compiling its runtime takes seconds elsewhere
					on = []string{"wazero"}
				}
				conformance.Run(t.Context(), b, conformance.Options{Engines: on[:1], Quick: start != "fifo"}, func(r conformance.Result) {
					if r.Status == conformance.Fail || r.Check == "removals" && r.Status != conformance.Pass {
						t.Error(r)
					}
				})
				if wit, err := l.WIT(); err == nil {
					w := build(t, wit, start)
					for _, e := range on {
						compare(t, w, sim.Version{Engine: e, ABI: wasm.WIT, Handle: wasm.Driver}, start)
					}
				}
				for _, e := range on {
					for _, v := range []sim.Version{{Engine: e, ABI: wasm.Pair, Handle: wasm.Driver}, {Engine: e, ABI: wasm.Batch, Handle: wasm.SRS}} {
						compare(t, b, v, start)
					}
				}
			})
		}
	}
}

// compare replays requests of a skewed popularity, and removals between them, with
// a module and the native policy.
func compare(t *testing.T, b *wasm.Binary, v sim.Version, policy string) {
	t.Helper()
	const objects, batches, each = 2000, 60, 500
	spec, ok := native.ByName(policy)
	if !ok {
		t.Fatal(policy)
	}
	c := sim.Config{Capacity: 40_000, Objects: objects, Requests: batches * each}
	want := sim.Native(spec.New(c))
	got, _, err := wasm.Open(t.Context(), wasm.Config{Config: c, Version: v, Binary: b, Memory: 1 << 28, Stoppable: true})
	if err != nil {
		t.Errorf("%s: %v", v, err)
		return
	}
	defer got.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(rng, 1.05, 3, objects-1)
	reqs := make([]sim.Request, each)
	hits, wanted := make([]bool, each), make([]bool, each)
	for i := range batches {
		for j := range reqs {
			id := uint32(zipf.Uint64())
			reqs[j] = sim.Request{ID: id, Time: uint32(i), Size: int64(id%97) * 7}
		}
		if err := errors.Join(want.Replay(sim.Batch{Requests: reqs}, wanted), got.Replay(sim.Batch{Requests: reqs}, hits)); err != nil {
			t.Errorf("%s: %v", v, err)
			return
		}
		for j := range reqs {
			if hits[j] != wanted[j] {
				t.Errorf("%s: request %d for object %d: hit is %v, natively %v", v, i*each+j+1, reqs[j].ID, hits[j], wanted[j])
				return
			}
		}
		for range 20 {
			id := uint32(zipf.Uint64())
			was, err := want.Remove(id)
			is, second := got.Remove(id)
			if is != was || err != nil || second != nil {
				t.Errorf("%s: removing object %d after %d batches: %v, natively %v (%v, %v)", v, id, i+1, is, was, second, err)
				return
			}
		}
	}
	if g, w := got.Counts().Evictions, want.Counts().Evictions; g != w {
		t.Errorf("%s: %d evictions, natively %d", v, g, w)
	}
}

func TestNames(t *testing.T) {
	l, err := Named("C")
	if err != nil || l.Name != "c" {
		t.Errorf("Named(C) is %v, %v", l.Name, err)
	}
	if _, err := Named("rusty"); err == nil || !strings.Contains(err.Error(), `"rust"`) {
		t.Errorf("an unknown language: %v", err)
	}
	for _, name := range []string{"", "Mine", "../mine", "a-b", "1a", "a b"} {
		if _, err := l.New(filepath.Join(t.TempDir(), "p"), name, "fifo"); err == nil {
			t.Errorf("%q names a policy", name)
		}
	}
}
