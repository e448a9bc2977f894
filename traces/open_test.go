package traces

import (
	"errors"
	"hash/crc32"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cachesim/sim"
)

func TestSizeRules(t *testing.T) {
	const data = "a 1\nb 2\na 3\na 3\na 1\na 2\nc 0\n"
	tests := []struct {
		rule                          string
		sizes                         []int64 // of a, b, c
		footprint, requested, largest int64
		changes                       int
	}{
		{"", []int64{1, 2, 0}, 3, 7, 2, 3},
		{"first", []int64{1, 2, 0}, 3, 7, 2, 3},
		{"last", []int64{2, 2, 0}, 4, 12, 2, 4},
		{"max", []int64{3, 2, 0}, 5, 17, 3, 3},
	}
	for _, test := range tests {
		trace, err := Read(strings.NewReader(data), "t", Options{SizeRule: test.rule})
		if err != nil {
			t.Errorf("%q: %v", test.rule, err)
			continue
		}
		var want []sim.Request
		for _, id := range []uint32{0, 1, 0, 0, 0, 0, 2} {
			want = append(want, sim.Request{ID: id, Size: test.sizes[id]})
		}
		if !slices.Equal(requests(trace), want) {
			t.Errorf("%q: requests %v, want %v", test.rule, requests(trace), want)
		}
		if trace.Objects != 3 || trace.Footprint != test.footprint || trace.RequestBytes != test.requested || trace.LargestSize != test.largest {
			t.Errorf("%q: %d objects, footprint %d, requested %d, largest %d; want 3, %d, %d, %d", test.rule,
				trace.Objects, trace.Footprint, trace.RequestBytes, trace.LargestSize, test.footprint, test.requested, test.largest)
		}
		if trace.SizeChanges != test.changes {
			t.Errorf("%q: %d size changes, want %d", test.rule, trace.SizeChanges, test.changes)
		}
		if rule := trace.SizeRule; rule != test.rule && rule != "first" {
			t.Errorf("%q: the trace says that rule %q was used", test.rule, rule)
		}
	}
	if _, err := Read(strings.NewReader(data), "t", Options{SizeRule: "maxx"}); err == nil || !strings.Contains(err.Error(), `"maxx"`) {
		t.Errorf("unknown size rule: got the error %v", err)
	}
}

// Each request keeps its size, in memory and in a spool, and the rule is part of the digest if
// that matters.
func TestRequestSizes(t *testing.T) {
	const data = "a 1\nb 2\na 3\na 3\na 1\nb 2\nc 0\n"
	want := []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 0, Size: 3}, {ID: 0, Size: 3}, {ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 2}}
	digests := map[string]string{}
	for _, rule := range []string{UpdateSize, AsMiss} {
		for _, memory := range []int64{0, 1} {
			trace, err := Read(strings.NewReader(data), "t", Options{SizeRule: rule, Memory: memory})
			if err != nil {
				t.Fatal(err)
			}
			defer trace.Close()
			if !slices.Equal(requests(trace), want) || trace.Footprint != 5 || trace.LargestSize != 3 || trace.RequestBytes != 12 || trace.SizeChanges != 2 || !trace.SizesVary() {
				t.Errorf("%s: requests %v, %+v", rule, requests(trace), trace)
			}
			var next []uint32
			if err := trace.Each(sim.ColumnNext, func(_ int, b sim.Batch) error { next = append(next, b.Next...); return nil }); err != nil {
				t.Fatal(err)
			}
			if hits := slices.Equal(next, []uint32{2, 5, 3, 4, sim.Never, sim.Never, sim.Never}); hits != (rule == UpdateSize) {
				t.Errorf("%s: next accesses %v", rule, next)
			}
			digests[trace.Digest] = rule
			if err := Encode(io.Discard, trace, "cachesim"); err == nil || !strings.Contains(err.Error(), "has one size for an object") {
				t.Errorf("%s: written with one size for each object: %v", rule, err)
			}
		}
	}
	if len(digests) != 2 {
		t.Errorf("traces that are replayed in different ways have the digests %v", digests)
	}
	digests = map[string]string{}
	for _, rule := range []string{FirstSize, UpdateSize, AsMiss} {
		trace, err := Read(strings.NewReader("a 1\nb 2\na 1\n"), "t", Options{SizeRule: rule})
		if err != nil || trace.SizesVary() {
			t.Fatalf("%s: an object changes its size: %v, error %v", rule, trace.SizesVary(), err)
		}
		digests[trace.Digest] = rule
	}
	if len(digests) != 1 {
		t.Errorf("a trace in which nothing changes has the digests %v", digests)
	}
}

