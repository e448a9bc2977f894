package traces

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// FuzzRead holds the traces that Read makes of any bytes to what policies and
// engines rely on.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", "\n", "1 10\n2 20\n1 10\n", "1 10\r\n\r\n a\t20\r\n", "a 1\na 2\na 0\n", "1 1\n01 1\n", "1 9223372036854775807\n2 1\n",
		"0.5 1 10\n1.5 2 20\n", "-1 1 1\n5 1 1\n", "1 2 3 4\n", "1 -1\n", "\x00\x01", strings.Repeat("x", 70_000) + " 1\n",
		"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00",
	} {
		f.Add([]byte(s), "", "")
	}
	records := oracle(f, next{0, 1, 10, 3}, next{1, 2, 20, -1}, next{2, 1, 11, math.MaxInt64})
	f.Add(records, "", "max")
	f.Add(records[:50], "", "last")
	for _, c := range compressors {
		for _, plain := range [][]byte{nil, numbers(10), records} {
			data := compress(f, c, plain)
			f.Add(data, "", "first")
			f.Add(data[:len(data)/2], "id-size", "first")
			f.Add(append(data, data...), "", "last")
		}
	}
	f.Add([]byte("1 10\n"), "time-id-size", "max")
	f.Add([]byte("1 10\n"), "nonsense", "nonsense")
	f.Fuzz(func(t *testing.T, data []byte, format, rule string) {
		trace, err := Read(bytes.NewReader(data), "some/trace", Options{Format: format, SizeRule: rule})
		if err != nil {
			if trace != nil {
				t.Error("a trace came with the error", err)
			}
			return
		}
		if trace.Requests == 0 || trace.Objects == 0 {
			t.Fatalf("%d requests for %d objects, want some", trace.Requests, trace.Objects)
		}
		if trace.SHA256() != sum(data) {
			t.Errorf("sha256 %s, want %s", trace.SHA256(), sum(data))
		}
		if trace.Name != "trace" {
			t.Errorf("name %q", trace.Name)
		}
		var sizes []int64 // of objects, in order of their numbers
		var requested, footprint, largest int64
		names := make(map[string]bool)
		for i, r := range requests(trace) {
			if int(r.ID) > len(sizes) {
				t.Fatalf("request %d is for object %d after %d objects", i, r.ID, len(sizes))
			}
			if int(r.ID) == len(sizes) {
				sizes = append(sizes, r.Size)
				names[trace.ObjectName(r.ID)] = true
				footprint += r.Size
				largest = max(largest, r.Size)
			}
			if r.Size != sizes[r.ID] || r.Size < 0 {
				t.Fatalf("request %d: object %d has %d bytes, before it had %d", i, r.ID, r.Size, sizes[r.ID])
			}
			requested += r.Size
		}
		if len(sizes) != trace.Objects || len(names) != trace.Objects {
			t.Errorf("%d objects with %d names, the trace says %d", len(sizes), len(names), trace.Objects)
		}
		if footprint != trace.Footprint || requested != trace.RequestBytes || largest != trace.LargestSize {
			t.Errorf("footprint %d, requested %d, largest %d; the trace says %d, %d, %d", footprint, requested, largest,
				trace.Footprint, trace.RequestBytes, trace.LargestSize)
		}
		if trace.SizeChanges < 0 || trace.SizeChanges > trace.Requests {
			t.Errorf("%d size changes in %d requests", trace.SizeChanges, trace.Requests)
		}
	})
}
