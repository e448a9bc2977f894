package plots

import (
	"fmt"
	"math"
	"slices"
	"time"

	"cachesim/sim"
	"cachesim/sim/results"
)

const mib = 1 << 20

// sizesOf returns n sizes, each twice the one before.
func sizesOf(first int64, n int) []int64 {
	var sizes []int64
	for i := range n {
		sizes = append(sizes, first<<i)
	}
	return sizes
}

// swept makes native results over a whole trace: policies at sizes, with the
// hit ratios in percent that f says.
func swept(policies []string, sizes []int64, f func(policy, size int) float64) []results.Result {
	const requests = 1_000_000
	var rs []results.Result
	for i, p := range policies {
		for j, s := range sizes {
			rs = append(rs, results.Result{
				Cell:  sim.Cell{Trace: "t.log", TraceDigest: "1", Requests: requests, Policy: p, Capacity: s, Unit: sim.UnitBytes, Version: sim.Version{Engine: sim.NativeEngine}},
				Tally: sim.Tally{Gets: requests, Hits: int64(math.Round(f(i, j) / 100 * requests))}, Whole: true,
			})
		}
	}
	return rs
}

// rising is a family of curves that look like those of real traces.
func rising(policy, size int) float64 {
	return 80 * (1 - math.Exp(-(0.15+0.012*float64(policy))*float64(size+1)))
}

func constant(percent float64) func(int, int) float64 {
	return func(int, int) float64 { return percent }
}

// version is an engine, an ABI and a handle.
type version struct{ engine, abi, handle string }

// matrix returns native and every combination on the engines.
func matrix(engines ...string) []version {
	all := []version{{engine: sim.NativeEngine}}
	for _, e := range engines {
		for _, abi := range []string{"pair", "bincode", "bytemuck", "bytemuck-static", "bincode-static", "batch"} {
			for _, h := range []string{"uncached", "srs", "driver"} {
				if abi != "batch" || h != "driver" {
					all = append(all, version{e, abi, h})
				}
			}
		}
	}
	return all
}

// timed makes timed results at one capacity: the nanoseconds a request that f
// says, and a tenth less and more of it over the repeats.
func timed(policies []string, versions []version, f func(policy, version int) float64) []results.Result {
	const requests = 100_000
	var rs []results.Result
	for i, p := range policies {
		for j, v := range versions {
			t := time.Duration(f(i, j) * requests)
			rs = append(rs, results.Result{
				Cell:  sim.Cell{Trace: "t.log", TraceDigest: "1", Requests: requests, Policy: p, Capacity: 64 * mib, Unit: sim.UnitBytes, Version: sim.Version{Engine: v.engine, ABI: v.abi, Handle: v.handle}},
				Timed: true, Repeats: 5, Replay: t, ReplayMin: t - t/10, ReplayMax: t + t/10,
			})
		}
	}
	return rs
}

// measured is about what versions take on a real machine: batches next to
// native, uncached handles far off.
func measured(policy, version int) float64 {
	base := 25 + 20*float64(policy)
	if version == 0 {
		return base
	}
	v := (version - 1) % 17
	cost := []float64{900, 180, 60}[v%3]
	if v >= 15 {
		cost = []float64{9, 8}[v-15]
	}
	return base*1.3 + cost*(1+0.2*float64(v/3%5))
}

func count(n int, name string) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(name, i+1))
	}
	return list
}

var (
	four   = []string{"fifo", "lru", "lfu", "gdsize"}
	twelve = []string{
		"fifo", "lru", "lfu", "gdsize", "slru:protected=0.8", "2q:in=0.25,out=0.5", "arc", "lirs:hir=0.01",
		"s3fifo:small=0.1,ghost=0.9", "sieve", "wtinylfu:window=0.01,protected=0.8", "lhd:sample=64,reconfigure=1e+06",
	}
	twoEngines   = matrix("cranelift", "llvm")
	threeEngines = matrix("singlepass", "cranelift", "llvm")
	fourEngines  = matrix("singlepass", "cranelift", "llvm", "wasmtime")
	defaults     = []version{
		{engine: sim.NativeEngine},
		{"cranelift", "pair", "srs"}, {"cranelift", "bytemuck-static", "srs"}, {"cranelift", "batch", "srs"},
		{"llvm", "pair", "srs"}, {"llvm", "bytemuck-static", "srs"}, {"llvm", "batch", "srs"},
	}
)

