package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cachesim/sim/results"
	"cachesim/traces"
)

// accessLog is a log whose methods, queries and hosts matter.
const accessLog = `h - - [10/Oct/2000:13:55:36 +0000] "GET /a?x=1 HTTP/1.0" 200 100 "-" "u"
h - - [10/Oct/2000:13:55:37 +0000] "HEAD /a?x=1 HTTP/1.0" 200 0 "-" "u"
h - - [10/Oct/2000:13:55:38 +0000] "GET /a?x=2 HTTP/1.0" 200 100 "-" "u"
`

// TestTraceParams has parameters with commas and equals signs, and the flags
// that stand for parameters.
func TestTraceParams(t *testing.T) {
	log := file(t, "access.log", []byte(accessLog))
	table := file(t, "t.txt", []byte("1,a,10\n2,a,10\n3,b,20\n"))
	kv := file(t, "kv.jsonl", []byte(`{"timestamp":0,"input_length":1024,"hash_ids":[1,2]}`+"\n"))
	blocks := file(t, "msr.csv", []byte("128166372003061629,hm,1,Read,0,8192,100\n"))
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{log}, "2 requests for 2 objects"},
		{[]string{log, "--trace-param", "methods=GET,HEAD"}, "3 requests for 2 objects"},
		{[]string{log, "--trace-param", "methods=GET,HEAD", "--trace-param", "key=a=b,$path"}, "3 requests for 1 object"},
		{[]string{log, "--strip-query"}, "2 requests for 1 object"},
		{[]string{log, "--strip-query=false"}, "2 requests for 2 objects"},
		{[]string{log, "--key", "$path"}, "2 requests for 1 object"},
		{[]string{log, "--log-format", `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`}, "format log-format: it was named"},
		{[]string{table, "--columns", "time=1,id=2,size=3"}, "3 requests for 2 objects"},
		{[]string{table, "--columns", "time=1,id=2,size=3"}, "format csv"},
		{[]string{blocks, "--block", "4KiB"}, "2 requests for 2 objects"},
		{[]string{kv, "--bytes-per-token", "3", "--kv-order", "reverse"}, "1024 tokens: an object is a block of 512 tokens with all before it, of 3 bytes a token, and is asked for from the last to first"},
	} {
		stdout, stderr, code := cachesim(append([]string{"trace", "info", "--trace-cache", "off"}, test.args...)...)
		if code != 0 || !strings.Contains(stdout, test.want) {
			t.Errorf("%q: exit %d, stderr %q, stdout lacks %q:\n%s", test.args, code, stderr, test.want, stdout)
		}
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{table, "--columns", "id=1", "--kv-order", "reverse"}, "--columns is for traces of format csv, but --kv-order for kv-jsonl"},
		{[]string{table, "--columns", "id=1", "--trace-param", "columns=id=2"}, "--columns: the parameter columns is given twice"},
		{[]string{table, "--trace-param", "columns"}, "write NAME=VALUE"},
	} {
		_, stderr, code := cachesim(append([]string{"trace", "info"}, test.args...)...)
		if code != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit %d, stderr %q, want %q", test.args, code, stderr, test.want)
		}
	}
}

// TestUnsplitFlags has conditions and labels with commas.
func TestUnsplitFlags(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := cachesim("run", smallTrace(t, 500), "--policy", "lru,fifo,lfu", "--size", "1KiB", "--timing-requests", "none", "--out", dir, "--format", "svg", "--quiet"); code != 0 {
		t.Fatal(stderr)
	}
	set, err := results.Read(filepath.Join(dir, "results.json"))
	if err != nil || len(set.Results) != 3 {
		t.Fatalf("%d results, %v", len(set.Results), err)
	}
	stdout, stderr, code := cachesim("table", dir, "--kind", "hit-ratio", "--where", "policy=lru,fifo", "--label", "lru=Least, recently")
	if code != 0 {
		t.Fatal(stderr)
	}
	if !strings.Contains(stdout, "Least, recently") || strings.Contains(stdout, "LFU") || !strings.Contains(stdout, "FIFO") {
		t.Errorf("table:\n%s", stdout)
	}
}

