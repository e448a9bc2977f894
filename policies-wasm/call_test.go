package wasm

import (
	"testing"

	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// TestLayers measures nothing: it fails where wasmer-go has changed so that the
// layers of a call cannot be told apart any more, and checks that the guest is
// called in each.
func TestLayers(t *testing.T) {
	m, _ := Builtin("fifo")
	for _, engine := range engines.Names(true) {
		r := open(t, m, engine, Pair, SRS)
		f, err := r.(*guest).inst.Function("send")
		if err != nil {
			t.Fatal(err)
		}
		l, ok := f.(engines.Layered)
		if !ok && runtimeOf(engine) != "wazero" { // which has no layer in C
			t.Errorf("%s: a %T has no layers", engine, f)
		}
		if ok {
			stack := []uint64{3, 10}
			if err := l.Repeat(stack, 2); err != nil || stack[0] != 1 {
				t.Errorf("%s: the second of two calls gave %d (error %v), want a hit", engine, stack[0], err)
			}
			direct, ok := l.Unboxed()
			if stack = []uint64{3, 10}; !ok || direct.Call(stack) != nil || stack[0] != 1 {
				t.Errorf("%s: the direct call gave %d, want a hit", engine, stack[0])
			}
		}
		r.Close()
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
			if err := g.outcomes(memory[outcomesAt:], reqs[at:at+chunk], hit); err != nil {
				b.Fatal(err)
			}
			n += chunk
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/req")
}
