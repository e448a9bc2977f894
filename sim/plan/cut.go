package plan

import (
	"cmp"
	"slices"
)

// A Load is what the cells of one trace cost, by estimate.
type Load struct {
	Trace  string
	Decode int64 // nanoseconds to read the trace once
	Memory int64 // bytes that the trace occupies while its cells run
	Cells  []Cost
}

// A Cost is what one cell costs, by estimate.
type Cost struct {
	Group  uint64 `json:"group"` // GroupNumber of the cell
	Time   int64  `json:"time_ns"`
	Memory int64  `json:"memory_bytes"`
}

// A Piece is the part of a trace's cells that one shard runs: part I of N, as
// Shard cuts them.
type Piece struct {
	Trace string `json:"trace"`
	I     int    `json:"i"`
	N     int    `json:"n"`
	Cells int    `json:"cells"`
}

// A Bin is a shard of a sweep over many traces.
type Bin struct {
	Pieces []Piece `json:"pieces"`
	Time   int64   `json:"time_ns"`      // of its cells one after the other, and of reading its traces
	Memory int64   `json:"memory_bytes"` // the most that a piece needs
}

// Cut divides the cells of many traces into at most n bins of about the same
// time, by longest processing time first (R. L. Graham, Bounds on Multiprocessing
// Timing Anomalies, SIAM Journal on Applied Mathematics, 1969). A trace is divided
// only where it takes longer than a bin should, and no bin holds two pieces of a
// trace, so that a bin reads each of its traces once. jobs is the number of cells
// that run at a time, which decides the memory. The bin that takes longest comes
// first.
func Cut(loads []Load, n, jobs int) []Bin {
	type item struct {
		piece        Piece
		time, memory int64
	}
	var total int64
	for _, l := range loads {
		total += l.time()
	}
	target := max(1, total/int64(n))
	var items []item
	for _, l := range loads {
		parts := min(n, int((l.time()+target-1)/target))
		if l.time() <= target {
			parts = 1
		}
		list := make([]item, parts)
		memory := make([][]int64, parts)
		for i := range list {
			list[i] = item{piece: Piece{Trace: l.Trace, I: i + 1, N: parts}, time: l.Decode}
		}
		for _, c := range l.Cells {
			i := c.Group % uint64(parts)
			list[i].piece.Cells++
			list[i].time += c.Time
			memory[i] = append(memory[i], c.Memory)
		}
		for i := range list {
			if list[i].piece.Cells == 0 {
				continue
			}
			slices.SortFunc(memory[i], func(a, b int64) int { return cmp.Compare(b, a) })
			list[i].memory = l.Memory
			for _, m := range memory[i][:min(jobs, len(memory[i]))] {
				list[i].memory += m
			}
			items = append(items, list[i])
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(b.time, a.time) })
	bins := make([]Bin, min(n, len(items)))
	for _, it := range items {
		best := -1
		for i, b := range bins {
			if slices.ContainsFunc(b.Pieces, func(p Piece) bool { return p.Trace == it.piece.Trace }) {
				continue
			}
			if best < 0 || b.Time < bins[best].Time {
				best = i
			}
		}
		b := &bins[best] // a trace has at most as many pieces as there are bins
		b.Pieces = append(b.Pieces, it.piece)
		b.Time += it.time
		b.Memory = max(b.Memory, it.memory)
	}
	slices.SortStableFunc(bins, func(a, b Bin) int { return cmp.Compare(b.Time, a.Time) })
	return bins
}

func (l Load) time() int64 {
	sum := l.Decode
	for _, c := range l.Cells {
		sum += c.Time
	}
	return sum
}
