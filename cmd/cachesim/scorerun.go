package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/conformance"
	"cachesim/sim"
)

// Exit codes of score, besides exitDone and exitFailed.
const (
	exitInvalid = 2 // the module cannot be run: no module, no convention, unknown imports
	exitLimit   = 3 // it exceeded a limit of time or memory
	exitWrong   = 4 // it trapped, or behaved as no cache can
)

// A score is what a module came to, as it is printed.
type score struct {
	ID     any    `json:"id,omitempty"`     // of a line of --serve, as it was given
	Module string `json:"module,omitempty"` // of a line of --serve

	CombinedScore *float64    `json:"combined_score"` // larger is better; null with an error
	Stage         string      `json:"stage"`          // the last one that was begun
	OK            bool        `json:"ok"`
	Error         *string     `json:"error"`
	Code          int         `json:"code"` // exit code
	Cells         []scoreCell `json:"cells"`
	Worst         *float64    `json:"worst"` // least vs_fifo
	NSPerRequest  float64     `json:"ns_per_request"`
	Deterministic bool        `json:"deterministic"`
	// EarlyStopped says that the score cannot reach the bar. CombinedScore is then
	// what it could have reached at best.
	EarlyStopped bool   `json:"early_stopped"`
	SuiteSHA256  string `json:"suite_sha256"`
	ModuleSHA256 string `json:"module_sha256"`
	Seed         uint64 `json:"seed"`
	Cachesim     string `json:"cachesim"`
}

type scoreCell struct {
	Trace         string  `json:"trace"`
	Share         float64 `json:"share"`    // of the footprint
	Capacity      int64   `json:"capacity"` // bytes
	Requests      int64   `json:"requests"`
	MissRatio     float64 `json:"miss_ratio"`
	ByteMissRatio float64 `json:"byte_miss_ratio"`
	// Reductions of misses relative to a baseline, or where there are more misses
	// relative to the policy's own, so that they lie between -1 and 1.
	VsFIFO float64 `json:"vs_fifo"`
	VsLRU  float64 `json:"vs_lru"`
	// BeladyGapClosed is 0 for FIFO and 1 for Belady.
	BeladyGapClosed *float64 `json:"belady_gap_closed"`
	NSPerRequest    float64  `json:"ns_per_request"`
	Outcome         string   `json:"outcome"` // digest of every request's outcome

	weight float64
}

// reduction compares misses with those of a baseline, as the papers of S3-FIFO and
// SIEVE plot it.
func reduction(misses, base int64) float64 {
	switch {
	case misses == base:
		return 0
	case misses < base:
		return float64(base-misses) / float64(base)
	}
	return float64(base-misses) / float64(misses)
}

// combine makes one number of cells.
func (w suiteWeights) combine(cells []scoreCell, ns float64) (combined, worst float64) {
	var sum, weights float64
	worst = math.Inf(1)
	for _, c := range cells {
		sum += c.weight * c.VsFIFO
		weights += c.weight
		worst = min(worst, c.VsFIFO)
	}
	return w.Mean*sum/weights + w.Worst*worst - w.Time*ns/1000, worst
}

// scoreError is an error that is the module's fault.
type scoreError struct {
	code int
	err  error
}

func (e scoreError) Error() string { return e.err.Error() }
func (e scoreError) Unwrap() error { return e.err }

// fault finds out what a module did wrong.
func fault(err error) error {
	var known scoreError
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, conformance.ErrStalled), strings.Contains(err.Error(), "--guest-memory"):
		return scoreError{exitLimit, err}
	case strings.Contains(err.Error(), "compile: "):
		return scoreError{exitInvalid, err}
	}
	return scoreError{exitWrong, err}
}

// A scorer scores modules, several at a time.
type scorer struct {
	suite  *suite
	last   string        // stage to end with
	engine string        // empty: the preferred one that runs the module
	budget time.Duration // for one module
	twice  bool
	open   guestOpener
	// jobs is how many cells of a stage are replayed side by side, where neither a bar nor
	// times depend on their order.
	jobs int
}

