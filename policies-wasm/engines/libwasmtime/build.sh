#!/bin/sh
# Links the static Wasmtime of the Go module wasmtime-go, behind clib.h, into a
# shared library of its own, once, in a cache folder outside the repository, and
# prints its file. clib.go finds it there by the hash of the sources.
set -eu
cd "$(dirname "$0")"
cache=${CACHESIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cachesim}
key=$(cat ../clib.h wasmtime.c component.h component.c exports.map version | sha256sum | cut -c1-16)
lib=$cache/libwasmtime-$key.so
[ ! -f "$lib" ] || { echo "$lib"; exit; }

[ "$(uname -s)" = Linux ] || { echo "libwasmtime: this build is for Linux; see docs/ARCHITECTURE.md" >&2; exit 1; }
../../../.ci/packages gcc libc6-dev
go mod download github.com/bytecodealliance/wasmtime-go/v39 >&2
module=$(go list -m -f '{{.Dir}}' github.com/bytecodealliance/wasmtime-go/v39)
go list -m github.com/bytecodealliance/wasmtime-go/v39 | cmp -s - version || { echo "libwasmtime: version is not what go.mod says" >&2; exit 1; }
mkdir -p "$cache"
${CC:-cc} -O2 -fPIC -shared -Wl,-Bsymbolic,--gc-sections,--version-script=exports.map -o "$lib.new" \
	-I"$module/build/include" wasmtime.c component.c "$module/build/linux-$(uname -m)/libwasmtime.a" -lm -ldl -lpthread
mv "$lib.new" "$lib"
echo "$lib"
