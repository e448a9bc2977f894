package sim

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of the huge pages of most processors.
const hugePage = 2 << 20

// adviseHuge asks for huge pages for the whole ones between p and p+size. A system that has none
// refuses, which changes nothing but the time.
func adviseHuge(p unsafe.Pointer, size uintptr) {
	skip := -uintptr(p) & (hugePage - 1)
	if size < skip+hugePage {
		return
	}
	inner := (size - skip) &^ (hugePage - 1)
	syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(p, skip)), inner), syscall.MADV_HUGEPAGE)
}
