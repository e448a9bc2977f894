package engines

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"cachesim/policies-wasm/wattest"
)

// TestLargeModule compiles a large module several times, on each engine. It answers
// and traps in the same way each time, beside instances of it and after them. wasmer
// and wazero compile it once, and say later how long that took.
func TestLargeModule(t *testing.T) {
	large := func(answer int) []byte {
		return wattest.Assemble(t, fmt.Sprintf(`(module (memory (export "memory") 4) (data (i32.const 0) "%s")
			(func (export "answer") (result i32) (loop) i32.const %d)
			(func $inner (param i32) (if (local.get 0) (then unreachable)))
			(func (export "trap") (param i32) (call $inner (local.get 0))))`, strings.Repeat("x", largeModule), answer))
	}
	modules := [][]byte{large(7), large(8)}
	for _, name := range Names(true) {
		e, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		var took [4]time.Duration
		var traps [4]error
		var ends []func()
		for i, which := range []int{0, 1, 0, 0} {
			var m Module
			m, took[i], err = e.Compile(context.Background(), modules[which], Options{Stoppable: true})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			inst, err := m.Instantiate(nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			answer, err := inst.Function("answer")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			stack := []uint64{0}
			if err := answer.Call(stack); err != nil || stack[0] != uint64(7+which) {
				t.Errorf("%s: the answer is %d, %v, want %d", name, stack[0], err, 7+which)
			}
			if i > 0 && i < 3 { // the first and the last run beside each other
				inst.Close()
				m.Close()
				continue
			}
			ends = append(ends, inst.Close, m.Close)
			trap, err := inst.Function("trap")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if traps[i] = trap.Call([]uint64{1}); traps[i] == nil {
				t.Errorf("%s: it does not trap", name)
			}
		}
		if !reflect.DeepEqual(traps[0], traps[3]) {
			t.Errorf("%s: the trap is %#v, it was %#v", name, traps[3], traps[0])
		}
		if (e.Runtime == "wasmer" || e.Runtime == "wazero") && (took[2] != took[0] || took[3] != took[0]) {
			t.Errorf("%s: it took %v, %v, %v to compile the same module", name, took[0], took[2], took[3])
		}
		for _, end := range ends {
			end()
		}
	}
}
