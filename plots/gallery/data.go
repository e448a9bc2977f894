package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"cachesim/plots"
	"cachesim/sim"
	"cachesim/sim/results"
)

// The gallery's data are synthetic: curves of the shapes that real traces give,
// so that every kind of figure has something to show. They measure nothing.

var policies = []struct {
	name  string
	skill float64 // how much of the gap to Belady it closes, about
	ns    float64 // a request, native
}{
	{"fifo", 0, 21}, {"lru", 0.12, 28}, {"lfu", 0.18, 95}, {"gdsize", 0.22, 140}, {"slru:protected=0.8", 0.3, 41},
	{"2q", 0.34, 44}, {"arc", 0.38, 61}, {"lirs", 0.45, 72}, {"sieve", 0.5, 26}, {"s3fifo:small=0.1", 0.56, 34},
	{"wtinylfu", 0.58, 88}, {"belady", 1, 160},
}

const requests = 1_000_000

func rng(seed string) *rand.Rand {
	var b [32]byte
	copy(b[:], seed)
	return rand.New(rand.NewChaCha8(b))
}

// curve returns the hit ratio of a policy where the cache holds a share of the
// footprint.
func curve(share, skew, skill float64) float64 {
	lru := math.Pow(share, skew) * 0.82
	best := math.Min(0.9, lru+0.55*lru*(1-lru)+0.02)
	return lru + skill*(best-lru)
}

func tally(hitRatio, byteRatio float64) sim.Tally {
	const bytes = requests * 24_000
	return sim.Tally{Gets: requests, Hits: int64(hitRatio * requests), Bytes: bytes, HitBytes: int64(byteRatio * bytes)}
}

func result(trace, policy string, capacity int64) results.Result {
	return results.Result{
		Cell: sim.Cell{
			Trace: trace, TraceDigest: fmt.Sprintf("%032x", []byte(trace)[:min(16, len(trace))]), Requests: requests,
			Policy: policy, Capacity: capacity, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine},
		},
		Whole: true,
	}
}

// oneTrace is a sweep over sizes.
func oneTrace() []results.Result {
	const footprint = 64 << 30
	r := rng("one trace")
	var rs []results.Result
	for _, p := range policies {
		for k := range 9 {
			res := result("web.tr.zst", p.name, 64<<20<<k)
			share := float64(res.Capacity) / footprint
			h := curve(share, 0.21, p.skill*(0.9+0.1*r.Float64()))
			res.Tally = tally(h, h*(0.72+0.1*share))
			rs = append(rs, res)
		}
	}
	return rs
}

// seeds is a sweep of policies with random choices, each with several seeds.
func seeds() []results.Result {
	r := rng("seeds")
	var rs []results.Result
	for i, p := range []string{"random", "lecar", "hyperbolic"} {
		for k := range 6 {
			for seed := range 5 {
				res := result("web.tr.zst", p, 1<<30<<k)
				res.Seed = uint64(seed + 1)
				h := curve(float64(res.Capacity)/(64<<30), 0.21, 0.1+0.15*float64(i)) + 0.05*(r.Float64()-0.5)
				res.Tally = tally(h, h*0.8)
				rs = append(rs, res)
			}
		}
	}
	return rs
}

// manyTraces is policies at two shares of the footprint.
func manyTraces() []results.Result {
	r := rng("many traces")
	var rs []results.Result
	for i := range 60 {
		name := fmt.Sprintf("w%02d.oracleGeneral.zst", i+1)
		skew := 0.15 + 0.4*r.Float64()
		footprint := math.Exp(18 + 8*r.Float64())
		for _, share := range []float64{0.01, 0.1} {
			for _, p := range policies[:len(policies)-1] {
				res := result(name, p.name, int64(footprint*share))
				res.Size = fmt.Sprintf("%g%%", 100*share)
				h := curve(share, skew, p.skill+0.25*r.NormFloat64()*math.Sqrt(p.skill))
				h = min(max(h, 0.01), 0.97)
				res.Tally = tally(h, h*0.8)
				rs = append(rs, res)
			}
		}
	}
	return rs
}

// timed is running times of versions, and the hit ratios of their policies.
func timed() []results.Result {
	r := rng("timed")
	versions := []sim.Version{{Engine: sim.NativeEngine}}
	for _, e := range []string{"cranelift", "wazero"} {
		for _, v := range [][2]string{{"pair", "cached"}, {"bytemuck-static", "srs"}, {"batch", "srs"}} {
			versions = append(versions, sim.Version{Engine: e, ABI: v[0], Handle: v[1]})
		}
	}
	cost := map[string]float64{"cranelift pair": 190, "cranelift bytemuck-static": 120, "cranelift batch": 8, "wazero pair": 46, "wazero bytemuck-static": 38, "wazero batch": 14}
	var rs []results.Result
	for _, p := range policies[:len(policies)-1] {
		whole := result("web.tr.zst", p.name, 1<<30)
		h := curve(1.0/64, 0.21, p.skill)
		whole.Tally = tally(h, 0.8*h)
		rs = append(rs, whole)
		for _, v := range versions {
			res := whole
			res.Version, res.Timed, res.Whole = v, true, false
			ns := p.ns
			if v.Engine != sim.NativeEngine {
				ns = 1.35*p.ns + cost[v.Engine+" "+v.ABI]
			}
			for range 10 {
				res.Replays = append(res.Replays, time.Duration(requests*ns*(1+0.02*r.NormFloat64())))
			}
			res.Repeats = len(res.Replays)
			res.Replay, res.ReplayMin, res.ReplayMax = results.Median(res.Replays), slices.Min(res.Replays), slices.Max(res.Replays)
			rs = append(rs, res)
		}
	}
	return rs
}

