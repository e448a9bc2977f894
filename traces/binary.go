package traces

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"cachesim/sim"
)

// A layout describes a binary format whose records all have the same size. The
// formats of a table of layouts share one decoder and one probe.
type layout struct {
	name, doc string
	record    int           // bytes of a record
	big       bool          // big-endian; little-endian otherwise
	tick      time.Duration // unit of the time column; 0: there is none
	unit      float64       // ticks in 1 of the time column, if not 1

	id, size, time, op, ttl, next column

	// one is the size of every object where a record has none.
	one int64
	// ops gives the meaning of op; nil: that of libCacheSim's operations.
	ops func(code uint64) opCode
	// fix derives what no column says from the record b.
	fix func(b []byte, r *Record)
	// check says whether b can be a record, for the probe. It may be nil.
	check func(b []byte) bool
	// same, where it is not empty, is why files of this layout are not
	// recognised by content.
	same string
	// weak says that the probe is never more than Possible.
	weak bool
}

// A column is a number in a binary record. The zero column is absent.
type column struct {
	at, width     int // bytes
	signed, float bool
}

func u8(at int) column  { return column{at: at, width: 1} }
func u16(at int) column { return column{at: at, width: 2} }
func u32(at int) column { return column{at: at, width: 4} }
func u64(at int) column { return column{at: at, width: 8} }
func i32(at int) column { return column{at: at, width: 4, signed: true} }
func i64(at int) column { return column{at: at, width: 8, signed: true} }

// load returns the value of c in the record b, its sign extended to 64 bits.
func (c column) load(b []byte, big bool) uint64 {
	var v uint64
	switch b = b[c.at:]; c.width {
	case 4:
		if v = uint64(binary.LittleEndian.Uint32(b)); big {
			v = uint64(binary.BigEndian.Uint32(b))
		}
	case 8:
		if v = binary.LittleEndian.Uint64(b); big {
			v = binary.BigEndian.Uint64(b)
		}
	case 2:
		if v = uint64(binary.LittleEndian.Uint16(b)); big {
			v = uint64(binary.BigEndian.Uint16(b))
		}
	case 1:
		v = uint64(b[0])
	}
	if c.signed {
		shift := 64 - 8*c.width
		v = uint64(int64(v<<shift) >> shift)
	}
	return v
}

// An opCode is what a format's code for an operation means to a cache.
type opCode uint8

const (
	opGet opCode = iota
	opSet
	opDelete
	opNone  // no operation was recorded; it counts as a read
	opOther // an operation that no cache serves, such as an inquiry; it is left out
	opBad   // not a code of the format
)

// libCacheSimOps maps the operations that all formats of libCacheSim share:
// 0 nop, get, gets, set, add, cas, replace, append, prepend, delete, incr,
// decr, read, write, 14 update.
func libCacheSimOps(code uint64) opCode {
	const table = "\x03\x00\x00\x01\x01\x01\x01\x01\x01\x02\x01\x01\x00\x01\x01"
	if code < uint64(len(table)) {
		return opCode(table[code])
	}
	return opBad
}

// scsiOps maps SCSI commands: READ and WRITE of 6, 10, 12 and 16 bytes. The
// others transfer no blocks.
func scsiOps(code uint64) opCode {
	switch code {
	case 0x08, 0x28, 0xa8, 0x88:
		return opGet
	case 0x0a, 0x2a, 0xaa, 0x8a:
		return opSet
	}
	if code > 0xff {
		return opBad
	}
	return opOther
}

// binaryDecoder decodes records of a layout.
type binaryDecoder struct {
	blocks blockReader
	l      *layout

	records     int64 // that were read, also those that were refused or left out
	none, other int64 // records without an operation, and those left out for theirs
}

func newBinary(r io.Reader, l *layout) *binaryDecoder {
	return &binaryDecoder{blocks: blockReader{r: r, size: l.record}, l: l}
}

