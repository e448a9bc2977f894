package wasm

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	native "cachesim/policies-native"
	"cachesim/sim"
)

func TestSmoke(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(rng, 1.1, 1, 4999)
	reqs := make([]sim.Request, 100000)
	for i := range reqs {
		id := uint32(z.Uint64())
		reqs[i] = sim.Request{ID: id, Size: int64(id*7919%1000 + 1)}
	}
	for _, s := range native.All {
		cfg := sim.Config{Capacity: 100000, Objects: 5000}
		want := make([]bool, len(reqs))
		began := time.Now()
		sim.Native(s.New(cfg)).Replay(reqs, want)
		t.Log(s.Name, "native", time.Since(began)/time.Duration(len(reqs)))
		b, _ := Builtin(s.Name)
		for _, e := range EngineNames(true) {
			for _, abi := range ABIs {
				for _, h := range Handles {
					if !Combines(abi, h) {
						continue
					}
					g, setup, err := Open(context.Background(), Config{Config: cfg, Binary: b, Engine: e, ABI: abi, Handle: h, Memory: 1 << 30})
					if err != nil {
						t.Fatal(s.Name, e, abi, h, err)
					}
					got := make([]bool, len(reqs))
					began := time.Now()
					err = g.Replay(reqs, got)
					el := time.Since(began) / time.Duration(len(reqs))
					if err != nil {
						t.Fatal(s.Name, e, abi, h, err)
					}
					for i := range got {
						if got[i] != want[i] {
							t.Fatal(s.Name, e, abi, h, "request", i)
						}
					}
					ev, _ := g.Evictions()
					g.Close()
					t.Log(s.Name, e, abi, h, el, setup, ev)
				}
			}
		}
	}
}
