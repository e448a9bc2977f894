package traces

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"cachesim/sim"
)

var compressors = []string{"gzip", "zstd", "xz", "lz4"}

func compress(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "gzip":
		z := gzip.NewWriter(&b)
		z.Name = "trace.log"
		w = z
	case "zstd":
		w, err = zstd.NewWriter(&b)
	case "lz4":
		z := lz4.NewWriter(&b)
		err = z.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(true))
		w = z
	case "xz":
		// Several blocks, as xz makes of a large file.
		w, err = xz.WriterConfig{BlockSize: 1 + int64(len(data))*2/5, DictCap: 4096}.NewWriter(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// numbers is a trace of n requests in format id-size.
func numbers(n int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(3, 4))
	for range n {
		id := r.IntN(1 + n/2)
		fmt.Fprintf(&b, "%d %d\n", id, 100+id%7)
	}
	return b.Bytes()
}

// same reports whether two traces have the same requests and sums.
func same(a, b *sim.Trace) bool {
	return slices.Equal(requests(a), requests(b)) && a.Digest == b.Digest && a.Clock == b.Clock && a.Objects == b.Objects && a.Footprint == b.Footprint &&
		a.RequestBytes == b.RequestBytes && a.LargestSize == b.LargestSize && a.SizeChanges == b.SizeChanges && a.Format == b.Format
}

// requests returns the requests of a trace.
func requests(t *sim.Trace) []sim.Request {
	var all []sim.Request
	if err := t.Each(0, func(_ int, b sim.Batch) error { all = append(all, b.Requests...); return nil }); err != nil {
		panic(err)
	}
	return all
}

func readTrace(t testing.TB, data []byte) *sim.Trace {
	t.Helper()
	trace, err := Read(bytes.NewReader(data), "t", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// Compressed files are read whatever their names are, and hashed as stored.
func TestCompression(t *testing.T) {
	plain := numbers(20_000)
	want := readTrace(t, plain)
	if want.SHA256() != sum(plain) {
		t.Errorf("plain: sha256 %s, want %s", want.SHA256(), sum(plain))
	}
	files := map[string][]byte{
		"gzip.zst": compress(t, "gzip", plain),
		"zstd.xz":  compress(t, "zstd", plain),
		"xz.gz":    compress(t, "xz", plain),
		"plain.gz": plain,
		"skippable frame, as of pzstd.zst": slices.Concat(
			[]byte("\x50\x2a\x4d\x18\x04\x00\x00\x00size"), compress(t, "zstd", plain)),
		"xz with padding.xz": slices.Concat(compress(t, "xz", plain), make([]byte, 8)),
	}
	half := bytes.IndexByte(plain[len(plain)/2:], '\n') + len(plain)/2 + 1
	for _, c := range compressors {
		files["two parts."+c] = slices.Concat(compress(t, c, plain[:half]), compress(t, c, plain[half:]))
		// A part may end inside a line.
		files["parts, some empty."+c] = slices.Concat(compress(t, c, nil), compress(t, c, plain[:half-3]),
			compress(t, c, nil), compress(t, c, plain[half-3:]), compress(t, c, nil))
	}
	dir := t.TempDir()
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			got, err := Open([]string{path}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !same(got, want) {
				t.Errorf("got %d requests, %d objects, %d bytes; want %d, %d, %d", got.Requests, got.Objects, got.RequestBytes,
					want.Requests, want.Objects, want.RequestBytes)
			}
			if got.SHA256() != sum(data) {
				t.Errorf("sha256 %s, want %s", got.SHA256(), sum(data))
			}
			if got.Name != name {
				t.Errorf("name %q, want %q", got.Name, name)
			}
		})
	}
}

// wantDamaged fails t unless data is refused with the file's name.
func wantDamaged(t *testing.T, what string, data []byte, o Options) {
	t.Helper()
	trace, err := Read(bytes.NewReader(data), "some/trace", o)
	if err == nil {
		t.Errorf("%s: read as %d requests, want an error", what, trace.Requests)
	} else if !strings.Contains(err.Error(), "some/trace") {
		t.Errorf("%s: the error %q does not name the file", what, err)
	}
}

