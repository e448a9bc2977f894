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
	cores, err := coreModules(nil, b, 0)
	if err != nil {
		return nil, err
	}
	switch len(cores) {
	case 0:
		return nil, fmt.Errorf("a component without a core module: it cannot export %s", witInterface)
	case 1:
		return cores[0], nil
	}
	return nil, fmt.Errorf("a component of %d core modules: cachesim takes those of one; build it for wasm32-unknown-unknown, without WASI", len(cores))
}

// coreModules appends the core modules of a component to cores, with those of the
// components in it: tools write one, without a module, to name an interface's types.
func coreModules(cores [][]byte, b []byte, depth int) ([][]byte, error) {
	const sectionCoreModule, sectionComponent = 1, 4
	malformed := errors.New("malformed component: a section goes beyond the end")
	if depth > 100 { // tools write two levels; the stack is not without end
		return nil, errors.New("a component with more than 100 levels of components in it")
	}
	if !bytes.HasPrefix(b, componentPreamble) {
		return nil, errors.New("malformed component: what it has inside is not a component")
	}
	for at := len(componentPreamble); at < len(b); {
		id := b[at]
		size, n := binary.Uvarint(b[at+1:])
		at += 1 + n
		if n <= 0 || n > 5 || size > uint64(len(b)-at) {
			return nil, malformed
		}
		content := b[at : at+int(size)]
		at += int(size)
		var err error
		switch id {
		case sectionCoreModule:
			cores = append(cores, content)
		case sectionComponent:
			cores, err = coreModules(cores, content, depth+1)
		}
		if err != nil {
			return nil, err
		}
	}
	return cores, nil
}
