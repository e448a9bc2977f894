//go:build cgo && (linux || darwin) && unsafecall

package wasm

import (
	"testing"

	"cachesim/policies-wasm/engines"
)

// BenchmarkCallFromC leaves out the crossing from Go into C: what remains is
// wasm_func_call and the guest.
func BenchmarkCallFromC(b *testing.B) {
	m, _ := Builtin("fifo")
	for _, engine := range engines.Names(true) {
		b.Run("engine="+engine, func(b *testing.B) {
			r := open(b, m, engine, Pair, SRS)
			defer r.Close()
			f, err := r.(*guest).inst.Function("send")
			if err != nil {
				b.Fatal(err)
			}
			d, ok := f.(*directFunction)
			if !ok {
				b.Fatal("this wasmer-go is not as the unsafe path knows it")
			}
			if err := d.call([]uint64{0, 1000}); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			if err := d.calls(b.N); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// TestUnsafePathIsTaken fails where wasmer-go has changed so that the tag does
// nothing any more.
func TestUnsafePathIsTaken(t *testing.T) {
	m, _ := Builtin("fifo")
	r := open(t, m, engines.Names(true)[0], Pair, SRS)
	defer r.Close()
	f, err := r.(*guest).inst.Function("send")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.(*directFunction); !ok {
		t.Errorf("calls go through %T", f)
	}
}
