package traces

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/zeebo/xxh3"

	"cachesim/sim"
)

// Cachesim is the format for traces that are decoded once and then kept or passed on: it has all
// that a trace has, and checksums. docs/FORMATS.md describes it byte by byte. An object's id and
// size come with its first request, behind which it is a number.
var Cachesim = Format{
	Name: "cachesim",
	Doc:  "binary, blocks of requests with checksums: all that cachesim keeps of a trace, as trace convert writes it",
	Tick: time.Nanosecond,
	Probe: func(head []byte, whole bool) (Confidence, string) {
		if !bytes.HasPrefix(head, []byte(cachesimMagic[:5])) {
			return No, "it does not start with the magic number of cachesim"
		}
		return Certain, "it starts with the magic number of cachesim"
	},
	New: func(r io.Reader, _ Args) (Decoder, error) {
		d, err := openCachesim(r)
		if err != nil { // which is one of decoding
			return &cachesimDecoder{err: err}, nil
		}
		return d, nil
	},
}

const (
	cachesimMagic = "\x89csim\r\n\x1a" // changed by whatever takes it for text, as that of PNG
	// cachesimVersion is raised whenever what an older program reads would be wrong.
	cachesimVersion = 1
	cachesimHeader  = 64 // bytes
	cachesimBlock   = 16 // bytes before the columns of a block
	cachesimRows    = 1 << 16
	numberID        = math.MaxUint32 // length of an id that is a number
)

// The columns of a file, as bits of its header.
const (
	cachesimTimes = 1 << iota
	cachesimOps
	cachesimTTL
	cachesimPrompts
	cachesimReverse
	cachesimColumns // above all of them
)

// encodeCachesim writes the header, and makes a block of each batch.
func encodeCachesim(e *encoder) (func(sim.Batch) error, error) {
	t := e.t
	var columns uint32
	var token int64
	if t.Tick > 0 {
		columns |= cachesimTimes
	}
	if t.Columns&sim.ColumnOps != 0 {
		columns |= cachesimOps
	}
	if t.Columns&sim.ColumnTTL != 0 {
		columns |= cachesimTTL
	}
	if t.Prompts != nil {
		if columns |= cachesimPrompts; t.Prompts.Reverse {
			columns |= cachesimReverse
		}
		token = t.Prompts.TokenBytes
	}
	h := []byte(cachesimMagic)
	le := binary.LittleEndian
	h = le.AppendUint32(h, cachesimVersion)
	h = le.AppendUint32(h, columns)
	h = le.AppendUint64(h, uint64(t.Tick))
	h = le.AppendUint64(h, uint64(t.Requests))
	h = le.AppendUint64(h, uint64(t.Objects))
	h = le.AppendUint64(h, uint64(token))
	h = le.AppendUint64(h, 0)
	if _, err := e.w.Write(le.AppendUint64(h, xxh3.Hash(h))); err != nil {
		return nil, err
	}
	var sizes []int64 // of the objects so far
	var buf, ids []byte
	var lengths []uint32
	at := 0
	return func(b sim.Batch) error {
		first := len(sizes)
		ids, lengths = ids[:0], lengths[:0]
		for _, r := range b.Requests {
			switch known := uint32(len(sizes)); {
			case r.ID < known && sizes[r.ID] == r.Size:
				continue
			case r.ID != known:
				return fmt.Errorf("object %d has several sizes, or is not numbered by its first request", r.ID)
			}
			sizes = append(sizes, r.Size)
			name := t.ObjectName(r.ID)
			if key, ok := plainNumber([]byte(name)); ok {
				lengths = append(lengths, numberID)
				ids = le.AppendUint64(ids, key)
			} else {
				lengths = append(lengths, uint32(len(name)))
				ids = append(ids, name...)
			}
		}
		buf = le.AppendUint32(buf[:0], uint32(len(b.Requests)))
		buf = le.AppendUint32(buf, uint32(len(lengths)))
		buf = le.AppendUint64(buf, uint64(len(ids)))
		for _, size := range sizes[first:] {
			buf = le.AppendUint64(buf, uint64(size))
		}
		for _, n := range lengths {
			buf = le.AppendUint32(buf, n)
		}
		buf = append(buf, ids...)
		for _, r := range b.Requests {
			buf = le.AppendUint32(buf, r.ID)
		}
		if columns&cachesimTimes != 0 {
			for _, r := range b.Requests {
				buf = le.AppendUint32(buf, r.Time)
			}
		}
		if columns&cachesimOps != 0 {
			for _, op := range b.Ops {
				buf = append(buf, byte(op))
			}
		}
		if columns&cachesimTTL != 0 {
			for _, ttl := range b.TTL {
				buf = le.AppendUint32(buf, uint32(min(e.ttl(ttl), math.MaxUint32)))
			}
		}
		if columns&cachesimPrompts != 0 {
			bits := make([]byte, (len(b.Requests)+7)/8)
			for i := range b.Requests {
				if t.Prompts.Starts(at + i) {
					bits[i/8] |= 1 << (i % 8)
				}
			}
			buf = append(buf, bits...)
		}
		at += len(b.Requests)
		_, err := e.w.Write(le.AppendUint64(buf, xxh3.Hash(buf)))
		return err
	}, nil
}

