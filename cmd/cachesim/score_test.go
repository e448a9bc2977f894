package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suiteFile writes a suite of two traces in train and one in test.
func suiteFile(t *testing.T, more string) (path string, args []string) {
	t.Helper()
	a, b, c := smallTrace(t, 3000), smallTrace(t, 5000), smallTrace(t, 4000)
	content, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`version = 1
seed = 7
sizes = [0.1, 0.3]
%s
[[trace]]
file = %q
sha256 = "%x"
[[trace]]
file = %q
sizes = [0.2]
weight = 2
[[trace]]
file = %q
stage = "test"
`, more, a, sha256.Sum256(content), b, c)
	return file(t, "suite.toml", []byte(text)), []string{"--score-cache", t.TempDir(), "--trace-cache", "off"}
}

// scored runs score and reads what it printed.
func scored(t *testing.T, args ...string) (score, int, string) {
	t.Helper()
	stdout, stderr, code := cachesim(append([]string{"score"}, args...)...)
	var s score
	if err := json.Unmarshal([]byte(stdout), &s); err != nil && code != exitFailed {
		t.Fatalf("score %v: exit %d, %s%s: %v", args, code, stdout, stderr, err)
	}
	return s, code, stderr
}

func TestScore(t *testing.T) {
	suite, flags := suiteFile(t, "sample = 0.5")
	run := func(module string, more ...string) (score, int, string) {
		return scored(t, append(append([]string{module, "--suite", suite}, flags...), more...)...)
	}
	fifo, code, stderr := run(guestFile(t, "fifo"), "--twice")
	if code != 0 || !fifo.OK || fifo.CombinedScore == nil || *fifo.CombinedScore != 0 || fifo.Stage != "train" || len(fifo.Cells) != 3 || !fifo.Deterministic {
		t.Fatalf("fifo: exit %d, %+v, %s", code, fifo, stderr)
	}
	lru, _, _ := run(guestFile(t, "lru"))
	sum := 0.0
	for _, c := range lru.Cells {
		if c.VsLRU != 0 || c.MissRatio <= 0 || c.MissRatio > 1 || c.NSPerRequest <= 0 || c.BeladyGapClosed == nil || *c.BeladyGapClosed > 1 {
			t.Errorf("lru: %+v", c)
		}
		sum += c.VsFIFO
	}
	if want := (sum + lru.Cells[2].VsFIFO) / 4; *lru.CombinedScore-want > 1e-12 || want-*lru.CombinedScore > 1e-12 {
		t.Errorf("lru: combined score %v, want %v", *lru.CombinedScore, want)
	}
	if lru.Seed != 7 || len(lru.SuiteSHA256) != 64 || len(lru.ModuleSHA256) != 64 || lru.Cachesim == "" {
		t.Errorf("provenance: %+v", lru)
	}

	// Other numbers for the objects are no other outcome.
	other, _, _ := run(guestFile(t, "lru"), "--seed", "8")
	for i := range other.Cells {
		if other.Cells[i].Outcome != lru.Cells[i].Outcome || other.Seed != 8 {
			t.Errorf("with another seed: %+v, was %+v", other.Cells[i], lru.Cells[i])
		}
	}
	test, _, _ := run(guestFile(t, "lru"), "--stage", "test")
	if test.Stage != "test" || len(test.Cells) != 2 || test.Cells[0].Requests != 4000 {
		t.Errorf("test: %+v", test)
	}
	valid, _, _ := run(guestFile(t, "lru"), "--stage", "validate")
	if !valid.OK || valid.CombinedScore != nil || len(valid.Cells) != 0 {
		t.Errorf("validate: %+v", valid)
	}

	early, code, _ := run(guestFile(t, "lru"), "--bar", "0.9")
	if code != 0 || !early.OK || !early.EarlyStopped || *early.CombinedScore >= 0.9 || *early.CombinedScore < *lru.CombinedScore {
		t.Errorf("early stop: exit %d, %+v", code, early)
	}
	whole, _, _ := run(guestFile(t, "lru"), "--bar", fmt.Sprint(*lru.CombinedScore-1e-6))
	if whole.EarlyStopped || *whole.CombinedScore != *lru.CombinedScore {
		t.Errorf("a bar that is reached: %+v", whole)
	}
}

