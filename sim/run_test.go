package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// plenty is longer than anything here takes, unless it never ends.
const plenty = time.Minute

// runOrFail is Run, which must return.
func runOrFail(t *testing.T, ctx context.Context, tr *Trace, tasks []Task, open Opener, o Options) ([]Measurement, []Failure) {
	t.Helper()
	var results []Measurement
	var failures []Failure
	done := make(chan struct{})
	go func() {
		defer close(done)
		results, failures = Run(ctx, tr, tasks, open, o)
	}()
	wait(t, done, "Run")
	return results, failures
}

func wait(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(plenty):
		t.Fatalf("%s does not come to an end", what)
	}
}

// recorder is a Progress that keeps what it is told.
type recorder struct {
	t                   *testing.T
	busy                atomic.Bool
	announced, advanced int64
	done                []Measurement
	failed              []Failure
	onAdvance           func()        // may be nil
	onFailed            func(Failure) // may be nil
}

// alone notes calls that overlap.
func (r *recorder) alone() func() {
	if !r.busy.CompareAndSwap(false, true) {
		r.t.Error("Progress is called in parallel")
	}
	return func() { r.busy.Store(false) }
}

func (r *recorder) Start(n int64) {
	defer r.alone()()
	r.announced = n
}

func (r *recorder) Advance(n int64) {
	defer r.alone()()
	r.advanced += n
	if r.onAdvance != nil {
		r.onAdvance()
	}
}

func (r *recorder) Done(res Measurement) {
	defer r.alone()()
	r.done = append(r.done, res)
}

func (r *recorder) Failed(f Failure) {
	defer r.alone()()
	r.failed = append(r.failed, f)
	if r.onFailed != nil {
		r.onFailed(f)
	}
}

// check compares what was told in all with what Run returned.
func (r *recorder) check(results []Measurement, failures []Failure) {
	r.t.Helper()
	if r.advanced != r.announced {
		r.t.Errorf("%d requests were announced, %d came", r.announced, r.advanced)
	}
	if len(r.done) != len(results) || len(r.failed) != len(failures) {
		r.t.Errorf("told of %d results and %d failures, returned %d and %d", len(r.done), len(r.failed), len(results), len(failures))
	}
}

// cell names a cell over the whole of tr; engine "native", or else a WASM engine.
func cell(tr *Trace, policy, engine string) Cell {
	c := Cell{Trace: tr.Name, TraceDigest: tr.Digest, Requests: tr.Requests, Policy: policy, Capacity: 1 << 20, Version: Version{Engine: engine}}
	if engine != NativeEngine {
		c.ABI, c.Handle = "pair", "srs"
	}
	return c
}

func cellNames(cells []Cell) []string {
	var list []string
	for _, c := range cells {
		list = append(list, fmt.Sprint(c.Policy, " ", c.Engine, " ", c.Capacity))
	}
	return list
}

func resultCells(results []Measurement) (cells []Cell) {
	for _, r := range results {
		cells = append(cells, r.Cell)
	}
	return cells
}

