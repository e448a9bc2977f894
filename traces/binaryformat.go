package traces

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Binary is any binary format whose records all have the same fields, which its
// parameters describe.
var Binary = Format{
	Name: "binary",
	Doc:  "binary, records of a layout that the parameters give",
	Tick: time.Nanosecond,
	Params: []Param{
		{"format", "", "fields of a record, packed, as in Python's struct: < or > and then c b B h H i I l L q Q f d x, " +
			"with counts: <IQIq"},
		{"id", "", "number of the field with the id, from 1"},
		{"size", "", "field with the size in bytes; none: every object has size 1"},
		{"time", "", "field with the time"},
		{"op", "", "field with the operation, by libCacheSim's numbers"},
		{"ttl", "", "field with the time to live in seconds"},
		{"next", "", "field with the next access, which is only checked: an index or -1"},
		{"time-unit", "s", "unit of the time: s, ms, us or ns"},
	},
	Probe: func([]byte, bool) (Confidence, string) { return No, anyBytes },
	New: func(r io.Reader, args Args) (Decoder, error) {
		l, err := customLayout(args)
		if err != nil {
			return nil, err
		}
		return &customBinary{newBinary(r, l)}, nil
	},
}

// customBinary is the decoder of Binary.
type customBinary struct{ *binaryDecoder }

// Tick returns the unit of the times, if there are any.
func (d *customBinary) Tick() time.Duration { return d.l.tick }

func (d *customBinary) Report() []string {
	lines := d.binaryDecoder.Report()
	if d.l.size.width == 0 {
		lines = append(lines, noSizes)
	}
	return lines
}

const noSizes = "the trace has no sizes: every object has size 1"

// customLayout makes a layout of the parameters of Binary.
func customLayout(args Args) (*layout, error) {
	if args["format"] == "" || args["id"] == "" {
		return nil, errors.New(`the format "binary" needs the parameters format and id, as in format=<IQI id=2 size=3 time=1`)
	}
	fields, size, err := parseBinaryFormat(args["format"])
	if err != nil {
		return nil, err
	}
	l := &layout{name: "binary", record: size, big: args["format"][0] == '>'}
	taken := make(map[int]string)
	for _, p := range []struct {
		name string
		c    *column
	}{{"id", &l.id}, {"size", &l.size}, {"time", &l.time}, {"op", &l.op}, {"ttl", &l.ttl}, {"next", &l.next}} {
		v := args[p.name]
		if v == "" {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > len(fields) {
			return nil, fmt.Errorf("%s=%s is not a field from 1 to %d, of which format=%s has them", p.name, v, len(fields), args["format"])
		}
		if taken[n] != "" {
			return nil, fmt.Errorf("%s and %s are both field %d", taken[n], p.name, n)
		}
		taken[n] = p.name
		*p.c = fields[n-1]
		if p.c.float && p.name != "time" {
			return nil, fmt.Errorf("%s=%d is a floating point number, which only a time may be", p.name, n)
		}
	}
	if l.size.width == 0 {
		l.one = 1
	}
	if l.time.width > 0 {
		unit, err := parseTimeUnit(args["time-unit"])
		if err != nil {
			return nil, err
		}
		l.tick, l.unit = time.Nanosecond, float64(unit)
	}
	return l, nil
}

// parseTimeUnit reads the name of a unit of time.
func parseTimeUnit(s string) (time.Duration, error) {
	switch s {
	case "s":
		return time.Second, nil
	case "ms":
		return time.Millisecond, nil
	case "us":
		return time.Microsecond, nil
	case "ns":
		return time.Nanosecond, nil
	}
	return 0, fmt.Errorf("unknown unit of time %q: one of s, ms, us, ns", s)
}

// parseBinaryFormat returns the fields of a format string as Python's struct has
// them, with standard sizes and without padding, and the bytes of a record.
func parseBinaryFormat(s string) (fields []column, size int, err error) {
	if strings.ContainsAny(s, "<>=@!") && !strings.HasPrefix(s, "<") && !strings.HasPrefix(s, ">") {
		return nil, 0, fmt.Errorf("format %q does not start with < or >, the only byte orders", s)
	}
	codes := strings.TrimLeft(s[:min(1, len(s))], "<>") + s[min(1, len(s)):]
	for i := 0; i < len(codes); i++ {
		count := 1
		if j := i; codes[j] >= '0' && codes[j] <= '9' {
			for j < len(codes) && codes[j] >= '0' && codes[j] <= '9' {
				j++
			}
			if count, err = strconv.Atoi(codes[i:j]); err != nil || count < 1 || count > maxRecord || j == len(codes) {
				return nil, 0, fmt.Errorf("format %q has the count %s without a field", s, codes[i:j])
			}
			i = j
		}
		c, ok := map[byte]column{
			'x': {width: 1}, 'c': {width: 1}, 'b': {width: 1, signed: true}, 'B': {width: 1},
			'h': {width: 2, signed: true}, 'H': {width: 2},
			'i': {width: 4, signed: true}, 'I': {width: 4}, 'l': {width: 4, signed: true}, 'L': {width: 4},
			'q': {width: 8, signed: true}, 'Q': {width: 8},
			'f': {width: 4, float: true}, 'd': {width: 8, float: true},
		}[codes[i]]
		if !ok {
			return nil, 0, fmt.Errorf("format %q has %q, which is none of c b B h H i I l L q Q f d x", s, codes[i])
		}
		for range count {
			c.at = size
			size += c.width
			if codes[i] != 'x' { // padding is no field
				fields = append(fields, c)
			}
		}
		if size > maxRecord {
			return nil, 0, fmt.Errorf("format %q has more than %d bytes a record", s, maxRecord)
		}
	}
	if len(fields) == 0 {
		return nil, 0, fmt.Errorf("format %q has no fields", s)
	}
	return fields, size, nil
}

// maxRecord bounds the bytes of a record.
const maxRecord = 1 << 16
