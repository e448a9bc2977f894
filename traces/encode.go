package traces

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"cachesim/sim"
)

// An Encoding is a format that traces can be written in.
type Encoding struct {
	Name string
	Doc  string
	// columns are the operations and times to live that the format can hold.
	columns sim.Columns
	next    bool // it has next accesses
	oneSize bool // an object has the same size in every request
	new     func(e *encoder) (func(b sim.Batch) error, error)
}

// Encodings lists the formats that Encode writes.
var Encodings = []Encoding{
	{Name: "oracleGeneral", Doc: OracleGeneral.Doc, next: true, new: encodeOracleGeneral},
	{Name: "lcs", Doc: LCS.Doc, columns: sim.ColumnOps | sim.ColumnTTL, next: true, new: encodeLCS},
	{Name: "cachesim", Doc: Cachesim.Doc, columns: sim.ColumnOps | sim.ColumnTTL, oneSize: true, new: encodeCachesim},
	{Name: "id-size", Doc: IDSize.Doc, new: encodeIDSize},
	{Name: "time-id-size", Doc: TimeIDSize.Doc, new: encodeTimeIDSize},
	{Name: "csv", Doc: "text with a header line: time,id,size and, where the trace has them, op and ttl", columns: sim.ColumnOps | sim.ColumnTTL, new: encodeCSV},
}

// Encode writes t in the format of the given name. Times are those since the
// trace's first request; without a clock they are 0. It fails where the format
// cannot hold what the trace has.
func Encode(w io.Writer, t *sim.Trace, format string) error {
	var known []string
	for _, f := range Encodings {
		if f.Name == format {
			if err := f.encode(w, t); err != nil {
				return fmt.Errorf("write trace %s as %s: %w", t.Name, format, err)
			}
			return nil
		}
		known = append(known, f.Name)
	}
	return fmt.Errorf("cannot write traces in format %q%s", format, sim.DidYouMean(format, known))
}

// An encoder is what encodings share.
type encoder struct {
	w *bufio.Writer
	t *sim.Trace
}

func (f *Encoding) encode(w io.Writer, t *sim.Trace) error {
	if missing := t.Columns &^ f.columns; missing&sim.ColumnOps != 0 {
		return errors.New("the format has no operations: leave them out of the trace")
	} else if missing&sim.ColumnTTL != 0 {
		return errors.New("the format has no times to live: leave them out of the trace")
	}
	if f.oneSize && t.SizesVary() {
		return errors.New("the format has one size for an object, and those of the trace change: read it with one, or write csv")
	}
	if t.RequestCosts != nil {
		return errNoCosts
	}
	e := &encoder{w: bufio.NewWriterSize(w, blockSize), t: t}
	write, err := f.new(e)
	if err != nil {
		return err
	}
	columns := f.columns
	if f.next {
		columns |= sim.ColumnNext
	}
	if err := t.Each(columns, func(_ int, b sim.Batch) error { return write(b) }); err != nil {
		return err
	}
	return e.w.Flush()
}

// seconds returns a time in whole seconds.
func (e *encoder) seconds(r sim.Request) int64 {
	return int64(r.Time) * int64(e.t.Tick) / int64(time.Second)
}

// appendSeconds appends a time in seconds, with as many digits of the fraction
// as the trace's unit needs.
func (e *encoder) appendSeconds(b []byte, r sim.Request) []byte {
	ns := int64(r.Time) * int64(e.t.Tick)
	b = strconv.AppendInt(b, ns/int64(time.Second), 10)
	if unit := int64(e.t.Tick) % int64(time.Second); unit != 0 {
		digits := 9
		for unit%10 == 0 {
			unit /= 10
			digits--
		}
		b = append(b, '.')
		b = append(b, fmt.Sprintf("%09d", ns%int64(time.Second))[:digits]...)
	}
	return b
}

// ttl returns a time to live in seconds, rounded up.
func (e *encoder) ttl(ticks uint32) int64 {
	return (int64(ticks)*int64(e.t.Tick) + int64(time.Second) - 1) / int64(time.Second)
}

// index returns a next access as libCacheSim's formats have it: counted from 1,
// or -1 for never.
func index(next uint32) uint64 {
	if next == sim.Never {
		return math.MaxUint64
	}
	return uint64(next) + 1
}

