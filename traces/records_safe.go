//go:build safe || !(386 || amd64 || arm || arm64 || loong64 || mipsle || mips64le || ppc64le || riscv64 || wasm)

package traces

import (
	"bytes"
	"encoding/binary"

	"cachesim/sim"
)

// A cell is an element of a column.
type cell interface {
	sim.Request | sim.Op | uint32 | uint64
}

// encode returns v as it is in a file.
func encode[T cell](v []T) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err) // cells have fixed sizes
	}
	return b
}

// decodeFrom fills dst with what read fills a slice of bytes with.
func decodeFrom[T cell](dst []T, read func([]byte) error) error {
	b := make([]byte, binary.Size(dst))
	if err := read(b); err != nil {
		return err
	}
	return binary.Read(bytes.NewReader(b), binary.LittleEndian, dst)
}
