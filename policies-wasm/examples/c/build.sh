#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs clang and lld (Debian's
# packages of those names).
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")"
${CC:-clang} --target=wasm32 -O3 -ffreestanding -nostdlib -Wall -Wl,--no-entry -o "$out/fifo.wasm" policy.c
