package micro

import (
	"encoding/binary"
	"fmt"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
)

// A Test is one way to have a product made.
type Test struct {
	Name, ABI, Handle, Loading string

	// bind looks up what the handle keeps, and returns what makes n calls.
	bind   func(s *sandbox) (func(n int) error, error)
	needs  exports             // of a guest
	module func() *wasm.Binary // nil: the guest
	engine string              // that it is for; "": all
}

// exports are names with signatures, "" for a memory.
type exports map[string]string

// How arguments are loaded: once before all calls, or at each. In Go, of a
// runtime that takes Go values, at each call means an allocation for each.
const (
	Preload = "preload"
	Hotload = "hotload"
)

// Cached is the handle that keeps what it has looked up in local variables.
const Cached = "cached"

// The numbers that are multiplied. Go has small ones boxed already; these are as
// ids of objects are.
var (
	factorX int32 = 70_001
	factorY int32 = 3
)

// Native is the test without a guest.
var Native = Test{Name: "native"}

// Tests are those of the experiment, in its order, and then ours. bincode-static,
// batch, driver, host-import and component are additions.
var Tests = []Test{
	Native,
	{Name: "pair-uncached-hotload", ABI: wasm.Pair, Handle: wasm.Uncached, Loading: Hotload, needs: exports{"multiply": "(i32, i32) -> i32"}, bind: pairUncached(Hotload)},
	{Name: "pair-uncached-preload", ABI: wasm.Pair, Handle: wasm.Uncached, Loading: Preload, needs: exports{"multiply": "(i32, i32) -> i32"}, bind: pairUncached(Preload)},
	{Name: "pair-cached-hotload", ABI: wasm.Pair, Handle: Cached, Loading: Hotload, needs: exports{"multiply": "(i32, i32) -> i32"}, bind: pairCached(Hotload)},
	{Name: "pair-cached-preload", ABI: wasm.Pair, Handle: Cached, Loading: Preload, needs: exports{"multiply": "(i32, i32) -> i32"}, bind: pairCached(Preload)},
	{Name: "pair-srs-hotload", ABI: wasm.Pair, Handle: wasm.SRS, Loading: Hotload, needs: exports{"multiply": "(i32, i32) -> i32"}, bind: pairSRS(Hotload)},
	{Name: "pair-srs-preload", ABI: wasm.Pair, Handle: wasm.SRS, Loading: Preload, needs: exports{"multiply": "(i32, i32) -> i32"}, bind: pairSRS(Preload)},
	memoryTest(wasm.Bincode, wasm.Uncached),
	memoryTest(wasm.Bincode, Cached),
	memoryTest(wasm.Bytemuck, wasm.Uncached),
	memoryTest(wasm.Bytemuck, Cached),
	memoryTest(wasm.BytemuckStatic, wasm.Uncached),
	memoryTest(wasm.BytemuckStatic, Cached),
	memoryTest(wasm.BincodeStatic, wasm.Uncached),
	memoryTest(wasm.BincodeStatic, Cached),
	{Name: "batch", ABI: wasm.Batch, Handle: Cached, needs: exports{"wasm_prepare_buffer": "(i32) -> i64", "multiply_batch": "(i32, i32, i32) -> ()", "memory": ""}, bind: batch},
	{Name: "driver", ABI: wasm.Pair, Handle: wasm.Driver, needs: exports{"multiply": "(i32, i32) -> i32"}, bind: driver},
	{Name: "host-import", ABI: wasm.Pair, Handle: Cached, Loading: Hotload, bind: pairCached(Hotload), module: hostModule},
	{Name: "component", ABI: wasm.WIT, Handle: Cached, Loading: Hotload, bind: component, module: componentModule, engine: "wasmtime"},
	{Name: "loop", needs: exports{"multiply_many_times": "(i32, i32, i32) -> i32"}, bind: loop},
}

// Fits returns the tests that a module has the exports for. abi says which of
// bincode and bytemuck its struct_add wants, which its exports cannot tell.
func Fits(b *wasm.Binary, abi string) []Test {
	fits := []Test{Native}
	for _, t := range Tests {
		ok := len(t.needs) > 0
		for name, sig := range t.needs {
			if sig == "" {
				ok = ok && b.ExportsMemory(name)
			} else {
				ok = ok && b.Exports(name, sig)
			}
			ok = ok && (name != "struct_add" || abi == "" || t.ABI == abi)
		}
		if ok {
			fits = append(fits, t)
		}
	}
	return fits
}

