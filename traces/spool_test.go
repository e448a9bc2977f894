package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cachesim/sim"
	"cachesim/sim/profile"
)

// opsFormat is a format for tests, with all that a record can have: "op time id
// size ttl", the time in nanoseconds.
var opsFormat = Format{
	Name: "test-ops", Tick: time.Nanosecond,
	Params: []Param{{Name: "shift", Default: "0"}},
	Probe:  func([]byte, bool) (Confidence, string) { return No, "" },
	New: func(r io.Reader, args Args) (Decoder, error) {
		shift, ok := parseInt([]byte(args["shift"]))
		if !ok {
			return nil, fmt.Errorf("shift=%s is not a number", args["shift"])
		}
		return &opsDecoder{newLineReader(r), shift}, nil
	},
}

type opsDecoder struct {
	lines *lineReader
	shift int64
}

func (d *opsDecoder) Report() []string { return []string{"read by a test"} }

func (d *opsDecoder) Decode(dst []Record) (int, error) {
	return d.lines.decode(dst, func(line []byte, r *Record) (bool, error) {
		var f [6][]byte
		if splitBlanks(line, f[:]) != 5 {
			return false, fmt.Errorf("want 5 fields in %s", quote(line))
		}
		op := slices.Index([]string{"get", "set", "delete"}, string(f[0]))
		t, ok1 := parseInt(f[1])
		ttl, ok2 := parseUint(f[4])
		if op < 0 || !ok1 || !ok2 {
			return false, errors.New("op, time or ttl is wrong")
		}
		r.Op, r.Time, r.TTL = sim.Op(op), t+d.shift, uint32(ttl)
		r.setID(f[2])
		var err error
		r.Size, err = parseSize(f[3])
		return true, err
	})
}

func TestMain(m *testing.M) {
	Formats = append(Formats, opsFormat)
	os.Exit(m.Run())
}

// operations is a trace of n requests in format test-ops.
func operations(n int, step int64) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(5, 6))
	now := int64(1e18)
	for range n {
		op := []string{"get", "get", "get", "set", "delete"}[r.IntN(5)]
		now += r.Int64N(2*step) - step/4
		id := fmt.Sprint(r.IntN(1 + n/3))
		if id[0] < '5' {
			id = "key" + id
		}
		fmt.Fprintf(&b, "%s %d %s %d %d\n", op, now, id, r.IntN(1000), r.IntN(3)*r.IntN(100_000))
	}
	return b.Bytes()
}

// columns is all that a trace yields.
type columns struct {
	Requests []sim.Request
	Next     []uint32
	Ops      []sim.Op
	TTL      []uint32
	Names    []string
	SHA256   string
	Fields   sim.Trace // without functions
}

