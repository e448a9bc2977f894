//go:build !unsafecall

package wasm

import "github.com/wasmerio/wasmer-go/wasmer"

// newWasmerFunction binds a function for calling through wasmer-go's public
// interface. The tag unsafecall builds a twin that goes around it.
func newWasmerFunction(i *wasmerInstance, f *wasmer.Function) function { return newBoxedFunction(i, f) }

// callPath names the way in which calls reach libwasmer.
const callPath = "safe"
