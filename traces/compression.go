package traces

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compressions are told apart by the first bytes of the file, not by its name.
var compressions = []struct {
	name  string
	magic []byte
	open  func(*bufio.Reader) (io.Reader, error)
}{
	{"gzip", []byte{0x1f, 0x8b}, openGzip},
	{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, openZstd},
	{"zstd", []byte{0x50, 0x2a, 0x4d, 0x18}, openZstd}, // pzstd puts a frame to skip in front
	{"xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0}, openXZ},
}

// decompress returns r without its compression, if it has any.
func decompress(r *bufio.Reader) (*stream, error) {
	head, err := r.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for _, c := range compressions {
		if bytes.HasPrefix(head, c.magic) {
			s := &stream{compression: c.name}
			if s.r, err = c.open(r); err != nil {
				return nil, s.explain(err)
			}
			return s, nil
		}
	}
	return &stream{r: r}, nil
}

// stream is the plain data of a trace. An error ends it for good, and never is
// io.ErrUnexpectedEOF itself, lest a cut file be taken for the end of a trace.
type stream struct {
	r           io.Reader
	compression string
	err         error
}

func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = s.explain(err)
	}
	s.err = err
	return n, err
}

// stop ends the goroutines of a decompressor whose data is no longer wanted. It
// does not wait for them: one may wait for more of a pipe.
func (s *stream) stop() {
	if d, ok := s.r.(*zstd.Decoder); ok {
		go d.Close()
	}
}

func (s *stream) explain(err error) error {
	if s.compression == "" {
		return fmt.Errorf("it cannot be read to its end: %w", err)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("its %s data is damaged or cut off: %w", s.compression, err)
}

// members reads the parts of which a gzip file may consist. gzip.Reader can do
// so itself, but takes a cut in the header of a later part for the end.
type members struct {
	z *gzip.Reader
	r *bufio.Reader
}

func openGzip(r *bufio.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &members{z, r}, nil
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if err != io.EOF {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if _, err := m.r.Peek(1); err != nil {
			return 0, err
		}
		if err := m.z.Reset(m.r); err == io.EOF {
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
		m.z.Multistream(false)
	}
}

func openZstd(r *bufio.Reader) (io.Reader, error) { return zstd.NewReader(r) }

// openXZ lengthens the file by padding, which is legal between streams. The
// end of the file would be taken for the end of the stream where it lies before
// or in the header of a block; padding is no header.
func openXZ(r *bufio.Reader) (io.Reader, error) {
	const header = 1024 // bytes, of the longest one
	return xz.NewReader(io.MultiReader(r, bytes.NewReader(make([]byte, header))))
}
