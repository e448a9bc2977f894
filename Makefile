# What a developer calls. See README.md.

llvm = policies-wasm/engines/libwasmer/build.sh
wasmtime = policies-wasm/engines/libwasmtime/build.sh
wamr = policies-wasm/engines/libwamr/build.sh

.PHONY: build static test bench llvm wasmtime wamr guests clean

# cachesim with all engines, LLVM included, as ./cachesim.
build: llvm wasmtime wamr
	settings=$$($(llvm) --env) && eval "$$settings go build -o cachesim ./cmd/cachesim"

# cachesim without cgo, for Linux, macOS and Windows, in static/: wazero runs its
# modules.
static: ; .ci/static

# Every test on every engine, installing and building what they need.
test: ; .ci/test


# Replay time of every engine, ABI and handle over that of the native policy, at
# 32 MiB: make bench TRACE=trace.gz. Medians of interleaved replays; minutes.
TRACE = traces/example/web.tr.gz
bench: build
	./cachesim run $(TRACE) --size 32MiB --engine all --abi all --handle all --timing-requests all --repeat 5 --out results/bench

# libwasmer with LLVM, built once into a cache folder outside the repository.
llvm: ; @$(llvm)

# Wasmtime and WAMR as libraries of their own, a minute, in the same cache folder.
wasmtime: ; @$(wasmtime)
wamr: ; @$(wamr)

# The embedded modules again from their sources.
guests: ; policies-wasm/guests/build.sh && policies-wasm/driver/build.sh

clean: ; rm -rf cachesim results static
