package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
)

// readOps reads lines of format test-ops.
func readOps(t *testing.T, data string, o Options) *sim.Trace {
	t.Helper()
	o.Format = "test-ops"
	trace, err := Read(strings.NewReader(data), "t", o)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func readError(t *testing.T, data string, o Options) error {
	t.Helper()
	trace, err := Read(strings.NewReader(data), "t", o)
	if err == nil {
		t.Fatalf("read as %d requests, want an error", trace.Requests)
	}
	return err
}

func wantNote(t *testing.T, trace *sim.Trace, want string) {
	t.Helper()
	if !slices.ContainsFunc(trace.Notes, func(n string) bool { return strings.Contains(n, want) }) {
		t.Errorf("notes %q, want one with %q", trace.Notes, want)
	}
}

// The digest is that of the requests, whatever they are written in.
func TestDigest(t *testing.T) {
	const plain = "5 17 10\n6 4 20\n6 17 10\n9 17 10\n"
	want := readTrace(t, []byte(plain))
	if len(want.Digest) != 32 || len(want.Clock) != 32 {
		t.Errorf("digests %q and %q, want 32 digits", want.Digest, want.Clock)
	}
	same := map[string][]byte{
		"oracleGeneral": oracle(t, next{5, 17, 10, 3}, next{6, 4, 20, -1}, next{6, 17, 10, 4}, next{9, 17, 10, -1}),
		"another start": []byte("105 17 10\n106 4 20\n106 17 10\n109 17 10\n"),
		"other ids":     []byte("5 a 10\n6 b 20\n6 a 10\n9 a 10\n"),
		"crlf and bom":  []byte("\xef\xbb\xbf" + strings.ReplaceAll(plain, "\n", "\r\n\r\n")),
	}
	for _, c := range compressors {
		same[c] = compress(t, c, []byte(plain))
	}
	for what, data := range same {
		if got := readTrace(t, data); got.Digest != want.Digest || got.Clock != want.Clock {
			t.Errorf("%s: digests %s %s, want %s %s", what, got.Digest, got.Clock, want.Digest, want.Clock)
		}
	}
	for what, test := range map[string]struct {
		data          string
		digest, clock bool // are the same
	}{
		"a size":        {"5 17 10\n6 4 21\n6 17 10\n9 17 10\n", false, true},
		"an id":         {"5 17 10\n6 4 20\n6 17 10\n9 4 20\n", false, true},
		"a time":        {"5 17 10\n6 4 20\n7 17 10\n9 17 10\n", true, false},
		"a request":     {plain + "9 17 10\n", false, false},
		"without times": {"17 10\n4 20\n17 10\n17 10\n", true, false},
	} {
		got := readTrace(t, []byte(test.data))
		if (got.Digest == want.Digest) != test.digest || (got.Clock == want.Clock) != test.clock {
			t.Errorf("%s differs: digests %s %s, was %s %s", what, got.Digest, got.Clock, want.Digest, want.Clock)
		}
	}
	if got := readTrace(t, []byte("17 10\n")); got.Clock != "" {
		t.Errorf("without times the digest of the clock is %q", got.Clock)
	}

	// It does not change with the program: results of other versions refer to it.
	if want.Digest != goldenDigest || want.Clock != goldenClock {
		t.Errorf("digests %s %s, want %s %s as ever", want.Digest, want.Clock, goldenDigest, goldenClock)
	}

	// Operations and times to live count where they are applied and exist.
	const ops = "get 0 a 10 0\nset 1 a 10 0\n"
	reads, applied := readOps(t, ops, Options{Ops: IgnoreOps}), readOps(t, ops, Options{Ops: ApplyOps})
	if reads.Digest == applied.Digest {
		t.Error("operations make no difference")
	}
	ttl := readOps(t, "get 0 a 10 7\nset 1 a 10 0\n", Options{Ops: ApplyOps})
	if ttl.Digest == applied.Digest {
		t.Error("a time to live makes no difference")
	}
	if later := readOps(t, "get 0 a 10 7\nset 2 a 10 0\n", Options{Ops: ApplyOps}); later.Digest == ttl.Digest {
		t.Error("with times to live, times make no difference")
	}
	gets := readOps(t, "get 0 a 10 0\nget 1 a 10 0\n", Options{Ops: ApplyOps})
	if gets.Digest != reads.Digest || gets.Columns != 0 {
		t.Error("applying operations makes a difference to a trace that has none")
	}
}

const goldenDigest, goldenClock = "2006ad9c9d5db18fca530518b265a300", "45e1159f17b560efc0bc06d74691bad4"

// The size rules that change sizes afterwards count in the digest.
func TestDigestOfFinalSizes(t *testing.T) {
	const data = "a 1\nb 2\na 3\na 2\n"
	for rule, final := range map[string]string{FirstSize: "a 1\nb 2\na 1\na 1\n", LastSize: "a 2\nb 2\na 2\na 2\n", MaxSize: "a 3\nb 2\na 3\na 3\n"} {
		for _, memory := range []int64{0, 1} {
			got, err := Read(strings.NewReader(data), "t", Options{SizeRule: rule, Memory: memory})
			if err != nil {
				t.Fatal(err)
			}
			if want := readTrace(t, []byte(final)); got.Digest != want.Digest || !slices.Equal(requests(got), requests(want)) {
				t.Errorf("%s, memory %d: digest %s, want %s", rule, memory, got.Digest, want.Digest)
			}
			closeTrace(t, got)
		}
	}
}

func TestOperations(t *testing.T) {
	const data = "delete 0 x 0 0\nget 10 a 5 0\nset 20 x 7 0\nget 30 x 9 2\ndelete 40 a 0 0\nget 50 b 3 0\n"
	reads := readOps(t, data, Options{})
	if reads.Requests != 3 || reads.Gets != 3 || reads.Columns != 0 || reads.Objects != 3 || reads.Footprint != 17 {
		t.Errorf("reads: %+v", reads)
	}
	wantNote(t, reads, "1 requests with operation set were left out")
	wantNote(t, reads, "2 requests with operation delete were left out")
	wantNote(t, reads, "read by a test")
	if got := requests(reads); got[0].Time != 0 || got[1].Time != 20 {
		t.Errorf("reads: the clock does not start at the first read: %v", got)
	}

	ignored := readOps(t, data, Options{Ops: IgnoreOps, SizeRule: MaxSize})
	if ignored.Requests != 6 || ignored.Gets != 6 || ignored.Columns != 0 || ignored.Footprint != 9+5+3 {
		t.Errorf("ignored: %+v", ignored)
	}

	for _, memory := range []int64{0, 1} {
		applied := readOps(t, data, Options{Ops: ApplyOps, Memory: memory})
		got := readColumns(t, applied)
		// The size of x is that of its first set, also in the delete before it.
		want := []sim.Request{{ID: 0, Size: 7}, {ID: 1, Size: 5, Time: 10}, {ID: 0, Size: 7, Time: 20}, {ID: 0, Size: 7, Time: 30}, {ID: 1, Size: 5, Time: 40}, {ID: 2, Size: 3, Time: 50}}
		if !slices.Equal(got.Requests, want) {
			t.Errorf("applied: requests %v, want %v", got.Requests, want)
		}
		if want := []sim.Op{sim.Delete, sim.Get, sim.Set, sim.Get, sim.Delete, sim.Get}; !slices.Equal(got.Ops, want) {
			t.Errorf("applied: operations %v, want %v", got.Ops, want)
		}
		if want := []uint32{0, 0, 0, 2e9, 0, 0}; !slices.Equal(got.TTL, want) {
			t.Errorf("applied: times to live %v, want %v", got.TTL, want)
		}
		never := uint32(sim.Never)
		if want := []uint32{never, never, 3, never, never, never}; !slices.Equal(got.Next, want) {
			t.Errorf("applied: next accesses %v, want %v", got.Next, want)
		}
		if applied.SizeChanges != 1 || applied.Gets != 3 || applied.Columns != sim.ColumnOps|sim.ColumnTTL || applied.Footprint != 15 {
			t.Errorf("applied: %+v", applied)
		}
		closeTrace(t, applied)
	}
	if err := readError(t, data, Options{Format: "test-ops", Ops: "aply"}); !strings.Contains(err.Error(), `did you mean "apply"`) {
		t.Errorf("got the error %v", err)
	}
}

func TestSkipAndLimit(t *testing.T) {
	const data = "a 1\nb 2\nc 3\nd 4\ne 5\n"
	for _, test := range []struct {
		skip, limit int
		want        string
	}{{0, 0, "abcde"}, {2, 0, "cde"}, {0, 2, "ab"}, {1, 3, "bcd"}, {4, 9, "e"}, {0, 5, "abcde"}} {
		trace, err := Read(strings.NewReader(data), "t", Options{Skip: test.skip, Limit: test.limit})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range requests(trace) {
			got += trace.ObjectName(r.ID)
		}
		if got != test.want || trace.Requests != len(test.want) || trace.Objects != len(test.want) {
			t.Errorf("skip %d, limit %d: %s, want %s", test.skip, test.limit, got, test.want)
		}
		if limited := test.limit > 0 && test.limit <= 5; limited != (trace.SHA256() == "") {
			t.Errorf("skip %d, limit %d: sha256 %q", test.skip, test.limit, trace.SHA256())
		}
	}
	if err := readError(t, data, Options{Skip: 5}); !errors.Is(err, ErrNoRequests) {
		t.Errorf("skipping all: got the error %v", err)
	}
	if err := readError(t, data, Options{Limit: -1}); !strings.Contains(err.Error(), "negative") {
		t.Errorf("a negative limit: got the error %v", err)
	}
	// What comes after the limit is not looked at.
	trace, err := Read(strings.NewReader("a 1\nb 2\nc\n"), "t", Options{Limit: 2})
	if err != nil || trace.Requests != 2 {
		t.Errorf("a bad line after the limit: got %+v, %v", trace, err)
	}
	// Only requests that are replayed count.
	if got := readOps(t, "set 0 a 1 0\nget 1 b 1 0\nset 2 c 1 0\nget 3 d 1 0\nget 4 e 1 0\n", Options{Skip: 1, Limit: 1}); got.ObjectName(0) != "d" {
		t.Errorf("the second read is for %s, want d", got.ObjectName(0))
	}
}

// Ticks become longer by powers of ten until the span fits 32 bits, and times
// are rounded down once.
func TestReticking(t *testing.T) {
	rel := []int64{0, 1, 999, 4294967295, 4294967296, 7, 42949672959, 42949672960, 99, 1234567890123456789, 4294967295999999999}
	for n := 1; n <= len(rel); n++ {
		var data strings.Builder
		span := int64(0)
		for _, r := range rel[:n] {
			fmt.Fprintf(&data, "get %d a 1 0\n", r-5)
			span = max(span, r)
		}
		scale := int64(1)
		for span/scale > math.MaxUint32 {
			scale *= 10
		}
		var want []sim.Request
		for _, r := range rel[:n] {
			want = append(want, sim.Request{Size: 1, Time: uint32(r / scale)})
		}
		for _, memory := range []int64{0, 1} {
			trace := readOps(t, data.String(), Options{Memory: memory})
			if got := requests(trace); !slices.Equal(got, want) || trace.Tick != time.Duration(scale) || trace.Span != uint32(span/scale) {
				t.Errorf("%d requests, memory %d: %v in %v, span %d; want %v in %v", n, memory, got, trace.Tick, trace.Span, want, time.Duration(scale))
			}
			if scale > 1 {
				wantNote(t, trace, "times are rounded down to")
			}
			closeTrace(t, trace)
		}
	}
	// The same times written in the coarser unit are the same clock.
	a := readOps(t, "get 0 a 1 0\nget 5000000000000 a 1 0\n", Options{})
	b := readOps(t, "get 0 a 1 0\nget 500000000 a 1 0\n", Options{TimeUnit: 10 * time.Microsecond})
	if a.Tick != 10*time.Microsecond && a.Clock == b.Clock {
		t.Errorf("ticks %v and %v", a.Tick, b.Tick)
	}
	early := readOps(t, "get 10 a 1 0\nget 4 a 1 0\nget 12 a 1 0\nget -9223372036854775808 a 1 0\n", Options{})
	if got := requests(early); got[1].Time != 0 || got[2].Time != 2 || got[3].Time != 0 {
		t.Errorf("times %v", got)
	}
	wantNote(t, early, "2 requests have times before that of the first one")
	err := readError(t, "0 a 1\n9300000000 a 1\n", Options{})
	if !strings.Contains(err.Error(), "span more than 292 years in units of 1s") {
		t.Errorf("got the error %v", err)
	}
	if ms, err := Read(strings.NewReader("0 a 1\n9300000000 a 1\n"), "t", Options{TimeUnit: time.Millisecond}); err != nil || ms.Tick != 10*time.Millisecond || ms.Span != 930000000 {
		t.Errorf("in milliseconds: %+v, %v", ms, err)
	}
	if none, err := Read(strings.NewReader("a 1\n"), "t", Options{TimeUnit: time.Millisecond}); err != nil || none.Tick != 0 {
		t.Errorf("a unit for a format without times: %+v, %v", none, err)
	}
}

// Times to live become ticks, rounded up; what does not fit lasts longer than
// any trace.
func TestTTL(t *testing.T) {
	for _, test := range []struct {
		seconds uint32
		tick    time.Duration
		want    uint32
	}{
		{0, time.Second, 0}, {7, time.Second, 7}, {7, 10 * time.Second, 1}, {10, 10 * time.Second, 1}, {11, 10 * time.Second, 2},
		{1, time.Millisecond, 1000}, {4, time.Nanosecond, 4e9}, {5, time.Nanosecond, math.MaxUint32 - 1},
		{math.MaxUint32, time.Nanosecond, math.MaxUint32 - 1}, {math.MaxUint32, time.Second, math.MaxUint32 - 1}, {1, math.MaxInt64, 1},
	} {
		if got := ticks(test.seconds, test.tick); got != test.want {
			t.Errorf("%d s in ticks of %v: %d, want %d", test.seconds, test.tick, got, test.want)
		}
	}
	// The unit of the whole trace counts, also for what came before it changed.
	trace := readOps(t, "get 0 a 1 3\nget 5000000000 a 1 0\nget 6000000000 a 1 3\n", Options{Ops: ApplyOps})
	if got := readColumns(t, trace); trace.Tick != 10 || !slices.Equal(got.TTL, []uint32{3e8, 0, 3e8}) {
		t.Errorf("times to live %v in ticks of %v", got.TTL, trace.Tick)
	}
}

func TestLimits(t *testing.T) {
	o := Options{limits: limits{requests: 3, objects: 2, size: 100}}
	for data, want := range map[string]string{
		"a 1\na 1\na 1\na 1\n": "read trace t: it has more than 3 requests, which do not fit 32-bit numbers: read a part of it",
		"a 1\nb 1\nc 1\n":      "read trace t: it has more than 2 objects, which do not fit 32-bit numbers: read a part of it",
		"a 1\nb 101\n":         `read trace t: the size of object "b" is 101 bytes, but it may be at most 100`,
		"7 1\n8 101\n":         "read trace t: the size of object 8 is 101 bytes, but it may be at most 100",
	} {
		if err := readError(t, data, o); err.Error() != want {
			t.Errorf("%q: got the error %v, want %s", data, err, want)
		}
	}
	trace, err := Read(strings.NewReader("a 1\nb 100\na 1\n"), "t", o)
	if err != nil || trace.Requests != 3 {
		t.Errorf("a trace at the limits: %+v, %v", trace, err)
	}
	var limit *LimitError
	if err := readError(t, "a 1\nb 1\nc 1\n", o); !errors.As(err, &limit) || limit.What != "objects" {
		t.Errorf("got the error %v, want a LimitError", err)
	}
}

func TestIgnoreSize(t *testing.T) {
	trace, err := Read(strings.NewReader("a 5\na 6\nb 0\n"), "t", Options{IgnoreSize: true, SizeRule: MaxSize})
	if err != nil || trace.Footprint != 2 || trace.RequestBytes != 3 || trace.SizeChanges != 0 || trace.LargestSize != 1 {
		t.Errorf("got %+v, %v", trace, err)
	}
}

func TestSkipBad(t *testing.T) {
	const data = "a 1\nb x\nc 3\nd\ne 5\nf -7\n"
	trace, err := Read(strings.NewReader(data), "t", Options{SkipBad: 3, Format: "id-size"})
	if err != nil {
		t.Fatal(err)
	}
	if trace.Requests != 3 || trace.Footprint != 9 {
		t.Errorf("got %+v", trace)
	}
	wantNote(t, trace, `2 malformed records were left out, the first: t:2: size "x" is not a number of bytes`)
	wantNote(t, trace, `1 malformed record was left out, the first: t:4: want 2 fields, "id size", got 1`)

	var many *MalformedError
	err = readError(t, data, Options{SkipBad: 2, Format: "id-size"})
	if !errors.As(err, &many) || many.Bad != 3 || !strings.Contains(err.Error(), "t:2: size") {
		t.Errorf("one too many: got the error %v", err)
	}
	if trace, err := Read(strings.NewReader(data), "t", Options{SkipBadShare: 0.5, Format: "id-size"}); err != nil || trace.Requests != 3 {
		t.Errorf("half: %+v, %v", trace, err)
	}
	if err := readError(t, data, Options{SkipBadShare: 0.49, Format: "id-size"}); !errors.As(err, &many) {
		t.Errorf("less than half: got the error %v", err)
	}
	var syntax *SyntaxError
	if err := readError(t, data, Options{Format: "id-size"}); !errors.As(err, &syntax) || syntax.Line != 2 {
		t.Errorf("none is tolerated: got the error %v", err)
	}
	// A file of another format is not read to its end for a share.
	bad := &endless{line: []byte("x\n")}
	if _, err := Read(bad, "t", Options{SkipBadShare: 0.5, Format: "id-size"}); !errors.As(err, &many) {
		t.Errorf("an endless file of bad lines: got the error %v", err)
	}
	records := oracle(t, next{0, 1, 1, -1}, next{0, 2, 1, -5}, next{0, 3, 1, -1})
	cut, err := Read(bytes.NewReader(append(records, 1, 2, 3)), "t", Options{Format: "oracleGeneral", SkipBad: 2})
	if err != nil || cut.Requests != 2 {
		t.Errorf("binary records: %+v, %v", cut, err)
	}
	long := strings.Repeat("x", 3<<20)
	lines, err := Read(strings.NewReader("a 1\n"+long+" 1\nb 2\n"+long[:maxLine+1]+"\nc 3\n"+long), "t", Options{Format: "id-size", SkipBad: 3})
	if err != nil || lines.Requests != 3 || lines.ObjectName(2) != "c" {
		t.Errorf("lines that are too long: %+v, %v", lines, err)
	}
	wantNote(t, lines, "3 malformed records were left out, the first: t:2: line is longer than 1048576 bytes")
}

// An endless reader repeats a line.
type endless struct {
	line []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.line[(e.at+i)%len(e.line)]
	}
	e.at += len(p)
	return len(p), nil
}

