package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"cachesim/sim"
)

// newProgress shows a bar where w is a terminal, and a line a cell elsewhere.
func newProgress(w io.Writer, trace string, cells int) sim.Progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bar{w: w, trace: trace, cells: cells}
	}
	return &log{w: w, trace: trace, cells: cells}
}

type bar struct {
	w           io.Writer
	trace       string
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

func (b *bar) describe() {
	b.bar.Describe(fmt.Sprintf("%s: cell %d of %d", clean(b.trace), b.done, b.cells))
}

func (b *bar) Advance(requests int64) { _ = b.bar.Add64(requests) }

func (b *bar) Done(sim.Measurement) {
	b.done++
	b.describe()
}

func (b *bar) Failed(f sim.Failure) {
	b.done++
	_ = b.bar.Clear()
	fmt.Fprintf(b.w, "cachesim: failed: %s\n", clean(f.Error()))
	b.describe()
}

// log prints a line a cell, without the time of cells that ran beside others:
// nobody may use it.
type log struct {
	w           io.Writer
	trace       string
	cells, done int
}

func (l *log) Start(int64)   {}
func (l *log) Advance(int64) {}

func (l *log) Done(m sim.Measurement) {
	l.done++
	what := ""
	switch {
	case m.Timed:
		what = fmt.Sprintf("timed, %d replays", len(m.Replays))
	case m.Gets > 0:
		what = fmt.Sprintf("hit ratio %.2f %%", 100*float64(m.Hits)/float64(m.Gets))
	}
	fmt.Fprintf(l.w, "%d/%d %s: %s at %s, %s: %s\n", l.done, l.cells, clean(l.trace), clean(m.Policy), m.Size(), m.Version, what)
}

func (l *log) Failed(f sim.Failure) {
	l.done++
	fmt.Fprintf(l.w, "%d/%d failed: %s\n", l.done, l.cells, clean(f.Error()))
}

// silent shows nothing.
type silent struct{}

func (silent) Start(int64)          {}
func (silent) Advance(int64)        {}
func (silent) Done(sim.Measurement) {}
func (silent) Failed(sim.Failure)   {}