// TestRunFailures runs one bad cell among good ones, timed and not.
func TestRunFailures(t *testing.T) {
	tr := letters("abLcabc", map[rune]int64{'L': 2 << 20})
	long := numbered(2*BatchSize+10, func(i int) uint32 { return uint32(i) }, func(uint32) int64 { return 1 })
	tests := []struct {
		name  string
		trace *Trace
		open  func() (Replayer, error)
		want  string
	}{
		{"does not open", tr, func() (Replayer, error) { return nil, errBroken }, "broken on purpose"},
		{"panics when opened", tr, func() (Replayer, error) { panic("oh") }, "policy panicked: oh"},
		{"fails", tr, func() (Replayer, error) {
			return scripted{replay: func([]Request, []bool) error { return errBroken }}, nil
		}, "broken on purpose"},
		{"fails in the last batch", long, func() (Replayer, error) {
			return scripted{replay: func(reqs []Request, _ []bool) error {
				if reqs[0].ID == 2*BatchSize {
					return errBroken
				}
				return nil
			}}, nil
		}, "broken on purpose"},
		{"panics", long, func() (Replayer, error) {
			return scripted{replay: func(reqs []Request, _ []bool) error {
				if reqs[0].ID == BatchSize {
					panic("index out of range")
				}
				return nil
			}}, nil
		}, "policy panicked: index out of range"},
		{"panics at the end", tr, func() (Replayer, error) {
			return scripted{counts: func() Counts { panic("lost count") }}, nil
		}, "policy panicked: lost count"},
		{"does not close", tr, func() (Replayer, error) {
			return scripted{close: func() error { return errBroken }}, nil
		}, "broken on purpose"},
		{"hits a new object", tr, func() (Replayer, error) {
			return scripted{replay: func(_ []Request, hit []bool) error {
				hit[2] = true // of those that fit
				return nil
			}}, nil
		}, "impossible outcome: request 4 is a hit on object c, which was never requested before"},
		{"hits a new object of the second batch", long, func() (Replayer, error) {
			return scripted{replay: func(reqs []Request, hit []bool) error {
				hit[7] = reqs[0].ID == BatchSize
				return nil
			}}, nil
		}, "impossible outcome: request 8200 is a hit on object n8199, which was never requested before"},
	}
	for _, tt := range tests {
		for _, timed := range []bool{false, true} {
			for _, jobs := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s/timed=%v/jobs=%d", tt.name, timed, jobs), func(t *testing.T) {
					var tasks []Task
					for _, p := range []string{"before", "bad", "after"} {
						tasks = append(tasks, Task{Cell: cell(tt.trace, p, NativeEngine), Timed: timed})
					}
					tasks = append(tasks, Task{Cell: cell(tt.trace, "later", NativeEngine), Timed: true})
					open := func(_ context.Context, c Cell, _ *Trace, _ func()) (Replayer, Setup, error) {
						if c.Policy != "bad" {
							return Native(&keepAll{}), Setup{}, nil
						}
						p, err := tt.open()
						return p, Setup{}, err
					}
					rec := &recorder{t: t}
					results, failures := runOrFail(t, t.Context(), tt.trace, tasks, open, Options{Jobs: jobs, Repeat: 3, Progress: rec})
					if got, want := cellNames(resultCells(results)), cellNames([]Cell{tasks[0].Cell, tasks[2].Cell, tasks[3].Cell}); !slices.Equal(got, want) {
						t.Errorf("got results of %q, want %q", got, want)
					}
					if len(failures) != 1 || failures[0].Cell != tasks[1].Cell || failures[0].Err.Error() != tt.want {
						t.Fatalf("got failures %v, want of cell bad: %s", failures, tt.want)
					}
					if got, want := failures[0].Error(), failures[0].Cell.String()+": "+tt.want; got != want {
						t.Errorf("got %q, want %q", got, want)
					}
					if tt.want == errBroken.Error() && !errors.Is(failures[0], errBroken) {
						t.Error("the failure does not wrap its cause")
					}
					rec.check(results, failures)
				})
			}
		}
	}
}

// TestRunCloses opens cells that end well and badly: what was opened is closed,
// once.
func TestRunCloses(t *testing.T) {
	tr := letters("abc", nil)
	var open, closed atomic.Int64
	var tasks []Task
	for i := range 6 {
		tasks = append(tasks, Task{Cell: cell(tr, fmt.Sprint("p", i), NativeEngine), Timed: i < 2})
	}
	_, failures := runOrFail(t, t.Context(), tr, tasks, opener(func(c Cell) Replayer {
		open.Add(1)
		return scripted{
			replay: func([]Request, []bool) error {
				if c.Policy == "p5" {
					return errBroken
				}
				return nil
			},
			close: func() error { closed.Add(1); return nil },
		}
	}), Options{Jobs: 2, Repeat: 3})
	if len(failures) != 1 {
		t.Errorf("got %v, want one failure", failures)
	}
	if open.Load() != 2*3+4 || closed.Load() != open.Load() {
		t.Errorf("%d opened and %d closed, want 10 of each", open.Load(), closed.Load())
	}
}

