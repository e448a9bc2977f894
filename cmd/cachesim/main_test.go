package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
	"cachesim/sim/plan"
	"cachesim/sim/results"
)

// TestMain lets tests start this binary as cachesim itself.
func TestMain(m *testing.M) {
	if os.Getenv("CACHESIM_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// cachesim runs a command line and returns what it printed and its exit code.
func cachesim(args ...string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	code = run(append([]string{"cachesim"}, args...), &out, &err)
	return out.String(), err.String(), code
}

// smallTrace writes a trace of n requests for 50 objects.
func smallTrace(t *testing.T, n int) string {
	t.Helper()
	var b bytes.Buffer
	for i := range n {
		id := (i*i + i/7) % 50
		fmt.Fprintf(&b, "%d obj%d %d\n", i/3, id, 100+id*17)
	}
	return file(t, "small.tr", b.Bytes())
}

func file(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func module(t *testing.T, name, wat string) string {
	t.Helper()
	return file(t, name, wattest.Assemble(t, wat))
}

// readCSV reads a table of a results folder; without it there is no row.
func readCSV(t *testing.T, dir, name string) []map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		m := make(map[string]string)
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		list = append(list, m)
	}
	return list
}

// TestRun does the main job without flags: eight sizes natively, all versions
// timed, tables, result files and figures.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := cachesim("run", smallTrace(t, 3000), "--out", dir)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"3,000 requests for 50 objects", "Hit ratio (%)", "Byte hit ratio (%)", "Running time, ns per request", "times the native one"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, stdout)
		}
	}
	for _, f := range []string{"results.csv", "results.json", "hit-ratio.png", "hit-ratio.pdf", "runtime.png", "runtime.pdf"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
	sizes := make(map[string]bool)
	for _, r := range readCSV(t, dir, "results.csv") {
		sizes[r["capacity"]] = true
		if r["engine"] != "native" || r["requests"] != "3000" || r["gets"] != "3000" || r["trace"] != "small.tr" || !strings.HasSuffix(r["size"], "%") {
			t.Errorf("results.csv: %v", r)
		}
	}
	hits := make(map[string]string)
	versions := 0
	for _, r := range readCSV(t, dir, "times.csv") {
		versions++
		if h, ok := hits[r["policy"]]; ok && h != r["timed_hits"] {
			t.Errorf("%s: %s hits on %s, %s before", r["policy"], r["timed_hits"], r["engine"], h)
		}
		hits[r["policy"]] = r["timed_hits"]
		if r["repeats"] != "3" || len(strings.Fields(r["replays_ns"])) != 3 {
			t.Errorf("repeats %s with times %s, want 3", r["repeats"], r["replays_ns"])
		}
	}
	guests := 0
	for _, name := range native.Defaults() {
		if _, ok := wasm.Builtin(name); ok {
			guests++
		}
	}
	if want := guests * (1 + 3*(len(defaultEngines())-1)); len(sizes) != 8 || versions != want {
		t.Errorf("%d sizes and %d timed versions, want 8 and %d", len(sizes), versions, want)
	}
}

