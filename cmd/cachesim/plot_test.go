package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPlotChoices: axes show what they are told to, fields group, and what makes
// no sense is refused with a line that says what does.
func TestPlotChoices(t *testing.T) {
	dir := t.TempDir()
	_, stderr, code := cachesim("run", smallTrace(t, 3000), "--policy", "lru,s3fifo:small=0.2,s3fifo:small=0.4", "--size", "10%,50%",
		"--timing-requests", "none", "--quiet", "--format", "csv", "--out", dir)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, tt := range []struct {
		args  []string
		files []string
		want  string // in the first file
	}{
		{[]string{"--x", "param:small", "--y", "miss-ratio=0..100"}, []string{"values.csv"}, "Small"},
		{[]string{"--y", "evictions"}, []string{"values.csv"}, "Evictions"},
		{[]string{"--kind", "hit-ratio", "--group-by", "policy"}, []string{"hit-ratio-lru.csv", "hit-ratio-s3fifo_small_0-2.csv", "hit-ratio-s3fifo_small_0-4.csv"}, "LRU"},
		{[]string{"--kind", "hit-ratio", "--y", "20..90", "--y-scale", "log", "--figure-columns", "2"}, []string{"hit-ratio.csv"}, "LRU"},
	} {
		out := t.TempDir()
		_, stderr, code := cachesim(append([]string{"plot", dir, "--format", "csv", "--out", out}, tt.args...)...)
		if code != 0 {
			t.Errorf("%q: exit %d: %s", tt.args, code, stderr)
			continue
		}
		var files []string
		for _, name := range tt.files {
			f, err := os.Open(filepath.Join(out, name))
			if err != nil {
				t.Errorf("%q: %v", tt.args, err)
				continue
			}
			rows, err := csv.NewReader(f).ReadAll()
			f.Close()
			if err != nil || len(rows) < 2 {
				t.Errorf("%q: %s has %d rows, %v", tt.args, name, len(rows), err)
			}
			if files == nil && !slices.ContainsFunc(rows, func(r []string) bool { return slices.Contains(r, tt.want) }) {
				t.Errorf("%q: no %q in %q", tt.args, tt.want, rows)
			}
			files = append(files, name)
		}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--x", "colour"}, `unknown number "colour"`},
		{[]string{"--y", "9..1"}, "not below"},
		{[]string{"--group-by", "colour"}, `unknown field "colour"`},
		{[]string{"--kind", "heat-map", "--y", "evictions"}, "--kind values"},
		{[]string{"--figure-columns", "3"}, "expects 1 or 2"},
		{[]string{"--y", "setup"}, "nothing to draw"},
	} {
		_, stderr, code := cachesim(append([]string{"plot", dir, "--out", t.TempDir()}, tt.args...)...)
		if code == 0 || !strings.Contains(stderr, tt.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit %d, %q; want one line with %q", tt.args, code, stderr, tt.want)
		}
	}
	stdout, _, code := cachesim("figures")
	if code != 0 || !strings.Contains(stdout, "improvement-box") || !strings.Contains(stdout, "across-traces") || !strings.Contains(stdout, "param:NAME") {
		t.Errorf("figures: exit %d\n%s", code, stdout)
	}
}
