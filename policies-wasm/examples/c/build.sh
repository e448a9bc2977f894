#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs clang and lld (Debian's
# packages of those names).
set -eu
cd "$(dirname "$0")"
${CC:-clang} --target=wasm32 -O3 -ffreestanding -nostdlib -Wl,--no-entry -o "${1:-.}/fifo.wasm" fifo.c