// answers is a Replayer that hits where its string has an H. Requests for too
// large objects, which it never sees, have no letter in it.
func answers(s string) Replayer {
	at := 0
	return scripted{replay: func(reqs []Request, hit []bool) error {
		for i := range reqs {
			hit[i] = at < len(s) && s[at] == 'H'
			at++
		}
		return nil
	}}
}

func TestRunVersionsDisagree(t *testing.T) {
	tr := letters("abLabb", map[rune]int64{'L': 2 << 20})
	long := numbered(2*BatchSize+10, func(i int) uint32 { return uint32(i % 100) }, func(id uint32) int64 { return int64(1+id%2) << 20 })
	late := strings.Repeat(".", BatchSize-50) // half of long fits
	tests := []struct {
		name          string
		trace         *Trace
		native, guest string
		want          string
	}{
		{"a hit too many", tr, "....H", "..H.H", "versions disagree: request 4 (object a) is a miss in native and a hit in cranelift/pair/srs"},
		{"a hit too few", tr, "..HHH", "..H.H", "versions disagree: request 5 (object b) is a hit in native and a miss in cranelift/pair/srs"},
		{"as many hits elsewhere", tr, "...H.", "....H", "versions disagree: request 5 (object b) is a hit in native and a miss in cranelift/pair/srs"},
		{"in a later batch", long, late + ".", late + "H", "versions disagree: request 16285 (object n84) is a miss in native and a hit in cranelift/pair/srs"},
	}
	for _, tt := range tests {
		for _, timed := range []bool{false, true} {
			for _, jobs := range []int{1, 4} {
				t.Run(fmt.Sprintf("%s/timed=%v/jobs=%d", tt.name, timed, jobs), func(t *testing.T) {
					var tasks []Task
					for _, engine := range []string{NativeEngine, "singlepass", "cranelift", "llvm"} {
						tasks = append(tasks, Task{Cell: cell(tt.trace, "p", engine), Timed: timed})
					}
					// The same policy at another capacity or with another seed is another matter.
					other, seeded := tasks[2], tasks[2]
					other.Capacity++
					seeded.Seed++
					tasks = append(tasks, other, seeded)
					rec := &recorder{t: t}
					results, failures := runOrFail(t, t.Context(), tt.trace, tasks, opener(func(c Cell) Replayer {
						if c.Engine == "cranelift" {
							return answers(tt.guest)
						}
						return answers(tt.native)
					}), Options{Jobs: jobs, Repeat: 2, Progress: rec})
					want := []Cell{tasks[0].Cell, tasks[1].Cell, tasks[3].Cell, tasks[4].Cell, tasks[5].Cell}
					if got, want := cellNames(resultCells(results)), cellNames(want); !slices.Equal(got, want) {
						t.Errorf("got results of %q, want %q", got, want)
					}
					if len(failures) != 1 || failures[0].Cell != tasks[2].Cell || failures[0].Err.Error() != tt.want {
						t.Fatalf("got failures %v, want of cranelift: %s", failures, tt.want)
					}
					rec.check(results, failures)
				})
			}
		}
	}
}

// TestRunTimedVersionDisagreesWithUntimed compares across the two kinds of cell.
func TestRunTimedVersionDisagreesWithUntimed(t *testing.T) {
	tr := letters("aab", nil)
	tasks := []Task{{Cell: cell(tr, "p", NativeEngine), Timed: false}, {Cell: cell(tr, "p", "llvm"), Timed: true}}
	results, failures := runOrFail(t, t.Context(), tr, tasks, opener(func(c Cell) Replayer {
		if c.Engine == "llvm" {
			return answers("...")
		}
		return answers(".H.")
	}), Options{Jobs: 1, Repeat: 1})
	if len(results) != 1 || len(failures) != 1 || failures[0].Engine != "llvm" {
		t.Errorf("got %v and %v, want llvm to fail", results, failures)
	}
}

