# What a developer calls; .ci/run calls the same. See README.md.

llvm = policies-wasm/libwasmer/build.sh

.PHONY: build test check bench llvm guests clean

# cachesim with all engines, LLVM included, as ./cachesim.
build: llvm
	settings=$$($(llvm) --env) && eval "$$settings go build -o cachesim ./cmd/cachesim"

# Every test on every engine, installing and building what they need.
test: ; .ci/test

# libwasmer with LLVM, built once into a cache folder outside the repository.
llvm: ; @$(llvm)

# The embedded modules again from their sources.
guests: ; policies-wasm/guests/build.sh && policies-wasm/driver/build.sh

clean: ; rm -rf cachesim results
