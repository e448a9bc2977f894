package traces

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// IDSize is the format of the published experiment: an id, which may be any
// text without white space, and a size in bytes on each line.
var IDSize = Format{
	Name:  "id-size",
	Doc:   "text, a line a request: id size",
	Probe: func(head []byte, whole bool) (Confidence, string) { return probeColumns(head, whole, 2) },
	New:   newIDSize,
}

// TimeIDSize is the format of webcachesim, AdaptSize and LRB: a time, an id and
// a size in bytes on each line.
var TimeIDSize = Format{
	Name:  "time-id-size",
	Doc:   "text, a line a request: time id size",
	Tick:  time.Second,
	Probe: func(head []byte, whole bool) (Confidence, string) { return probeColumns(head, whole, 3) },
	New:   newTimeIDSize,
}

// probeColumns looks at the number of fields in the first line.
func probeColumns(head []byte, whole bool, want int) (Confidence, string) {
	line, err := firstLine(head, whole)
	if err != nil {
		return No, err.Error()
	}
	var f [4][]byte
	if n := splitBlanks(line, f[:]); n != want {
		return No, fmt.Sprintf("the number of fields in its first line is %d", countFields(line))
	}
	if _, ok := parseUint(f[want-1]); !ok { // as in a configuration file
		return No, fmt.Sprintf("the last field in its first line, %s, is not a size", quote(f[want-1]))
	}
	if _, ok := parseTime(f[0]); !ok && want == 3 {
		return No, fmt.Sprintf("the first field in its first line, %s, is not a time", quote(f[0]))
	}
	return Possible, fmt.Sprintf("its first line has %d fields", want)
}

type idSize struct{ lines *lineReader }

func newIDSize(r io.Reader, _ Args) (Decoder, error) { return &idSize{newLineReader(r)}, nil }

func (d *idSize) Decode(dst []Record) (int, error) { return d.lines.decode(dst, parseIDSize) }

func parseIDSize(line []byte, r *Record) (bool, error) {
	var f [3][]byte
	if n := splitBlanks(line, f[:]); n != 2 {
		return false, fmt.Errorf("want 2 fields, %q, got %d", "id size", countFields(line))
	}
	r.setID(f[0])
	var err error
	r.Size, err = parseSize(f[1])
	return true, err
}

type timeIDSize struct{ lines *lineReader }

func newTimeIDSize(r io.Reader, _ Args) (Decoder, error) { return &timeIDSize{newLineReader(r)}, nil }

func (d *timeIDSize) Decode(dst []Record) (int, error) { return d.lines.decode(dst, parseTimeIDSize) }

func parseTimeIDSize(line []byte, r *Record) (bool, error) {
	var f [4][]byte
	if n := splitBlanks(line, f[:]); n != 3 {
		return false, fmt.Errorf("want 3 fields, %q, got %d", "time id size", countFields(line))
	}
	var ok bool
	if r.Time, ok = parseTime(f[0]); !ok {
		return false, errors.New("time " + quote(f[0]) + " is not a number")
	}
	r.setID(f[1])
	var err error
	r.Size, err = parseSize(f[2])
	return true, err
}
