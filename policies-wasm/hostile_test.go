package wasm

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
)

// TestHostileModules runs guests that do what they should not: each is one clear
// error, and the process lives on.
func TestHostileModules(t *testing.T) {
	pair := func(body string) string {
		return `(module (memory (export "memory") 1)
			(func $again (export "again") (param i32) (result i32) (i32.add (i32.const 1) (call $again (local.get 0))))
			(func (export "init") (param i64))
			(func (export "stats") (result i64) i64.const 0)
			(func (export "send") (param i32 i64) (result i32) ` + body + `))`
	}
	memory := func(alloc, body string) string {
		return `(module (memory (export "memory") 1)
			(func (export "init") (param i64))
			(func (export "alloc") (param i32) (result i64) ` + alloc + `)
			(func (export "send_bytemuck") (param i32 i32) (result i32) i32.const 0)
			(func (export "send_bytemuck_static") (param i32 i32) (result i32) i32.const 0)
			(func (export "replay") (param i32 i32 i32) ` + body + `))`
	}
	tests := []struct {
		name, wat string
		abis      []string
		want      string // part of the error
	}{
		{"traps", pair("unreachable"), []string{Pair}, "unreachable"},
		{"divides by zero", pair("(i32.div_u (i32.const 1) (i32.const 0))"), []string{Pair}, "divide by zero"},
		{"overflows its stack", pair("(call $again (i32.const 0))"), []string{Pair}, "stack"},
		{"writes outside its memory", pair("(i32.store (i32.const 70000) (i32.const 1)) (i32.const 0)"), []string{Pair}, "out of bounds"},
		{"returns 2", pair("(i32.const 2)"), []string{Pair}, "impossible outcome"},
		{"returns 256", pair("(i32.const 256)"), []string{Pair}, "impossible outcome"},
		{"returns -1", pair("(i32.const -1)"), []string{Pair}, "impossible outcome"},
		{"grows until it cannot", pair("(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable"), []string{Pair}, "unreachable"},
		{"traps in init", `(module (func (export "init") (param i64) unreachable) (func (export "send") (param i32 i64) (result i32) i32.const 0))`, []string{Pair}, "init: "},
		{"traps at start", `(module (func $s unreachable) (start $s) (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 0))`, []string{Pair}, "instantiate: "},
		{"no counts", `(module (func (export "init") (param i64)) (func (export "stats") (result i64) i64.const 0) (func (export "send") (param i32 i64)))`, []string{Pair}, "impossible outcome"},
		{"alloc traps", memory("unreachable", ""), []string{Bytemuck, BytemuckStatic, Batch}, "unreachable"},
		{"alloc gives what is not there", memory("(i64.const 0x7fffffff00000010)", ""), []string{Bytemuck, BytemuckStatic, Batch}, "outside its memory|out of bounds"},
		{"alloc gives the last bytes", memory("(i64.const 0x0000fff800000010)", ""), []string{Bytemuck, BytemuckStatic, Batch}, "outside its memory|out of bounds"},
		{"batch outcome 7", memory("(i64.const 0x10)", "(i32.store8 (local.get 2) (i32.const 7))"), []string{Batch}, "impossible outcome|outside its memory"},
		{"batch traps", memory("(i64.const 0x10)", "unreachable"), []string{Batch}, "unreachable|outside its memory"},
	}
	for _, tt := range tests {
		m := assemble(t, tt.name, tt.wat)
		for _, engine := range engines.Names(true) {
			for _, abi := range tt.abis {
				for _, handle := range Handles {
					if !Combines(abi, handle) {
						continue
					}
					t.Run(strings.Join([]string{tt.name, engine, abi, handle}, "/"), func(t *testing.T) {
						r, err := tryOpen(m, engine, abi, handle)
						if err == nil {
							err = r.Replay(sim.Batch{Requests: []sim.Request{{ID: 0, Size: 1}, {ID: 1, Size: 1}}}, make([]bool, 2))
							r.Close()
						}
						if err == nil {
							t.Fatal("no error")
						}
						if strings.Contains(err.Error(), "\n") {
							t.Errorf("more than one line: %q", err)
						}
						for _, part := range strings.Split(tt.want, "|") {
							if strings.Contains(err.Error(), part) {
								return
							}
						}
						t.Errorf("error %q, want one with %q", err, tt.want)
					})
				}
			}
		}
	}
	// The engines still work.
	TestOriginalModules(t)
}

