package wasm

import (
	"context"
	"testing"

	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// BenchmarkCall tells what one call costs on the path that is built in: compare
// go test -bench Call with go test -bench Call -tags unsafecall.
func BenchmarkCall(b *testing.B) {
	bin, _ := Builtin("fifo")
	for _, engine := range engines.Names(true) {
		b.Run("engine="+engine+"/path="+engines.CallPath, func(b *testing.B) {
			r, _, err := Open(context.Background(), Config{Config: sim.Config{Capacity: 1 << 20, Objects: 1}, Binary: bin, Engine: engine, ABI: Pair, Handle: SRS})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			f, err := r.(*guest).inst.Function("send")
			if err != nil {
				b.Fatal(err)
			}
			stack := []uint64{0, 1}
			b.ReportAllocs()
			for b.Loop() {
				stack[0], stack[1] = 0, 1000
				if err := f.Call(stack); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCopy tells what it costs to get a request into a guest's memory and
// its outcome out, which batch and driver pay and a native policy does not.
func BenchmarkCopy(b *testing.B) {
	reqs, hit := make([]sim.Request, 1<<20), make([]bool, chunk)
	memory := make([]byte, 17*chunk)
	g := &guest{}
	n := 0
	for b.Loop() {
		for at := 0; at < len(reqs); at += chunk {
			copyRecords(memory, reqs[at:at+chunk])
			if err := g.outcomes(memory[outcomesAt:], hit); err != nil {
				b.Fatal(err)
			}
			n += chunk
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/req")
}