// TestFlagsEitherSide gives the same flags before, behind and between.
func TestFlagsEitherSide(t *testing.T) {
	trace := smallTrace(t, 500)
	flags := []string{"--policy=lru", "--size", "2000", "-timing-requests", "none", "--quiet"}
	var first string
	for _, args := range [][]string{
		append(append([]string{"run"}, flags...), trace),
		append([]string{"run", trace}, flags...),
		append(append([]string{"run", "--policy=lru", "--size", "2000"}, trace), flags[3:]...),
		append(append([]string{"run"}, flags...), "--", trace),
	} {
		// --out comes first: behind a bare -- it would be a trace.
		stdout, stderr, code := cachesim(append([]string{"run", "--out", t.TempDir()}, args[1:]...)...)
		if code != 0 {
			t.Fatalf("%v: exit %d: %s", args, code, stderr)
		}
		if first == "" {
			first = stdout
		}
		if stdout != first || !strings.Contains(stdout, "LRU") || strings.Contains(stdout, "FIFO") {
			t.Errorf("%v gives other tables:\n%s", args, stdout)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	trace := smallTrace(t, 10)
	lru, _ := wasm.Builtin("lru")
	pairOnly := module(t, "pair.wasm", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 0))`)
	my := file(t, "my.wasm", lru.Bytes)
	tests := []struct {
		args string
		want string
	}{
		{"run", "expects a trace"},
		{"runn T", `did you mean "run"`},
		{"T", "say cachesim run"},
		{"--policy lru run T", "--policy stands before the command"},
		{"run T --polcy lru", `unknown flag --polcy; did you mean "--policy"?`},
		{"run T --policy", "flag --policy expects a value"},
		{"run T --limit many", `--limit "many": expects a whole number`},
		{"run T --guest-timeout 5", `--guest-timeout "5": expects a time with its unit`},
		{"run T --policy lruu", `unknown policy "lruu"; did you mean "lru"?`},
		{"run T --policy lru:k=2", `policy lru has no parameter "k"`},
		{"run T --policy lru,lru", "twice"},
		{"run T --policy s3fifo,S3-FIFO", "twice"},
		{"run T --policy nowhere.wasm", "no such file"},
		{"run T --policy " + my + ":k=2", `has no parameter "k"`},
		{"run T --policy " + my + ":abi=bincoed", `did you mean "bincode"?`},
		{"run T --policy " + pairOnly + " --abi batch", "it supports the ABIs pair, and not batch"},
		{"run T --policy " + my + " --engine native", "it has no native version"},
		{"run T --engine cranlift", `unknown engine "cranlift"; did you mean "cranelift"?`},
		{"run T --abi par", `did you mean "pair"?`},
		{"run T --handle drivr", `did you mean "driver"?`},
		{"run T --engine native --abi pair", "--abi is for WASM engines"},
		{"run T --abi batch --handle driver", "--abi batch goes with --handle srs or uncached"},
		{"run T --size 10parsec", "is not a size"},
		{"run T --size 0", "out of range"},
		{"run T --size 8MiB..4MiB", "the range goes down"},
		{"run T --size -5%", "not a share"},
		{"run T --timing-requests none --abi pair", "--abi has no effect"},
		{"run T --timing-requests none --handle srs", "--handle has no effect"},
		{"run T --engine native --guest-memory 2GiB", "--guest-memory is for WASM engines"},
		{"run T --abi pair,batch --handle driver", "--abi batch goes with"},
		{"run T --repeat 0", "expects at least 1"},
		{"run T --repeat 2 --timing-requests none", "--repeat is for running times"},
		{"run T --timing-requests some", "expects a number"},
		{"run T --jobs 0", "expects at least 1"},
		{"run T --format gif", "unknown figure format"},
		{"run T --object-size middle", "--object-size"},
		{"run T --trace-format no-such", "--trace-format"},
		{"run T --ops some", "--ops"},
		{"run T --limit -1", "--limit"},
		{"run T --skip-bad x%", "--skip-bad"},
		{"run T --memory lots", "--memory"},
		{"run T --warmup 100%", "--warmup"},
		{"run T --warmup 10", "has only 10 requests"},
		{"run T --window 0", "--window"},
		{"run T --capacity-unit files", "--capacity-unit"},
		{"run T --metadata-bytes -1", "--metadata-bytes"},
		{"run T --metadata-bytes 8 --capacity-unit objects", "--metadata-bytes"},
		{"run T --seeds 0", "--seeds"},
		{"run T --shard 3/2", "--shard"},
		{"run T --shard env", "none of SLURM_ARRAY_TASK_ID"},
		{"run T --retry-failed", "goes with --resume"},
		{"merge", "expects the folders"},
		{"run T --guest-memory 5TiB", "expects a size from 64KiB to 4GiB"},
		{"run T --guest-timeout 1ns", "--guest-timeout"},
		{"run T --seed x", "seed"},
		{"plot", "expects the folder or the result files"},
		{"version now", "takes no arguments"},
	}
	for _, tt := range tests {
		var args []string
		for _, a := range strings.Fields(tt.args) {
			if a == "T" {
				a = trace
			}
			args = append(args, a)
		}
		stdout, stderr, code := cachesim(args...)
		if code != 2 || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("cachesim %s: exit %d, stdout %q, stderr %q; want exit 2 and one line with %q", tt.args, code, stdout, stderr, tt.want)
		}
	}
	if _, err := os.Stat("results"); err == nil {
		os.RemoveAll("results")
		t.Error("a command that was refused made its output folder")
	}
}

// TestFailedCells runs modules that fail beside a policy that does not.
func TestFailedCells(t *testing.T) {
	dir := t.TempDir()
	text := file(t, "text.wasm", []byte("hello"))
	empty := module(t, "empty.wasm", `(module)`)
	traps := module(t, "traps.wasm", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) unreachable))`)
	_, stderr, code := cachesim("run", smallTrace(t, 500), "--policy", strings.Join([]string{"lru", text, empty, traps}, ","), "--size", "1KiB,2KiB", "--out", dir, "--quiet")
	if code != 1 {
		t.Errorf("exit %d, want 1: %s", code, stderr)
	}
	for _, want := range []string{"text.wasm at", `starts with "hell"`, "init (i64) -> ()", "unreachable", "more cells alike", "the others are kept"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
	}
	rows := readCSV(t, dir, "results.csv")
	for _, r := range rows {
		if r["policy"] != "lru" {
			t.Errorf("a row of %s, which failed", r["policy"])
		}
	}
	if len(rows) != 2 {
		t.Errorf("%d rows of lru", len(rows))
	}

	// One cause is said once.
	_, stderr, code = cachesim("run", smallTrace(t, 500), "--policy", text, "--size", "1KiB,2KiB", "--timing-requests", "none", "--out", t.TempDir())
	if code != 1 || strings.Count(stderr, `starts with "hell"`) != 1 || !strings.Contains(stderr, "all 2 cells failed, for the reason above") {
		t.Errorf("exit %d, want 1 and the reason once: %s", code, stderr)
	}
}

