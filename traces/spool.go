package traces

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"cachesim/sim"
)

// A spool is a trace in a folder, as it is in memory: a file for each column,
// one for the names of objects, and meta.json, which is written last. All
// numbers are little-endian.
//
//	requests   16 bytes a request: id u32, time u32, size u64
//	ops        1 byte a request, if the trace has operations
//	ttl        u32 a request, if it has times to live
//	next       u32 a request: the next access; made when it is first asked for
//	names      u64 an object; a bit an object that is set for text; the texts
//	prompts    a bit a request that is set for the first one of a prompt, in u64s
//	meta.json  all else that is known of the trace, and checksums
//
// A folder is written under another name and then renamed, so that it is whole
// when it is there.

// spoolVersion is raised whenever the files of a spool change. What is decoded
// may differ between versions of the program, which are part of the key.
const spoolVersion = 2

// pieceSize is how many requests a checksum covers, and how many are read or
// written at once: 1 MiB of them.
const pieceSize = 1 << 16

// spoolMeta is meta.json.
type spoolMeta struct {
	Version int
	Sources []source // of what it was made, for people
	Created time.Time

	SHA256, Format, Digest, Clock, SizeRule, ZeroSize string

	Notes        []string
	Tick         time.Duration
	Span         uint32
	Columns      sim.Columns
	Requests     int
	Objects      int
	Footprint    int64
	RequestBytes int64
	LargestSize  int64
	SizeChanges  int
	Gets         int

	Prompts *promptsMeta `json:",omitempty"` // nil: there are none
	prompts *sim.Prompts

	Sums      map[string][]sum64 // of the columns, XXH3 of each piece
	NamesSum  sum64
	TextWords int   // of the bits that are set for text
	Texts     []int // lengths of the chunks of text
}

// promptsMeta describes the file of the prompts.
type promptsMeta struct {
	Reverse    bool
	TokenBytes int64
	Words      int
	Sum        sum64
}

// savePrompts writes the prompts, if there are any.
func (m *spoolMeta) savePrompts(path string) error {
	p := m.prompts
	if p == nil {
		return nil
	}
	b := encode(p.Words())
	m.Prompts = &promptsMeta{p.Reverse, p.TokenBytes, len(p.Words()), sum64(xxh3.Hash(b))}
	return os.WriteFile(path, b, 0o666)
}

// readPrompts is the inverse of savePrompts.
func (m *spoolMeta) readPrompts(path string) error {
	if m.Prompts == nil {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(b) != 8*m.Prompts.Words || sum64(xxh3.Hash(b)) != m.Prompts.Sum {
		return fmt.Errorf("%s is damaged: its checksum differs", path)
	}
	words := make([]uint64, m.Prompts.Words)
	if err := decodeFrom(words, func(to []byte) error { copy(to, b); return nil }); err != nil {
		return err
	}
	m.prompts = &sim.Prompts{Reverse: m.Prompts.Reverse, TokenBytes: m.Prompts.TokenBytes}
	m.prompts.SetWords(words)
	return nil
}

// sum64 is a checksum; in JSON it is hex, since few parsers keep 64 bits.
type sum64 uint64

func (s sum64) MarshalText() ([]byte, error) { return []byte(strconv.FormatUint(uint64(s), 16)), nil }

func (s *sum64) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 16, 64)
	*s = sum64(n)
	return err
}

// metaFile is meta.json with its own checksum.
type metaFile struct {
	Sum  sum64
	Meta json.RawMessage
}

// newMeta waits for the hash of t's files.
func newMeta(t *sim.Trace, sources []source) spoolMeta {
	return spoolMeta{
		Version: spoolVersion, Sources: sources, Created: time.Now().UTC().Truncate(time.Second), SHA256: t.SHA256(), Format: t.Format,
		Digest: t.Digest, Clock: t.Clock, SizeRule: t.SizeRule, ZeroSize: t.ZeroSize, Notes: slices.Clone(t.Notes), Tick: t.Tick, Span: t.Span,
		Columns: t.Columns, Requests: t.Requests, Objects: t.Objects, Footprint: t.Footprint,
		RequestBytes: t.RequestBytes, LargestSize: t.LargestSize, SizeChanges: t.SizeChanges, Gets: t.Gets,
		prompts: t.Prompts, Sums: map[string][]sum64{},
	}
}

