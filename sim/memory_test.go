package sim

import (
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// memoryOf returns requests in a Memory, appended in batches of random lengths,
// whose columns begin at the given requests (-1: never), after some were reserved.
func memoryOf(n, reserved, opsFrom, ttlFrom int) (m *Memory, reqs []Request, ops []Op, ttl []uint32) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	m = &Memory{Objects: 100}
	m.Reserve(reserved)
	for i := range n {
		reqs = append(reqs, Request{ID: r.Uint32N(100), Time: uint32(i), Size: int64(i % 7)})
		ops, ttl = append(ops, Get), append(ttl, 0)
		if opsFrom >= 0 && i >= opsFrom {
			ops[i] = Op(r.IntN(3))
		}
		if ttlFrom >= 0 && i >= ttlFrom {
			ttl[i] = r.Uint32N(5)
		}
	}
	for at := 0; at < n; {
		k := min(1+r.IntN(20_000), n-at)
		b := Batch{Requests: reqs[at : at+k]}
		if opsFrom >= 0 && at+k > opsFrom {
			b.Ops = ops[at : at+k]
		}
		if ttlFrom >= 0 && at+k > ttlFrom && r.IntN(3) > 0 || slices.ContainsFunc(ttl[at:at+k], func(t uint32) bool { return t != 0 }) {
			b.TTL = ttl[at : at+k]
		}
		m.AppendBatch(b)
		at += k
	}
	return m, reqs, ops, ttl
}

func TestMemory(t *testing.T) {
	for _, test := range []struct{ n, reserved, ops, ttl int }{
		{1, 0, -1, -1}, {BatchSize, 0, -1, -1}, {BatchSize + 1, 0, 0, 0}, {chunkSize, 0, 5, -1}, {chunkSize + 1, 0, -1, chunkSize},
		{3*chunkSize + 5000, 0, chunkSize + 77, 2 * chunkSize}, {2 * chunkSize, 0, -1, -1}, {100_000, 0, 99_999, 99_998},
		{2*chunkSize + 500, 2*chunkSize + 500, -1, -1}, {2*chunkSize + 500, 2*chunkSize + 499, 50, chunkSize + 60}, {chunkSize, 3, -1, 0},
	} {
		m, reqs, ops, ttl := memoryOf(test.n, test.reserved, test.ops, test.ttl)
		if m.Len() != test.n {
			t.Fatalf("%+v: %d requests", test, m.Len())
		}
		next := make([]uint32, test.n)
		NewNextAccesses(m.Objects, false).Fill(0, reqs, ops, next)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				r, err := m.Reader(ColumnNext | ColumnOps | ColumnTTL)
				if err != nil {
					t.Error(err)
					return
				}
				defer r.Close()
				for at := 0; ; {
					b, err := r.Next()
					if err == io.EOF && at == test.n {
						return
					}
					k := len(b.Requests)
					if err != nil || k != min(BatchSize, test.n-at) {
						t.Errorf("%+v: a batch of %d at %d, %v", test, k, at, err)
						return
					}
					if b.Ops == nil {
						b.Ops = make([]Op, k)
					}
					if b.TTL == nil {
						b.TTL = make([]uint32, k)
					}
					if !slices.Equal(b.Requests, reqs[at:at+k]) || !slices.Equal(b.Ops, ops[at:at+k]) ||
						!slices.Equal(b.TTL, ttl[at:at+k]) || !slices.Equal(b.Next, next[at:at+k]) {
						t.Errorf("%+v: the batch at %d differs", test, at)
						return
					}
					at += k
				}
			})
		}
		wg.Wait()
		var least Columns
		if slices.Max(ops) != Get {
			least |= ColumnOps
		}
		if slices.Max(ttl) != 0 {
			least |= ColumnTTL
		}
		if got := m.Columns(); got&least != least || test.ops < 0 && test.ttl < 0 && got != 0 {
			t.Errorf("%+v: columns %b, want at least %b", test, got, least)
		}
		if got, want := m.Memory(), int64(20*test.n); got < want || got > 2*want+16*25*chunkSize {
			t.Errorf("%+v: %d bytes of memory", test, got)
		}
	}
}

// Appending one request at a time is the same as appending them together.
func TestMemoryAppend(t *testing.T) {
	batches, reqs, ops, ttl := memoryOf(chunkSize+100, 0, 50, 60)
	single := &Memory{Objects: 100}
	for i, r := range reqs {
		single.Append(r, ops[i], ttl[i])
	}
	for i := range batches.Chunks() {
		aOps, aTTL := single.Column(i)
		bOps, bTTL := batches.Column(i)
		if !slices.Equal(single.Chunks()[i], batches.Chunks()[i]) || !slices.Equal(aOps, bOps) || !slices.Equal(aTTL, bTTL) {
			t.Errorf("chunk %d differs", i)
		}
	}
}

// A short trace takes little memory.
func TestShortMemory(t *testing.T) {
	m := &Memory{}
	m.Append(Request{}, Get, 0)
	if n := m.Memory(); n > 1024 {
		t.Errorf("a request takes %d bytes", n)
	}
}
