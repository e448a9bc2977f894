#!/bin/sh
# Assembles the modules that stand between host and policy with wat2wasm, of the
# package wabt. Two sources give two modules each: lines marked ";;time" are part
# of the second module only, and "(result i32) ;;outcome" is not.
#
#   policies-wasm/adapters/build.sh           writes the .wasm files beside this script
#   policies-wasm/adapters/build.sh --check   writes nothing, fails where they differ
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp ./*.wat "$work"
sed 's/^;;time//' loop.wat >"$work/loop-time.wat"
sed 's/ (result i32) ;;outcome//' bytes.wat >"$work/bytes-void.wat"
for source in "$work"/*.wat; do
	module=$(basename "$source" .wat).wasm
	wat2wasm "$source" -o "$work/$module"
	if [ "${1-}" = --check ]; then
		cmp "$work/$module" "$module" || { echo "$module is not what its source assembles to: run policies-wasm/adapters/build.sh and commit" >&2; exit 1; }
	else
		cp "$work/$module" "$module"
	fi
done
