package wasm_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	wasm "cachesim/policies-wasm"
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// BenchmarkReplay replays a Zipf-like trace of 100,000 requests through every
// version of every policy that has a guest. For ratios that a noisy machine
// cannot bend, and real traces, use `make bench`, which interleaves.
func BenchmarkReplay(b *testing.B) {
	reqs, objects := benchmarkTrace()
	config := sim.Config{Capacity: 100_000, Objects: objects}
	for _, w := range twins(b) {
		config.Params = w.params
		b.Run(fmt.Sprintf("policy=%s/engine=native", w.name), func(b *testing.B) {
			benchmark(b, reqs, func() (sim.Replayer, error) { return sim.Native(w.spec.New(config)), nil })
		})
		for _, engine := range engines.Names(true) {
			for _, abi := range guestABIs() {
				for _, handle := range wasm.Handles {
					if !wasm.Combines(abi, handle) {
						continue
					}
					v := sim.Version{Engine: engine, ABI: abi, Handle: handle}
					b.Run(fmt.Sprintf("policy=%s/engine=%s/abi=%s/handle=%s", w.name, engine, abi, handle), func(b *testing.B) {
						benchmark(b, reqs, func() (sim.Replayer, error) {
							r, _, err := wasm.Open(b.Context(), wasm.Config{Config: config, Binary: w.binary, Version: v})
							return r, err
						})
					})
				}
			}
		}
	}
}

// BenchmarkStoppable shows what it costs that loops can be stopped.
func BenchmarkStoppable(b *testing.B) {
	reqs, objects := benchmarkTrace()
	for _, w := range twins(b) {
		config := sim.Config{Capacity: 100_000, Objects: objects, Params: w.params}
		for _, engine := range engines.Names(true) {
			for _, v := range []sim.Version{{Engine: engine, ABI: wasm.Batch, Handle: wasm.SRS}, {Engine: engine, ABI: wasm.Pair, Handle: wasm.Driver}} {
				for _, stoppable := range []bool{false, true} {
					b.Run(fmt.Sprintf("policy=%s/engine=%s/abi=%s/stoppable=%v", w.name, engine, v.ABI, stoppable), func(b *testing.B) {
						benchmark(b, reqs, func() (sim.Replayer, error) {
							r, _, err := wasm.Open(b.Context(), wasm.Config{Config: config, Binary: w.binary, Version: v, Stoppable: stoppable})
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
			if err := r.Replay(sim.Batch{Requests: batch}, hit[:len(batch)]); err != nil {
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

func benchmarkTrace() (reqs []sim.Request, objects int) {
	rng := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(rng, 1.1, 1, 4999)
	for range 100_000 {
		id := uint32(z.Uint64())
		reqs = append(reqs, sim.Request{ID: id, Size: int64(id*7919%1000 + 1)})
	}
	return reqs, 5000
}
