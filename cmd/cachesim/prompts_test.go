package main

import (
	"path/filepath"
	"strings"
	"testing"

	"cachesim/sim/results"
)

// TestPrefixCache replays three prompts of 2, 3 and 2 blocks of 512 tokens, the
// last block of the second having 76. At 3 blocks, asked for from the first,
// LRU hits A B of the second prompt and A of the third; in reverse it also has
// A and B of the second, and A of the third as the last block that is asked for.
func TestPrefixCache(t *testing.T) {
	trace := file(t, "kv.jsonl", []byte(`{"timestamp":0,"input_length":1024,"hash_ids":[1,2]}
{"timestamp":1,"input_length":1100,"hash_ids":[1,2,3]}
{"timestamp":2,"input_length":1024,"hash_ids":[1,4]}
`))
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "3,3,0.428571,1536"},
		{[]string{"--kv-order", "reverse", "--bytes-per-token", "10"}, "3,3,0.428571,1536"},
		{[]string{"--ignore-size"}, "3,3,0.428571,0"},
	} {
		dir := t.TempDir()
		stdout, stderr, code := cachesim(append([]string{"run", trace, "--policy", "lru", "--size", "3", "--capacity-unit", "objects", "--timing-requests", "none", "--out", dir, "--format", "svg", "--quiet"}, test.args...)...)
		if code != 0 {
			t.Fatal(stderr)
		}
		if !strings.Contains(stdout, "Prefix hits of 3 LLM requests with 7 blocks") || !strings.Contains(stdout, "42.86") {
			t.Errorf("%q: the table is missing:\n%s", test.args, stdout)
		}
		rows := readCSV(t, dir, "results.csv")
		r := rows[0]
		if got := strings.Join([]string{r["llm_requests"], r["prefix_hit_blocks"], r["prefix_hit_ratio"], r["saved_tokens"]}, ","); got != test.want || len(rows) != 1 {
			t.Errorf("%q: results.csv has %s in %d rows, want %s", test.args, got, len(rows), test.want)
		}
		for _, name := range []string{"results.json", "results.csv"} {
			set, err := results.Read(filepath.Join(dir, name))
			if err != nil || set.Results[0].LLMRequests != 3 || set.Results[0].PrefixHitBlocks != 3 {
				t.Errorf("%s: %+v, %v", name, set, err)
			}
		}
	}

	// Other traces have empty columns.
	dir := t.TempDir()
	stdout, stderr, code := cachesim("run", smallTrace(t, 100), "--policy", "lru", "--size", "1KiB", "--timing-requests", "none", "--out", dir, "--format", "svg", "--quiet")
	if r := readCSV(t, dir, "results.csv")[0]; code != 0 || strings.Contains(stdout, "Prefix") || r["llm_requests"] != "" || r["prefix_hit_ratio"] != "" || r["saved_tokens"] != "" {
		t.Errorf("exit %d, %s, %v:\n%s", code, stderr, r, stdout)
	}
}