// TestRangeGoesDown has a range whose ends only the trace makes comparable.
func TestRangeGoesDown(t *testing.T) {
	_, stderr, code := cachesim("run", smallTrace(t, 500), "--size", "50%..2", "--quiet", "--out", t.TempDir())
	if code != 2 || !strings.Contains(stderr, "a range goes down, from") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// TestAmbiguousModule tells the user of an original module what to write.
func TestAmbiguousModule(t *testing.T) {
	old := module(t, "old.wasm", `(module (memory (export "memory") 1)
		(func (export "init") (param i64)) (func (export "stats") (result i64) i64.const 0)
		(func (export "alloc") (param i32) (result i64) i64.const 0x100000000)
		(func (export "send") (param i32 i32)))`)
	_, stderr, code := cachesim("run", smallTrace(t, 10), "--policy", old, "--size", "1MB", "--quiet", "--out", t.TempDir())
	if code != 1 || !strings.Contains(stderr, "say which, as in FILE.wasm:abi=bincode") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// TestSeveralTraces keeps what was computed when a later trace cannot be read.
func TestSeveralTraces(t *testing.T) {
	dir := t.TempDir()
	bad := file(t, "bad.tr", []byte("1 a 10\n2 b ten\n"))
	stdout, stderr, code := cachesim("run", smallTrace(t, 500), bad, "nowhere.tr", "--separate", "--policy", "lru", "--out", dir, "--quiet", "--timing-requests", "none")
	if code != 1 || !strings.Contains(stderr, `bad.tr:2: size "ten"`) || !strings.Contains(stderr, "nowhere.tr") || !strings.Contains(stdout, "Hit ratio") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	if n := len(readCSV(t, dir, "results.csv")); n != 8 {
		t.Errorf("%d rows, want the 8 of the first trace", n)
	}
}

// TestJSON prints a result a line, and keeps where they come from.
func TestJSON(t *testing.T) {
	trace, dir := smallTrace(t, 500), t.TempDir()
	stdout, stderr, code := cachesim("run", trace, "--json", "--policy", "lfu", "--size", "10%", "--seed", "9", "--quiet", "--out", dir)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	set, err := results.Read(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	if p := set.Runs[0]; p.Version == "" || p.Go == "" || p.Host == "" || len(p.Engines) < 2 || len(p.Command) == 0 {
		t.Errorf("provenance: %+v", p)
	}
	if tr := set.Traces[0]; len(tr.SHA256) != 64 || len(tr.Digest) != 32 || tr.Path != trace || tr.Requests != 500 || tr.Format == "" {
		t.Errorf("trace: %+v", tr)
	}
	lines := bufio.NewScanner(strings.NewReader(stdout))
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var r results.Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		if r.Engine != sim.NativeEngine && (r.Setup <= 0 || len(r.ModuleSHA) != 64) {
			t.Errorf("line %d: set-up time %v, module %q", n+1, r.Setup, r.ModuleSHA)
		}
		if r.Evictions == nil || r.Requests != 500 || r.CellID != r.ID() || r.Seed != 9 || r.TraceDigest != set.Traces[0].Digest || r.Size != "10%" {
			t.Errorf("line %d: %+v", n+1, r)
		}
	}
	if n < 3 || n != len(set.Results) {
		t.Errorf("%d lines, %d results", n, len(set.Results))
	}
}

// TestPlot draws from both kinds of result file what run drew.
func TestPlot(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := cachesim("run", smallTrace(t, 500), "--out", dir, "--format", "svg", "--quiet", "--repeat", "1"); code != 0 {
		t.Fatal(stderr)
	}
	for _, files := range [][]string{{"results.json"}, {"results.csv", "times.csv"}, {""}} {
		out := t.TempDir()
		args := []string{"plot", "--out", out, "--format", "svg"}
		for _, name := range files {
			args = append(args, filepath.Join(dir, name))
		}
		if _, stderr, code := cachesim(args...); code != 0 {
			t.Fatal(stderr)
		}
		for _, name := range []string{"hit-ratio.svg", "runtime.svg"} {
			want, _ := os.ReadFile(filepath.Join(dir, name))
			got, err := os.ReadFile(filepath.Join(out, name))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s from %q is not what run drew (error %v)", name, files, err)
			}
		}
	}
	for _, bad := range []string{smallTrace(t, 3), "nowhere.json"} {
		if _, stderr, code := cachesim("plot", bad, "--out", t.TempDir()); code != 1 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("plot %s: exit %d, stderr %q", bad, code, stderr)
		}
	}
}