// A compressed file that is cut off anywhere is refused: in the part by which
// its format is told and after it, and with a format given.
func TestCutCompressedFiles(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, c := range compressors {
		t.Run(c, func(t *testing.T) {
			small := compress(t, c, numbers(30))
			for n := 1; n < len(small); n += step {
				what := fmt.Sprintf("%d of %d bytes", n, len(small))
				wantDamaged(t, what, small[:n], Options{})
				wantDamaged(t, what+", format given", small[:n], Options{Format: "id-size"})
			}
			large := compress(t, c, numbers(60_000))
			wantDamaged(t, "half of a large file", large[:len(large)/2], Options{})
			wantDamaged(t, "a large file but its last byte", large[:len(large)-1], Options{})

			// A cut between two parts looks like the end. Any other does not.
			first := readTrace(t, small)
			two := slices.Concat(small, small)
			for n := len(small) + 1; n < len(two); n += step {
				wantDamaged(t, fmt.Sprintf("%d of %d bytes in two parts", n, len(two)), two[:n], Options{})
			}
			if both := readTrace(t, two); both.Requests != 2*first.Requests {
				t.Errorf("two parts have %d requests, want %d", both.Requests, 2*first.Requests)
			}

			var records []next
			for i := range 4000 {
				records = append(records, next{uint32(i), uint64(i * i % 1009), 512, -1})
			}
			binary := compress(t, c, oracle(t, records...))
			wantDamaged(t, "half of oracleGeneral", binary[:len(binary)/2], Options{})
			wantDamaged(t, "half of oracleGeneral, format given", binary[:len(binary)/2], Options{Format: "oracleGeneral"})
		})
	}
}

// A flipped byte is found, unless it is one that does not matter, such as the
// time in the header of gzip.
func TestFlippedBytes(t *testing.T) {
	masks := []byte{0x01, 0x80, 0xff}
	if testing.Short() {
		masks = masks[:1]
	}
	for _, c := range compressors {
		t.Run(c, func(t *testing.T) {
			data := compress(t, c, numbers(30))
			want := readTrace(t, data)
			harmless := 0
			for i := range data {
				for _, m := range masks {
					bad := bytes.Clone(data)
					bad[i] ^= m
					got, err := Read(bytes.NewReader(bad), "some/trace", Options{})
					switch {
					case err != nil && !strings.Contains(err.Error(), "some/trace"):
						t.Errorf("byte %d ^ %#x: the error %q does not name the file", i, m, err)
					case err == nil && !same(got, want):
						t.Errorf("byte %d ^ %#x: another trace, of %d requests instead of %d", i, m, got.Requests, want.Requests)
					case err == nil:
						harmless++
					}
				}
			}
			if most := len(masks) * 20; harmless > most {
				t.Errorf("%d flips made no difference, want at most %d", harmless, most)
			}
			bad := bytes.Clone(data)
			bad[len(bad)/2] ^= 1
			wantDamaged(t, "flip in the middle", bad, Options{})
		})
	}
}

// What follows a compressed file is not ignored: it could be the rest of the
// trace.
func TestTrailingBytes(t *testing.T) {
	for _, c := range compressors {
		data := compress(t, c, numbers(30))
		for _, rest := range []string{"j", "junk", "1 10\n", "\x00"} {
			wantDamaged(t, fmt.Sprintf("%s followed by %q", c, rest), append(bytes.Clone(data), rest...), Options{})
		}
	}
}

// What is wrong with the content is not blamed on the compression.
func TestErrorsInCompressedFiles(t *testing.T) {
	tests := []struct{ data, want string }{
		{"", "read trace t: it holds no requests: it is empty"},
		{"\n\n", "read trace t: it holds no requests"},
		{"1 10\n2 x\n", `t:2: size "x" is not a number of bytes`},
	}
	for _, c := range compressors {
		for _, test := range tests {
			_, err := Read(bytes.NewReader(compress(t, c, []byte(test.data))), "t", Options{})
			if err == nil || err.Error() != test.want {
				t.Errorf("%s of %q: got the error %v, want %s", c, test.data, err, test.want)
			}
		}
		_, err := Read(bytes.NewReader(compress(t, c, []byte("to be or not to be\n"))), "t", Options{})
		if err == nil || strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "a table of 6 fields between blanks") {
			t.Errorf("%s of six words: got the error %v", c, err)
		}
	}
}

