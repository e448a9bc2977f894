package traces

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Hand-made requests in both dialects. Those of Mooncake have ids that cover
// the prefix, so that no two prefixes have the same; those of Bailian have
// hashes of the block alone: 7 is there behind 5 and behind nothing.
const (
	mooncake = `{"timestamp": 0, "input_length": 1300, "output_length": 52, "hash_ids": [1, 2, 3]}` + "\n" +
		`{"timestamp": 3052, "input_length": 1024, "output_length": 1, "hash_ids": [1, 2]}` + "\n" +
		`{"timestamp": 3100, "input_length": 700, "output_length": 1, "hash_ids": [1, 4]}` + "\n"
	bailian = `{"chat_id": 159, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 40, "output_length": 132, "type": "text", "turn": 1, "hash_ids": [5, 7, 7]}` + "\n" +
		`{"chat_id": 160, "parent_chat_id": 159, "timestamp": 62, "input_length": 32, "output_length": 9, "type": "te\"xt", "turn": 2, "hash_ids": [7, 7]}` + "\n" +
		`{"chat_id": 161, "parent_chat_id": -1, "timestamp": 62.5, "input_length": 48, "output_length": 9, "type": "text", "turn": 1, "hash_ids": [5, 7, -8]}` + "\n"
)

var kvSamples = []sample{
	{
		format: "kv-jsonl", name: "Mooncake", confidence: Certain, data: mooncake,
		// Prefixes 1, 1 2, 1 2 3; then the first two again; then 1, 1 4.
		want:   []string{"0 1 512 get 0", "0 2 512 get 0", "0 3 276 get 0", "3052 1 512 get 0", "3052 2 512 get 0", "3100 1 512 get 0", "3100 4 188 get 0"},
		report: []string{"3 requests for 3024 tokens", "a block of 512 tokens"},
	},
	{
		format: "kv-jsonl", name: "Bailian", confidence: Certain, data: bailian,
		// Prefixes 5, 5 7, 5 7 7; then 7, 7 7, which are others; then 5, 5 7,
		// 5 7 -8.
		want: []string{"61114 1 16 get 0", "61114 2 16 get 0", "61114 3 8 get 0", "62000 4 16 get 0", "62000 5 16 get 0",
			"62500 1 16 get 0", "62500 2 16 get 0", "62500 6 16 get 0"},
		report: []string{"a block of 16 tokens"},
	},
	{
		format: "kv-jsonl", name: "reverse", args: Args{"kv-order": "reverse", "bytes-per-token": "1000"}, confidence: Certain, data: mooncake,
		want:   []string{"0 3 276000 get 0", "0 2 512000 get 0", "0 1 512000 get 0", "3052 2 512000 get 0", "3052 1 512000 get 0", "3100 4 188000 get 0", "3100 1 512000 get 0"},
		report: []string{"from the last to first"},
	},
	{
		format: "kv-jsonl", name: "odd", args: Args{"block-tokens": "10", "time-unit": "us"}, confidence: Certain,
		data: `{"input_length":100,"hash_ids":[1,2],"x":{"a":[1,{"b":null}],"c":true},"timestamp":5999}` + "\n" +
			`{"hash_ids":[],"input_length":0}` + "\n" + `{"hash_ids":[18446744073709551615],"input_length":10,"timestamp":7000}` + "\n",
		want:   []string{"5 1 10 get 0", "5 2 10 get 0", "7 3 10 get 0"},
		report: []string{"left out: 1 request without blocks", "1 request whose input_length does not fit"},
	},
}

// TestKVGroups checks that groups are reported in batches of any size.
func TestKVGroups(t *testing.T) {
	for _, order := range []string{"forward", "reverse"} {
		for _, n := range []int{1, 2, 3, 4, 5, 100} {
			d := newDecoder(t, "kv-jsonl", Args{"kv-order": order}, strings.NewReader(mooncake))
			var starts []int
			dst := make([]Record, n)
			for total := 0; ; {
				m, err := d.Decode(dst)
				if err != nil {
					break
				}
				for _, i := range d.(Grouper).Groups() {
					if i >= m {
						t.Errorf("%s, batches of %d: group %d begins behind the last of %d records", order, n, i, m)
					}
					starts = append(starts, total+i)
				}
				total += m
			}
			if want := []int{0, 3, 5}; !slices.Equal(starts, want) {
				t.Errorf("%s, batches of %d: groups begin at %v, want %v", order, n, starts, want)
			}
		}
	}
}

