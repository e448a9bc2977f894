package traces

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
)

// kept lists the requests of a trace by name, with the operation where it is no get.
func kept(t *testing.T, trace *sim.Trace) string {
	t.Helper()
	var list []string
	err := trace.Each(sim.ColumnOps, func(_ int, b sim.Batch) error {
		for i, r := range b.Requests {
			s := trace.ObjectName(r.ID)
			if b.Ops != nil && b.Ops[i] != sim.Get {
				s += ":" + b.Ops[i].String()
			}
			list = append(list, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

func idFile(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ids.txt")
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFilter has one trace and, by one rule after the other, what is left of it.
func TestFilter(t *testing.T) {
	const ops = "time,id,size,op\n100,a,10,get\n101,/b.jpg,20,set\n102,7,30,get\n104,a,10,delete\n105,07,0,get\n107.5,/c.png,50,get\n"
	const date = 1431857100 // 2015-05-17T10:05:00Z
	dated := fmt.Sprintf("%d a 1\n%d b 1\n%d c 1\n", date, date+60, date+86400)
	const log = `h - - [17/May/2015:10:05:00 +0000] "GET /a.jpg HTTP/1.1" 200 10
h - - [17/May/2015:10:05:01 +0000] "GET http://EXAMPLE.org/b.jpg?x HTTP/1.1" 200 10
h - - [17/May/2015:10:05:02 +0000] "GET /c.txt HTTP/1.1" 200 10
h - - [17/May/2015:10:05:03 +0000] "GET /d.txt HTTP/1.1" 404 10
`
	const prompts = `{"timestamp":0,"input_length":1536,"output_length":1,"hash_ids":[1,2,3]}
{"timestamp":1000,"input_length":1024,"output_length":1,"hash_ids":[1,2]}
`
	apply := Options{Ops: ApplyOps}
	ids := func(list string) Filter { return Filter{IDs: idFile(t, []byte(list))} }
	for _, test := range []struct {
		name, data string
		o          Options
		f          Filter
		want, note string
	}{
		{"sizes", ops, apply, Filter{MinSize: 11, MaxSize: 49}, "/b.jpg:set 7 a:delete",
			"the filter left out 3 of 6 requests: 2 smaller than 11 B, 1 larger than 49 B"},
		{"inclusive", ops, apply, Filter{MinSize: 20, MaxSize: 30}, "/b.jpg:set 7 a:delete", "2 smaller than 20 B, 1 larger than 30 B"},
		{"operations", ops, apply, Filter{Ops: []sim.Op{sim.Set, sim.Delete}}, "/b.jpg:set a:delete", "4 with another operation than set or delete"},
		{"operations, then reads only", ops, Options{}, Filter{Ops: []sim.Op{sim.Get, sim.Set}}, "a 7 07 /c.png", "1 with another operation than get or set"},
		{"numbers and text", ops, apply, Filter{Include: "^[07]+$"}, "7 07", `4 not matched by include "^[07]+$"`},
		{"both patterns", ops, apply, Filter{Include: `\.(jpg|png)$`, Exclude: "^/c"}, "/b.jpg:set", `4 not matched by include "\\.(jpg|png)$", 1 matched by exclude "^/c"`},
		{"ids", ops, apply, ids("7\r\n\n  a\n"), "a 7 a:delete", "3 for objects that ids.txt does not list"},
		{"none", ops, apply, Filter{MaxSize: 50}, "a /b.jpg:set 7 a:delete 07 /c.png", "the filter left out none of 6 requests"},
		{"since the first request", ops, apply, Filter{From: "2s", Until: "7.5s"}, "7 a:delete 07", "2 before 2s, 1 at or after 7.5s"},
		{"first request filtered", ops, apply, Filter{From: "2s", MinSize: 25}, "7 a:delete /c.png", ""},
		{"a unit of time", ops, Options{Ops: ApplyOps, TimeUnit: time.Millisecond}, Filter{Until: "2ms"}, "a /b.jpg:set", ""},
		{"a day", dated, Options{}, Filter{From: "2015-05-18"}, "c", "2 before 2015-05-18"},
		{"a time with a zone", dated, Options{}, Filter{Until: "2015-05-17T12:06:00+02:00"}, "a", "2 at or after 2015-05-17T12:06:00+02:00"},
		{"a fraction of the unit", dated, Options{}, Filter{From: "2015-05-17 10:05:00.5"}, "b c", "1 before"},
		{"skip and limit come later", "a 1\nb 9\nc 1\nd 1\ne 1\n", Options{Skip: 1, Limit: 2}, Filter{MaxSize: 5}, "c d", "1 larger than 5 B"},
		{"an access log", log, Options{}, Filter{Include: `^example\.org/|txt$`}, "example.org/b.jpg?x /c.txt", "the filter left out 1 of 3 requests"},
		{"the id of a log is another", log, Options{Params: map[string]string{"key": "$path"}}, Filter{Exclude: "^example.org/"}, "/a.jpg /c.txt", "1 matched by exclude"},
		{"ids of a log", log, Options{Params: map[string]string{"key": "$path"}}, ids("/b.jpg"), "/b.jpg", "2 for objects that ids.txt"},
		{"a date in a log", log, Options{}, Filter{From: "17/May/2015:12:05:01 +0200", Until: "2s"}, "example.org/b.jpg?x", ""},
		{"since the first request of a log", log, Options{}, Filter{From: "1s", Include: "txt$"}, "/c.txt", "2 not matched by include"},
		{"a share of malformed lines", "x\n" + strings.Repeat(log, 5), Options{Format: "clf", SkipBadShare: 0.1}, Filter{Include: "txt$"}, strings.TrimSpace(strings.Repeat("/c.txt ", 5)), "1 malformed record"},
		{"blocks of prompts", prompts, Options{}, ids("2\n3\n"), "2 3 2", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.o.Filter = test.f
			trace, err := Read(strings.NewReader(test.data), "t", test.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := kept(t, trace); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if !slices.ContainsFunc(trace.Notes, func(n string) bool { return strings.Contains(n, test.note) }) {
				t.Errorf("notes %q, want %q", trace.Notes, test.note)
			}
		})
	}
	trace, err := Read(strings.NewReader(prompts), "t", Options{Filter: ids("2\n3\n")})
	if err != nil || trace.Prompts == nil || !trace.Prompts.Starts(0) || trace.Prompts.Starts(1) || !trace.Prompts.Starts(2) {
		t.Errorf("prompts whose first block was left out: %+v, %v", trace, err)
	}
}

// TestFilterFiles has times of several files.
func TestFilterFiles(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for i, data := range []string{"105 a 1\n109 b 1\n", "100 c 1\n108 d 1\n"} {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	for _, test := range []struct {
		merge bool
		from  string
		want  string
	}{{false, "3s", "b d"}, {true, "6s", "d b"}, {true, "5s", "a d b"}} {
		trace, err := Open(names, Options{Merge: test.merge, Filter: Filter{From: test.from}})
		if err != nil {
			t.Fatal(err)
		}
		if got := kept(t, trace); got != test.want {
			t.Errorf("merged %v, from %s: got %s, want %s", test.merge, test.from, got, test.want)
		}
	}
}

// TestFilterIsIdentity keeps filtered traces apart in the trace cache, by the content of the list of
// ids.
func TestFilterIsIdentity(t *testing.T) {
	defer func(n int) { cacheFrom = n }(cacheFrom)
	cacheFrom = 1
	dir := t.TempDir()
	name := filepath.Join(dir, "t")
	if err := os.WriteFile(name, []byte("a 1\nb 2\nc 3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "ids")
	for _, test := range []struct {
		ids  string
		f    Filter
		want string
	}{
		{"a\n", Filter{}, "a b c"}, {"a\n", Filter{MinSize: 2}, "b c"}, {"a\n", Filter{IDs: list}, "a"}, {"c\n", Filter{IDs: list}, "c"}, {"a\n", Filter{}, "a b c"},
	} {
		if err := os.WriteFile(list, []byte(test.ids), 0o666); err != nil {
			t.Fatal(err)
		}
		trace, err := Open([]string{name}, Options{Cache: filepath.Join(dir, "cache"), Filter: test.f})
		if err != nil {
			t.Fatal(err)
		}
		if got := kept(t, trace); got != test.want {
			t.Errorf("%+v with ids %q: got %s, want %s", test.f, test.ids, got, test.want)
		}
		if err := trace.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	list := idFile(t, []byte("\n\n"))
	for _, test := range []struct {
		data string
		o    Options
		f    Filter
		want string
	}{
		{"a 1\nb 2\n", Options{}, Filter{MinSize: 3}, "read trace t: it holds no requests that are to be replayed: the filter left out 2 of 2 requests: 2 smaller than 3 B"},
		{"a 1\nb 2\n", Options{}, Filter{From: "1h"}, "read trace t: from 1h: it has no times"},
		{"100 a 1\n", Options{}, Filter{Until: "2015-05-17"}, "until 2015-05-17: its times are not dates: the first request is at 100 s"},
		{"a 1\n", Options{}, Filter{From: "yesterday"}, `from "yesterday" is neither a time since the first request`},
		{"a 1\n", Options{}, Filter{From: "90"}, `from "90" is neither`},
		{"a 1\n", Options{}, Filter{From: "-5s"}, `from "-5s" is neither`},
		{"a 1\n", Options{}, Filter{From: "9999-01-01"}, `from "9999-01-01" is neither`},
		{"a 1\n", Options{}, Filter{From: "1600-01-01"}, `from "1600-01-01" is neither`},
		{"a 1\n", Options{}, Filter{From: "2h", Until: "1h"}, "from 2h is not before until 1h"},
		{"a 1\n", Options{}, Filter{From: "2015-05-17", Until: "2015-05-17"}, "is not before"},
		{"a 1\n", Options{}, Filter{MinSize: 2, MaxSize: 1}, "min-size 2 is above max-size 1"},
		{"a 1\n", Options{}, Filter{Include: "*.jpg"}, `include "*.jpg": error parsing regexp: missing argument to repetition operator`},
		{"a 1\n", Options{}, Filter{Include: "*.jpg"}, `names that end in .jpg are \.jpg$`},
		{"a 1\n", Options{}, Filter{Exclude: "["}, `exclude "[": error parsing regexp`},
		{"a 1\n", Options{}, Filter{IDs: list}, "it lists no id"},
		{"a 1\n", Options{}, Filter{IDs: list + "x"}, "read ids: open"},
		{"a 1\n", Options{}, Filter{Ops: []sim.Op{sim.Set}}, "only gets are replayed: with --ops apply or --ops ignore"},
	} {
		test.o.Filter = test.f
		if _, err := Read(bytes.NewReader([]byte(test.data)), "t", test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got the error %v, want %s", test.f, err, test.want)
		}
	}
}

// TestLogsTogether adds up what the rules for access logs leave out of several files.
func TestLogsTogether(t *testing.T) {
	dir := t.TempDir()
	line := func(second int, request string, status, size int) string {
		return fmt.Sprintf("h - - [17/May/2015:10:05:%02d +0000] \"%s HTTP/1.1\" %d %d\n", second, request, status, size)
	}
	var names []string
	for i, data := range []string{
		line(1, "GET /a", 200, 10) + line(2, "POST /a", 200, 1) + line(9, "GET /x", 404, 1) + line(4, "GET /a", 200, 10),
		line(10, "PUT /a", 200, 10) + line(11, "POST /b", 200, 10) + line(12, "GET /a", 304, 0) + line(12, "GET /c", 304, 0) + line(14, "GET /b", 200, 5) + line(12, "GET /b", 200, 5),
	} {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	trace, err := Open(names, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"the rules for access logs left out 5 of 10 lines:",
		"3 requests with method POST or PUT (methods=GET)",
		"1 request with status 404 (statuses=200,203,204,300,301,308)",
		"1 request answered without a body for objects whose size the log had not shown before",
		"1 request logged up to 2s after a later one",
	}
	if got := kept(t, trace); got != "/a /a /a /b /b" { // the first log shows the size for the 304 of the second
		t.Errorf("requests for %s", got)
	}
	if got := trace.Notes[len(trace.Notes)-len(want):]; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", trace.Notes, want)
	}
	if _, err := Read(strings.NewReader(line(1, "GET /x", 404, 1)), "t", Options{}); err == nil || !strings.Contains(err.Error(), "it holds no requests that are to be replayed: the rules for access logs left out 1 of 1 line: 1 request with status 404") {
		t.Errorf("a log of errors: got the error %v", err)
	}
}
