# What a developer calls. See README.md.

llvm = policies-wasm/engines/libwasmer/build.sh
wasmtime = policies-wasm/engines/libwasmtime/build.sh
wamr = policies-wasm/engines/libwamr/build.sh

.PHONY: build static test test-long gallery bench bench-load bench-policies bench-mrc bench-traces bench-languages bench-micro cachesim-debug experiment llvm wasmtime wamr guests clean

# cachesim with all engines, LLVM included, as ./cachesim.
build: llvm wasmtime wamr
	settings=$$($(llvm) --env) && eval "$$settings go build -o cachesim ./cmd/cachesim"

# cachesim without cgo, for Linux, macOS and Windows, in static/: wazero runs its
# modules.
static: ; .ci/static

# Every test on every engine, installing and building what they need.
test: ; .ci/test

# Fuzzing and large traces, which rarely find anything: an hour.
test-long: ; .ci/test-long

# Replay time of every engine, ABI and handle over that of the native policy, at
# 32 MiB: make bench TRACE=trace.gz. Medians of interleaved replays; minutes.
TRACE = traces/example/web.tr.gz
bench: build
	./cachesim run $(TRACE) --size 32MiB --engine all --abi all --handle all --timing-requests all --repeat 5 --out results/bench

# Whole runs and the time of each policy, beside libCacheSim where LIBCACHESIM names
# its binary: LIBCACHESIM=.../bin/cachesim make bench-policies. Some minutes each.
bench-load: ; go run ./cmd/compare load
bench-policies: ; go run ./cmd/compare policies && go run ./cmd/compare sweep -repeat 1 && go run ./cmd/compare objects

# cachesim mrc against full replays of the same policies, and beside libCacheSim's
# mrcProfiler where MRCPROFILER names its binary.
bench-mrc: ; go run ./cmd/compare mrc -repeat 1

# How fast trace formats are decoded and loaded.
bench-traces: ; go test ./traces -run NONE -bench 'Load|Corpora|Weblog' -benchtime 2x

# The same policies in six languages on every engine, the table and figure of
# docs/BENCHMARKS.md; a minute or two.
bench-languages: build
	PATH="$$PATH:$$(.ci/languages)" RUSTC=/usr/bin/rustc ./cachesim bench --languages all --out results/bench/languages

# What one call costs, in a release and in a debug build of the host; minutes.
# BUDGET is for each.
BUDGET = 3m
bench-micro: build cachesim-debug
	./cachesim bench --budget $(BUDGET) --out results/bench/release
	./cachesim-debug bench --budget $(BUDGET) --out results/bench/debug
	./cachesim plot results/bench/release/bench.json results/bench/debug/bench.json --out results/bench

cachesim-debug: build
	settings=$$($(llvm) --env) && eval "$$settings go build -gcflags='all=-N -l' -o cachesim-debug ./cmd/cachesim"

# The published experiment again, on its trace, into docs/EXPERIMENT.md: make
# experiment TRACE=web-1m.dat.gz. Some 20 minutes; SHORT=-short tries it in two.
experiment: build cachesim-debug
	go run ./cmd/experiment -trace $(TRACE) $(SHORT)

# libwasmer with LLVM, built once into a cache folder outside the repository.
llvm: ; @$(llvm)

# Wasmtime and WAMR as libraries of their own, a minute, in the same cache folder.
wasmtime: ; @$(wasmtime)
wamr: ; @$(wamr)

# docs/FIGURES.md and its figures, from the results in plots/gallery/data.
gallery: ; go run ./plots/gallery

# The embedded modules again from their sources.
guests: ; policies-wasm/guests/build.sh && policies-wasm/adapters/build.sh && policies-wasm/micro/build.sh

clean: ; rm -rf cachesim cachesim-debug results static
