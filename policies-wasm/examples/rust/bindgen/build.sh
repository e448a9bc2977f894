#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs Rust 1.85 or later with its
# target: rustup target add wasm32-unknown-unknown.
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --release --target wasm32-unknown-unknown --target-dir "$target"
cp "$target"/wasm32-unknown-unknown/release/fifo.wasm "$out/fifo.wasm"
