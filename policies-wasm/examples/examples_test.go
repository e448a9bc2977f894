package examples

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// build makes a project in a language, replaces texts of its policy, and builds it.
func build(t *testing.T, l Language, start string, replace ...string) *wasm.Binary {
	t.Helper()
	missing, env := l.Missing, os.Environ()
	if l.bindgen {
		env = rustEnv()
		missing = func() error { return currentRust(env) }
	}
	if err := missing(); err != nil {
		if os.Getenv("CACHESIM_LANGUAGES") == "required" {
			t.Fatalf("%v, and CACHESIM_LANGUAGES=required", err)
		}
		t.Skipf("%v; CACHESIM_LANGUAGES=required has this fail", err)
	}
	dir := filepath.Join(t.TempDir(), "mine")
	if _, err := l.New(dir, "mine", start); err != nil {
		t.Fatal(err)
	}
	if policy := filepath.Join(dir, l.Policy); len(replace) > 0 {
		text, err := os.ReadFile(policy)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer(replace...).Replace(string(text))
		if changed == string(text) {
			t.Fatalf("nothing was replaced in %s", text)
		}
		if err := os.WriteFile(policy, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("sh", filepath.Join(dir, "build.sh"))
	command.Env = env
	out, err := command.CombinedOutput()
	if err != nil || strings.Contains(string(out), "warning") {
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
						compare(t, w, sim.Version{Engine: e, ABI: wasm.WIT, Handle: wasm.Driver}, builtin(start), 40_000)
					}
				}
				for _, e := range on {
					for _, v := range []sim.Version{{Engine: e, ABI: wasm.Pair, Handle: wasm.Driver}, {Engine: e, ABI: wasm.Batch, Handle: wasm.SRS}} {
						compare(t, b, v, builtin(start), 40_000)
					}
				}
			})
		}
	}
}

// builtin makes a native policy.
func builtin(name string) func(sim.Config) sim.Policy {
	spec, ok := native.ByName(name)
	if !ok {
		panic(name)
	}
	return spec.New
}

// compare replays requests of a skewed popularity, and removals between them, with
// a module and a native policy.
func compare(t *testing.T, b *wasm.Binary, v sim.Version, policy func(sim.Config) sim.Policy, capacity int64) {
	t.Helper()
	const objects, batches, each = 2000, 30, 500
	c := sim.Config{Capacity: capacity, Objects: objects, Requests: batches * each}
	want := sim.Native(policy(c))
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
			if !got.CanRemove() {
				break
			}
			id := uint32(zipf.Uint64())
			was, err := want.Remove(id)
			is, second := got.Remove(id)
			if is != was || err != nil || second != nil {
				t.Errorf("%s: removing object %d after %d batches: %v, natively %v (%v, %v)", v, id, i+1, is, was, second, err)
				return
			}
		}
	}
	if g, w := got.Counts().Evictions, want.Counts().Evictions; g != w && g >= 0 {
		t.Errorf("%s: %d evictions, natively %d", v, g, w)
	}
}

// TestBindgen builds a project on the crate wit-bindgen, checks the module, and
// compares it with the native policy.
func TestBindgen(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes seconds")
	}
	l, err := Named("rust")
	if err == nil {
		l, err = l.Bindgen()
	}
	if err != nil {
		t.Fatal(err)
	}
	b := build(t, l, "sieve")
	if abis, err := b.ABIs(""); err != nil || !slices.Equal(abis, []string{wasm.WIT}) || len(b.Imports()) > 0 {
		t.Errorf("ABIs %v, %v, imports %v", abis, err, b.Imports())
	}
	for _, e := range engines.Names(true) {
		if wasm.Refuses(b, e) == "" {
			compare(t, b, sim.Version{Engine: e, ABI: wasm.WIT, Handle: wasm.Driver}, builtin("sieve"), 40_000)
		}
	}
	conformance.Run(t.Context(), b, conformance.Options{Engines: engines.Names(true)[:1]}, func(r conformance.Result) {
		if r.Status == conformance.Fail {
			t.Error(r)
		}
	})
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
