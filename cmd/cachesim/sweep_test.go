package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	wasm "cachesim/policies-wasm"
	"cachesim/sim/plan"
	"cachesim/sim/results"
)

// smallSweep writes a sweep of three traces, two of one folder and one of another
// size, and returns its file. extra are more lines of it.
func smallSweep(t *testing.T, extra ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, n := range []int{4000, 1500, 3000} {
		var b bytes.Buffer
		for j := range n {
			id := (j*j + j/(7+i)) % 50
			fmt.Fprintf(&b, "%d obj%d %d\n", j/3, id, 100+id*17)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("t%d.tr", i)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := `traces = ["t*.tr"]
policy = ["lru", "fifo", "s3fifo:small=0.2,ghost=0.5"]
size = "10%,30%,50%"
timing-requests = "none"
format = "svg"
` + strings.Join(extra, "\n") + "\n"
	path := filepath.Join(dir, "small.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sweepTable runs the sweep of a file with cachesim run and returns its table.
func sweepTable(t *testing.T, path string) string {
	t.Helper()
	out := t.TempDir()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "t*.tr"))
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"run", "--policy", "lru,fifo,s3fifo:small=0.2,ghost=0.5", "--size", "10%,30%,50%",
		"--timing-requests", "none", "--format", "svg", "--separate", "--quiet", "--out", out}, files...)
	if _, stderr, code := cachesim(args...); code != 0 {
		t.Fatal(stderr)
	}
	return tableOf(t, out, "results.csv")
}

func sweepResults(path string) string { return strings.TrimSuffix(path, ".toml") }

