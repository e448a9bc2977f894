package sim_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	native "cachesim/policies-native"
	"cachesim/sim"
)

// skewed is a trace of requests for objects of many sizes, of which a few are
// requested very often: what makes a sample's own number of requests useless.
func skewed(objects, requests int) *sim.Trace {
	rng := rand.New(rand.NewPCG(3, 0))
	zipf := rand.NewZipf(rng, 1.05, 100, uint64(objects-1))
	sizes := make([]int64, objects)
	seen := make([]bool, objects)
	number := make([]uint32, objects)
	m := &sim.Memory{}
	t := &sim.Trace{Name: "t", Digest: "d", Requests: requests, Gets: requests, Source: m}
	for range requests {
		k := int(zipf.Uint64())
		if !seen[k] {
			seen[k], number[k] = true, uint32(t.Objects)
			t.Objects++
			sizes[k] = 1 + rng.Int64N(2000)
			t.Footprint += sizes[k]
			t.LargestSize = max(t.LargestSize, sizes[k])
		}
		m.Append(sim.Request{ID: number[k], Size: sizes[k]}, sim.Get, 0)
		t.RequestBytes += sizes[k]
	}
	m.Objects = t.Objects
	t.ObjectName = func(uint32) string { return "?" }
	return t
}

func openNative(_ context.Context, c sim.Cell, t *sim.Trace, _ func()) (sim.Replayer, sim.Setup, error) {
	spec, _, err := native.Parse(c.Policy)
	if err != nil {
		return nil, sim.Setup{}, err
	}
	params, err := sim.CheckParams(spec.Name, spec.Params, nil)
	if err != nil {
		return nil, sim.Setup{}, err
	}
	return sim.Native(spec.New(sim.Config{Capacity: c.Capacity, Objects: t.Objects, Requests: c.Requests, Params: params})), sim.Setup{}, nil
}

func measure(t *testing.T, tr *sim.Trace, tasks ...sim.Task) []sim.Measurement {
	t.Helper()
	ms, failures := sim.Run(context.Background(), tr, tasks, openNative, sim.Options{Jobs: 1, Repeat: 1})
	if len(failures) > 0 {
		t.Fatal(failures[0])
	}
	return ms
}

// TestEstimate compares estimates with full replays: those of policies that
// scale are near, with and without a warm-up, also for Belady, whose next
// accesses are those of the sample.
func TestEstimate(t *testing.T) {
	tr := skewed(100_000, 400_000)
	for _, warmup := range []int{0, 100_000} {
		samples, err := sim.NewSamples(tr, sim.Sampling{Rate: 0.1, Salts: 3}, warmup)
		if err != nil {
			t.Fatal(err)
		}
		for _, policy := range []string{"lru", "fifo", "s3fifo", "belady"} {
			spec, _ := native.ByName(policy)
			for _, capacity := range []int64{tr.Footprint / 10, tr.Footprint / 3, tr.Footprint} {
				cell := sim.Cell{Requests: tr.Requests, Warmup: warmup, Policy: policy, Capacity: capacity, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}
				estimate := sim.Task{Cell: cell, Needs: spec.Needs, Samples: samples}
				estimate.Sampling = samples.Sampling
				ms := measure(t, tr, sim.Task{Cell: cell, Needs: spec.Needs}, estimate)
				exact, got := ms[0], ms[1]
				if got.Gets != exact.Gets || got.Bytes != exact.Bytes || got.Outcome != "" {
					t.Errorf("%v: got %d gets of %d bytes and outcome %q, want %d, %d and none", got.Cell, got.Gets, got.Bytes, got.Outcome, exact.Gets, exact.Bytes)
				}
				ratio := func(m sim.Measurement) float64 { return float64(m.Hits) / float64(m.Gets) }
				byteRatio := func(m sim.Measurement) float64 { return float64(m.HitBytes) / float64(m.Bytes) }
				if e := math.Abs(ratio(got) - ratio(exact)); e > 0.002+3*got.Sampled.HitRatioSD/math.Sqrt(3) {
					t.Errorf("%v: hit ratio %.4f, want %.4f", got.Cell, ratio(got), ratio(exact))
				}
				if e := math.Abs(byteRatio(got) - byteRatio(exact)); e > 0.003+3*got.Sampled.ByteHitRatioSD/math.Sqrt(3) {
					t.Errorf("%v: byte hit ratio %.4f, want %.4f", got.Cell, byteRatio(got), byteRatio(exact))
				}
				if capacity == tr.Footprint {
					continue // nothing is evicted, and the estimate nearly exact
				}
				if got.Sampled.HitRatioSD == 0 || got.Sampled.ByteHitRatioSD == 0 || got.Sampled.HitRatioSD > 0.02 {
					t.Errorf("%v: got %+v", got.Cell, got.Sampled)
				}
				if a, b := float64(*got.AdmittedBytes), float64(*exact.AdmittedBytes); math.Abs(a-b) > 0.1*b {
					t.Errorf("%v: %.0f bytes admitted, want %.0f", got.Cell, a, b)
				}
			}
		}
	}
}

