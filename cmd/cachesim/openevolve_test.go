package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// openevolveStub has of OpenEvolve what evaluator.py imports, and calls it as it is
// called there.
const openevolveStub = `
import dataclasses, importlib.util, json, sys, types
@dataclasses.dataclass
class EvaluationResult:
    metrics: dict
    artifacts: dict = dataclasses.field(default_factory=dict)
package, module = types.ModuleType("openevolve"), types.ModuleType("openevolve.evaluation_result")
module.EvaluationResult = EvaluationResult
sys.modules |= {"openevolve": package, "openevolve.evaluation_result": module}
spec = importlib.util.spec_from_file_location("evaluator", sys.argv[1])
evaluator = importlib.util.module_from_spec(spec)
spec.loader.exec_module(evaluator)
for stage in ["evaluate_stage1", "evaluate_stage2", "evaluate"]:
    r = getattr(evaluator, stage)(sys.argv[2])
    assert all(isinstance(v, (int, float)) for v in r.metrics.values()), r.metrics
print(json.dumps([r.metrics, r.artifacts]))
`

// TestOpenEvolve has the example evaluate a policy that is FIFO, one that does not
// compile, one that does not evict, and a function that makes the scaffold LRU.
func TestOpenEvolve(t *testing.T) {
	for _, tool := range []string{"python3", "clang", "wasm-ld"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(dir, "cachesim")
	if err := os.WriteFile(command, []byte("#!/bin/sh\nCACHESIM_TEST_MAIN=1 exec \""+self+"\" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	suite, _ := suiteFile(t, "sample = 0.5")
	t.Setenv("CACHESIM", command)
	t.Setenv("SUITE", suite)
	kit := filepath.Join(dir, "project")
	if _, stderr, code := cachesim("policy", "new", "mine", "--lang", "c", "--scaffold", "priority", "--out", kit); code != 0 {
		t.Fatal(stderr)
	}
	t.Setenv("KIT", kit)
	lru, _, _ := scored(t, guestFile(t, "lru"), "--suite", suite, "--score-cache", "off", "--trace-cache", "off")
	t.Setenv("XDG_CACHE_HOME", dir)
	fifo, err := os.ReadFile(filepath.Join("..", "..", "policies-wasm", "examples", "c", "policy.c"))
	if err != nil {
		t.Fatal(err)
	}
	function, err := os.ReadFile(filepath.Join(kit, "policy.c"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, source, artifact string
		score                  float64
	}{
		{"fifo", string(fifo), "", 0},
		{"function", string(function), "", *lru.CombinedScore},
		{"does not compile", "int x = ;", "stderr", -1},
		{"does not evict", "#include \"kit.h\"\nstatic int access(uint32_t o, int64_t s) { if (has(o)) return 1; nodes[o].stored = s + 1; return 0; }", "error", -1},
	} {
		program := file(t, "program.c", []byte(tt.source))
		cmd := exec.Command("python3", "-c", openevolveStub, filepath.Join("..", "..", "policies-wasm", "examples", "openevolve", "evaluator.py"), program)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", tt.name, err, err.(*exec.ExitError).Stderr)
		}
		var r []map[string]any
		if err := json.Unmarshal(out, &r); err != nil || len(r) != 2 {
			t.Fatalf("%s: %v: %s", tt.name, err, out)
		}
		if r[0]["combined_score"] != tt.score {
			t.Errorf("%s: %v, want a score of %v", tt.name, r, tt.score)
		}
		if text, _ := r[1][tt.artifact].(string); tt.artifact != "" && text == "" || tt.artifact == "" && len(r[1]) > 0 {
			t.Errorf("%s: artifacts %v, want %q", tt.name, r[1], tt.artifact)
		}
	}
}