// cachesimDecoder reads block by block.
type cachesimDecoder struct {
	r        io.Reader
	at       int64 // offset of the next block
	columns  uint32
	tick     time.Duration
	requests uint64 // in the header
	objects  uint64
	err      error // for good

	known []cachesimObject
	text  arena // ids

	block []byte
	// The columns of the block, and how far they were decoded.
	n, i            int
	ids, times, ttl []byte
	ops, starts     []byte
	groups          []int
	read            uint64 // requests of the blocks so far
}

// A cachesimObject is an object that was requested.
type cachesimObject struct {
	key  uint64 // its id; where that is text, where it is in the arena
	size uint64 // bytes<<1, with bit 0 set where the id is text
}

// cachesimPromptDecoder is a cachesimDecoder of a trace of language models.
type cachesimPromptDecoder struct {
	*cachesimDecoder
	prompts sim.Prompts
}

func (d *cachesimPromptDecoder) Groups() []int        { return d.groups }
func (d *cachesimPromptDecoder) Prompts() sim.Prompts { return d.prompts }

// Tick returns the unit of the times.
func (d *cachesimDecoder) Tick() time.Duration { return d.tick }

// openCachesim reads the header.
func openCachesim(r io.Reader) (Decoder, error) {
	h := make([]byte, cachesimHeader)
	if n, err := io.ReadFull(r, h); err != nil {
		return nil, headerCut(n, err)
	}
	le := binary.LittleEndian
	switch magic := string(h[:8]); {
	case magic[:5] != cachesimMagic[:5]:
		return nil, &SyntaxError{Msg: "it does not start with the magic number of cachesim"}
	case magic != cachesimMagic:
		return nil, &SyntaxError{Byte: 5, Msg: "its magic number has other line ends: the file was transferred or converted as text"}
	}
	if v := le.Uint32(h[8:]); v != cachesimVersion {
		return nil, &SyntaxError{Byte: 8, Msg: fmt.Sprintf("it has version %d of the format cachesim, but this program reads version %d", v, cachesimVersion)}
	}
	if le.Uint64(h[56:]) != xxh3.Hash(h[:56]) {
		return nil, &SyntaxError{Byte: 56, Msg: "the checksum of its header differs: the file is damaged"}
	}
	d := &cachesimDecoder{
		r: r, at: cachesimHeader, columns: le.Uint32(h[12:]), tick: time.Duration(le.Uint64(h[16:])),
		requests: le.Uint64(h[24:]), objects: le.Uint64(h[32:]),
	}
	token := int64(le.Uint64(h[40:]))
	if d.columns >= cachesimColumns || d.tick < 0 || (d.tick > 0) != (d.columns&cachesimTimes != 0) || token < 0 || le.Uint64(h[48:]) != 0 {
		return nil, &SyntaxError{Byte: 12, Msg: "its header is none that cachesim writes"}
	}
	if d.columns&cachesimPrompts == 0 {
		return d, nil
	}
	return &cachesimPromptDecoder{d, sim.Prompts{Reverse: d.columns&cachesimReverse != 0, TokenBytes: token}}, nil
}

func (d *cachesimDecoder) Decode(dst []Record) (int, error) {
	d.groups = d.groups[:0]
	if d.i == d.n {
		if d.err == nil {
			d.err = d.next()
		}
		if d.err != nil {
			err := d.err
			d.err = io.EOF
			return 0, err
		}
	}
	n := min(len(dst), d.n-d.i)
	le := binary.LittleEndian
	for k := range dst[:n] {
		i := d.i + k
		o := &d.known[le.Uint32(d.ids[4*i:])]
		r := &dst[k]
		*r = Record{Key: o.key, Size: int64(o.size >> 1)}
		if o.size&1 != 0 {
			r.Text = d.text.at(o.key)
		}
		if d.times != nil {
			r.Time = int64(le.Uint32(d.times[4*i:]))
		}
		if d.ops != nil {
			r.Op = sim.Op(d.ops[i])
		}
		if d.ttl != nil {
			r.TTL = le.Uint32(d.ttl[4*i:])
		}
		if d.starts != nil && d.starts[i/8]>>(i%8)&1 != 0 {
			d.groups = append(d.groups, k)
		}
	}
	d.i += n
	return n, nil
}

