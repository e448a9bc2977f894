package traces

import (
	"bufio"
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compressions are told apart by the first bytes of the file, not by its name.
var compressions = []struct {
	name  string
	magic []byte
	open  func(io.Reader) (io.Reader, error)
}{
	{"gzip", []byte{0x1f, 0x8b}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) }},
	{"xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0}, func(r io.Reader) (io.Reader, error) { return xz.NewReader(r) }},
}

// decompress returns r without its compression, if it has any, and the name of
// that compression.
func decompress(r *bufio.Reader) (io.Reader, string, error) {
	head, err := r.Peek(6)
	if err != nil && err != io.EOF {
		return nil, "", err
	}
	for _, c := range compressions {
		if bytes.HasPrefix(head, c.magic) {
			plain, err := c.open(r)
			return plain, c.name, err
		}
	}
	return r, "", nil
}
