package native_test

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cachesim/sim"
	"cachesim/sim/simtest"
)

// TestCaffeine compares hits with those of Caffeine's simulator (sketch.WindowTinyLfu and
// sketch.HillClimberWindowTinyLfu with the simple climber, commit ccef955), of which
// testdata/caffeine.tsv has the fewest and the most of nine runs that hash the ids in
// nine ways. Ours hash in other ways and let the sketch fade a little earlier, so the
// median of five seeds may be 5 % outside.
func TestCaffeine(t *testing.T) {
	const tolerance = 0.05
	b, err := os.ReadFile("testdata/caffeine.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		f := strings.Fields(string(line))
		if f[0] == "#" {
			continue
		}
		var n [3]int64 // capacity, fewest and most hits
		for i := range n {
			if n[i], err = strconv.ParseInt(f[3+i], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(strings.Join(f[:4], "/"), func(t *testing.T) {
			t.Parallel()
			tr := readTrace(t, f[0])
			if f[2] == "objects" {
				for i := range tr.reqs {
					tr.reqs[i].Size = 1
				}
			}
			s := parse(t, f[1])
			next := simtest.NextAccess(tr.reqs, nil)
			var hits []int64
			for seed := range uint64(5) {
				seeded := s
				seeded.New = func(c sim.Config) sim.Policy {
					c.Seed = seed
					return s.New(c)
				}
				hits = append(hits, seeded.replay(t, tr, next, n[0]).hits)
			}
			slices.Sort(hits)
			if got := float64(hits[2]); got < (1-tolerance)*float64(n[1]) || got > (1+tolerance)*float64(n[2]) {
				t.Errorf("got %d hits with five seeds, Caffeine has %d to %d", hits, n[1], n[2])
			}
		})
	}
}
