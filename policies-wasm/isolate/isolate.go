// Package isolate runs guests in processes of their own, so that what crashes a
// runtime, and not only its guest, ends one cell and nothing else.
//
// A process serves one guest. Requests go to it in frames on its standard input,
// outcomes come back on its standard output: the trace is read once, by the parent,
// and whatever the parent makes of a trace (samples, warm-up, removals) reaches the
// guest as it would without isolation. A frame is a byte for its kind, the length
// of its content (u32) and the content, all little-endian.
package isolate

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	wasm "cachesim/policies-wasm"
	"cachesim/sim"
)

// Kinds of frames, with their content. Those to the child ask, and each is answered
// by one of the same kind or by kindError.
const (
	kindOpen   = 'o' // to the child: a spec; from it: opened
	kindReplay = 'r' // columns; time spent (u64 ns) and a byte for each outcome
	kindRemove = 'd' // object (u32); time spent, and 1 if it was in the cache
	kindCounts = 'c' // nothing; sim.Counts
	kindHas    = 'h' // object (u32); time spent, 1 if it is in the cache
	kindUsed   = 'u' // nothing; bytes in the cache (u64), or nothing where the guest does not say
	kindSaid   = 's' // nothing; text
	kindError  = 'e' // from the child: text
	kindBeat   = 'b' // from the child, at any time: the guest made progress
)

// A spec is what wasm.Config has, in a form that can be sent.
type spec struct {
	sim.Config // without parameters and sizes
	sim.Version
	Params       map[string]uint64 // bits of each value, which may be infinite
	Name         string
	Module       []byte
	StoresMisses bool
	Declared     string
	Memory       int64
	Stoppable    bool
}

// opened describes the replayer that was made.
type opened struct {
	sim.Setup
	CanRemove, CanHold bool
}

const (
	headerSize = 5
	recordSize = 16
	// largestFrame is what a spec can be: a module and the rest, in JSON.
	largestFrame = 1 << 30
)

// Bits that say which columns of a batch follow the requests.
const (
	hasNext = 1 << iota
	hasOps
	hasTTL
)

// startFrame makes room for a header in buf, to which the content is appended.
func startFrame(buf []byte) []byte { return append(buf[:0], make([]byte, headerSize)...) }

// writeFrame writes what startFrame began, with one call.
func writeFrame(w io.Writer, kind byte, frame []byte) error {
	frame[0] = kind
	binary.LittleEndian.PutUint32(frame[1:], uint32(len(frame)-headerSize))
	_, err := w.Write(frame)
	return err
}

// readFrame reads a frame into buf, which it grows.
func readFrame(r io.Reader, buf *[]byte) (kind byte, content []byte, err error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.LittleEndian.Uint32(header[1:]))
	if n > largestFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes", n)
	}
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	content = (*buf)[:n]
	_, err = io.ReadFull(r, content)
	return header[0], content, err
}

// appendBatch writes b, and behind it the keys of objects that the child has not
// been told yet.
func appendBatch(to []byte, b sim.Batch, keys []key) []byte {
	var has byte
	for bit, there := range map[byte]bool{hasNext: b.Next != nil, hasOps: b.Ops != nil, hasTTL: b.TTL != nil} {
		if there {
			has |= bit
		}
	}
	to = append(to, has)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(b.Requests)))
	for _, r := range b.Requests {
		to = binary.LittleEndian.AppendUint32(to, r.ID)
		to = binary.LittleEndian.AppendUint32(to, r.Time)
		to = binary.LittleEndian.AppendUint64(to, uint64(r.Size))
	}
	for _, n := range b.Next {
		to = binary.LittleEndian.AppendUint32(to, n)
	}
	for _, op := range b.Ops {
		to = append(to, byte(op))
	}
	for _, n := range b.TTL {
		to = binary.LittleEndian.AppendUint32(to, n)
	}
	for _, k := range keys {
		to = binary.LittleEndian.AppendUint32(to, k.object)
		to = binary.LittleEndian.AppendUint32(to, uint32(len(k.name)))
		to = append(to, k.name...)
	}
	return to
}

// key is the key of an object.
type key struct {
	object uint32
	name   string
}

// decodeBatch is the inverse of appendBatch. It reuses the columns of b, and calls
// known with each key.
func decodeBatch(from []byte, b *sim.Batch, known func(key)) error {
	if len(from) < headerSize {
		return fmt.Errorf("a batch of %d bytes", len(from))
	}
	has, n, at := from[0], int(binary.LittleEndian.Uint32(from[1:])), from[headerSize:]
	each := recordSize
	for bit, bytes := range map[byte]int{hasNext: 4, hasOps: 1, hasTTL: 4} {
		if has&bit != 0 {
			each += bytes
		}
	}
	if len(at) < n*each {
		return fmt.Errorf("a batch of %d requests in %d bytes", n, len(from))
	}
	b.Requests = b.Requests[:0]
	for range n {
		b.Requests = append(b.Requests, sim.Request{
			ID: binary.LittleEndian.Uint32(at), Time: binary.LittleEndian.Uint32(at[4:]), Size: int64(binary.LittleEndian.Uint64(at[8:])),
		})
		at = at[recordSize:]
	}
	words := func(column []uint32, bit byte) []uint32 {
		if has&bit == 0 {
			return nil
		}
		column = column[:0]
		for range n {
			column = append(column, binary.LittleEndian.Uint32(at))
			at = at[4:]
		}
		return column
	}
	b.Next = words(b.Next, hasNext)
	ops := b.Ops[:0]
	if b.Ops = nil; has&hasOps != 0 {
		for _, op := range at[:n] {
			ops = append(ops, sim.Op(op))
		}
		b.Ops, at = ops, at[n:]
	}
	b.TTL = words(b.TTL, hasTTL)
	for len(at) > 0 {
		if len(at) < 8 || len(at)-8 < int(binary.LittleEndian.Uint32(at[4:])) {
			return fmt.Errorf("a batch of %d bytes that ends in a key", len(from))
		}
		end := 8 + int(binary.LittleEndian.Uint32(at[4:]))
		known(key{binary.LittleEndian.Uint32(at), string(at[8:end])})
		at = at[end:]
	}
	return nil
}

