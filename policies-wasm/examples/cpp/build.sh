#!/bin/sh
# Builds fifo.wasm, in the folder given or in this one. It needs clang and lld (Debian's
# packages of those names). Beside the other examples kit.h is that of C.
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
cd "$(dirname "$0")"
${CXX:-clang++} --target=wasm32 -std=c++17 -O3 -ffreestanding -nostdlib -fno-exceptions -fno-rtti -Wall -I ../c \
	-Wl,--no-entry -o "$out/fifo.wasm" policy.cpp