func TestFormats(t *testing.T) {
	stdout, _, code := cachesim("formats")
	if code != 0 {
		t.Fatal(stdout)
	}
	at := 0
	for _, group := range traces.Groups {
		i := strings.Index(stdout[at:], group+"\n")
		if i < 0 {
			t.Fatalf("no group %s after byte %d:\n%s", group, at, stdout)
		}
		at += i
	}
	lines := strings.Split(stdout, "\n")
	for _, f := range traces.Formats {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, f.Name+" ") && strings.Contains(l, f.Doc) }) {
			t.Errorf("%s is not listed", f.Name)
		}
		if !slices.Contains(traces.Groups, f.Group) {
			t.Errorf("%s has the group %q", f.Name, f.Group)
		}
	}
	stdout, _, code = cachesim("formats", "combined", "valpin")
	for _, want := range []string{"combined (access logs)", "methods=GET\n", "strip-query=no\n", "valpin (public corpora)", "It has no parameters"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, %q is missing:\n%s", code, want, stdout)
		}
	}
	if _, stderr, code := cachesim("trace", "info", "x", "--trace-format", "nginx"); code != exitUsage || !strings.HasSuffix(stderr, "unknown format \"nginx\"; cachesim formats lists them\n") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if _, stderr, code := cachesim("formats", "combind"); code != exitUsage || !strings.Contains(stderr, `did you mean "combined"`) {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestMergeFlag merges two files by time.
func TestMergeFlag(t *testing.T) {
	late, early := file(t, "late", []byte("5 c 1\n6 d 1\n")), file(t, "early", []byte("1 a 1\n5 b 1\n"))
	for _, test := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"c", "d", "a", "b"}},
		{[]string{"--merge"}, []string{"a", "c", "b", "d"}},
	} {
		stdout, stderr, code := cachesim(append([]string{"trace", "convert", late, early, "--to", "id-size", "--output", filepath.Join(t.TempDir(), "out")}, test.args...)...)
		if code != 0 {
			t.Fatal(stdout, stderr)
		}
		stdout, stderr, code = cachesim(append([]string{"trace", "head", late, early, "--trace-cache", "off"}, test.args...)...)
		var got []string
		for _, l := range strings.Split(stdout, "\n") {
			if f := strings.Fields(l); len(f) > 3 && f[2] == "get" {
				got = append(got, f[len(f)-1])
			}
		}
		if code != 0 || !slices.Equal(got, test.want) {
			t.Errorf("%q: exit %d, %s, requests for %v, want %v:\n%s", test.args, code, stderr, got, test.want, stdout)
		}
	}
	if _, stderr, code := cachesim("trace", "info", late, early, "--merge", "--separate"); code != exitUsage || !strings.Contains(stderr, "give one of them") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestStandardInput has a trace from a pipe, which is called stdin wherever it is named.