// TestMemoryLimit lets a guest have what it was given and no more.
func TestMemoryLimit(t *testing.T) {
	// Grows page by page and returns a hit where it got as many as the seed says.
	m := assemble(t, "grow", `(module (memory (export "memory") 2)
		(global $want (mut i32) (i32.const 0))
		(func (export "seed") (param i64) (global.set $want (i32.wrap_i64 (local.get 0))))
		(func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32)
			(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
			(i32.eq (memory.size) (global.get $want))))`)
	for _, engine := range engines.Names(true) {
		for _, pages := range []uint64{2, 3, 160} {
			r, _, err := Open(context.Background(), Config{
				Config: sim.Config{Capacity: 10, Seed: pages}, Binary: m, Version: sim.Version{Engine: engine, ABI: Pair, Handle: SRS}, Memory: int64(pages) << 16,
			})
			if err != nil {
				t.Fatal(err)
			}
			hit := make([]bool, 1)
			if err := r.Replay(sim.Batch{Requests: make([]sim.Request, 1)}, hit); err != nil || !hit[0] {
				t.Errorf("%s: a limit of %d pages gave another number (error %v)", engine, pages, err)
			}
			r.Close()
		}
		_, _, err := Open(context.Background(), Config{Binary: m, Version: sim.Version{Engine: engine, ABI: Pair, Handle: SRS}, Memory: 1 << 16})
		if err == nil || !strings.Contains(err.Error(), "--guest-memory") {
			t.Errorf("%s: a module that wants more than the limit: error %v", engine, err)
		}
	}
}

// TestTableLimit keeps tables from filling the host's memory.
func TestTableLimit(t *testing.T) {
	const rest = `(func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) `
	m := assemble(t, "tables", `(module (table $a 3 funcref) (table $b 5 10 funcref) (memory (export "memory") 1) `+rest+`
		(loop (br_if 0 (i32.ne (table.grow $a (ref.null func) (i32.const 4096)) (i32.const -1))))
		(i32.and (i32.gt_u (table.size $a) (i32.const 500000))
			(i32.and (i32.le_u (table.size $a) (i32.const 1048576))
				(i32.eq (table.grow $b (ref.null func) (i32.const 6)) (i32.const -1))))))`)
	large := assemble(t, "large table", `(module (table 2000000 funcref) `+rest+` i32.const 0))`)
	for _, engine := range engines.Names(true) {
		if engine != "singlepass" { // which has no reference types
			r := open(t, m, engine, Pair, SRS)
			hit := make([]bool, 1)
			if err := r.Replay(sim.Batch{Requests: make([]sim.Request, 1)}, hit); err != nil || !hit[0] {
				t.Errorf("%s: tables grew otherwise than they may (error %v)", engine, err)
			}
			r.Close()
		}
		if _, err := tryOpen(large, engine, Pair, SRS); err == nil || !strings.Contains(err.Error(), "table of 2000000") {
			t.Errorf("%s: a table of 2,000,000: error %v", engine, err)
		}
	}
}

