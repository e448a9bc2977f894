package sim_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	native "cachesim/policies-native"
	"cachesim/sim"
)

// samplesOf chooses samples of tr for caches of at least a capacity in bytes.
func samplesOf(t *testing.T, tr *sim.Trace, s sim.Sampling, warmup int, capacity int64) *sim.Samples {
	t.Helper()
	v, err := sim.NewSurvey(tr, warmup, sim.UnitBytes, 0)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := v.Samples(sim.Choice{Sampling: s, Capacity: capacity})
	if err != nil {
		t.Fatal(err)
	}
	return samples[0]
}

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
	return sim.Native(spec.New(sim.Config{Capacity: c.Capacity, Objects: t.Objects, Requests: c.Requests, Params: params, Sizes: t.Sizes})), sim.Setup{}, nil
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
		samples := samplesOf(t, tr, sim.Sampling{Rate: 0.1, Salts: 3}, warmup, tr.Footprint/10)
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

// TestEstimateHeavyTail has few objects with most of the bytes, for which a
// miniature has no room: estimates are near all the same, of policies that compare
// sizes too, and so are the counts.
func TestEstimateHeavyTail(t *testing.T) {
	tr := skewed(60_000, 300_000)
	var heavy []int64 // sizes
	rng := rand.New(rand.NewPCG(5, 0))
	for range tr.Objects {
		heavy = append(heavy, int64(1000/math.Pow(rng.Float64(), 1/1.1)))
	}
	m := &sim.Memory{Objects: tr.Objects}
	tr.Footprint, tr.RequestBytes, tr.LargestSize = 0, 0, 0
	for _, size := range heavy {
		tr.Footprint += size
		tr.LargestSize = max(tr.LargestSize, size)
	}
	if err := tr.Each(0, func(_ int, b sim.Batch) error {
		for _, r := range b.Requests {
			r.Size = heavy[r.ID]
			tr.RequestBytes += r.Size
			m.Append(r, sim.Get, 0)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	tr.Source = m
	capacity := tr.Footprint / 20
	samples := samplesOf(t, tr, sim.Sampling{Rate: 0.05, Salts: 3}, 0, capacity)
	if part := samples.Miniatures[0].LargestSize; part > tr.LargestSize/10 || part*10 > capacity {
		t.Errorf("the largest object of a miniature has %d bytes, that of the trace %d", part, tr.LargestSize)
	}
	for _, policy := range []string{"lru", "s3fifo", "gdsf", "camp"} {
		cell := sim.Cell{Requests: tr.Requests, Policy: policy, Capacity: capacity, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}
		estimate := sim.Task{Cell: cell, Samples: samples}
		estimate.Sampling = samples.Sampling
		ms := measure(t, tr, sim.Task{Cell: cell}, estimate)
		ratios := func(m sim.Measurement) (hit, byteHit float64) {
			return float64(m.Hits) / float64(m.Gets), float64(m.HitBytes) / float64(m.Bytes)
		}
		hit, byteHit := ratios(ms[0])
		gotHit, gotByteHit := ratios(ms[1])
		if math.Abs(gotHit-hit) > 0.006 || math.Abs(gotByteHit-byteHit) > 0.012 {
			t.Errorf("%s: got a hit ratio of %.4f and of bytes %.4f, want %.4f and %.4f", policy, gotHit, gotByteHit, hit, byteHit)
		}
		for _, n := range []struct {
			what      string
			got, want *int64
		}{
			{"evictions", ms[1].Evictions, ms[0].Evictions}, {"admissions", ms[1].Admissions, ms[0].Admissions},
			{"bytes admitted", ms[1].AdmittedBytes, ms[0].AdmittedBytes},
		} {
			if math.Abs(float64(*n.got-*n.want)) > 0.04*float64(*n.want) {
				t.Errorf("%s: %d %s, want about %d", policy, *n.got, n.what, *n.want)
			}
		}
	}
}

// TestEstimateRaised: samples grow while the deviation between them is above what
// is asked for, up to half of the trace; the estimate gets better, and says so. They do
// not grow for that of bytes where objects with most of these have their sizes divided.
func TestEstimateRaised(t *testing.T) {
	tr := skewed(100_000, 400_000)
	capacity := tr.Footprint / 10
	cell := sim.Cell{Requests: tr.Requests, Policy: "fifo", Capacity: capacity, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}
	exact := measure(t, tr, sim.Task{Cell: cell})[0]
	var errors []float64
	for _, tt := range []struct {
		error     float64
		low, high float64 // of the rate that is used; 0: that asked for
	}{{0, 0, 0}, {0.5, 0, 0}, {0.0008, 0, 0}, {0.0005, 0.02, 0.17}, {1e-9, 0.1, 0.17}} {
		samples := samplesOf(t, tr, sim.Sampling{Rate: 0.01, Salts: 3, Error: tt.error}, 0, capacity)
		task := sim.Task{Cell: cell, Samples: samples}
		task.Sampling = samples.Sampling
		var tasks []sim.Task
		for seed := range 3 { // several ask for the same samples
			task.Seed = uint64(seed)
			tasks = append(tasks, task)
		}
		ms, failures := sim.Run(t.Context(), tr, tasks, openNative, sim.Options{Jobs: 3, Repeat: 1})
		if len(failures) > 0 {
			t.Fatal(failures[0])
		}
		got := ms[0]
		for _, m := range ms[1:] {
			if m.Hits != got.Hits || m.Sampled != got.Sampled {
				t.Errorf("error %v: %+v and %+v", tt.error, got.Sampled, m.Sampled)
			}
		}
		if got.Sampled.RateUsed < tt.low || got.Sampled.RateUsed > tt.high || got.Sampling.Rate != 0.01 {
			t.Errorf("error %v: rate %v from %v", tt.error, got.Sampled.RateUsed, got.Sampling.Rate)
		}
		if tt.error > 1e-6 && tt.high > 0 && got.Sampled.HitRatioSD > tt.error*math.Sqrt(3) {
			t.Errorf("error %v: the deviation is %v", tt.error, got.Sampled.HitRatioSD)
		}
		if tt.error == 0.0008 && got.Sampled.Excess(got.Sampling) <= 1 {
			t.Errorf("error %v: the deviation of bytes is %v, which asks for nothing", tt.error, got.Sampled.ByteHitRatioSD)
		}
		errors = append(errors, math.Abs(float64(got.Hits-exact.Hits))/float64(exact.Gets))
	}
	if errors[4] > errors[0]/2 {
		t.Errorf("the largest samples err by %.5f, the smallest by %.5f", errors[4], errors[0])
	}
}

// TestRealSizes: where objects keep their sizes, those that fit the cache and not
// its miniature are reported.
func TestRealSizes(t *testing.T) {
	tr := skewed(20_000, 100_000)
	samples := samplesOf(t, tr, sim.Sampling{Rate: 0.1, Salts: 2, RealSizes: true}, 0, 1000)
	cell := sim.Cell{Requests: tr.Requests, Policy: "lru", Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}, Sampling: samples.Sampling}
	cell.Capacity = 10_000 // of the miniature: 1000
	m := measure(t, tr, sim.Task{Cell: cell, Samples: samples})[0]
	if m.TooLarge != 0 || m.Sampled.Unfit < 0.6 || m.Sampled.Unfit > 0.9 {
		t.Errorf("10,000 bytes: %d too large and %.2f of the bytes do not fit the miniature, want 0 and about 0.75", m.TooLarge, m.Sampled.Unfit)
	}
	cell.Capacity = 1000
	m = measure(t, tr, sim.Task{Cell: cell, Samples: samples})[0]
	exact := cell
	exact.Sampling = sim.Sampling{}
	if want := measure(t, tr, sim.Task{Cell: exact})[0]; m.TooLarge != want.TooLarge || want.TooLarge < want.Gets/3 {
		t.Errorf("1000 bytes: %d gets are of objects too large, want %d", m.TooLarge, want.TooLarge)
	}
}

// TestEstimateRaisedTooFar: where one object has half of the requests, larger samples may
// have more requests than the trace, and the estimate is that of the smaller ones.
func TestEstimateRaisedTooFar(t *testing.T) {
	capacity := int64(1000)
	cell := sim.Cell{Policy: "fifo", Capacity: capacity, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}}
	far := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 0))
		m := &sim.Memory{}
		number := map[int]uint32{-1: 0}
		requests := 12_000
		for i := range requests {
			object := -1
			if i%2 == 1 {
				object = rng.IntN(3000)
			}
			if _, ok := number[object]; !ok {
				number[object] = uint32(len(number))
			}
			m.Append(sim.Request{ID: number[object], Size: 1}, sim.Get, 0)
		}
		m.Objects = len(number)
		tr := &sim.Trace{Name: "t", Digest: "d", Requests: requests, Gets: requests, Objects: m.Objects, Footprint: int64(m.Objects), LargestSize: 1,
			RequestBytes: int64(requests), Source: m, ObjectName: func(uint32) string { return "?" }}
		samples := samplesOf(t, tr, sim.Sampling{Rate: 0.02, Salts: 3, Error: 1e-9}, 0, capacity)
		cell.Requests = requests
		task := sim.Task{Cell: cell, Samples: samples}
		task.Sampling = samples.Sampling
		got := measure(t, tr, task)[0]
		if got.Gets != int64(requests) || got.Sampled.RateUsed > 0.34 {
			t.Errorf("seed %d: %+v", seed, got)
		}
		if got.Sampled.Excess(task.Sampling) > 1 && got.Sampled.RateUsed > 0.07 && got.Sampled.RateUsed < 0.1 {
			far++
		}
	}
	if far == 0 {
		t.Error("no samples would have had more requests than their trace")
	}
}

