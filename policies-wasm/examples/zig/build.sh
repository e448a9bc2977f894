#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs zig, as a command or as
# the Python package ziglang: pip install ziglang
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")"
zig=zig
command -v zig >/dev/null || zig="${PYTHON:-python3} -m ziglang"
$zig build-exe kit.zig -target wasm32-freestanding -O ReleaseFast -fno-entry -rdynamic -femit-bin="$out/fifo.wasm"
rm -f "$out/fifo.wasm.o" # which some versions leave