// next reads a block, or returns io.EOF behind the last one.
func (d *cachesimDecoder) next() error {
	var head [cachesimBlock]byte
	got, err := io.ReadFull(d.r, head[:])
	switch {
	case err == io.EOF && d.read == d.requests && uint64(len(d.known)) == d.objects:
		return io.EOF
	case err == io.EOF:
		return d.damaged("it ends after %d of %d requests: the file is cut off", d.read, d.requests)
	case got > 0 && d.read == d.requests:
		return d.damaged("there are bytes behind its last block")
	case err == io.ErrUnexpectedEOF:
		return d.damaged("a block has %d of %d bytes: the file is cut off", got, cachesimBlock)
	case err != nil:
		return err
	}
	le := binary.LittleEndian
	n, m, idBytes := le.Uint32(head[:]), le.Uint32(head[4:]), le.Uint64(head[8:])
	// All that follows is bounded by these, so that damage to them does not fill the memory.
	if n == 0 || n > cachesimRows || m > n || idBytes > uint64(m)*(maxLine+8) {
		return d.damaged("a block of %d requests cannot have %d new objects with %d bytes of ids: the file is damaged", n, m, idBytes)
	}
	width := []struct {
		column uint32
		bytes  int
		to     *[]byte
	}{
		{0, 4 * int(n), &d.ids},
		{cachesimTimes, 4 * int(n), &d.times},
		{cachesimOps, int(n), &d.ops},
		{cachesimTTL, 4 * int(n), &d.ttl},
		{cachesimPrompts, (int(n) + 7) / 8, &d.starts},
	}
	size := 12*int64(m) + int64(idBytes) + 8
	for _, w := range width {
		if w.column == 0 || d.columns&w.column != 0 {
			size += int64(w.bytes)
		}
	}
	if err := d.fill(head[:], size); err != nil {
		return err
	}
	sum := len(d.block) - 8
	if le.Uint64(d.block[sum:]) != xxh3.Hash(d.block[:sum]) {
		return d.damaged("the checksum of a block differs: the file is damaged")
	}
	rest := d.block[cachesimBlock:sum]
	cut := func(n int) (part []byte) {
		part, rest = rest[:n:n], rest[n:]
		return part
	}
	if err := d.addObjects(cut(8*int(m)), cut(4*int(m)), cut(int(idBytes))); err != nil {
		return err
	}
	for _, w := range width {
		if *w.to = nil; w.column == 0 || d.columns&w.column != 0 {
			*w.to = cut(w.bytes)
		}
	}
	for i := range int(n) {
		if id := le.Uint32(d.ids[4*i:]); uint64(id) >= uint64(len(d.known)) {
			return d.damaged("a request is for object %d of %d", id, len(d.known))
		}
	}
	for _, op := range d.ops {
		if sim.Op(op) > sim.Delete {
			return d.damaged("%d is no operation", op)
		}
	}
	d.i, d.n = 0, int(n)
	d.read += uint64(n)
	d.at += int64(len(d.block))
	return nil
}

// fill reads size bytes behind head into d.block. It reserves no more memory than the file has
// shown to need.
func (d *cachesimDecoder) fill(head []byte, size int64) error {
	const step = 1 << 20
	d.block = append(d.block[:0], head...)
	for size > 0 {
		was := len(d.block)
		n := int(min(size, step))
		if cap(d.block)-was < n {
			d.block = append(d.block, make([]byte, n)...)
		}
		d.block = d.block[:was+n]
		got, err := io.ReadFull(d.r, d.block[was:])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return d.damaged("a block lacks %d of its bytes: the file is cut off", size-int64(got))
		}
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}

// addObjects takes in the objects that are first requested in a block.
func (d *cachesimDecoder) addObjects(sizes, lengths, ids []byte) error {
	le := binary.LittleEndian
	for ; len(sizes) > 0; sizes, lengths = sizes[8:], lengths[4:] {
		size, length := le.Uint64(sizes), le.Uint32(lengths)
		if size > sim.MaxSize {
			return d.damaged("%s", wrongSize(size, true))
		}
		n := uint64(length)
		if length == numberID {
			n = 8
		}
		if n > uint64(len(ids)) {
			return d.damaged("the ids of a block are longer than it says")
		}
		key := uint64(0)
		size <<= 1
		if length == numberID {
			key = le.Uint64(ids)
		} else {
			key = d.text.add(ids[:n])
			size |= 1
		}
		ids = ids[n:]
		d.known = append(d.known, cachesimObject{key, size})
	}
	if len(ids) > 0 {
		return d.damaged("the ids of a block are shorter than it says")
	}
	return nil
}

// damaged is the error about the block at d.at. Nothing can be read behind it.
func (d *cachesimDecoder) damaged(format string, args ...any) error {
	return &SyntaxError{Byte: d.at, Msg: fmt.Sprintf(format, args...)}
}

var errNoCosts = errors.New("no format that is written has costs of requests: leave them out of --columns")
