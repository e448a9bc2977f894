package micro

import (
	"context"

	wasm "cachesim/policies-wasm"
	"cachesim/sim/results"
)

// Sizes of a payload: from two numbers to all that the guest's buffer holds.
const (
	leastPayload = pairBytes
	mostPayload  = 64 << 10
	// A run passes no more than so many bytes, so that large payloads take no
	// longer than small ones.
	payloadBytes = 2 << 20
	payloadCalls = 2_000
)

// payloads are the calls that pass a struct of growing size in memory.
func (o *Options) payloads(s *sandbox) ([]*cell, error) {
	var cells []*cell
	for _, abi := range []string{wasm.Bincode, wasm.Bytemuck, wasm.BincodeStatic, wasm.BytemuckStatic} {
		for size := leastPayload; size <= mostPayload; size *= 2 {
			m, err := s.passing(abi, Cached, size)
			if err != nil {
				return nil, err
			}
			c := &cell{cost: o.cost(results.CostOfPayload, memoryTest(abi, Cached), s.engine)}
			c.cost.Test = abi
			c.cost.Payload = size
			c.cost.Calls = min(o.Calls, payloadCalls, payloadBytes/size)
			c.measure = func(_ context.Context, n int) (sample, error) {
				return timed(0, func() error { return m.calls(n) })
			}
			cells = append(cells, c)
		}
	}
	return cells, nil
}
