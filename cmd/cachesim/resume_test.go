package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cachesim/sim/results"
)

// start runs cachesim as a process of its own.
func start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), "CACHESIM_TEST_MAIN=1")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func tableOf(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestKilled kills a run at random moments and resumes it, until it ends by
// itself: its table is that of a run that was left alone.
func TestKilled(t *testing.T) {
	trace := smallTrace(t, 200_000)
	command := func(dir string) []string {
		return []string{"run", trace, "--policy", "fifo,lru,lfu,gdsize", "--size", "500..60000", "--timing-requests", "none", "--quiet", "--format", "svg", "--out", dir}
	}
	whole := t.TempDir()
	began := time.Now()
	if _, stderr, code := cachesim(command(whole)...); code != 0 {
		t.Fatal(stderr)
	}
	took := time.Since(began)
	want := tableOf(t, whole, "results.csv")

	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("the seed of the moments is %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	killed := 0
	for range 10 {
		c := start(t, append(command(dir), "--resume")...)
		timer := time.AfterFunc(time.Duration(rng.Int64N(int64(took)+1)), func() { _ = c.Process.Kill() })
		if err := c.Wait(); err != nil {
			killed++
		}
		timer.Stop()
	}
	t.Logf("%d of 10 runs were killed", killed)
	if _, stderr, code := cachesim(append(command(dir), "--resume")...); code != 0 {
		t.Fatal(stderr)
	}
	if got := tableOf(t, dir, "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Resumed once more there is nothing left to do.
	_, stderr, code := cachesim(append(command(dir), "--resume")...)
	if lines := strings.Count(want, "\n") - 1; code != 0 || !strings.Contains(stderr, fmt.Sprintf("%d of %d cells are in", lines, lines)) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestShards merges four shards that ran at the same time: the result is that
// of one run.
func TestShards(t *testing.T) {
	trace := smallTrace(t, 3000)
	args := []string{"run", trace, "--policy", "fifo,lru,lfu,gdsize", "--size", "10%..80%,7%,33%", "--timing-requests", "none", "--quiet", "--format", "svg"}
	whole := t.TempDir()
	if _, stderr, code := cachesim(append(args, "--out", whole)...); code != 0 {
		t.Fatal(stderr)
	}
	var shards []*exec.Cmd
	var dirs []string
	for i := range 4 {
		dir := t.TempDir()
		dirs = append(dirs, dir)
		shards = append(shards, start(t, append(args, "--out", dir, "--shard", fmt.Sprintf("%d/4", i+1))...))
	}
	for _, c := range shards {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	merged := t.TempDir()
	if _, stderr, code := cachesim(append([]string{"merge", "--out", merged, "--format", "svg"}, dirs...)...); code != 0 {
		t.Fatal(stderr)
	}
	for _, name := range []string{"results.csv", "hit-ratio.svg"} {
		if got, want := tableOf(t, merged, name), tableOf(t, whole, name); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestTwoRunsOneFolder has two processes write to one folder at the same time.
func TestTwoRunsOneFolder(t *testing.T) {
	trace, dir := smallTrace(t, 50_000), t.TempDir()
	var runs []*exec.Cmd
	for _, policies := range []string{"fifo,lru", "lfu,gdsize"} {
		runs = append(runs, start(t, "run", trace, "--policy", policies, "--timing-requests", "none", "--quiet", "--format", "svg", "--out", dir))
	}
	for _, c := range runs {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	set, err := results.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Runs) != 2 || len(set.Results) != 4*8 {
		t.Errorf("%d runs with %d results, want 2 with 32", len(set.Runs), len(set.Results))
	}
}

// TestSecondRunAdds runs twice into one folder: results and figures are of both
// runs, and nothing of an earlier figure is left.
func TestSecondRunAdds(t *testing.T) {
	trace, dir := smallTrace(t, 500), t.TempDir()
	if _, stderr, code := cachesim("run", trace, "--policy", "lru", "--quiet", "--repeat", "1", "--format", "svg,png", "--out", dir); code != 0 {
		t.Fatal(stderr)
	}
	_, stderr, code := cachesim("run", trace, "--policy", "fifo", "--quiet", "--timing-requests", "none", "--format", "svg", "--out", dir)
	if code != 0 || !strings.Contains(stderr, "results of earlier runs") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	policies := map[string]int{}
	for _, r := range readCSV(t, dir, "results.csv") {
		policies[r["policy"]]++
	}
	if policies["lru"] != 8 || policies["fifo"] != 8 {
		t.Errorf("rows by policy: %v, want 8 of each", policies)
	}
	if b := tableOf(t, dir, "hit-ratio.svg"); !strings.Contains(b, "LRU") && !strings.Contains(b, "lru") {
		t.Error("the figure has no lru")
	}
	if _, err := os.Stat(filepath.Join(dir, "hit-ratio.png")); err == nil {
		t.Error("a figure of the first run is left")
	}
}

// TestResumeRefuses does not mix versions unless told to.
func TestResumeRefuses(t *testing.T) {
	trace, dir := smallTrace(t, 500), t.TempDir()
	args := []string{"run", trace, "--policy", "lru", "--quiet", "--timing-requests", "none", "--format", "svg", "--out", dir}
	if _, stderr, code := cachesim(args...); code != 0 {
		t.Fatal(stderr)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "journal", "*.jsonl"))
	b, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte(`"version":"`), []byte(`"version":"older-`), 1)
	if err := os.WriteFile(names[0], b, 0o666); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := cachesim(append(args, "--resume")...)
	if code != 1 || !strings.Contains(stderr, "older-") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if _, stderr, code := cachesim(append(args, "--resume", "--any-version")...); code != 0 || !strings.Contains(stderr, "8 of 8 cells") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestRetryFailed leaves a failed cell out until it is told to run it again.
func TestRetryFailed(t *testing.T) {
	trace, dir := smallTrace(t, 500), t.TempDir()
	traps := module(t, "traps.wasm", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) unreachable))`)
	args := []string{"run", trace, "--policy", "lru," + traps, "--size", "1KiB", "--quiet", "--timing-requests", "none", "--format", "svg", "--out", dir}
	for _, tt := range []struct {
		args []string
		want int
	}{
		{args, 1},
		{append(args, "--resume"), 0},
		{append(args, "--resume", "--retry-failed"), 1},
	} {
		if _, stderr, code := cachesim(tt.args...); code != tt.want {
			t.Errorf("%v: exit %d, want %d: %s", tt.args, code, tt.want, stderr)
		}
	}
}

// TestReadOnlyFolder says so before any work is done.
func TestReadOnlyFolder(t *testing.T) {
	_, stderr, code := cachesim("run", smallTrace(t, 10), "--out", "/proc/cachesim")
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "--out") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// TestNoEmptyFolder leaves no folder behind where the trace cannot be read.
func TestNoEmptyFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	if _, _, code := cachesim("run", "nowhere.tr", "--out", dir); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("an empty folder is left")
	}
}

func TestParseShard(t *testing.T) {
	tests := []struct {
		text string
		env  map[string]string
		want shard // zero: refused
	}{
		{"", nil, shard{1, 1}},
		{"2/8", nil, shard{2, 8}},
		{"0/8", nil, shard{}},
		{"9/8", nil, shard{}},
		{"x", nil, shard{}},
		{"env", nil, shard{}},
		{"env", map[string]string{"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "4"}, shard{1, 4}},
		{"env", map[string]string{"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4"}, shard{1, 4}},
		{"env/4", map[string]string{"JOB_COMPLETION_INDEX": "3"}, shard{4, 4}},
		{"env", map[string]string{"JOB_COMPLETION_INDEX": "3"}, shard{}},
		{"env", map[string]string{"SGE_TASK_ID": "2", "SGE_TASK_LAST": "6"}, shard{3, 6}},
		{"env", map[string]string{"SGE_TASK_ID": "undefined", "PBS_ARRAY_INDEX": "1", "PBS_ARRAY_COUNT": "2"}, shard{2, 2}},
		{"env", map[string]string{"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "5"}, shard{1, 5}},
		{"env", map[string]string{"LSB_JOBINDEX": "5", "LSB_JOBINDEX_END": "5"}, shard{1, 5}},
		{"env/3", map[string]string{"PBS_ARRAYID": "2"}, shard{3, 3}},
		{"env", map[string]string{"PBS_ARRAYID": "2"}, shard{}},
	}
	for _, tt := range tests {
		got, err := parseShard(tt.text, func(name string) string { return tt.env[name] })
		if (err != nil) != (tt.want == shard{}) || err == nil && got != tt.want {
			t.Errorf("%s in %v: got %v, %v, want %v", tt.text, tt.env, got, err, tt.want)
		}
	}
}

// TestWindow writes a series beside the results.
func TestWindow(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := cachesim("run", smallTrace(t, 3000), "--policy", "lru", "--size", "10%", "--warmup", "10%", "--window", "500", "--timing-requests", "none", "--quiet", "--format", "svg", "--out", dir)
	if code != 0 || !strings.Contains(stdout, "after a warm-up of 300 requests") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	var gets, warm []string
	for _, r := range readCSV(t, dir, "series.csv") {
		gets, warm = append(gets, r["gets"]), append(warm, r["warmup"])
	}
	if got := strings.Join(gets, " "); got != "300 200 500 500 500 500 500" || warm[0] != "true" || warm[1] != "false" {
		t.Errorf("got intervals of %s gets, warm-up %v", got, warm)
	}
	if r := readCSV(t, dir, "results.csv")[0]; r["gets"] != "2700" || r["warmup"] != "300" {
		t.Errorf("got %v", r)
	}
}

// TestKeepsMoreThanItMay has a module that never evicts.
func TestKeepsMoreThanItMay(t *testing.T) {
	greedy := module(t, "greedy.wasm", `(module (memory 1)
		(func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32)
			(local i32)
			(local.set 2 (i32.load8_u (local.get 0)))
			(i32.store8 (local.get 0) (i32.const 1))
			(local.get 2)))`)
	_, stderr, code := cachesim("run", smallTrace(t, 3000), "--policy", "lru,"+greedy, "--size", "5%,100%", "--timing-requests", "none", "--quiet", "--format", "svg", "--out", t.TempDir())
	if code != 0 || strings.Count(stderr, "warning: greedy.wasm") != 1 || !strings.Contains(stderr, "it keeps more than its capacity") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
