//go:build !unsafecall

package wasm

// tracesWasmer is whether wasmer says in which function a trap was.
const tracesWasmer = true