func readColumns(t *testing.T, trace *sim.Trace) columns {
	t.Helper()
	var c columns
	err := trace.Each(sim.ColumnNext|sim.ColumnOps|sim.ColumnTTL, func(start int, b sim.Batch) error {
		if start != len(c.Requests) || len(b.Requests) != min(sim.BatchSize, trace.Requests-start) {
			t.Errorf("a batch of %d requests at %d", len(b.Requests), start)
		}
		c.Requests = append(c.Requests, b.Requests...)
		c.Next = append(c.Next, b.Next...)
		c.Ops = append(c.Ops, b.Ops...)
		c.TTL = append(c.TTL, b.TTL...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range trace.Objects {
		c.Names = append(c.Names, trace.ObjectName(uint32(id)))
	}
	c.SHA256, c.Fields = trace.SHA256(), *trace
	c.Fields.Source, c.Fields.ObjectName, c.Fields.FileHash = nil, nil, nil
	return c
}

func wantSame(t *testing.T, what string, got, want columns) {
	t.Helper()
	if !slices.Equal(got.Requests, want.Requests) || !slices.Equal(got.Next, want.Next) || !slices.Equal(got.Ops, want.Ops) ||
		!slices.Equal(got.TTL, want.TTL) || !slices.Equal(got.Names, want.Names) ||
		got.SHA256 != want.SHA256 {
		t.Errorf("%s: the columns differ", what)
	}
	if !reflect.DeepEqual(got.Fields, want.Fields) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got.Fields, want.Fields)
	}
}

func writeFile(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string, o Options) *sim.Trace {
	t.Helper()
	trace, err := Open([]string{path}, o)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func closeTrace(t testing.TB, trace *sim.Trace) {
	t.Helper()
	if err := trace.Close(); err != nil {
		t.Fatal(err)
	}
}

func always(t testing.TB) {
	was := cacheFrom
	cacheFrom = 1
	t.Cleanup(func() { cacheFrom = was })
}

func tracesIn(t testing.TB, dir string) []CacheEntry {
	t.Helper()
	e, err := CacheEntries(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func isSpool(trace *sim.Trace) bool { _, ok := trace.Source.(*spool); return ok }

// A trace is the same in memory, in a spool, written to the cache from either,
// and read from the cache, with every option.
func TestSpoolEqualsMemory(t *testing.T) {
	always(t)
	n := 3*pieceSize + 77
	if testing.Short() {
		n = pieceSize + 77
	}
	files := map[string]string{}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"id-size": numbers(20_000), "test-ops": operations(20_000, 1000), "test-ops, long": operations(20_000, 1e9),
		"id-size, pieces": numbers(n), "test-ops, pieces": operations(n, 1e7),
	} {
		files[name] = writeFile(t, filepath.Join(dir, name), data)
	}
	options := map[string]Options{
		"default": {}, "last": {SizeRule: LastSize}, "max": {SizeRule: MaxSize}, "ignore size": {IgnoreSize: true},
		"apply": {Ops: ApplyOps}, "apply, last": {Ops: ApplyOps, SizeRule: LastSize}, "ignore ops": {Ops: IgnoreOps, SizeRule: MaxSize},
		"skip": {Skip: 5000}, "limit": {Limit: 5000}, "skip and limit": {Skip: 3000, Limit: 12_000, Ops: ApplyOps},
		"time unit": {TimeUnit: time.Second, Limit: 9000},
	}
	for name, path := range files {
		for what, o := range options {
			if o.TimeUnit > 0 && strings.Contains(name, ",") || strings.Contains(name, "pieces") && (o.Skip > 0 || what == "max") {
				continue
			}
			t.Run(name+"/"+what, func(t *testing.T) {
				o.Format, _, _ = strings.Cut(name, ",")
				memory := open(t, path, o)
				want := readColumns(t, memory)
				if isSpool(memory) {
					t.Fatal("without a bound of memory it is a spool")
				}

				o.Memory = 1
				temporary := open(t, path, o)
				wantSame(t, "temporary spool", readColumns(t, temporary), want)
				if !isSpool(temporary) {
					t.Fatal("it does not fit into memory, but is no spool")
				}
				folder := temporary.Source.(*spool).dir
				closeTrace(t, temporary)
				if _, err := os.Stat(folder); !os.IsNotExist(err) {
					t.Errorf("the temporary spool is still there: %v", err)
				}

				for _, bytes := range []int64{0, 1} {
					o.Memory, o.Cache = bytes, t.TempDir()
					for _, run := range []string{"first", "second", "third"} {
						trace := open(t, path, o)
						if got := isSpool(trace); got != (run != "first" || bytes == 1) {
							t.Errorf("%s run with memory %d: a spool: %v", run, bytes, got)
						}
						wantSame(t, run+" run with a cache", readColumns(t, trace), want)
						closeTrace(t, trace)
					}
					if e := tracesIn(t, o.Cache); len(e) != 1 || e[0].Requests != want.Fields.Requests || e[0].Bytes < int64(16*want.Fields.Requests) {
						t.Errorf("the cache has %+v", e)
					}
				}
			})
		}
	}
}

// What differs in options or content has a spool of its own.
func TestCacheKeys(t *testing.T) {
	always(t)
	dir, cache := t.TempDir(), t.TempDir()
	path := writeFile(t, filepath.Join(dir, "a"), operations(1000, 1000))
	other := writeFile(t, filepath.Join(dir, "b"), operations(1001, 1000))
	seen := 0
	load := func(what string, isNew bool, names []string, o Options) {
		t.Helper()
		o.Cache = cache
		trace, err := Open(names, o)
		if err != nil {
			t.Fatal(err)
		}
		if isSpool(trace) == isNew {
			t.Errorf("%s: came from the cache: %v", what, !isNew)
		}
		closeTrace(t, trace)
		if isNew {
			seen++
		}
		if n := len(tracesIn(t, cache)); n != seen {
			t.Errorf("%s: the cache has %d traces, want %d", what, n, seen)
		}
	}
	ops := Options{Format: "test-ops"}
	a, b := []string{path}, []string{other}
	load("a", true, a, ops)
	load("a again", false, a, ops)
	load("a by format:name", false, []string{"test-ops:" + path}, Options{})
	load("b", true, b, ops)
	load("both", true, []string{path, other}, ops)
	load("both in the other order", true, []string{other, path}, ops)
	load("both again", false, []string{path, other}, ops)
	load("parameter", true, a, Options{Format: "test-ops", Params: map[string]string{"shift": "5"}})
	load("operations", true, a, Options{Format: "test-ops", Ops: ApplyOps})
	load("size rule", true, a, Options{Format: "test-ops", SizeRule: MaxSize})
	load("limit", true, a, Options{Format: "test-ops", Limit: 10})
	load("limit again", false, a, Options{Format: "test-ops", Limit: 10})
	load("skip", true, a, Options{Format: "test-ops", Skip: 10})

	// A file that is only touched leads to the spool that is there; one that is
	// changed does not, even with the same size and time.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	trace, err := Open(a, Options{Format: "test-ops", Cache: cache})
	if err != nil || isSpool(trace) {
		t.Fatalf("a touched file was not read again: %v", err)
	}
	closeTrace(t, trace)
	load("touched, again", false, a, ops)
	info, _ := os.Stat(path)
	data, _ := os.ReadFile(path)
	at := bytes.Index(data, []byte(" key")) + 4
	data[at] ^= 1
	writeFile(t, path, data)
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	load("changed", true, a, ops)

	if err := ClearCache(cache); err != nil {
		t.Fatal(err)
	}
	if n := len(tracesIn(t, cache)); n != 0 {
		t.Errorf("%d traces after clearing", n)
	}
	if e, err := os.ReadDir(filepath.Join(cache, indexFolder)); err != nil || len(e) != 0 {
		t.Errorf("%d index entries after clearing, %v", len(e), err)
	}
	if err := ClearCache(filepath.Join(cache, "missing")); err != nil {
		t.Errorf("clearing a cache that is not there: %v", err)
	}
}

// TestCacheOfManyWriters has many open one trace at once, with a cache that all
// share and no locks, as jobs of a cluster do: all have the same requests, one spool
// remains, and nothing half-written.
func TestCacheOfManyWriters(t *testing.T) {
	always(t)
	dir, cache := t.TempDir(), t.TempDir()
	path := writeFile(t, filepath.Join(dir, "a"), operations(20_000, 1000))
	const writers = 12
	start := make(chan struct{})
	traces, errs := make([]*sim.Trace, writers), make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			traces[i], errs[i] = Open([]string{path}, Options{Format: "test-ops", Cache: cache})
		}()
	}
	close(start)
	wg.Wait()
	var digest string
	for i, tr := range traces {
		if errs[i] != nil {
			t.Errorf("writer %d: %v", i, errs[i])
			continue
		}
		n := 0
		if err := tr.Each(0, func(_ int, b sim.Batch) error { n += len(b.Requests); return nil }); err != nil || n != tr.Requests || n == 0 {
			t.Errorf("writer %d reads %d of %d requests, %v", i, n, tr.Requests, err)
		}
		if digest == "" {
			digest = tr.Digest
		}
		if tr.Digest != digest {
			t.Errorf("writer %d has the digest %s, another %s", i, tr.Digest, digest)
		}
		closeTrace(t, tr)
	}
	if n := len(tracesIn(t, cache)); n != 1 {
		t.Errorf("the cache has %d traces, want 1", n)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "tmp-*")); len(left) > 0 {
		t.Errorf("half-written spools are left: %v", left)
	}
	again, err := Open([]string{path}, Options{Format: "test-ops", Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	if !isSpool(again) || again.Digest != digest {
		t.Errorf("opened again: from the cache: %v, digest %s, want %s", isSpool(again), again.Digest, digest)
	}
	closeTrace(t, again)
}

// A spool that is damaged anywhere, or cut, is found out and made again.
func TestDamagedSpool(t *testing.T) {
	always(t)
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "a"), operations(pieceSize+5000, 1000))
	o := Options{Format: "test-ops", Ops: ApplyOps, Cache: filepath.Join(dir, "cache")}
	trace := open(t, path, o)
	want := readColumns(t, trace)
	closeTrace(t, trace)
	damage := map[string]func([]byte) []byte{
		"a flipped bit":     func(b []byte) []byte { b[len(b)*2/3] ^= 4; return b },
		"a flipped end":     func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a cut":             func(b []byte) []byte { return b[:len(b)-1] },
		"bytes at the end":  func(b []byte) []byte { return append(b, 0) },
		"nothing":           func(b []byte) []byte { return nil },
		"another beginning": func(b []byte) []byte { b[0] ^= 0x80; return b },
	}
	for what, f := range damage {
		for _, file := range []string{"requests", "ops", "ttl", "next", "next.json", "meta.json", "names"} {
			t.Run(file+"/"+what, func(t *testing.T) {
				trace := open(t, path, o)
				wantSame(t, "before", readColumns(t, trace), want) // makes next accesses
				folder := ""
				if s, ok := trace.Source.(*spool); ok {
					folder = s.dir
				}
				closeTrace(t, trace)
				if folder == "" {
					trace = open(t, path, o)
					readColumns(t, trace)
					folder = trace.Source.(*spool).dir
					closeTrace(t, trace)
				}
				name := filepath.Join(folder, file)
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, name, f(data))

				trace = open(t, path, o)
				got := readColumns(t, trace)
				switch file {
				case "next", "next.json":
					if !isSpool(trace) {
						t.Error("it was read again, although next accesses can be computed from the spool")
					}
				case "names":
					// Extra bytes do not matter; a damaged name is not given out.
					if what != "bytes at the end" && !strings.Contains(got.Names[0], "cannot be read") {
						t.Errorf("the name of object 0 is %q", got.Names[0])
					}
					got.Names = want.Names
					writeFile(t, name, nil)
					if err := os.RemoveAll(folder); err != nil {
						t.Fatal(err)
					}
				default:
					if isSpool(trace) {
						t.Error("the damaged spool was used")
					}
					if n := len(got.Fields.Notes); n == 0 || !strings.Contains(got.Fields.Notes[n-1], "cache could not be used and was made again") {
						t.Errorf("notes %q", got.Fields.Notes)
					} else {
						got.Fields.Notes = got.Fields.Notes[:n-1]
					}
				}
				wantSame(t, "after", got, want)
				closeTrace(t, trace)
			})
		}
	}
}

