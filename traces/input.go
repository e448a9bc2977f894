package traces

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

// blocks are used again, since there are many.
var blocks = sync.Pool{New: func() any { b := make([]byte, blockSize); return &b }}

// A fileHash computes the SHA-256 of files, one after the other, on a goroutine of its own, which
// may end long after the files were decoded: it takes up to twice as long as the rest of loading
// where the processor has no instructions for it. It copies what is read from pipes and the like;
// of regular files it reads again what was read, while the system still has it in memory.
type fileHash struct {
	todo    chan hashPart
	copies  chan struct{} // has an element for each copy in todo
	quit    atomic.Bool
	done    chan struct{}
	h       hash.Hash
	unknown bool // what was read can no longer be read
}

// A hashPart is the next bytes to hash, or the end of a file.
type hashPart struct {
	b []byte
	f *hashedFile // b is nil: the next n bytes of this file
	n int64       // 0: its end
}

// A hashedFile is a regular file that is hashed behind its reader.
type hashedFile struct {
	*os.File
	h    *fileHash
	info os.FileInfo // when it was opened
	at   int64       // of the hash
}

const (
	// hashLag is how many reads, of at most blockSize bytes, a hash may be behind the reader
	// of a regular file: less than the memory that systems use for files.
	hashLag    = 1024
	hashCopies = 8
	// hashedAtOnce is how many bytes are hashed before other goroutines get their turn.
	hashedAtOnce = 64 << 10
)

func newFileHash() *fileHash {
	h := &fileHash{
		todo: make(chan hashPart, hashLag), copies: make(chan struct{}, hashCopies), done: make(chan struct{}), h: sha256.New(),
	}
	go h.run()
	return h
}

func (h *fileHash) run() {
	defer close(h.done)
	buf := make([]byte, hashedAtOnce)
	for part := range h.todo {
		switch {
		case part.b != nil:
			h.h.Write(part.b)
			p := part.b[:cap(part.b)]
			blocks.Put(&p)
			<-h.copies
		case part.n == 0:
			part.f.finish()
		default:
			part.f.add(buf, part.n)
		}
	}
}

// add hashes the next n bytes.
func (f *hashedFile) add(buf []byte, n int64) {
	for n > 0 && !f.h.unknown && !f.h.quit.Load() {
		p := buf[:min(n, int64(len(buf)))]
		if _, err := f.ReadAt(p, f.at); err != nil {
			f.h.unknown = true
			return
		}
		f.h.h.Write(p)
		f.at += int64(len(p))
		n -= int64(len(p))
		runtime.Gosched() // loading and replaying come first
	}
}

// finish closes the file. One that was changed since it was opened, other than by writing at its
// end, may have been decoded from other bytes than were hashed.
func (f *hashedFile) finish() {
	now, err := f.Stat()
	if err != nil || !now.ModTime().Equal(f.info.ModTime()) && now.Size() <= f.at {
		f.h.unknown = true
	}
	f.Close()
}

// follow returns a reader of r whose bytes become part of the hash. It has to be closed.
func (h *fileHash) follow(r io.ReadCloser) io.ReadCloser {
	if f, ok := r.(*os.File); ok {
		info, err := f.Stat()
		at, seekErr := f.Seek(0, io.SeekCurrent)
		if err == nil && seekErr == nil && info.Mode().IsRegular() {
			return &followedFile{hashedFile{f, h, info, at}}
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(r, h), r}
}

// A followedFile is the reader's end of a hashedFile.
type followedFile struct{ f hashedFile }

func (r *followedFile) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	if n > 0 {
		r.f.h.todo <- hashPart{f: &r.f, n: int64(n)}
	}
	return n, err
}

// Close lets the file be closed when it is hashed.
func (r *followedFile) Close() error {
	r.f.h.todo <- hashPart{f: &r.f}
	return nil
}

// Write hashes a copy of p.
func (h *fileHash) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		b := (*blocks.Get().(*[]byte))[:blockSize]
		n := copy(b, rest)
		rest = rest[n:]
		h.copies <- struct{}{}
		h.todo <- hashPart{b: b[:n]}
	}
	return len(p), nil
}

// end says that there are no more files; all have to be closed.
func (h *fileHash) end() { close(h.todo) }

// abandon is end for a hash that nobody needs.
func (h *fileHash) abandon() {
	h.quit.Store(true)
	h.end()
	<-h.done
}

// abandonAfter abandons a hash once the input that may write to it has ended.
func (h *fileHash) abandonAfter(in *input) {
	<-in.ended
	h.abandon()
}

// sum waits for the hash and returns it in hex; empty: it is not known. It comes after end.
func (h *fileHash) sum() string {
	<-h.done
	if h.unknown {
		return ""
	}
	return hex.EncodeToString(h.h.Sum(nil))
}

// An input is the decompressed data of one file, which a goroutine of its own
// reads, decompresses and passes on in blocks.
type input struct {
	blocks  chan []byte
	quit    chan struct{}
	ended   chan struct{}
	rest    []byte // of the block that Read has not returned yet
	block   []byte
	err     error // of the goroutine, once blocks is closed
	drained bool  // all of the file was read
}

// newInput reads r, or the named member of the archive in it. Where r is no pipe, nothing reads it
// any more once the input has ended.
func newInput(r io.Reader, member string, pipe bool) *input {
	in := &input{blocks: make(chan []byte, 8), quit: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(in.ended)
		defer close(in.blocks)
		in.err = in.run(r, member, pipe)
	}()
	return in
}

func (in *input) run(r io.Reader, member string, pipe bool) error {
	whole := bufio.NewReaderSize(r, blockSize)
	plain, err := decompress(whole)
	if err != nil {
		return err
	}
	data, err := unpack(plain, member)
	if err != nil {
		plain.stop(!pipe)
		return err
	}
	defer data.stop(!pipe)
	for {
		b := (*blocks.Get().(*[]byte))[:blockSize]
		n := 0
		for n < len(b) && err == nil {
			var m int
			m, err = data.Read(b[n:])
			n += m
			if m > 0 && n >= blockSize/4 {
				break
			}
		}
		if n > 0 {
			select {
			case in.blocks <- b[:n]:
			case <-in.quit:
				return nil
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	// The hash is that of the file, so read what follows a member, and what the decompressor left.
	if data.inner != nil {
		if _, err := io.Copy(io.Discard, data.inner); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, whole); err != nil {
		return (&stream{}).explain(err)
	}
	in.drained = true
	return nil
}

func (in *input) Read(p []byte) (int, error) {
	if len(in.rest) == 0 {
		if in.block != nil {
			b := in.block[:cap(in.block)]
			blocks.Put(&b)
			in.block = nil
		}
		b, ok := <-in.blocks
		if !ok {
			if in.err != nil {
				return 0, in.err
			}
			return 0, io.EOF
		}
		in.block, in.rest = b, b
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

// isDrained reports whether all of the file was read, as far as that is known by now.
func (in *input) isDrained() bool {
	select {
	case <-in.ended:
		return in.drained
	default:
		return false
	}
}

// stop ends the goroutine early, if it has not ended, and waits for that unless
// it may be waiting for more of a pipe.
func (in *input) stop(wait bool) {
	close(in.quit)
	if wait {
		<-in.ended
	}
}
