package native

import (
	"math/rand/v2"
	"testing"

	"cachesim/sim"
)

// TestLFUMemory sees to it that LFU needs no more buckets than it has stored
// objects, however many it evicts.
func TestLFUMemory(t *testing.T) {
	const objects, stored = 100, 10
	rng := rand.New(rand.NewPCG(1, 0))
	p := lfuSpec.New(sim.Config{Capacity: stored, Objects: objects}).(*lfu)
	for i := range 20000 {
		p.Access(sim.Request{ID: uint32(rng.IntN(1 + rng.IntN(objects))), Size: 1})
		if n := len(p.buckets); n > stored {
			t.Fatalf("after request %d there are %d buckets for %d stored objects", i+1, n, stored)
		}
	}
}
