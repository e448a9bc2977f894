package traces

import (
	"bytes"
	"fmt"
	"io"
)

// blockSize is how many bytes decoders read at once.
const blockSize = 256 << 10

// maxLine bounds a line, in bytes: a file without line ends must not fill the
// memory.
const maxLine = 1 << 20

// A lineReader reads text in blocks and cuts it into lines. A byte order mark
// at the start is dropped. Lines stay valid, and may be written to, until the
// next call of fill: a decoder therefore returns the records of one block at
// most, and their texts may point into it.
type lineReader struct {
	line int64 // number of the line that next returned last, from 1

	r          io.Reader
	buf        []byte
	start, end int  // the part of buf that next has not returned
	lineEnd    int  // behind the last line end in buf[start:end]
	begun      bool // the byte order mark was looked for
	err        error
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: r} }

// decode fills dst with the records that parse makes of the lines, for the
// Decode of a text format. Blank lines are left out. parse reports whether the
// line is a record; an error becomes a *SyntaxError with the line's number. It
// may keep parts of line as r.Text; r is zero but for what earlier records left
// in it, so that parse sets every field that its format has.
func (l *lineReader) decode(dst []Record, parse func(line []byte, r *Record) (bool, error)) (n int, err error) {
	return l.decodeAll(dst, nil, parse)
}

// decodeAll is decode for a format that makes several records of a line: rest,
// if it is not nil, sets records of lines before at the start of dst, whose
// first has number at in the batch, and returns how many.
func (l *lineReader) decodeAll(dst []Record, rest func(dst []Record, at int) int, parse func(line []byte, r *Record) (bool, error)) (n int, err error) {
	for n < len(dst) {
		if rest != nil {
			if m := rest(dst[n:], n); m > 0 {
				n += m
				continue
			}
		}
		line, ok, err := l.next()
		if err != nil {
			return n, err
		}
		if !ok {
			if n > 0 {
				return n, nil
			}
			if err := l.fill(); err != nil {
				return 0, err
			}
			continue
		}
		if blankLine(line) {
			continue
		}
		record, err := parse(line, &dst[n])
		if err != nil {
			return n, l.syntax(err)
		}
		if record {
			n++
		}
	}
	return n, nil
}

func blankLine(line []byte) bool {
	for _, c := range line {
		if !blank(c) {
			return false
		}
	}
	return true
}

// syntax returns err as a *SyntaxError at the current line.
func (l *lineReader) syntax(err error) error {
	if s, ok := err.(*SyntaxError); ok {
		return s
	}
	return &SyntaxError{Line: l.line, Msg: err.Error()}
}

// next returns the next line of the block without its end, LF or CR LF; false
// when the block is used up and fill has to be called. A line that is too long
// is a *SyntaxError; the next call continues after it.
func (l *lineReader) next() (line []byte, ok bool, err error) {
	if l.start >= l.lineEnd {
		return nil, false, nil
	}
	l.line++
	line = l.buf[l.start:l.lineEnd]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
		l.start += i + 1
	} else { // the last one, without a line end
		l.start = l.lineEnd
	}
	if len(line) > maxLine {
		return nil, false, l.tooLong()
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, true, nil
}

func (l *lineReader) tooLong() error {
	return &SyntaxError{Line: l.line, Msg: fmt.Sprintf("line is longer than %d bytes", maxLine)}
}

// fill reads the next block, with at least one line in it. It returns io.EOF
// after the last line. Earlier lines are no longer valid.
func (l *lineReader) fill() error {
	if l.buf == nil {
		l.buf = make([]byte, blockSize)
	}
	l.end = copy(l.buf, l.buf[l.start:l.end])
	l.start, l.lineEnd = 0, 0
	for l.err == nil {
		if l.end == len(l.buf) {
			if len(l.buf) > maxLine {
				return l.skipLine()
			}
			l.buf = append(l.buf, make([]byte, len(l.buf))...)
		}
		n, err := l.r.Read(l.buf[l.end:])
		was := l.end
		l.end += n
		l.err = err
		if !l.begun && (l.end >= len(bom) || err != nil) {
			l.begun = true
			if bytes.HasPrefix(l.buf[:l.end], bom) {
				l.end = copy(l.buf, l.buf[len(bom):l.end])
				was = 0
			}
		}
		if i := bytes.LastIndexByte(l.buf[min(was, l.end):l.end], '\n'); i >= 0 && l.begun {
			l.lineEnd = min(was, l.end) + i + 1
			return nil
		}
	}
	// What is left is the last line, or the beginning of one that was cut off
	// by a failing reader.
	if l.err == io.EOF && l.end > 0 {
		if l.lineEnd = bytes.LastIndexByte(l.buf[:l.end], '\n') + 1; l.lineEnd == 0 {
			l.lineEnd = l.end
		}
		return nil
	}
	l.end = 0
	return l.err
}

var bom = []byte("\xef\xbb\xbf")

// skipLine drops a line that does not fit into the buffer.
func (l *lineReader) skipLine() error {
	l.line++
	for l.err == nil {
		n, err := l.r.Read(l.buf)
		l.err = err
		if i := bytes.IndexByte(l.buf[:n], '\n'); i >= 0 {
			l.end = copy(l.buf, l.buf[i+1:n])
			l.lineEnd = bytes.LastIndexByte(l.buf[:l.end], '\n') + 1
			return l.tooLong()
		}
	}
	l.start, l.end, l.lineEnd = 0, 0, 0
	return l.tooLong()
}
