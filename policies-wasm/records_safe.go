//go:build safe

package wasm

import (
	"encoding/binary"

	"cachesim/sim"
)

// copyRecords writes requests into guest memory field by field.
func copyRecords(dst []byte, reqs []sim.Request) {
	for i, r := range reqs {
		b := dst[16*i : 16*i+16]
		binary.LittleEndian.PutUint32(b, r.ID)
		binary.LittleEndian.PutUint32(b[4:], r.Time)
		binary.LittleEndian.PutUint64(b[8:], uint64(r.Size))
	}
}

// copyOutcomes reads bytes that are all 0 or 1.
func copyOutcomes(hit []bool, b []byte) {
	for i, o := range b {
		hit[i] = o == 1
	}
}