// TestRunRepeatsDisagree has a policy that does not do the same twice.
func TestRunRepeatsDisagree(t *testing.T) {
	tr := letters("aab", nil)
	rec := &recorder{t: t}
	opened := 0
	results, failures := runOrFail(t, t.Context(), tr, []Task{{Cell: cell(tr, "p", NativeEngine), Timed: true}}, opener(func(Cell) Replayer {
		if opened++; opened == 3 {
			return answers("...")
		}
		return answers(".H.")
	}), Options{Jobs: 1, Repeat: 5, Progress: rec})
	const want = "repeats disagree: request 2 (object a) is a hit in the first replay and a miss in another, both native"
	if len(results) != 0 || len(failures) != 1 || failures[0].Err.Error() != want {
		t.Errorf("got %v and %v, want %s", results, failures, want)
	}
	rec.check(results, failures)
}

// TestRunOrder mixes timed and other cells of several versions: results come in
// the order of the plan, timed cells were opened Repeat times and others once.
func TestRunOrder(t *testing.T) {
	tr := letters("abacab", nil)
	var tasks []Task
	for i := range 40 {
		c := cell(tr, fmt.Sprint("p", i%7), []string{NativeEngine, "llvm", "cranelift"}[i%3])
		c.Capacity += int64(i)
		tasks = append(tasks, Task{Cell: c, Timed: i%4 == 1})
	}
	var want []Cell
	for _, task := range tasks {
		want = append(want, task.Cell)
	}
	for _, jobs := range []int{0, 1, 2, 100} {
		for _, repeat := range []int{1, 4} {
			t.Run(fmt.Sprintf("jobs=%d/repeat=%d", jobs, repeat), func(t *testing.T) {
				var mu sync.Mutex
				opens := make(map[Cell]int)
				rec := &recorder{t: t}
				results, failures := runOrFail(t, t.Context(), tr, tasks, opener(func(c Cell) Replayer {
					mu.Lock()
					defer mu.Unlock()
					opens[c]++
					return Native(&keepAll{})
				}), Options{Jobs: jobs, Repeat: repeat, Seed: 3, Progress: rec})
				if len(failures) > 0 {
					t.Fatal(failures)
				}
				if got := resultCells(results); !slices.Equal(got, want) {
					t.Fatalf("got the order %q, want %q", cellNames(got), cellNames(want))
				}
				for i, r := range results {
					n := 1
					if tasks[i].Timed {
						n = repeat
					}
					if opens[r.Cell] != n || len(r.Replays) != n || len(r.Setups) != n || r.Timed != tasks[i].Timed {
						t.Errorf("%v, timed %v: opened %d times, %d replays, Timed %v, want %d", r.Cell, tasks[i].Timed, opens[r.Cell], len(r.Replays), r.Timed, n)
					}
				}
				rec.check(results, failures)
			})
		}
	}
}

// TestRunSetup checks that set-up times are kept for each repeat.
func TestRunSetup(t *testing.T) {
	tr := letters("ab", nil)
	setups := []Setup{{5, 50}, {1, 10}, {9, 30}}
	opened := 0
	results, failures := runOrFail(t, t.Context(), tr, []Task{{Cell: cell(tr, "p", NativeEngine), Timed: true}},
		func(context.Context, Cell, *Trace, func()) (Replayer, Setup, error) {
			opened++
			return Native(&keepAll{}), setups[opened-1], nil
		}, Options{Jobs: 1, Repeat: 3})
	if len(failures) > 0 || len(results) != 1 {
		t.Fatal(results, failures)
	}
	if got := results[0].Setups; !slices.Equal(got, setups) {
		t.Errorf("got %v, want %v", got, setups)
	}
}