func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string { return writeFile(t, filepath.Join(dir, name), data) }
	text := file("text", []byte("100 7 10\n101 8 20\n"))
	zip := file("zip", compress(t, "zstd", []byte("102 8 20\n103 9 30\n")))
	binary := file("binary", oracle(t, next{104, 7, 10, -1}))
	nanos := file("nanos", []byte("get 105900000000 9 30 0\nget 99000000000 7 10 0\n"))
	names := []string{text, zip, binary, "test-ops:" + nanos}
	trace, err := Open(names, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := readTrace(t, []byte("100 7 10\n101 8 20\n102 8 20\n103 9 30\n104 7 10\n105 9 30\n99 7 10\n"))
	if trace.Digest != want.Digest || trace.Clock != want.Clock || trace.Format != "oracleGeneral+test-ops+time-id-size" {
		t.Errorf("got %+v\nwant %+v", trace, want)
	}
	if trace.Name != "text+3" {
		t.Errorf("name %q", trace.Name)
	}
	for _, note := range []string{"format time-id-size: its first line has 3 fields", "format oracleGeneral: ", "format test-ops: it was named"} {
		wantNote(t, trace, note)
	}
	if part, err := Open(names, Options{Limit: 3}); err != nil || part.Requests != 3 || part.SHA256() != "" {
		t.Errorf("three requests: %+v, %v", part, err)
	}
	untimed := file("untimed", []byte("7 10\n"))
	if _, err := Open([]string{text, untimed}, Options{}); err == nil || !strings.Contains(err.Error(), untimed+": only some of the trace's files have times") {
		t.Errorf("got the error %v", err)
	}
	bad := file("bad", []byte("104 7 10\n104 7\n"))
	if _, err := Open([]string{text, bad}, Options{}); err == nil || !strings.HasPrefix(err.Error(), bad+":2: ") {
		t.Errorf("got the error %v", err)
	}
	if _, err := Open([]string{text, filepath.Join(dir, "missing")}, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got the error %v", err)
	}
	if _, err := Open(nil, Options{}); err == nil {
		t.Error("no file: no error")
	}
	// A name with a colon is a name if there is such a file.
	if runtime.GOOS != "windows" {
		if colon, err := Open([]string{file("a:b", []byte("1 1\n"))}, Options{}); err != nil || colon.Requests != 1 {
			t.Errorf("a colon in the name: %v", err)
		}
	}
}

