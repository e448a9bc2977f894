#!/bin/sh
# Assembles the driver modules, and those of the micro benchmark, with wat2wasm,
# of the package wabt.
#
#   policies-wasm/driver/build.sh           writes the .wasm files beside this script
#   policies-wasm/driver/build.sh --check   writes nothing, fails where they differ
set -eu
cd "$(dirname "$0")"
out=.
[ "${1-}" != --check ] || { out=$(mktemp -d)/driver && mkdir -p "$out/../micro" "$out"; }
for source in *.wat ../micro/*.wat; do
	module=${source%.wat}.wasm
	wat2wasm "$source" -o "$out/$module"
	[ "$out" = . ] || cmp "$out/$module" "$module" || { echo "$module is not what $source assembles to: run policies-wasm/driver/build.sh and commit" >&2; exit 1; }
done