// TestEngineNotInBuild tells how to get an engine.
func TestEngineNotInBuild(t *testing.T) {
	for _, e := range engines.All() {
		if e.Missing == "" {
			continue
		}
		_, stderr, code := cachesim("run", smallTrace(t, 10), "--engine", e.Name)
		if code != 2 || !strings.Contains(stderr, e.Missing) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, stderr %q", e.Name, code, stderr)
		}
	}
}

// TestInterrupt stops a run in the middle: what is finished is kept.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	loops := module(t, "loops.wasm", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) (loop (br 0)) i32.const 0))`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "run", smallTrace(t, 5000), "--policy", "lru,"+loops, "--size", "1KiB..8KiB", "--timing-requests", "none", "--jobs", "1", "--out", dir, "--guest-timeout", "10m")
	c.Env = append(os.Environ(), "CACHESIM_TEST_MAIN=1")
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var last string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		last = lines.Text()
		if strings.Contains(last, " 4 of 8 cells") { // lru is done, the loop is on
			if err := c.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130; it said %q", code, last)
	}
	if !strings.Contains(last, "4 results kept") {
		t.Errorf("it said %q", last)
	}
	if n := len(readCSV(t, dir, "results.csv")); n != 4 {
		t.Errorf("%d rows are kept, want 4", n)
	}
}

func TestPoliciesAndVersion(t *testing.T) {
	stdout, _, code := cachesim("policies")
	for _, want := range []string{"fifo", "lru", "lfu", "gdsize", strings.Join(engines.Names(true), ", "), "docs/ABI.md"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("policies lacks %q:\n%s", want, stdout)
		}
	}
	stdout, _, code = cachesim("version")
	for _, want := range []string{`^wazero +wazero \d+\.\d+\.\d+`, `^cranelift +(wasmer \d+\.\d+\.\d+ +\S*libwasmer|not in this build: it is a C library)`} {
		if code != 0 || !regexp.MustCompile("(?m)"+want).MatchString(stdout) {
			t.Errorf("version lacks %s:\n%s", want, stdout)
		}
	}
}

// TestDocs runs the cachesim commands of the README as they stand there.
func TestDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the main job on the example trace")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	n := 0
	for _, line := range strings.Split(string(readme), "\n") {
		args, ok := strings.CutPrefix(line, "go run ./cmd/cachesim ")
		if !ok {
			continue
		}
		n++
		fields := strings.Fields(args)
		dir := t.TempDir()
		if i := slices.Index(fields, "--out"); i >= 0 {
			fields[i+1] = dir
		} else if fields[0] == "run" || fields[0] == "bench" {
			fields = append(fields, "--out", dir)
		}
		if fields[0] == "bench" {
			fields = append(fields, "--budget", "1s") // the last counts
		}
		if _, stderr, code := cachesim(fields...); code != 0 {
			t.Errorf("%s: exit %d: %s", line, code, stderr)
		}
	}
	if n == 0 {
		t.Error("the README has no command to run")
	}
}

