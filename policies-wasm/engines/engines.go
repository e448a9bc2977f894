package engines

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cachesim/sim"
)

// An Engine is a compiler, or an interpreter, of a WebAssembly runtime.
type Engine struct {
	Name    string
	Runtime string // the project that it belongs to
	Version string // of that runtime
	Library string // file that it was loaded from
	// Interpreter tells that it takes microseconds where others take
	// nanoseconds.
	Interpreter bool
	// Preference is lower for an engine that is preferred to run a module where
	// the user names none: what counts is how long a whole trace takes, with
	// compiling (docs/RATIONALE.md).
	Preference int
	// NoHost is empty where modules can call functions of the host; otherwise it
	// says why a module that imports some cannot run.
	NoHost string
	// Missing is empty where the engine is in this build; otherwise it says
	// how to get it.
	Missing string

	compiler compiler
}

// All lists the engines that cachesim knows, in the order in which they are
// shown.
func All() []Engine {
	return slices.Concat(wasmerEngines(), wazeroEngines(), clibEngines())
}

// Names returns the names of the engines, of those in this build only where
// available is set.
func Names(available bool) []string {
	var names []string
	for _, e := range All() {
		if e.Missing == "" || !available {
			names = append(names, e.Name)
		}
	}
	return names
}

// Named finds an engine. An error says what is known, or how to get it.
func Named(name string) (Engine, error) {
	for _, e := range All() {
		if e.Name != name {
			continue
		}
		if e.Missing != "" {
			return Engine{}, fmt.Errorf("engine %s: %s", name, e.Missing)
		}
		return e, nil
	}
	return Engine{}, fmt.Errorf("unknown engine %q%s", name, sim.DidYouMean(name, Names(false)))
}

// Compile makes a module ready to be instantiated, and says how long compiling
// takes, which may have been measured at an earlier time. The module, which is
// not nil even when there is an error, must be closed.
//
// When ctx ends, what runs in the module's instances is stopped with an error.
// wasmer and wazero can do that only in code that was made stoppable: what loops
// there indefinitely otherwise is left to do so when nothing else needs the
// processor.
func (e Engine) Compile(ctx context.Context, b []byte, o Options) (Module, time.Duration, error) {
	return e.compiler.compile(ctx, b, o)
}

// A Trap is how a call into a guest ends when it does not return.
type Trap struct {
	Text     string
	Function int    // number in the module of the function that trapped; -1: not known
	Name     string // of that function, where the runtime knows no number
}

func (t *Trap) Error() string { return t.Text }

// Options of compiling.
type Options struct {
	Stoppable bool // see Compile; loops take a little longer
	Anew      bool // even where the compiled module was kept
	Keep      bool // compiled, for the next time in this process; large modules are in any case
}
