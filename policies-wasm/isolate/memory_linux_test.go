package isolate

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	wasm "cachesim/policies-wasm"
	"cachesim/sim"
)

// TestOutOfMemory limits the memory of a guest's process, so that its runtime, and
// not the guest, fails to get some: that of Go ends its process then, for want of memory or of a thread.
func TestOutOfMemory(t *testing.T) {
	grows := module(t, `(module (memory (export "memory") 1) (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32)
		(drop (memory.grow (i32.const 16384))) i32.const 0))`)
	g, err := open(t, t.Context(), wasm.Config{Config: sim.Config{Capacity: 10, Objects: 10}, Version: pair("wazero"), Binary: grows, Memory: 4 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(g.cmd.Process.Pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}, nil); err != nil {
		t.Fatal(err)
	}
	err = g.Replay(sim.Batch{Requests: []sim.Request{{Size: 1}}}, make([]bool, 1))
	if err == nil || !strings.Contains(err.Error(), "requests 1 to 1: the guest's process died (") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}
