package gen

import (
	"bytes"
	"flag"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/gzip"

	"cachesim/sim"
	"cachesim/traces"
)

const file = "../example/web.tr.gz"

var update = flag.Bool("update", false, "write the example trace again")

// The committed trace is what the generator writes. The text is compared, since
// another release of the compressor may make other bytes of it.
func TestCommittedTrace(t *testing.T) {
	if *update {
		data, err := Example()
		if err == nil {
			err = os.WriteFile(file, data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	a, b := bytes.Split(got, []byte("\n")), bytes.Split(text(), []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			t.Fatalf("%s:%d is %q, the generator writes %q; write it again with -update", file, i+1, a[i], b[i])
		}
	}
	if len(a) != len(b) {
		t.Fatalf("%s has %d lines, the generator writes %d", file, len(a)-1, len(b)-1)
	}
}

// The trace is what its comment says.
func TestExample(t *testing.T) {
	trace, err := traces.Open([]string{file}, traces.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if trace.Format != "time-id-size" || trace.SizeChanges != 0 || trace.Requests != 104_299 {
		t.Errorf("%d requests in format %s with %d size changes; want 104299, time-id-size, 0", trace.Requests, trace.Format, trace.SizeChanges)
	}
	last, times := uint32(0), make([]int, trace.Objects)
	var requests []sim.Request
	if err := trace.Each(0, func(_ int, b sim.Batch) error { requests = append(requests, b.Requests...); return nil }); err != nil {
		t.Fatal(err)
	}
	for i, r := range requests {
		times[r.ID]++
		if r.Time < last || r.Time > 2*24*60*60 {
			t.Fatalf("request %d comes at %d s, after one at %d s; want rising times within two days", i, r.Time, last)
		}
		last = r.Time
		if r.Size < 100 || r.Size > 40e6 {
			t.Errorf("request %d is for %d bytes, want 100 to 40 million", i, r.Size)
		}
	}
	single := 0
	for _, n := range times {
		if n == 1 {
			single++
		}
	}
	if single < 10_000 {
		t.Errorf("%d objects are requested once, want 10000 and some", single)
	}
}
