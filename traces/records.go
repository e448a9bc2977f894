//go:build !safe && (386 || amd64 || arm || arm64 || loong64 || mipsle || mips64le || ppc64le || riscv64 || wasm)

package traces

import (
	"unsafe"

	"cachesim/sim"
)

// A cell is an element of a column: it has no padding, and on little-endian
// machines its memory is what the file has. The tag safe builds the twin of
// this file, which is for all others, too.
type cell interface {
	sim.Request | sim.Op | uint32 | uint64
}

// encode returns v as it is in a file: the memory of v itself.
func encode[T cell](v []T) []byte {
	var x T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(x)))
}

// decodeFrom fills dst with what read fills a slice of bytes with.
func decodeFrom[T cell](dst []T, read func([]byte) error) error { return read(encode(dst)) }
