#!/bin/sh
# Assembles the modules of the micro benchmark that are written by hand, with
# wat2wasm, of the package wabt. guests/build.sh builds micro.wasm.
#
#   policies-wasm/micro/build.sh           writes the .wasm files beside this script
#   policies-wasm/micro/build.sh --check   writes nothing, fails where they differ
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for source in *.wat; do
	module=${source%.wat}.wasm
	wat2wasm "$source" -o "$work/$module"
	if [ "${1-}" = --check ]; then
		cmp "$work/$module" "$module" || { echo "$module is not what its source assembles to: run policies-wasm/micro/build.sh and commit" >&2; exit 1; }
	else
		cp "$work/$module" "$module"
	fi
done