// A reader that fails is not one that ends, whatever error it fails with.
func TestFailingReader(t *testing.T) {
	for _, fault := range []error{errors.New("disk on fire"), io.ErrUnexpectedEOF} {
		for _, f := range []Format{IDSize, OracleGeneral} {
			data := numbers(20_000)
			if f.Name == OracleGeneral.Name {
				data = bytes.Repeat(oracle(t, next{1, 1, 1, -1}), 5000)
			}
			for _, n := range []int{0, 1, 4, 24, 25, 48, len(data) / 2, len(data)} {
				for _, name := range []string{"", f.Name} {
					r := io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(fault))
					trace, err := Read(r, "t", Options{Format: name})
					if err == nil {
						t.Errorf("%s, %v after %d bytes: read as %d requests", f.Name, fault, n, trace.Requests)
					} else if !errors.Is(err, fault) {
						t.Errorf("%s, %v after %d bytes: got the error %v", f.Name, fault, n, err)
					}
				}
			}
		}
	}
}

// Files of other programs, written by
//
//	bzip2 -c numbers.txt
//	yes "1 10" | head -n 200000 | zstd --long=31 -c
//
// for which there is no compressor here.
func TestOtherCompressors(t *testing.T) {
	long := readTrace(t, readFile(t, "testdata/long.zst"))
	if long.Requests != 200_000 || long.Objects != 1 {
		t.Errorf("a window of 2 GiB: %+v", long)
	}
	data := readFile(t, "testdata/numbers.bz2")
	want := readTrace(t, data)
	if want.Requests != 500 || want.Objects != 49 {
		t.Errorf("bzip2: %+v", want)
	}
	for n := 1; n < len(data); n++ {
		wantDamaged(t, fmt.Sprintf("%d of %d bytes", n, len(data)), data[:n], Options{Format: "id-size"})
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		// The last byte has bits that fill it up, and the fourth the size of
		// blocks, which may be larger than needed.
		if got, err := Read(bytes.NewReader(bad), "t", Options{Format: "id-size"}); err == nil && !same(got, want) {
			t.Errorf("byte %d ^ 1: another trace, of %d requests", i, got.Requests)
		}
	}
	two := append(bytes.Clone(data), data...)
	if got := readTrace(t, two); got.Requests != 1000 {
		t.Errorf("two parts: %d requests", got.Requests)
	}
	for n := len(data) + 1; n < len(two); n++ {
		wantDamaged(t, fmt.Sprintf("%d of %d bytes in two parts", n, len(two)), two[:n], Options{Format: "id-size"})
	}
	wantDamaged(t, "junk after bzip2", append(bytes.Clone(data), "junk"...), Options{Format: "id-size"})
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Frames to skip may be in front of lz4, too, and between its frames.
func TestSkippableFrames(t *testing.T) {
	const frame = "\x5a\x2a\x4d\x18\x03\x00\x00\x00abc"
	plain := numbers(50)
	want := readTrace(t, plain)
	for _, c := range []string{"lz4", "zstd"} {
		part := compress(t, c, plain)
		data := slices.Concat([]byte(frame+frame), part, []byte(frame))
		if got := readTrace(t, data); !same(got, want) {
			t.Errorf("%s: %+v", c, got)
		}
		twice := slices.Concat([]byte(frame), part, []byte(frame), part)
		if got := readTrace(t, twice); got.Requests != 2*want.Requests {
			t.Errorf("%s: %d requests, want %d", c, got.Requests, 2*want.Requests)
		}
		for n := 1; n < 2*len(frame); n++ {
			if n != len(frame) {
				wantDamaged(t, fmt.Sprintf("%s: %d bytes of frames to skip", c, n), data[:n], Options{Format: "id-size"})
			}
		}
		wantDamaged(t, c+": a frame to skip, cut at the end", data[:len(data)-1], Options{})
	}
	wantDamaged(t, "text after a frame to skip", append([]byte(frame), plain...), Options{})
}