func TestStandardInput(t *testing.T) {
	read := func(text string, args ...string) (stdout, stderr string, code int) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		was := os.Stdin
		os.Stdin = r
		defer func() { os.Stdin = was; r.Close() }()
		go func() { w.WriteString(text); w.Close() }()
		return cachesim(args...)
	}
	dir := t.TempDir()
	stdout, stderr, code := read("a 1\nb 2\na 1\n", "run", "-", "--policy", "lru", "--size", "2B", "--timing-requests", "none", "--out", dir, "--format", "svg")
	if code != 0 || !strings.HasPrefix(stdout, "stdin: 3 requests") || !strings.Contains(stdout, "Hit ratio (%), stdin\n") || strings.Contains(stderr, "-: ") {
		t.Errorf("exit %d\n%s\n%s", code, stderr, stdout)
	}
	set, err := results.Read(filepath.Join(dir, "results.json"))
	if err != nil || len(set.Traces) != 1 || set.Traces[0].Name != "stdin" || set.Traces[0].Path != "stdin" {
		t.Errorf("results: %+v, %v", set, err)
	}
	if rows := readCSV(t, dir, "results.csv"); len(rows) == 0 || rows[0]["trace"] != "stdin" {
		t.Errorf("results.csv: %v", rows)
	}
	if _, stderr, code := read("a 1\nb x\n", "trace", "info", "-"); code != exitFailed || stderr != "cachesim: stdin:2: size \"x\" is not a number of bytes; --skip-bad N or P% leaves malformed records out\n" {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if stdout, stderr, code := read("1\n2\n", "trace", "head", "id:-"); code != 0 || !strings.HasPrefix(stdout, "stdin: 2 requests") {
		t.Errorf("exit %d, %s%s", code, stderr, stdout)
	}
	if _, stderr, code := read("", "trace", "info", "-", "id:-", "--separate"); code != exitUsage || !strings.Contains(stderr, "named twice") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestArchiveMember names a file in an archive on the command line.
func TestArchiveMember(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"logs/a", "logs/b"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("x 1\ny 1\n"))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	archive := file(t, "logs.zip", b.Bytes())
	stdout, stderr, code := cachesim("trace", "info", "--trace-cache", "off", "id-size:"+archive+"!logs/b")
	if code != 0 || !strings.HasPrefix(stdout, "logs.zip!b: 2 requests") {
		t.Errorf("exit %d, %s%s", code, stderr, stdout)
	}
	_, stderr, code = cachesim("trace", "info", archive)
	if want := `the archive holds 2 files: name one as ARCHIVE!FILE; it has "logs/a", "logs/b"`; code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("exit %d, %s, want %s", code, stderr, want)
	}
}

