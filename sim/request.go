// Package sim is the vocabulary of cachesim and its replay engine: requests,
// traces, policies, and the cells of a plan. It imports nothing else of the
// project, so that everything else can import it.
package sim

import "math"

// A Request asks for one object. It is 16 bytes without padding and has the
// layout of the C struct {uint32 id; uint32 time; int64 size}, so that a slice
// of requests can be copied into a guest's memory as it is.
type Request struct {
	ID   uint32 // dense number of the object: 0 to Trace.Objects-1, in order of first request
	Time uint32 // ticks of the trace's clock since its first request; 0 without a clock
	Size int64  // bytes; the same in every request for an object, unless Trace.SizesVary
}

// MaxSize is the largest size of an object, in bytes: sizes have 56 bits, so
// that the nodes of policies can keep them beside other bits.
const MaxSize = 1<<56 - 1

// Never is the next access of an object that is not requested again.
const Never = math.MaxUint32

// MaxRequests is how many requests a trace may have, and MaxObjects how many
// distinct objects: their numbers have 32 bits, of which some values are used
// for marks.
const (
	MaxRequests = math.MaxUint32 - 1
	MaxObjects  = math.MaxUint32 - 1<<16
)

// An Op is the operation of a request.
type Op uint8

// The operations. A Get may hit, and stores the object when it misses. A Set
// stores the object and counts neither as hit nor as miss. A Delete removes it.
const (
	Get Op = iota
	Set
	Delete
)

func (o Op) String() string {
	switch o {
	case Get:
		return "get"
	case Set:
		return "set"
	}
	return "delete"
}

// BatchSize is how many requests a Reader yields at once, and the engine passes
// to a policy: 128 KiB of requests, which stay in the second-level cache while
// they are copied into a guest, and enough to make the cost of crossing into it
// disappear.
const BatchSize = 8192

// A Batch is up to BatchSize consecutive requests of a trace, with the columns
// that were asked for; the others are nil.
type Batch struct {
	Requests []Request
	// Next is, for each request, the index in the trace of the next Get for
	// its object before which the object is neither set nor deleted, or Never.
	Next []uint32
	Ops  []Op     // nil: all are Get
	TTL  []uint32 // ticks that the object may be served after it is stored; 0: unlimited
}

// Slice returns requests i to j-1 of b.
func (b Batch) Slice(i, j int) Batch {
	s := Batch{Requests: b.Requests[i:j]}
	if b.Next != nil {
		s.Next = b.Next[i:j]
	}
	if b.Ops != nil {
		s.Ops = b.Ops[i:j]
	}
	if b.TTL != nil {
		s.TTL = b.TTL[i:j]
	}
	return s
}

// Columns are the optional columns of a Batch, as bits.
type Columns uint8

// The optional columns.
const (
	ColumnNext Columns = 1 << iota
	ColumnOps
	ColumnTTL
)
