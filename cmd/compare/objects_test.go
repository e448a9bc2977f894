package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadPoints: a ratio is the median of those of the replays of one round, not the
// ratio of the medians.
func TestReadPoints(t *testing.T) {
	read := func(table string) ([]point, error) {
		file := filepath.Join(t.TempDir(), "times.csv")
		if err := os.WriteFile(file, []byte(table), 0o666); err != nil {
			t.Fatal(err)
		}
		return readPoints(file, 1000)
	}
	const header = "policy,engine,ns_per_request,replays_ns\n"
	points, err := read(header + "lru,native,20.0,10 20 40\nlru,llvm,25.0,20 25 44\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []point{{"lru", "native", 1000, 20, 1}, {"lru", "llvm", 1000, 25, 1.25}}
	if len(points) != 2 || points[0] != want[0] || points[1] != want[1] {
		t.Errorf("points %v, want %v", points, want)
	}
	for table, says := range map[string]string{
		header:                            "holds no row",
		header + "lru,llvm,25.0,20 25\n":  "the native policy 0",
		header + "lru,native,fast,20\n":   "fast",
		header + "lru,native,20.0,20 x\n": "x",
	} {
		if _, err := read(table); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one that says %q", table, err, says)
		}
	}
}

// TestPanels: each policy has a panel, each engine a line in it, each count a point.
func TestPanels(t *testing.T) {
	var all []point
	for _, n := range []int{1000, 10_000} {
		for _, policy := range []string{"lru", "fifo"} {
			for _, engine := range []string{"native", "llvm"} {
				all = append(all, point{policy, engine, n, float64(n), 1})
			}
		}
	}
	list := panels(all)
	if len(list) != 2 || list[0].Heading != "LRU" || list[1].Heading != "FIFO" {
		t.Fatalf("panels %v, want one of LRU and one of FIFO", list)
	}
	for _, p := range list {
		if len(p.Series) != 2 || p.Series[0].Name != "native" || p.Series[1].Name != "llvm" {
			t.Fatalf("%s: series %v, want native and llvm", p.Heading, p.Series)
		}
		for _, s := range p.Series {
			if len(s.Points) != 2 || s.Points[0].X != 1000 || s.Points[1].Y != 10_000 {
				t.Errorf("%s: %s has points %v, want those at 1000 and 10000 objects", p.Heading, s.Name, s.Points)
			}
		}
	}
}
