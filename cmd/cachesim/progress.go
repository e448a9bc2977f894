package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"cachesim/sim"
)

// newProgress shows a bar where w is a terminal, and a line now and then elsewhere.
func newProgress(w io.Writer, trace string, cells int) sim.Progress {
	if m, ok := w.(messages); ok {
		w = m.Writer
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bar{w: w, trace: trace, cells: cells}
	}
	return &log{w: messages{w, new(sync.Mutex)}, trace: trace, cells: cells}
}

// printed keeps which failures have been printed: of one policy's for the same reason the first,
// since all are counted at the end.
type printed map[string]bool

// first reports whether there was no such failure before.
func (p *printed) first(f sim.Failure) bool {
	if *p == nil {
		*p = make(printed)
	}
	cause := f.Policy + f.Err.Error()
	before := (*p)[cause]
	(*p)[cause] = true
	return !before
}

type bar struct {
	printed
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
	if b.first(f) {
		_ = b.bar.Clear()
		fmt.Fprintf(b.w, "cachesim: failed: %s\n", clean(f.Error()))
	}
	b.describe()
}

// log prints a line for each tenth of the cells, at least one a minute while cells
// finish, and one for each reason that cells of a policy failed for. It
// has no times: cells that run beside others take longer than alone.
type log struct {
	printed
	w           io.Writer
	trace       string
	cells, done int
	last        time.Time // that a line was printed
}

func (l *log) Start(int64)   { l.last = time.Now() }
func (l *log) Advance(int64) {}

func (l *log) Done(m sim.Measurement) {
	what := "hit ratios"
	if m.Timed {
		what = "running times"
	}
	l.done++
	if 10*l.done/l.cells > 10*(l.done-1)/l.cells || time.Since(l.last) > time.Minute {
		l.last = time.Now()
		fmt.Fprintf(l.w, "cachesim: %s: %s: %d of %d cells done\n", clean(l.trace), what, l.done, l.cells)
	}
}

func (l *log) Failed(f sim.Failure) {
	l.done++
	if l.first(f) {
		fmt.Fprintf(l.w, "cachesim: failed: %s\n", clean(f.Error()))
	}
}

// silent shows nothing.
type silent struct{}

func (silent) Start(int64)          {}
func (silent) Advance(int64)        {}
func (silent) Done(sim.Measurement) {}
func (silent) Failed(sim.Failure)   {}
