package sim

import (
	"io"
	"sync"
	"unsafe"
)

// chunkSize is how many requests a Memory allocates at a time: 1 MiB of them. A
// slice that grows would be copied and keep its old array alive meanwhile.
const chunkSize = 8 * BatchSize

// Memory is a Source that holds the requests in memory: 16 bytes a request, 1
// more with operations, and 4 each with times to live and next accesses.
type Memory struct {
	// Both are set before the first Reader.
	Objects      int  // distinct objects
	SizeReplaces bool // the trace's rule is SizeReplaces

	reqs [][]Request
	slab []Request  // of which the next chunks of reqs are made
	ops  [][]Op     // nil: all are Get
	ttl  [][]uint32 // nil: all are 0
	n    int

	mutex sync.Mutex // of next
	next  [][]uint32 // nil: not asked for yet
}

// Append adds a request with its operation and time to live, in ticks.
func (m *Memory) Append(r Request, op Op, ttl uint32) {
	reqs, ops, ttls := [1]Request{r}, [1]Op{op}, [1]uint32{ttl}
	b := Batch{Requests: reqs[:]}
	if op != Get {
		b.Ops = ops[:]
	}
	if ttl != 0 {
		b.TTL = ttls[:]
	}
	m.AppendBatch(b)
}

// Reserve makes room for n requests, before the first: exactly as much as they need, where
// a Memory that does not know their number grows. Their other columns grow all the same.
func (m *Memory) Reserve(n int) { m.slab = Make[Request](n) }

// AppendBatch adds copies of the requests of b, of any number, with their
// operations and times to live.
func (m *Memory) AppendBatch(b Batch) {
	if b.Ops != nil && m.ops == nil {
		m.ops = column[Op](m.reqs)
	}
	if b.TTL != nil && m.ttl == nil {
		m.ttl = column[uint32](m.reqs)
	}
	for len(b.Requests) > 0 {
		n := min(chunkSize-m.n%chunkSize, len(b.Requests))
		c := m.n / chunkSize
		if c == len(m.reqs) && (c >= slabFrom || len(m.slab) > 0) {
			m.reqs = append(m.reqs, m.cut())
		}
		m.reqs = extend(m.reqs, c, b.Requests[:n], n)
		if m.ops != nil {
			m.ops = extend(m.ops, c, b.Ops[:min(n, len(b.Ops))], n)
		}
		if m.ttl != nil {
			m.ttl = extend(m.ttl, c, b.TTL[:min(n, len(b.TTL))], n)
		}
		m.n += n
		b = Batch{b.Requests[n:], nil, b.Ops[min(n, len(b.Ops)):], b.TTL[min(n, len(b.TTL)):]}
	}
}

// slabFrom is from which chunk of requests on they are made several at a time where nothing
// was reserved.
const slabFrom = 16

// cut returns an empty chunk of a slab, which is on huge pages where there are any: page faults
// took a tenth of the time to load a trace. A slab that was not reserved has up to a quarter of the
// chunks so far, so that little of it stays unused, but no more than 16 MiB.
func (m *Memory) cut() []Request {
	if len(m.slab) == 0 {
		m.slab = Make[Request](min(len(m.reqs)/4, 16) * chunkSize)
	}
	n := min(chunkSize, len(m.slab))
	c := m.slab[:0:n]
	m.slab = m.slab[n:]
	return c
}

// extend appends n values to chunk c: those of v or, where it is empty, zeros.
// The first chunk grows, so that a short trace takes little memory.
func extend[T any](chunks [][]T, c int, v []T, n int) [][]T {
	if c == len(chunks) {
		capacity := chunkSize
		if c == 0 {
			capacity = n
		}
		chunks = append(chunks, make([]T, 0, capacity))
	}
	if len(v) == 0 {
		v = make([]T, n)
	}
	chunks[c] = append(chunks[c], v...)
	return chunks
}

// column makes a column of zeros beside the requests.
func column[T any](reqs [][]Request) [][]T {
	c := make([][]T, len(reqs))
	for i, r := range reqs {
		c[i] = make([]T, len(r), cap(r))
	}
	return c
}

// Len returns the number of requests.
func (m *Memory) Len() int { return m.n }

// Chunks returns the requests in order, in slices whose lengths, but for the
// last, are multiples of BatchSize. They may be changed before the first Reader.
func (m *Memory) Chunks() [][]Request { return m.reqs }

// Columns returns the columns that have been appended to.
func (m *Memory) Columns() Columns {
	var c Columns
	if m.ops != nil {
		c |= ColumnOps
	}
	if m.ttl != nil {
		c |= ColumnTTL
	}
	return c
}

// Column returns chunk i's operations and times to live, nil where it has none.
// They may be changed before the first Reader.
func (m *Memory) Column(i int) (ops []Op, ttl []uint32) {
	if m.ops != nil {
		ops = m.ops[i]
	}
	if m.ttl != nil {
		ttl = m.ttl[i]
	}
	return ops, ttl
}

// Memory returns the bytes that m occupies.
func (m *Memory) Memory() int64 {
	var n int64
	for _, c := range m.reqs {
		n += int64(cap(c)) * int64(unsafe.Sizeof(Request{}))
	}
	for _, c := range m.ops {
		n += int64(cap(c))
	}
	for _, c := range m.ttl {
		n += 4 * int64(cap(c))
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, c := range m.next {
		n += 4 * int64(cap(c))
	}
	return n
}

// Close does nothing.
func (m *Memory) Close() error { return nil }

// Reader returns a reader of m.
func (m *Memory) Reader(columns Columns) (Reader, error) {
	r := &memoryReader{m: m, columns: columns}
	if columns&ColumnNext != 0 {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		if m.next == nil {
			m.next = m.computeNext()
		}
		r.next = m.next
	}
	return r, nil
}

func (m *Memory) computeNext() [][]uint32 {
	accesses := NewNextAccesses(m.Objects, m.SizeReplaces)
	next := column[uint32](m.reqs)
	for i := len(m.reqs) - 1; i >= 0; i-- {
		ops, _ := m.Column(i)
		accesses.Fill(i*chunkSize, m.reqs[i], ops, next[i])
	}
	return next
}

type memoryReader struct {
	m       *Memory
	columns Columns
	next    [][]uint32
	at      int
}

func (r *memoryReader) Next() (Batch, error) {
	if r.at >= r.m.n {
		return Batch{}, io.EOF
	}
	c, i := r.at/chunkSize, r.at%chunkSize
	j := min(i+BatchSize, len(r.m.reqs[c]))
	r.at += j - i
	b := Batch{Requests: r.m.reqs[c][i:j:j]}
	if r.columns&ColumnNext != 0 {
		b.Next = r.next[c][i:j:j]
	}
	if r.columns&ColumnOps != 0 && r.m.ops != nil {
		b.Ops = r.m.ops[c][i:j:j]
	}
	if r.columns&ColumnTTL != 0 && r.m.ttl != nil {
		b.TTL = r.m.ttl[c][i:j:j]
	}
	return b, nil
}

func (r *memoryReader) Close() error { return nil }
