package wasm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/wattest"
	"cachesim/sim"
)

// Mutants are run in a process of their own, this binary with mutantsVariable set,
// so that one that crashes an engine is counted, and the others go on.
const mutantsVariable = "CACHESIM_TEST_MUTANTS"

// TestMutants opens mutated modules on each engine and has them serve requests:
// whatever they are, the answer is outcomes or an error, within limits of time and
// memory, and never a crash of the process. CACHESIM_MUTANTS says how many on each
// engine; make test-long has 10,000.
func TestMutants(t *testing.T) {
	n := 200
	if s := os.Getenv("CACHESIM_MUTANTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	} else if testing.Short() {
		n = 40
	}
	if job := os.Getenv(mutantsVariable); job != "" {
		runMutants(t, job)
		return
	}
	for _, engine := range engines.Names(true) {
		t.Run(engine, func(t *testing.T) {
			counts := make(map[string]int)
			for from := 0; from < n; {
				cmd := exec.Command(os.Args[0], "-test.run=^TestMutants$", "-test.timeout=0")
				cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", mutantsVariable, engine, from, n))
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				began := -1
				lines := bufio.NewScanner(out)
				for lines.Scan() {
					word, rest, _ := strings.Cut(lines.Text(), " ")
					if word == "begin" {
						began, _ = strconv.Atoi(rest)
					} else if word == "end" {
						began = -1
						counts[rest]++
						from++
					}
				}
				err = cmd.Wait()
				if began < 0 {
					if err != nil || from < n {
						t.Fatalf("after %d mutants: %v: %.500s", from, err, stderr.String())
					}
					continue
				}
				said, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
				t.Errorf("mutant %d ends the process: %v: %.200s", began, err, said)
				counts["crashed"]++
				from = began + 1
			}
			t.Logf("%d mutants: %v", n, counts)
		})
	}
}

// runMutants is the process of the mutants: job is "ENGINE FROM TO".
func runMutants(t *testing.T, job string) {
	var engine string
	var from, to int
	if _, err := fmt.Sscan(job, &engine, &from, &to); err != nil {
		t.Fatal(err)
	}
	seeds := mutantSeeds(t)
	for i := from; i < to; i++ {
		fmt.Printf("begin %d\n", i)
		fmt.Printf("end %s\n", runMutant(t, engine, mutant(seeds, uint64(i))))
	}
}

