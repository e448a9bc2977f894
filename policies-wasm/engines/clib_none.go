//go:build !cgo || !linux

package engines

func clibEngines() []Engine {
	return []Engine{
		{Name: "wasmtime", Runtime: "wasmtime", Missing: needsCgo},
		{Name: "wamr", Runtime: "wamr", Interpreter: true, Missing: needsCgo},
	}
}

// needsCgo says of an engine that is a C library why it is missing.
const needsCgo = "it is a C library that this build does not have: cgo on Linux has all, on macOS wasmer's, and wazero runs in every build"
