package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
	for _, want := range []string{"combined (access logs)", "methods=GET\n", "include=(empty)", "valpin (public corpora)", "It has no parameters"} {
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
