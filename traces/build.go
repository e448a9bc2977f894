package traces

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"sync/atomic"
	"time"

	"cachesim/sim"
)

// A builder makes a trace of the records of a decoding.
//
// Times are kept as ticks since the first request, in a unit that is a power of
// ten times that of the file: where they no longer fit 32 bits, the unit is made
// ten times as long, and the times before that are divided at the end. That is
// exact: both ways a time is rounded down once.
type builder struct {
	o     Options
	in    *interner
	store store
	c     *cache // nil: there is none
	n     int

	tick     time.Duration // of the first file
	start    int64         // time of the first request, in tick
	scale    uint64        // ticks of the file in one of the trace
	segments []segment     // where scale has changed
	span     uint64        // latest time, in tick
	early    int64         // requests with times before the first one's
	last     int64         // time of the request before
	back     int64         // requests with times before that

	requestBytes int64
	changes      int
	largest      []int64 // of each object, where each request has its own size; otherwise nil
	gets         int
	rewrite      bool // sizes or times that were stored are not final
	ops, ttl     bool // there are such columns
	prompts      *sim.Prompts

	costs                    sim.RequestCosts // in memory, whatever becomes of the requests
	hasCost, hasHit, hasMiss bool

	block       sim.Batch // that is being filled
	full, empty chan sim.Batch
	kept        chan error // of keep, when it ends
	failed      atomic.Bool

	digest *digest // of what was stored so far; nil if a pass at the end has to compute it
	clock  *digest
}

// A segment is requests with the same scale.
type segment struct {
	start int
	scale uint64
}

func newBuilder(o Options, c *cache) *builder {
	b := &builder{
		o: o, in: newInterner(), store: store{c: c, o: o}, c: c, scale: 1,
		full: make(chan sim.Batch, blocksInFlight), empty: make(chan sim.Batch, blocksInFlight), kept: make(chan error, 1),
	}
	b.hasCost, b.hasHit, b.hasMiss = costColumns(o.Params)
	for range blocksInFlight {
		block := sim.Batch{Requests: make([]sim.Request, 0, batchSize)}
		if o.Ops == ApplyOps {
			block.Ops = make([]sim.Op, 0, batchSize)
			block.TTL = make([]uint32, 0, batchSize)
		}
		b.empty <- block
	}
	if o.Ops != ApplyOps { // otherwise the columns are known at the end only
		b.digest, b.clock = newDigest(0, 0), newDigest(0, 0)
	}
	go func() { b.kept <- b.keep() }()
	return b
}

const blocksInFlight = 8

// consume takes in all batches of d.
func (b *builder) consume(d *decoding) error {
	err := b.addAll(d)
	close(b.full)
	if keepErr := <-b.kept; keepErr != nil {
		err = keepErr
	}
	return err
}

func (b *builder) addAll(d *decoding) error {
	for batch := range d.batches {
		if err := b.add(batch); err != nil {
			return &fileError{batch.file, err}
		}
		d.free <- batch
	}
	return nil
}

// add takes in a batch.
func (b *builder) add(batch *batch) error {
	if b.n == 0 && len(batch.records) > 0 {
		b.tick, b.start, b.last = batch.tick, batch.records[0].Time, batch.records[0].Time
		b.segments = []segment{{0, 1}}
		b.prompts = batch.prompts
	}
	if (batch.tick > 0) != (b.tick > 0) {
		return fmt.Errorf("only some of the trace's files have times")
	}
	if (batch.prompts != nil) != (b.prompts != nil) {
		return errMixedPrompts
	}
	if b.prompts != nil {
		for i := range batch.records {
			if batch.records[i].Start {
				b.prompts.Start(b.n + i)
			}
		}
	}
	if uint64(b.n)+uint64(len(batch.records)) > b.o.limits.requests {
		return &LimitError{"requests", b.o.limits.requests}
	}
	b.block = <-b.empty
	if batch.tick != b.tick {
		for i := range batch.records {
			batch.records[i].Time = convert(batch.records[i].Time, batch.tick, b.tick)
		}
	}
	for i := 0; i < len(batch.records); i += ahead {
		j := min(i+ahead, len(batch.records))
		b.in.preload(batch.hashes[i:j])
		if err := b.requests(batch.records[i:j], batch.hashes[i:j]); err != nil {
			return err
		}
	}
	return b.flush()
}

