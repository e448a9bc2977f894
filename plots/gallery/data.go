package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"io"
	"slices"

	"cachesim/plots"
	"cachesim/sim/results"
)

// The gallery's results, as cachesim wrote them, without what they say of the
// machine:
//
//	web=traces/example/web.tr.gz
//	cachesim run $web --policy fifo,lru,lfu,gdsize,slru,2q,arc,lirs,sieve,s3fifo,w-tinylfu,belady --size 1MiB..512MiB
//	cachesim run $web --policy random,lecar,hyperbolic --seeds 5 --size 4MiB..128MiB
//	cachesim run $web --policy fifo,lru,sieve,s3fifo --size 64MiB --window 1h --warmup 6h
//	cachesim run $web --policy s3fifo:small=0.02,s3fifo:small=0.05,... --size 8MiB,64MiB
//	cachesim run $web --engine native,cranelift,wazero --abi pair,batch --handle srs --size 64MiB --repeat 10
//	cachesim mrc zipf.bin --policy fifo,arc,sieve,s3fifo --sample 5% --salts 5 --size 1%,2%,4%,8%,16%,32%
//	cachesim run t*.bin --separate --policy fifo,lru,arc,lirs,sieve,s3fifo,w-tinylfu --size 1%,10%
//	cachesim bench --engine native,cranelift,wazero,wasmtime,wamr
//	cachesim trace info $web --json
//
// t*.bin are 24 traces of 60,000 requests by cachesim trace gen, of different
// skew, drift and scans; zipf.bin is one of 600,000 requests. The times were taken while the machine had other work.
var (
	//go:embed data/results.json.gz
	resultsFile []byte
	//go:embed data/bench.json.gz
	benchFile []byte
	//go:embed data/profile.json.gz
	profileFile []byte
)

// must returns what was read from an embedded file, which is right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func unzipped(file []byte) io.Reader { return must(gzip.NewReader(bytes.NewReader(file))) }

// gallery is all that the figures are made of.
type gallery struct {
	plots.Rows
}

func load() gallery {
	set := must(results.ReadJSON(unzipped(resultsFile)))
	set.Sort()
	g := gallery{plots.Rows{Results: set.Results, Traces: set.Traces, Costs: must(results.ReadCallCostJSON(unzipped(benchFile)))}}
	var p plots.TraceProfile
	if err := json.NewDecoder(unzipped(profileFile)).Decode(&p); err != nil {
		panic(err)
	}
	g.Profiles = []plots.TraceProfile{p}
	return g
}

// where returns the results that meet conditions.
func (g gallery) where(conditions ...string) plots.Rows {
	rows := plots.Rows{Results: g.Results, Traces: g.Traces}
	for _, s := range conditions {
		rows.Results = plots.Filter(rows.Results, must(plots.ParseCondition(s)))
	}
	return rows
}

// sweep is replays of one trace at many sizes.
func (g gallery) sweep(conditions ...string) plots.Rows {
	return g.where(append([]string{"trace=web.tr.gz", "timed=false", "warmup=0", "sample=100", "policy!=s3fifo:*,random,lecar,hyperbolic"}, conditions...)...)
}

// some is the policies that one column has room for.
func (g gallery) some(conditions ...string) plots.Rows {
	return g.sweep(append([]string{"policy=lru,arc,lirs,sieve,s3fifo,w-tinylfu,belady"}, conditions...)...)
}

// seeds is policies with random choices, each with several seeds.
func (g gallery) seeds() plots.Rows { return g.where("policy=random,lecar,hyperbolic") }

// sampled is estimates from samples.
func (g gallery) sampled() plots.Rows { return g.where("trace=zipf.bin", "sample!=100") }

// series is replays with a series of intervals.
func (g gallery) series() plots.Rows { return g.where("warmup!=0", "timed=false") }

// params is one policy with several values of a parameter.
func (g gallery) params() plots.Rows {
	return g.where("trace=web.tr.gz", "policy=s3fifo:*", "timed=false")
}

// many is replays of many traces.
func (g gallery) many(conditions ...string) plots.Rows {
	return g.where(append([]string{"trace!=web.tr.gz,zipf.bin"}, conditions...)...)
}

// timed is running times with the hit ratios of their policies.
func (g gallery) timed(conditions ...string) plots.Rows {
	rows := g.where("trace=web.tr.gz", "size=64MiB", "policy!=s3fifo:*,belady", "sample=100")
	rows.Results = slices.DeleteFunc(rows.Results, func(r results.Result) bool { return !r.Timed && r.Warmup > 0 })
	for _, s := range conditions {
		rows.Results = plots.Filter(rows.Results, must(plots.ParseCondition(s)))
	}
	return rows
}

func (g gallery) bench() plots.Rows { return plots.Rows{Costs: g.Costs} }

func (g gallery) profile() plots.Rows { return plots.Rows{Profiles: g.Profiles} }
