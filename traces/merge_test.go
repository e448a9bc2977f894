package traces

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMerge merges files of several formats, units of time and compressions, and
// compares with a stable sort of their records.
func TestMerge(t *testing.T) {
	type line struct {
		ms int64
		id string
	}
	for seed := range uint64(5) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		var want []line
		var names []string
		for file := range 4 {
			n := []int{1, 3 * batchSize, 100, batchSize}[(file+int(seed))%4]
			var text strings.Builder
			name := "csv"
			if file%2 == 0 {
				text.WriteString("time,id\n")
			} else {
				name = "time-id-size"
			}
			now := int64(1_000_000)
			for i := range n {
				if now += rnd.Int64N(1500) - 100; rnd.IntN(5) == 0 {
					now = now / 1000 * 1000 // times that are alike
				}
				now = max(now, 1_000_000)
				l := line{now, fmt.Sprintf("f%d-%d", file, i)}
				if file%2 == 0 {
					fmt.Fprintf(&text, "%d.%03d,%s\n", now/1000, now%1000, l.id)
				} else {
					l.ms = now / 1000 * 1000 // the format has seconds
					fmt.Fprintf(&text, "%d %s 1\n", now/1000, l.id)
				}
				want = append(want, l)
			}
			names = append(names, name+":"+writeFile(t, filepath.Join(t.TempDir(), fmt.Sprint(file)), []byte(text.String())))
		}
		// Times may go back within a file: a record is not earlier than what
		// its file has before it.
		latest := map[string]int64{}
		key := map[string]int64{}
		for _, l := range want {
			file := l.id[:2]
			latest[file] = max(latest[file], l.ms)
			key[l.id] = latest[file]
		}
		slices.SortStableFunc(want, func(a, b line) int { return int(key[a.id] - key[b.id]) })
		trace, err := Open(names, Options{Merge: true})
		if err != nil {
			t.Fatal(err)
		}
		c := readColumns(t, trace)
		if len(c.Requests) != len(want) {
			t.Fatalf("%d requests, want %d", len(c.Requests), len(want))
		}
		start := want[0].ms
		for i, r := range c.Requests {
			if got := c.Names[r.ID]; got != want[i].id {
				t.Fatalf("seed %d: request %d is for %s, want %s", seed, i, got, want[i].id)
			}
			if got := time.Duration(r.Time) * trace.Tick; got.Milliseconds() > want[i].ms-start || want[i].ms >= start && want[i].ms-start-got.Milliseconds() > trace.Tick.Milliseconds() {
				t.Fatalf("seed %d: request %d is at %v, want %d ms", seed, i, got, want[i].ms-start)
			}
		}
		wantNote(t, trace, "4 files were merged by time")
		if len(trace.SHA256()) != 64 {
			t.Errorf("SHA-256 %q", trace.SHA256())
		}
	}
}

// TestMergeRotatedLogs gives the parts of a log in the order of a glob.
func TestMergeRotatedLogs(t *testing.T) {
	always(t)
	dir := t.TempDir()
	line := func(second int, path string) string {
		return fmt.Sprintf("h - - [10/Oct/2000:13:55:%02d +0000] \"GET %s HTTP/1.0\" 200 10 \"-\" \"u\"\n", second, path)
	}
	names := []string{
		writeFile(t, filepath.Join(dir, "access.log"), []byte(line(30, "/c")+line(40, "/d"))),
		writeFile(t, filepath.Join(dir, "access.log.1"), []byte(line(20, "/b"))),
		writeFile(t, filepath.Join(dir, "access.log.2.gz"), compress(t, "gzip", []byte(line(10, "/a")+line(15, "/d")))),
	}
	order := func(o Options) string {
		t.Helper()
		trace, err := Open(names, o)
		if err != nil {
			t.Fatal(err)
		}
		defer closeTrace(t, trace)
		c := readColumns(t, trace)
		var ids []string
		for _, r := range c.Requests {
			ids = append(ids, c.Names[r.ID])
		}
		return strings.Join(ids, " ")
	}
	cache := t.TempDir()
	for range 2 { // the second time from the cache
		for _, test := range []struct {
			o    Options
			want string
		}{
			{Options{Cache: cache}, "/c /d /b /a /d"},
			{Options{Cache: cache, Merge: true}, "/a /d /b /c /d"},
			{Options{Cache: cache, Merge: true, Skip: 1, Limit: 3}, "/d /b /c"},
		} {
			if got := order(test.o); got != test.want {
				t.Errorf("%+v: got %s, want %s", test.o, got, test.want)
			}
		}
	}
}

// TestMergePrompts keeps the blocks of a prompt together.
func TestMergePrompts(t *testing.T) {
	dir := t.TempDir()
	a := writeFile(t, filepath.Join(dir, "a"), []byte(`{"timestamp":0,"input_length":1024,"hash_ids":[1,2]}
{"timestamp":5,"input_length":1024,"hash_ids":[1,3]}
`))
	b := writeFile(t, filepath.Join(dir, "b"), []byte(`{"timestamp":0,"input_length":1536,"hash_ids":[7,8,9]}
{"timestamp":4,"input_length":512,"hash_ids":[7]}
`))
	trace, err := Open([]string{b, a}, Options{Merge: true})
	if err != nil {
		t.Fatal(err)
	}
	var starts []int
	for i := range trace.Requests {
		if trace.Prompts.Starts(i) {
			starts = append(starts, i)
		}
	}
	if want := []int{0, 3, 5, 6}; !slices.Equal(starts, want) {
		t.Errorf("prompts begin at %v, want %v", starts, want)
	}
}

func TestMergeErrors(t *testing.T) {
	dir := t.TempDir()
	good := writeFile(t, filepath.Join(dir, "good"), []byte("1 a 1\n2 b 1\n"))
	bad := writeFile(t, filepath.Join(dir, "bad"), []byte("1 a 1\n2 b x\n3 c 1\n"))
	timeless := writeFile(t, filepath.Join(dir, "timeless"), []byte("a 1\n"))
	open := func(o Options, names ...string) (int, error) {
		o.Merge = true
		trace, err := Open(names, o)
		if err != nil {
			return 0, err
		}
		defer closeTrace(t, trace)
		return trace.Requests, nil
	}
	var syntax *SyntaxError
	if _, err := open(Options{}, good, bad); !errors.As(err, &syntax) || syntax.File != bad || syntax.Line != 2 {
		t.Errorf("got the error %v", err)
	}
	if n, err := open(Options{SkipBad: 1}, good, bad); n != 4 || err != nil {
		t.Errorf("got %d requests, %v", n, err)
	}
	if _, err := open(Options{}, good, timeless); err == nil || !strings.Contains(err.Error(), timeless+": it has no times") {
		t.Errorf("got the error %v", err)
	}
	if _, err := open(Options{}, good, filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got the error %v", err)
	}
	if _, err := open(Options{Format: "nonsense"}, good, good); err == nil {
		t.Error("an unknown format is accepted")
	}
	if n, err := open(Options{Limit: 1}, good, bad); n != 1 || err != nil { // the error lies behind
		t.Errorf("got %d requests, %v", n, err)
	}
}