// requests takes in records that were preloaded.
func (b *builder) requests(records []Record, hashes []uint64) error {
	for i := range records {
		r := &records[i]
		id, isNew := b.in.number(i, r, hashes[i])
		if isNew && uint64(b.in.n) > b.o.limits.objects {
			return &LimitError{"objects", b.o.limits.objects}
		}
		if uint64(r.Size) > uint64(b.o.limits.size) {
			return fmt.Errorf("the size of object %s is %d bytes, but it may be at most %d", recordName(r), r.Size, b.o.limits.size)
		}
		size := r.Size
		if b.o.IgnoreSize {
			size = 1
		}
		o := b.in.object(id)
		switch {
		case o.size == size:
		case r.Op == sim.Delete && b.o.Ops == ApplyOps && !b.o.IgnoreSize:
			// A delete does not say how large the object is. One before any
			// other request for the object gets its size at the end.
			if size = o.size; size == unknownSize {
				size, b.rewrite = 0, true
			}
		case b.own():
			if o.size != unknownSize {
				b.changes++
			}
			o.size = size
			b.grows(id, size)
		case o.size == unknownSize:
			o.size = size
		default:
			b.changes++
			switch b.o.SizeRule {
			case FirstSize:
				size = o.size
			case LastSize:
				o.size, b.rewrite = size, true
			case MaxSize:
				o.size, b.rewrite = max(o.size, size), true
			}
		}
		if b.requestBytes += size; b.requestBytes < 0 {
			if b.o.SizeRule != LastSize && b.o.SizeRule != MaxSize {
				return errTooManyBytes
			}
			b.rewrite = true // the final sizes may be smaller
		}
		q := sim.Request{ID: id, Size: size}
		if b.tick > 0 {
			t := uint64(0)
			if r.Time >= b.start {
				t = uint64(r.Time) - uint64(b.start)
			} else {
				b.early++
			}
			if r.Time < b.last {
				b.back++
			}
			b.last = r.Time
			b.span = max(b.span, t)
			if t/b.scale > math.MaxUint32 {
				b.coarsen(t)
			}
			if b.scale > 1 {
				t /= b.scale
			}
			q.Time = uint32(t)
		}
		b.block.Requests = append(b.block.Requests, q)
		if b.hasCost || b.hasHit || b.hasMiss {
			b.addCosts(r.Costs)
		}
		if b.block.Ops != nil {
			b.block.Ops = append(b.block.Ops, r.Op)
			b.block.TTL = append(b.block.TTL, r.TTL)
			b.ops = b.ops || r.Op != sim.Get
			b.ttl = b.ttl || r.TTL != 0
			if r.Op == sim.Get {
				b.gets++
			}
		}
	}
	return nil
}

// own reports whether each request keeps its own size.
func (b *builder) own() bool { return b.o.SizeRule == UpdateSize || b.o.SizeRule == AsMiss }

// grows notes a size of an object.
func (b *builder) grows(id uint32, size int64) {
	if n := int(id) + 1 - len(b.largest); n > 0 {
		b.largest = append(b.largest, make([]int64, n)...)
	}
	b.largest[id] = max(b.largest[id], size)
}

// addCosts keeps the costs of a request.
func (b *builder) addCosts(c *RecordCosts) {
	if c == nil {
		c = &RecordCosts{} // of another format
	}
	if b.hasCost {
		b.costs.Cost = append(b.costs.Cost, c.Cost)
	}
	if b.hasHit {
		b.costs.Hit = append(b.costs.Hit, c.Hit)
	}
	if b.hasMiss {
		b.costs.Miss = append(b.costs.Miss, c.Miss)
	}
}

// coarsen makes the trace's ticks longer, so that time t fits.
func (b *builder) coarsen(t uint64) {
	for t/b.scale > math.MaxUint32 {
		b.scale *= 10
	}
	b.segments = append(b.segments, segment{b.n + len(b.block.Requests), b.scale})
}

func recordName(r *Record) string {
	if r.Text != nil {
		return quote(r.Text)
	}
	return strconv.FormatUint(r.Key, 10)
}

