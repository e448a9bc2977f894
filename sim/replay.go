package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// A Tally counts the outcomes of a replay. Hits, bytes and ratios are of gets.
type Tally struct {
	Gets     int64 `json:"gets"`
	Hits     int64 `json:"hits"`
	Bytes    int64 `json:"bytes"` // of all gets, those of too large objects included
	HitBytes int64 `json:"hit_bytes"`
	TooLarge int64 `json:"too_large"` // gets of objects larger than the cache

	Sets    int64 `json:"sets,omitempty"`
	Deletes int64 `json:"deletes,omitempty"`
	Expired int64 `json:"expired,omitempty"` // gets that found an object whose time to live was over: misses

	// Where the trace has Prompts: how many there are, their blocks that were
	// hits with all blocks before them, and the tokens of these blocks.
	LLMRequests     int64 `json:"llm_requests,omitempty"`
	PrefixHitBlocks int64 `json:"prefix_hit_blocks,omitempty"`
	SavedTokens     int64 `json:"saved_tokens,omitempty"`

	// What the policy counts, nil where it cannot tell: objects evicted,
	// objects stored and their bytes, which are what is written to the cache.
	Evictions     *int64 `json:"evictions"`
	Admissions    *int64 `json:"admissions"`
	AdmittedBytes *int64 `json:"admitted_bytes"`
}

// An Interval is a part of a replay, between two borders of its Window.
type Interval struct {
	Start    int   `json:"start"`   // index of its first request
	Time     int64 `json:"time_ns"` // of that request, since the trace's start; 0 without a clock
	Warmup   bool  `json:"warmup,omitempty"`
	Gets     int64 `json:"gets"`
	Hits     int64 `json:"hits"`
	Bytes    int64 `json:"bytes"`
	HitBytes int64 `json:"hit_bytes"`
}

// replayed is what one replay of a cell comes to.
type replayed struct {
	Tally
	series []Interval
	out    *Outcomes
	time   time.Duration // inside the replayer

	sampled Sampled
}

// replay drives p over the trace as c says. Requests for objects larger than
// the capacity never reach p: they are misses, are not stored, and are counted
// apart. Deletes, expired objects and those that change their size become calls of
// p.Remove. It calls progress
// after each batch. It fails when p does, when p claims a hit on an object that
// it was never given or that was removed, or when ctx ends.
func replay(ctx context.Context, p Replayer, t *Trace, c Cell, needs Needs, progress func(requests int)) (replayed, error) {
	s := newReplay(p, t, c, needs)
	if s.ops && !p.CanRemove() {
		why := "deletes or times to live"
		if t.SizesVary() {
			why = "objects that change their size"
		}
		return s.replayed, fmt.Errorf("the trace has %s, and the policy cannot remove objects: a native one needs Remove, a module the export remove (i32) -> i32", why)
	}
	columns := ColumnOps | ColumnTTL
	if needs&NeedsNext != 0 {
		columns |= ColumnNext
	}
	err := s.each(ctx, columns, progress, func(b Batch) error {
		for len(b.Requests) > 0 {
			n := len(b.Requests)
			if s.at < c.Warmup {
				n = min(n, c.Warmup-s.at)
			}
			if err := s.serve(b.Slice(0, n)); err != nil {
				return err
			}
			s.at += n
			if s.at == c.Warmup {
				s.endWarmup()
			}
			b = b.Slice(n, len(b.Requests))
		}
		return nil
	})
	if err != nil {
		return s.replayed, err
	}
	s.finish()
	return s.replayed, nil
}

// each passes the requests of the cell to serve in batches, which adds their number
// to s.at, and calls progress after each batch. It fails when serve does, when the
// trace ends early, or when ctx ends.
func (s *replayState) each(ctx context.Context, columns Columns, progress func(requests int), serve func(Batch) error) error {
	r, err := s.t.Reader(columns)
	if err != nil {
		return err
	}
	defer r.Close()
	for s.at < s.c.Requests {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the trace ends after %d of %d requests", s.at, s.c.Requests)
		}
		if err != nil {
			return fmt.Errorf("read the trace: %w", err)
		}
		start := s.at
		if err := serve(b.Slice(0, min(len(b.Requests), s.c.Requests-s.at))); err != nil {
			return err
		}
		if progress != nil {
			progress(s.at - start)
		}
	}
	return nil
}

