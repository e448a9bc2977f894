package wasm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cachesim/policies-wasm/module"
)

// A Binary is a WASM module, which need not be a policy.
type Binary struct {
	Name   string // base name of its file without .wasm
	SHA256 string // in hex, of the file
	Bytes  []byte // of the module; of a component those of its core module

	// StoresMisses says that the policy stores every object that it misses, as
	// its native version does. Of a module from a file that is not known.
	StoresMisses bool

	module *module.Module // nil: the bytes are not a module
	err    error          // why they are not
}

// Err returns why the bytes are not a module, nil where they are.
func (m *Binary) Err() error { return m.err }

// Exports reports whether the module exports a function with that signature,
// written as "(i32, i64) -> i32".
func (m *Binary) Exports(function, sig string) bool {
	return m.module != nil && m.module.Has(function, sig)
}

// ExportsMemory reports whether the module exports a memory of that name.
func (m *Binary) ExportsMemory(name string) bool {
	return m.module != nil && m.module.Exports[name].Kind == module.KindMemory
}

// Memory returns how many bytes the module's memory starts with and may grow to, 0
// where it does not say; ok is false where it has none of its own.
func (m *Binary) Memory() (first, most uint64, ok bool) {
	first, most, ok = m.module.Memory()
	return first * module.PageSize, most * module.PageSize, ok
}

// Imports returns what the module imports.
func (m *Binary) Imports() []module.Import { return m.module.Imports }

// ReadFile reads a module from a file.
func ReadFile(path string) (*Binary, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	return NewBinary(strings.TrimSuffix(filepath.Base(path), ".wasm"), b)
}

// NewBinary reads a module from bytes, which it keeps. They may be a component of
// one core module. Where they are not a
// module, it returns an error, and a Binary that has a name and a hash only.
func NewBinary(name string, b []byte) (*Binary, error) {
	sum := sha256.Sum256(b)
	m := &Binary{Name: name, SHA256: hex.EncodeToString(sum[:]), Bytes: b}
	core, err := coreModule(b)
	if err != nil {
		m.err = err
		return m, err
	}
	m.Bytes = core
	m.module, m.err = module.Parse(core)
	return m, m.err
}