// TestSamplesAreBalanced: every salt has its share of the objects of each
// popularity and size, up to one for each class, and salts have different objects.
func TestSamplesAreBalanced(t *testing.T) {
	tr := skewed(20_000, 100_000)
	type class struct{ popularity, size int }
	count := func(tr *sim.Trace) map[class]float64 {
		requests, size := make([]int, tr.Objects), make([]int64, tr.Objects)
		if err := tr.Each(0, func(_ int, b sim.Batch) error {
			for _, r := range b.Requests {
				requests[r.ID]++
				size[r.ID] = r.Size
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		n := make(map[class]float64)
		for id, k := range requests {
			n[class{int(math.Log2(float64(k))), int(math.Log2(float64(size[id])))}]++
		}
		return n
	}
	all := count(tr)
	samples := samplesOf(t, tr, sim.Sampling{Rate: 0.1, Salts: 2, RealSizes: true}, 0, 1000)
	if samples.Memory() <= 0 {
		t.Error("the samples occupy no memory")
	}
	for i, m := range samples.Miniatures {
		got := count(m.Trace)
		for c, n := range all {
			if math.Abs(got[c]-n/10) > 8 { // 8 classes of the samples are one here
				t.Errorf("salt %d: %v of %v objects of class %v", i+1, got[c], n, c)
			}
		}
		if math.Abs(float64(m.Objects)-float64(tr.Objects)/10) > 1 {
			t.Errorf("salt %d: %d of %d objects", i+1, m.Objects, tr.Objects)
		}
	}
	if a, b := samples.Miniatures[0], samples.Miniatures[1]; a.RequestBytes == b.RequestBytes {
		t.Error("two salts chose the same objects")
	}
	v, err := sim.NewSurvey(tr, 0, sim.UnitBytes, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Samples(sim.Choice{Sampling: sim.Sampling{Rate: 1e-9, Salts: 1}, Capacity: 1 << 40}); err == nil {
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

// TestSamplesTogether: samples that are chosen in one pass are those that are chosen
// each in its own, with operations and times to live.
func TestSamplesTogether(t *testing.T) {
	tr := skewed(3000, 50_000)
	m := &sim.Memory{Objects: tr.Objects}
	if err := tr.Each(0, func(start int, b sim.Batch) error {
		for i, r := range b.Requests {
			op := sim.Get
			if (start+i)%7 == 0 {
				op = sim.Set
				tr.Gets--
			}
			m.Append(r, op, uint32(start+i)%5)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	tr.Source, tr.Columns = m, m.Columns()
	v, err := sim.NewSurvey(tr, 100, sim.UnitBytes, 0)
	if err != nil {
		t.Fatal(err)
	}
	list := []sim.Choice{
		{Sampling: sim.Sampling{Rate: 0.1, Salts: 3}, Capacity: tr.Footprint / 3},
		{Sampling: sim.Sampling{Rate: 0.3, Salts: 2}, Capacity: tr.Footprint},
		{Sampling: sim.Sampling{Rate: 0.6, Salts: 2}, Capacity: tr.Footprint}, // more than the trace
		{Sampling: sim.Sampling{Rate: 0.02, Salts: 1, RealSizes: true}, Capacity: tr.Footprint},
		{Sampling: sim.Sampling{Rate: 0.01, Salts: 70, RealSizes: true}, Capacity: tr.Footprint}, // more than a pass makes
	}
	together, err := v.Samples(list...)
	if err != nil {
		t.Fatal(err)
	}
	all := func(t *testing.T, m sim.Miniature) (requests []sim.Request, ops []sim.Op, ttl []uint32) {
		if err := m.Each(sim.ColumnOps|sim.ColumnTTL, func(_ int, b sim.Batch) error {
			requests, ops, ttl = append(requests, b.Requests...), append(ops, b.Ops...), append(ttl, b.TTL...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return requests, ops, ttl
	}
	for i, c := range list {
		alone, err := v.Samples(c)
		if err != nil {
			t.Fatal(err)
		}
		if c.Rate*float64(c.Salts) > 1 {
			if together[i] != nil || alone[0] != nil {
				t.Errorf("%v: samples of more requests than the trace", c)
			}
			continue
		}
		if len(together[i].Miniatures) != c.Salts {
			t.Fatalf("%v: %d samples", c, len(together[i].Miniatures))
		}
		for salt, m := range together[i].Miniatures {
			reqs, ops, ttl := all(t, m)
			reqs1, ops1, ttl1 := all(t, alone[0].Miniatures[salt])
			if !slices.Equal(reqs, reqs1) || !slices.Equal(ops, ops1) || !slices.Equal(ttl, ttl1) {
				t.Errorf("%v, salt %d: another sample", c, salt)
			}
			if other := alone[0].Miniatures[salt]; !slices.Equal(m.Sizes, other.Sizes) || m.Warmup != other.Warmup || m.Gets != other.Gets || m.Footprint != other.Footprint {
				t.Errorf("%v, salt %d: other sizes or counts", c, salt)
			}
			if len(ops) != len(reqs) || !slices.Contains(ops, sim.Set) || !slices.Contains(ttl, 4) {
				t.Errorf("%v, salt %d: the operations or times to live of %d requests are lost", c, salt, len(reqs))
			}
		}
	}
}