// wrong is what a product comes to that is not the right one.
func wrong(got int32) error {
	return fmt.Errorf("the guest gave %d for %d times %d", got, factorX, factorY)
}

// product is the native test's function. It is not inlined, so that the compiler
// cannot see through it: each product is made by a call, as a policy's outcome
// is, and checked.
//
//go:noinline
func product(x, y int32) int32 { return x * y }

func nativeCalls(n int) error {
	x, y := factorX, factorY
	want := x * y
	for range n {
		if got := product(x, y); got != want {
			return wrong(got)
		}
	}
	return nil
}

// hot calls with the arguments boxed, or written to a stack, anew.
func (c callable) hot(x, y int32, stack []uint64) (int32, error) {
	if c.boxed != nil {
		r, err := c.boxed(x, y)
		if err != nil {
			return 0, err
		}
		return r.(int32), nil
	}
	stack[0], stack[1] = uint64(uint32(x)), uint64(uint32(y))
	err := c.words.Call(stack)
	return int32(stack[0]), err
}

// loaded are arguments made before the calls.
type loaded struct {
	args  []any
	words [2]uint64
}

func load(x, y int32) loaded {
	return loaded{[]any{x, y}, [2]uint64{uint64(uint32(x)), uint64(uint32(y))}}
}

func (c callable) pre(l *loaded, stack []uint64) (int32, error) {
	if c.boxed != nil {
		r, err := c.boxed(l.args...)
		if err != nil {
			return 0, err
		}
		return r.(int32), nil
	}
	copy(stack, l.words[:])
	err := c.words.Call(stack)
	return int32(stack[0]), err
}

// pairUncached looks multiply up at each call.
func pairUncached(loading string) func(*sandbox) (func(int) error, error) {
	return func(s *sandbox) (func(int) error, error) {
		return func(n int) error {
			x, y := factorX, factorY
			want, l, stack := x*y, load(x, y), make([]uint64, 2)
			for range n {
				f, err := s.function("multiply")
				if err != nil {
					return err
				}
				var got int32
				if loading == Preload {
					got, err = f.pre(&l, stack)
				} else {
					got, err = f.hot(x, y, stack)
				}
				if err != nil {
					return err
				}
				if got != want {
					return wrong(got)
				}
			}
			return nil
		}, nil
	}
}

// pairCached keeps multiply in a local variable.
func pairCached(loading string) func(*sandbox) (func(int) error, error) {
	return func(s *sandbox) (func(int) error, error) {
		f, err := s.function("multiply")
		if err != nil {
			return nil, err
		}
		if loading == Preload {
			return func(n int) error {
				l, stack, want := load(factorX, factorY), make([]uint64, 2), factorX*factorY
				for range n {
					got, err := f.pre(&l, stack)
					if err != nil {
						return err
					}
					if got != want {
						return wrong(got)
					}
				}
				return nil
			}, nil
		}
		return func(n int) error {
			x, y, stack := factorX, factorY, make([]uint64, 2)
			want := x * y
			for range n {
				got, err := f.hot(x, y, stack)
				if err != nil {
					return err
				}
				if got != want {
					return wrong(got)
				}
			}
			return nil
		}, nil
	}
}

// pairSRS keeps multiply in the struct that owns the instance, whose method makes
// the call.
func pairSRS(loading string) func(*sandbox) (func(int) error, error) {
	return func(s *sandbox) (func(int) error, error) {
		var err error
		if s.product, err = s.function("multiply"); err != nil {
			return nil, err
		}
		return func(n int) error {
			x, y, stack := factorX, factorY, make([]uint64, 2)
			l, want := load(x, y), x*y
			for range n {
				var got int32
				var err error
				if loading == Preload {
					got, err = s.multiplyLoaded(&l, stack)
				} else {
					got, err = s.multiply(x, y, stack)
				}
				if err != nil {
					return err
				}
				if got != want {
					return wrong(got)
				}
			}
			return nil
		}, nil
	}
}

func (s *sandbox) multiply(x, y int32, stack []uint64) (int32, error) {
	return s.product.hot(x, y, stack)
}

func (s *sandbox) multiplyLoaded(l *loaded, stack []uint64) (int32, error) {
	return s.product.pre(l, stack)
}

