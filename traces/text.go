package traces

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
)

// IDSize is the format of the published experiment: an id, which may be any
// text without white space, and a size in bytes on each line.
var IDSize = Format{
	Name:       "id-size",
	Doc:        "text, a line a request: id size",
	Match:      func(head []byte, whole bool) bool { return columns(head, whole) == 2 },
	NewDecoder: func(r io.Reader) Decoder { return newLines(r, false) },
}

// TimeIDSize is the format of webcachesim, AdaptSize and LRB: a time, an id and
// a size in bytes on each line.
var TimeIDSize = Format{
	Name:       "time-id-size",
	Doc:        "text, a line a request: time id size",
	Clock:      true,
	Match:      func(head []byte, whole bool) bool { return columns(head, whole) == 3 },
	NewDecoder: func(r io.Reader) Decoder { return newLines(r, true) },
}

// columns returns how many fields the first line that has any has, or 0 where
// head is not text.
func columns(head []byte, whole bool) int {
	if bytes.IndexByte(head, 0) >= 0 {
		return 0
	}
	for len(head) > 0 {
		line, rest, found := bytes.Cut(head, []byte{'\n'})
		if !found && !whole {
			return 0
		}
		if n := countFields(line); n > 0 {
			return n
		}
		head = rest
	}
	return 0
}

// lines decodes both text formats. Fields are parted by blanks or tabs; lines
// may end in CR LF; empty lines are passed over.
type lines struct {
	r     *bufio.Reader
	long  []byte // a line longer than r's buffer
	timed bool
	line  int64
}

func newLines(r io.Reader, timed bool) *lines {
	return &lines{r: bufio.NewReaderSize(r, 1<<16), timed: timed}
}

// maxLine bounds a line, lest a file without line ends fill the memory.
const maxLine = 1 << 20

func (d *lines) Decode(r *Record) error {
	for {
		line, err := d.next()
		if err != nil {
			return err
		}
		var field [4][]byte
		n := 0
		for rest := line; n < len(field); n++ {
			field[n], rest = cutField(rest)
			if field[n] == nil {
				break
			}
		}
		if n == 0 {
			continue
		}
		return d.record(r, field[:n], line)
	}
}

func (d *lines) record(r *Record, field [][]byte, line []byte) error {
	want, names := 2, `"id size"`
	if d.timed {
		want, names = 3, `"time id size"`
	}
	if len(field) != want {
		return d.errorf("want %d fields, %s, got %d", want, names, countFields(line))
	}
	if d.timed {
		t, ok := parseTime(field[0])
		if !ok {
			return d.errorf("time %s is not a number", quote(field[0]))
		}
		r.Time = t
		field = field[1:]
	}
	size, ok := parseUint(field[1])
	if !ok || size > math.MaxInt64 {
		return d.errorf("size %s is not a number of bytes", quote(field[1]))
	}
	r.Size = int64(size)
	// Ids that are plain decimal numbers take less memory as numbers; "007"
	// and "7" stay apart.
	if key, ok := parseUint(field[0]); ok && (len(field[0]) == 1 || field[0][0] != '0') {
		r.Key, r.Text = key, nil
	} else {
		r.Text = field[0]
	}
	return nil
}

func (d *lines) next() ([]byte, error) {
	line, err := d.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		d.long = append(d.long[:0], line...)
		for err == bufio.ErrBufferFull && len(d.long) < maxLine {
			line, err = d.r.ReadSlice('\n')
			d.long = append(d.long, line...)
		}
		if err == bufio.ErrBufferFull {
			d.line++
			return nil, d.errorf("line is longer than %d bytes", maxLine)
		}
		line = d.long
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	d.line++
	return line, nil
}

func (d *lines) errorf(format string, args ...any) error {
	return &SyntaxError{Line: d.line, Msg: fmt.Sprintf(format, args...)}
}

// quote shows a field in an error, shortened.
func quote(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("%q...", b[:40])
	}
	return fmt.Sprintf("%q", b)
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// cutField returns the first field of line, nil where there is none.
func cutField(line []byte) (field, rest []byte) {
	i := 0
	for i < len(line) && blank(line[i]) {
		i++
	}
	j := i
	for j < len(line) && !blank(line[j]) {
		j++
	}
	if i == j {
		return nil, nil
	}
	return line[i:j], line[j:]
}

func countFields(line []byte) (n int) {
	for {
		var field []byte
		if field, line = cutField(line); field == nil {
			return n
		}
		n++
	}
}

func parseUint(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// parseTime reads the whole part of a decimal number, which may be negative.
func parseTime(b []byte) (int64, bool) {
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	whole, frac, dot := bytes.Cut(b, []byte{'.'})
	n, ok := parseUint(whole)
	if !ok || n > math.MaxInt64 {
		return 0, false
	}
	if dot && (len(frac) == 0 || len(bytes.Trim(frac, "0123456789")) > 0) {
		return 0, false
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}
