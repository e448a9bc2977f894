package traces

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// compressions are detected from the first bytes of the file, not from its name.
var compressions = []struct {
	name  string
	magic []byte
	open  func(*bufio.Reader) (io.Reader, error)
}{
	{"gzip", []byte{0x1f, 0x8b}, openGzip},
	{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, openZstd},
	{"xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0}, openXZ},
	{"bzip2", []byte("BZh"), func(r *bufio.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"lz4", []byte{0x04, 0x22, 0x4d, 0x18}, openLZ4},
}

// decompress returns r without its compression, if it has any.
func decompress(r *bufio.Reader) (*stream, error) {
	skipped, err := skipFrames(r)
	if err != nil {
		return nil, err
	}
	head, err := r.Peek(6)
	if err != nil && err != io.EOF {
		return nil, (&stream{}).explain(err)
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
	if skipped && len(head) > 0 {
		return nil, errors.New("its data is neither zstd nor lz4, although it starts with a frame as both have")
	}
	return &stream{r: r}, nil
}

// skipFrames skips frames without data, which zstd and lz4 may have in front:
// pzstd writes one before each frame.
func skipFrames(r *bufio.Reader) (skipped bool, err error) {
	for {
		head, err := r.Peek(8)
		if len(head) < 4 || head[0]&0xf0 != 0x50 || !bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}) {
			if err == io.EOF {
				err = nil
			}
			if err != nil {
				err = (&stream{}).explain(err)
			}
			return skipped, err
		}
		skipped = true
		s := &stream{compression: "zstd or lz4"}
		if err != nil {
			return true, s.explain(err)
		}
		// Discard takes an int, which may have 32 bits.
		if _, err := io.CopyN(io.Discard, r, 8+int64(binary.LittleEndian.Uint32(head[4:]))); err != nil {
			return true, s.explain(err)
		}
	}
}

// stream is the plain data of a trace. An error ends it for good, and never is
// io.ErrUnexpectedEOF itself, so that a cut file is not taken for the end of a
// trace.
type stream struct {
	r           io.Reader
	compression string
	err         error
	inner       *stream // what r reads from in the end, nil if it is no stream
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

// stop ends the goroutines of a decompressor whose data is no longer wanted. Where
// it does not wait for them, they may read on: one may wait for more of a pipe.
func (s *stream) stop(wait bool) {
	if d, ok := s.r.(*zstd.Decoder); ok {
		if wait {
			d.Close()
		} else {
			go d.Close()
		}
	}
	if s.inner != nil {
		s.inner.stop(wait)
	}
}

// A streamError says already what is wrong with which data.
type streamError struct{ error }

func (e streamError) Unwrap() error { return e.error }

func (s *stream) explain(err error) error {
	if _, ok := err.(streamError); ok {
		return err
	}
	if s.compression == "" {
		return streamError{fmt.Errorf("it cannot be read to its end: %w", err)}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return streamError{fmt.Errorf("its %s data is damaged or cut off: %w", s.compression, err)}
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

// openZstd allows the largest window that the zstd command can write (--long=31).
func openZstd(r *bufio.Reader) (io.Reader, error) {
	return zstd.NewReader(r, zstd.WithDecoderMaxWindow(1<<31))
}

// frames reads the frames of which an lz4 file may consist; lz4.Reader ends
// after the first.
type frames struct {
	z *lz4.Reader
	r *bufio.Reader
}

func openLZ4(r *bufio.Reader) (io.Reader, error) { return &frames{lz4.NewReader(r), r}, nil }

func (f *frames) Read(p []byte) (int, error) {
	for {
		n, err := f.z.Read(p)
		if n > 0 && err == io.EOF {
			err = nil
		}
		if err != io.EOF {
			return n, err
		}
		if _, err := skipFrames(f.r); err != nil {
			return 0, err
		}
		head, err := f.r.Peek(4)
		if err != nil && (err != io.EOF || len(head) == 0) {
			return 0, err
		}
		if !bytes.Equal(head, []byte{0x04, 0x22, 0x4d, 0x18}) {
			return 0, errors.New("what follows a frame is no frame")
		}
		f.z.Reset(f.r)
	}
}

// openXZ lengthens the file by padding, which is legal between streams. The
// end of the file would be taken for the end of the stream where it lies before
// or in the header of a block; padding is no header.
func openXZ(r *bufio.Reader) (io.Reader, error) {
	const header = 1024 // bytes, of the longest one
	return xz.NewReader(io.MultiReader(r, bytes.NewReader(make([]byte, header))))
}
