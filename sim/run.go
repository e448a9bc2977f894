package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// A Task is a cell and how to run it.
type Task struct {
	Cell
	// Timed cells run one at a time, after all the others, Options.Repeat
	// times in turns.
	Timed bool
	// Needs are those of the policy.
	Needs Needs
	// Memory is about how many bytes the cell occupies while it runs.
	Memory int64
	// Compute, if set, computes the counts instead of a replay: for bounds, of
	// which there are no outcomes request by request. It is never abandoned
	// for taking long: no code of a policy runs in it.
	Compute func(ctx context.Context, t *Trace) (Tally, error)
	// Account, if set, is called with the outcomes of a replay that was not
	// timed, in the cell's goroutine; it must not keep out.
	Account func(t *Trace, c Cell, out *Outcomes, n Tally) error
	// Samples, if set, are replayed instead of the trace, and the counts
	// estimated from them. They are those of Cell.Sampling.
	Samples *Samples
}

// replayed is how many requests one replay of the task serves.
func (t Task) replayed() int64 {
	if t.Samples != nil {
		return t.Samples.replayed()
	}
	return int64(t.Requests)
}

// Setup is the time that making a replayer took.
type Setup struct {
	Compile     time.Duration // zero for native policies
	Instantiate time.Duration // until the first request can be served
}

// An Opener makes the version of a policy that c names, for trace t. It is
// called from several goroutines. It calls heartbeat whenever it has made
// progress, and arranges for the replayer to do so; ctx ends when the cell is
// abandoned, and the replayer should then stop what it can.
type Opener func(ctx context.Context, c Cell, t *Trace, heartbeat func()) (Replayer, Setup, error)

// Options say how to run a plan.
type Options struct {
	Jobs     int           // cells at a time, of those that are not timed; at least 1
	Memory   int64         // bytes that cells running at a time may occupy together; 0: no limit
	Repeat   int           // replays of a timed cell; at least 1
	Seed     uint64        // of the order in which timed cells take turns
	Timeout  time.Duration // a cell that makes no progress for longer is abandoned; 0: never
	Progress Progress      // may be nil
}

// Progress is told how a run goes on; its methods are not called in parallel.
type Progress interface {
	Start(requests int64)   // to be replayed in all
	Advance(requests int64) // replayed since the last call, or left over by a cell that failed
	Done(m Measurement)
	Failed(f Failure)
}

// A Measurement is what one task came to.
type Measurement struct {
	Task
	Tally
	Series  []Interval
	Sampled Sampled
	Outcome string // digest of every request's outcome; empty for what is computed or estimated
	Whole   bool   // the whole trace was replayed, not a prefix

	// One for each replay: the time inside the policy, and that of set-up.
	Replays []time.Duration
	Setups  []Setup
}

// A Failure is a cell that has no result, and why.
type Failure struct {
	Cell
	Timed bool
	Err   error
}

func (f Failure) Error() string { return f.Cell.String() + ": " + f.Err.Error() }
func (f Failure) Unwrap() error { return f.Err }

