package wasm

import (
	"encoding/binary"
	"fmt"

	"cachesim/sim"
)

// perRequest calls the guest for each request, in any ABI but batch.
func (g *guest) perRequest() (replayer, error) {
	send, err := g.callee(g.conv.send)
	if err != nil {
		return nil, err
	}
	load := g.asArguments
	if g.conv.record > 0 {
		if load, err = g.inMemory(); err != nil {
			return nil, err
		}
	}
	outcome := func(returned uint64) (uint64, error) { return returned, nil }
	if !g.conv.returns {
		if outcome, err = g.counted(); err != nil {
			return nil, err
		}
	}
	stack := make([]uint64, 2)
	return func(reqs []sim.Request, hit []bool) error {
		for i, r := range reqs {
			err := load(r, stack)
			if err == nil {
				err = send.call(stack)
			}
			var out uint64
			if err == nil {
				out, err = outcome(stack[0])
			}
			if err == nil && uint32(out) > 1 {
				err = impossible(out)
			}
			if err != nil {
				return g.about(&requestError{0, false, r, err}, 1)
			}
			g.served++
			hit[i] = uint32(out) == 1
			if i&255 == 255 {
				g.heartbeat()
			}
		}
		return nil
	}, nil
}

// asArguments puts the request on the stack: the Pair convention.
func (g *guest) asArguments(r sim.Request, stack []uint64) error {
	stack[0], stack[1] = uint64(r.ID), uint64(r.Size)
	return nil
}

// inMemory returns a function that writes a request into the guest's memory and
// puts its address and length on the stack.
func (g *guest) inMemory() (func(sim.Request, []uint64) error, error) {
	alloc, err := g.callee("alloc")
	if err != nil {
		return nil, err
	}
	n := g.conv.record
	var place uint32
	if g.conv.static {
		if place, err = alloc.allocate(n); err != nil {
			return nil, err
		}
	}
	return func(r sim.Request, stack []uint64) error {
		at := place
		if !g.conv.static {
			var err error
			if at, err = alloc.allocate(n); err != nil {
				return err
			}
		}
		b, err := g.slice(at, n)
		if err != nil {
			return err
		}
		binary.LittleEndian.PutUint32(b, r.ID)
		if n == 16 {
			binary.LittleEndian.PutUint32(b[4:], r.Time)
		}
		binary.LittleEndian.PutUint64(b[n-8:], uint64(r.Size))
		stack[0], stack[1] = uint64(at), uint64(n)
		return nil
	}, nil
}

// counted returns a function that makes an outcome of what the guest's stats,
// events << 32 | hits, have risen by since it was called last.
func (g *guest) counted() (func(uint64) (uint64, error), error) {
	stats, err := g.callee("stats")
	if err != nil {
		return nil, err
	}
	stack := make([]uint64, 1)
	if err := stats.call(stack); err != nil {
		return nil, err
	}
	last := stack[0]
	return func(uint64) (uint64, error) {
		if err := stats.call(stack); err != nil {
			return 0, err
		}
		rise := stack[0] - last - 1<<32
		last = stack[0]
		if rise > 1 {
			return 0, fmt.Errorf("impossible outcome: the guest's stats rose by %d events and %d hits, want one event that is a hit or not",
				uint32(rise>>32)+1, int32(rise))
		}
		return rise, nil
	}, nil
}
