#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs zig, as a command or
# as the Python package ziglang.
set -eu
cd "$(dirname "$0")"
zig=zig
command -v zig >/dev/null || zig="python3 -m ziglang"
$zig build-exe fifo.zig -target wasm32-freestanding -O ReleaseFast -fstrip -fno-entry -rdynamic -femit-bin="${1:-.}/fifo.wasm"
rm -f "${1:-.}/fifo.wasm.o" # which some versions leave
