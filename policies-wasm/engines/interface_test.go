package engines

import (
	"context"
	"testing"

	"cachesim/policies-wasm/wattest"
)

const multiply = `(module (func (export "multiply") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1))))`

// BenchmarkInterface tells what this package adds to a call: the runtime with the
// cheapest call of its own, with and without it.
func BenchmarkInterface(b *testing.B) {
	e, err := Named("wazero")
	if err != nil {
		b.Skip(err)
	}
	m, _, err := e.Compile(context.Background(), wattest.Assemble(b, multiply), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	inst, err := m.Instantiate(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer inst.Close()
	stack := make([]uint64, 2)
	b.Run("direct", func(b *testing.B) {
		f := inst.(*wazeroInstance).module.ExportedFunction("multiply")
		for b.Loop() {
			stack[0], stack[1] = 70_001, 3
			if err := f.CallWithStack(context.Background(), stack); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("interface", func(b *testing.B) {
		f, err := inst.Function("multiply")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			stack[0], stack[1] = 70_001, 3
			if err := f.Call(stack); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestImportsNotGiven is an error on every engine, not a crash.
func TestImportsNotGiven(t *testing.T) {
	b := wattest.Assemble(t, `(module (import "a" "b" (func (param i32))))`)
	for _, name := range Names(true) {
		e, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := e.Compile(context.Background(), b, Options{})
		if err == nil {
			var inst Instance
			if inst, err = m.Instantiate(nil); err == nil {
				inst.Close()
			}
		}
		if err == nil {
			t.Errorf("%s: it instantiates a module without what it imports", name)
		}
		m.Close()
	}
}
