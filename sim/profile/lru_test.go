package profile

import (
	"context"
	"math/rand/v2"
	"testing"

	native "cachesim/policies-native"
	"cachesim/sim"
)

// TestLRU compares the curve with replays of the native policy.
func TestLRU(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 0))
	const objects, requests = 400, 30_000
	sizes := make([]int64, objects)
	for i := range sizes {
		sizes[i] = rng.Int64N(200) // some are of no bytes
	}
	m := &sim.Memory{Objects: objects}
	tr := &sim.Trace{Name: "t", Digest: "d", Requests: requests, Objects: objects, LargestSize: 199, Source: m}
	for range requests {
		id := uint32(rng.IntN(1 + rng.IntN(objects)))
		m.Append(sim.Request{ID: id, Size: sizes[id]}, sim.Get, 0)
		tr.RequestBytes += sizes[id]
	}
	spec, _ := native.ByName("lru")
	open := func(_ context.Context, c sim.Cell, t *sim.Trace, _ func()) (sim.Replayer, sim.Setup, error) {
		return sim.Native(spec.New(sim.Config{Capacity: c.Capacity, Objects: t.Objects})), sim.Setup{}, nil
	}
	for _, tt := range []struct {
		LRUOptions
		capacities []int64
	}{
		{LRUOptions{Unit: sim.UnitBytes}, []int64{199, 500, 500, 5000, 20_000, 100_000}},
		{LRUOptions{Unit: sim.UnitBytes, Metadata: 40, Warmup: 5000}, []int64{239, 500, 5000, 20_000}},
		{LRUOptions{Unit: sim.UnitObjects, Warmup: 1}, []int64{1, 2, 50, 399, 400}},
	} {
		got, err := LRU(tr, tt.LRUOptions, tt.capacities)
		if err != nil {
			t.Fatal(err)
		}
		for i, capacity := range tt.capacities {
			cell := sim.Cell{Requests: requests, Warmup: tt.Warmup, Policy: "lru", Capacity: capacity, Unit: tt.Unit, Metadata: tt.Metadata, Version: sim.Version{Engine: sim.NativeEngine}}
			ms, failures := sim.Run(context.Background(), tr, []sim.Task{{Cell: cell}}, open, sim.Options{Jobs: 1, Repeat: 1})
			if len(failures) > 0 {
				t.Fatal(failures[0])
			}
			want, n := ms[0].Tally, got[i]
			if n.Gets != want.Gets || n.Hits != want.Hits || n.Bytes != want.Bytes || n.HitBytes != want.HitBytes ||
				*n.Admissions != *want.Admissions || *n.AdmittedBytes != *want.AdmittedBytes {
				t.Errorf("%+v, capacity %d: got %+v, want %+v", tt.LRUOptions, capacity, n, want)
			}
		}
	}
	if _, err := LRU(tr, LRUOptions{Unit: sim.UnitBytes}, []int64{198, 500}); err == nil {
		t.Error("an object larger than the cache: no error")
	}
}