func (d *binaryDecoder) Decode(dst []Record) (int, error) {
	for len(dst) > 0 {
		b, err := d.blocks.records(len(dst))
		if err == io.ErrUnexpectedEOF {
			return 0, &SyntaxError{Byte: d.blocks.at, Msg: fmt.Sprintf(
				"the last record has %d of %d bytes: the file is cut off or is not %s", len(b), d.l.record, d.l.name)}
		}
		if err != nil {
			return 0, err
		}
		if n, err := d.decode(dst, b); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// decode fills dst with the records in data, up to the first that is wrong.
func (d *binaryDecoder) decode(dst []Record, data []byte) (n int, err error) {
	l := d.l
	start := len(data)
	defer func() { d.blocks.used(start - len(data)) }()
	// refuse returns an error about column c of record b.
	refuse := func(c column, format string, args ...any) error {
		at := d.blocks.at + int64(start-len(data)-l.record+c.at)
		return &SyntaxError{Byte: at, Msg: fmt.Sprintf(format, args...)}
	}
	for len(data) > 0 {
		b := data[:l.record:l.record]
		data = data[l.record:]
		d.records++
		r := &dst[n]
		*r = Record{Key: l.id.load(b, l.big), Size: l.one}
		if l.size.width > 0 {
			v := l.size.load(b, l.big)
			if v > sim.MaxSize {
				return n, refuse(l.size, "%s", wrongSize(v, l.size.signed))
			}
			r.Size = int64(v)
		}
		if l.time.width > 0 {
			v, ok := l.ticks(b)
			if !ok {
				return n, refuse(l.time, "time %v is out of range", l.time.number(b, l.big))
			}
			r.Time = v
		}
		if l.ttl.width > 0 {
			r.TTL = seconds(int64(l.ttl.load(b, l.big)))
		}
		if l.next.width > 0 {
			if v := int64(l.next.load(b, l.big)); v < -1 {
				return n, refuse(l.next,
					"next access %d is neither an index nor -1: the file is damaged or is not %s", v, l.name)
			}
		}
		if l.fix != nil {
			l.fix(b, r)
			if uint64(r.Size) > sim.MaxSize {
				return n, refuse(l.size, "%s", wrongSize(uint64(r.Size), false))
			}
		}
		keep := true
		if l.op.width > 0 {
			code := l.op.load(b, l.big)
			switch l.meaning(code) {
			case opGet:
			case opSet:
				r.Op = sim.Set
			case opDelete:
				r.Op = sim.Delete
			case opNone:
				d.none++
			case opOther:
				d.other++
				keep = false
			default:
				return n, refuse(l.op, "operation code %d is not one of %s", code, l.name)
			}
		}
		if keep {
			n++
		}
	}
	return n, nil
}

func (d *binaryDecoder) Report() []string {
	var lines []string
	if d.none > 0 {
		lines = append(lines, fmt.Sprintf("read as get: %s without an operation (nop)", countRequests(d.none)))
	}
	if d.other > 0 {
		lines = append(lines, fmt.Sprintf("left out: %s with commands other than read and write", countRequests(d.other)))
	}
	return lines
}

func (l *layout) meaning(code uint64) opCode {
	if l.ops != nil {
		return l.ops(code)
	}
	return libCacheSimOps(code)
}

// number returns the value of c as a number that can be printed.
func (c column) number(b []byte, big bool) any {
	v := c.load(b, big)
	switch {
	case c.float && c.width == 4:
		return math.Float32frombits(uint32(v))
	case c.float:
		return math.Float64frombits(v)
	case c.signed:
		return int64(v)
	}
	return v
}

// ticks returns the time of the record b in ticks of the format.
func (l *layout) ticks(b []byte) (int64, bool) {
	v := l.time.load(b, l.big)
	if l.unit == 0 && !l.time.float {
		return int64(v), l.time.signed || v <= math.MaxInt64
	}
	var f float64
	switch {
	case l.time.float && l.time.width == 4:
		f = float64(math.Float32frombits(uint32(v)))
	case l.time.float:
		f = math.Float64frombits(v)
	default:
		i := int64(v)
		if !l.time.signed && v > math.MaxInt64 {
			return 0, false
		}
		// Whole units, which float64 would round beyond 2^53.
		if u := int64(l.unit); float64(u) == l.unit {
			t := i * u
			return t, i == 0 || t/i == u
		}
		f = float64(i)
	}
	if l.unit != 0 {
		f *= l.unit
	}
	// The comparison is false for NaN.
	if !(f > -math.MaxInt64/2 && f < math.MaxInt64/2) {
		return 0, false
	}
	return int64(math.Floor(f)), true
}

// seconds makes a time to live of a number, of which negative ones mean that
// there is none.
func seconds(n int64) uint32 {
	return uint32(min(max(n, 0), math.MaxUint32))
}

func wrongSize(v uint64, signed bool) string {
	if signed && int64(v) < 0 {
		return fmt.Sprintf("size %d is negative", int64(v))
	}
	return fmt.Sprintf("size %d is more than %d bytes, the most that an object may have", v, int64(sim.MaxSize))
}

// countRequests returns "1 request" or "n requests".
func countRequests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}

// What a probe takes for plausible. They are wide: formats are told apart by
// fields that would be random numbers if they were read at wrong offsets.
const (
	plausibleSize = 1 << 42 // bytes
	plausibleNext = 1 << 44 // requests
	plausibleSpan = 20 * 365 * 24 * time.Hour
)

// probe reports whether all records in head make sense.
func (l *layout) probe(head []byte, whole bool) (Confidence, string) {
	if l.same != "" {
		return No, l.same
	}
	if len(head) < l.record {
		return No, "it is shorter than a record"
	}
	if isText(head) {
		return No, "it is text"
	}
	n := len(head) / l.record
	if rest := len(head) % l.record; whole && rest != 0 && n < 16 {
		return No, fmt.Sprintf("its length is no multiple of the %d bytes of a record of %s", l.record, l.name)
	}
	var first, last int64
	var firstID uint64
	back, zero, other := 0, 0, 0
	for i := range n {
		b := head[i*l.record : (i+1)*l.record]
		at := func(what string) (Confidence, string) {
			return No, fmt.Sprintf("as %s, record %d has an impossible %s", l.name, i+1, what)
		}
		if l.check != nil && !l.check(b) {
			return at("fixed field")
		}
		r := Record{Size: l.one}
		if l.size.width > 0 {
			r.Size = int64(l.size.load(b, l.big))
		}
		if l.fix != nil {
			l.fix(b, &r)
		}
		if r.Size < 0 || r.Size > plausibleSize {
			return at("size")
		}
		if r.Size == 0 {
			zero++
		}
		if l.ttl.width > 0 {
			r.TTL = seconds(int64(l.ttl.load(b, l.big)))
		}
		if time.Duration(r.TTL)*time.Second > plausibleSpan {
			return at("time to live")
		}
		if id := l.id.load(b, l.big); i == 0 {
			firstID = id
		} else if id != firstID {
			other++
		}
		if l.next.width > 0 {
			v := int64(l.next.load(b, l.big))
			if v != -1 && v != math.MaxInt64 && (v <= int64(i) || v > plausibleNext) {
				return at("next access")
			}
		}
		if l.op.width > 0 && l.meaning(l.op.load(b, l.big)) == opBad {
			return at("operation")
		}
		if l.time.width > 0 {
			t, ok := l.ticks(b)
			if !ok {
				return at("time")
			}
			if i == 0 {
				first = t
			} else if t < last {
				back++
			}
			last = t
		}
	}
	// A few records may be out of order where several servers wrote a trace.
	if back*50 > n {
		return No, fmt.Sprintf("as %s, its times do not rise", l.name)
	}
	if l.tick > 0 && (last-first < 0 || float64(last-first)*float64(l.tick) > float64(plausibleSpan)) {
		return No, fmt.Sprintf("as %s, its times span more than %d years", l.name, plausibleSpan/(365*24*time.Hour))
	}
	if zero == n {
		return No, fmt.Sprintf("as %s, all its sizes are 0", l.name)
	}
	if other == 0 && n >= 16 {
		return No, fmt.Sprintf("as %s, all its ids are the same", l.name)
	}
	if n < 4 && l.next.width == 0 {
		return No, fmt.Sprintf("%d records are too few to recognise %s", n, l.name)
	}
	c := Likely
	why := fmt.Sprintf("the fields of %d records of %d bytes make sense as %s", n, l.record, l.name)
	if l.weak || n == 1 {
		c = Possible
	}
	if whole && len(head)%l.record != 0 {
		return Possible, fmt.Sprintf("%s, but its last record is cut off", why)
	}
	return c, why
}

// isText reports whether head has none of the control characters that are not
// white space, and is not mostly of bytes that are of no language.
func isText(head []byte) bool {
	upper := 0
	for _, c := range head {
		if c < ' ' && (c < '\t' || c > '\r') {
			return false
		}
		if c >= utf8.RuneSelf {
			upper++
		}
	}
	return upper*4 <= len(head) || utf8.Valid(head)
}

// format returns the Format of l.
func (l *layout) format() Format {
	return Format{
		Name:  l.name,
		Doc:   l.doc,
		Tick:  l.tick,
		Probe: l.probe,
		New:   func(r io.Reader, _ Args) (Decoder, error) { return newBinary(r, l), nil },
	}
}