// TestEndlessLoops gives up guests that loop for ever, wherever they do, and
// finishes the other cells.
func TestEndlessLoops(t *testing.T) {
	const forever = "(loop (br 0))"
	modules := map[string]*Binary{
		"in send":  assemble(t, "send", `(module (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) `+forever+` i32.const 0))`),
		"in init":  assemble(t, "init", `(module (func (export "init") (param i64) `+forever+`) (func (export "send") (param i32 i64) (result i32) i32.const 0))`),
		"at start": assemble(t, "start", `(module (func $s `+forever+`) (start $s) (func (export "init") (param i64)) (func (export "send") (param i32 i64) (result i32) i32.const 0))`),
	}
	well, _ := Builtin("lru")
	requests := &sim.Memory{Objects: 1}
	for range 100 {
		requests.Append(sim.Request{}, sim.Get, 0)
	}
	trace := &sim.Trace{Requests: 100, Objects: 1, ObjectName: func(uint32) string { return "a" }, Source: requests}
	for name, m := range modules {
		for _, engine := range onePerRuntime() {
			ended := make(chan struct{}) // of the call that loops
			tasks := []sim.Task{
				{Cell: sim.Cell{Policy: "loops", Version: sim.Version{Engine: engine, ABI: Pair, Handle: Driver}, Requests: 100, Capacity: 10}},
				{Cell: sim.Cell{Policy: "lru", Version: sim.Version{Engine: engine, ABI: Pair, Handle: Driver}, Requests: 100, Capacity: 10}},
			}
			open := func(ctx context.Context, c sim.Cell, t *sim.Trace, heartbeat func()) (sim.Replayer, sim.Setup, error) {
				b := m
				if c.Policy == "lru" {
					b = well
				}
				r, setup, err := Open(ctx, Config{Config: sim.Config{Capacity: c.Capacity, Objects: t.Objects}, Binary: b, Version: c.Version, Stoppable: true, Heartbeat: heartbeat})
				if c.Policy == "loops" {
					if err != nil {
						close(ended)
						return r, setup, err
					}
					return endingReplayer{r, ended}, setup, nil
				}
				return r, setup, err
			}
			results, failures := sim.Run(context.Background(), trace, tasks, open, sim.Options{Jobs: 1, Repeat: 1, Timeout: 300 * time.Millisecond})
			if len(failures) != 1 || failures[0].Policy != "loops" || !strings.Contains(failures[0].Err.Error(), "no progress") {
				t.Errorf("%s, %s: failures %v, want the loop's", engine, name, failures)
			}
			if len(results) != 1 || results[0].Policy != "lru" || results[0].Hits != 99 {
				t.Errorf("%s, %s: results %+v, want lru's", engine, name, results)
			}
			select {
			case <-ended:
			case <-time.After(time.Minute):
				t.Errorf("%s, %s: the guest was not stopped", engine, name)
			}
		}
	}
}

// endingReplayer tells when a replay has come back with an error.
type endingReplayer struct {
	sim.Replayer
	ended chan struct{}
}

func (r endingReplayer) Replay(b sim.Batch, hit []bool) error {
	err := r.Replayer.Replay(b, hit)
	if err != nil {
		close(r.ended)
	}
	return err
}

// onePerRuntime names an engine of each runtime in this build.
func onePerRuntime() []string {
	var names []string
	seen := make(map[string]bool)
	for _, e := range engines.All() {
		if e.Missing == "" && !seen[e.Runtime] {
			seen[e.Runtime] = true
			names = append(names, e.Name)
		}
	}
	return names
}

// TestStopped ends loops from outside: the call comes back with an error.
func TestStopped(t *testing.T) {
	// It writes a 7 into its memory when it is in the loop.
	const forever = `(i32.store8 (i32.const 196000) (i32.const 7)) (loop (br 0))`
	m := assemble(t, "loops", `(module (memory (export "memory") 3) (func (export "init") (param i64))
		(func (export "alloc") (param i32) (result i64) i64.const 0)
		(func (export "send") (param i32 i64) (result i32) `+forever+` i32.const 0)
		(func (export "replay") (param i32 i32 i32) `+forever+`))`)
	for _, engine := range engines.Names(true) {
		for _, v := range []struct{ abi, handle string }{{Pair, SRS}, {Pair, Driver}, {Batch, SRS}} {
			ctx, cancel := context.WithCancel(context.Background())
			r, _, err := Open(ctx, Config{Config: sim.Config{Capacity: 10}, Binary: m, Version: sim.Version{Engine: engine, ABI: v.abi, Handle: v.handle}, Stoppable: true})
			if err != nil {
				t.Fatal(err)
			}
			memory := r.(*guest).memoryBytes()
			go func() {
				// The interpreter's guest writes in Go: reading along would be a race.
				for engine != "wazero-interpreter" && memory[196000] != 7 {
					runtime.Gosched()
				}
				cancel()
			}()
			if err := r.Replay(sim.Batch{Requests: make([]sim.Request, 1)}, make([]bool, 1)); err == nil {
				t.Errorf("%s/%s/%s: the loop ended without an error", engine, v.abi, v.handle)
			}
			r.Close()
			cancel()
		}
	}
}