// versions is those of the policies that the figure of running times shows.
func versions() []results.Result {
	return plots.Filter(timed(), plots.Condition{Field: "policy", Values: []string{"fifo", "lru", "sieve", "s3fifo"}})
}

// series is a replay in intervals of an hour, of which the first day warms up.
func series() []results.Result {
	r := rng("series")
	var rs []results.Result
	for i, p := range []string{"fifo", "lru", "sieve", "s3fifo:small=0.1"} {
		res := result("web.tr.zst", p, 4<<30)
		res.Window = sim.Window{Time: time.Hour}
		for h := range 7 * 24 {
			day := math.Sin(float64(h) / 24 * 2 * math.Pi)
			gets := int64(6000 + 3500*day)
			ratio := (1 - math.Exp(-float64(h+1)/9)) * (0.48 + 0.035*float64(i) + 0.05*day + 0.012*r.NormFloat64())
			res.Series = append(res.Series, sim.Interval{
				Start: h * 6000, Time: int64(h) * int64(time.Hour), Warmup: h < 24, Gets: gets, Hits: int64(float64(gets) * ratio),
			})
		}
		res.Tally = tally(0.5, 0.4)
		rs = append(rs, res)
	}
	return rs
}

// costs is the micro benchmark.
func costs() []results.CallCost {
	around := func(v float64) results.Stats {
		return results.Stats{Mean: 1.01 * v, Median: v, Low: 0.96 * v, High: 1.05 * v, Min: 0.93 * v}
	}
	type test struct {
		name, abi, handle string
		factor            float64
	}
	tests := []test{
		{"native", "", "", 0}, {"pair-uncached", "pair", "uncached", 4.5}, {"pair-cached-preload", "pair", "cached", 1}, {"pair-srs", "pair", "srs", 1.02},
		{"bytemuck-cached", "bytemuck", "cached", 1.4}, {"bytemuck-static-srs", "bytemuck-static", "srs", 0.7}, {"batch", "batch", "srs", 0.04},
	}
	engines := []struct {
		name      string
		call, set float64
	}{{"cranelift", 180, 3.4e6}, {"llvm", 175, 41e6}, {"wazero", 29, 2.1e6}, {"wasmtime", 62, 6.4e6}, {"wamr", 44, 0.15e6}}
	list := []results.CallCost{{Kind: results.CostOfCall, Test: "native", Engine: sim.NativeEngine, Mode: "release", Call: around(1.6), Total: around(1.6), Calls: 100_000, Runs: 30}}
	for _, e := range engines {
		for _, t := range tests[1:] {
			c := results.CallCost{Kind: results.CostOfCall, Test: t.name, Engine: e.name, ABI: t.abi, Handle: t.handle, Mode: "release", Calls: 100_000, Runs: 30}
			c.Call, c.Setup = around(e.call*t.factor), around(e.set)
			c.Total = around(e.call*t.factor + e.set/1e5)
			list = append(list, c)
			if t.abi != "bytemuck" && t.abi != "bytemuck-static" {
				continue
			}
			for size := 16; size <= 64<<10; size *= 4 {
				p := c
				p.Kind, p.Payload, p.Call = results.CostOfPayload, size, around(e.call*t.factor+0.02*float64(size))
				list = append(list, p)
			}
		}
		for i, part := range []string{"boxing", "crossing", "runtime", "guest"} {
			list = append(list, results.CallCost{Kind: results.CostOfPart, Test: part, Engine: e.name, Mode: "release", Call: around(e.call * []float64{0.4, 0.3, 0.2, 0.1}[i])})
		}
	}
	return list
}

// profile is of a trace of objects whose popularity follows Zipf's law.
func profile() plots.TraceProfile {
	r := rng("profile")
	p := plots.TraceProfile{Trace: "web.tr.zst", ReuseUnit: sim.UnitBytes, Zipf: &plots.ZipfFit{Alpha: 0.86, Scale: 41_000, From: 10, To: 100_000}}
	last := int64(math.MaxInt64)
	for k := 0.0; k < 6; k += 0.05 {
		rank := int64(math.Pow(10, k))
		if len(p.Popularity) > 0 && p.Popularity[len(p.Popularity)-1].Rank == rank {
			continue
		}
		n := max(1, int64(41_000*math.Pow(float64(rank)+4, -0.86)*(1+0.03*r.NormFloat64())))
		last = min(last, n)
		p.Popularity = append(p.Popularity, plots.Rank{Rank: rank, Requests: last})
	}
	normal := func(x, mean, sd float64) float64 { return 0.5 * math.Erfc(-(x-mean)/(sd*math.Sqrt2)) }
	for k := 6.0; k <= 30; k += 0.25 {
		size := math.Pow(2, k)
		p.ObjectSizes = append(p.ObjectSizes, plots.Share{Value: size, Share: normal(k, 14, 3)})
		p.RequestSizes = append(p.RequestSizes, plots.Share{Value: size, Share: normal(k, 12, 2.4)})
	}
	for k := 10.0; k <= 36; k += 0.25 {
		p.Reuse = append(p.Reuse, plots.Share{Value: math.Pow(2, k), Share: 0.88 * normal(k, 26, 5)})
	}
	for h := range 7 * 24 {
		n := int64(3600 * (90 + 50*math.Sin(float64(h)/24*2*math.Pi) + 6*r.NormFloat64()))
		p.Load = append(p.Load, plots.Load{Start: time.Duration(h) * time.Hour, Length: time.Hour, Requests: n})
	}
	return p
}
