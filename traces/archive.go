package traces

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

// A trace may be a member of a tar file, which may be compressed as a whole, or of a zip file:
// ARCHIVE!MEMBER names it, and an archive of one file needs no name. Nothing is unpacked to disk.

// splitMember returns the path of an archive and the name of its member; member is empty where name
// is a file of its own.
func splitMember(name string) (archive, member string) {
	if _, err := os.Stat(name); err == nil {
		return name, ""
	}
	for i := len(name) - 2; i > 0; i-- {
		if name[i] != '!' {
			continue
		}
		if info, err := os.Stat(name[:i]); err == nil && !info.IsDir() {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// InArchive reports whether name is written as that of a member of an archive that exists.
func InArchive(name string) bool {
	_, member := splitMember(name)
	return member != ""
}

// isData reports whether a member is a file that may be a trace: macOS puts files named ._NAME
// beside each NAME.
func isData(name string) bool {
	base := path.Base(name)
	return !strings.HasSuffix(name, "/") && !strings.HasPrefix(base, "._") && base != ".DS_Store"
}

// archiveNames are the names in an archive, for errors.
type archiveNames struct {
	names []string // the first ones
	n     int
	more  bool // there may be more, which were not looked at
}

// shownNames is how many names an error has.
const shownNames = 5

func (a *archiveNames) add(name string) {
	if a.n++; a.n <= shownNames {
		a.names = append(a.names, quote([]byte(name)))
	}
}

func (a *archiveNames) list() string {
	s := strings.Join(a.names, ", ")
	switch {
	case a.more:
		s += " and more"
	case a.n > len(a.names):
		s += fmt.Sprintf(" and %d more", a.n-len(a.names))
	}
	return s
}

// choice is the error about an archive in which no member is the one to read.
func (a *archiveNames) choice(member string) error {
	count := strconv.Itoa(a.n)
	if a.more {
		count = fmt.Sprintf("more than %d", shownNames)
	}
	switch {
	case a.n == 0:
		return streamError{errors.New("the archive holds no file")}
	case member != "":
		return streamError{fmt.Errorf("the archive holds no file %s; it has %s", quote([]byte(member)), a.list())}
	}
	return streamError{fmt.Errorf("the archive holds %s files: name one as ARCHIVE!FILE; it has %s", count, a.list())}
}

// isZip reports whether a file that starts with head is a zip archive, which may be empty.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// startsAsZip reports whether the file is a zip archive by its first bytes.
func startsAsZip(name string) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [4]byte
	n, _ := f.ReadAt(head[:], 0)
	return isZip(head[:n]), nil
}

// openZip returns the member of a zip file.
func openZip(f *os.File, member string) (io.ReadCloser, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return nil, zipError(err)
	}
	var all archiveNames
	var chosen *zip.File
	for _, m := range z.File {
		if !isData(m.Name) || !m.Mode().IsRegular() {
			continue
		}
		all.add(m.Name)
		if member == m.Name || member == "" && chosen == nil {
			chosen = m
		}
	}
	if chosen == nil || member == "" && all.n > 1 {
		return nil, all.choice(member)
	}
	if chosen.Flags&1 != 0 {
		return nil, fmt.Errorf("its member %s is encrypted, which cachesim does not read", quote([]byte(chosen.Name)))
	}
	r, err := chosen.Open()
	if err != nil {
		return nil, fmt.Errorf("its member %s cannot be read: %w", quote([]byte(chosen.Name)), err)
	}
	return zipMember{r, f}, nil
}

func zipError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("it ends early")
	}
	return streamError{fmt.Errorf("its zip data is damaged or cut off: %w", err)}
}

// A zipMember closes its archive, too.
type zipMember struct {
	io.ReadCloser
	archive *os.File
}

func (m zipMember) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = zipError(err)
	}
	return n, err
}

func (m zipMember) Close() error { return errors.Join(m.ReadCloser.Close(), m.archive.Close()) }

// tarBlock is the unit of tar files: the length of a header, in bytes.
const tarBlock = 512