// replayState is a replay under way.
type replayState struct {
	replayed
	p    Replayer
	t    *Trace
	c    Cell
	need Needs
	at   int // requests served so far
	hit  []bool
	// Objects that may be in the cache: without operations those below met, since objects are
	// numbered in the order of their first requests; with them, which remove objects, seen.
	met  uint32
	seen *Outcomes
	base Counts // at the end of the warm-up
	// missed is how many objects were passed to the policy and missed, with
	// their bytes; stored is the same at the end of the warm-up.
	missed, missedBytes       int64
	baseMissed, baseMissBytes int64

	prompt     promptCount
	savedBytes int64 // of the prefix hits

	direct bool // batches go to the policy as they are
	ops    bool // the trace has operations, times to live, or sizes that vary

	// The pending requests, where batches are not passed directly, and with operations the index
	// in the trace and the size of the object of each.
	pending Batch
	index   []int
	sizes   []int64
	gets    []bool
	ttl     []uint32

	// Where sizes vary: the size of each object's latest request plus 1, 0 before the first, and
	// which of the pending gets found their object with another size, by SizeUpdates.
	latest  []int64
	updated []bool

	// Times to live, in ticks since the trace's start. expires is when the
	// stored copy of an object expires; for objects requested in the pending
	// batch it may depend on outcomes, and soonest is the earliest it can be.
	expires, soonest, lastTTL []uint32
	touched                   []uint32 // epoch in which soonest was set
	epoch                     uint32
}

func newReplay(p Replayer, t *Trace, c Cell, needs Needs) *replayState {
	s := &replayState{
		p: p, t: t, c: c, need: needs,
		replayed: replayed{out: newOutcomes(c.Requests)},
		hit:      make([]bool, BatchSize),
		ops:      t.Columns&(ColumnOps|ColumnTTL) != 0 || t.SizesVary(),
		direct:   t.Columns == 0 && c.Unit != UnitObjects && c.Metadata == 0 && t.LargestSize <= c.Capacity && !t.SizesVary(),
	}
	if !s.direct {
		s.pending.Requests = make([]Request, 0, BatchSize)
	}
	if s.ops {
		s.seen = newOutcomes(t.Objects)
		s.index = make([]int, 0, BatchSize)
		s.sizes = make([]int64, 0, BatchSize)
		s.gets = make([]bool, 0, BatchSize)
	}
	if t.SizesVary() {
		s.latest = make([]int64, t.Objects)
		s.updated = make([]bool, 0, BatchSize)
	}
	if t.Columns&ColumnTTL != 0 {
		s.ttl = make([]uint32, 0, BatchSize)
		s.expires, s.soonest, s.lastTTL = make([]uint32, t.Objects), make([]uint32, t.Objects), make([]uint32, t.Objects)
		s.touched, s.epoch = make([]uint32, t.Objects), 1
		for i := range s.expires {
			s.expires[i] = never
		}
	}
	return s
}

// never is the expiry of an object without a time to live.
const never = math.MaxUint32

// serve replays the next requests of the trace.
func (s *replayState) serve(b Batch) error {
	if err := s.replay(b); err != nil {
		return err
	}
	s.addIntervals(b)
	if s.t.Prompts != nil {
		s.addPrompts(b)
	}
	return nil
}

// replay lets the policy serve b and counts the outcomes.
func (s *replayState) replay(b Batch) error {
	if s.ops {
		for i := range b.Requests {
			if err := s.add(b, i); err != nil {
				return err
			}
		}
		return s.flush()
	}
	passed := b
	if s.direct {
		passed.Next = s.clamped(b.Next)
	} else {
		s.setFitting(b)
		passed = s.pending
	}
	h := s.hit[:0]
	if len(passed.Requests) > 0 {
		var err error
		if h, err = s.pass(passed); err != nil {
			return err
		}
	}
	if len(h) < len(b.Requests) {
		h = s.withTooLarge(b.Requests, h)
	}
	return s.account(b.Requests, h)
}