// A LimitError says that a trace is larger than the numbers of sim allow.
type LimitError struct {
	What string // "requests" or "objects"
	Most uint64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("it has more than %d %s, which do not fit 32-bit numbers: read a part of it", e.Most, e.What)
}

var errMixedPrompts = errors.New("only some of the trace's files are of prompts")

var errTooManyBytes = fmt.Errorf("its requests ask for more than %d bytes in all", int64(math.MaxInt64))

// convert returns a time in ticks of to, rounded down.
func convert(t int64, from, to time.Duration) int64 {
	neg := t < 0
	if neg {
		t = -t
	}
	hi, lo := bits.Mul64(uint64(t), uint64(from))
	if hi >= uint64(to) {
		lo = math.MaxInt64
	} else {
		var rest uint64
		lo, rest = bits.Div64(hi, lo, uint64(to))
		if neg && rest > 0 {
			lo++
		}
		lo = min(lo, math.MaxInt64)
	}
	if neg {
		return -int64(lo)
	}
	return int64(lo)
}

// flush passes the block on.
func (b *builder) flush() error {
	q := b.block
	b.n += len(q.Requests)
	if b.failed.Load() {
		return errStopped
	}
	if !b.ops {
		q.Ops = nil
	}
	if !b.ttl {
		q.TTL = nil
	}
	b.full <- q
	return nil
}

// keep stores blocks and computes the digests, on a goroutine of its own.
func (b *builder) keep() (err error) {
	for q := range b.full {
		if err == nil {
			err = b.store.append(q)
			b.failed.Store(err != nil)
		}
		if b.digest != nil {
			b.digest.add(q)
			b.clock.addTimes(q.Requests)
		}
		b.empty <- b.emptied(q)
	}
	return err
}

// emptied returns a block to be filled again, with all columns.
func (b *builder) emptied(q sim.Batch) sim.Batch {
	q.Requests = q.Requests[:0]
	if b.o.Ops == ApplyOps {
		if q.Ops == nil {
			q.Ops = make([]sim.Op, 0, batchSize)
		}
		if q.TTL == nil {
			q.TTL = make([]uint32, 0, batchSize)
		}
		q.Ops, q.TTL = q.Ops[:0], q.TTL[:0]
	}
	return q
}

// finish returns the trace.
func (b *builder) finish(d *decoding) (*sim.Trace, error) {
	if b.n == 0 {
		return nil, ErrNoRequests
	}
	t := &sim.Trace{
		FileHash: d.sha256, Format: d.format(), SizeRule: b.o.SizeRule, ZeroSize: b.o.ZeroSize, Notes: d.notes(),
		Requests: b.n, Objects: int(b.in.n), SizeChanges: b.changes, RequestBytes: b.requestBytes,
	}
	if b.tick > 0 {
		hi, ns := bits.Mul64(b.span, uint64(b.tick))
		if hi > 0 || ns > math.MaxInt64 {
			return nil, fmt.Errorf("its times span more than 292 years in units of %v: is that their unit (--time-unit)?", b.tick)
		}
		t.Tick = b.tick * time.Duration(b.scale)
		t.Span = uint32(b.span / b.scale)
	}
	if b.early > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d requests have times before that of the first one, and get its time", b.early))
	}
	if b.back > 0 && !d.late {
		t.Notes = append(t.Notes, timesGoBack(b.back))
	}
	if b.scale > 1 {
		t.Notes = append(t.Notes, fmt.Sprintf("times are rounded down to %v, so that they fit 32 bits", t.Tick))
	}
	if b.ttl && t.Tick == 0 {
		t.Notes = append(t.Notes, "times to live are left out, because the trace has no times")
	}
	if t.Gets = b.n; b.o.Ops == ApplyOps {
		t.Gets = b.gets
	}
	if b.ops {
		t.Columns |= sim.ColumnOps
	}
	if b.ttl && t.Tick > 0 {
		t.Columns |= sim.ColumnTTL
	}
	if b.rewrite || len(b.segments) > 1 || t.Columns != 0 || b.digest == nil {
		if err := b.fix(t); err != nil {
			return nil, err
		}
	}
	if t.Prompts = b.prompts; t.Prompts != nil {
		if b.o.IgnoreSize {
			t.Prompts.TokenBytes = 0
		}
		b.digest.addPrompts(t.Prompts)
	}
	if t.SizesVary() {
		b.digest.addSizeRule(t.SizeRule)
	}
	t.Digest = b.digest.sum()
	if t.Tick > 0 {
		t.Clock = b.clock.sumClock(t.Tick)
	}
	for i := range b.in.n {
		size := max(b.in.object(i).size, 0)
		if b.own() {
			size = 0
			if int(i) < len(b.largest) {
				size = b.largest[i]
			}
		}
		t.Footprint += size
		t.LargestSize = max(t.LargestSize, size)
	}
	t.Notes = append(t.Notes, misreadings(t, d.blocks())...)
	t, err := b.store.finish(t, b.in.names())
	if err == nil && (b.hasCost || b.hasHit || b.hasMiss) {
		t.RequestCosts = &b.costs
	}
	return t, err
}