// What a killed writer leaves is not used, and removed when it is old.
func TestKilledWriter(t *testing.T) {
	always(t)
	dir, cache := t.TempDir(), t.TempDir()
	path := writeFile(t, filepath.Join(dir, "a"), numbers(5000))
	o := Options{Cache: cache}
	c, err := o.complete()
	if err != nil {
		t.Fatal(err)
	}
	// All but the last step of writing.
	k := newCache([]file{{name: path}}, c)
	half, err := k.newFolder()
	if err != nil {
		t.Fatal(err)
	}
	w := newSpoolWriter(half, false)
	if err := w.append(sim.Batch{Requests: make([]sim.Request, pieceSize+1)}); err != nil {
		t.Fatal(err)
	}
	trace := open(t, path, o)
	if isSpool(trace) {
		t.Error("half a spool was used")
	}
	closeTrace(t, trace)
	if _, err := os.Stat(half); err != nil {
		t.Errorf("what may still be written was removed: %v", err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * staleAfter)
	for _, name := range []string{half, filepath.Join(half, "requests")} {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	closeTrace(t, open(t, writeFile(t, filepath.Join(dir, "b"), numbers(5001)), o))
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("what a killed writer has left is still there: %v", err)
	}
}

// Writers of the same spool at the same time do not disturb each other.
func TestConcurrentWriters(t *testing.T) {
	always(t)
	dir, cache := t.TempDir(), t.TempDir()
	path := writeFile(t, filepath.Join(dir, "a"), operations(30_000, 1000))
	o := Options{Format: "test-ops", Ops: ApplyOps}
	want := readColumns(t, open(t, path, o))
	o.Cache = cache
	var wg sync.WaitGroup
	for i := range 8 {
		o := o
		o.Memory = int64(i % 2)
		wg.Go(func() {
			trace, err := Open([]string{path}, o)
			if err != nil {
				t.Error(err)
				return
			}
			got := readColumns(t, trace)
			wantSame(t, fmt.Sprint("reader ", i), got, want)
			if err := trace.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(tracesIn(t, cache)); n != 1 {
		t.Errorf("%d traces in the cache, want 1", n)
	}
	found, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if strings.HasPrefix(f.Name(), tmpPrefix) {
			t.Errorf("%s was left behind", f.Name())
		}
	}
}

// The cache keeps within its size: the trace that was not used for longest goes.
func TestCacheEviction(t *testing.T) {
	always(t)
	dir, cache := t.TempDir(), t.TempDir()
	o := Options{Cache: cache}
	names := make([]string, 4)
	var each int64
	for i := range names {
		names[i] = writeFile(t, filepath.Join(dir, fmt.Sprint(i)), numbers(5000+i))
		if i == 3 {
			o.CacheSize = 3*each + each/2
		}
		closeTrace(t, open(t, names[i], o))
		if i == 0 {
			each = tracesIn(t, cache)[0].Bytes
		}
		// Ages in an order of their own: 1 is the oldest.
		for _, e := range tracesIn(t, cache) {
			age := []time.Duration{2, 4, 3, 1}[e.Requests-5000] * time.Hour
			at := time.Now().Add(-age)
			if err := os.Chtimes(filepath.Join(cache, e.Key, "meta.json"), at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	var left []int
	for _, e := range tracesIn(t, cache) {
		left = append(left, e.Requests)
	}
	if want := []int{5003, 5000, 5002}; !slices.Equal(left, want) {
		t.Errorf("the cache has %v, want %v, the one used last first", left, want)
	}
	// Use counts: 2 is used again, so 0 goes next.
	trace := open(t, names[2], o)
	if !isSpool(trace) {
		t.Error("2 is not in the cache")
	}
	closeTrace(t, trace)
	closeTrace(t, open(t, names[1], o))
	for _, e := range tracesIn(t, cache) {
		if e.Requests == 5000 {
			t.Error("0 was used before all others, but is still there")
		}
	}
	// A trace larger than the cache is not kept, and still read.
	o.CacheSize = 1000
	for _, bytes := range []int64{0, 1} {
		o.Memory = bytes
		trace = open(t, names[0], o)
		readColumns(t, trace)
		closeTrace(t, trace)
	}
	for _, e := range tracesIn(t, cache) {
		if e.Requests == 5000 {
			t.Error("a trace larger than the cache was kept")
		}
	}
}

// Several readers of a spool go at their own paces.
func TestReadersOfASpool(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "a"), numbers(2*pieceSize+9))
	trace := open(t, path, Options{Memory: 1})
	defer closeTrace(t, trace)
	want := readColumns(t, trace)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var got []sim.Request
			if err := trace.Each(sim.ColumnNext, func(_ int, b sim.Batch) error { got = append(got, b.Requests...); return nil }); err != nil {
				t.Error(err)
			}
			if !slices.Equal(got, want.Requests) {
				t.Error("a reader got other requests")
			}
		})
	}
	wg.Wait()
	if m := trace.Source.Memory(); m != 0 {
		t.Errorf("%d bytes of memory without a reader", m)
	}
}

// The LRU curve has a reader for each size, which are at different places of a spool.
func TestLRUOfASpool(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "a"), numbers(2*pieceSize+9))
	spooled := open(t, path, Options{Memory: 1})
	defer closeTrace(t, spooled)
	memory := open(t, path, Options{})
	o := profile.LRUOptions{Unit: sim.UnitBytes}
	sizes := []int64{memory.Footprint / 16, memory.Footprint / 4, memory.Footprint}
	want, err := profile.LRU(memory, o, sizes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := profile.LRU(spooled, o, sizes)
	if err != nil {
		t.Fatal(err)
	}
	if !isSpool(spooled) || !reflect.DeepEqual(got, want) || want[0].Hits == 0 || want[0].Hits == want[1].Hits {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A spool that is cut while it is read is no shorter trace.
func TestCutSpool(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "a"), numbers(2*pieceSize+9))
	trace := open(t, path, Options{Memory: 1})
	defer closeTrace(t, trace)
	if err := os.Truncate(filepath.Join(trace.Source.(*spool).dir, "requests"), 16*pieceSize); err != nil {
		t.Fatal(err)
	}
	if err := trace.Each(0, func(int, sim.Batch) error { return nil }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

// Standard input can be of any size, and is not kept in the cache.
func TestStandardInput(t *testing.T) {
	always(t)
	data := numbers(pieceSize + 1000)
	want := readTrace(t, data)
	for _, o := range []Options{{}, {Memory: 1}, {Memory: 1, Cache: t.TempDir()}, {Cache: t.TempDir()}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			w.Write(data)
			w.Close()
		}()
		was := os.Stdin
		os.Stdin = r
		trace, err := Open([]string{"-"}, o)
		os.Stdin = was
		if err != nil {
			t.Fatal(err)
		}
		if !same(trace, want) || trace.SHA256() != sum(data) || trace.Name != stdin || isSpool(trace) != (o.Memory > 0) {
			t.Errorf("%+v: got %+v", o, trace)
		}
		closeTrace(t, trace)
		if o.Cache != "" {
			if found, err := filepath.Glob(filepath.Join(o.Cache, "*")); err != nil || len(found) != 0 && !(len(found) == 1 && filepath.Base(found[0]) == indexFolder) {
				t.Errorf("the cache has %q, %v", found, err)
			}
		}
	}
	// An error ends the reading, even if the pipe stays open.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	was := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = was }()
	go w.Write(append([]byte("1 1\n2\n"), bytes.Repeat([]byte("1 1\n"), blockSize)...))
	if _, err := Open([]string{"-"}, Options{Format: "id-size"}); err == nil || !strings.HasPrefix(err.Error(), "stdin:2: ") {
		t.Errorf("got the error %v", err)
	}
}

// Where the cache cannot be written, the trace is read all the same.
func TestUnwritableCache(t *testing.T) {
	always(t)
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "a"), numbers(5000))
	notAFolder := filepath.Join(writeFile(t, filepath.Join(dir, "file"), nil), "cache")
	trace := open(t, path, Options{Cache: notAFolder, Memory: 1})
	readColumns(t, trace)
	wantNote(t, trace, "it is not in the trace cache")
	closeTrace(t, trace)
	trace = open(t, path, Options{Cache: notAFolder})
	readColumns(t, trace)
	if err := trace.Close(); err == nil || !strings.Contains(err.Error(), "keep the trace in the cache: ") {
		t.Errorf("closing a trace that could not be kept: got the error %v", err)
	}
}
