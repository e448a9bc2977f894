package wasm

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// The guests are built from the Rust sources beside them by guests/build.sh.
//
//go:embed guests/*.wasm
var guests embed.FS

// Builtin returns the guest of a policy that cachesim brings along.
func Builtin(policy string) (*Binary, bool) {
	b, err := guests.ReadFile("guests/" + policy + ".wasm")
	if err != nil {
		return nil, false
	}
	m, err := NewBinary(policy, b)
	if err != nil {
		panic("embedded guest " + policy + ": " + err.Error())
	}
	m.StoresMisses = !m.Exports("admissions", "() -> i64")
	return m, true
}

// Builtins names the policies that have a guest.
func Builtins() []string {
	files, _ := fs.Glob(guests, "guests/*.wasm")
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".wasm")
	}
	return files
}