// timesGoBack is the note about n requests.
func timesGoBack(n int64) string {
	return fmt.Sprintf("replayed in the order of the file: %s earlier than the one before", countRequests(n))
}

// few is how many objects a trace has from which misreadings are looked for.
const few = 50

// misreadings are what makes a trace look as if the wrong columns were read.
// blocks says that objects are blocks or the like, which have one size.
func misreadings(t *sim.Trace, blocks bool) (notes []string) {
	if t.LargestSize == 0 {
		notes = append(notes, "all sizes are 0: was the wrong column read? with --ignore-size, each object has size 1")
	}
	if t.Objects < few {
		return notes
	}
	if t.Objects == t.Requests {
		notes = append(notes, "all ids are different, so that every request is a miss: was the wrong column read?")
	}
	if t.LargestSize > 1 && t.Footprint == t.LargestSize*int64(t.Objects) && !blocks {
		notes = append(notes, fmt.Sprintf("all objects have the same size, %d bytes: was the wrong column read?", t.LargestSize))
	}
	return notes
}

// fix gives the stored requests their final sizes, times and times to live, and
// computes the sums over them.
func (b *builder) fix(t *sim.Trace) error {
	f := fixer{b: b, t: t}
	b.digest, b.clock = newDigest(t.Columns, t.Tick), newDigest(0, 0)
	b.requestBytes, b.changes = 0, 0
	if b.o.SizeRule == FirstSize || b.own() {
		b.changes = t.SizeChanges // the other sizes are no longer there, or final
	}
	if err := b.store.rewrite(f.fix); err != nil {
		return err
	}
	t.RequestBytes, t.SizeChanges = b.requestBytes, b.changes
	return nil
}

// A fixer passes over the requests in order.
type fixer struct {
	b  *builder
	t  *sim.Trace
	at int
}

func (f *fixer) fix(q sim.Batch) error {
	b := f.b
	for i := range q.Requests {
		r := &q.Requests[i]
		if size := max(b.in.object(r.ID).size, 0); r.Size != size && (!b.own() || b.changes == 0) {
			if q.Ops == nil || q.Ops[i] != sim.Delete {
				b.changes++
			}
			r.Size = size
		}
		if b.requestBytes += r.Size; b.requestBytes < 0 {
			return errTooManyBytes
		}
		if len(b.segments) > 1 {
			for len(b.segments) > 1 && b.segments[1].start <= f.at+i {
				b.segments = b.segments[1:]
			}
			r.Time = uint32(uint64(r.Time) / (b.scale / b.segments[0].scale))
		}
		if f.t.Columns&sim.ColumnTTL != 0 {
			q.TTL[i] = ticks(q.TTL[i], f.t.Tick)
		}
	}
	f.at += len(q.Requests)
	b.digest.add(q)
	b.clock.addTimes(q.Requests)
	return nil
}

// ticks returns a time to live of seconds in ticks, rounded up. One beyond what
// 32 bits hold is longer than any trace.
func ticks(seconds uint32, tick time.Duration) uint32 {
	hi, lo := bits.Mul64(uint64(seconds), uint64(time.Second))
	lo, carry := bits.Add64(lo, uint64(tick)-1, 0)
	n, _ := bits.Div64(hi+carry, lo, uint64(tick))
	return uint32(min(n, math.MaxUint32-1))
}
