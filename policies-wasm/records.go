//go:build !safe

package wasm

import (
	"unsafe"

	"cachesim/sim"
)

// copyRecords copies requests into guest memory as they are: sim.Request has
// the layout of the guest's record, and every host that the engines support is
// little-endian, as WebAssembly is. The tag safe builds its twin.
func copyRecords(dst []byte, reqs []sim.Request) {
	copy(dst, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(reqs))), len(reqs)*int(unsafe.Sizeof(sim.Request{}))))
}

// copyOutcomes copies bytes that are all 0 or 1, which is what a bool is in
// memory.
func copyOutcomes(hit []bool, b []byte) {
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(hit))), len(hit)), b)
}
