//go:build cgo && (linux || darwin) && unsafecall

package engines

import "github.com/wasmerio/wasmer-go/wasmer"

// newWasmerFunction binds a function for calling past wasmer-go.
func newWasmerFunction(i *wasmerInstance, f *wasmer.Function) Function {
	if d, ok := newDirectFunction(i, f); ok {
		return d
	}
	return newBoxedFunction(i, f)
}

const callPath = "unsafe"