// size returns the size of the object of r for the policy.
func (s *replayState) size(r Request) int64 {
	if s.c.Unit == UnitObjects {
		return 1
	}
	return r.Size + s.c.Metadata
}

// setFitting makes the gets in b for objects that fit into the cache the pending requests.
func (s *replayState) setFitting(b Batch) {
	reqs, n := s.pending.Requests[:len(b.Requests)], 0
	if b.Next != nil {
		s.pending.Next = slices.Grow(s.pending.Next[:0], len(b.Requests))[:len(b.Requests)]
	}
	for i, r := range b.Requests {
		r.Size = s.size(r)
		reqs[n] = r
		if b.Next != nil {
			s.pending.Next[n] = s.clamp(b.Next[i])
		}
		if r.Size <= s.c.Capacity {
			n++
		}
	}
	s.pending.Requests = reqs[:n]
	s.pending.Next = s.pending.Next[:min(n, len(s.pending.Next))]
}

// withTooLarge returns the outcomes of all of reqs, with those of the ones that fit into the cache in
// hit, the start of s.hit. The others are misses that no policy sees.
func (s *replayState) withTooLarge(reqs []Request, hit []bool) []bool {
	n, all := len(hit), s.hit[:len(reqs)]
	for i := len(reqs) - 1; i >= 0; i-- {
		if s.size(reqs[i]) <= s.c.Capacity {
			n--
			all[i] = all[n]
			continue
		}
		all[i] = false
		s.TooLarge++
		s.missed--
		s.missedBytes -= reqs[i].Size
	}
	return all
}

// clamp returns a next access, which is Never if it comes after the end of the replay.
func (s *replayState) clamp(next uint32) uint32 {
	if int64(next) >= int64(s.c.Requests) {
		return Never
	}
	return next
}

// clamped returns next with the accesses after the end of the replay as Never.
func (s *replayState) clamped(next []uint32) []uint32 {
	if next == nil || s.c.Requests == s.t.Requests {
		return next
	}
	s.pending.Next = s.pending.Next[:0]
	for _, n := range next {
		s.pending.Next = append(s.pending.Next, s.clamp(n))
	}
	return s.pending.Next
}

// pass lets the policy serve b.
func (s *replayState) pass(b Batch) ([]bool, error) {
	h := s.hit[:len(b.Requests)]
	if s.need&NeedsOps == 0 {
		b.Ops = nil
	}
	if s.need&NeedsTTL == 0 {
		b.TTL = nil
	}
	began := time.Now()
	err := s.p.Replay(b, h)
	s.spend(began)
	return h, err
}

// spend counts the time of a call of the policy that began then.
func (s *replayState) spend(began time.Time) {
	s.time += time.Since(began)
	if t, ok := s.p.(Timer); ok {
		s.time = t.Spent()
	}
}

// account counts the outcomes of the requests from s.at on, all of which are gets that the policy
// has served or that are not for it. It has no branch that depends on
// an outcome: those would be mispredicted at every other request.
func (s *replayState) account(reqs []Request, hit []bool) error {
	var hits, bytes, hitBytes int64
	wrong := uint64(0)
	met := s.met
	for i := 0; i < len(reqs); {
		n := min(64-(s.at+i)&63, len(reqs)-i)
		var word uint64
		for j := range n {
			r := &reqs[i+j]
			var h uint64
			if hit[i+j] {
				h = 1
			}
			wrong |= h &^ (uint64(int64(r.ID)-int64(met)) >> 63) // unless the id is below met
			met = max(met, r.ID+1)
			word |= h << j
			hits += int64(h)
			bytes += r.Size
			hitBytes += r.Size & -int64(h)
		}
		s.out.words[(s.at+i)>>6] |= word << ((s.at + i) & 63)
		i += n
	}
	s.met = met
	if wrong != 0 {
		return s.explainWrong(reqs, hit)
	}
	s.Gets += int64(len(reqs))
	s.Hits += hits
	s.Bytes += bytes
	s.HitBytes += hitBytes
	s.missed += int64(len(reqs)) - hits
	s.missedBytes += bytes - hitBytes
	return nil
}

