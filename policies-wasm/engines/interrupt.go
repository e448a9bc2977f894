package engines

import (
	"fmt"

	"cachesim/policies-wasm/module"
)

// What module.Interruptible adds to a module, for runtimes that cannot stop a
// loop at a price that a policy can pay. No compiler of a policy makes such names.
const (
	stopExport  = "cachesim stop"
	startExport = "cachesim start"
)

// interruptible is how a compiled module can be stopped.
type interruptible struct {
	stops  bool // its loops look at the global stopExport
	starts bool // its start function is to be called as startExport
}

// interrupt returns the module with loops that look whether they are to stop, or
// as it is where its code is beyond us. yield is for runtimes written in Go.
func interrupt(m *module.Module, yield bool) (*module.Module, interruptible, error) {
	b, starts, err := m.Interruptible(stopExport, startExport, yield)
	if err != nil {
		return m, interruptible{}, nil
	}
	changed, err := module.Parse(b)
	if err != nil {
		return m, interruptible{}, fmt.Errorf("with loops that can be stopped: %w", err)
	}
	return changed, interruptible{true, starts}, nil
}

// start calls the start function of an instance that is ready to be stopped.
func (i interruptible) start(inst Instance) error {
	if !i.starts {
		return nil
	}
	f, err := inst.Function(startExport)
	if err != nil {
		return err
	}
	return f.Call(make([]uint64, 1))
}
