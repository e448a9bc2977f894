//go:build !cgo || !linux

package engines

func clibEngines() []Engine {
	return []Engine{{Name: "wasmtime", Runtime: "wasmtime", Missing: needsCgo}}
}
