package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// A Trace is a sequence of requests that can be read any number of times, by
// each reader at its own pace. It may be held in memory or in a file.
type Trace struct {
	Name   string // base name of its file
	Path   string // as it was given
	Format string // name of the format that it was decoded from

	// FileHash returns what SHA256 does, every time; nil: it is not known.
	FileHash func() string

	// Digest identifies the decoded requests: 32 hex digits of a hash over ids,
	// sizes and, where there are any, operations and times to live. Clock does
	// the same for the times of the requests.
	Digest, Clock string

	// SizeRule says what counts where the trace gives an object several sizes: its
	// "first", "last" or "max" one; "new": each is an object of its own;
	// SizeUpdates and SizeReplaces: the one of each request.
	SizeRule string
	ZeroSize string   // what became of requests of size 0: "keep", "one" or "skip"
	Notes    []string // what a reader of the results has to know of the decoding, a line each

	Tick         time.Duration // unit of Request.Time; 0: the trace has no clock
	Span         uint32        // ticks from the first request to the latest
	Columns      Columns       // operations and times to live, if it has them
	Requests     int
	Objects      int   // distinct objects
	Footprint    int64 // bytes of all distinct objects together
	RequestBytes int64 // bytes of all requests together
	LargestSize  int64 // bytes of the largest object
	SizeChanges  int   // requests with another size than the one that counts or, where SizesVary, than the one before
	Gets         int   // requests that are a Get

	// Prompts says which requests belong to one prompt; nil: it is no trace of
	// language models.
	Prompts *Prompts

	// RequestCosts has what its file says of the costs of requests; nil: nothing.
	RequestCosts *RequestCosts

	// Sizes are those of the objects that t's stand for, where t is a miniature
	// with other ones; see Survey.Samples. Otherwise nil.
	Sizes []int64

	// SampleRate is the share of the objects of another trace that t has, where it
	// is a miniature; otherwise 0.
	SampleRate float64

	// ObjectName returns the id that the trace's file gives to object id.
	ObjectName func(id uint32) string

	// Source yields the requests.
	Source Source
}

// Rules for requests that give an object another size than the request before, by which each
// request keeps its size. Either way the policy loses the object, as by a delete, and is then
// passed the request, so that what it has of the object has the size of the latest request.
const (
	SizeUpdates  = "update"  // the request is a hit where the object was in the cache
	SizeReplaces = "as-miss" // it is a miss
)

// SizesVary reports whether requests for one object differ in size.
func (t *Trace) SizesVary() bool {
	return t.SizeChanges > 0 && (t.SizeRule == SizeUpdates || t.SizeRule == SizeReplaces)
}

// RequestCosts are what the requests of a trace cost, each nil where the trace does
// not say. They are for reports: no policy sees them.
type RequestCosts struct {
	Cost      []float64 // of a miss, in any unit
	Hit, Miss []uint32  // latencies in microseconds
}

// Digest identifies the costs: 16 hex digits of a hash.
func (c *RequestCosts) Digest() string {
	h := sha256.New()
	for _, column := range []any{c.Cost, c.Hit, c.Miss} {
		fmt.Fprintf(h, "%T %d ", column, binary.Size(column))
		_ = binary.Write(h, binary.LittleEndian, column) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// A Source opens readers of a trace's requests. It may be used by several
// goroutines at once.
type Source interface {
	// Reader returns a reader that starts at the first request and yields the
	// given columns. Asking for ColumnNext may take a pass over the trace.
	Reader(columns Columns) (Reader, error)
	// Memory is how many bytes the source occupies in memory.
	Memory() int64
	// Close frees what the source holds; no reader may be in use.
	Close() error
}

// A Reader yields the requests of a trace in batches of BatchSize; only the
// last one may be shorter. It is used by one goroutine.
type Reader interface {
	// Next returns the next batch, which is valid until the next call and must
	// not be written to, or io.EOF after the last one.
	Next() (Batch, error)
	Close() error
}

// Reader returns a reader of t's requests, with the given columns of those that
// the trace has; ColumnNext every trace has.
func (t *Trace) Reader(columns Columns) (Reader, error) {
	return t.Source.Reader(columns & (t.Columns | ColumnNext))
}

// SHA256 returns the SHA-256 of the trace's file as it is stored, in hex, and waits until it is
// computed; empty: the file was not read whole, or was changed meanwhile.
func (t *Trace) SHA256() string {
	if t.FileHash == nil {
		return ""
	}
	return t.FileHash()
}

// Close frees what the trace holds in memory and the files it has open.
func (t *Trace) Close() error {
	t.SHA256() // a file is open until then
	return t.Source.Close()
}

// KeysDigest identifies the names of the objects, which Digest leaves out: 32 hex digits of a hash
// over all of them, in the order of the objects' numbers.
func (t *Trace) KeysDigest() string {
	h := sha256.New()
	var length [8]byte
	for id := range uint32(t.Objects) {
		name := t.ObjectName(id)
		binary.LittleEndian.PutUint64(length[:], uint64(len(name)))
		h.Write(length[:])
		io.WriteString(h, name)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Each calls f with every batch of t in order, and the index of its first
// request. It stops at the first error and returns it.
func (t *Trace) Each(columns Columns, f func(start int, b Batch) error) error {
	r, err := t.Reader(columns)
	if err != nil {
		return err
	}
	defer r.Close()
	for start := 0; ; {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(start, b); err != nil {
			return err
		}
		start += len(b.Requests)
	}
}

// At returns request i. It reads the trace up to there: it is meant for errors.
func (t *Trace) At(i int) (Request, error) {
	var r Request
	err := t.Each(0, func(start int, b Batch) error {
		if i < start+len(b.Requests) {
			r = b.Requests[i-start]
			return io.EOF
		}
		return nil
	})
	if err == io.EOF {
		err = nil
	}
	return r, err
}

// RequestsBefore returns how many requests come before the first one that is
// later than d after the start of the trace's clock.
func (t *Trace) RequestsBefore(d time.Duration) (int, error) {
	n := t.Requests
	limit := d / t.Tick
	err := t.Each(0, func(start int, b Batch) error {
		for i, r := range b.Requests {
			if time.Duration(r.Time) >= limit {
				n = start + i
				return io.EOF
			}
		}
		return nil
	})
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// NextAccesses computes the next access of each request of a trace, from its last
// block of requests to its first.
type NextAccesses struct {
	last  []uint32 // by object: index of the earliest access so far, or Never
	sizes []int64  // by object: size in the earliest request so far; nil: they do not matter
}

// NewNextAccesses starts behind the end of a trace. sizeReplaces says that its rule is
// SizeReplaces: then a request with another size is no access to what the one before
// has stored.
func NewNextAccesses(objects int, sizeReplaces bool) *NextAccesses {
	n := &NextAccesses{last: slices.Repeat([]uint32{Never}, objects)}
	if sizeReplaces {
		n.sizes = make([]int64, objects)
	}
	return n
}

// Fill fills next for a block of requests. start is the index of the first of them;
// ops may be nil.
func (n *NextAccesses) Fill(start int, reqs []Request, ops []Op, next []uint32) {
	last, sizes := n.last, n.sizes
	for i := len(reqs) - 1; i >= 0; i-- {
		id := reqs[i].ID
		next[i] = last[id]
		if sizes != nil {
			if reqs[i].Size != sizes[id] {
				next[i] = Never
			}
			sizes[id] = reqs[i].Size
		}
		if ops == nil || ops[i] == Get {
			last[id] = uint32(start + i)
		} else {
			last[id] = Never
		}
	}
}
