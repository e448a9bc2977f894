package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/conformance"
	"cachesim/sim"
)

// TestABIPage takes the modules of docs/ABI.md from the page, builds each with the
// command in its first line, checks it, and compares it with the native FIFO.
func TestABIPage(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes seconds")
	}
	page, err := os.ReadFile("../../docs/ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"c": "c", "rust": "rust", "zig": "zig", "ts": "assemblyscript", "go": "go"}
	missing := func(name string) error {
		if name == "rust" {
			return currentRust(rustEnv())
		}
		l, err := Named(name)
		if err != nil {
			return err
		}
		return l.Missing()
	}
	found := regexp.MustCompile("(?s)```([a-z]+)\n// ([^\n]*)\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(found) != len(names) {
		t.Errorf("%d modules on the page, want %d", len(found), len(names))
	}
	for _, block := range found {
		name, command, text := block[1], block[2], block[3]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := missing(names[name]); err != nil {
				if os.Getenv("CACHESIM_LANGUAGES") == "required" {
					t.Fatalf("%v, and CACHESIM_LANGUAGES=required", err)
				}
				t.Skip(err)
			}
			dir := t.TempDir()
			source := regexp.MustCompile(`fifo\.(c|rs|zig|ts|go)`).FindString(command)
			if err := os.WriteFile(filepath.Join(dir, source), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			build := exec.Command("sh", "-c", command)
			build.Dir, build.Env = dir, rustEnv()
			if out, err := build.CombinedOutput(); err != nil || strings.Contains(string(out), "warning") {
				t.Fatalf("%s: %v: %s", command, err, out)
			}
			b, err := wasm.ReadFile(filepath.Join(dir, "fifo.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			conformance.Run(t.Context(), b, conformance.Options{Engines: []string{"wazero"}}, func(r conformance.Result) {
				if r.Status == conformance.Fail {
					t.Error(r)
				}
			})
			compare(t, b, sim.Version{Engine: "wazero", ABI: wasm.Pair, Handle: wasm.Driver}, builtin("fifo"), 40_000)
		})
	}
}

// rustEnv is the environment with the commands first that CACHESIM_RUST has, if it
// is set: those of a Rust for the edition of 2024 and for current crates, which the
// one that RUSTC names for the kit need not be.
func rustEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "RUSTC=") })
	if dir := os.Getenv("CACHESIM_RUST"); dir != "" {
		env = append(env, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"),
			"CARGO_TARGET_DIR="+filepath.Join(dir, "..", "target")) // crates are compiled once
	}
	return env
}