// Serve is the child: it makes the guest that the first frame of in asks for and
// serves it until in ends, and then calls exit, even while the guest runs.
func Serve(in io.Reader, out io.Writer, exit func()) error {
	type frame struct {
		kind    byte
		content []byte
	}
	frames := make(chan frame)
	go func() {
		var buf []byte
		for {
			kind, content, err := readFrame(in, &buf)
			if err != nil {
				exit()
				return
			}
			frames <- frame{kind, content} // the next one comes after the answer
		}
	}()
	// The guest's beats and its answers come from two goroutines.
	writer := make(chan struct{}, 1)
	write := func(kind byte, frame []byte) error {
		writer <- struct{}{}
		defer func() { <-writer }()
		return writeFrame(out, kind, frame)
	}
	var last time.Time
	beats := make(chan struct{}, 1)
	heartbeat := func() { // often
		select {
		case beats <- struct{}{}:
			if now := time.Now(); now.Sub(last) > 20*time.Millisecond {
				last = now
				_ = write(kindBeat, startFrame(nil))
			}
			<-beats
		default: // another goroutine is at it
		}
	}
	s := &server{heartbeat: heartbeat, keys: make(map[uint32]string)}
	for f := range frames {
		s.frame = startFrame(s.frame)
		if err := s.answer(f.kind, f.content); err != nil {
			f.kind, s.frame = kindError, append(startFrame(s.frame), err.Error()...)
		}
		if err := write(f.kind, s.frame); err != nil {
			return err
		}
	}
	return nil
}

// server is the child's state.
type server struct {
	heartbeat func()
	guest     sim.Replayer
	batch     sim.Batch
	hit       []bool
	spent     time.Duration     // in the guest
	frame     []byte            // the answer
	keys      map[uint32]string // by object
}

// answer appends to the frame what answers another.
func (s *server) answer(kind byte, content []byte) error {
	if kind == kindOpen {
		return s.open(content)
	}
	if s.guest == nil {
		return fmt.Errorf("frame %q before a guest was opened", kind)
	}
	switch kind {
	case kindReplay:
		if err := decodeBatch(content, &s.batch, func(k key) { s.keys[k.object] = k.name }); err != nil {
			return err
		}
		n := len(s.batch.Requests)
		if cap(s.hit) < n {
			s.hit = make([]bool, n)
		}
		hit := s.hit[:n]
		began := time.Now()
		err := s.guest.Replay(s.batch, hit)
		s.spent += time.Since(began)
		if err != nil {
			return err
		}
		s.frame = binary.LittleEndian.AppendUint64(s.frame, uint64(s.spent))
		for _, h := range hit {
			s.frame = append(s.frame, bit(h))
		}
		return nil
	case kindRemove:
		if len(content) != 4 {
			return fmt.Errorf("an object of %d bytes", len(content))
		}
		began := time.Now()
		resident, err := s.guest.Remove(binary.LittleEndian.Uint32(content))
		s.spent += time.Since(began)
		s.frame = append(binary.LittleEndian.AppendUint64(s.frame, uint64(s.spent)), bit(resident))
		return err
	case kindHas:
		h, ok := s.guest.(sim.Holding)
		if !ok || len(content) != 4 {
			return fmt.Errorf("an object of %d bytes", len(content))
		}
		has, err := h.Has(binary.LittleEndian.Uint32(content))
		s.frame = append(binary.LittleEndian.AppendUint64(s.frame, uint64(s.spent)), bit(has))
		return err
	case kindUsed:
		if used, ok := wasm.Used(s.guest); ok {
			s.frame = binary.LittleEndian.AppendUint64(s.frame, uint64(used))
		}
		return nil
	case kindSaid:
		s.frame = append(s.frame, wasm.Said(s.guest)...)
		return nil
	case kindCounts:
		return s.append(s.guest.Counts())
	}
	return fmt.Errorf("frame of unknown kind %q", kind)
}

// append adds v as JSON.
func (s *server) append(v any) error {
	b, err := json.Marshal(v)
	s.frame = append(s.frame, b...)
	return err
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (s *server) open(content []byte) error {
	var sp spec
	if err := json.Unmarshal(content, &sp); err != nil {
		return err
	}
	b, err := wasm.NewBinary(sp.Name, sp.Module)
	if err != nil {
		return err
	}
	b.StoresMisses = sp.StoresMisses
	config := sp.Config
	config.Params = make(map[string]float64)
	for name, bits := range sp.Params {
		config.Params[name] = math.Float64frombits(bits)
	}
	var o opened
	s.guest, o.Setup, err = wasm.Open(context.Background(), wasm.Config{
		Config: config, Version: sp.Version, Binary: b, Declared: sp.Declared, Memory: sp.Memory, Stoppable: sp.Stoppable, Heartbeat: s.heartbeat,
		Key: func(object uint32) string { // the guest asks once
			name := s.keys[object]
			delete(s.keys, object)
			return name
		},
	})
	if err != nil {
		return err
	}
	o.CanRemove = s.guest.CanRemove()
	if h, ok := s.guest.(sim.Holding); ok {
		o.CanHold = h.CanHold()
	}
	return s.append(o)
}