// TestRunJobs has cells that wait for each other, so that they end only if they
// run at the same time, and counts how many run at once.
func TestRunJobs(t *testing.T) {
	tr := letters("ab", nil)
	for _, jobs := range []int{1, 2, 5} {
		t.Run(fmt.Sprintf("jobs=%d", jobs), func(t *testing.T) {
			var tasks []Task
			for i := range 3 * jobs {
				tasks = append(tasks, Task{Cell: cell(tr, fmt.Sprint("p", i), NativeEngine), Timed: false})
			}
			for i := range 4 {
				tasks = append(tasks, Task{Cell: cell(tr, fmt.Sprint("timed", i), NativeEngine), Timed: true})
			}
			var mu sync.Mutex
			active, untimed := 0, 0
			together := make(chan struct{})
			results, failures := runOrFail(t, t.Context(), tr, tasks, opener(func(c Cell) Replayer {
				timed := strings.HasPrefix(c.Policy, "timed")
				return scripted{replay: func([]Request, []bool) error {
					mu.Lock()
					active++
					if active > jobs {
						t.Errorf("%d cells run at once, want at most %d", active, jobs)
					}
					if timed && (active > 1 || untimed != 3*jobs) {
						t.Errorf("a timed cell runs when %d cells run and %d of %d others have ended", active, untimed, 3*jobs)
					}
					if active == jobs {
						select {
						case <-together:
						default:
							close(together)
						}
					}
					mu.Unlock()
					select {
					case <-together:
					case <-time.After(plenty):
						return errors.New("alone")
					}
					for range 1000 { // a cell too many gets the time to show up
						runtime.Gosched()
					}
					mu.Lock()
					defer mu.Unlock()
					active--
					if !timed {
						untimed++
					}
					return nil
				}}
			}), Options{Jobs: jobs, Repeat: 3})
			if len(failures) > 0 || len(results) != len(tasks) {
				t.Fatal(results, failures)
			}
		})
	}
}

// blocking is a Replayer that never comes back, until the test ends.
func blocking(t *testing.T) (r Replayer, entered chan struct{}) {
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	entered = make(chan struct{}, 100)
	return scripted{replay: func([]Request, []bool) error {
		entered <- struct{}{}
		<-end
		return nil
	}}, entered
}

func TestRunTimeout(t *testing.T) {
	t.Parallel()
	tr := letters("abab", nil)
	for _, timed := range []bool{false, true} {
		t.Run(fmt.Sprintf("timed=%v", timed), func(t *testing.T) {
			t.Parallel()
			stuck, _ := blocking(t)
			tasks := []Task{
				{Cell: cell(tr, "stuck", NativeEngine), Timed: timed},
				{Cell: cell(tr, "stuck", "llvm"), Timed: timed},
				{Cell: cell(tr, "good", NativeEngine), Timed: false},
				{Cell: cell(tr, "timed", NativeEngine), Timed: true},
			}
			stopped := make(chan struct{})
			open := func(ctx context.Context, c Cell, _ *Trace, _ func()) (Replayer, Setup, error) {
				if c.Policy == "stuck" && c.Engine == NativeEngine {
					context.AfterFunc(ctx, func() { close(stopped) })
					return stuck, Setup{}, nil
				}
				return Native(&keepAll{}), Setup{}, nil
			}
			rec := &recorder{t: t}
			results, failures := runOrFail(t, t.Context(), tr, tasks, open, Options{Jobs: 1, Repeat: 3, Timeout: time.Second, Progress: rec})
			if got, want := cellNames(resultCells(results)), cellNames([]Cell{tasks[1].Cell, tasks[2].Cell, tasks[3].Cell}); !slices.Equal(got, want) {
				t.Errorf("got results of %q, want %q", got, want)
			}
			if len(failures) != 1 || failures[0].Cell != tasks[0].Cell || !strings.Contains(failures[0].Err.Error(), "no progress for 1s") {
				t.Errorf("got %v, want the stuck cell to be abandoned", failures)
			}
			rec.check(results, failures)
			wait(t, stopped, "the context of a cell that was abandoned")
		})
	}
}

