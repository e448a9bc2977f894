package traces

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

// blocks are used again, since there are many.
var blocks = sync.Pool{New: func() any { b := make([]byte, blockSize); return &b }}

// An asyncHash hashes what is written to it on a goroutine of its own.
type asyncHash struct {
	todo chan []byte
	done chan struct{}
	h    hash.Hash
}

func newAsyncHash() *asyncHash {
	a := &asyncHash{todo: make(chan []byte, 8), done: make(chan struct{}), h: sha256.New()}
	go func() {
		defer close(a.done)
		for p := range a.todo {
			a.h.Write(p)
			p = p[:cap(p)]
			blocks.Put(&p)
		}
	}()
	return a
}

func (a *asyncHash) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		b := (*blocks.Get().(*[]byte))[:blockSize]
		n := copy(b, rest)
		rest = rest[n:]
		a.todo <- b[:n]
	}
	return len(p), nil
}

// sum ends the goroutine and returns the hash in hex.
func (a *asyncHash) sum() string {
	close(a.todo)
	<-a.done
	return hex.EncodeToString(a.h.Sum(nil))
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

// newInput reads r, or the named member of the archive in it. The stored bytes of r are also
// written to sum.
func newInput(r io.Reader, member string, sum io.Writer) *input {
	in := &input{blocks: make(chan []byte, 8), quit: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(in.ended)
		defer close(in.blocks)
		in.err = in.run(r, member, sum)
	}()
	return in
}

func (in *input) run(r io.Reader, member string, sum io.Writer) error {
	whole := bufio.NewReaderSize(io.TeeReader(r, sum), blockSize)
	plain, err := decompress(whole)
	if err != nil {
		return err
	}
	data, err := unpack(plain, member)
	if err != nil {
		plain.stop()
		return err
	}
	defer data.stop()
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
	// The hash is that of the file, so read what the decompressor left.
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

// stop ends the goroutine early, if it has not ended, and waits for that unless
// it may be waiting for more of a pipe.
func (in *input) stop(wait bool) {
	close(in.quit)
	if wait {
		<-in.ended
	}
}
