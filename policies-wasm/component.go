package wasm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The exports of WIT's interface in policies-wasm/wit, by their canonical names.
// Numbers and booleans are flattened to core values, so that a call of the
// component is one of the core module that it is made of (WebAssembly component
// model, Canonical ABI, "Flattening").
const (
	witInterface = "cachesim:policy/policy@1.0.0"
	witInit      = witInterface + "#init"
	witSend      = witInterface + "#send"
)

// componentPreamble starts a component: the version is 13, the layer 1.
var componentPreamble = []byte("\x00asm\x0d\x00\x01\x00")

// coreModule returns the only core module of a component, and what is not a
// component as it is. Its exports then have the canonical names; what the component
// adds, types and adapters of them, is not needed to call it.
func coreModule(b []byte) ([]byte, error) {
	if !bytes.HasPrefix(b, componentPreamble) {
		return b, nil
	}
	const sectionCoreModule, sectionComponent = 1, 4
	var core []byte
	for at := len(componentPreamble); at < len(b); {
		id := b[at]
		size, n := binary.Uvarint(b[at+1:])
		at += 1 + n
		if n <= 0 || n > 5 || size > uint64(len(b)-at) {
			return nil, errors.New("malformed component: a section goes beyond the end")
		}
		content := b[at : at+int(size)]
		at += int(size)
		switch {
		case id == sectionComponent:
			return nil, errors.New("a component with components in it: cachesim takes those of one core module; build it for wasm32-unknown-unknown, without WASI")
		case id != sectionCoreModule:
		case core != nil:
			return nil, errors.New("a component of several core modules: cachesim takes those of one; build it for wasm32-unknown-unknown, without WASI")
		default:
			core = content
		}
	}
	if core == nil {
		return nil, fmt.Errorf("a component without a core module: it cannot export %s", witInterface)
	}
	return core, nil
}
