package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestCut cuts random sweeps: every group of cells is in one bin, no bin reads a
// trace twice, and none takes much longer than the others.
func TestCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		n, jobs := 1+rng.IntN(20), 1+rng.IntN(3)
		var loads []Load
		var total, longest int64
		for i := range 1 + rng.IntN(30) {
			l := Load{Trace: fmt.Sprint(i), Decode: rng.Int64N(50), Memory: rng.Int64N(100)}
			for range rng.IntN(40) {
				c := Cost{Group: rng.Uint64N(30), Time: 1 + rng.Int64N(1000), Memory: rng.Int64N(100)}
				l.Cells = append(l.Cells, c)
				longest = max(longest, c.Time)
			}
			total += l.time()
			loads = append(loads, l)
		}
		bins := Cut(loads, n, jobs)
		if len(bins) > n {
			t.Fatalf("round %d: %d bins, want at most %d", round, len(bins), n)
		}
		type where struct {
			trace string
			group uint64
		}
		cells := make(map[where]int)
		for i, b := range bins {
			if len(b.Pieces) == 0 || i > 0 && b.Time > bins[i-1].Time {
				t.Errorf("round %d: bin %d is %+v after %+v", round, i, b, bins[max(0, i-1)])
			}
			read := make(map[string]bool)
			for _, p := range b.Pieces {
				if read[p.Trace] {
					t.Errorf("round %d: bin %d reads trace %s twice", round, i, p.Trace)
				}
				read[p.Trace] = true
				for _, l := range loads {
					if l.Trace != p.Trace {
						continue
					}
					found := 0
					var most int64
					for _, c := range l.Cells {
						if int(c.Group%uint64(p.N)) == p.I-1 {
							cells[where{p.Trace, c.Group}]++
							found++
							most = max(most, c.Memory)
						}
					}
					if found != p.Cells {
						t.Errorf("round %d: piece %+v has %d cells", round, p, found)
					}
					if b.Memory < l.Memory+most {
						t.Errorf("round %d: bin %d has %d bytes, piece %+v needs %d", round, i, b.Memory, p, l.Memory+most)
					}
				}
			}
		}
		for _, l := range loads {
			for _, c := range l.Cells {
				if cells[where{l.Trace, c.Group}] == 0 {
					t.Errorf("round %d: no bin has group %d of trace %s", round, c.Group, l.Trace)
				}
			}
		}
	}
}

func TestCutBalances(t *testing.T) {
	load := func(name string, cells int, time int64) Load {
		l := Load{Trace: name, Memory: 1000}
		for g := range cells {
			l.Cells = append(l.Cells, Cost{Group: uint64(g), Time: time, Memory: int64(g)})
		}
		return l
	}
	bins := Cut([]Load{load("small", 10, 1), load("large", 40, 100), load("middle", 10, 100), load("tiny", 1, 1)}, 5, 2)
	got := ""
	for _, b := range bins {
		got += fmt.Sprintf("%d ns, %d bytes:", b.Time, b.Memory)
		for _, p := range b.Pieces {
			got += fmt.Sprintf(" %s %d/%d", p.Trace, p.I, p.N)
		}
		got += "\n"
	}
	if len(bins) != 5 || bins[0].Time > 1100 || bins[4].Time < 900 {
		t.Errorf("got\n%s", got)
	}
	if bins := Cut(nil, 4, 1); len(bins) != 0 {
		t.Errorf("nothing was cut into %v", bins)
	}
}