// runMutant returns what became of a module.
func runMutant(t *testing.T, engine string, code []byte) string {
	m, err := NewBinary("mutant", code)
	if err != nil {
		return "malformed"
	}
	abis, err := m.ABIs("")
	if err != nil {
		return "no cache"
	}
	abi := abis[len(code)%len(abis)]
	handle := Handles[len(code)/2%len(Handles)]
	if !Combines(abi, handle) {
		handle = SRS
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	ended := make(chan string, 1)
	go func() {
		r, _, err := Open(ctx, Config{
			Config: sim.Config{Capacity: 1000, Objects: 50, Requests: 500, Seed: 1}, Binary: m, Memory: 16 << 20, Stoppable: true,
			Version: sim.Version{Engine: engine, ABI: abi, Handle: handle},
			Key:     func(object uint32) string { return fmt.Sprint("object ", object) },
		})
		if err != nil {
			ended <- "refused"
			return
		}
		defer r.Close()
		reqs, hit := make([]sim.Request, 100), make([]bool, 100)
		for round := range 5 {
			for i := range reqs {
				id := uint32((i*i + 7*round) % 50)
				reqs[i] = sim.Request{ID: id, Time: uint32(round), Size: int64(id) * 3}
			}
			b := sim.Batch{Requests: reqs}
			if m.Needs() != 0 {
				b.Next, b.TTL, b.Ops = make([]uint32, len(reqs)), make([]uint32, len(reqs)), make([]sim.Op, len(reqs))
			}
			if err := r.Replay(b, hit); err != nil {
				ended <- "failed"
				return
			}
			if r.CanRemove() {
				if _, err := r.Remove(uint32(round)); err != nil {
					ended <- "failed"
					return
				}
			}
		}
		r.Counts()
		ended <- "served"
	}()
	select {
	case s := <-ended:
		return s
	case <-time.After(time.Minute):
		t.Fatal("a guest could not be stopped")
		return ""
	}
}

// mutantSeeds are what mutants are made of: embedded guests, modules that do what
// they should not, and one that imports.
func mutantSeeds(t *testing.T) [][]byte {
	var seeds [][]byte
	for _, name := range []string{"fifo", "lru", "lfu", "gdsize"} {
		m, _ := Builtin(name)
		seeds = append(seeds, m.Bytes)
	}
	for _, wat := range []string{
		`(module (memory (export "memory") 1 4) (table $t 4 funcref) (elem (i32.const 0) 0 1 0 1)
			(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
			(func $g (param i32) (result i32) (if (result i32) (i32.gt_s (local.get 0) (i32.const 0)) (then (call $g (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
			(global $n (mut i64) (i64.const 0)) (data (i32.const 8) "\01\02\03\04")
			(func (export "init") (param i64) (global.set $n (local.get 0)))
			(func (export "used") (result i64) (global.get $n))
			(func (export "stats") (result i64) i64.const 0)
			(func (export "send") (param i32 i64) (result i32)
				(drop (memory.grow (i32.const 1)))
				(i64.store (i32.const 64) (i64.div_u (local.get 1) (i64.const 3)))
				(drop (call_indirect (param i32) (result i32) (local.get 0) (i32.and (local.get 0) (i32.const 3))))
				(drop (f64.sqrt (f64.convert_i64_s (local.get 1))))
				(drop (i32.trunc_f64_s (f64.const 3.5)))
				(block (br_table 0 0 0 (local.get 0)))
				(i32.const 0)))`,
		`(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
			(import "env" "abort" (func (param i32 i32 i32 i32)))
			(memory (export "memory") 3)
			(func (export "init") (param i64))
			(func (export "alloc") (param i32) (result i64) (i64.const 0x10000000000))
			(func (export "replay") (param i32 i32 i32)
				(drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
				(memory.fill (local.get 2) (i32.const 0) (local.get 1)))
			(func (export "send_bytemuck") (param i32 i32) (result i32) i32.const 0)
			(func (export "send_bincode_static") (param i32 i32) (result i32) i32.const 0))`,
	} {
		seeds = append(seeds, assemble(t, "seed", wat).Bytes)
	}
	return append(seeds, original(t, 0, "").Bytes, original(t, 12, wattest.One).Bytes)
}

// mutant makes module number i: some flips of bytes, edits of whole sections, and
// splices with another module.
func mutant(seeds [][]byte, i uint64) []byte {
	rng := rand.New(rand.NewPCG(i, 13))
	b := bytes.Clone(seeds[rng.IntN(len(seeds))])
	if rng.IntN(2) == 0 { // so that it stays valid, mostly, and does something else
		for range 1 + rng.IntN(6) {
			exchange(b, rng)
		}
		return b
	}
	for range 1 + rng.IntN(3) {
		switch rng.IntN(8) {
		case 0, 1, 2: // bytes of code and everything else
			for range 1 + rng.IntN(4) {
				b[8+rng.IntN(len(b)-8)] = byte(rng.Uint32())
			}
		case 3: // a bit: another opcode, index or constant
			b[8+rng.IntN(len(b)-8)] ^= 1 << rng.IntN(8)
		case 4: // a small number where there was one
			at := 8 + rng.IntN(len(b)-8)
			b[at] = byte(rng.IntN(16))
		case 5: // a copy of a stretch elsewhere, of the same length
			n := 1 + rng.IntN(16)
			if len(b) > n+8 {
				copy(b[8+rng.IntN(len(b)-n-8):][:n], b[8+rng.IntN(len(b)-n-8):])
			}
		case 6: // sections: one is dropped, doubled, moved, or taken from another module
			list := sections(b)
			if len(list) < 2 {
				continue
			}
			k := rng.IntN(len(list))
			switch rng.IntN(4) {
			case 0:
				list = slices.Delete(list, k, k+1)
			case 1:
				list = slices.Insert(list, k, list[k])
			case 2:
				j := rng.IntN(len(list))
				list[k], list[j] = list[j], list[k]
			case 3:
				other := sections(seeds[rng.IntN(len(seeds))])
				list[k] = other[rng.IntN(len(other))]
			}
			b = append(bytes.Clone(b[:8]), slices.Concat(list...)...)
		case 7: // it ends early
			if rng.IntN(4) == 0 {
				b = b[:9+rng.IntN(len(b)-9)]
			}
		}
		if len(b) < 16 {
			break
		}
	}
	return b
}

// exchanged are ranges of opcodes with the same operands and results.
var exchanged = [][2]byte{
	{0x46, 0x4f}, {0x51, 0x5a}, {0x61, 0x66}, // comparisons of i32, i64, f64
	{0x67, 0x69}, {0x6a, 0x78}, {0x79, 0x7b}, {0x7c, 0x8a}, // arithmetic
	{0x99, 0x9f}, {0xa0, 0xa6}, // of f64
	{0x00, 0x3f}, // not an opcode, mostly: a constant, an offset or an index
}

// exchange replaces a byte of the code by another of its range.
func exchange(b []byte, rng *rand.Rand) {
	for _, s := range sections(b) {
		if s[0] != 10 { // code
			continue
		}
		for range 1000 {
			at, set := rng.IntN(len(s)), exchanged[rng.IntN(len(exchanged))]
			if s[at] >= set[0] && s[at] <= set[1] {
				if set[0] == 0 {
					s[at] ^= 1 << rng.IntN(4)
				} else {
					s[at] = set[0] + byte(rng.IntN(int(set[1]-set[0])+1))
				}
				return
			}
		}
	}
}

// sections cuts a module into its sections; what follows a broken one belongs to it.
func sections(b []byte) (list [][]byte) {
	for at := 8; at < len(b); {
		size, n := binary.Uvarint(b[at+1:])
		end := len(b)
		if n > 0 && size < uint64(len(b)-at-1-n) {
			end = at + 1 + n + int(size)
		}
		list = append(list, b[at:end:end])
		at = end
	}
	return list
}