// Run runs tasks over t and returns what they came to in the order of tasks, and the
// cells that failed. Each cell stands alone: one that fails, disagrees with
// another version of its policy on a request, or never ends its guest's call
// takes no other with it. When ctx ends Run returns at once with what is
// finished (of timed cells, those replayed at least once), leaving what runs.
func Run(ctx context.Context, t *Trace, tasks []Task, open Opener, o Options) ([]Measurement, []Failure) {
	r := &run{
		trace: t, tasks: tasks, open: open, Options: o,
		results:  make([]*Measurement, len(tasks)),
		failures: make([]*Failure, len(tasks)),
		timings:  make([]timing, len(tasks)),
		replays:  make(map[Cell]int),
		refs:     make(map[Cell]reference),
	}
	var total int64
	for _, task := range tasks {
		n := task.replayed()
		replays := 1
		if task.Timed {
			replays = o.Repeat
		}
		total += n * int64(replays)
		r.replays[task.Group()] += replays
	}
	if o.Progress != nil {
		o.Progress.Start(total)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.untimed(ctx)
		r.timed(ctx)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var results []Measurement
	var failures []Failure
	for i := range tasks {
		if r.results[i] == nil && r.failures[i] == nil && len(r.timings[i].replays) > 0 {
			r.finish(i) // interrupted between its repeats
		}
		if r.failures[i] != nil {
			failures = append(failures, *r.failures[i])
		} else if r.results[i] != nil {
			results = append(results, *r.results[i])
		}
	}
	return results, failures
}

type run struct {
	Options
	trace *Trace
	tasks []Task
	open  Opener

	mu       sync.Mutex // guards all below
	closed   bool       // Run has returned: nothing is reported any more
	results  []*Measurement
	failures []*Failure
	timings  []timing
	replays  map[Cell]int // of each group that have not been compared yet
	refs     map[Cell]reference
}

// timing gathers the repeats of a cell.
type timing struct {
	first   replayed
	digest  string
	replays []time.Duration
	setups  []Setup
}

// reference is the outcome that a group's other versions are compared with.
type reference struct {
	cell Cell
	out  *Outcomes
}

// untimed runs the cells that are not timed, Jobs at a time: first one version
// of each policy, which becomes the reference, then the others. The slowest policies come first.
func (r *run) untimed(ctx context.Context) {
	var first, rest []int
	seen := make(map[Cell]bool)
	for i, task := range r.tasks {
		switch {
		case task.Timed:
		case seen[task.Group()]:
			rest = append(rest, i)
		default:
			seen[task.Group()] = true
			first = append(first, i)
		}
	}
	memory := semaphore.NewWeighted(max(1, r.Memory))
	for _, phase := range [][]int{first, rest} {
		left := newLeft(r.tasks, phase, r.Jobs)
		var wg sync.WaitGroup
		for range max(1, r.Jobs) {
			wg.Go(func() {
				for i, ok := left.next(); ok; i, ok = left.next() {
					// A cell that needs more than there is runs alone.
					need := min(r.tasks[i].Memory, r.Memory)
					if memory.Acquire(ctx, need) != nil {
						continue
					}
					began := time.Now()
					if r.once(ctx, i) {
						r.mu.Lock()
						r.finish(i)
						r.mu.Unlock()
					}
					left.took(i, time.Since(began))
					memory.Release(need)
				}
			})
		}
		wg.Wait()
	}
}

// left are the tasks of a phase that have not begun. Those of the slowest versions of policies come
// first, so that no long one begins when all others are about to end; to find out which these are,
// one of each begins before all others. A single job takes them in the order of the plan.
type left struct {
	tasks []Task
	jobs  int
	mu    sync.Mutex
	kinds []*kind // with tasks left, in the order of the plan
	all   map[kindKey]*kind
}

// A kind is the tasks of one version of one policy.
type kind struct {
	tasks []int
	begun bool
	time  time.Duration // of the one that ended last; 0: none has
}

type kindKey struct {
	policy string
	Version
}

func (l *left) key(task int) kindKey {
	if l.jobs <= 1 {
		return kindKey{}
	}
	return kindKey{l.tasks[task].Policy, l.tasks[task].Version}
}

func newLeft(tasks []Task, phase []int, jobs int) *left {
	l := &left{tasks: tasks, jobs: jobs, all: make(map[kindKey]*kind)}
	for _, i := range phase {
		k := l.all[l.key(i)]
		if k == nil {
			k = &kind{}
			l.all[l.key(i)] = k
			l.kinds = append(l.kinds, k)
		}
		k.tasks = append(k.tasks, i)
	}
	return l
}

// next returns the task to begin next, if there is one.
func (l *left) next() (task int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kinds) == 0 {
		return 0, false
	}
	best := 0
	for i, k := range l.kinds {
		if !k.begun {
			best = i
			break
		}
		if k.time > l.kinds[best].time {
			best = i
		}
	}
	k := l.kinds[best]
	task, k.tasks, k.begun = k.tasks[0], k.tasks[1:], true
	if len(k.tasks) == 0 {
		l.kinds = slices.Delete(l.kinds, best, best+1)
	}
	return task, true
}