// ids returns the ids of objects as numbers: those that they have or, if one
// is text, their numbers in the order of first requests, from 1.
func (e *encoder) ids() []uint64 {
	ids := make([]uint64, e.t.Objects)
	for i := range ids {
		var ok bool
		if ids[i], ok = plainNumber([]byte(e.t.ObjectName(uint32(i)))); !ok {
			for i := range ids {
				ids[i] = uint64(i) + 1
			}
			break
		}
	}
	return ids
}

func encodeOracleGeneral(e *encoder) (func(sim.Batch) error, error) {
	if e.t.LargestSize > math.MaxUint32 {
		return nil, fmt.Errorf("the format has 32 bits for a size, the largest object has %d bytes", e.t.LargestSize)
	}
	if s := int64(e.t.Span) * int64(e.t.Tick) / int64(time.Second); s > math.MaxUint32 {
		return nil, fmt.Errorf("the format has 32 bits for a time, the trace has %d seconds", s)
	}
	ids := e.ids()
	var buf []byte
	return func(b sim.Batch) error {
		buf = buf[:0]
		for i, r := range b.Requests {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(e.seconds(r)))
			buf = binary.LittleEndian.AppendUint64(buf, ids[r.ID])
			buf = binary.LittleEndian.AppendUint32(buf, uint32(r.Size))
			buf = binary.LittleEndian.AppendUint64(buf, index(b.Next[i]))
		}
		_, err := e.w.Write(buf)
		return err
	}, nil
}

// appendWord appends an id that must not have white space.
func (e *encoder) appendWord(b []byte, id uint32) ([]byte, error) {
	name := e.t.ObjectName(id)
	if name == "" || strings.ContainsAny(name, " \t\r\n") {
		return nil, fmt.Errorf("the id %q of object %d has blanks or is empty", name, id)
	}
	return append(b, name...), nil
}

func encodeIDSize(e *encoder) (func(sim.Batch) error, error)     { return encodeColumns(e, false), nil }
func encodeTimeIDSize(e *encoder) (func(sim.Batch) error, error) { return encodeColumns(e, true), nil }

func encodeColumns(e *encoder, timed bool) func(sim.Batch) error {
	var buf []byte
	return func(b sim.Batch) (err error) {
		buf = buf[:0]
		for _, r := range b.Requests {
			if timed {
				buf = append(e.appendSeconds(buf, r), ' ')
			}
			if buf, err = e.appendWord(buf, r.ID); err != nil {
				return err
			}
			buf = append(strconv.AppendInt(append(buf, ' '), r.Size, 10), '\n')
		}
		_, err = e.w.Write(buf)
		return err
	}
}

func encodeCSV(e *encoder) (func(sim.Batch) error, error) {
	header := []string{"time", "id", "size"}
	if e.t.Tick == 0 {
		header = header[1:]
	}
	if e.t.Columns&sim.ColumnOps != 0 {
		header = append(header, "op")
	}
	if e.t.Columns&sim.ColumnTTL != 0 {
		header = append(header, "ttl")
	}
	e.w.WriteString(strings.Join(header, ",") + "\n") // a failure is kept for Flush
	var buf []byte
	return func(b sim.Batch) error {
		buf = buf[:0]
		for i, r := range b.Requests {
			if e.t.Tick != 0 {
				buf = append(e.appendSeconds(buf, r), ',')
			}
			name := e.t.ObjectName(r.ID)
			switch {
			case strings.ContainsAny(name, "\r\n"):
				return fmt.Errorf("the id %q of object %d has a line end", name, r.ID)
			case name == "" || strings.ContainsAny(name, "\",") || strings.TrimSpace(name) != name:
				buf = append(buf, '"')
				buf = append(buf, strings.ReplaceAll(name, `"`, `""`)...)
				buf = append(buf, '"')
			default:
				buf = append(buf, name...)
			}
			buf = strconv.AppendInt(append(buf, ','), r.Size, 10)
			if b.Ops != nil {
				buf = append(append(buf, ','), b.Ops[i].String()...)
			}
			if b.TTL != nil {
				buf = strconv.AppendInt(append(buf, ','), e.ttl(b.TTL[i]), 10)
			}
			buf = append(buf, '\n')
		}
		_, err := e.w.Write(buf)
		return err
	}, nil
}

// EncodingNames lists the formats that Encode writes by their names.
func EncodingNames() []string {
	var names []string
	for _, f := range Encodings {
		names = append(names, f.Name)
	}
	return names
}
