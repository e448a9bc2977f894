package wasm_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/examples"
	"cachesim/sim"
)

// TestExamples builds the example modules whose tools are installed, and compares
// them with the native FIFO.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds modules")
	}
	reqs, _ := drifting(seed)
	reqs = reqs[:5000]
	c := sim.Config{Capacity: 400_000, Objects: objects}
	spec, _ := native.ByName("fifo")
	for _, l := range examples.Languages {
		language := l.Name
		t.Run(language, func(t *testing.T) {
			if err := l.Missing(); err != nil {
				t.Skip(err)
			}
			dir := t.TempDir()
			if out, err := exec.Command("sh", filepath.Join("examples", language, "build.sh"), dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			b, err := wasm.ReadFile(filepath.Join(dir, "fifo.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			for _, engine := range engines.Names(true) {
				if wasm.Refuses(b, engine) != "" || language == "go" && engine != "wazero" && engine != "cranelift" {
					continue // compiling 1.8 MB takes seconds, and Singlepass has no reference types
				}
				g, _, err := wasm.Open(t.Context(), wasm.Config{
					Config: c, Binary: b, Memory: 1 << 30, Stoppable: true,
					Version: sim.Version{Engine: engine, ABI: wasm.Pair, Handle: wasm.Driver},
				})
				if err != nil {
					t.Errorf("%s: %v", engine, err)
					continue
				}
				policy := sim.Native(spec.New(c))
				none := make([]bool, len(reqs))
				want, got := serve(t, policy, reqs, none), serve(t, g, reqs, none)
				if !slices.Equal(got, want) {
					t.Errorf("%s: other outcomes than the native policy's", engine)
				}
				if g.Counts().Evictions != policy.Counts().Evictions {
					t.Errorf("%s: %d evictions, want %d", engine, g.Counts().Evictions, policy.Counts().Evictions)
				}
				g.Close()
			}
		})
	}
}