// TestRunTimeoutNotWhileItComesOn has a cell that serves no request but beats.
// It outlives two cells, one after the other, that do not and are abandoned.
func TestRunTimeoutNotWhileItComesOn(t *testing.T) {
	t.Parallel()
	tr := letters("abab", nil)
	stuck, _ := blocking(t)
	tasks := []Task{
		{Cell: cell(tr, "slow", NativeEngine), Timed: false},
		{Cell: cell(tr, "stuck", NativeEngine), Timed: false},
		{Cell: cell(tr, "stuck too", NativeEngine), Timed: false},
	}
	given := make(chan struct{}, len(tasks))
	open := func(_ context.Context, c Cell, _ *Trace, beat func()) (Replayer, Setup, error) {
		if c.Policy != "slow" {
			return stuck, Setup{}, nil
		}
		return scripted{replay: func([]Request, []bool) error {
			tick := time.NewTicker(300 * time.Millisecond)
			defer tick.Stop()
			for up := 0; up < 2; {
				select {
				case <-given:
					up++
				case <-tick.C:
					beat()
				}
			}
			return nil
		}}, Setup{}, nil
	}
	rec := &recorder{t: t, onFailed: func(Failure) { given <- struct{}{} }}
	results, failures := runOrFail(t, t.Context(), tr, tasks, open, Options{Jobs: 2, Repeat: 1, Timeout: time.Second, Progress: rec})
	if len(results) != 1 || results[0].Policy != "slow" || len(failures) != 2 {
		t.Errorf("got %v and %v, want the slow cell's result", results, failures)
	}
	rec.check(results, failures)
}

// TestRunCancel ends the run while one cell blocks indefinitely.
func TestRunCancel(t *testing.T) {
	tr := letters("abab", nil)
	for _, timed := range []bool{false, true} {
		t.Run(fmt.Sprintf("timed=%v", timed), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stuck, entered := blocking(t)
			tasks := []Task{
				{Cell: cell(tr, "first", NativeEngine), Timed: false},
				{Cell: cell(tr, "stuck", NativeEngine), Timed: timed},
				{Cell: cell(tr, "never", NativeEngine), Timed: true},
			}
			go func() {
				<-entered
				cancel()
			}()
			rec := &recorder{t: t}
			results, failures := runOrFail(t, ctx, tr, tasks, opener(func(c Cell) Replayer {
				if c.Policy == "stuck" {
					return stuck
				}
				return Native(&keepAll{})
			}), Options{Jobs: 1, Repeat: 3, Progress: rec})
			if got, want := cellNames(resultCells(results)), cellNames([]Cell{tasks[0].Cell}); !slices.Equal(got, want) {
				t.Errorf("got results of %q, want %q", got, want)
			}
			if len(failures) > 0 {
				t.Errorf("a cell that was interrupted is no failure, got %v", failures)
			}
			if len(rec.done) != 1 || len(rec.failed) != 0 || rec.advanced > rec.announced {
				t.Errorf("told of %d results and %d failures, %d requests of %d", len(rec.done), len(rec.failed), rec.advanced, rec.announced)
			}
		})
	}
}

