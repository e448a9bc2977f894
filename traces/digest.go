package traces

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/zeebo/xxh3"

	"cachesim/sim"
)

// A digest identifies the requests of a trace: the 128 bits of XXH3 over, for
// each request, little-endian and without padding,
//
//	id u32, size u64
//	operation u8, if the trace has operations
//	time to live u32, time u32, if it has times to live
//
// behind a line that names the columns and, with times to live, the unit of
// time. If the requests are blocks of prompts, a line with their order and the
// size of a token follows, and the words u64 of sim.Prompts. If sizes vary, a line
// with the rule for that comes last. The clock's digest
// is that of the times, u32 each, and then of the unit in nanoseconds, u64.
// Format, compression and storage of the trace have no influence.
type digest struct {
	h       *xxh3.Hasher
	columns sim.Columns
	buf     []byte
}

func newDigest(columns sim.Columns, tick time.Duration) *digest {
	d := &digest{h: xxh3.New(), columns: columns}
	if columns&sim.ColumnTTL == 0 {
		tick = 0
	}
	if columns != 0 {
		fmt.Fprintf(d.h, "columns %d, tick %d\n", columns, tick)
	}
	return d
}

// add takes in requests. b has the columns that the digest was made for.
func (d *digest) add(b sim.Batch) {
	for len(b.Requests) > 0 {
		n := min(len(b.Requests), sim.BatchSize)
		d.write(b.Slice(0, n))
		b = b.Slice(n, len(b.Requests))
	}
}

func (d *digest) write(b sim.Batch) {
	const most = 4 + 8 + 1 + 4 + 4
	if need := most * len(b.Requests); cap(d.buf) < need {
		d.buf = make([]byte, need)
	}
	buf := d.buf[:cap(d.buf)]
	if d.columns == 0 {
		p := buf[:12*len(b.Requests)]
		for i := range b.Requests {
			r := &b.Requests[i]
			q := p[i*12 : i*12+12]
			binary.LittleEndian.PutUint32(q, r.ID)
			binary.LittleEndian.PutUint64(q[4:], uint64(r.Size))
		}
		d.h.Write(p)
		return
	}
	p := buf[:0]
	for i := range b.Requests {
		r := &b.Requests[i]
		p = binary.LittleEndian.AppendUint32(p, r.ID)
		p = binary.LittleEndian.AppendUint64(p, uint64(r.Size))
		if d.columns&sim.ColumnOps != 0 {
			p = append(p, byte(b.Ops[i]))
		}
		if d.columns&sim.ColumnTTL != 0 {
			p = binary.LittleEndian.AppendUint32(p, b.TTL[i])
			p = binary.LittleEndian.AppendUint32(p, r.Time)
		}
	}
	d.h.Write(p)
}

// addPrompts takes in which requests begin a prompt, after all requests.
func (d *digest) addPrompts(p *sim.Prompts) {
	fmt.Fprintf(d.h, "prompts, reverse %v, token %d\n", p.Reverse, p.TokenBytes)
	for _, w := range p.Words() {
		d.h.Write(binary.LittleEndian.AppendUint64(d.buf[:0], w))
	}
}

// addSizeRule takes in what a request with another size does, at the end.
func (d *digest) addSizeRule(rule string) { fmt.Fprintf(d.h, "sizes %s\n", rule) }

// addTimes takes in the times of requests alone.
func (d *digest) addTimes(reqs []sim.Request) {
	for len(reqs) > 0 {
		n := min(len(reqs), sim.BatchSize)
		if cap(d.buf) < 4*n {
			d.buf = make([]byte, 4*n)
		}
		p := d.buf[:4*n]
		for i := range n {
			binary.LittleEndian.PutUint32(p[4*i:], reqs[i].Time)
		}
		d.h.Write(p)
		reqs = reqs[n:]
	}
}

// sum returns the digest as 32 hex digits.
func (d *digest) sum() string {
	b := d.h.Sum128().Bytes()
	return hex.EncodeToString(b[:])
}

// sumClock returns the digest of the times with their unit.
func (d *digest) sumClock(tick time.Duration) string {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(tick))
	d.h.Write(b[:])
	return d.sum()
}
