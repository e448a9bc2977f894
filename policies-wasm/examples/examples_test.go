package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/conformance"
)

// TestNew writes a project in each language and, where its tools are, builds the
// project and checks the module.
func TestNew(t *testing.T) {
	for _, l := range Languages {
		t.Run(l.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "mine")
			written, err := l.New(dir, "mine")
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
			if _, err := l.New(dir, "mine"); err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("a second project in the same folder: error %v", err)
			}
			if testing.Short() {
				t.Skip("building takes seconds")
			}
			if err := l.Missing(); err != nil {
				t.Skip(err)
			}
			if out, err := exec.Command("sh", filepath.Join(dir, "build.sh")).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			b, err := wasm.ReadFile(filepath.Join(dir, "mine.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			engines := []string{"wazero"} // of what Go makes compiling takes seconds elsewhere
			if l.Name != "go" {
				engines = nil
			}
			ok := conformance.Run(t.Context(), b, conformance.Options{Engines: engines}, func(r conformance.Result) {
				if r.Status == conformance.Fail || r.Check == "removals" && r.Status != conformance.Pass {
					t.Error(r)
				}
			})
			if !ok {
				t.Error("it fails")
			}
		})
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
		if _, err := l.New(filepath.Join(t.TempDir(), "p"), name); err == nil {
			t.Errorf("%q names a policy", name)
		}
	}
}