// TestRunCancelBetweenRepeats keeps timed cells that were replayed at least
// once, with the repeats that they came to.
func TestRunCancelBetweenRepeats(t *testing.T) {
	tr := letters("abab", nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tasks := []Task{
		{Cell: cell(tr, "p", NativeEngine), Timed: true},
		{Cell: cell(tr, "q", NativeEngine), Timed: true},
		{Cell: cell(tr, "bad", NativeEngine), Timed: true},
	}
	stuck, entered := blocking(t)
	go func() {
		<-entered
		cancel()
	}()
	replays := make(map[string]int)
	results, failures := runOrFail(t, ctx, tr, tasks, opener(func(c Cell) Replayer {
		switch {
		case c.Policy == "bad":
			return scripted{replay: func([]Request, []bool) error { return errBroken }}
		case c.Policy == "p" && replays["p"] == 2:
			return stuck
		}
		replays[c.Policy]++
		return Native(&keepAll{})
	}), Options{Jobs: 1, Repeat: 1000, Seed: 1})
	if got, want := cellNames(resultCells(results)), cellNames([]Cell{tasks[0].Cell, tasks[1].Cell}); !slices.Equal(got, want) {
		t.Fatalf("got results of %q, want %q", got, want)
	}
	if len(failures) != 1 || failures[0].Policy != "bad" {
		t.Errorf("got failures %v, want the one before", failures)
	}
	for _, r := range results {
		// q had its turn in the third round or not, as the seed will have it.
		if len(r.Replays) != replays[r.Policy] || len(r.Replays) < 2 || !r.Timed || r.Hits != 2 {
			t.Errorf("got %+v, want %d repeats", r, replays[r.Policy])
		}
	}
}

// TestRunCancelled starts when it is too late.
func TestRunCancelled(t *testing.T) {
	tr := letters("abab", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tasks := []Task{{Cell: cell(tr, "p", NativeEngine), Timed: false}, {Cell: cell(tr, "q", NativeEngine), Timed: true}}
	results, failures := runOrFail(t, ctx, tr, tasks, opener(func(Cell) Replayer {
		t.Error("a cell was opened")
		return Native(&keepAll{})
	}), Options{Jobs: 2, Repeat: 2})
	if len(results) > 0 || len(failures) > 0 {
		t.Errorf("got %v and %v, want nothing", results, failures)
	}
}

// TestRunProgressDuringACell has a cell that ends its second batch only when its
// first one was reported.
func TestRunProgressDuringACell(t *testing.T) {
	tr := numbered(2*BatchSize, func(i int) uint32 { return uint32(i) }, func(uint32) int64 { return 1 })
	rec := &recorder{t: t}
	reported := make(chan struct{})
	rec.onAdvance = func() {
		if rec.advanced == BatchSize {
			close(reported)
		}
	}
	results, failures := runOrFail(t, t.Context(), tr, []Task{{Cell: cell(tr, "p", NativeEngine), Timed: false}}, opener(func(Cell) Replayer {
		return scripted{replay: func(reqs []Request, _ []bool) error {
			if reqs[0].ID == 0 {
				return nil
			}
			select {
			case <-reported:
				return nil
			case <-time.After(plenty):
				return errors.New("nothing is reported before the end")
			}
		}}
	}), Options{Jobs: 1, Repeat: 1, Progress: rec})
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	rec.check(results, failures)
}

func TestRunNothing(t *testing.T) {
	rec := &recorder{t: t}
	results, failures := runOrFail(t, t.Context(), letters("ab", nil), nil, nil, Options{Jobs: 2, Repeat: 2, Progress: rec})
	if len(results) > 0 || len(failures) > 0 {
		t.Errorf("got %v and %v, want nothing", results, failures)
	}
	rec.check(results, failures)
}

// The tasks of the policy that takes longest come before the rest, after one of each, where several
// run at a time.
func TestSlowestFirst(t *testing.T) {
	var tasks []Task
	var plan []int
	for _, policy := range []string{"a", "b", "c"} {
		for size := range 3 {
			plan = append(plan, len(tasks))
			tasks = append(tasks, Task{Cell: Cell{Policy: policy, Capacity: int64(size)}})
		}
	}
	seconds := map[string]time.Duration{"a": 2, "b": 1, "c": 3}
	for jobs, want := range map[int][]int{1: plan, 2: {0, 3, 6, 7, 8, 1, 2, 4, 5}} {
		l := newLeft(tasks, plan, jobs)
		var order []int
		for i, ok := l.next(); ok; i, ok = l.next() {
			order = append(order, i)
			l.took(i, seconds[tasks[i].Policy]*time.Second)
		}
		if !slices.Equal(order, want) {
			t.Errorf("%d jobs: order %v, want %v", jobs, order, want)
		}
	}
}