func runtimeOf(engine string) string {
	e, _ := engines.Named(engine)
	return e.Runtime
}

// TestRuntimesSideBySide has guests of all runtimes trap in one process, in turn
// and in parallel: their signal handlers, and that of Go, must not take each
// other's faults.
func TestRuntimesSideBySide(t *testing.T) {
	m := assemble(t, "traps", `(module (memory (export "memory") 1)
		(func $again (param i32) (result i32) (i32.add (i32.const 1) (call $again (local.get 0))))
		(func (export "init") (param i64))
		(func (export "send") (param $id i32) (param i64) (result i32)
			(if (i32.eq (local.get $id) (i32.const 0)) (then (return (i32.load (i32.const 0x7ffffff0)))))
			(if (i32.eq (local.get $id) (i32.const 1)) (then unreachable))
			(if (i32.eq (local.get $id) (i32.const 2)) (then (return (i32.div_u (i32.const 1) (i32.const 0)))))
			(if (i32.eq (local.get $id) (i32.const 3)) (then (return (call $again (i32.const 0)))))
			i32.const 1))`)
	names := engines.Names(true)
	round := func(t *testing.T, guests []sim.Replayer, times int) {
		hit := make([]bool, 1)
		for i := range times {
			for j, r := range guests {
				id := uint32(i % 5)
				if i%250 > 4 && id == 3 { // what fills a stack takes long
					id = 4
				}
				if err := r.Replay(sim.Batch{Requests: []sim.Request{{ID: id, Size: 1}}}, hit); (err != nil) != (id < 4) {
					t.Errorf("%s, request %d for %d: error %v", names[j%len(names)], i, id, err)
					return
				}
				if p := nilFault(); p == nil {
					t.Error("Go's own fault went unseen")
				}
			}
		}
	}
	openAll := func(t *testing.T) []sim.Replayer {
		var guests []sim.Replayer
		for _, engine := range names {
			r := open(t, m, engine, Pair, SRS)
			guests = append(guests, r)
			t.Cleanup(func() { r.Close() })
		}
		return guests
	}
	const times = 1000
	t.Run("in turn", func(t *testing.T) { round(t, openAll(t), times) })
	t.Run("in parallel", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 2 {
			for _, engine := range names {
				wg.Add(1)
				go func() {
					defer wg.Done()
					r, err := tryOpen(m, engine, Pair, SRS)
					if err != nil {
						t.Errorf("%s: %v", engine, err)
						return
					}
					defer r.Close()
					round(t, []sim.Replayer{r}, times)
				}()
			}
		}
		wg.Wait()
	})
}

// nilFault makes the processor fault in Go code, which the Go runtime turns into
// a panic.
func nilFault() (p any) {
	defer func() { p = recover() }()
	var r *sim.Request
	return r.Size
}

