package micro

import (
	"context"
	_ "embed"
	"fmt"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/module"
)

// micro.wasm is built by ../guests/build.sh, the others are assembled by
// build.sh.

//go:embed micro.wasm
var microWASM []byte

//go:embed loop.wasm
var loopWASM []byte

//go:embed host.wasm
var hostWASM []byte

// componentWASM is a component: component.mjs makes it.
//
//go:embed component.wasm
var componentWASM []byte

func guestModule() *wasm.Binary { return embedded("micro", microWASM) }
func hostModule() *wasm.Binary  { return embedded("host", hostWASM) }

// componentModule is the core module of the component.
func componentModule() *wasm.Binary { return embedded("component", componentWASM) }

func embedded(name string, b []byte) *wasm.Binary {
	m, err := wasm.NewBinary(name, b)
	if err != nil {
		panic("embedded module " + name + ": " + err.Error())
	}
	return m
}

// sandbox is the self-referential struct of the experiment: it owns the instance
// and what was looked up in it.
type sandbox struct {
	engine   string
	binary   *wasm.Binary
	module   engines.Module
	instance engines.Instance
	others   []closer

	product callable // of the handle srs
}

type closer interface{ Close() }

// open compiles and instantiates a module, which may import the host's product.
// The sandbox is not nil even when there is an error, and must be closed.
func open(ctx context.Context, e engines.Engine, b *wasm.Binary) (*sandbox, error) {
	s := &sandbox{engine: e.Name, binary: b}
	var err error
	s.module, _, err = e.Compile(ctx, b.Bytes, engines.Options{Anew: true})
	if err != nil {
		return s, err
	}
	imports := map[engines.ImportName]engines.Provider{}
	for _, i := range b.Imports() {
		if i.String() != "host.multiply" {
			return s, fmt.Errorf("it imports %s, which nobody provides", i)
		}
		imports[engines.ImportName{Module: i.Module, Name: i.Name}] = engines.Provider{Host: &engines.HostFunction{
			Sig: module.Signature{Params: []byte{module.I32, module.I32}, Results: []byte{module.I32}},
			Call: func(stack []uint64) {
				stack[0] = uint64(uint32(int32(stack[0]) * int32(stack[1])))
			},
		}}
	}
	s.instance, err = s.module.Instantiate(imports)
	return s, err
}

func (s *sandbox) close() {
	for i := len(s.others) - 1; i >= 0; i-- {
		s.others[i].Close()
	}
	if s.instance != nil {
		s.instance.Close()
	}
	if s.module != nil {
		s.module.Close()
	}
}

// function looks an export up.
func (s *sandbox) function(name string) (callable, error) {
	f, err := s.instance.Function(name)
	if err != nil {
		return callable{}, err
	}
	return bind(f), nil
}

// callable is a function as its runtime's Go package has it: one that takes Go
// values, or one that takes words.
type callable struct {
	words engines.Function
	boxed func(args ...any) (any, error) // nil: the runtime has no such call
}

func bind(f engines.Function) callable {
	c := callable{words: f}
	if b, ok := f.(engines.Boxed); ok {
		c.boxed = b.Boxed()
	}
	return c
}
