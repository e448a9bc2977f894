# What a developer calls. See README.md.

llvm = policies-wasm/libwasmer/build.sh

.PHONY: build test bench llvm guests clean

# cachesim with all engines, LLVM included, as ./cachesim.
build: llvm
	settings=$$($(llvm) --env) && eval "$$settings go build -o cachesim ./cmd/cachesim"

# Every test on every engine, installing and building what they need.
test: ; .ci/test


# Replay time of every engine, ABI and handle over that of the native policy, at
# 32 MiB: make bench TRACE=trace.gz. Medians of interleaved replays; minutes.
TRACE = traces/example/web.tr.gz
bench: build
	./cachesim run $(TRACE) --size 32MiB --engine all --abi all --handle all --timing-requests all --repeat 5 --out results/bench

# libwasmer with LLVM, built once into a cache folder outside the repository.
llvm: ; @$(llvm)

# The embedded modules again from their sources.
guests: ; policies-wasm/guests/build.sh && policies-wasm/driver/build.sh

clean: ; rm -rf cachesim results
