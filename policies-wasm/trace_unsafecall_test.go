//go:build unsafecall

package wasm

// tracesWasmer is whether wasmer says in which function a trap was: calls past
// wasmer-go do not ask for it.
const tracesWasmer = false
