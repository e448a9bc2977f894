package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
)

// What is written is read as the same trace.
func TestEncode(t *testing.T) {
	timed := readTrace(t, []byte("100 7 10\n103 8 20\n103 7 10\n110 9 5\n110 8 20\n"))
	untimed := readTrace(t, []byte("7 10\n8 20\n7 10\n9 5\n8 20\n"))
	for _, test := range []struct {
		format string
		want   *sim.Trace
	}{{"oracleGeneral", timed}, {"lcs", timed}, {"time-id-size", timed}, {"id-size", untimed}} {
		var b bytes.Buffer
		if err := Encode(&b, timed, test.format); err != nil {
			t.Fatal(err)
		}
		got, err := Read(&b, "t", Options{Format: test.format})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(requests(got), requests(test.want)) || got.Digest != test.want.Digest || got.Clock != test.want.Clock {
			t.Errorf("%s: digests %s %s, want %s %s", test.format, got.Digest, got.Clock, test.want.Digest, test.want.Clock)
		}
		for id := range got.Objects {
			if a, b := got.ObjectName(uint32(id)), test.want.ObjectName(uint32(id)); a != b {
				t.Errorf("%s: object %d is called %s, want %s", test.format, id, a, b)
			}
		}
	}
	var b bytes.Buffer
	if err := Encode(&b, timed, "oracleGeneral"); err != nil {
		t.Fatal(err)
	}
	var next []int64
	for r := b.Bytes(); len(r) > 0; r = r[oracleRecord:] {
		next = append(next, int64(binary.LittleEndian.Uint64(r[16:])))
	}
	if want := []int64{3, 5, -1, -1, -1}; !slices.Equal(next, want) {
		t.Errorf("next accesses %v, want %v", next, want)
	}
}

func TestEncodeText(t *testing.T) {
	m := &sim.Memory{Objects: 3}
	names := []string{"a,b", `say "hi"`, "plain"}
	trace := &sim.Trace{
		Name: "t", Tick: 10 * time.Millisecond, Span: 205, Columns: sim.ColumnOps | sim.ColumnTTL, Requests: 3, Objects: 3,
		ObjectName: func(id uint32) string { return names[id] }, Source: m,
	}
	m.Append(sim.Request{ID: 0, Size: 1}, sim.Get, 0)
	m.Append(sim.Request{ID: 1, Size: 2, Time: 5}, sim.Set, 100)
	m.Append(sim.Request{ID: 2, Size: 3, Time: 205}, sim.Delete, 101)
	var b bytes.Buffer
	if err := Encode(&b, trace, "csv"); err != nil {
		t.Fatal(err)
	}
	want := "time,id,size,op,ttl\n0.00,\"a,b\",1,get,0\n0.05,\"say \"\"hi\"\"\",2,set,1\n2.05,plain,3,delete,2\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, test := range []struct{ format, want string }{
		{"id-size", "write trace t as id-size: the format has no operations"},
		{"nonsense", `cannot write traces in format "nonsense"`},
	} {
		if err := Encode(&b, trace, test.format); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got the error %v, want %s", err, test.want)
		}
	}
	trace.Columns = 0
	names[0] = "a b"
	if err := Encode(&b, trace, "time-id-size"); err == nil || !strings.Contains(err.Error(), `"a b"`) {
		t.Errorf("a blank in an id: got the error %v", err)
	}
	trace.LargestSize = 1 << 32
	if err := Encode(&b, trace, "oracleGeneral"); err == nil || !strings.Contains(err.Error(), fmt.Sprint(1<<32)) {
		t.Errorf("a size of 2^32 bytes: got the error %v", err)
	}
}

// TestEncodeLCS writes the first version that holds what the trace has, and reads
// it again.
func TestEncodeLCS(t *testing.T) {
	for _, test := range []struct {
		data    string
		apply   bool
		version uint64
	}{
		{"get 100 7 10 0\nget 103 8 20 0\nget 110 7 10 0\n", true, 1},
		{"get 100 7 10 0\nget 103 8 4294967295 0\n", true, 1},
		{"get 100 7 10 0\nget 103 8 4294967296 0\n", true, 3},
		{"get 100 7 10 0\nset 103 8 20 0\ndelete 110 7 10 0\n", true, 2},
		{"get 100 7 10 60\nset 103 8 20 0\ndelete 110 7 10 0\n", true, 3},
		{"get 100 7 10 60\nset 103 8 20 0\n", false, 1},
	} {
		o := Options{TimeUnit: time.Second}
		if test.apply {
			o.Ops = ApplyOps
		}
		want := readOps(t, test.data, o)
		var b bytes.Buffer
		if err := Encode(&b, want, "lcs"); err != nil {
			t.Fatal(err)
		}
		if got := binary.LittleEndian.Uint64(b.Bytes()[8:]); got != test.version {
			t.Errorf("%q: version %d, want %d", test.data, got, test.version)
		}
		got, err := Read(&b, "t", Options{Ops: o.Ops})
		if err != nil {
			t.Fatal(err)
		}
		if got.Format != "lcs" || got.Digest != want.Digest || got.Clock != want.Clock || slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "header says") }) {
			t.Errorf("%q: read as %s with digest %s and notes %q, want %s", test.data, got.Format, got.Digest, got.Notes, want.Digest)
		}
	}
}
