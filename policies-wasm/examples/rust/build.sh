#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs Rust 1.63 or later with its
# target: rustup target add wasm32-unknown-unknown, or Debian's rustc and libstd-rust-dev-wasm32.
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")"
${RUSTC:-rustc} --crate-name fifo --crate-type cdylib --edition 2021 --target wasm32-unknown-unknown \
	-C opt-level=3 -C lto -C panic=abort -C strip=debuginfo -o "$out/fifo.wasm" policy.rs