func TestConvert(t *testing.T) {
	for _, test := range []struct {
		t        int64
		from, to time.Duration
		want     int64
	}{
		{5, 1, 1, 5}, {1999, time.Millisecond, time.Second, 1}, {-1, time.Millisecond, time.Second, -1}, {-1000, time.Millisecond, time.Second, -1},
		{7, time.Second, time.Nanosecond, 7e9}, {1 << 62, time.Hour, 1, math.MaxInt64}, {-1 << 62, time.Hour, 1, -math.MaxInt64},
	} {
		if got := convert(test.t, test.from, test.to); got != test.want {
			t.Errorf("%d of %v in %v: %d, want %d", test.t, test.from, test.to, got, test.want)
		}
	}
}

func TestAmbiguousFormats(t *testing.T) {
	probe := func(c Confidence, why string) func([]byte, bool) (Confidence, string) {
		return func([]byte, bool) (Confidence, string) { return c, why }
	}
	a := Format{Name: "a", Probe: probe(Likely, "it looks like a")}
	b := Format{Name: "b", Probe: probe(Likely, "it looks like b")}
	c := Format{Name: "c", Probe: probe(Certain, "it says so")}
	_, _, err := detect([]Format{a, b}, []byte("x"), true)
	var ambiguous *AmbiguousError
	want := "cannot tell its format: it may be a (it looks like a) or b (it looks like b); say which with --trace-format"
	if !errors.As(err, &ambiguous) || err.Error() != want || !slices.Equal(ambiguous.Formats, []string{"a", "b"}) {
		t.Errorf("got the error %v, want %s", err, want)
	}
	if f, why, err := detect([]Format{a, c, b}, []byte("x"), true); f.Name != "c" || why != "it says so" || err != nil {
		t.Errorf("got %s because %s, %v", f.Name, why, err)
	}
}

