package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"

	"cachesim/sim"
)

// LCS is the format of libCacheSim with a header, which has counts and says of
// which of eight layouts the records are. An earlier header, until 2024, gives
// the layout as a format string.
var LCS = Format{
	Name: "lcs",
	Doc:  "binary, a header and 24 to 100 bytes a request: libCacheSim's format, versions 1 to 8",
	Tick: time.Second,
	Probe: func(head []byte, whole bool) (Confidence, string) {
		if len(head) < 8 || binary.LittleEndian.Uint64(head) != lcsMagic {
			return No, "it does not start with the magic number of lcs"
		}
		return Certain, "it starts with the magic number of lcs"
	},
	New: func(r io.Reader, _ Args) (Decoder, error) { return &lcs{r: r}, nil },
}

const (
	lcsMagic     = 0x123456789abcdef0
	lcsHeader    = 8192 // bytes
	lcsOldHeader = 1024
)

// lcsLayout returns the layout of a version's records.
func lcsLayout(version uint64) (*layout, bool) {
	l := &layout{name: "lcs", tick: time.Second, time: u32(0), id: u64(4)}
	switch {
	case version == 1:
		l.record, l.size, l.next = 24, u32(12), i64(16)
	case version == 2:
		l.record, l.size, l.op, l.next = 28, u32(12), u8(16), i64(20)
	case version >= 3 && version <= 8:
		// Versions 4 to 8 append 1, 2, 4, 8 and 16 features of 32 bits.
		l.record, l.size, l.op, l.ttl, l.next = 36, i64(12), u8(20), i32(24), i64(28)
		if version > 3 {
			l.record += 4 << (version - 4)
		}
	default:
		return nil, false
	}
	return l, true
}

// lcs decodes the records behind a header.
type lcs struct {
	r    io.Reader
	d    *binaryDecoder
	err  error // that Decode returns instead
	said struct{ requests, bytes int64 }
	// bytes is the sum of the sizes of the records.
	bytes int64
	bad   int64 // records that were errors
}

func (d *lcs) Decode(dst []Record) (int, error) {
	if d.d == nil && d.err == nil {
		d.err = d.open()
	}
	if d.err != nil {
		err := d.err
		d.err = io.EOF
		return 0, err
	}
	n, err := d.d.Decode(dst)
	for _, r := range dst[:n] {
		d.bytes += r.Size
	}
	if err == io.EOF {
		d.err = io.EOF
		if want := d.said.requests; want != d.d.records {
			return n, &SyntaxError{Byte: d.d.blocks.at, Msg: fmt.Sprintf(
				"its header says that it has %d requests, but it has %d: the file is cut off or damaged", want, d.d.records)}
		}
	} else if err != nil {
		d.bad++
	}
	return n, err
}

// open reads the header, whose length follows from where the second magic
// number is.
func (d *lcs) open() error {
	h := make([]byte, lcsHeader)
	n, err := io.ReadFull(d.r, h[:lcsOldHeader])
	if err != nil {
		return headerCut(n, err)
	}
	if binary.LittleEndian.Uint64(h) != lcsMagic {
		return &SyntaxError{Msg: "it does not start with the magic number of lcs"}
	}
	if binary.LittleEndian.Uint64(h[lcsOldHeader-8:]) == lcsMagic {
		return d.old(h[:lcsOldHeader])
	}
	n, err = io.ReadFull(d.r, h[lcsOldHeader:])
	if err != nil {
		return headerCut(lcsOldHeader+n, err)
	}
	if binary.LittleEndian.Uint64(h[lcsHeader-8:]) != lcsMagic {
		return &SyntaxError{Byte: lcsHeader - 8, Msg: "its header does not end with the magic number of lcs: the file is damaged"}
	}
	version := binary.LittleEndian.Uint64(h[8:])
	l, ok := lcsLayout(version)
	if !ok {
		return &SyntaxError{Byte: 8, Msg: fmt.Sprintf("version %d of lcs is not one of 1 to 8", version)}
	}
	d.said.requests = int64(binary.LittleEndian.Uint64(h[24:]))
	d.said.bytes = int64(binary.LittleEndian.Uint64(h[40:]))
	d.start(l, lcsHeader)
	return nil
}

