#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs asc, of the npm package
# assemblyscript.
set -eu
cd "$(dirname "$0")"
asc fifo.ts -O3 --outFile "${1:-.}/fifo.wasm"