// cases are results from simple to difficult, each of which gives one figure.
var cases = []struct {
	name    string
	results []results.Result
}{
	{"ratio-1-size", swept(four, []int64{64 * mib}, rising)},
	{"ratio-1-odd-size", swept(four, []int64{5_000_000}, rising)},
	{"ratio-1-policy", swept(four[:1], sizesOf(mib, 6), rising)},
	{"ratio-4-policies", swept(four, sizesOf(4*mib, 8), rising)},
	{"ratio-12-sizes", swept(four, sizesOf(4*mib, 12), rising)},
	{"ratio-40-sizes", swept(four, sizesOf(16, 40), func(p, s int) float64 { return rising(p, s/4) })},
	{"ratio-close-sizes", swept(four, []int64{100 * mib, 101 * mib, 102 * mib, 110 * mib, 120 * mib, 125 * mib}, rising)},
	{"ratio-odd-sizes", swept(four, []int64{7_300_000, 21_900_000, 73_000_000, 219_000_000, 730_000_000}, rising)},
	{"ratio-12-policies", swept(twelve, sizesOf(4*mib, 12), rising)},
	{"ratio-30-policies", swept(count(30, "policy%d"), sizesOf(4*mib, 12), rising)},
	{"ratio-long-names", swept([]string{"lru", "wtinylfu:window=0.01,protected=0.8,sample=10,counters=16,doorkeeper=1", "wtinylfu:window=0.01,protected=0.8,sample=10,counters=16,doorkeeper=2"}, sizesOf(4*mib, 5), rising)},
	{"ratio-all-0", swept(four, sizesOf(4*mib, 6), constant(0))},
	{"ratio-all-100", swept(four, sizesOf(4*mib, 6), constant(100))},
	{"ratio-all-37", swept(four, sizesOf(4*mib, 6), constant(37.2))},
	{"ratio-to-1", swept(four, sizesOf(4*mib, 6), func(p, s int) float64 { return rising(p, s) / 80 })},
	{"ratio-80-to-81", swept(four, sizesOf(4*mib, 6), func(p, s int) float64 { return 80 + rising(p, s)/80 })},
	{"ratio-tiny", swept(four, sizesOf(4*mib, 6), func(p, s int) float64 { return rising(p, s) / 80 / 100 })},
	{"ratio-0-to-100", swept([]string{"a", "b"}, sizesOf(4*mib, 6), func(p, s int) float64 { return 20 * float64(s) })},

	{"time-1-bar", timed(four[:1], twoEngines[:1], measured)},
	{"time-native", timed(four, twoEngines[:1], measured)},
	{"time-12-native", timed(twelve, twoEngines[:1], measured)},
	{"time-1-policy", timed(four[:1], defaults, measured)},
	{"time-defaults", timed(four, defaults, measured)},
	{"time-12-defaults", timed(twelve, defaults, measured)},
	{"time-1-policy-matrix", timed(four[:1], twoEngines, measured)},
	{"time-3-engines", timed(four, threeEngines, measured)},
	{"time-4-engines", timed(four, fourEngines, measured)},
	{"time-uneven", slices.Concat(timed(four[:1], twoEngines, measured), timed(twelve[1:6], twoEngines[:1], measured))},
	{"time-long-name-first", timed(slices.Concat(twelve[10:], twelve[:6]), defaults, measured)},
	{"time-30-native", timed(count(30, "policy%d"), twoEngines[:1], measured)},
	{"time-12-matrix", timed(twelve, twoEngines, measured)},
	{"time-no-native", timed(four, defaults[1:], measured)},
	{"time-huge", timed(four, defaults, func(p, v int) float64 { return 1e9 * measured(p, v) })},
	{"time-tiny", timed(four, defaults, func(p, v int) float64 { return measured(p, v) / 1e4 })},
	{"time-zero", timed(four, defaults, constant(0))},
	{"time-one-zero", timed(four, defaults, func(p, v int) float64 { return float64(v) })},
	{"time-equal", timed(four, defaults, constant(123))},
	{"time-wide-range", timed(four, defaults, func(p, v int) float64 { return math.Pow(10, float64(v)) })},
}

func ns(n int64) time.Duration { return time.Duration(n) }