func TestZeroSizes(t *testing.T) {
	const data = "a 0\nb 2\na 3\nb 0\nc 0\n"
	tests := []struct {
		zero, rule string
		ignore     bool
		want       []sim.Request
		note       string
	}{
		{"", "", false, []sim.Request{{ID: 0}, {ID: 1, Size: 2}, {ID: 0}, {ID: 1, Size: 2}, {ID: 2}}, ""},
		{KeepZero, UpdateSize, false, []sim.Request{{ID: 0}, {ID: 1, Size: 2}, {ID: 0, Size: 3}, {ID: 1}, {ID: 2}}, ""},
		{OneByte, "", false, []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 2, Size: 1}}, "3 requests of size 0 were given 1 byte"},
		{SkipZero, "", false, []sim.Request{{ID: 0, Size: 2}, {ID: 1, Size: 3}}, "3 requests of size 0 were left out"},
		{SkipZero, "", true, []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 1}}, "3 requests of size 0 were left out"},
	}
	for _, test := range tests {
		trace, err := Read(strings.NewReader(data), "t", Options{ZeroSize: test.zero, SizeRule: test.rule, IgnoreSize: test.ignore})
		if err != nil {
			t.Fatal(err)
		}
		noted := slices.ContainsFunc(trace.Notes, func(n string) bool { return strings.Contains(n, "size 0") })
		if !slices.Equal(requests(trace), test.want) || noted != (test.note != "") || noted && !slices.Contains(trace.Notes, test.note) {
			t.Errorf("%+v: requests %v, notes %q", test, requests(trace), trace.Notes)
		}
	}
	// A delete says nothing of a size.
	deleted := readOps(t, "get 0 a 0 0\ndelete 0 a 0 0\nget 0 a 4 0\n", Options{Ops: ApplyOps, ZeroSize: SkipZero})
	if want := []sim.Request{{ID: 0, Size: 4}, {ID: 0, Size: 4}}; !slices.Equal(requests(deleted), want) {
		t.Errorf("with a delete: %v", requests(deleted))
	}
}

// An object with another size is another one, whether ids are numbers or text.
func TestNewObject(t *testing.T) {
	for _, data := range []string{"1 1\n2 2\n1 3\n1 3\n1 1\n12 0\n", "a 1\nb 2\na 3\na 3\na 1\nc 0\n", "a 1\na@1 2\na 3\na 3\na 1\na@1@2 0\n"} {
		trace, err := Read(strings.NewReader(data), "t", Options{Format: "id-size", SizeRule: NewObject})
		if err != nil {
			t.Fatal(err)
		}
		want := []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 2}, {ID: 2, Size: 3}, {ID: 2, Size: 3}, {ID: 0, Size: 1}, {ID: 3}}
		if !slices.Equal(requests(trace), want) || trace.Objects != 4 || trace.Footprint != 6 || trace.SizeChanges != 0 || trace.SizeRule != "new" {
			t.Errorf("%q: got %v, %d objects of %d bytes, %d changes by rule %q", data, requests(trace), trace.Objects, trace.Footprint, trace.SizeChanges, trace.SizeRule)
		}
		ignored, err := Read(strings.NewReader(data), "t", Options{Format: "id-size", SizeRule: NewObject, IgnoreSize: true})
		if err != nil || ignored.Objects != 3 {
			t.Errorf("%q: %d objects where sizes are ignored, want 3; error %v", data, ignored.Objects, err)
		}
	}
	_, err := Read(strings.NewReader("1 1\n"), "t", Options{SizeRule: NewObject, Ops: ApplyOps})
	if err == nil || !strings.Contains(err.Error(), "a delete does not say which") {
		t.Errorf("with operations applied: got the error %v", err)
	}
}

