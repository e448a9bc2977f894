package wasm

import "time"

// What a runtime gives. The calling conventions know nothing else of it, so
// that a runtime is one file and one line in engines.

// An engine compiles modules. One engine may compile and run many modules in
// parallel.
type engine interface {
	// compile makes b ready to be instantiated, and says how long compiling
	// takes, which may have been measured at an earlier time. The module, which
	// is not nil even when there is an error, owns what it needs until it is
	// closed.
	compile(b []byte) (module, time.Duration, error)
}

// A module is compiled code. It makes instances that live in one store, so that
// they can import from each other.
type module interface {
	// instantiate runs the module's start function, if it has one. imports
	// gives what it imports, by module and name.
	instantiate(imports map[importName]provider) (instance, error)
	// sibling compiles another module into the same store.
	sibling(b []byte) (module, error)
	// close frees the module and the store. Its instances must be closed.
	close()
}

type importName struct{ module, name string }

// A provider is the other side of an import: an export of an instance, or a
// function of the host.
type provider struct {
	instance instance
	export   string
	host     *hostFunction
}

// A hostFunction is called with its arguments on stack, which has at least one
// element, and leaves its result at stack's start.
type hostFunction struct {
	sig  signature
	call func(stack []uint64)
}

// An instance is not for use by several goroutines at once. It keeps everything
// reachable that a call into it needs.
type instance interface {
	// function and memory look an export up by name, each time anew. The name
	// is one of an exported function or memory.
	function(name string) (function, error)
	memory(name string) (memory, error)
	close()
}

// A function calls into its guest. stack holds the arguments as raw 64-bit words
// (i32 zero-extended) and afterwards, from its start, the results. An error is a
// trap.
type function interface {
	call(stack []uint64) error
}

// A memory lends its bytes until the next call into the guest, which may grow
// and so move it.
type memory interface {
	bytes() []byte
}