// TestKVPrefixes plays an unbounded cache: the hits of a request are the blocks
// up to the first that no earlier request has had.
func TestKVPrefixes(t *testing.T) {
	for _, test := range []struct {
		data string
		want []int // hits of each request
	}{
		{mooncake, []int{0, 2, 1}},
		{bailian, []int{0, 0, 2}},
	} {
		d := newDecoder(t, "kv-jsonl", nil, strings.NewReader(test.data))
		dst := make([]Record, 100)
		n, err := d.Decode(dst)
		if err != nil {
			t.Fatal(err)
		}
		starts := append(slices.Clone(d.(Grouper).Groups()), n)
		cached := map[uint64]bool{}
		var got []int
		for i := range len(starts) - 1 {
			hits, whole := 0, true
			for _, r := range dst[starts[i]:starts[i+1]] {
				if whole = whole && cached[r.Key]; whole {
					hits++
				}
				cached[r.Key] = true
			}
			got = append(got, hits)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("prefix hits %v, want %v", got, test.want)
		}
	}
}

// TestPrompts loads prompts into memory, a temporary spool and the cache.
func TestPrompts(t *testing.T) {
	always(t)
	path := writeFile(t, filepath.Join(t.TempDir(), "kv"), []byte(mooncake))
	cache := t.TempDir()
	digests := map[string]string{}
	for name, test := range map[string]struct {
		o      Options
		starts []int
		token  int64
	}{
		"memory":      {Options{}, []int{0, 3, 5}, 1},
		"spool":       {Options{Memory: 1}, []int{0, 3, 5}, 1},
		"to cache":    {Options{Cache: cache}, []int{0, 3, 5}, 1},
		"bytes":       {Options{Params: map[string]string{"bytes-per-token": "7"}}, []int{0, 3, 5}, 7},
		"skip":        {Options{Skip: 1}, []int{2, 4}, 1},
		"limit":       {Options{Limit: 5}, []int{0, 3}, 1},
		"no sizes":    {Options{IgnoreSize: true}, []int{0, 3, 5}, 0},
		"apply":       {Options{Ops: ApplyOps}, []int{0, 3, 5}, 1},
		"wholly read": {Options{Ops: IgnoreOps}, []int{0, 3, 5}, 1},
	} {
		for range 2 {
			trace := open(t, path, test.o)
			p := trace.Prompts
			if p == nil {
				t.Fatalf("%s: no prompts", name)
			}
			var starts []int
			for i := range trace.Requests {
				if p.Starts(i) {
					starts = append(starts, i)
				}
			}
			if !slices.Equal(starts, test.starts) || p.TokenBytes != test.token || p.Reverse {
				t.Errorf("%s: prompts begin at %v, tokens have %d bytes, want %v, %d", name, starts, p.TokenBytes, test.starts, test.token)
			}
			if test.o.Params == nil && test.o.Skip+test.o.Limit == 0 && !test.o.IgnoreSize {
				digests[trace.Digest] = name
			}
			closeTrace(t, trace)
		}
	}
	if len(digests) != 1 {
		t.Errorf("the digest depends on where a trace is kept: %v", digests)
	}
	entries := tracesIn(t, cache)
	if len(entries) != 1 {
		t.Fatalf("the cache has %+v", entries)
	}
	reversed := open(t, path, Options{Params: map[string]string{"kv-order": "reverse"}})
	if !reversed.Prompts.Reverse {
		t.Error("the order is lost")
	}

	// A damaged column is not believed.
	file := filepath.Join(cache, entries[0].Key, "prompts")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[0] ^= 2
	writeFile(t, file, b)
	trace := open(t, path, Options{Cache: cache})
	defer closeTrace(t, trace)
	wantNote(t, trace, "could not be used")
	if trace.Prompts.Starts(1) || !trace.Prompts.Starts(3) {
		t.Error("the damaged prompts were used")
	}

	// Requests that belong to no prompt cannot follow.
	if _, err := Open([]string{path, writeFile(t, filepath.Join(t.TempDir(), "x"), []byte("1 a 1\n"))}, Options{}); err == nil || !strings.Contains(err.Error(), "only some of the trace's files are of prompts") {
		t.Error(err)
	}
}
