package wasm

import (
	"encoding/binary"
	"fmt"

	"cachesim/sim"
)

// chunk is the most requests that cross into a guest in one call.
const chunk = 8192

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
		b, err := g.slice(records, 16*len(reqs))
		if err != nil {
			return err
		}
		copyRecords(b, reqs)
		stack[0], stack[1], stack[2] = uint64(records), uint64(len(reqs)), uint64(out)
		if err := replay.call(stack); err != nil {
			return err
		}
		if b, err = g.slice(out, len(reqs)); err != nil {
			return err
		}
		return g.outcomes(b, hit)
	}), nil
}

// chunked cuts batches to what fits, and says of an error which requests it is
// about.
func (g *guest) chunked(serve replayer) replayer {
	return func(reqs []sim.Request, hit []bool) error {
		for start := 0; start < len(reqs); start += chunk {
			n := min(chunk, len(reqs)-start)
			if err := serve(reqs[start:start+n], hit[start:start+n]); err != nil {
				return fmt.Errorf("requests %d to %d: %w", g.served+1, g.served+int64(n), err)
			}
			g.served += int64(n)
			g.heartbeat()
		}
		return nil
	}
}

// outcomes reads one byte a request.
func (g *guest) outcomes(b []byte, hit []bool) error {
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
			if o > 1 {
				return impossible(g.served+int64(i)+1, uint64(o))
			}
		}
	}
	copyOutcomes(hit, b)
	return nil
}