func TestParams(t *testing.T) {
	trace := readOps(t, "get 1 a 1 0\n", Options{Params: map[string]string{"shift": "7"}})
	if trace.Requests != 1 {
		t.Errorf("got %+v", trace)
	}
	for _, test := range []struct {
		format, name, value, want string
	}{
		{"test-ops", "shfit", "1", `read trace t: format test-ops has no parameter "shfit"; did you mean "shift"?`},
		{"test-ops", "shift", "x", "read trace t: shift=x is not a number"},
		{"id-size", "shift", "1", `read trace t: format id-size has no parameter "shift": it takes none`},
	} {
		err := readError(t, "a 1\n", Options{Format: test.format, Params: map[string]string{test.name: test.value}})
		if err.Error() != test.want {
			t.Errorf("%s %s=%s: got the error %v, want %s", test.format, test.name, test.value, err, test.want)
		}
	}
}

// The interner agrees with a map, for numbers and texts mixed, through all
// sizes of its table.
func TestInterner(t *testing.T) {
	in := newInterner()
	ids := map[string]uint32{}
	var records []Record
	var hashes []uint64
	x := uint64(1)
	for range 300_000 {
		x = x*6364136223846793005 + 1442695040888963407
		key := x >> 33 % 90_000
		r := Record{Key: key << (key % 3 * 20)}
		h := hashNumber(r.Key)
		if key%5 == 0 {
			r = Record{Text: fmt.Appendf(nil, "%0*d", key%300, key)}
			h = hashText(r.Text)
		}
		records, hashes = append(records, r), append(hashes, h)
	}
	for i := 0; i < len(records); i += ahead {
		j := min(i+ahead, len(records))
		in.preload(hashes[i:j])
		for k := range j - i {
			r := &records[i+k]
			name := fmt.Sprint("#", r.Key)
			if r.Text != nil {
				name = string(r.Text)
			}
			want, known := ids[name]
			if !known {
				want = uint32(len(ids))
				ids[name] = want
			}
			if id, isNew := in.number(k, r, hashes[i+k]); id != want || isNew == known {
				t.Fatalf("record %d, %s: number %d, new %v; want %d, %v", i+k, name, id, isNew, want, !known)
			}
		}
	}
	if 2*int(in.n) > len(in.slots) {
		t.Errorf("%d objects in %d slots", in.n, len(in.slots))
	}
	n := in.names()
	for name, id := range ids {
		if got := n.name(id); got != strings.TrimPrefix(name, "#") {
			t.Errorf("object %d is called %q, want %q", id, got, name)
		}
	}
}

