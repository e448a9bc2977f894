// Package engines runs WebAssembly modules on the engines of several runtimes.
// runtime.go is what callers ask of a runtime; each runtime is one file behind
// it.
package engines

import (
	"context"
	"time"

	"cachesim/policies-wasm/module"
)

// A compiler makes modules ready to run. One compiler may compile and run many
// modules in parallel.
type compiler interface {
	// compile makes b ready to be instantiated, and says how long compiling
	// takes, which may have been measured at an earlier time. The module, which
	// is not nil even when there is an error, owns what it needs until it is
	// closed.
	//
	// See Engine.Compile for ctx and the options.
	compile(ctx context.Context, b []byte, o Options) (Module, time.Duration, error)
}

// A Module is compiled code. It makes instances that live in one store, so that
// they can import from each other. It is closed by the goroutine that had it
// compiled.
type Module interface {
	// Instantiate runs the module's start function, if it has one. imports
	// gives what it imports, by module and name.
	Instantiate(imports map[ImportName]Provider) (Instance, error)
	// Sibling compiles another module into the same store.
	Sibling(b []byte) (Module, error)
	// Close frees the module and the store. Its instances must be closed.
	Close()
}

// ImportName is what a module calls something that it imports.
type ImportName struct{ Module, Name string }

// A Provider is the other side of an import: an export of an instance, or a
// function of the host.
type Provider struct {
	Instance Instance
	Export   string
	Host     *HostFunction
}

// A HostFunction is called with its arguments on stack, which has at least one
// element, and leaves its result at stack's start.
type HostFunction struct {
	Sig  module.Signature
	Call func(stack []uint64)
}

// An Instance is not for use by several goroutines at once. It keeps everything
// reachable that a call into it needs.
type Instance interface {
	// Function and Memory look an export up by name, each time anew. The name
	// is one of an exported function or memory.
	Function(name string) (Function, error)
	Memory(name string) (Memory, error)
	Close()
}

// A Function calls into its guest. stack holds the arguments as raw 64-bit words
// (i32 zero-extended) and afterwards, from its start, the results. An error is a
// trap.
type Function interface {
	Call(stack []uint64) error
}

// Boxed is a Function of a runtime that takes arguments as Go values. They are
// int32, int64 and float64, and so is the result.
type Boxed interface {
	Boxed() func(args ...any) (any, error)
}

// Layered is a Function of a runtime in C. Its calls can be made without the outer
// layers, to measure those.
type Layered interface {
	// Unboxed leaves out the runtime's Go package: a call is one crossing into
	// C and what lies behind it. It returns false where it cannot.
	Unboxed() (Function, bool)
	// Repeat leaves out the crossings: it calls n times without coming back
	// from C, always with the same arguments.
	Repeat(stack []uint64, n int) error
}

// A Memory lends its bytes until the next call into the guest, which may grow
// and so move it.
type Memory interface {
	Bytes() []byte
}
