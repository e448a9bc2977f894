//go:build cgo && (linux || darwin) && !unsafecall

package engines

import "github.com/wasmerio/wasmer-go/wasmer"

// newWasmerFunction binds a function for calling through wasmer-go's public
// interface. The tag unsafecall builds a twin that goes around it.
func newWasmerFunction(i *wasmerInstance, f *wasmer.Function) Function { return newBoxedFunction(i, f) }

const callPath = "safe"