// TestRotatedLogs has the files of a rotated log in the order of their names, and a pattern of which
// the shell has made nothing.
func TestRotatedLogs(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{"t.log": "9 d 1\n", "t.log.1": "7 c 1\n", "t.log.2": "5 b 1\n", "t.log.10": "1 a 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	byName := []string{"t.log", "t.log.1", "t.log.10", "t.log.2"}
	for i := range byName {
		byName[i] = filepath.Join(dir, byName[i])
	}
	for _, args := range [][]string{byName, {filepath.Join(dir, "t.log*")}, {"time-id-size:" + filepath.Join(dir, "t.log*")}} {
		stdout, stderr, code := cachesim(append([]string{"trace", "head", "--trace-cache", "off"}, args...)...)
		var got []string
		for _, l := range strings.Split(stdout, "\n") {
			if f := strings.Fields(l); len(f) > 3 && f[2] == "get" {
				got = append(got, f[len(f)-1])
			}
		}
		if code != 0 || strings.Join(got, "") != "abcd" || !strings.Contains(stderr, "rotated logs are read from the oldest to the newest: ") {
			t.Errorf("%q: exit %d, requests for %v\n%s", args, code, got, stderr)
		}
	}
	if stdout, stderr, code := cachesim("trace", "info", "--separate", byName[0], byName[1]); code != 0 || stderr != "" || strings.Index(stdout, "t.log:") > strings.Index(stdout, "t.log.1:") {
		t.Errorf("exit %d, %s, %s", code, stderr, stdout)
	}
	if _, stderr, code := cachesim("trace", "info", filepath.Join(dir, "x*")); code != exitFailed || !strings.Contains(stderr, "no file has a name like that") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestBracketsInNames reads the file that is named, though its name is a pattern, too.
func TestBracketsInNames(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{"t[1].txt": "a 1\n", "t1.txt": "a 1\nb 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, arg := range []string{filepath.Join(dir, "t[1].txt"), "id-size:" + filepath.Join(dir, "t[1].txt")} {
		if stdout, stderr, code := cachesim("trace", "info", "--trace-cache", "off", arg); code != exitDone || !strings.Contains(stdout, "1 request ") {
			t.Errorf("%s: exit %d, %s%s", arg, code, stdout, stderr)
		}
	}
}

// TestSizeWarnings has sizes of caches that mean nothing.
func TestSizeWarnings(t *testing.T) {
	trace := file(t, "t", []byte("a 10\nb 20\na 10\n"))
	run := func(trace string, args ...string) (string, string, int) {
		return cachesim(append([]string{"run", trace, "--policy", "lru", "--timing-requests", "none", "--quiet", "--format", "svg", "--out", t.TempDir()}, args...)...)
	}
	want := "Larger than all objects together, so that nothing is evicted: 1.0 GiB."
	if stdout, stderr, code := run(trace, "--size", "30B,1GiB"); code != 0 || strings.Count(stdout, want) != 1 {
		t.Errorf("exit %d, %s\n%s", code, stderr, stdout)
	}
	if stdout, stderr, code := run(trace, "--size", "2,3", "--capacity-unit", "objects"); code != 0 || !strings.Contains(stdout, "so that nothing is evicted: 3 objects.") {
		t.Errorf("exit %d, %s\n%s", code, stderr, stdout)
	}
	if _, stderr, code := run(file(t, "zero", []byte("a 0\nb 0\na 0\n"))); code != exitFailed || !strings.Contains(stderr, "trace zero: all sizes are 0, so that neither") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestTraceFilter writes parts of a trace, in the format of its own, and reads them again.
func TestTraceFilter(t *testing.T) {
	trace := file(t, "t", []byte("1 a 10\n2 b 20\n5 a 10\n9 c 30\n"))
	ids := file(t, "ids", []byte("a\nc\n"))
	for _, test := range []struct{ args, want string }{
		{"--min-size 20", "2 b 20;9 c 30;"},
		{"--max-size 0.02KB", "1 a 10;2 b 20;5 a 10;"},
		{"--from 1s --until 8s", "2 b 20;5 a 10;"},
		{"--include ^[ab]$ --exclude b", "1 a 10;5 a 10;"},
		{"--ids " + ids + " --skip 1", "5 a 10;9 c 30;"},
		{"--only-ops get", "1 a 10;2 b 20;5 a 10;9 c 30;"},
	} {
		out := filepath.Join(t.TempDir(), "t.cachesim.zst")
		args := append([]string{"trace", "filter", trace, "--to", "cachesim", "--output", out}, strings.Fields(test.args)...)
		if _, stderr, code := cachesim(args...); code != 0 || !strings.Contains(stderr, "the filter left out ") {
			t.Errorf("%q: exit %d, %s", test.args, code, stderr)
			continue
		}
		stdout, stderr, code := cachesim("trace", "head", out)
		first := ""
		var got strings.Builder
		for _, l := range strings.Split(stdout, "\n") {
			if f := strings.Fields(l); len(f) > 4 && f[2] == "get" {
				d, err := time.ParseDuration(f[1])
				if err != nil {
					t.Fatal(err)
				}
				if first == "" {
					first, _, _ = strings.Cut(test.want, " ")
				}
				start, _ := strconv.Atoi(first)
				fmt.Fprintf(&got, "%d %s %s;", start+int(d.Seconds()), f[len(f)-1], f[3])
			}
		}
		if got.String() != test.want || code != 0 || !strings.Contains(stdout, "format cachesim: it starts with the magic number") {
			t.Errorf("%q: exit %d, %s, got %s, want %s:\n%s", test.args, code, stderr, got.String(), test.want, stdout)
		}
	}
	for _, test := range []struct {
		args, want string
		code       int
	}{
		{"filter --output -", "filter expects a rule: one or several of --min-size, --max-size,", exitUsage},
		{"sample --output -", "sample expects the share of the objects to keep, as --sample 1%", exitUsage},
		{"filter --output - --min-size x", `--min-size "x": expects a size`, exitUsage},
		{"filter --output - --only-ops get,put", `"put" is no operation`, exitUsage},
		{"filter --output - --include=", "--include is empty", exitUsage},
		{"filter --output - --include *.jpg", `--include "*.jpg": error parsing regexp`, exitUsage},
		{"filter --output - --from 5s --until 5s", "--from 5s is not before until 5s", exitUsage},
		{"filter --output - --min-size 31", "the filter left out 4 of 4 requests: 4 smaller than 31 B", exitFailed},
		{"info --trace-param include=x", "that is a flag of its own: --include 'x'", exitUsage},
	} {
		args := strings.Fields(test.args)
		if _, stderr, code := cachesim(append([]string{"trace", args[0], trace}, args[1:]...)...); code != test.code || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit %d, %s", test.args, code, stderr)
		}
	}
}