// took says how long a task took.
func (l *left) took(task int, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[l.key(task)].time = d
}

// timed replays the timed cells one at a time. Every round visits each of them
// once, in an order drawn anew, so that a disturbance of the machine falls on
// all alike.
func (r *run) timed(ctx context.Context) {
	var order []int
	for i, task := range r.tasks {
		if task.Timed {
			order = append(order, i)
		}
	}
	for round := range r.Repeat {
		rng := rand.New(rand.NewPCG(r.Seed, uint64(round)))
		turns := append([]int(nil), order...)
		if round > 0 { // plan order first: native versions become the references
			rng.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		}
		for _, i := range turns {
			r.mu.Lock()
			failed := r.failures[i] != nil
			r.mu.Unlock()
			if failed || ctx.Err() != nil {
				continue
			}
			runtime.GC() // not in the middle of the replay
			if r.once(ctx, i) && round == r.Repeat-1 {
				r.mu.Lock()
				r.finish(i)
				r.mu.Unlock()
			}
		}
	}
}

// once opens and replays task i and compares its outcome with the other
// versions'. It reports whether that succeeded; if not, the failure is noted
// unless ctx has ended.
func (r *run) once(ctx context.Context, i int) bool {
	task := r.tasks[i]
	var replayed int64
	progress := func(n int64) {
		if n > 0 {
			replayed += n
			r.advance(n)
		}
	}
	one, setup, err := r.supervise(ctx, task, progress)
	if err == nil && one.out != nil {
		err = r.compare(task.Cell, one.out)
	} else if err != nil && ctx.Err() == nil {
		r.forget(task)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil && err != nil {
		return false
	}
	if err != nil {
		r.failures[i] = &Failure{task.Cell, task.Timed, err}
		if r.Progress != nil && !r.closed {
			// Count what will not be replayed as done, so that the bar arrives.
			left := task.replayed() - replayed
			if task.Timed {
				left += task.replayed() * int64(r.Repeat-1-len(r.timings[i].replays))
			}
			r.Progress.Advance(left)
			r.Progress.Failed(*r.failures[i])
		}
		return false
	}
	g := &r.timings[i]
	if len(g.replays) == 0 {
		g.first = one
		if one.out != nil {
			g.digest = one.out.Digest()
			g.first.out = nil
		}
	}
	g.replays = append(g.replays, one.time)
	g.setups = append(g.setups, setup)
	return true
}

// supervise replays a task in a goroutine of its own and abandons that when ctx
// ends or the cell stalls: code in a guest cannot always be stopped.
func (r *run) supervise(ctx context.Context, task Task, progress func(int64)) (replayed, Setup, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	type end struct {
		one   replayed
		setup Setup
		err   error
	}
	var beats, served atomic.Int64
	done := make(chan end, 1)
	go func() {
		var e end
		e.one, e.setup, e.err = r.replay(ctx, task, func() { beats.Add(1) }, func(n int) {
			beats.Add(1)
			served.Add(int64(n))
		})
		done <- e
	}()
	const look = 100 * time.Millisecond
	tick := time.NewTicker(look)
	defer tick.Stop()
	last, since := int64(-1), time.Now()
	for {
		select {
		case e := <-done:
			progress(served.Swap(0))
			return e.one, e.setup, e.err
		case <-ctx.Done():
			return replayed{}, Setup{}, ctx.Err()
		case now := <-tick.C:
			progress(served.Swap(0))
			if b := beats.Load(); b != last {
				last, since = b, now
			} else if r.Timeout > 0 && task.Compute == nil && now.Sub(since) >= r.Timeout {
				return replayed{}, Setup{}, &StallError{r.Timeout}
			}
		}
	}
}

// A StallError is why a cell was abandoned.
type StallError struct{ After time.Duration }

func (e *StallError) Error() string {
	return fmt.Sprintf("no progress for %v: the policy loops indefinitely or is too slow", e.After)
}

// replay makes the version and drives it. A panic of a policy is its error.
func (r *run) replay(ctx context.Context, task Task, heartbeat func(), progress func(int)) (one replayed, setup Setup, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("policy panicked: %v", p)
		}
	}()
	if task.Compute != nil {
		one.Tally, err = task.Compute(ctx, r.trace)
		progress(task.Requests)
		return one, setup, err
	}
	if task.Samples != nil {
		return r.estimate(ctx, task, heartbeat, progress)
	}
	one, setup, err = r.replayCell(ctx, task.Cell, r.trace, task.Needs, heartbeat, progress)
	if err == nil && task.Account != nil {
		err = task.Account(r.trace, task.Cell, one.out, one.Tally)
	}
	return one, setup, err
}

