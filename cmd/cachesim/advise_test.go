package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cachesim/sim"
)

// TestAdvise reads the advice for a short log, and for one that is sampled, and
// runs the commands that it ends with.
func TestAdvise(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "advice")
	stdout, stderr, code := cachesim("advise", smallTrace(t, 3000), "--policy", "lru,fifo,gdsf,belady", "--trace-cache", "off", "--out", dir, "--format", "svg")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{
		"Caution: the log has only 3,000 requests", "Limit: a cache that keeps everything serves 98.3 %", "Size: ", "by requests: ", "by bytes: ",
		"origin traffic: ", "Doubling the cache to ", "For comparison: Belady", "replayed in full",
		"in products: nginx, Varnish and Squid as installed (LRU) ", "; Squid with heap GDSF ", "are in the folder " + dir,
		"--trace-cache off",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "Belady serves") || strings.Contains(stdout, "with Belady") {
		t.Errorf("recommends a policy that needs the future:\n%s", stdout)
	}
	if _, err := os.Stat(filepath.Join(dir, "hit-ratio.svg")); err != nil {
		t.Error(err)
	}
	if rows := readCSV(t, dir, "results.csv"); len(rows) < 8 || rows[0]["policy"] != "lru" {
		t.Errorf("the table has %d rows: %v", len(rows), rows)
	}
	commands := regexp.MustCompile(`(?m)^  cachesim (.*)$`).FindAllStringSubmatch(stdout, -1)
	if len(commands) != 2 {
		t.Fatalf("got %d commands, want 2", len(commands))
	}
	for _, c := range commands {
		args := append(strings.Fields(c[1]), "--quiet", "--format", "png", "--out", t.TempDir())
		if _, stderr, code := cachesim(args...); code != exitDone {
			t.Errorf("%s: exit %d: %s", c[1], code, stderr)
		}
	}
}

func TestAdviseSampled(t *testing.T) {
	if testing.Short() {
		t.Skip("a trace of more than a million requests takes seconds")
	}
	path := file(t, "long.tr", nil)
	var b bytes.Buffer
	x := uint64(1)
	for i := range exactUpTo + 50_000 {
		x = x*6364136223846793005 + 1442695040888963407
		id := x >> 33 % 400_000
		if i%2 == 0 {
			id %= 50_000
		}
		fmt.Fprintf(&b, "%d %d 100\n", i/10, id)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := cachesim("advise", path, "--policy", "lru,fifo", "--size", "10%,20%", "--sample", "3%", "--sample-error", "0.1", "--trace-cache", "off", "--out", "")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"Estimated from samples of 3.3 to 6.6 %, 3 salts (LRU is exact), enlarged where the standard error was above 0.1 points", "none of the sizes compared comes within one point"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

func TestAdviseUsage(t *testing.T) {
	for _, flag := range []string{"--shard=1/2", "--seeds=2", "--warmup=10%"} {
		if _, stderr, code := cachesim("advise", smallTrace(t, 100), flag, "--out", ""); code != exitUsage || !strings.Contains(stderr, "advise goes without") {
			t.Errorf("%s: exit %d: %s", flag, code, stderr)
		}
	}
}

func TestTooShort(t *testing.T) {
	for _, tt := range []struct {
		requests, first, second int
		want                    string
	}{
		{9_000, 10, 10, "only 9,000 requests"},
		{100_000, 45_000, 30_000, "too short"},
		{100_000, 30_000, 10_000, "the log is short"},
		{100_000, 10_000, 9_000, ""},
	} {
		a := advice{t: &sim.Trace{Requests: tt.requests}, growth: growth{tt.first, tt.second}}
		if got := a.tooShort(); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

func TestMargin(t *testing.T) {
	if m := margin(0.01, 3); m < 0.0248 || m > 0.0249 { // 4.303 * 0.01 / sqrt 3
		t.Errorf("got %v", m)
	}
	if margin(0.01, 1) != 0 {
		t.Error("one salt has an interval")
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"a/b.log": "a/b.log", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$x": "'$x'"} {
		if got := quoted(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
