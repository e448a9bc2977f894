package traces

import "io"

// A blockReader reads binary records of a fixed size in blocks.
type blockReader struct {
	at   int64 // offset of the first byte that is not used
	size int   // of a record, in bytes

	r          io.Reader
	buf        []byte
	start, end int
	err        error
}

// records returns the next 1 to most records, which stay valid until the next
// call; the caller says how much of them it has used. After the last one it
// returns io.EOF. If the file ends within a record, it returns its bytes and
// io.ErrUnexpectedEOF, and then io.EOF.
func (b *blockReader) records(most int) ([]byte, error) {
	if b.buf == nil {
		b.buf = make([]byte, max(blockSize/b.size, 1)*b.size)
	}
	if b.end-b.start < b.size {
		b.end = copy(b.buf, b.buf[b.start:b.end])
		b.start = 0
		for b.err == nil && b.end < b.size {
			var n int
			n, b.err = b.r.Read(b.buf[b.end:])
			b.end += n
		}
		if b.end < b.size {
			rest := b.buf[:b.end]
			b.end = 0
			if b.err == io.EOF && len(rest) > 0 {
				return rest, io.ErrUnexpectedEOF
			}
			return nil, b.err
		}
	}
	n := min((b.end-b.start)/b.size, most) * b.size
	return b.buf[b.start : b.start+n], nil
}

// used advances by n bytes.
func (b *blockReader) used(n int) {
	b.start += n
	b.at += int64(n)
}