// TestScoreBaselines changes the kept baselines, to see that they are used, and the
// cache's capacity decides which.
func TestScoreBaselines(t *testing.T) {
	suite, flags := suiteFile(t, "")
	args := append([]string{guestFile(t, "fifo"), "--suite", suite}, flags...)
	if s, _, _ := scored(t, args...); *s.CombinedScore != 0 {
		t.Fatalf("%+v", s)
	}
	kept, err := filepath.Glob(filepath.Join(flags[1], "*.json"))
	if err != nil || len(kept) != 9 {
		t.Fatalf("%d baselines are kept, want 3 cells of 3 policies (%v)", len(kept), err)
	}
	for _, name := range kept {
		if err := os.WriteFile(name, []byte(`{"Misses": 1000000}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, _, _ := scored(t, args...); *s.CombinedScore < 0.9 {
		t.Errorf("the baselines were computed again: %+v", s)
	}
}

func TestScoreFaults(t *testing.T) {
	suite, flags := suiteFile(t, "[limits]\nmemory = \"1MiB\"\nprogress = \"300ms\"")
	const init = `(func (export "init") (param i64))`
	send := func(body string) string {
		return `(module (memory (export "memory") 1) ` + init + `(func (export "send") (param i32 i64) (result i32) ` + body + `))`
	}
	for _, tt := range []struct {
		name, wat, want string
		code            int
	}{
		{"no policy", `(module)`, "supports no calling convention", exitInvalid},
		{"imports", `(module (import "a" "b" (func)) ` + init + `(func (export "send") (param i32 i64) (result i32) i32.const 0))`, "a.b", exitInvalid},
		{"loops", send("(loop (br 0)) i32.const 0"), "none for 300ms", exitLimit},
		{"memory", `(module (memory 100) ` + init + `(func (export "send") (param i32 i64) (result i32) i32.const 0))`, "memory from the start", exitLimit},
		{"traps", send("unreachable"), "request 1", exitWrong},
		{"never evicts", send("(i32.load8_u (local.get 0)) (i32.store8 (local.get 0) (i32.const 1))"), "cannot have stored", exitWrong},
		// It behaves well at the capacities that validate has.
		{"traps later", `(module (global $c (mut i64) (i64.const 0)) (func (export "init") (param i64) (global.set $c (local.get 0)))
			(func (export "send") (param i32 i64) (result i32)
				(if (i32.and (i64.ne (global.get $c) (i64.const 1)) (i64.ne (global.get $c) (i64.const 100000))) (then unreachable)) i32.const 0))`, "small.tr at", exitWrong},
	} {
		s, code, stderr := scored(t, append([]string{module(t, "m.wasm", tt.wat), "--suite", suite}, flags...)...)
		if code != tt.code || s.Code != code || s.OK || s.CombinedScore != nil || s.Error == nil || !strings.Contains(*s.Error, tt.want) {
			t.Errorf("%s: exit %d, %+v, %s; want %d with %q", tt.name, code, s, stderr, tt.code, tt.want)
			if s.Error != nil {
				t.Error(*s.Error)
			}
		}
	}
	s, code, _ := scored(t, append([]string{file(t, "x.wasm", []byte("text")), "--suite", suite}, flags...)...)
	if code != exitInvalid || s.OK {
		t.Errorf("what is no module: exit %d, %+v", code, s)
	}
	s, code, _ = scored(t, append([]string{guestFile(t, "lru"), "--suite", suite, "--budget", "1ns"}, flags...)...)
	if code != exitLimit || s.OK {
		t.Errorf("no time: exit %d, %+v", code, s)
	}
}

func TestScoreSuites(t *testing.T) {
	for _, tt := range []struct{ suite, want string }{
		{"version = 2", "version"},
		{"version = 1", "no [[trace]]"},
		{"version = 1\nsize = [1]", `unknown key "size"`},
		{"version = 1\n[[trace]]\nfile = 'a'", "has no sizes"},
		{"version = 1\n[[trace]]\nfile = 'a'\nsizes = [2.0]", "sizes above 0"},
		{"version = 1\nsizes = [0.1]\n[[trace]]\nfile = 'a'\nstage = 'sample'", "train or test"},
		{"version = 1\nsizes = [0.1]\n[[trace]]\nfile = 'a'\n[limits]\nmemory = 'much'", "memory"},
		{"version = 1\nsizes = [0.1]\n[[trace]]\nfile = 'missing.tr'", "missing.tr"},
		{"version = 1\nsizes = [0.1]\n[[trace]]\nfile = '" + smallTrace(t, 10) + "'\nsha256 = '00'", "the suite expects 00"},
		{"version = 1\nsizes = [0.1]\n[[trace]]\nfile = '" + smallTrace(t, 10) + "'\nstage = 'test'", `no trace with stage = "train"`},
	} {
		_, code, stderr := scored(t, guestFile(t, "lru"), "--suite", file(t, "suite.toml", []byte(tt.suite)), "--score-cache", "off", "--trace-cache", "off")
		if code != exitFailed || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit %d, %s; want %q", tt.suite, code, stderr, tt.want)
		}
	}
}

func TestScoreServe(t *testing.T) {
	suite, flags := suiteFile(t, "")
	lru, bad := guestFile(t, "lru"), module(t, "bad.wasm", `(module)`)
	before := scoreInput
	defer func() { scoreInput = before }()
	scoreInput = strings.NewReader(fmt.Sprintf(`{"id": 1, "module": %q}
{"id": 2, "module": %q}

{"id": 3, "module": %q, "stage": "test"}
{"id": 4, "module": %q, "bar": 0.99}
{"id": 5}
no json
`, lru, bad, lru, lru))
	stdout, stderr, code := cachesim(append([]string{"score", "--serve", "--jobs", "2", "--suite", suite}, flags...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	got := make(map[string]score)
	for _, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
		var s score
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got[fmt.Sprint(s.ID)] = s
	}
	if len(got) != 6 {
		t.Fatalf("%d answers, want 6: %s", len(got), stdout)
	}
	if s := got["1"]; !s.OK || s.Module != lru || s.Stage != "train" || s.CombinedScore == nil {
		t.Errorf("1: %+v", s)
	}
	if s := got["2"]; s.OK || s.Code != exitInvalid {
		t.Errorf("2: %+v", s)
	}
	if s := got["3"]; !s.OK || s.Stage != "test" {
		t.Errorf("3: %+v", s)
	}
	if s := got["4"]; !s.EarlyStopped {
		t.Errorf("4: %+v", s)
	}
	for _, id := range []string{"5", "<nil>"} {
		if s := got[id]; s.OK || s.Code != exitFailed || s.Error == nil {
			t.Errorf("%s: %+v", id, s)
		}
	}
}