// TestManyInstances makes and drops many instances from parallel goroutines,
// with the collector running all the time. It is meant to be run with GOGC=1
// too: wasmer-go frees what looks unreachable.
func TestManyInstances(t *testing.T) {
	well, _ := Builtin("lru")
	original := original(t, 16, wattest.Bump)
	names := engines.Names(true)
	reqs := make([]sim.Request, 100)
	for i := range reqs {
		reqs[i] = sim.Request{ID: uint32(i * i % 10), Size: 10}
	}
	speaks, err := well.ABIs("")
	if err != nil {
		t.Fatal(err)
	}
	round := func(n int) {
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range n / 4 {
					m, abi, handle := well, speaks[i%len(speaks)], Handles[(i+g)%len(Handles)]
					if i%5 == 0 {
						m, abi = original, Bytemuck
					}
					if !Combines(abi, handle) {
						handle = SRS
					}
					r, err := tryOpen(m, names[i%len(names)], abi, handle)
					if err != nil {
						t.Error(err)
						return
					}
					if err := r.Replay(sim.Batch{Requests: reqs}, make([]bool, len(reqs))); err != nil {
						t.Error(err)
					}
					if i%7 != 0 { // some are left to the collector
						r.Close()
					}
				}
			}()
		}
		wg.Wait()
		// What was left to the collector goes link by link: functions, instance,
		// module, store. Wait until the finalizers of each round have run.
		for range 8 {
			done := make(chan struct{})
			runtime.SetFinalizer(&struct{ c chan struct{} }{done}, func(*struct{ c chan struct{} }) { close(done) })
			runtime.GC()
			<-done
		}
	}
	round(200)
	before := resident(t)
	round(1000)
	if grown := resident(t) - before; grown > 150<<20 {
		t.Errorf("1,000 instances left %d MiB behind", grown>>20)
	}
}

// TestLookupsDoNotGrow looks exports up for each of many requests, as the handle
// uncached does: wasmer-go 1.0.4 leaks the type of every function it is asked for.
func TestLookupsDoNotGrow(t *testing.T) {
	m, _ := Builtin("lru")
	reqs, hit := make([]sim.Request, chunk), make([]bool, chunk)
	for _, engine := range onePerRuntime() {
		r := open(t, m, engine, Bytemuck, Uncached)
		serve := func(times int) {
			for range times {
				if err := r.Replay(sim.Batch{Requests: reqs}, hit); err != nil {
					t.Fatal(err)
				}
			}
			debug.FreeOSMemory()
		}
		serve(1)
		before := resident(t)
		serve(12)
		if grown := resident(t) - before; grown > 30<<20 {
			t.Errorf("%s: %d requests left %d MiB behind", engine, 12*chunk, grown>>20)
		}
		r.Close()
	}
}

// resident returns the bytes of memory that the process has, 0 where it cannot
// tell.
func resident(t *testing.T) int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestTrapsAreLocated has a guest trap at its sixth request, in a function of a
// name: the error says which request that is, of which object, and where known
// which function.
func TestTrapsAreLocated(t *testing.T) {
	m := assemble(t, "located", `(module (memory (export "memory") 4)
		(func (export "boom") unreachable)
		(func $serve (param $id i32) (if (i32.eq (local.get $id) (i32.const 15)) (then (call 0))))
		(func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32) (call $serve (local.get 0)) i32.const 0)
		(func (export "alloc") (param i32) (result i64)
			(i64.shl (i64.extend_i32_u (select (i32.const 16) (i32.const 150000) (i32.gt_u (local.get 0) (i32.const 8192)))) (i64.const 32)))
		(func (export "replay") (param $at i32) (param $n i32) (param $out i32)
			(loop
				(call $serve (i32.load (local.get $at)))
				(i32.store8 (local.get $out) (i32.const 0))
				(local.set $at (i32.add (local.get $at) (i32.const 16)))
				(local.set $out (i32.add (local.get $out) (i32.const 1)))
				(br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`)
	reqs := make([]sim.Request, 9)
	for i := range reqs {
		reqs[i] = sim.Request{ID: uint32(10 + i), Size: 7}
	}
	for _, engine := range engines.Names(true) {
		for _, v := range []struct{ abi, handle, want string }{
			{Pair, SRS, "guest failed at its request 6, for object 15 of 7 bytes: "},
			{Pair, Driver, "guest failed at its request 6, for object 15 of 7 bytes: "},
			{Batch, SRS, "guest failed at its requests 4 to 9, by the outcomes before at request 6, for object 15 of 7 bytes: "},
		} {
			r := open(t, m, engine, v.abi, v.handle)
			hit := make([]bool, len(reqs))
			if err := r.Replay(sim.Batch{Requests: reqs[:3]}, hit[:3]); err != nil {
				t.Fatal(err)
			}
			err := r.Replay(sim.Batch{Requests: reqs[3:]}, hit[3:])
			end := ", in its function boom"
			if r := runtimeOf(engine); r == "wamr" || r == "wasmer" && !tracesWasmer { // which do not say
				end = ""
			}
			if err == nil || !strings.HasPrefix(err.Error(), v.want) || !strings.HasSuffix(err.Error(), end) || !strings.Contains(err.Error(), "unreachable") {
				t.Errorf("%s/%s/%s:\n got %v\nwant %s...unreachable%s", engine, v.abi, v.handle, err, v.want, end)
			}
			r.Close()
		}
	}
}

