package native_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cachesim/policies-native/models"
	"cachesim/sim"
	"cachesim/sim/simtest"
)

var (
	update = flag.Bool("update", false, "rewrite testdata/golden.tsv")
	start  = flag.Int("models", 2000, "requests at the start of each golden trace to check with the models, which are slow")
)

var golden = []struct {
	trace      string
	capacities []int64 // bytes
}{
	{cloudPhysicsStart, []int64{16 * mib, 64 * mib, 256 * mib}},
	{webStart, []int64{256 * kib, mib, 4 * mib}},
	// Some of its objects are larger than the first of these.
	{example, []int64{4 * mib, 16 * mib, 64 * mib, 256 * mib}},
}

const (
	goldenFile   = "testdata/golden.tsv"
	goldenHeader = "trace\tpolicy\tcapacity\trequests\thits\thit_bytes\tevictions"
)

// TestGolden compares every policy with the table of results that it once had.
func TestGolden(t *testing.T) {
	var rows [][]string // of each trace
	for _, g := range golden {
		tr := readTrace(t, g.trace)
		next := simtest.NextAccess(tr.reqs, nil)
		of := make([]string, 0)
		for _, s := range append(defaults(t), parse(t, "lru+adaptsize:window=20000")) {
			for _, capacity := range g.capacities {
				c := s.replay(t, tr, next, capacity)
				of = append(of, fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%d\t%d",
					g.trace, s.name, capacity, c.requests, c.hits, c.hitBytes, c.evictions))
			}
		}
		rows = append(rows, of)
	}
	got := goldenHeader + "\n" + strings.Join(slices.Concat(rows...), "\n") + "\n"
	if *update {
		if err := os.WriteFile(goldenFile, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range bytes.Lines(b) {
		want[strings.TrimRight(string(line), "\r\n")] = true
	}
	for line := range strings.Lines(got) {
		line = strings.TrimRight(line, "\n")
		if !want[line] {
			t.Errorf("not in %s, which -update writes: %s", goldenFile, line)
		}
		delete(want, line)
	}
	for line := range want {
		t.Errorf("in %s only: %s", goldenFile, line)
	}
}

// TestGoldenModels compares every policy with its model on the start of the
// golden traces, request by request.
func TestGoldenModels(t *testing.T) {
	if testing.Short() {
		t.Skip("the models are slow")
	}
	for _, g := range golden {
		tr := readTrace(t, g.trace)
		tr = tr.cut(min(*start, len(tr.reqs)))
		tr.objects = 0
		for _, r := range tr.reqs {
			tr.objects = max(tr.objects, int(r.ID)+1)
		}
		for _, s := range defaults(t) {
			if models.All[s.Name] == nil {
				continue
			}
			t.Run(g.trace+"/"+s.Name, func(t *testing.T) {
				t.Parallel()
				for _, part := range []int64{30, 4} {
					s.checkModel(t, tr, tr.footprint()/part, 100)
				}
			})
		}
	}
}

// TestLibCacheSim compares misses, and missed bytes, with those of libCacheSim
// on its sample of a CloudPhysics trace (data/cloudPhysicsIO.oracleGeneral.bin
// there), most of which its own tests expect (test/test_evictionAlgo.c). The
// tables are in testdata/libcachesim*.tsv: a policy with parameters, "requests"
// or "bytes", and the misses at 128, 256, 384 ... 1024 MiB.
func TestLibCacheSim(t *testing.T) {
	tr := readTrace(t, cloudPhysics)
	next := simtest.NextAccess(tr.reqs, nil)
	files, err := filepath.Glob("testdata/libcachesim*.tsv")
	if err != nil || len(files) == 0 {
		t.Fatal("there is no testdata/libcachesim*.tsv: ", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for line := range bytes.Lines(b) {
			n++
			f := strings.Fields(string(line))
			if n == 1 || len(f) == 0 || f[0][0] == '#' {
				continue // the header, or a comment
			}
			if len(f) != 10 || f[1] != "requests" && f[1] != "bytes" {
				t.Fatalf("%s:%d: want a policy, requests or bytes, and 8 numbers", file, n)
			}
			t.Run(fmt.Sprintf("%s/%s", f[0], f[1]), func(t *testing.T) {
				t.Parallel()
				s := parse(t, f[0])
				for i, text := range f[2:] {
					if testing.Short() && i%4 != 3 {
						continue
					}
					want, err := strconv.ParseInt(text, 10, 64)
					if err != nil {
						t.Fatalf("%s:%d: %v", file, n, err)
					}
					capacity := int64(i+1) * 128 * mib
					c := s.replay(t, tr, next, capacity)
					got := c.requests - c.hits
					if f[1] == "bytes" {
						got = c.bytes - c.hitBytes
					}
					if got != want {
						t.Errorf("%s:%d: at %d MiB: got %d missed %s, want %d", file, n, capacity/mib, got, f[1], want)
					}
				}
			})
		}
	}
}

// TestLibCacheSimCuts compares misses with those that libCacheSim (commit aa0fc40) printed
// for the traces of the repository. In the web trace the hand of SIEVE goes round many
// times, and objects are larger than a part of the cache, which libCacheSim never stores:
// the filter size-threshold has that rule. testdata/peer-libcachesim.tsv has a header, which
// gives the capacities of the rows below it, for each trace.
func TestLibCacheSimCuts(t *testing.T) {
	b, err := os.ReadFile("testdata/peer-libcachesim.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var tr trace
	var next []uint32
	var capacities []int64
	for line := range bytes.Lines(b) {
		f := strings.Split(strings.TrimSpace(string(line)), "\t")
		numbers := make([]int64, len(f)-2)
		for i, text := range f[2:] {
			if numbers[i], err = strconv.ParseInt(strings.TrimSuffix(text, " KiB"), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if f[0] == "trace" {
			capacities = numbers
			continue
		}
		if tr.name != f[0] {
			tr = readTrace(t, f[0])
			next = simtest.NextAccess(tr.reqs, nil)
		}
		s := parse(t, f[1])
		for i, want := range numbers {
			c := s.replay(t, tr, next, capacities[i]*kib)
			if got := c.requests - c.hits; got != want {
				t.Errorf("%s, %s at %d KiB: got %d misses, libCacheSim has %d", f[0], f[1], capacities[i], got, want)
			}
		}
	}
}

// TestLoop replays the trace loop of the LIRS paper, 1,011 blocks over and over, with room
// for 500: what keeps the most recent blocks has no hit, and MIN has the most there can be.
func TestLoop(t *testing.T) {
	const blocks, rounds = 1011, 500
	tr := trace{name: "loop", objects: blocks}
	for i := range blocks * rounds {
		tr.reqs = append(tr.reqs, sim.Request{ID: uint32(i % blocks), Size: 1})
	}
	next := simtest.NextAccess(tr.reqs, nil)
	for name, want := range map[string]int64{"lru": 0, "fifo": 0, "clock": 0, "sieve": 0, "lfu": 0, "belady": 249500} {
		if got := parse(t, name).replay(t, tr, next, 500).hits; got != want {
			t.Errorf("%s: got %d hits, want %d", name, got, want)
		}
	}
}
