package traces

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// blank reports whether c separates fields, or fields and lines.
func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// cutField returns the first field of a line whose fields are separated by
// blanks or tabs, and what follows it; nil where there is none.
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

// countFields returns how many fields separated by blanks line has.
func countFields(line []byte) (n int) {
	for {
		var field []byte
		if field, line = cutField(line); field == nil {
			return n
		}
		n++
	}
}

// splitBlanks fills dst with the first fields of a line whose fields are
// separated by blanks, and returns how many there are: at most len(dst).
func splitBlanks(line []byte, dst [][]byte) int {
	i := 0
	for n := range dst {
		for i < len(line) && blank(line[i]) {
			i++
		}
		if i == len(line) {
			return n
		}
		j := i + 1
		for j < len(line) && !blank(line[j]) {
			j++
		}
		dst[n] = line[i:j]
		i = j
	}
	return len(dst)
}

// split fills dst with the fields of line, which delim separates, and returns
// how many there are. There is one more than there are delimiters, even if it
// is empty; of more fields than dst has, the last in dst has the rest. Quotes
// have no meaning.
func split(line []byte, delim byte, dst [][]byte) int {
	if len(dst) == 0 {
		return 0
	}
	for n := range len(dst) - 1 {
		i := bytes.IndexByte(line, delim)
		if i < 0 {
			dst[n] = line
			return n + 1
		}
		dst[n], line = line[:i], line[i+1:]
	}
	dst[len(dst)-1] = line
	return len(dst)
}

// splitQuoted is split for CSV: a field may be in double quotes, and then has
// delimiters as they are and double quotes twice (RFC 4180). It appends to dst,
// and writes the fields without their quotes into line. A field cannot have a
// line end.
func splitQuoted(line []byte, delim byte, dst [][]byte) ([][]byte, error) {
	for {
		if len(line) == 0 || line[0] != '"' {
			i := bytes.IndexByte(line, delim)
			if i < 0 {
				return append(dst, line), nil
			}
			dst = append(dst, line[:i])
			line = line[i+1:]
			continue
		}
		field, rest, ok := cutQuoted(line[1:])
		if !ok {
			return dst, fmt.Errorf("field %d has no closing quote", len(dst)+1)
		}
		dst = append(dst, field)
		if len(rest) == 0 {
			return dst, nil
		}
		if rest[0] != delim {
			return dst, fmt.Errorf("field %d goes on behind its closing quote", len(dst))
		}
		line = rest[1:]
	}
}

// cutQuoted returns what is up to the closing double quote, two of which stand
// for one, and what follows it. It may write to line.
func cutQuoted(line []byte) (field, rest []byte, ok bool) {
	to := 0
	for i := 0; ; {
		j := bytes.IndexByte(line[i:], '"')
		if j < 0 {
			return nil, nil, false
		}
		if i > 0 {
			copy(line[to:], line[i:i+j])
		}
		to += j
		i += j + 1
		if i == len(line) || line[i] != '"' {
			return line[:to], line[i:], true
		}
		line[to] = '"'
		to++
		i++
	}
}

// quote shows a field in an error, shortened.
func quote(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("%q...", b[:40])
	}
	return fmt.Sprintf("%q", b)
}

// setID sets the id of r to a field. An id that is a plain decimal number below
// 2^64 is kept as a number, which takes less memory; "007" and "7" stay
// different objects.
func (r *Record) setID(field []byte) {
	if key, ok := plainNumber(field); ok {
		r.Key, r.Text = key, nil
	} else {
		r.Text = field
	}
}

// plainNumber returns the number that b is the usual decimal notation of.
func plainNumber(b []byte) (uint64, bool) {
	if len(b) == 0 || b[0] == '0' && len(b) > 1 {
		return 0, false
	}
	return parseUint(b)
}

// parseUint reads decimal digits: a number below 2^64 without a sign.
func parseUint(b []byte) (uint64, bool) {
	if len(b)-1 >= 20 || len(b) == 0 {
		return 0, false
	}
	short := len(b) < 20 // cannot overflow
	var n uint64
	if len(b) >= 8 {
		v := binary.LittleEndian.Uint64(b)
		// All 8 bytes are digits: neither adding 0x46 nor subtracting 0x30
		// carries into the highest bit of one.
		if ((v+0x4646464646464646)|(v-0x3030303030303030))&0x8080808080808080 != 0 {
			return 0, false
		}
		v -= 0x3030303030303030
		v = v*10 + v>>8
		n = (v&0x000000ff000000ff*(100+1000000<<32) + v>>16&0x000000ff000000ff*(1+10000<<32)) >> 32
		b = b[8:]
	}
	if short {
		for _, c := range b {
			d := uint64(c - '0')
			if d > 9 {
				return 0, false
			}
			n = n*10 + d
		}
		return n, true
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// parseInt reads a decimal number that may have a minus sign.
func parseInt(b []byte) (int64, bool) {
	if len(b) > 0 && b[0] == '-' {
		n, ok := parseUint(b[1:])
		return -int64(n), ok && n <= 1<<63
	}
	n, ok := parseUint(b)
	return int64(n), ok && n <= math.MaxInt64
}

// parseSize reads a size in bytes.
func parseSize(b []byte) (int64, error) {
	n, ok := parseUint(b)
	if !ok || n > math.MaxInt64 {
		return 0, fmt.Errorf("size %s is not a number of bytes", quote(b))
	}
	return int64(n), nil
}

// parseTime reads the whole part of a decimal number, which may be negative.
func parseTime(b []byte) (int64, bool) { return parseDecimal(b, 0) }

// parseDecimal reads a decimal number, which may be negative and have a
// fraction, and returns it multiplied by 10^digits; what is behind is cut off:
// with 3 digits, "1.23456" is 1234.
func parseDecimal(b []byte, digits int) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	var frac []byte
	if dot := bytes.IndexByte(b, '.'); dot >= 0 {
		if frac = b[dot+1:]; len(frac) == 0 {
			return 0, false
		}
		b = b[:dot]
	}
	n, ok := parseUint(b)
	if !ok {
		return 0, false
	}
	for _, c := range frac {
		if c-'0' > 9 {
			return 0, false
		}
	}
	for i := range digits {
		var d uint64
		if i < len(frac) {
			d = uint64(frac[i] - '0')
		}
		if n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if n > math.MaxInt64 {
		return 0, false
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

// parseHex reads hexadecimal digits: a number below 2^64, with or without 0x.
func parseHex(b []byte) (uint64, bool) {
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		b = b[2:]
	}
	if len(b) == 0 {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		var d byte
		switch {
		case c-'0' <= 9:
			d = c - '0'
		case c|0x20-'a' <= 5:
			d = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		if n>>60 != 0 {
			return 0, false
		}
		n = n<<4 | uint64(d)
	}
	return n, true
}

// firstLine returns the first line of head that is not blank, without its end.
// It fails where head is not text, or the line is cut off.
func firstLine(head []byte, whole bool) ([]byte, error) {
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, errors.New("it is binary")
	}
	head = bytes.TrimPrefix(head, bom)
	for len(head) > 0 {
		line, rest, found := bytes.Cut(head, []byte{'\n'})
		if !found && !whole {
			return nil, errors.New("its first line is cut off")
		}
		if !blankLine(line) {
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
		head = rest
	}
	return nil, errors.New("it is blank")
}