// The bytes of all requests have to fit 63 bits, those of an object 56.
func TestTooManyBytes(t *testing.T) {
	const largest = "1 72057594037927935\n"
	most := strings.Repeat(largest, 128)
	for _, rule := range SizeRules {
		trace, err := Read(strings.NewReader(most), "t", Options{SizeRule: rule})
		if err != nil || trace.RequestBytes != 1<<63-128 || trace.Footprint != 1<<56-1 {
			t.Errorf("%s: 2^63-128 bytes: got %+v, %v", rule, trace, err)
		}
		if _, err := Read(strings.NewReader(most+"2 127\n"), "t", Options{SizeRule: rule}); err != nil {
			t.Errorf("%s: 2^63-1 bytes: got the error %v", rule, err)
		}
		if _, err := Read(strings.NewReader(most+"2 128\n"), "t", Options{SizeRule: rule}); err == nil || !strings.Contains(err.Error(), "t: its requests ask for more than") {
			t.Errorf("%s: 2^63 bytes: got the error %v", rule, err)
		}
	}
	_, err := Read(strings.NewReader("a 1\nb 72057594037927936\n"), "t", Options{})
	if err == nil || err.Error() != `read trace t: the size of object "b" is 72057594037927936 bytes, but it may be at most 72057594037927935` {
		t.Errorf("an object of 2^56 bytes: got the error %v", err)
	}
	// What counts are the final sizes.
	if trace, err := Read(strings.NewReader(strings.Repeat(largest, 129)+"1 1\n"), "t", Options{SizeRule: LastSize}); err != nil || trace.RequestBytes != 130 {
		t.Errorf("large sizes that do not count: got %+v, %v", trace, err)
	}
}

func TestClock(t *testing.T) {
	tests := []struct {
		data string
		want []uint32
	}{
		{"1000 a 1\n1000 b 1\n1003 a 1\n", []uint32{0, 0, 3}},
		{"7.9 a 1\n8.1 a 1\n9.5 a 1\n", []uint32{0, 1, 2}},
		{"-5 a 1\n-4.5 a 1\n2 a 1\n", []uint32{0, 1, 7}},
		{"5 a 1\n4 a 1\n6 a 1\n", []uint32{0, 0, 1}}, // a clock set back before the start
		{string(oracle(t, next{50, 1, 1, -1}, next{57, 2, 1, -1})), []uint32{0, 7}},
		{"a 1\nb 1\n", []uint32{0, 0}},
	}
	for _, test := range tests {
		trace := readTrace(t, []byte(test.data))
		var got []uint32
		for _, r := range requests(trace) {
			got = append(got, r.Time)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: times %v, want %v", test.data, got, test.want)
		}
	}
}

// Ids that are equal to something less than a comparison of the whole are
// still those of different objects.
func TestIDsAreExact(t *testing.T) {
	fnv1a := func(s string) uint32 { h := fnv.New32a(); h.Write([]byte(s)); return h.Sum32() }
	crc := func(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }
	if fnv1a("costarring") != fnv1a("liquid") || crc("plumless") != crc("buckeroo") {
		t.Fatal("the ids do not collide; they are of no use here")
	}
	ids := []string{
		"costarring", "liquid", "plumless", "buckeroo", "Aa", "BB", // FNV-1a, CRC-32, Java's hashCode
		"1", "4294967297", "18446744073709551615", "18446744073709551616", // modulo 2^32 and 2^64
		"9007199254740992", "9007199254740993", // as float64
		"7", "007", "7.0", "+7", "-7", "７", // as numbers
		"0", "00", "3", // as places in a list of texts
		"a", "A", "á", "a\u0301", "\xff", "\xfe", // by case, composition, and as invalid text
		strings.Repeat("x", 70_000), strings.Repeat("x", 70_000) + "y", // by their beginning
	}
	var data strings.Builder
	for range 2 {
		for _, id := range ids {
			data.WriteString(id + " 1\n")
		}
	}
	trace, err := Read(strings.NewReader(data.String()), "t", Options{Format: "id-size"})
	if err != nil {
		t.Fatal(err)
	}
	if trace.Objects != len(ids) {
		t.Errorf("%d objects, want %d", trace.Objects, len(ids))
	}
	for i, r := range requests(trace) {
		if want := uint32(i % len(ids)); r.ID != want {
			t.Errorf("request %d, for %.20q: object %d, want %d", i, ids[want], r.ID, want)
		}
		if name := trace.ObjectName(r.ID); name != ids[i%len(ids)] {
			t.Errorf("request %d: its object is called %.20q, want %.20q", i, name, ids[i%len(ids)])
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.tr")
	if _, err := Open([]string{missing}, Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: got the error %v", err)
	}
	if _, err := Open([]string{dir}, Options{}); err == nil || !strings.Contains(err.Error(), dir+": it is a directory") {
		t.Errorf("directory: got the error %v", err)
	}
	bad := filepath.Join(dir, "bad.tr")
	if err := os.WriteFile(bad, []byte("1 1\n2 2\n3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Open([]string{bad}, Options{})
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.File != bad || syntax.Line != 3 || !strings.HasPrefix(err.Error(), bad+":3: ") {
		t.Errorf("bad line: got the error %v", err)
	}
}