func (m *spoolMeta) trace() *sim.Trace {
	return &sim.Trace{
		FileHash: func() string { return m.SHA256 }, Format: m.Format, Digest: m.Digest, Clock: m.Clock, SizeRule: m.SizeRule, ZeroSize: m.ZeroSize, Notes: slices.Clone(m.Notes),
		Tick: m.Tick, Span: m.Span, Columns: m.Columns, Requests: m.Requests, Objects: m.Objects,
		Footprint: m.Footprint, RequestBytes: m.RequestBytes, LargestSize: m.LargestSize,
		SizeChanges: m.SizeChanges, Gets: m.Gets, Prompts: m.prompts,
	}
}

// A spoolWriter writes the columns of a spool.
type spoolWriter struct {
	dir  string
	n    int
	reqs columnWriter[sim.Request]
	ops  columnWriter[sim.Op]
	ttl  columnWriter[uint32]
	all  bool // ops and ttl are written, whether or not they have values
}

// columnWriter writes a column in pieces. The zero value with a path is ready.
type columnWriter[T cell] struct {
	path  string
	f     *os.File
	piece []T
	sums  []sum64
}

func newSpoolWriter(dir string, all bool) *spoolWriter {
	w := &spoolWriter{dir: dir, all: all}
	w.reqs.path, w.ops.path, w.ttl.path = filepath.Join(dir, "requests"), filepath.Join(dir, "ops"), filepath.Join(dir, "ttl")
	return w
}

// append writes a batch of any size.
func (w *spoolWriter) append(b sim.Batch) error {
	w.n += len(b.Requests)
	err := w.reqs.append(b.Requests)
	if err == nil && w.all {
		if b.Ops == nil {
			b.Ops = make([]sim.Op, len(b.Requests))
		}
		if b.TTL == nil {
			b.TTL = make([]uint32, len(b.Requests))
		}
	}
	if err == nil && b.Ops != nil {
		err = w.ops.append(b.Ops)
	}
	if err == nil && b.TTL != nil {
		err = w.ttl.append(b.TTL)
	}
	return err
}

