package wasm_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	native "cachesim/policies-native"
	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
	"cachesim/traces"
)

// BenchmarkReplay replays a trace through every version of every policy. It is
// that of the environment variable CACHESIM_TRACE, at 32 MiB, or a Zipf-like one
// of 100,000 requests. For ratios that a noisy machine cannot bend, use
// `make bench`, which interleaves.
func BenchmarkReplay(b *testing.B) {
	reqs, objects, capacity := benchmarkTrace(b)
	for _, spec := range native.All {
		config := sim.Config{Capacity: capacity, Objects: objects}
		b.Run(fmt.Sprintf("policy=%s/engine=native", spec.Name), func(b *testing.B) {
			benchmark(b, reqs, func() (sim.Replayer, error) { return sim.Native(spec.New(config)), nil })
		})
		guest, _ := wasm.Builtin(spec.Name)
		for _, engine := range engines.Names(true) {
			for _, abi := range wasm.ABIs {
				for _, handle := range wasm.Handles {
					if !wasm.Combines(abi, handle) {
						continue
					}
					b.Run(fmt.Sprintf("policy=%s/engine=%s/abi=%s/handle=%s", spec.Name, engine, abi, handle), func(b *testing.B) {
						benchmark(b, reqs, func() (sim.Replayer, error) {
							r, _, err := wasm.Open(b.Context(), wasm.Config{Config: config, Binary: guest, Engine: engine, ABI: abi, Handle: handle})
							return r, err
						})
					})
				}
			}
		}
	}
}

func benchmark(b *testing.B, reqs []sim.Request, open func() (sim.Replayer, error)) {
	hit := make([]bool, 8192)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		r, err := open()
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for start := 0; start < len(reqs); start += len(hit) {
			batch := reqs[start:min(start+len(hit), len(reqs))]
			if err := r.Replay(batch, hit[:len(batch)]); err != nil {
				b.Fatal(err)
			}
			n += len(batch)
		}
		b.StopTimer()
		r.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/req")
}

func benchmarkTrace(b *testing.B) (reqs []sim.Request, objects int, capacity int64) {
	if name := os.Getenv("CACHESIM_TRACE"); name != "" {
		t, err := traces.Open(name, traces.Options{})
		if err != nil {
			b.Fatal(err)
		}
		capacity = 32 << 20
		for _, r := range t.Requests {
			if r.Size <= capacity {
				reqs = append(reqs, r)
			}
		}
		return reqs, t.Objects, capacity
	}
	rng := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(rng, 1.1, 1, 4999)
	for range 100_000 {
		id := uint32(z.Uint64())
		reqs = append(reqs, sim.Request{ID: id, Size: int64(id*7919%1000 + 1)})
	}
	return reqs, 5000, 100_000
}
