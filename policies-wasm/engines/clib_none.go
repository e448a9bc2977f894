//go:build !cgo || !linux

package engines

func clibEngines() []Engine {
	return []Engine{
		{Name: "wasmtime", Runtime: "wasmtime", Missing: needsCgo},
		{Name: "wamr", Runtime: "wamr", Interpreter: true, Missing: needsCgo},
	}
}