// isTar reports whether a file that starts with head is a tar archive: by the mark that today's
// have, or by the sum of its header.
func isTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	if string(head[257:262]) == "ustar" {
		return true
	}
	want, err := strconv.ParseUint(strings.Trim(string(head[148:156]), " \x00"), 8, 32)
	if err != nil || head[0] == 0 {
		return false
	}
	sum := uint64(8 * ' ') // what the field of the sum counts as
	for i, c := range head[:tarBlock] {
		if i < 148 || i >= 156 {
			sum += uint64(c)
		}
	}
	return sum == want
}

// onlyMember returns an error if r is a tar file, perhaps compressed, of several files. It leaves r
// where it is: a decompressor reads on by itself, so that it has a reader of its own.
func onlyMember(r *os.File) error {
	info, err := r.Stat()
	if err != nil {
		return err
	}
	plain, err := decompress(bufio.NewReader(io.NewSectionReader(r, 0, info.Size())))
	if err != nil { // which reading it reports
		return nil
	}
	defer plain.stop(true)
	head := make([]byte, tarBlock)
	n, _ := io.ReadFull(plain, head)
	if isTar(head[:n]) {
		var source io.Reader = io.MultiReader(bytes.NewReader(head), plain)
		if plain.compression == "" { // then files are passed over by seeking
			source = io.NewSectionReader(r, 0, info.Size())
		}
		if all := listTar(source); all.n != 1 {
			return all.choice("")
		}
	}
	return nil
}

// listTar returns the names in a tar file up to its end, damage, or more names than an error has.
func listTar(r io.Reader) (all archiveNames) {
	t := &tarMember{r: tar.NewReader(r)}
	for {
		if err := t.next(); err != nil {
			return t.all
		}
		if t.all.n > shownNames {
			t.all.more = true
			return t.all
		}
	}
}

// unpack returns the member of an archive, and what plain holds where that is none.
func unpack(plain *stream, member string) (*stream, error) {
	r := bufio.NewReaderSize(plain, tarBlock)
	head, err := r.Peek(tarBlock)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if isZip(head) {
		return nil, errors.New("it is a zip archive in a pipe or in other data, where its list of files, which is at its end, cannot be read first: save it as a file")
	}
	if !isTar(head) {
		if member != "" {
			return nil, fmt.Errorf("it is neither a tar nor a zip archive, so it has no member %s", quote([]byte(member)))
		}
		return &stream{r: r, inner: plain}, nil
	}
	m := &tarMember{r: tar.NewReader(r), plain: plain, member: member}
	if err := m.find(); err != nil {
		return nil, err
	}
	s, err := decompress(bufio.NewReaderSize(m, blockSize))
	if err != nil {
		return nil, err
	}
	s.inner = plain
	return s, nil
}

// A tarMember reads a member of a tar archive. At its end, it makes sure that a member which was
// not named is the only one.
type tarMember struct {
	r      *tar.Reader
	plain  *stream // that r reads, or nil
	member string  // empty: the only one
	at     string  // name of the member that Read is in
	all    archiveNames
}

func (m *tarMember) find() error {
	for {
		err := m.next()
		if err == io.EOF {
			return m.all.choice(m.member)
		}
		if err != nil || m.member == "" || m.member == m.at {
			return err
		}
	}
}

// next goes to the next file.
func (m *tarMember) next() error {
	for {
		h, err := m.r.Next()
		if err == io.EOF {
			return err
		}
		if err != nil {
			return m.explain(err)
		}
		if h.Typeflag == tar.TypeReg && isData(h.Name) {
			m.at = h.Name
			m.all.add(h.Name)
			return nil
		}
	}
}

func (m *tarMember) explain(err error) error {
	if m.plain != nil && m.plain.err != nil && m.plain.err != io.EOF {
		return m.plain.err // which says more
	}
	if err == io.ErrUnexpectedEOF {
		err = errors.New("it ends early")
	}
	return streamError{fmt.Errorf("its tar data is damaged or cut off: %w", err)}
}

func (m *tarMember) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err == nil {
		return n, nil
	}
	if err != io.EOF {
		return n, m.explain(err)
	}
	if m.member != "" {
		return n, err
	}
	for {
		switch err := m.next(); {
		case err == io.EOF && m.all.n > 1:
			return n, m.all.choice("")
		case err == io.EOF && m.plain != nil: // sums of the compressed data are at its end
			if _, err := io.Copy(io.Discard, m.plain); err != nil {
				return n, err
			}
			return n, io.EOF
		case err != nil:
			return n, err
		}
	}
}