// TestSweepRun runs a sweep, which must come to what run comes to, and again,
// which must run nothing.
func TestSweepRun(t *testing.T) {
	path := smallSweep(t)
	want := sweepTable(t, path)
	if stdout, _, code := cachesim("sweep", "status", path); code != 1 || !strings.Contains(stdout, "27 cells of 3 traces: 0 done, 27 missing") {
		t.Errorf("before: exit %d: %s", code, stdout)
	}
	if _, stderr, code := cachesim("sweep", "run", path, "--trace", filepath.Join(filepath.Dir(path), "t1.tr")); code != 0 {
		t.Fatal(stderr)
	}
	if stdout, _, code := cachesim("sweep", "status", path); code != 1 || !strings.Contains(stdout, "27 cells of 3 traces: 9 done, 18 missing") {
		t.Errorf("after one trace: exit %d: %s", code, stdout)
	}
	if _, stderr, code := cachesim("sweep", "run", path); code != 0 || !strings.Contains(stderr, "9 of 9 cells are in") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if got := tableOf(t, sweepResults(path), "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	_, stderr, code := cachesim("sweep", "run", path)
	if code != 0 || strings.Count(stderr, "9 of 9 cells are in") != 3 {
		t.Errorf("again: exit %d: %s", code, stderr)
	}
	if stdout, _, code := cachesim("sweep", "status", path); code != 0 || !strings.Contains(stdout, "27 done, 0 missing, 0 failed") {
		t.Errorf("at the end: exit %d: %s", code, stdout)
	}
}

// TestSweepFailed has a policy that fails: its cells are repeated when asked for.
func TestSweepFailed(t *testing.T) {
	path := smallSweep(t)
	bad := filepath.Join(filepath.Dir(path), "bad.wasm")
	if err := os.WriteFile(bad, []byte("no module"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), `"lru"`, `"lru", "bad.wasm"`, 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := cachesim("sweep", "run", path); code != 1 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	stdout, stderr, code := cachesim("sweep", "status", path)
	if code != 1 || !strings.Contains(stdout, "27 done, 0 missing, 9 failed") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if _, stderr, code := cachesim("sweep", "run", path); code != 0 || strings.Contains(stderr, "failed: ") {
		t.Errorf("exit %d, want the failed cells left out: %s", code, stderr)
	}
	if _, stderr, code := cachesim("sweep", "run", path, "--retry-failed"); code != 1 || strings.Count(stderr, "cachesim: failed: ") != 3 || strings.Count(stderr, "all 3 cells failed, for the reason above") != 3 {
		t.Errorf("exit %d, want 9 failures for one reason a job: %s", code, stderr)
	}
}

func TestSweepFileErrors(t *testing.T) {
	for text, want := range map[string]string{
		"policy = [\"lru\"]":                              "names no traces",
		"traces = [\"none*.tr\"]":                         "no file matches",
		"traces = [\"t.tr\"]\npolcy = \"lru\"":            `unknown key "polcy"; did you mean "policy"?`,
		"traces = [\"t.tr\"]\nshard = \"1/2\"":            "it is a flag of cachesim sweep run",
		"traces = [\"t.tr\"]\nwarmup = [1, 2]":            "warmup: expects one value, not a list",
		"traces = [\"t.tr\"]\nsize = \"huge\"":            "huge",
		"traces = [\"t.tr\"]\nseeds = 0":                  "--seeds 0",
		"traces = [\"t.tr\"]\n[slurm]\nqueue = \"x\"":     "unknown key slurm.queue",
		"traces = [\"t.tr\"":                              "sweep.toml",
		"traces = [\"t.tr\"]\nrepeat = 2024-01-01":        "repeat: expects text, a number",
		"traces = [\"t.tr\"]\n[kubernetes]\nimage = true": "kubernetes",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "sweep.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "t.tr"), []byte("1 a 10\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, stderr, code := cachesim("sweep", "run", path); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %q, want %q", text, code, stderr, want)
		}
	}
	path := smallSweep(t)
	for args, want := range map[string]string{
		path:                                "sweep expects --on",
		path + " --on cloud":                `unknown "cloud"`,
		path + " --on snakemake --submit":   "--submit is for slurm and parallel",
		path + " --on slurm --retry-failed": "--retry-failed goes with --submit",
		path + " --on kubernetes":           "[kubernetes]",
		path + " --on slurm --shards 0":     "--shards 0",
		"run " + path + " --shard 1/3":      "there are no shards",
		"run " + path + " --resume=false":   "always resumes",
		"status":                            "expects one sweep file",
	} {
		if _, stderr, code := cachesim(append([]string{"sweep"}, strings.Fields(args)...)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %q, want %q", args, code, stderr, want)
		}
	}
}

// TestPlanSave writes a sweep file from a command line; running it comes to what
// the command line comes to.
func TestPlanSave(t *testing.T) {
	path := smallSweep(t)
	want := sweepTable(t, path)
	dir := filepath.Dir(path)
	saved := filepath.Join(dir, "saved.toml")
	_, stderr, code := cachesim("plan", filepath.Join(dir, "t*.tr"), "--policy", "lru,fifo,s3fifo:small=0.2,ghost=0.5", "--size", "10%,30%,50%",
		"--timing-requests", "none", "--format", "svg", "--guest-timeout", "1m", "--seeds", "1", "--out", filepath.Join(dir, "elsewhere"), "--save", saved)
	if code != 0 {
		t.Fatal(stderr)
	}
	got := tableOf(t, dir, "saved.toml")
	_, got, _ = strings.Cut(got, "\n\n")
	wantFile := `traces = ["t*.tr"]
policy = ["lru", "fifo", "s3fifo:small=0.2,ghost=0.5"]
size = ["10%", "30%", "50%"]
seeds = 1
timing-requests = "none"
out = "elsewhere"
format = ["svg"]
guest-timeout = "1m0s"
`
	if got != wantFile {
		t.Errorf("got\n%s\nwant\n%s", got, wantFile)
	}
	if _, stderr, code := cachesim("sweep", "run", saved); code != 0 {
		t.Fatal(stderr)
	}
	if got := tableOf(t, filepath.Join(dir, "elsewhere"), "results.csv"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, stderr, code := cachesim("plan", "t.tr", "--shard", "1/2", "--save", saved); code != exitUsage || !strings.Contains(stderr, "--shard is not part of a sweep file") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// fakeSystem runs the jobs of a sweep in this process, except where it kills them:
// a job with less memory than one of its cells is said to need is killed before
// that cell, as is one that is lost once.
type fakeSystem struct {
	t      *testing.T
	path   string
	shards int
	needs  map[string]int64 // bytes of a job with the cell
	lose   int              // shard, once
	says   ending           // how a job ends that exceeds its memory
	alone  []string         // cells that were run alone, with their memory in MiB
}

func (f *fakeSystem) run(_ context.Context, jobs []*sweepJob, tick func()) ([]ending, error) {
	ends := make([]ending, len(jobs))
	for i, j := range jobs {
		if j.shard == 0 {
			f.alone = append(f.alone, fmt.Sprintf("%s %d", j.cells[0].CellID, j.request.MiB()))
		}
		if j.shard > 0 && j.shard == f.lose {
			f.lose, ends[i] = 0, lost
			continue
		}
		if slices.ContainsFunc(j.cells, func(k results.Key) bool { return f.needs[k.CellID] > j.request.Memory }) {
			ends[i] = f.says
			continue
		}
		args := append([]string{"sweep", "run", f.path, "--quiet"}, j.args...)
		if j.shard > 0 {
			args = append(args, "--shard", fmt.Sprintf("%d/%d", j.shard, f.shards))
		}
		if _, stderr, code := cachesim(args...); code != 0 {
			f.t.Errorf("%v: %s", args, stderr)
		}
		ends[i] = exited
		tick()
	}
	return ends, nil
}

// TestSweepMemory has one cell that needs more memory than its shard has: the
// cells of the shard are repeated alone, that one until its memory suffices.
func TestSweepMemory(t *testing.T) {
	for _, says := range []ending{outOfMemory, killed} {
		path := smallSweep(t)
		want := sweepTable(t, path)
		s, err := readSweep(path)
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		p, all, err := s.prepare(t.Context(), 5, 1, &stderr)
		if err != nil {
			t.Fatal(err)
		}
		large := p.Traces[0].Cells[4].ID
		f := &fakeSystem{t: t, path: path, shards: len(all.Shards), lose: 2, needs: map[string]int64{large: 800 << 20}, says: says}
		missing, err := s.submit(t.Context(), f, p, all, false, &stderr)
		if err != nil || missing != 0 {
			t.Fatalf("%d missing, %v: %s", missing, err, stderr.String())
		}
		var ladder []string
		for _, a := range f.alone {
			if id, memory, _ := strings.Cut(a, " "); id == large {
				ladder = append(ladder, memory)
			}
		}
		if !slices.Equal(ladder, []string{"512", "1024"}) {
			t.Errorf("%v: the large cell was run alone with %v MiB, want 512 and 1024", says, ladder)
		}
		for _, want := range []string{"shard 2 was lost", "27 of 27 cells", says.String()} {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%v: %q is missing in\n%s", says, want, stderr.String())
			}
		}
		if _, stderr, code := cachesim("merge", s.out, "--out", s.out, "--format", "svg"); code != 0 {
			t.Fatal(stderr)
		}
		if got := tableOf(t, s.out, "results.csv"); got != want {
			t.Errorf("%v: got\n%s\nwant\n%s", says, got, want)
		}
	}
}

// TestSweepGivesUp has a cell that no memory suffices for: the rest is done.
func TestSweepGivesUp(t *testing.T) {
	path := smallSweep(t)
	s, err := readSweep(path)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	p, all, err := s.prepare(t.Context(), 4, 1, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeSystem{t: t, path: path, shards: len(all.Shards), needs: map[string]int64{p.Traces[0].Cells[4].ID: 1 << 50}, says: outOfMemory}
	missing, err := s.submit(t.Context(), f, p, all, false, &stderr)
	if err != nil || missing != 1 {
		t.Fatalf("%d missing, want 1, %v: %s", missing, err, stderr.String())
	}
	if stdout, _, code := cachesim("sweep", "status", path); code != 1 || !strings.Contains(stdout, "26 done, 1 missing") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

// TestSweepStale refuses shards that were cut for another version of the file, and
// leaves out a trace that cannot be read.
func TestSweepStale(t *testing.T) {
	path := smallSweep(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "t9.tr"), []byte("1 a 10\nbroken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := cachesim("sweep", path, "--on", "slurm", "--shards", "3"); code != 0 || !strings.Contains(stderr, "t9.tr is left out") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if stdout, _, code := cachesim("sweep", "status", path); code != 1 || !strings.Contains(stdout, "cannot be replayed") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	if _, stderr, code := cachesim("sweep", "run", path, "--shard", "1/4"); code != exitUsage || !strings.Contains(stderr, "was cut into 3 shards") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, "seed = 7\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := cachesim("sweep", "run", path, "--shard", "1/3"); code != exitFailed || !strings.Contains(stderr, "has changed") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestSweepReads refuses shards that were cut when a file that the sweep file names had
// other contents; the same ones at another time are no change.
func TestSweepReads(t *testing.T) {
	log := strings.Repeat("10 /a 5\n11 /b 7\n", 20)
	for _, tt := range []struct {
		name, changed string
		text          []string // of the sweep file
	}{
		{"ids.txt", "obj2\n", []string{`ids = "ids.txt"`}},
		{"square.conf", "log_format own '$msec $request_uri $bytes_sent';\n", []string{`log-format = "@square.conf:own"`}},
		{"mine.wasm", "", []string{`policy = "mine.wasm"`, `engine = "wazero"`}},
		{"initials.wasm", "", []string{`policy = "initials"`, `policy-dir = "."`, `engine = "wazero"`}},
	} {
		dir := t.TempDir()
		trace, text := "t.tr", strings.Repeat("1 obj1 10\n2 obj2 20\n", 20)
		first := "obj1\n"
		switch {
		case strings.HasSuffix(tt.name, ".wasm"):
			lru, _ := wasm.Builtin("lru")
			fifo, _ := wasm.Builtin("fifo")
			first, tt.changed = string(lru.Bytes), string(fifo.Bytes)
		case strings.HasSuffix(tt.name, ".conf"):
			trace, text = "t.log", log
			first = "log_format own '$msec $uri $bytes_sent';\n"
		}
		path := filepath.Join(dir, "s.toml")
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(trace, text)
		write(tt.name, first)
		write("s.toml", strings.Join(append(tt.text, `traces = ["`+trace+`"]`, `size = "50%"`, `timing-requests = "none"`, `format = "svg"`), "\n")+"\n")
		if _, stderr, code := cachesim("sweep", path, "--on", "slurm", "--shards", "1"); code != 0 {
			t.Fatalf("%s: exit %d: %s", tt.name, code, stderr)
		}
		write(tt.name, first)
		if _, stderr, code := cachesim("sweep", "run", path, "--shard", "1/1"); code != 0 {
			t.Errorf("%s, as it was: exit %d: %s", tt.name, code, stderr)
		}
		write(tt.name, tt.changed)
		if _, stderr, code := cachesim("sweep", "run", path, "--shard", "1/1"); code != exitFailed || !strings.Contains(stderr, "has changed") {
			t.Errorf("%s, changed: exit %d: %s", tt.name, code, stderr)
		}
	}
}

func TestSlurmEnding(t *testing.T) {
	for state, want := range map[string]ending{
		"COMPLETED 0": exited, "FAILED 768": exited, "FAILED 9": killed, "FAILED 0:9": killed, "FAILED 1:0": exited, "FAILED 137:0": killed,
		"FAILED 35072": killed, "OUT_OF_MEMORY 0:125": outOfMemory, "TIMEOUT 0": outOfTime, "CANCELLED 0": lost, "NODE_FAIL 0": lost,
	} {
		if got, over := slurmEnding(state); got != want || !over {
			t.Errorf("%s: got %v, %v, want that it %v", state, got, over, want)
		}
	}
	for _, state := range []string{"PENDING 0", "RUNNING 0", "COMPLETING 0", "REQUEUED 0", "SUSPENDED 0"} {
		if _, over := slurmEnding(state); over {
			t.Errorf("%s: taken for an end", state)
		}
	}
}

// TestSlower: what is left is expected to take as much longer than its estimate as
// what is done did.
func TestSlower(t *testing.T) {
	p := &sweepPlan{Traces: []tracePlan{{Cells: []plannedCell{
		{ID: "a", Repeats: 1, Cost: plan.Cost{Time: 1e9}}, {ID: "b", Repeats: 3, Timed: true, Cost: plan.Cost{Time: 3e9}}, {ID: "c", Repeats: 1, Cost: plan.Cost{Time: 7e9}},
	}}}}
	states := map[results.Key]results.State{{CellID: "a"}: {Repeats: 1, Time: 2e9}, {CellID: "b", Timed: true}: {Repeats: 3, Time: 3e9}, {CellID: "c"}: {Failure: "none"}}
	if factor, cells := p.slower(states); factor != 2.5 || cells != 2 {
		t.Errorf("%d cells took %v times as long, want 2 and 2.5", cells, factor)
	}
	if factor, cells := p.slower(nil); factor != 1 || cells != 0 {
		t.Errorf("without results: %v, %d", factor, cells)
	}
}

// TestSweepArchive has two members of a tar file as traces, one with its format, and one trace run
// alone.
func TestSweepArchive(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, name := range []string{"logs/a", "logs/b"} {
		data := strings.Repeat(fmt.Sprintf("x %d\n%s 1\ny 2\n", i, name), 20)
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(data))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s.toml")
	for name, data := range map[string]string{"l.tar": b.String(), "ids": "x\ny\n",
		"s.toml": `traces = ["l.tar!logs/a", "id-size:l.tar!logs/b"]` + "\npolicy = \"lru\"\nsize = \"2B\"\ntiming-requests = \"none\"\nformat = \"svg\"\nids = \"ids\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if stdout, stderr, code := cachesim("sweep", "status", path); code != 1 || !strings.Contains(stdout, "2 cells of 2 traces: 0 done, 2 missing") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	if _, stderr, code := cachesim("sweep", "run", path, "--trace", "id-size:"+filepath.Join(dir, "l.tar!logs/b")); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if stdout, _, code := cachesim("sweep", "status", path); code != 1 || !strings.Contains(stdout, "1 done, 1 missing") {
		t.Errorf("after one trace: exit %d: %s", code, stdout)
	}
	if _, stderr, code := cachesim("sweep", "run", path); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	var got []string
	for _, row := range readCSV(t, sweepResults(path), "results.csv") {
		got = append(got, row["trace"]+" "+row["requests"])
	}
	if slices.Sort(got); !slices.Equal(got, []string{"l.tar!a 40", "l.tar!b 40"}) {
		t.Errorf("got %q", got)
	}
}
