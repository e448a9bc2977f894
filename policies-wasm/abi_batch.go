package wasm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"cachesim/sim"
)

// chunk is the most requests that cross into a guest in one call.
const chunk = 8192

// unserved is the outcome of each request before a batch: none.
const unserved = 0xff

// inBatches lets the guest's own replay export serve many requests a call.
func (g *guest) inBatches() (replayer, error) {
	alloc, err := g.callee("alloc")
	if err != nil {
		return nil, err
	}
	records, err := alloc.allocate(16 * chunk)
	if err != nil {
		return nil, err
	}
	out, err := alloc.allocate(chunk)
	if err != nil {
		return nil, err
	}
	replay, err := g.callee(g.conv.send)
	if err != nil {
		return nil, err
	}
	stack := make([]uint64, 3)
	return g.chunked(func(reqs []sim.Request, hit []bool) error {
		b, err := g.slice(out, len(reqs))
		if err != nil {
			return err
		}
		fill(b)
		if b, err = g.slice(records, 16*len(reqs)); err != nil {
			return err
		}
		copyRecords(b, reqs)
		stack[0], stack[1], stack[2] = uint64(records), uint64(len(reqs)), uint64(out)
		failed := replay.call(stack)
		if b, err = g.slice(out, len(reqs)); err != nil {
			return err
		}
		if failed != nil {
			return g.locate(failed, reqs, b, false)
		}
		return g.outcomes(b, reqs, hit)
	}), nil
}

// fill has outcomes say that no request was served.
func fill(outcomes []byte) {
	for i := range outcomes {
		outcomes[i] = unserved
	}
}

// A requestError is an error about one request of a batch.
type requestError struct {
	index  int // in the batch
	likely bool
	req    sim.Request
	err    error
}

func (e *requestError) Error() string { return e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }

// locate finds the request at which a batch failed: the first without an outcome,
// if all behind it have none either. That is certain where exact, and where there
// is one request; a guest might leave its outcomes at the end, or in any order, so
// that of several requests it is likely where some have an outcome, and unknown
// where none has.
func (g *guest) locate(err error, reqs []sim.Request, outcomes []byte, exact bool) error {
	i := bytes.IndexByte(outcomes, unserved)
	if i < 0 || !exact && i == 0 && len(reqs) > 1 || len(bytes.TrimRight(outcomes, "\xff")) != i {
		return err
	}
	return &requestError{i, !exact && len(reqs) > 1, reqs[i], err}
}

// chunked cuts batches to what fits, and says of an error which requests it is
// about.
func (g *guest) chunked(serve replayer) replayer {
	return func(reqs []sim.Request, hit []bool) error {
		for start := 0; start < len(reqs); start += chunk {
			n := min(chunk, len(reqs)-start)
			if err := serve(reqs[start:start+n], hit[start:start+n]); err != nil {
				return g.about(err, n)
			}
			g.served += int64(n)
			g.heartbeat()
		}
		return nil
	}
}

// about puts the request in front of an error, or the n requests of the batch.
func (g *guest) about(err error, n int) error {
	var r *requestError
	batch := fmt.Sprintf("requests %d to %d", g.served+1, g.served+int64(n))
	switch {
	case !errors.As(err, &r):
		return fmt.Errorf("%s: %w", batch, err)
	case r.likely:
		return fmt.Errorf("%s, by the outcomes before at request %d, %w", batch, g.served+int64(r.index)+1, r.forObject())
	}
	return fmt.Errorf("request %d, %w", g.served+int64(r.index)+1, r.forObject())
}

// forObject puts the object in front of the error.
func (e *requestError) forObject() error {
	return fmt.Errorf("for object %d of %d bytes: %w", e.req.ID, e.req.Size, e.err)
}

// outcomes reads one byte a request.
func (g *guest) outcomes(b []byte, reqs []sim.Request, hit []bool) error {
	b = b[:len(hit)]
	// Bits above the lowest must not be set in any of them: eight at a time.
	var all uint64
	i := 0
	for ; i+8 <= len(b); i += 8 {
		all |= binary.LittleEndian.Uint64(b[i:])
	}
	for _, o := range b[i:] {
		all |= uint64(o)
	}
	if all&^0x0101010101010101 != 0 {
		for i, o := range b {
			if o == unserved && g.conv.abi == Batch {
				return &requestError{i, false, reqs[i], errors.New("impossible outcome: the guest left none, want 0 (miss) or 1 (hit)")}
			}
			if o > 1 {
				return &requestError{i, false, reqs[i], impossible(uint64(o))}
			}
		}
	}
	copyOutcomes(hit, b)
	return nil
}
