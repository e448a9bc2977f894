package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReport: run --report and the command report write the same kind of page,
// and the latter the same bytes each time.
func TestReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if _, stderr, code := cachesim("run", smallTrace(t, 3000), "--out", dir, "--policy", "fifo,lru", "--timing-requests", "none", "--report"); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<!DOCTYPE html>", "Summary", "<svg", "small.tr", "Commands that reproduce this page", "cachesim report "} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page of run lacks %q", want)
		}
	}
	var pages [][]byte
	for _, name := range []string{"a.html", "b.html"} {
		file := filepath.Join(t.TempDir(), name)
		if _, stderr, code := cachesim("report", dir, "-o", file, "--title", "A & B", "--label", "lru=<LRU>"); code != 0 || !strings.Contains(stderr, name) {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, b)
	}
	if !bytes.Equal(pages[0], pages[1]) {
		t.Error("two reports of the same results differ")
	}
	if !bytes.Contains(pages[0], []byte("<h1>A &amp; B</h1>")) || bytes.Contains(pages[0], []byte("<LRU>")) || !bytes.Contains(pages[0], []byte("&lt;LRU&gt;")) {
		t.Error("title or label are missing, or not escaped")
	}
}

// TestReportUsage: what report refuses, and how.
func TestReportUsage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if _, stderr, code := cachesim("run", smallTrace(t, 500), "--out", dir, "--policy", "lru", "--timing-requests", "none"); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); err == nil {
		t.Error("run wrote a report that nobody asked for")
	}
	out := filepath.Join(t.TempDir(), "r.html")
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"report"}, exitUsage, "expects the folder"},
		{[]string{"report", dir, "--kind", "pie", "-o", out}, exitUsage, "unknown figure"},
		{[]string{"report", dir, "--where", "policy=arc", "-o", out}, exitFailed, "no result meets the conditions"},
		{[]string{"report", filepath.Join(dir, "none"), "-o", out}, exitFailed, "read results"},
		{[]string{"report", dir, "-o", filepath.Join(dir, "none", "r.html")}, exitFailed, "write report"},
	} {
		if _, stderr, code := cachesim(test.args...); code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit %d, stderr %q; want %d and %q", test.args, code, stderr, test.code, test.want)
		}
	}
}
