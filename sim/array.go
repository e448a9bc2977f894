package sim

import "unsafe"

// Make returns a slice of n zeros, as make does. It is for arrays with an element for each object
// of a trace: where they are large it asks the system for huge pages, because their elements are
// accessed in no order, and with pages of 4 KiB most accesses would miss the processor's cache of
// page addresses, too.
func Make[T any](n int) []T { return Grown[T](n, n) }

// Grown is Make for a slice of the given length and capacity.
func Grown[T any](n, capacity int) []T {
	s := make([]T, n, capacity)
	var x T
	if size := uintptr(capacity) * unsafe.Sizeof(x); size >= hugeFrom {
		adviseHuge(unsafe.Pointer(unsafe.SliceData(s)), size)
	}
	return s
}

// hugeFrom is how many bytes an array has of which some are sure to be whole huge pages.
const hugeFrom = 4 << 20