// explainWrong finds the first hit in a batch on an object that was never
// requested before. The batch has been marked as seen, so the trace is read
// again.
func (s *replayState) explainWrong(reqs []Request, hit []bool) error {
	requested := newOutcomes(s.t.Objects)
	found := errors.New("found")
	var wrong error
	err := s.t.Each(0, func(start int, b Batch) error {
		for i, r := range b.Requests {
			at := start + i - s.at
			if at >= len(reqs) {
				return found
			}
			if at >= 0 && hit[at] && !requested.Hit(int(r.ID)) {
				wrong = s.impossible(s.at+at, r.ID)
				return found
			}
			requested.set(int(r.ID))
		}
		return nil
	})
	if wrong == nil {
		return fmt.Errorf("impossible outcome: a hit on an object that was never requested before (%v)", err)
	}
	return wrong
}

func (s *replayState) impossible(request int, id uint32) error {
	why := "was never requested before"
	if s.ops {
		why = "was never stored before, or was removed"
	}
	return fmt.Errorf("impossible outcome: request %d is a hit on object %s, which %s", request+1, s.t.ObjectName(id), why)
}

// add puts request i of b among the pending ones, unless it is not for the
// policy.
func (s *replayState) add(b Batch, i int) error {
	r := b.Requests[i]
	op := Get
	if b.Ops != nil {
		op = b.Ops[i]
	}
	if op == Delete {
		s.Deletes++
		_, err := s.remove(r.ID)
		return err
	}
	size := s.size(r)
	changed := s.latest != nil && s.changesSize(r)
	if size > s.c.Capacity {
		if op == Get {
			s.Gets++
			s.TooLarge++
			s.Bytes += r.Size
		} else {
			s.Sets++
		}
		if !changed {
			return nil
		}
		_, err := s.remove(r.ID)
		return err
	}
	if b.TTL != nil && op == Get {
		if err := s.expire(r); err != nil {
			return err
		}
	}
	if s.latest != nil {
		found := false
		if changed {
			var err error
			if found, err = s.remove(r.ID); err != nil {
				return err
			}
		}
		s.updated = append(s.updated, found && s.t.SizeRule == SizeUpdates)
	}
	if b.TTL != nil {
		s.noteExpiry(r, op, b.TTL[i])
	}
	s.pending.Requests = append(s.pending.Requests, Request{r.ID, r.Time, size})
	if b.Next != nil {
		s.pending.Next = append(s.pending.Next, s.clamp(b.Next[i]))
	}
	s.index = append(s.index, s.at+i)
	s.sizes = append(s.sizes, r.Size)
	s.gets = append(s.gets, op == Get)
	if s.need&NeedsOps != 0 {
		s.pending.Ops = append(s.pending.Ops, op)
	}
	return nil
}

// changesSize notes the size of a request, and reports whether it is another one than that of the
// request before for the object. An update that does not change what the policy sees is none.
func (s *replayState) changesSize(r Request) bool {
	size := r.Size
	if s.t.SizeRule == SizeUpdates {
		size = s.size(r)
	}
	before := s.latest[r.ID]
	s.latest[r.ID] = size + 1
	return before != 0 && before != size+1
}

// expire removes the object of a get if its time to live is over.
func (s *replayState) expire(r Request) error {
	id := r.ID
	if s.touched[id] == s.epoch && s.soonest[id] <= r.Time {
		if err := s.flush(); err != nil { // its expiry depends on pending outcomes
			return err
		}
	}
	if s.touched[id] != s.epoch && s.expires[id] <= r.Time {
		resident, err := s.remove(id)
		if err != nil {
			return err
		}
		if resident {
			s.Expired++
		}
	}
	return nil
}

// noteExpiry notes how a request may change when its object expires.
func (s *replayState) noteExpiry(r Request, op Op, ttl uint32) {
	id := r.ID
	if ttl == 0 {
		ttl = s.lastTTL[id]
	}
	s.lastTTL[id] = ttl
	until := expiry(r.Time, ttl)
	switch {
	case op == Set:
		s.soonest[id] = until
	case s.touched[id] != s.epoch:
		s.soonest[id] = min(s.expires[id], until)
	default:
		s.soonest[id] = min(s.soonest[id], until)
	}
	s.touched[id] = s.epoch
	s.ttl = append(s.ttl, ttl)
}

