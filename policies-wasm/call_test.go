package wasm

import (
	"context"
	"testing"

	"cachesim/sim"
)

// BenchmarkCall tells what one call costs on the path that is built in: compare
// go test -bench Call with go test -bench Call -tags unsafecall.
func BenchmarkCall(b *testing.B) {
	bin, _ := Builtin("fifo")
	for _, engine := range EngineNames(true) {
		b.Run("engine="+engine+"/path="+callPath, func(b *testing.B) {
			r, _, err := Open(context.Background(), Config{Config: sim.Config{Capacity: 1 << 20, Objects: 1}, Binary: bin, Engine: engine, ABI: Pair, Handle: SRS})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			f, err := r.(*guest).inst.function("send")
			if err != nil {
				b.Fatal(err)
			}
			stack := []uint64{0, 1}
			b.ReportAllocs()
			for b.Loop() {
				stack[0], stack[1] = 0, 1000
				if err := f.call(stack); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