func headerCut(n int, err error) error {
	if err != io.ErrUnexpectedEOF && err != io.EOF {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	return &SyntaxError{Byte: int64(n), Msg: "the file ends in its header"}
}

// old reads the header that was used until 2024.
func (d *lcs) old(h []byte) error {
	format, _, _ := bytes.Cut(h[8:248], []byte{0})
	fields, size, err := parseBinaryFormat(string(format))
	if err != nil {
		return &SyntaxError{Byte: 8, Msg: err.Error()}
	}
	l := &layout{name: "lcs", record: size, tick: time.Second}
	if item := binary.LittleEndian.Uint32(h[1004:]); int64(item) != int64(size) {
		return &SyntaxError{Byte: 1004, Msg: fmt.Sprintf("its header says that a record has %d bytes, but the format %s has %d", item, quote(format), size)}
	}
	// 248: id, size, time, last access, next access, operation, TTL, counted
	// from 1; 0 is absent.
	for i, c := range []*column{&l.id, &l.size, &l.time, nil, &l.next, &l.op, &l.ttl} {
		n := int(h[248+i])
		switch {
		case n > len(fields):
			return &SyntaxError{Byte: int64(248 + i), Msg: fmt.Sprintf("its header names field %d, but the format %s has %d", n, quote(format), len(fields))}
		case n > 0 && c != nil:
			*c = fields[n-1]
		}
	}
	if l.id.width == 0 {
		return &SyntaxError{Byte: 248, Msg: "its header names no field with the id"}
	}
	if l.size.width == 0 {
		l.one = 1
	}
	d.said.requests = int64(binary.LittleEndian.Uint64(h[488:]))
	d.said.bytes = int64(binary.LittleEndian.Uint64(h[504:]))
	d.start(l, lcsOldHeader)
	return nil
}

// lcsOps are the numbers of operations in libCacheSim.
var lcsOps = [...]byte{sim.Get: 1, sim.Set: 3, sim.Delete: 9}

// encodeLCS writes the header in use since 2024, and records of the first version
// that has what the trace has: 1, with operations 2, and with times to live or
// sizes above 32 bits 3. The statistics of the header beyond the counts are 0.
func encodeLCS(e *encoder) (func(sim.Batch) error, error) {
	if s := int64(e.t.Span) * int64(e.t.Tick) / int64(time.Second); s > math.MaxUint32 {
		return nil, fmt.Errorf("the format has 32 bits for a time, the trace has %d seconds", s)
	}
	version := uint64(1)
	switch {
	case e.t.Columns&sim.ColumnTTL != 0 || e.t.LargestSize > math.MaxUint32:
		version = 3
	case e.t.Columns&sim.ColumnOps != 0:
		version = 2
	}
	h := make([]byte, lcsHeader)
	for at, v := range map[int]uint64{
		0: lcsMagic, 8: version, 16: 1, // of the statistics
		24: uint64(e.t.Requests), 32: uint64(e.t.Objects), 40: uint64(e.t.RequestBytes), 48: uint64(e.t.Footprint),
		lcsHeader - 8: lcsMagic,
	} {
		binary.LittleEndian.PutUint64(h[at:], v)
	}
	e.w.Write(h) // a failure is kept for Flush
	ids := e.ids()
	var buf []byte
	return func(b sim.Batch) error {
		buf = buf[:0]
		for i, r := range b.Requests {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(e.seconds(r)))
			buf = binary.LittleEndian.AppendUint64(buf, ids[r.ID])
			op, ttl := lcsOps[sim.Get], int64(0)
			if b.Ops != nil {
				op = lcsOps[b.Ops[i]]
			}
			if b.TTL != nil {
				ttl = min(e.ttl(b.TTL[i]), math.MaxInt32)
			}
			switch version {
			case 1:
				buf = binary.LittleEndian.AppendUint32(buf, uint32(r.Size))
			case 2: // the tenant, which there is none of, has 24 bits
				buf = binary.LittleEndian.AppendUint32(buf, uint32(r.Size))
				buf = append(buf, op, 0, 0, 0)
			default:
				buf = binary.LittleEndian.AppendUint64(buf, uint64(r.Size))
				buf = append(buf, op, 0, 0, 0)
				buf = binary.LittleEndian.AppendUint32(buf, uint32(ttl))
			}
			buf = binary.LittleEndian.AppendUint64(buf, index(b.Next[i]))
		}
		_, err := e.w.Write(buf)
		return err
	}, nil
}

func (d *lcs) start(l *layout, header int64) {
	d.d = newBinary(d.r, l)
	d.d.blocks.at = header
}

func (d *lcs) Report() []string {
	if d.d == nil {
		return nil
	}
	lines := d.d.Report()
	if d.err == io.EOF && d.bad == 0 && d.bytes != d.said.bytes {
		lines = append(lines, fmt.Sprintf("its header says that its requests have %d bytes together, but they have %d", d.said.bytes, d.bytes))
	}
	return lines
}