// score scores one module. An error is ours, not the module's.
func (s *scorer) score(ctx context.Context, path, last string, bar *float64) (score, error) {
	out := score{Stage: stageValidate, Cells: []scoreCell{}, SuiteSHA256: s.suite.sha256, Seed: s.suite.Seed, Cachesim: buildVersion()}
	stages := []string{stageTest}
	if last != stageTest {
		stages = scoreStages[1 : 1+slices.Index(scoreStages, last)]
	}
	if s.suite.Sample == 0 {
		stages = slices.DeleteFunc(slices.Clone(stages), func(stage string) bool { return stage == stageSample })
	}
	for _, stage := range stages { // before the module's time begins
		if _, err := s.suite.cells(ctx, stage); err != nil {
			return out, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	err := s.run(limited, &out, path, stages, bar)
	if err == nil {
		out.OK = true
		return out, nil
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	if limited.Err() != nil {
		err = scoreError{exitLimit, fmt.Errorf("expected to be done within %v, was not", s.budget)}
	}
	var fault scoreError
	if !errors.As(err, &fault) {
		return out, err
	}
	text := fault.Error()
	if len(text) > 400 { // programs pass it on to a model
		text = strings.ToValidUTF8(text[:400], "") + "..."
	}
	text = clean(text)
	out.Error, out.Code, out.CombinedScore = &text, fault.code, nil
	return out, nil
}

func (s *scorer) run(ctx context.Context, out *score, path string, stages []string, bar *float64) error {
	b, err := wasm.ReadFile(path)
	if b == nil {
		return scoreError{exitInvalid, err}
	}
	out.ModuleSHA256 = b.SHA256
	if b.Needs()&sim.NeedsNext != 0 || b.WantsKeys() {
		return scoreError{exitInvalid, errors.New("it asks for next accesses or keys (next_v1, key_v1): candidates that know the future or recognise objects cannot be scored")}
	}
	if err := b.Valid(""); err != nil {
		return scoreError{exitInvalid, err}
	}
	engine, err := s.validate(ctx, b)
	if err != nil {
		return err
	}
	out.Deterministic = true
	for _, stage := range stages {
		out.Stage = stage
		cells, err := s.suite.cells(ctx, stage)
		if err != nil {
			return err
		}
		least := bar
		if stage == stageSample {
			least = s.suite.SampleBar
		}
		if err := s.stage(ctx, out, b, engine, cells, least); err != nil || out.EarlyStopped {
			return err
		}
		if stage == stageSample && least != nil && *out.CombinedScore < *least {
			out.EarlyStopped = true
			return nil
		}
	}
	return nil
}

// validate checks on small requests of our own that the module behaves as a cache
// and repeats itself, and returns the engine to run it on.
func (s *scorer) validate(ctx context.Context, b *wasm.Binary) (engine string, err error) {
	candidates := preferred()
	if s.engine != "" {
		candidates = []string{s.engine}
	}
	candidates = slices.DeleteFunc(candidates, func(e string) bool { return wasm.Refuses(b, e) != "" })
	if len(candidates) == 0 {
		return "", scoreError{exitInvalid, errors.New("no engine of this build runs it")}
	}
	for _, engine = range candidates {
		err = nil
		o := conformance.Options{Engines: []string{engine}, Seed: s.suite.Seed, Timeout: s.suite.Limits.Progress, Memory: s.suite.Limits.memory, Quick: true, Open: s.open}
		conformance.Run(ctx, b, o, func(r conformance.Result) {
			if r.Status == conformance.Fail {
				err = fault(r.Err)
			}
		})
		var f scoreError
		if !(errors.As(err, &f) && f.code == exitInvalid) { // another engine may compile it
			break
		}
	}
	return engine, err
}

// stage replays cells. It stops when the score cannot reach bar.
func (s *scorer) stage(ctx context.Context, out *score, b *wasm.Binary, engine string, cells []*suiteCell, bar *float64) error {
	out.Cells = []scoreCell{}
	// The best that can be reached: what is done, and of the others what has to
	// miss, which in the beginning is the first request of each object.
	best := make([]scoreCell, len(cells))
	for i, c := range cells {
		best[i] = scoreCell{weight: c.weight, VsFIFO: reduction(int64(c.trace.Objects), c.base.FIFO)}
	}
	out.NSPerRequest = 0
	var total time.Duration
	var requests int64
	replay := func(i int) (cellReplay, error) {
		c := cells[i]
		hopeless := func(misses int64) bool {
			if bar == nil {
				return false
			}
			best[i].VsFIFO = min(best[i].VsFIFO, reduction(misses, c.base.FIFO))
			bound, _ := s.suite.Weights.combine(best, 0)
			return bound < *bar
		}
		r, err := s.replay(ctx, b, engine, c, hopeless)
		if err == nil && s.twice && !r.stopped {
			again, second := s.replay(ctx, b, engine, c, hopeless)
			if err = second; err == nil && again.outcome != r.outcome {
				err = fmt.Errorf("%s at %d bytes: %w", c.trace.Name, c.capacity, errNotTwice)
			}
		}
		return r, err
	}
	if s.jobs > 1 && bar == nil && s.suite.Weights.Time == 0 {
		replay = ahead(len(cells), s.jobs, replay)
	}
	for i, c := range cells {
		r, err := replay(i)
		if err != nil {
			out.Deterministic = !errors.Is(err, errNotTwice)
			return fault(err)
		}
		if r.stopped {
			bound, worst := s.suite.Weights.combine(best, 0)
			out.EarlyStopped, out.CombinedScore, out.Worst = true, &bound, &worst
			return nil
		}
		cell := scoreCell{
			Trace: c.trace.Name, Share: c.share, Capacity: c.capacity, Requests: r.requests,
			MissRatio: float64(r.misses) / float64(r.requests), ByteMissRatio: float64(r.missBytes) / float64(max(1, r.bytes)),
			VsFIFO: reduction(r.misses, c.base.FIFO), VsLRU: reduction(r.misses, c.base.LRU),
			NSPerRequest: float64(r.time.Nanoseconds()) / float64(r.requests), Outcome: r.outcome, weight: c.weight,
		}
		if gap := c.base.FIFO - c.base.Belady; gap != 0 {
			closed := float64(c.base.FIFO-r.misses) / float64(gap)
			cell.BeladyGapClosed = &closed
		}
		best[i] = cell
		out.Cells = append(out.Cells, cell)
		total += r.time
		requests += r.requests
		out.NSPerRequest = float64(total.Nanoseconds()) / float64(requests)
	}
	combined, worst := s.suite.Weights.combine(out.Cells, out.NSPerRequest)
	out.CombinedScore, out.Worst = &combined, &worst
	return nil
}

var errNotTwice = errors.New("expected the same outcomes when replayed again, got others")

// ahead calls f for 0 to n-1 on so many goroutines at a time, and
// returns a function that returns what f did. After an error no more calls begin:
// those before it have begun.
func ahead(n, jobs int, f func(int) (cellReplay, error)) func(int) (cellReplay, error) {
	type end struct {
		r   cellReplay
		err error
	}
	ends := make([]end, n)
	var next atomic.Int64
	var failed atomic.Bool
	var group sync.WaitGroup
	for range min(n, jobs) {
		group.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				ends[i].r, ends[i].err = f(i)
				if ends[i].err != nil {
					failed.Store(true)
				}
			}
		})
	}
	group.Wait()
	return func(i int) (cellReplay, error) { return ends[i].r, ends[i].err }
}

