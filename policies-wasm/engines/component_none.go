//go:build !cgo || !linux

package engines

import "errors"

// A Component is an instance of a component of the component model, which Wasmtime
// calls with component values.
type Component struct{}

// OpenComponent fails: this build has no Wasmtime.
func OpenComponent([]byte) (*Component, error) { return nil, errors.New("wasmtime: " + needsCgo) }

// Close does nothing.
func (c *Component) Close() {}

// Function fails.
func (c *Component) Function(exported, name, params string, result byte) (*ComponentFunction, error) {
	return nil, errors.New("wasmtime: " + needsCgo)
}

// A ComponentFunction is called through the canonical ABI.
type ComponentFunction struct{}

// Call fails.
func (f *ComponentFunction) Call([]uint64) error { return errors.New("wasmtime: " + needsCgo) }
