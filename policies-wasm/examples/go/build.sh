#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs Go 1.24 or later.
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")"
GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 GOFLAGS= go build -buildmode=c-shared -o "$out/fifo.wasm" .