func (c *columnWriter[T]) append(v []T) (err error) {
	if c.f == nil {
		if c.f, err = os.OpenFile(c.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666); err != nil {
			return err
		}
		c.piece = make([]T, 0, pieceSize)
	}
	for len(v) > 0 {
		if len(c.piece) == 0 && len(v) >= pieceSize { // no need to collect it
			if err := c.add(v[:pieceSize]); err != nil {
				return err
			}
			v = v[pieceSize:]
			continue
		}
		n := min(pieceSize-len(c.piece), len(v))
		c.piece = append(c.piece, v[:n]...)
		v = v[n:]
		if len(c.piece) == pieceSize {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *columnWriter[T]) flush() error {
	if len(c.piece) == 0 {
		return nil
	}
	err := c.add(c.piece)
	c.piece = c.piece[:0]
	return err
}

// add writes a piece.
func (c *columnWriter[T]) add(piece []T) error {
	b := encode(piece)
	c.sums = append(c.sums, sum64(xxh3.Hash(b)))
	_, err := c.f.Write(b)
	return err
}

func (w *spoolWriter) flush() error {
	return errors.Join(w.reqs.flush(), w.ops.flush(), w.ttl.flush())
}

// rewrite passes the requests to f, piece by piece, and writes them with the
// changes that it makes.
func (w *spoolWriter) rewrite(f func(sim.Batch) error) error {
	if err := w.flush(); err != nil {
		return err
	}
	for i := 0; i*pieceSize < w.n; i++ {
		n := min(pieceSize, w.n-i*pieceSize)
		b := sim.Batch{}
		err := w.reqs.read(i, n)
		b.Requests = w.reqs.piece[:n]
		if err == nil && w.ops.f != nil {
			err = w.ops.read(i, n)
			b.Ops = w.ops.piece[:n]
		}
		if err == nil && w.ttl.f != nil {
			err = w.ttl.read(i, n)
			b.TTL = w.ttl.piece[:n]
		}
		if err == nil {
			err = f(b)
		}
		if err == nil {
			err = errors.Join(w.reqs.write(i, n), w.ops.write(i, n), w.ttl.write(i, n))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *columnWriter[T]) read(i, n int) error {
	c.piece = c.piece[:n]
	return decodeFrom(c.piece, func(b []byte) error {
		_, err := c.f.ReadAt(b, int64(i)*int64(len(b)/n)*pieceSize)
		return err
	})
}

func (c *columnWriter[T]) write(i, n int) error {
	if c.f == nil {
		return nil
	}
	b := encode(c.piece[:n])
	c.sums[i] = sum64(xxh3.Hash(b))
	_, err := c.f.WriteAt(b, int64(i)*int64(len(b)/n)*pieceSize)
	c.piece = c.piece[:0]
	return err
}

func (c *columnWriter[T]) close() (err error) {
	if c.f != nil {
		err = c.f.Close()
		c.f = nil
	}
	return err
}

// close closes the files, whether or not they are complete.
func (w *spoolWriter) close() error {
	return errors.Join(w.reqs.close(), w.ops.close(), w.ttl.close())
}

// finish completes the spool in its folder.
func (w *spoolWriter) finish(m spoolMeta, n *names) error {
	if err := errors.Join(w.flush(), w.close()); err != nil {
		return err
	}
	m.Sums["requests"] = w.reqs.sums
	if m.Columns&sim.ColumnOps != 0 {
		m.Sums["ops"] = w.ops.sums
	} else if err := os.RemoveAll(w.ops.path); err != nil {
		return err
	}
	if m.Columns&sim.ColumnTTL != 0 {
		m.Sums["ttl"] = w.ttl.sums
	} else if err := os.RemoveAll(w.ttl.path); err != nil {
		return err
	}
	if err := errors.Join(n.save(filepath.Join(w.dir, "names"), &m), m.savePrompts(filepath.Join(w.dir, "prompts"))); err != nil {
		return err
	}
	return writeMeta(filepath.Join(w.dir, "meta.json"), m)
}

// abort deletes the folder.
func (w *spoolWriter) abort() {
	w.close()
	os.RemoveAll(w.dir)
}

// writeMeta writes v and its checksum.
func writeMeta(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if b, err = json.Marshal(metaFile{sum64(xxh3.Hash(b)), b}); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o666)
}

// readMeta reads what writeMeta has written.
func readMeta(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var f metaFile
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	if sum64(xxh3.Hash(f.Meta)) != f.Sum {
		return fmt.Errorf("%s is damaged: its checksum differs", path)
	}
	if err := json.Unmarshal(f.Meta, v); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	return nil
}

// save writes the names of objects.
func (n *names) save(path string, m *spoolMeta) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	h := xxh3.New()
	write := func(b []byte) {
		if err == nil {
			h.Write(b)
			_, err = f.Write(b)
		}
	}
	for _, keys := range n.keys {
		write(encode(keys))
	}
	write(encode(n.isText))
	m.TextWords = len(n.isText)
	for _, c := range n.text.chunks {
		write(c)
		m.Texts = append(m.Texts, len(c))
	}
	m.NamesSum = sum64(h.Sum64())
	return errors.Join(err, f.Close())
}

// readNames is the inverse of save.
func readNames(f *os.File, m *spoolMeta) (*names, error) {
	n := &names{isText: make([]uint64, m.TextWords)}
	h := xxh3.New()
	r := io.TeeReader(io.NewSectionReader(f, 0, 1<<62), h)
	read := func(b []byte) error { _, err := io.ReadFull(r, b); return err }
	for at := 0; at < m.Objects; at += objectChunk {
		keys := make([]uint64, min(objectChunk, m.Objects-at))
		if err := decodeFrom(keys, read); err != nil {
			return nil, err
		}
		n.keys = append(n.keys, keys)
	}
	if err := decodeFrom(n.isText, read); err != nil {
		return nil, err
	}
	for _, size := range m.Texts {
		c := make([]byte, size)
		if err := read(c); err != nil {
			return nil, err
		}
		n.text.chunks = append(n.text.chunks, c)
	}
	if sum64(h.Sum64()) != m.NamesSum {
		return nil, errors.New("its checksum differs")
	}
	return n, nil
}

// A spool is the Source of a trace in a folder.
type spool struct {
	dir       string
	meta      spoolMeta
	temporary bool // the folder is deleted by Close

	reqs, ops, ttl, names *os.File

	nextMutex sync.Mutex
	next      *os.File // nil: not there yet

	readers atomic.Int64
}

// openSpool opens the spool in dir and, unless it was written just now, compares
// its columns with their checksums.
func openSpool(dir string, verify bool) (*spool, error) {
	s := &spool{dir: dir}
	if err := readMeta(filepath.Join(dir, "meta.json"), &s.meta); err != nil {
		return nil, err
	}
	if s.meta.Version != spoolVersion {
		return nil, fmt.Errorf("%s has version %d", dir, s.meta.Version)
	}
	var err error
	open := func(name string) (f *os.File) {
		if err == nil {
			f, err = os.Open(filepath.Join(dir, name))
		}
		return f
	}
	s.reqs, s.names = open("requests"), open("names")
	if s.meta.Columns&sim.ColumnOps != 0 {
		s.ops = open("ops")
	}
	if s.meta.Columns&sim.ColumnTTL != 0 {
		s.ttl = open("ttl")
	}
	if err == nil {
		err = s.meta.readPrompts(filepath.Join(dir, "prompts"))
	}
	if err == nil && verify {
		err = s.verify()
	}
	if err != nil {
		s.closeFiles()
		return nil, err
	}
	return s, nil
}

// verify compares the columns with their checksums.
func (s *spool) verify() error {
	return errors.Join(verifyColumn(s.reqs, 16, s.meta.Requests, s.meta.Sums["requests"]),
		verifyColumn(s.ops, 1, s.meta.Requests, s.meta.Sums["ops"]), verifyColumn(s.ttl, 4, s.meta.Requests, s.meta.Sums["ttl"]))
}

// verifyColumn compares a column of n cells of the given size with its
// checksums, on as many cores as there are.
func verifyColumn(f *os.File, size int64, n int, sums []sum64) error {
	if f == nil {
		return nil
	}
	if info, err := f.Stat(); err != nil {
		return err
	} else if info.Size() != size*int64(n) || len(sums) != (n+pieceSize-1)/pieceSize {
		return fmt.Errorf("%s is damaged: it has %d bytes instead of %d", f.Name(), info.Size(), size*int64(n))
	}
	var at atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, min(runtime.GOMAXPROCS(0), len(sums)))
	for k := range errs {
		wg.Go(func() {
			buf := make([]byte, pieceSize*size)
			for i := at.Add(1) - 1; i < int64(len(sums)) && errs[k] == nil; i = at.Add(1) - 1 {
				b := buf[:min(pieceSize, int64(n)-i*pieceSize)*size]
				if _, err := f.ReadAt(b, i*pieceSize*size); err != nil {
					errs[k] = fmt.Errorf("read %s: %w", f.Name(), err)
				} else if sum64(xxh3.Hash(b)) != sums[i] {
					errs[k] = fmt.Errorf("%s is damaged: the checksum of request %d on differs", f.Name(), i*pieceSize)
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// trace returns the trace.
func (s *spool) trace() *sim.Trace {
	t := s.meta.trace()
	t.Source = s
	load := sync.OnceValues(func() (*names, error) { return readNames(s.names, &s.meta) })
	t.ObjectName = func(id uint32) string {
		n, err := load()
		if err != nil {
			return fmt.Sprintf("number %d (its name cannot be read from %s: %v)", id, s.names.Name(), err)
		}
		return n.name(id)
	}
	return t
}

// Memory returns what the readers that are open occupy.
func (s *spool) Memory() int64 { return s.readers.Load() * pieceSize * (16 + 1 + 4 + 4) }

// Close closes the files, and deletes a temporary spool.
func (s *spool) Close() error {
	s.closeFiles()
	if s.temporary {
		return os.RemoveAll(s.dir)
	}
	return nil
}

func (s *spool) closeFiles() {
	for _, f := range []*os.File{s.reqs, s.ops, s.ttl, s.names, s.next} {
		if f != nil {
			f.Close()
		}
	}
}

// Reader returns a reader with buffers of its own.
func (s *spool) Reader(columns sim.Columns) (sim.Reader, error) {
	r := &spoolReader{s: s, n: s.meta.Requests}
	r.reqs.f = s.reqs
	if columns&sim.ColumnOps != 0 {
		r.ops.f = s.ops
	}
	if columns&sim.ColumnTTL != 0 {
		r.ttl.f = s.ttl
	}
	if columns&sim.ColumnNext != 0 {
		var err error
		if r.next.f, err = s.nextColumn(); err != nil {
			return nil, fmt.Errorf("compute next accesses: %w", err)
		}
	}
	s.readers.Add(1)
	return r, nil
}

// A spoolReader reads a piece at a time.
type spoolReader struct {
	s      *spool
	at, n  int
	closed bool
	reqs   columnReader[sim.Request]
	ops    columnReader[sim.Op]
	ttl    columnReader[uint32]
	next   columnReader[uint32]
}

// A columnReader holds a piece of a column; it has none without a file.
type columnReader[T cell] struct {
	f     *os.File
	piece []T
}

// read reads n cells from index at on.
func (c *columnReader[T]) read(at, n int) error {
	if c.f == nil {
		return nil
	}
	if c.piece == nil {
		c.piece = make([]T, n)
	}
	c.piece = c.piece[:n]
	return decodeFrom(c.piece, func(b []byte) error {
		if _, err := c.f.ReadAt(b, int64(at)*int64(len(b)/n)); err != nil {
			if err == io.EOF { // the end of a trace is known, and this is not it
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("read %s: %w", c.f.Name(), err)
		}
		return nil
	})
}

func (c *columnReader[T]) slice(i, j int) []T {
	if c.f == nil {
		return nil
	}
	return c.piece[i:j:j]
}

func (r *spoolReader) Next() (sim.Batch, error) {
	if r.at >= r.n {
		return sim.Batch{}, io.EOF
	}
	i := r.at % pieceSize
	if i == 0 {
		n := min(pieceSize, r.n-r.at)
		if err := errors.Join(r.reqs.read(r.at, n), r.ops.read(r.at, n), r.ttl.read(r.at, n), r.next.read(r.at, n)); err != nil {
			return sim.Batch{}, err
		}
	}
	j := min(i+sim.BatchSize, len(r.reqs.piece))
	r.at += j - i
	return sim.Batch{Requests: r.reqs.slice(i, j), Ops: r.ops.slice(i, j), TTL: r.ttl.slice(i, j), Next: r.next.slice(i, j)}, nil
}

func (r *spoolReader) Close() error {
	if !r.closed {
		r.closed = true
		r.s.readers.Add(-1)
	}
	return nil
}

// nextMeta is next.json.
type nextMeta struct{ Sums []sum64 }

// nextColumn returns the file with the next accesses, and makes it if it is not
// there or is damaged.
func (s *spool) nextColumn() (*os.File, error) {
	s.nextMutex.Lock()
	defer s.nextMutex.Unlock()
	if s.next != nil {
		return s.next, nil
	}
	path := filepath.Join(s.dir, "next")
	var m nextMeta
	if readMeta(path+".json", &m) == nil {
		if f, err := os.Open(path); err == nil {
			if verifyColumn(f, 4, s.meta.Requests, m.Sums) == nil {
				s.next = f
				return f, nil
			}
			f.Close()
		}
	}
	f, err := os.CreateTemp(s.dir, "next-*")
	kept := err == nil
	if !kept { // a cache that others may only read
		if f, err = os.CreateTemp("", "cachesim-next-*"); err != nil {
			return nil, err
		}
	}
	if m.Sums, err = s.writeNext(f); err == nil {
		err = f.Close()
	}
	name := f.Name()
	if err != nil {
		f.Close()
		os.Remove(name)
		return nil, err
	}
	if kept {
		// Another process may do the same at the same time: either file is
		// right, and the checksums are the same.
		if os.Rename(name, path) == nil {
			name = path
			if err := writeMeta(path+".json", m); err != nil {
				return nil, err
			}
		}
	}
	if f, err = os.Open(name); err != nil {
		return nil, err
	}
	if name != path {
		os.Remove(name) // it stays readable; where it does not, it is left behind
	}
	s.next = f
	return f, nil
}

// writeNext computes the next accesses from the last request to the first.
func (s *spool) writeNext(f *os.File) ([]sum64, error) {
	n := s.meta.Requests
	accesses := sim.NewNextAccesses(s.meta.Objects, s.meta.SizeRule == sim.SizeReplaces)
	reqs := columnReader[sim.Request]{f: s.reqs, piece: make([]sim.Request, pieceSize)}
	ops := columnReader[sim.Op]{f: s.ops, piece: make([]sim.Op, pieceSize)}
	next := make([]uint32, pieceSize)
	sums := make([]sum64, (n+pieceSize-1)/pieceSize)
	for i := len(sums) - 1; i >= 0; i-- {
		at := i * pieceSize
		k := min(pieceSize, n-at)
		if err := errors.Join(reqs.read(at, k), ops.read(at, k)); err != nil {
			return nil, err
		}
		accesses.Fill(at, reqs.piece, ops.slice(0, k), next[:k])
		b := encode(next[:k])
		sums[i] = sum64(xxh3.Hash(b))
		if _, err := f.WriteAt(b, int64(at)*4); err != nil {
			return nil, err
		}
	}
	return sums, nil
}