// Ids whose hashes are equal, whole or in the part that the table keeps, are
// told apart.
func TestInternerCollisions(t *testing.T) {
	in := newInterner()
	const n = 400
	for range 2 {
		for i := range uint64(n) {
			r := Record{Key: i}
			if i%2 == 1 {
				r = Record{Text: []byte(fmt.Sprint("t", i))}
			}
			h := uint64(0xabc0000000000000) | i&1
			if i >= n/2 {
				h = bits.RotateLeft64(i, 60) | i&1 // the same low half
			}
			in.preload([]uint64{h})
			if id, _ := in.number(0, &r, h); id != uint32(i) {
				t.Fatalf("id %d has number %d", i, id)
			}
		}
	}
}

// Loading needs no more memory than documented, at its peak.
func TestMemoryOfLoading(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads 2,000,000 requests")
	}
	const n, objects = 2_000_000, 1_000_000
	data := make([]byte, 0, 16*n)
	for i := range n {
		data = fmt.Appendf(data, "%d 1\n", uint64(i%objects)*2654435761)
	}
	runtime.GC()
	var before, peak runtime.MemStats
	runtime.ReadMemStats(&before)
	r := io.MultiReader(bytes.NewReader(data), &atEOF{func() {
		runtime.GC()
		runtime.ReadMemStats(&peak)
	}})
	trace, err := Read(r, "t", Options{})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	const fixed = 8 << 20 // buffers
	if got, most := int64(peak.HeapAlloc-before.HeapAlloc), int64(16*n+80*objects+fixed); got > most {
		t.Errorf("at the end of the file it needs %d bytes, want at most %d", got, most)
	}
	if got, most := int64(after.HeapAlloc-before.HeapAlloc), int64(16*n+8*objects+fixed); got > most {
		t.Errorf("loaded it needs %d bytes, want at most %d", got, most)
	}
	runtime.KeepAlive(trace)
	runtime.KeepAlive(data)
}

// atEOF calls f before it ends.
type atEOF struct{ f func() }

func (a *atEOF) Read([]byte) (int, error) { a.f(); return 0, io.EOF }
