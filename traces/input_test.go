package traces

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The hash of a regular file is computed from it while and after it is read. It is that of what was
// read where the file grows meanwhile, and there is none where it was rewritten.
func TestFileHash(t *testing.T) {
	data := make([]byte, 3*blockSize+17)
	for i := range data {
		data[i] = byte(i * i >> 8)
	}
	sum := sha256.Sum256(data)
	whole := hex.EncodeToString(sum[:])
	later := time.Now().Add(time.Hour)
	for _, test := range []struct {
		name   string
		change func(name string) error // after the file was read
		want   string
	}{
		{"unchanged", func(string) error { return nil }, whole},
		{"grown", func(name string) error {
			f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("more")
			return err
		}, whole},
		{"rewritten", func(name string) error {
			if err := os.WriteFile(name, make([]byte, len(data)), 0o666); err != nil {
				return err
			}
			return os.Chtimes(name, later, later)
		}, ""},
		{"cut", func(name string) error { return os.Truncate(name, 100) }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "a")
			if err := os.WriteFile(name, data, 0o666); err != nil {
				t.Fatal(err)
			}
			past := later.Add(-2 * time.Hour) // a change of now is another time
			if err := os.Chtimes(name, past, past); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			h := newFileHash()
			r := h.follow(f)
			if n, err := io.Copy(io.Discard, r); err != nil || n != int64(len(data)) {
				t.Fatalf("read %d bytes, %v", n, err)
			}
			if err := test.change(name); err != nil {
				t.Fatal(err)
			}
			r.Close()
			h.end()
			if got := h.sum(); got != test.want {
				t.Errorf("hash %q, want %q", got, test.want)
			}
		})
	}
}