// replayCell makes the version that c names and drives it over t.
func (r *run) replayCell(ctx context.Context, c Cell, t *Trace, needs Needs, heartbeat func(), progress func(int)) (one replayed, setup Setup, err error) {
	p, setup, err := r.open(ctx, c, t, heartbeat)
	if err != nil {
		return one, setup, err
	}
	drive := replay
	if c.Delayed != (Latency{}) {
		drive = replayDelayed
	}
	one, err = drive(ctx, p, t, c, needs, progress)
	if cerr := p.Close(); err == nil {
		err = cerr
	}
	return one, setup, err
}

// forget gives up the comparisons that the replays of a task that failed were
// for, so that its group's outcome is not kept for them.
func (r *run) forget(task Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := task.Group()
	n := 1
	if task.Timed {
		n = r.Repeat
		for i := range r.tasks {
			if r.tasks[i].Cell == task.Cell && r.tasks[i].Timed {
				n -= len(r.timings[i].replays)
				break
			}
		}
	}
	if r.replays[g] -= n; r.replays[g] <= 0 {
		delete(r.refs, g)
	}
}

// compare holds out against the outcome of the first version of c's group, or
// makes it that outcome.
func (r *run) compare(c Cell, out *Outcomes) error {
	g := c.Group()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replays[g]--
	ref, ok := r.refs[g]
	if r.replays[g] <= 0 { // nothing will be compared with it any more
		delete(r.refs, g)
	} else if !ok {
		r.refs[g] = reference{c, out}
	}
	if !ok {
		return nil
	}
	i := ref.out.FirstDifference(out)
	if i < 0 {
		return nil
	}
	object := "?"
	if q, err := r.trace.At(i); err == nil {
		object = r.trace.ObjectName(q.ID)
	}
	word := map[bool]string{true: "a hit", false: "a miss"}
	if c == ref.cell {
		return fmt.Errorf("repeats disagree: request %d (object %s) is %s in the first replay and %s in another, both %s", i+1,
			object, word[ref.out.Hit(i)], word[out.Hit(i)], c.Version)
	}
	return fmt.Errorf("versions disagree: request %d (object %s) is %s in %s and %s in %s", i+1,
		object, word[ref.out.Hit(i)], ref.cell.Version, word[out.Hit(i)], c.Version)
}

// finish makes task i's measurement of its replays; r.mu is held.
func (r *run) finish(i int) {
	task, g := r.tasks[i], r.timings[i]
	m := &Measurement{
		Task: task, Tally: g.first.Tally, Series: g.first.series, Sampled: g.first.sampled, Outcome: g.digest,
		Whole:   task.Requests == r.trace.Requests,
		Replays: g.replays, Setups: g.setups,
	}
	r.results[i] = m
	if r.Progress != nil && !r.closed {
		r.Progress.Done(*m)
	}
}

func (r *run) advance(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Progress != nil && !r.closed {
		r.Progress.Advance(n)
	}
}
