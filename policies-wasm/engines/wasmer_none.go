//go:build !cgo || !(linux || darwin)

package engines

func wasmerEngines() []Engine {
	var list []Engine
	for _, name := range []string{"singlepass", "cranelift", "llvm"} {
		list = append(list, Engine{Name: name, Runtime: "wasmer", Missing: needsCgo})
	}
	return list
}
