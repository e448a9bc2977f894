#!/bin/sh
# Builds libwasmer with Singlepass, Cranelift and LLVM, once, into a cache folder
# outside the repository, and prints that folder. A build that is whole is found
# again by the hash of what it is made from; one that is not is made anew.
#
#   policies-wasm/engines/libwasmer/build.sh          builds if need be, prints the folder
#   policies-wasm/engines/libwasmer/build.sh --env    prints the settings for go instead
set -eu
cd "$(dirname "$0")"
cache=${CACHESIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cachesim}
key=$(cat Cargo.toml Cargo.lock shim.c | sha256sum | cut -c1-16)
dir=$cache/libwasmer-$key

say() { echo "libwasmer: $*" >&2; }

# The crates need a cargo newer than Debian 12's own. Its security archive has
# one, which cannot be installed beside that: unpack it into the cache.
cargo_command() {
	version=$(cargo --version 2>/dev/null | sed 's/^cargo 1\.\([0-9]*\).*/\1/')
	if [ "${version:-0}" -ge 89 ]; then
		echo cargo
		return
	fi
	rust=$cache/rust
	if [ ! -x "$rust/usr/bin/cargo" ]; then
		say "unpacking Debian's newer cargo"
		apt-get update -qq >&2 || true
		std=$(apt-cache depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p')
		parts="cargo-web rustc-web libstd-rust-web-dev $std"
		../../../.ci/packages $(apt-cache depends $parts | sed -n 's/^ *Depends: \([a-z0-9.+-]*\)$/\1/p' | grep -v rust | sort -u)
		rm -rf "$rust.new" && mkdir -p "$rust.new"
		(cd "$rust.new" && apt-get download -qq $parts >&2 && for d in *.deb; do dpkg -x "$d" .; done && rm -f ./*.deb)
		mv "$rust.new" "$rust"
	fi
	lib=$(dirname "$(find "$rust/usr/lib" -name 'librustc_driver-*.so' | head -n 1)")
	echo "env LD_LIBRARY_PATH=$lib RUSTC=$rust/usr/bin/rustc $rust/usr/bin/cargo"
}

build() {
	[ "$(uname -s)" = Linux ] && command -v dpkg-query >/dev/null || {
		say "this build is for Debian; see docs/ARCHITECTURE.md for what it needs elsewhere"
		exit 1
	}
	../../../.ci/packages llvm-15-dev zlib1g-dev libzstd-dev libxml2-dev libffi-dev libtinfo-dev
	cargo=$(cargo_command)
	say "building with $($cargo --version), some minutes, once"
	# wasmer-c-api wants a target folder of that name. It is kept out of the
	# finished folder, which appears whole or not at all.
	CARGO_TARGET_DIR=$cache/libwasmer-build/target LLVM_SYS_150_PREFIX=/usr/lib/llvm-15 $cargo build --quiet --release --locked >&2
	new=$dir.new
	rm -rf "$new" "$dir"
	mkdir -p "$new"
	# It is a dependency's cdylib, so cargo leaves it among the dependencies.
	cp "$(ls -t "$cache"/libwasmer-build/target/release/deps/libwasmer-*.so | head -n 1)" "$new/libwasmer.so"
	${CC:-cc} -O2 -fPIC -shared -Wl,-soname,libwasmershim.so -o "$new/libwasmershim.so" shim.c
	(cd "$new" && sha256sum libwasmer.so libwasmershim.so >SHA256SUMS)
	mv "$new" "$dir"
	rm -rf "$cache/libwasmer-build"
}

(cd "$dir" 2>/dev/null && sha256sum --status -c SHA256SUMS 2>/dev/null) || build

if [ "${1-}" = --env ]; then
	module=$(cd ../.. && go mod download github.com/wasmerio/wasmer-go >&2 && go list -m -f '{{.Dir}}' github.com/wasmerio/wasmer-go)
	include=$module/wasmer/packaged/include
	echo "CGO_CFLAGS='-I$include' CGO_LDFLAGS='-L$dir -Wl,-rpath,$dir -lwasmer -lwasmershim' GOFLAGS='-tags=custom_wasmer_runtime'"
else
	echo "$dir"
fi
