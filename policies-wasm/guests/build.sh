#!/bin/sh
# Rebuilds the embedded guests, and that of the micro benchmark, from their Rust
# sources: every build with Debian 12's compiler gives the same bytes. It needs the packages
# rustc cargo libstd-rust-dev-wasm32 lld.
#
#   policies-wasm/guests/build.sh           writes the .wasm files beside this script
#   policies-wasm/guests/build.sh --check   writes nothing, fails where they differ
set -eu
cd "$(dirname "$0")"
cache=${CACHESIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cachesim}
export CARGO_TARGET_DIR="$cache/guests" RUSTC=/usr/bin/rustc
# Rust has had a default handler for failed allocations since 1.68; Debian's 1.63
# has it behind a feature.
export RUSTC_BOOTSTRAP=1
handler='-Zcrate-attr=feature(default_alloc_error_handler)'
# The stack comes first in memory, so that a guest that overflows it traps.
# Paths of this machine would end up in the modules.
export RUSTFLAGS="$handler -C link-arg=--stack-first -C link-arg=-zstack-size=65536 --remap-path-prefix=$PWD=guests"
/usr/bin/cargo build --quiet --release --locked --target wasm32-unknown-unknown
for guest in fifo.wasm lru.wasm lfu.wasm gdsize.wasm sieve.wasm s3fifo.wasm arc.wasm gdsf.wasm ../micro/micro.wasm; do
	built=$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/${guest##*/}
	if [ "${1-}" = --check ]; then
		cmp "$built" $guest || { echo "$guest is not what its source builds: run policies-wasm/guests/build.sh and commit" >&2; exit 1; }
	else
		cp "$built" $guest
	fi
done
