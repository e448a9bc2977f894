package traces

import (
	"errors"
	"hash/crc32"
	"hash/fnv"
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