// TestEstimateLargeObjects: an object that fits the cache and not its miniature
// is reported.
func TestEstimateLargeObjects(t *testing.T) {
	tr := skewed(20_000, 100_000)
	samples, err := sim.NewSamples(tr, sim.Sampling{Rate: 0.1, Salts: 2}, 0)
	if err != nil {
		t.Fatal(err)
	}
	cell := sim.Cell{Requests: tr.Requests, Policy: "lru", Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}, Sampling: samples.Sampling}
	cell.Capacity = 10_000 // of the miniature: 1000
	m := measure(t, tr, sim.Task{Cell: cell, Samples: samples})[0]
	if m.TooLarge != 0 || m.Sampled.Unfit < 0.6 || m.Sampled.Unfit > 0.9 {
		t.Errorf("10,000 bytes: %d too large and %.2f of the bytes do not fit the miniature, want 0 and about 0.75", m.TooLarge, m.Sampled.Unfit)
	}
	cell.Capacity = 1000
	m = measure(t, tr, sim.Task{Cell: cell, Samples: samples})[0]
	if share := float64(m.TooLarge) / float64(m.Gets); math.Abs(share-0.5) > 0.15 {
		t.Errorf("1000 bytes: %.2f of the gets are too large, want about 0.5", share)
	}
}

// TestSamplesAgree: the samples of NewSamples are those of Sample.
func TestSamplesAgree(t *testing.T) {
	tr := skewed(2000, 10_000)
	samples, err := sim.NewSamples(tr, sim.Sampling{Rate: 0.3, Salts: 2}, 100)
	if err != nil {
		t.Fatal(err)
	}
	if samples.Memory() <= 0 {
		t.Error("the samples occupy no memory")
	}
	for i, m := range samples.Miniatures {
		one, err := sim.Sample(tr, 0.3, uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		if one.Requests != m.Requests || one.Objects != m.Objects || one.Footprint != m.Footprint || one.RequestBytes != m.RequestBytes || m.Warmup == 0 || m.Warmup >= 100 {
			t.Errorf("salt %d: got %+v, want %+v", i+1, *m.Trace, *one)
		}
	}
	if samples.Miniatures[0].Requests == samples.Miniatures[1].Requests {
		t.Error("two salts chose the same objects")
	}
	if _, err := sim.NewSamples(tr, sim.Sampling{Rate: 1e-9, Salts: 1}, 0); err == nil {
		t.Error("an empty sample: no error")
	}
}

// TestComputedIsNotAbandoned: what is computed has no heartbeat, and may take
// longer than a policy may.
func TestComputedIsNotAbandoned(t *testing.T) {
	tr := skewed(100, 1000)
	cell := sim.Cell{Requests: tr.Requests, Policy: "lru", Capacity: 10, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}
	task := sim.Task{Cell: cell, Compute: func(ctx context.Context, _ *sim.Trace) (sim.Tally, error) {
		select { // far longer than the timeout
		case <-ctx.Done():
			return sim.Tally{}, ctx.Err()
		case <-time.After(400 * time.Millisecond):
			return sim.Tally{Gets: 1}, nil
		}
	}}
	ms, failures := sim.Run(context.Background(), tr, []sim.Task{task}, openNative, sim.Options{Jobs: 1, Repeat: 1, Timeout: 10 * time.Millisecond})
	if len(failures) > 0 || len(ms) != 1 || ms[0].Gets != 1 {
		t.Errorf("got %+v and failures %v", ms, failures)
	}
}
