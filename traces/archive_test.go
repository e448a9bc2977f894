package traces

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A member is a file of an archive that a test makes.
type member struct {
	name string
	data []byte
}

func tarOf(t testing.TB, format tar.Format, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.data)), Mode: 0o644, ModTime: time.Unix(1e9, 0), Format: format}
		if strings.HasSuffix(m.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeTemp(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// oldTar makes the headers of a tar file those of before POSIX, without a mark.
func oldTar(data []byte) []byte {
	data = bytes.Clone(data)
	h := data[:tarBlock]
	clear(h[257:])
	sum := 8 * int(' ')
	for i, c := range h {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return data
}

// TestArchives reads the file that an archive has, or the one that is named. The name of the
// archive does not matter.
func TestArchives(t *testing.T) {
	plain, other := numbers(3000), numbers(300)
	want, wantOther := readTrace(t, plain), readTrace(t, other)
	one := []member{{"logs/", nil}, {"logs/._access.log", []byte("\x00\x05\x16\x07")}, {"__MACOSX/logs/._access.log", []byte("\x00\x05")}, {"logs/access.log", plain}, {".DS_Store", []byte("x")}}
	two := append(slices.Clone(one), member{"logs/other.log.gz", compress(t, "gzip", other)}, member{"a!b", other})
	tests := []struct {
		name, member string // of the file on disk, and in it
		data         []byte
		trace        string
		other        bool
	}{
		{"one.tar", "", tarOf(t, tar.FormatUnknown, one...), "one.tar", false},
		{"pax.tar", "", tarOf(t, tar.FormatPAX, one...), "pax.tar", false},
		{"gnu.tar", "", tarOf(t, tar.FormatGNU, one...), "gnu.tar", false},
		{"old.tar", "", oldTar(tarOf(t, tar.FormatUSTAR, one[3])), "old.tar", false},
		{"one.zip", "", zipOf(t, one...), "one.zip", false},
		{"a trace", "", zipOf(t, one...), "a trace", false},
		{"two.tar", "logs/access.log", tarOf(t, tar.FormatUnknown, two...), "two.tar!access.log", false},
		{"two.tar", "logs/other.log.gz", tarOf(t, tar.FormatUnknown, two...), "two.tar!other.log.gz", true},
		{"two.tar", "a!b", tarOf(t, tar.FormatUnknown, two...), "two.tar!a!b", true},
		{"two.zip", "logs/access.log", zipOf(t, two...), "two.zip!access.log", false},
		{"two.zip", "logs/other.log.gz", zipOf(t, two...), "two.zip!other.log.gz", true},
		{"a!b.zip", "a!b", zipOf(t, two...), "a!b.zip!a!b", true},
		{"a!b.zip", "", zipOf(t, one...), "a!b.zip", false},
		{"tar.zip", "", zipOf(t, member{"one.tar.gz", compress(t, "gzip", tarOf(t, tar.FormatUnknown, one...))}), "tar.zip", false},
		{"empty member.tar", "logs/access.log", tarOf(t, tar.FormatUnknown, append([]member{{"empty", nil}}, two...)...), "empty member.tar!access.log", false},
		{"large.tar.zst", "logs/access.log", // what follows is longer than the decompressor reads ahead
			compress(t, "zstd", tarOf(t, tar.FormatUnknown, one[3], member{"large", numbers(100_000)})), "large.tar.zst!access.log", false},
	}
	for _, c := range compressors {
		for _, test := range tests[:8] {
			if strings.HasSuffix(test.name, ".tar") {
				name := test.name + "." + c
				test.trace = strings.Replace(test.trace, test.name, name, 1)
				test.name, test.data = name, compress(t, c, test.data)
				tests = append(tests, test)
			}
		}
	}
	for _, test := range tests {
		name := writeTemp(t, test.name, test.data)
		if test.member != "" {
			name += "!" + test.member
		}
		for _, prefix := range []string{"", "id-size:"} {
			got, err := Open([]string{prefix + name}, Options{})
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			w := want
			if test.other {
				w = wantOther
			}
			if !same(got, w) {
				t.Errorf("%s: another trace, of %d requests", test.name, got.Requests)
			}
			if got.Name != test.trace || got.Path != name {
				t.Errorf("%s: name %q and path %q, want %q and %q", test.name, got.Name, got.Path, test.trace, name)
			}
			if !isZip(test.data) && got.SHA256() != sum(test.data) {
				t.Errorf("%s: sha256 %s is not that of the archive", test.name, got.SHA256())
			}
		}
	}
}

// TestEarlyEnd reads the beginnings of compressed files only, while a decompressor reads on.
func TestEarlyEnd(t *testing.T) {
	data := numbers(100_000)
	for _, c := range []string{"zstd", "gzip"} {
		name := writeTemp(t, "trace."+c, compress(t, c, data))
		for range 20 {
			if got, err := Open([]string{name}, Options{Limit: 10}); err != nil || got.Requests != 10 {
				t.Fatalf("%s: %v", c, err)
			}
		}
		bad := writeTemp(t, "bad."+c, compress(t, c, append([]byte("1 1\n2 x y z\n"), data...)))
		if _, err := Open([]string{"id-size:" + bad}, Options{}); err == nil {
			t.Errorf("%s: a bad record is accepted", c)
		}
	}
}

// TestArchiveErrors has archives in which no file can be chosen, or none is.
func TestArchiveErrors(t *testing.T) {
	data := numbers(10)
	two := []member{{"a.log", data}, {"b/c.log", data}}
	var many []member
	for i := range 9 {
		many = append(many, member{fmt.Sprintf("%d.log", i), data})
	}
	encrypted := zipOf(t, two[0])
	encrypted[6] |= 1
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	const tarTwo = `the archive holds 2 files: name one as ARCHIVE!FILE; it has "a.log", "b/c.log"`
	for _, test := range []struct {
		name, member string
		data         []byte
		want         string
	}{
		{"two.tar", "", tarOf(t, tar.FormatUnknown, two...), tarTwo},
		{"two.tar.gz", "", compress(t, "gzip", tarOf(t, tar.FormatUnknown, two...)), tarTwo},
		{"two.zip", "", zipOf(t, two...), tarTwo},
		{"many.tar", "", tarOf(t, tar.FormatUnknown, many...), `the archive holds more than 5 files: name one as ARCHIVE!FILE; it has "0.log", "1.log", "2.log", "3.log", "4.log" and more`},
		{"many.zip", "", zipOf(t, many...), `the archive holds 9 files: name one as ARCHIVE!FILE; it has "0.log", "1.log", "2.log", "3.log", "4.log" and 4 more`},
		{"two.tar", "c.log", tarOf(t, tar.FormatUnknown, two...), `the archive holds no file "c.log"; it has "a.log", "b/c.log"`},
		{"two.zip", "c.log", zipOf(t, two...), `the archive holds no file "c.log"; it has "a.log", "b/c.log"`},
		{"none.tar", "", tarOf(t, tar.FormatUnknown, member{"a/", nil}), "the archive holds no file"},
		{"none.zip", "", zipOf(t), "the archive holds no file"},
		{"plain", "a", data, `it is neither a tar nor a zip archive, so it has no member "a"`},
		{"plain.gz", "a", compress(t, "gzip", data), `it is neither a tar nor a zip archive, so it has no member "a"`},
		{"zip.gz", "", compress(t, "gzip", zipOf(t, two...)), "it is a zip archive in a pipe or in other data"},
		{"encrypted.zip", "", encrypted, `its member "a.log" is encrypted`},
		{"escape.tar", "", tarOf(t, tar.FormatUnknown, member{"a\x1b[31m", data}, member{"b", data}), `the archive holds 2 files: name one as ARCHIVE!FILE; it has "a\x1b[31m", "b"`},
	} {
		name := writeTemp(t, test.name, test.data)
		if test.member != "" {
			name += "!" + test.member
		}
		_, err := Open([]string{name}, Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "read trace "+name+": "+test.want) {
			t.Errorf("%s: got the error %v, want %s", test.name, err, test.want)
		}
	}
	// In a pipe the second file is seen when the first one was read.
	_, err := Read(bytes.NewReader(compress(t, "zstd", tarOf(t, tar.FormatUnknown, two...))), stdin, Options{})
	if err == nil || err.Error() != "read trace stdin: "+tarTwo {
		t.Errorf("a pipe: got the error %v", err)
	}
	if _, err := Open([]string{filepath.Join(t.TempDir(), "x.tar!a")}, Options{}); err == nil || !strings.Contains(err.Error(), "x.tar!a") {
		t.Errorf("no archive: got the error %v", err)
	}
}

// TestDamagedArchives cuts archives and flips their bytes: what is read then is the trace or an
// error.
func TestDamagedArchives(t *testing.T) {
	plain := numbers(60)
	want := readTrace(t, plain)
	one := member{"access.log", plain}
	for name, whole := range map[string][]byte{
		"tar": tarOf(t, tar.FormatUnknown, one), "tar.gz": compress(t, "gzip", tarOf(t, tar.FormatUnknown, one)),
		"tar.zst": compress(t, "zstd", tarOf(t, tar.FormatUnknown, one)), "zip": zipOf(t, one),
		"gz in tar": tarOf(t, tar.FormatUnknown, member{"access.log.gz", compress(t, "gzip", plain)}),
	} {
		path := filepath.Join(t.TempDir(), "archive")
		open := func(data []byte) error {
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			got, err := Open([]string{path}, Options{})
			if err == nil && !same(got, want) {
				t.Fatalf("%s, %d of %d bytes: another trace, of %d requests", name, len(data), len(whole), got.Requests)
			}
			return err
		}
		// A tar file without the zeros at its end lacks nothing.
		end := len(whole)
		if name == "tar" {
			end = tarBlock + len(plain)
		} else if name == "gz in tar" {
			end = tarBlock + len(compress(t, "gzip", plain))
		}
		for _, n := range positions(end) {
			if err := open(whole[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are read without an error", name, n, len(whole))
			}
		}
		if err := open(whole); err != nil {
			t.Fatal(name, err)
		}
		if name == "tar" { // without a sum of its data
			continue
		}
		for _, i := range positions(len(whole)) {
			data := bytes.Clone(whole)
			data[i] ^= 0x10
			open(data)
		}
	}
}

// TestArchiveCache keeps the members of an archive apart in the trace cache.
func TestArchiveCache(t *testing.T) {
	was := cacheFrom
	cacheFrom = 1
	defer func() { cacheFrom = was }()
	a, b := numbers(500), numbers(700)
	for _, path := range []string{
		writeTemp(t, "x.tar", tarOf(t, tar.FormatUnknown, member{"a", a}, member{"b", b})),
		writeTemp(t, "x.zip", zipOf(t, member{"a", a}, member{"b", b})),
	} {
		o := Options{Cache: t.TempDir()}
		for round := range 2 {
			for name, data := range map[string][]byte{"a": a, "b": b} {
				got, err := Open([]string{path + "!" + name}, o)
				if err != nil {
					t.Fatal(err)
				}
				if !same(got, readTrace(t, data)) || got.Name != filepath.Base(path)+"!"+name {
					t.Errorf("round %d: %s!%s is another trace, %s of %d requests", round, path, name, got.Name, got.Requests)
				}
				got.Close()
			}
		}
		if kept, _ := os.ReadDir(filepath.Join(o.Cache, indexFolder)); len(kept) != 2 {
			t.Errorf("%d traces are kept, want 2", len(kept))
		}
	}
}
