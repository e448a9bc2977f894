#!/bin/sh
# Builds WAMR behind clib.h as a shared library of its own, once, in a cache
# folder outside the repository, and prints its file. clib.go finds it there by the
# hash of what it is made from.
set -eu
cd "$(dirname "$0")"
cache=${CACHESIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cachesim}
key=$(cat ../clib.h wamr.c CMakeLists.txt crate.sha256 | sha256sum | cut -c1-16)
lib=$cache/libwamr-$key.so
[ ! -f "$lib" ] || { echo "$lib"; exit; }

say() { echo "libwamr: $*" >&2; }

[ "$(uname -s)" = Linux ] || { say "this build is for Linux; see docs/ARCHITECTURE.md"; exit 1; }
../../../.ci/packages ca-certificates cmake curl gcc libc6-dev make
say "building, less than a minute, once"
mkdir -p "$cache"
work=$(mktemp -d "$cache/libwamr.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# The crate carries WAMR's sources. Nothing of its Rust is used.
crate=$(sed 's/.* //' crate.sha256)
name=${crate%.crate}
curl -fsSL --retry 3 -o "$work/$crate" "https://static.crates.io/crates/${name%-*}/$crate"
here=$PWD
(cd "$work" && sha256sum --status -c "$here/crate.sha256") || { say "$crate is not what crate.sha256 says"; exit 1; }
tar -xzf "$work/$crate" -C "$work"
{
	cmake -S . -B "$work/build" -DCMAKE_BUILD_TYPE=Release "-DWAMR_ROOT_DIR=$work/$name/wasm-micro-runtime" &&
		cmake --build "$work/build" --parallel "$(nproc)"
} >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; exit 1; }
mv "$work/build/libwamr.so" "$lib"
echo "$lib"
