#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs asc, of the npm package
# assemblyscript: npm install assemblyscript
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")"
asc=asc
command -v asc >/dev/null || asc=node_modules/.bin/asc
$asc exports.ts -O3 --outFile "$out/fifo.wasm"