func TestSizes(t *testing.T) {
	tests := []struct {
		text      string
		footprint int64
		want      []int64
	}{
		{"", 1280, []int64{10, 20, 40, 80, 160, 320, 640, 1280}},
		{"", 1, []int64{1}},
		{"32MiB", 5, []int64{32 << 20}},
		{"1GB", 5, []int64{1e9}},
		{"10%", 1000, []int64{100}},
		{"1KiB..8KiB", 5, []int64{1024, 2048, 4096, 8192}},
		{"1KiB..5000", 5, []int64{1024, 2048, 4096}},
		{"25%..100%", 1000, []int64{250, 500, 1000}},
		{"300,100,10%", 1000, []int64{100, 300}},
		{"1.5KiB", 5, []int64{1536}},
	}
	for _, tt := range tests {
		var values []string
		if tt.text != "" {
			values = strings.Split(tt.text, ",")
		}
		s, err := parseSizes(values, sim.UnitBytes)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		list, err := capacities(s, tt.footprint, sim.UnitBytes)
		var got []int64
		for _, c := range list {
			got = append(got, c.Value)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q of %d: %v, %v, want %v", tt.text, tt.footprint, got, err, tt.want)
		}
	}
	if got := nearest([]plan.Capacity{{Value: 10}, {Value: 90}, {Value: 120}, {Value: 1000}}, 1000); got != 90 {
		t.Errorf("nearest to 100 is %d, want 90", got)
	}
}

// TestHelpOfCommands shows each flag with one default at most, and the help of
// commands of commands.
func TestHelpOfCommands(t *testing.T) {
	for _, args := range [][]string{{"help", "run"}, {"help", "trace", "gen"}, {"trace", "gen", "--help"}, {"run", "trace.log", "--help"}, {"run", "-h", "trace.log"}} {
		out, stderr, code := cachesim(args...)
		if code != exitDone || !strings.Contains(out, "--seed") {
			t.Errorf("%v: exit code %d, and no option --seed:\n%s%s", args, code, out, stderr)
		}
		for _, line := range strings.Split(out, "\n") {
			if strings.Count(line, "(default:") > 1 || strings.Contains(line, "(default: false)") {
				t.Errorf("%v: %q", args, line)
			}
		}
	}
}

// TestSizeFraction refuses a size that is a fraction of a byte.
func TestSizeFraction(t *testing.T) {
	for _, text := range []string{"1.5", "2.5B"} {
		if _, err := parseSizes([]string{text}, sim.UnitBytes); err == nil || !strings.Contains(err.Error(), "150%") {
			t.Errorf("--size %s: %v, want an error that says how a share is written", text, err)
		}
	}
}

// TestSizeTexts keeps sizes as they were asked for beside their values.
func TestSizeTexts(t *testing.T) {
	tests := []struct{ text, unit, want string }{
		{"10%,0.25,1.0", sim.UnitBytes, "100=10% 250=25% 1000=100%"},
		{"10,20%", sim.UnitObjects, "10=10 200=20%"},
		{"1KiB..3000", sim.UnitBytes, "1024=1.0KiB 2048=2.0KiB"},
	}
	for _, tt := range tests {
		s, err := parseSizes(strings.Split(tt.text, ","), tt.unit)
		if err != nil {
			t.Fatal(err)
		}
		list, err := capacities(s, 1000, tt.unit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range list {
			got = append(got, fmt.Sprint(c.Value, "=", c.Text))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s in %s: got %s, want %s", tt.text, tt.unit, s, tt.want)
		}
	}
}

func TestPolicyArguments(t *testing.T) {
	lru, _ := wasm.Builtin("lru")
	a, b := file(t, "same.wasm", lru.Bytes), file(t, "same.wasm", append(slices.Clone(lru.Bytes), 0, 1, 0))
	ps, err := parsePolicies([]string{"lru", a, b + ":abi=pair"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsePolicies([]string{a, b, b + ":abi=pair"}, ""); err == nil {
		t.Error("the same file twice is accepted")
	}
	if name, params, _ := cutPolicy("dir.wasm.d/x.wasm:abi=pair"); name != "dir.wasm.d/x.wasm" || params != "abi=pair" {
		t.Errorf("a folder with .wasm in its name is cut to %q and %q", name, params)
	}
	if ps[0].name != "lru" || ps[1].name != a || ps[2].name != b || ps[2].declared != "pair" {
		t.Errorf("names %s, %s, %s", ps[0].name, ps[1].name, ps[2].name)
	}
}