// TestUsed compares what guests say they use with their capacity.
func TestUsed(t *testing.T) {
	// Each request adds its size; nothing is ever evicted.
	m := assemble(t, "hoarder", `(module (memory (export "memory") 4)
		(global $used (mut i64) (i64.const 0))
		(func (export "used") (result i64) (global.get $used))
		(func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32) (global.set $used (i64.add (global.get $used) (local.get 1))) i32.const 0))`)
	for _, engine := range engines.Names(true) {
		for _, handle := range Handles {
			r := open(t, m, engine, Pair, handle) // of 1000 bytes
			hit := make([]bool, 2)
			if err := r.Replay(sim.Batch{Requests: []sim.Request{{Size: 600}, {Size: 400}}}, hit); err != nil {
				t.Errorf("%s/%s: %v", engine, handle, err)
			}
			err := r.Replay(sim.Batch{Requests: []sim.Request{{Size: 1}, {Size: 0}}}, hit)
			if err == nil || !strings.Contains(err.Error(), "requests 3 to 4: it uses 1001 of its capacity of 1000") {
				t.Errorf("%s/%s: error %v", engine, handle, err)
			}
			r.Close()
		}
	}
}

// TestGuestsExplain has guests that say why they failed: by AssemblyScript's abort
// and by the export failure.
func TestGuestsExplain(t *testing.T) {
	abort := assemble(t, "abort", `(module
		(import "env" "abort" (func $abort (param i32 i32 i32 i32)))
		(memory (export "memory") 1)
		(data (i32.const 12) "\08\00\00\00o\00h\00\e9\00!\00") ;; "ohé!" at 16
		(data (i32.const 28) "\08\00\00\00a\00.\00t\00s\00") ;; "a.ts" at 32
		(func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32) (call $abort (i32.const 16) (i32.const 32) (i32.const 3) (i32.const 5)) i32.const 0))`)
	failure := assemble(t, "failure", `(module
		(memory (export "memory") 1)
		(data (i32.const 16) "index \1b[31mout\n of range")
		(func (export "failure") (result i64) (i64.const 0x1000000018))
		(func (export "init") (param i64))
		(func (export "send") (param i32 i64) (result i32) unreachable))`)
	for _, engine := range engines.Names(true) {
		for _, handle := range Handles {
			for _, tt := range []struct {
				m    *Binary
				want string
			}{
				{abort, "the guest aborted: ohé! (a.ts:3:5)"},
				{failure, `the guest says: index \x1b[31mout of range`},
			} {
				r := open(t, tt.m, engine, Pair, handle)
				err := r.Replay(sim.Batch{Requests: make([]sim.Request, 1)}, make([]bool, 1))
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s/%s: error %v, want one with %q", engine, handle, err, tt.want)
				}
				r.Close()
			}
		}
	}
}

// TestRemove checks what the host makes of a guest's remove.
func TestRemove(t *testing.T) {
	m := assemble(t, "remove", `(module
		(func (export "init") (param i64))
		(func (export "remove") (param i32) (result i32) (if (i32.eq (local.get 0) (i32.const 9)) (then unreachable)) (local.get 0))
		(func (export "admissions") (result i64) i64.const 3)
		(func (export "admitted_bytes") (result i64) i64.const 50)
		(func (export "send") (param i32 i64) (result i32) i32.const 0))`)
	for _, engine := range engines.Names(true) {
		for _, handle := range Handles {
			r := open(t, m, engine, Pair, handle)
			for id, want := range []bool{false, true} {
				if got, err := r.Remove(uint32(id)); got != want || err != nil {
					t.Errorf("%s/%s: removing %d: %v, %v", engine, handle, id, got, err)
				}
			}
			for id, want := range map[uint32]string{2: "failed to remove object 2 after its request 0: the guest returned 2", 9: "unreachable"} {
				if _, err := r.Remove(id); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s/%s: error %v, want one with %q", engine, handle, err, want)
				}
			}
			if got, want := r.Counts(), (sim.Counts{Evictions: -1, Admissions: 3, AdmittedBytes: 50}); got != want {
				t.Errorf("%s/%s: counts %+v, want %+v", engine, handle, got, want)
			}
			r.Close()
		}
	}
}