// cellReplay is what one replay came to.
type cellReplay struct {
	requests, misses, bytes, missBytes int64
	time                               time.Duration // in the module
	outcome                            string
	stopped                            bool // hopeless
}

// replay passes a trace to a new instance. Objects have other numbers than in the
// trace, so that a module cannot recognise it by them.
func (s *scorer) replay(ctx context.Context, b *wasm.Binary, engine string, c *suiteCell, hopeless func(misses int64) bool) (cellReplay, error) {
	abis, err := b.ABIs("")
	if err != nil {
		return cellReplay{}, scoreError{exitInvalid, err}
	}
	v := sim.Version{Engine: engine, ABI: abis[0], Handle: wasm.Driver}
	if slices.Contains(abis, wasm.Batch) {
		v.ABI, v.Handle = wasm.Batch, wasm.SRS
	}
	out, err := conformance.Watch(ctx, s.suite.Limits.Progress, func(ctx context.Context, heartbeat func()) (out cellReplay, err error) {
		t := c.trace
		if b.Needs()&sim.NeedsTime != 0 && t.Tick == 0 {
			return out, scoreError{exitInvalid, fmt.Errorf("it needs the times of the requests, and trace %s has none", t.Name)}
		}
		p, _, err := s.open(ctx, wasm.Config{
			Config:  sim.Config{Capacity: c.capacity, Objects: t.Objects, Requests: t.Requests, Seed: s.suite.Seed, Tick: t.Tick},
			Version: v, Binary: b, Memory: s.suite.Limits.memory, Stoppable: true, Keep: true, Heartbeat: heartbeat,
		})
		if err != nil {
			return out, err
		}
		defer p.Close()
		law := conformance.NewResidency(c.capacity, t.Objects)
		digest := sha256.New()
		reqs, hit, bits := make([]sim.Request, 0, sim.BatchSize), make([]bool, sim.BatchSize), make([]byte, sim.BatchSize)
		stopped := errors.New("stopped")
		err = t.Each(0, func(_ int, batch sim.Batch) error {
			reqs = reqs[:0]
			for _, r := range batch.Requests {
				out.requests++
				out.bytes += r.Size
				if r.Size > c.capacity { // it never reaches a policy
					out.misses++
					out.missBytes += r.Size
					continue
				}
				r.ID = c.number[r.ID]
				reqs = append(reqs, r)
			}
			h := hit[:len(reqs)]
			began := time.Now()
			err := p.Replay(sim.Batch{Requests: reqs}, h)
			out.time += time.Since(began)
			if t, ok := p.(sim.Timer); ok {
				out.time = t.Spent()
			}
			if err == nil {
				err = law.Add(reqs, h)
			}
			if err != nil {
				return err
			}
			for i, r := range reqs {
				bits[i] = 1
				if !h[i] {
					bits[i] = 0
					out.misses++
					out.missBytes += r.Size
				}
			}
			digest.Write(bits[:len(reqs)])
			heartbeat()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if hopeless(out.misses) {
				return stopped
			}
			return nil
		})
		out.stopped = err == stopped
		if out.stopped {
			err = nil
		}
		out.outcome = hex.EncodeToString(digest.Sum(nil)[:8])
		return out, err
	})
	if err != nil {
		return out, fault(fmt.Errorf("%s at %d bytes: %w", c.trace.Name, c.capacity, err))
	}
	return out, nil
}
