package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"cachesim/sim"
)

// newProgress shows a bar where w is a terminal, and a line a cell elsewhere.
func newProgress(w io.Writer, cells int) sim.Progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bar{w: w, cells: cells}
	}
	return &log{w: w, cells: cells}
}

type bar struct {
	w           io.Writer
	cells, done int
	bar         *progressbar.ProgressBar
}

func (b *bar) Start(requests int64) {
	b.bar = progressbar.NewOptions64(requests,
		progressbar.OptionSetWriter(b.w),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("requests"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100_000_000),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)
	b.describe()
}

func (b *bar) describe() { b.bar.Describe(fmt.Sprintf("cell %d of %d", b.done, b.cells)) }

func (b *bar) Advance(requests int64) { _ = b.bar.Add64(requests) }

func (b *bar) Done(sim.Result) {
	b.done++
	b.describe()
}

func (b *bar) Failed(f sim.Failure) {
	b.done++
	_ = b.bar.Clear()
	fmt.Fprintf(b.w, "cachesim: failed: %v\n", f)
	b.describe()
}

type log struct {
	w           io.Writer
	cells, done int
}

func (l *log) Start(int64)   {}
func (l *log) Advance(int64) {}

func (l *log) Done(r sim.Result) {
	l.done++
	fmt.Fprintf(l.w, "%d/%d %s at %s, %s: hit ratio %.2f %%, %.1f ns/request\n",
		l.done, l.cells, r.Policy, humanize.IBytes(uint64(r.Capacity)), r.Version(), 100*r.HitRatio(), r.PerRequest())
}

func (l *log) Failed(f sim.Failure) {
	l.done++
	fmt.Fprintf(l.w, "%d/%d failed: %v\n", l.done, l.cells, f)
}

// silent shows nothing.
type silent struct{}

func (silent) Start(int64)        {}
func (silent) Advance(int64)      {}
func (silent) Done(sim.Result)    {}
func (silent) Failed(sim.Failure) {}

// keeper writes the result files every few seconds while a run goes on, so that
// not even the end of the process takes more than that.
type keeper struct {
	sim.Progress
	dir     string
	results []sim.Result
	last    time.Time
}

func (k *keeper) Done(r sim.Result) {
	k.results = append(k.results, r)
	if time.Since(k.last) > 5*time.Second {
		// What cannot be written now will be reported at the end.
		_ = writeResults(k.dir, k.results)
		k.last = time.Now()
	}
	k.Progress.Done(r)
}