// batch passes many pairs a call.
func batch(s *sandbox) (func(int) error, error) {
	alloc, err := s.function("wasm_prepare_buffer")
	if err != nil {
		return nil, err
	}
	f, err := s.function("multiply_batch")
	if err != nil {
		return nil, err
	}
	memory, err := s.instance.Memory("memory")
	if err != nil {
		return nil, err
	}
	pairs, err := alloc.place(8 * chunk)
	if err != nil {
		return nil, err
	}
	products, err := alloc.place(4 * chunk)
	if err != nil {
		return nil, err
	}
	stack := make([]uint64, 3)
	return func(n int) error {
		return chunks(n, func(n int) error {
			b := memory.Bytes()
			if pairs+8*chunk > len(b) || products+4*chunk > len(b) {
				return errOutside(pairs, len(b))
			}
			writePairs(b[pairs:], n)
			stack[0], stack[1], stack[2] = uint64(pairs), uint64(n), uint64(products)
			if err := f.words.Call(stack); err != nil {
				return err
			}
			return checkProducts(memory.Bytes()[products:], n)
		})
	}, nil
}

// chunk is the most pairs that cross in one call.
const chunk = 8192

func chunks(n int, f func(n int) error) error {
	for ; n > 0; n -= chunk {
		if err := f(min(n, chunk)); err != nil {
			return err
		}
	}
	return nil
}

func writePairs(b []byte, n int) {
	b = b[:8*n]
	pair := uint64(uint32(factorX)) | uint64(uint32(factorY))<<32
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, pair)
	}
}

func checkProducts(b []byte, n int) error {
	want := factorX * factorY
	b = b[:4*n]
	for ; len(b) >= 4; b = b[4:] {
		if got := int32(binary.LittleEndian.Uint32(b)); got != want {
			return wrong(got)
		}
	}
	return nil
}

// productsAt is where loop.wat leaves the products.
const productsAt = 1 << 16

// driver has a module in the sandbox make the calls.
func driver(s *sandbox) (func(int) error, error) {
	m, err := s.module.Sibling(loopWASM)
	s.others = append(s.others, m)
	if err != nil {
		return nil, err
	}
	inst, err := m.Instantiate(map[engines.ImportName]engines.Provider{
		{Module: "guest", Name: "multiply"}: {Instance: s.instance, Export: "multiply"},
	})
	if err != nil {
		return nil, err
	}
	s.others = append(s.others, inst)
	f, err := inst.Function("run")
	if err != nil {
		return nil, err
	}
	memory, err := inst.Memory("memory")
	if err != nil {
		return nil, err
	}
	b := memory.Bytes()
	stack := make([]uint64, 1)
	return func(n int) error {
		return chunks(n, func(n int) error {
			writePairs(b, n)
			stack[0] = uint64(n)
			if err := f.Call(stack); err != nil {
				return err
			}
			return checkProducts(b[productsAt:], n)
		})
	}, nil
}

// component calls through the component model: values with types, which the runtime
// checks and passes by the canonical ABI.
func component(s *sandbox) (func(int) error, error) {
	c, err := engines.OpenComponent(componentWASM)
	if err != nil {
		return nil, err
	}
	s.others = append(s.others, c)
	f, err := c.Function("cachesim:micro/product@1.0.0", "multiply", "ii", 'i')
	if err != nil {
		return nil, err
	}
	return func(n int) error {
		x, y, stack := factorX, factorY, make([]uint64, 2)
		want := x * y
		for range n {
			stack[0], stack[1] = uint64(uint32(x)), uint64(uint32(y))
			if err := f.Call(stack); err != nil {
				return err
			}
			if got := int32(stack[0]); got != want {
				return wrong(got)
			}
		}
		return nil
	}, nil
}

// loop makes one call that multiplies n times: the floor.
func loop(s *sandbox) (func(int) error, error) {
	f, err := s.function("multiply_many_times")
	if err != nil {
		return nil, err
	}
	return func(n int) error {
		stack := []uint64{uint64(uint32(factorX)), uint64(uint32(factorY)), uint64(n)}
		if err := f.words.Call(stack); err != nil {
			return err
		}
		if got := int32(stack[0]); got != factorX*factorY {
			return wrong(got)
		}
		return nil
	}, nil
}