func expiry(now, ttl uint32) uint32 {
	if ttl == 0 || now > never-1-ttl {
		return never
	}
	return now + ttl
}

// remove removes an object after the pending requests are served.
func (s *replayState) remove(id uint32) (bool, error) {
	if err := s.flush(); err != nil {
		return false, err
	}
	if s.expires != nil {
		s.expires[id] = never
	}
	s.seen.clear(int(id))
	began := time.Now()
	resident, err := s.p.Remove(id)
	s.spend(began)
	return resident, err
}

// flush lets the policy serve the pending requests and counts their outcomes.
func (s *replayState) flush() error {
	if len(s.pending.Requests) == 0 {
		return nil
	}
	s.pending.TTL = s.ttl
	h, err := s.pass(s.pending)
	if err != nil {
		return err
	}
	for i, r := range s.pending.Requests {
		size := s.sizes[i]
		if h[i] && !s.seen.Hit(int(r.ID)) {
			return s.impossible(s.index[i], r.ID)
		}
		s.seen.set(int(r.ID))
		if !h[i] {
			s.missed++
			s.missedBytes += size
		}
		hit := h[i] || s.updated != nil && s.updated[i]
		if hit {
			s.out.set(s.index[i])
		}
		if s.gets[i] {
			s.Gets++
			s.Bytes += size
			if hit {
				s.Hits++
				s.HitBytes += size
			}
		} else {
			s.Sets++
		}
		if s.expires != nil && (!h[i] || !s.gets[i]) {
			s.expires[r.ID] = expiry(r.Time, s.ttl[i])
		}
	}
	s.pending.Requests, s.pending.Next, s.pending.Ops = s.pending.Requests[:0], s.pending.Next[:0], s.pending.Ops[:0]
	s.index, s.sizes, s.gets, s.ttl, s.updated = s.index[:0], s.sizes[:0], s.gets[:0], s.ttl[:0], s.updated[:0]
	s.epoch++
	return nil
}

// endWarmup forgets the counts so far.
func (s *replayState) endWarmup() {
	s.Tally = Tally{}
	s.prompt.run, s.prompt.bytes, s.savedBytes = 0, 0, 0
	s.base = s.p.Counts()
	s.baseMissed, s.baseMissBytes = s.missed, s.missedBytes
}

// finish adds the policy's own counts.
func (s *replayState) finish() {
	s.finishPrompts()
	now := s.p.Counts()
	since := func(now, base int64) *int64 {
		if now < 0 {
			return nil
		}
		n := now - max(0, base)
		return &n
	}
	s.Evictions = since(now.Evictions, s.base.Evictions)
	s.Admissions = since(now.Admissions, s.base.Admissions)
	s.AdmittedBytes = since(now.AdmittedBytes, s.base.AdmittedBytes)
	if now.StoresMisses {
		s.Admissions = since(s.missed, s.baseMissed)
		s.AdmittedBytes = since(s.missedBytes, s.baseMissBytes)
	}
}

// addIntervals counts a served batch in the series.
func (s *replayState) addIntervals(b Batch) {
	w := s.c.Window
	if w == (Window{}) {
		return
	}
	for i, r := range b.Requests {
		at := s.at + i
		now := int64(r.Time) * int64(s.t.Tick)
		k := len(s.series) - 1
		// Times that go backwards stay in the interval that is under way.
		if k < 0 || w.Requests > 0 && at/w.Requests > s.series[k].Start/w.Requests ||
			w.Time > 0 && now/int64(w.Time) > s.series[k].Time/int64(w.Time) || at == s.c.Warmup {
			s.series = append(s.series, Interval{Start: at, Time: now, Warmup: at < s.c.Warmup})
			k++
		}
		if b.Ops != nil && b.Ops[i] != Get {
			continue
		}
		v := &s.series[k]
		v.Gets++
		v.Bytes += r.Size
		if s.out.Hit(at) {
			v.Hits++
			v.HitBytes += r.Size
		}
	}
}
