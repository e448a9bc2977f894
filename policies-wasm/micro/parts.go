package micro

import (
	"context"
	"errors"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim/results"
)

// Parts of a cached pair call, from outside to inside. Each is the difference of
// two measurements: with it, and without it.
const (
	PartBoxing   = "boxing"   // the runtime's Go package: arguments and results as Go values, C vectors for them
	PartCrossing = "crossing" // from Go into C and back
	PartEntering = "entering" // the runtime's own way into the guest and out
	PartGuest    = "guest"    // the multiplication
)

// Parts lists them in order.
var Parts = []string{PartBoxing, PartCrossing, PartEntering, PartGuest}

// parts measures a call with fewer and fewer layers around it. The cells are the
// measurements; costs makes the differences.
func (o *Options) parts(s *sandbox) ([]*cell, error) {
	whole, err := pairCached(Preload)(s)
	if err != nil {
		return nil, err
	}
	inside, err := loop(s)
	if err != nil {
		return nil, err
	}
	f, err := s.instance.Function("multiply")
	if err != nil {
		return nil, err
	}
	layers := []layer{{PartBoxing, whole}}
	if l, ok := f.(engines.Layered); ok {
		direct, ok := l.Unboxed()
		if !ok {
			return nil, errors.New("its layers cannot be told apart")
		}
		if _, boxed := f.(engines.Boxed); boxed {
			layers = append(layers, layer{PartCrossing, words(direct)})
		} else {
			layers[0].outermost = PartCrossing
		}
		layers = append(layers, layer{PartEntering, func(n int) error {
			stack := []uint64{uint64(uint32(factorX)), uint64(uint32(factorY))}
			if err := l.Repeat(stack, n); err != nil {
				return err
			}
			if got := int32(stack[0]); got != factorX*factorY {
				return wrong(got)
			}
			return nil
		}})
	} else {
		layers[0].outermost = PartEntering // it is all Go: nothing is crossed
	}
	layers = append(layers, layer{PartGuest, inside})
	var cells []*cell
	for _, l := range layers {
		c := &cell{cost: results.CallCost{Kind: results.CostOfPart, Test: l.outermost, Engine: s.engine, ABI: wasm.Pair, Handle: Cached, Calls: o.Calls}}
		c.measure = func(_ context.Context, n int) (sample, error) {
			return timed(0, func() error { return l.calls(n) })
		}
		if len(cells) > 0 {
			cells[len(cells)-1].inner = c
		}
		cells = append(cells, c)
	}
	return cells, nil
}

// layer is a way to make calls; outermost is the part that the next lacks.
type layer struct {
	outermost string
	calls     func(n int) error
}

// words makes calls with a stack of words.
func words(f engines.Function) func(n int) error {
	return func(n int) error {
		stack, want := make([]uint64, 2), factorX*factorY
		for range n {
			stack[0], stack[1] = uint64(uint32(factorX)), uint64(uint32(factorY))
			if err := f.Call(stack); err != nil {
				return err
			}
			if got := int32(stack[0]); got != want {
				return wrong(got)
			}
		}
		return nil
	}
}