// TestHas checks what the host makes of a guest's has.
func TestHas(t *testing.T) {
	m := assemble(t, "has", `(module
		(func (export "init") (param i64))
		(func (export "has") (param i32) (result i32) (if (i32.eq (local.get 0) (i32.const 9)) (then unreachable)) (local.get 0))
		(func (export "send") (param i32 i64) (result i32) i32.const 0))`)
	for _, engine := range engines.Names(true) {
		r := open(t, m, engine, Pair, SRS)
		h := r.(sim.Holding)
		if !h.CanHold() {
			t.Errorf("%s: the export is not found", engine)
		}
		for id, want := range []bool{false, true} {
			if got, err := h.Has(uint32(id)); got != want || err != nil {
				t.Errorf("%s: has %d: %v, %v", engine, id, got, err)
			}
		}
		for id, want := range map[uint32]string{2: "failed to find object 2 after its request 0: the guest returned 2", 9: "unreachable"} {
			if _, err := h.Has(id); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", engine, err, want)
			}
		}
		r.Close()
	}
}

// FuzzModule opens mutated modules: whatever they are, the answer is a policy or
// an error.
func FuzzModule(f *testing.F) {
	for _, name := range Builtins() {
		m, _ := Builtin(name)
		f.Add(m.Bytes)
	}
	f.Add(original(f, 0, "").Bytes)
	f.Add(original(f, 12, wattest.One).Bytes)
	f.Add([]byte("\x00asm\x01\x00\x00\x00"))
	engine := engines.Names(true)[0]
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := NewBinary("fuzz", b)
		if err != nil {
			return
		}
		abis, err := m.ABIs("")
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			r, _, err := Open(ctx, Config{Config: sim.Config{Capacity: 10, Objects: 10}, Binary: m, Version: sim.Version{Engine: engine, ABI: abis[0], Handle: SRS}, Memory: 1 << 20})
			if err == nil {
				r.Close()
			}
		}()
		select {
		case <-done:
		case <-ctx.Done(): // it loops for ever, as some do
		}
	})
}

func TestBinaryErrors(t *testing.T) {
	whole, _ := Builtin("lru")
	tests := map[string]string{
		"":                                    "it is empty",
		"hello, world":                        `starts with "hell"`,
		"\x00asm\x0d\x00\x01\x00":             "a component without a core module",
		string(whole.Bytes[:100]):             "not a valid WebAssembly module",
		"\x00asm\x01\x00\x00\x00\x01\xff\xff": "not a valid WebAssembly module",
	}
	for b, want := range tests {
		m, err := NewBinary("x", []byte(b))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want one with %q", b, err, want)
			continue
		}
		if _, err := tryOpen(m, engines.Names(true)[0], Pair, SRS); err == nil {
			t.Errorf("%.20q opens", b)
		}
	}
}

func TestUnknownEngine(t *testing.T) {
	m, _ := Builtin("lru")
	_, err := tryOpen(m, "cranlift", Pair, SRS)
	if err == nil || !strings.Contains(err.Error(), `did you mean "cranelift"`) {
		t.Errorf("error %v", err)
	}
	for _, e := range engines.All() {
		if e.Missing == "" {
			continue
		}
		if _, err := tryOpen(m, e.Name, Pair, SRS); err == nil || !strings.Contains(err.Error(), e.Missing) {
			t.Errorf("engine %s, which is not in this build: error %v", e.Name, err)
		}
	}
}
