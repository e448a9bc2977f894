package traces

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
)

// TestCachesim keeps all that a trace has: written and read again, it has the same digests, names
// and prompts.
func TestCachesim(t *testing.T) {
	var long strings.Builder // several blocks
	for i := range 3*sim.BatchSize + 5 {
		fmt.Fprintf(&long, "%d.%03d /object%d %d\n", i/7, i%1000, i*i%20011, i%1000)
	}
	const ops = "time,id,size,op,ttl\n5,7,10,get,60\n5,\"/a b,c\",0,get,0\n6.5,7,10,delete,0\n7,k,3,set,4294967295\n"
	prompts := `{"timestamp":0,"input_length":1100,"output_length":1,"hash_ids":[5,6,7]}
{"timestamp":27500,"input_length":1024,"output_length":1,"hash_ids":[5,6]}
`
	for _, test := range []struct {
		name, data string
		o          Options
	}{
		{"several blocks", long.String(), Options{TimeUnit: time.Millisecond}},
		{"no times, numbers and text", "7 1\n007 2\n18446744073709551615 3\n7 1\n18446744073709551616 72057594037927935\n", Options{}},
		{"operations and times to live", ops, Options{Ops: ApplyOps}},
		{"without operations", ops, Options{}},
		{"prompts", prompts, Options{}},
		{"prompts in reverse", prompts, Options{Params: map[string]string{"kv-order": "reverse", "bytes-per-token": "3"}}},
		{"sizes as objects", "a 1\na 2\na 1\n", Options{SizeRule: NewObject}},
	} {
		t.Run(test.name, func(t *testing.T) {
			want, err := Read(strings.NewReader(test.data), "t", test.o)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := Encode(&b, want, "cachesim"); err != nil {
				t.Fatal(err)
			}
			got, err := Read(bytes.NewReader(b.Bytes()), "t", Options{Ops: test.o.Ops})
			if err != nil {
				t.Fatal(err)
			}
			if got.Format != "cachesim" || got.Digest != want.Digest || got.Clock != want.Clock || got.Tick != want.Tick || got.KeysDigest() != want.KeysDigest() ||
				got.Footprint != want.Footprint || got.RequestBytes != want.RequestBytes || got.Columns != want.Columns {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
			if want.Prompts != nil && (got.Prompts == nil || !slices.Equal(got.Prompts.Words(), want.Prompts.Words())) {
				t.Errorf("prompts %+v, want %+v", got.Prompts, want.Prompts)
			}
			// What a filter leaves is a trace of its own again.
			if got.Requests < 100 {
				return
			}
			part, err := Read(bytes.NewReader(b.Bytes()), "t", Options{Filter: Filter{Include: "1$"}})
			if err != nil || part.Requests == 0 || part.Requests >= got.Requests {
				t.Fatalf("%+v, %v", part, err)
			}
			b.Reset()
			if err := Encode(&b, part, "cachesim"); err != nil {
				t.Fatal(err)
			}
			if again, err := Read(&b, "t", Options{}); err != nil || again.Digest != part.Digest {
				t.Errorf("filtered: %+v, %v, want %+v", again, err, part)
			}
		})
	}
	costs, err := Read(strings.NewReader("a,1,5\n"), "t", Options{Format: "csv", Params: map[string]string{"columns": "id=1,size=2,cost=3"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := Encode(&bytes.Buffer{}, costs, "cachesim"); !errors.Is(err, errNoCosts) {
		t.Errorf("a trace with costs: got %v", err)
	}
}

// TestEarlyDelete has a delete before anything says how large its object is: it is no other size.
func TestEarlyDelete(t *testing.T) {
	const data = "time,id,size,op\n0,a,0,delete\n1,a,100,get\n2,b,50,get\n3,a,100,get\n"
	var digests []string
	for _, rule := range []string{FirstSize, sim.SizeUpdates} {
		trace, err := Read(strings.NewReader(data), "t", Options{Ops: ApplyOps, SizeRule: rule})
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, trace.Digest)
		if err := Encode(&bytes.Buffer{}, trace, "cachesim"); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("no size changes, and the digests are %q", digests)
	}
}

// TestCachesimDamaged cuts the samples anywhere and flips every bit: each is found.
func TestCachesimDamaged(t *testing.T) {
	n := 0
	for _, s := range headerSamples {
		if s.format != "cachesim" {
			continue
		}
		n++
		read := func(data []byte) (int, bool) {
			got, bad, err := decodeRecords(newDecoder(t, s.format, nil, bytes.NewReader(data)), 2)
			return len(got), err != nil || len(bad) > 0
		}
		for cut := 1; cut < len(s.data); cut++ {
			if got, found := read([]byte(s.data[:cut])); !found || got == len(s.want) && cut < len(s.data)-8 {
				t.Errorf("%s cut at %d: %d records, damage was found: %v", s, cut, got, found)
			}
		}
		for i := range 8 * len(s.data) {
			b := []byte(s.data)
			b[i/8] ^= 1 << (i % 8)
			if _, found := read(b); !found {
				t.Errorf("%s with bit %d flipped: no error", s, i)
			}
		}
		if _, err := Read(strings.NewReader(s.data+"x"), "t", Options{}); err == nil || !strings.Contains(err.Error(), "bytes behind its last block") {
			t.Errorf("%s with a byte more: %v", s, err)
		}
	}
	if n == 0 {
		t.Error("there is no sample")
	}
	var b bytes.Buffer
	if err := Encode(&b, readTrace(t, []byte("a 1\nb 2\n")), "cachesim"); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(b.String(), "\r\n", "\n")
	if _, err := Read(strings.NewReader(text), "t", Options{}); err == nil || !strings.Contains(err.Error(), "t: at byte 5: its magic number has other line ends") {
		t.Errorf("converted line ends: %v", err)
	}
}
