//go:build !linux

package sim

import "unsafe"

// adviseHuge does nothing: other systems have no such advice, or need none.
func adviseHuge(unsafe.Pointer, uintptr) {}
