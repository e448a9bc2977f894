package wasm

import (
	"fmt"

	"github.com/wasmerio/wasmer-go/wasmer"

	"cachesim/sim"
)

// An Engine is a compiler, or an interpreter, of a WebAssembly runtime.
type Engine struct {
	Name    string
	Runtime string // the project that it belongs to
	Version string // of that runtime
	Library string // file that it was loaded from
	// Missing is empty where the engine is in this build; otherwise it says
	// how to get it.
	Missing string

	engine engine
}

// Engines lists the engines that cachesim knows, in the order in which they are
// shown.
func Engines() []Engine {
	list := []Engine{
		{Name: "singlepass", engine: wasmerEngine{wasmer.SINGLEPASS}},
		{Name: "cranelift", engine: wasmerEngine{wasmer.CRANELIFT}},
		{Name: "llvm", engine: wasmerEngine{wasmer.LLVM}},
	}
	for i := range list {
		list[i].Runtime = "wasmer"
		list[i].Version = wasmerVersion()
		if callPath != "safe" {
			list[i].Version += ", " + callPath + " calls"
		}
		list[i].Library = wasmerFile()
		if !wasmer.IsCompilerAvailable(list[i].engine.(wasmerEngine).compiler) {
			list[i].Missing = "it is not in the libwasmer of this build: `make build` makes one that has it"
		}
	}
	return list
}

// EngineNames returns the names of the engines, of those in this build only
// where available is set.
func EngineNames(available bool) []string {
	var names []string
	for _, e := range Engines() {
		if e.Missing == "" || !available {
			names = append(names, e.Name)
		}
	}
	return names
}

func engineNamed(name string) (engine, error) {
	for _, e := range Engines() {
		if e.Name != name {
			continue
		}
		if e.Missing != "" {
			return nil, fmt.Errorf("engine %s: %s", name, e.Missing)
		}
		return e.engine, nil
	}
	return nil, fmt.Errorf("unknown engine %q%s", name, sim.DidYouMean(name, EngineNames(false)))
}
