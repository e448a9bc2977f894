package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/module"
)

// wasiModule is what guests of language runtimes import from: WASI preview 1
// (the WebAssembly System Interface, snapshot 01).
const wasiModule = "wasi_snapshot_preview1"

// wasi is a sealed and deterministic world for one guest: its clocks stand
// still, its random numbers come from the seed, there are no arguments, no
// environment and no files, and what it writes is kept for error messages.
type wasi struct {
	memory  func() []byte // nil: every pointer is outside
	random  *rand.ChaCha8
	written func([]byte) // takes what it writes on stdout and stderr
	exited  string       // what the guest said when it exited
}

func newWASI(seed uint64, memory func() []byte, written func([]byte)) *wasi {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &wasi{memory: memory, random: rand.NewChaCha8(key), written: written}
}

// Error numbers of preview 1.
const (
	errnoSuccess = 0
	errnoBadf    = 8
	errnoFault   = 21
	errnoInval   = 28
	errnoSpipe   = 70
)

// wasiFunction is one import: its signature, and what it does with its
// arguments, which lie in guest memory b where they are pointers. It returns an
// error number of preview 1.
type wasiFunction struct {
	sig  string
	call func(w *wasi, b []byte, a []uint64) (errno uint64)
}

// fixedTime is the time that all clocks show: 2000-01-01, in nanoseconds.
const fixedTime = 946_684_800_000_000_000

// wasiFunctions are those that language runtimes call when they start, write
// and stop. Pointers out of range make put and bytes panic with errOutside,
// which hostFunction makes an errno of.
var wasiFunctions = map[string]wasiFunction{
	"args_sizes_get":    {"(i32, i32) -> i32", noStrings},
	"args_get":          {"(i32, i32) -> i32", succeed},
	"environ_sizes_get": {"(i32, i32) -> i32", noStrings},
	"environ_get":       {"(i32, i32) -> i32", succeed},
	"clock_res_get": {"(i32, i32) -> i32", func(_ *wasi, b []byte, a []uint64) uint64 {
		put64(b, a[1], 1)
		return errnoSuccess
	}},
	"clock_time_get": {"(i32, i64, i32) -> i32", func(_ *wasi, b []byte, a []uint64) uint64 {
		put64(b, a[2], fixedTime)
		return errnoSuccess
	}},
	"random_get": {"(i32, i32) -> i32", func(w *wasi, b []byte, a []uint64) uint64 {
		w.random.Read(slice(b, a[0], a[1]))
		return errnoSuccess
	}},
	"fd_write": {"(i32, i32, i32, i32) -> i32", (*wasi).write},
	"fd_read": {"(i32, i32, i32, i32) -> i32", func(_ *wasi, b []byte, a []uint64) uint64 {
		return ifStandard(a[0], func() { put32(b, a[3], 0) })
	}},
	"fd_close":            {"(i32) -> i32", standard},
	"fd_fdstat_set_flags": {"(i32, i32) -> i32", standard},
	"fd_fdstat_get": {"(i32, i32) -> i32", func(_ *wasi, b []byte, a []uint64) uint64 {
		return ifStandard(a[0], func() {
			stat := slice(b, a[1], 24)
			clear(stat)
			stat[0] = 2 // a character device
		})
	}},
	"fd_seek":             {"(i32, i64, i32, i32) -> i32", func(*wasi, []byte, []uint64) uint64 { return errnoSpipe }},
	"fd_prestat_get":      {"(i32, i32) -> i32", noSuchFile},
	"fd_prestat_dir_name": {"(i32, i32, i32) -> i32", noSuchFile},
	"sched_yield":         {"() -> i32", succeed},
	"poll_oneoff":         {"(i32, i32, i32, i32) -> i32", (*wasi).poll},
	"proc_exit": {"(i32) -> ()", func(w *wasi, _ []byte, a []uint64) uint64 { // see adapters/exit.wat
		w.exited = fmt.Sprintf("the guest exited with code %d", uint32(a[0]))
		return errnoSuccess
	}},
}

func succeed(*wasi, []byte, []uint64) uint64    { return errnoSuccess }
func noSuchFile(*wasi, []byte, []uint64) uint64 { return errnoBadf }

func standard(_ *wasi, _ []byte, a []uint64) uint64 { return ifStandard(a[0], func() {}) }

// ifStandard runs f where fd is standard input, output or error: there are no
// other files.
func ifStandard(fd uint64, f func()) uint64 {
	if uint32(fd) > 2 {
		return errnoBadf
	}
	f()
	return errnoSuccess
}

func noStrings(_ *wasi, b []byte, a []uint64) uint64 {
	put32(b, a[0], 0)
	put32(b, a[1], 0)
	return errnoSuccess
}

// write keeps what goes to standard output and error: fd, vectors of pointer and
// length, their number, and where to put the number of bytes.
func (w *wasi) write(b []byte, a []uint64) uint64 {
	if uint32(a[2]) > 1024 { // as of POSIX: a call ends soon
		return errnoInval
	}
	return ifStandard(a[0], func() {
		var n uint64
		for i := range uint64(uint32(a[2])) {
			v := slice(b, a[1]+8*i, 8)
			text := slice(b, uint64(binary.LittleEndian.Uint32(v)), uint64(binary.LittleEndian.Uint32(v[4:])))
			n += uint64(len(text))
			w.written(text)
		}
		put32(b, a[3], uint32(n))
	})
}

// poll says of each clock that it has come: sleeping takes no time. Of a file it
// says that there is none.
func (w *wasi) poll(b []byte, a []uint64) uint64 {
	n := uint64(uint32(a[2]))
	if n == 0 {
		return errnoInval
	}
	for i := range n {
		sub, event := slice(b, a[0]+48*i, 48), slice(b, a[1]+32*i, 32)
		clear(event)
		copy(event, sub[:8]) // what the guest calls it by
		event[10] = sub[8]
		if sub[8] != 0 {
			event[8] = errnoBadf
		}
	}
	put32(b, a[3], uint32(n))
	return errnoSuccess
}

// errOutside is a pointer that a guest has no memory at.
var errOutside = errors.New("a pointer is outside the guest's memory")

func slice(b []byte, at, n uint64) []byte {
	at, n = uint64(uint32(at)), uint64(uint32(n))
	if at+n > uint64(len(b)) {
		panic(errOutside)
	}
	return b[at : at+n]
}

func put32(b []byte, at uint64, v uint32) { binary.LittleEndian.PutUint32(slice(b, at, 4), v) }
func put64(b []byte, at uint64, v uint64) { binary.LittleEndian.PutUint64(slice(b, at, 8), v) }

// hostFunction makes a function of the host for a guest to import.
func (w *wasi) hostFunction(name string) func(stack []uint64) {
	f := wasiFunctions[name]
	return func(stack []uint64) {
		defer func() {
			if p := recover(); p == errOutside {
				stack[0] = errnoFault
			} else if p != nil {
				panic(p)
			}
		}()
		stack[0] = f.call(w, w.memory(), stack)
	}
}

// checkImports refuses modules that import what nobody provides, by name.
func (m *Binary) checkImports() error {
	var missing []string
	for _, i := range m.module.Imports {
		var want string
		switch {
		case i.Kind != module.KindFunction:
		case i.Module == wasiModule:
			want = wasiFunctions[i.Name].sig
		case i.Module == abortImport.Module && i.Name == abortImport.Name:
			want = abortSig
		case i.Module == logImport.Module && i.Name == logImport.Name:
			want = logSig
		}
		switch {
		case want == "" && i.Module == wasiModule:
			missing = append(missing, i.String()+" (cachesim has the part of WASI that language runtimes start with, see docs/ABI.md)")
		case want == "":
			missing = append(missing, i.String())
		case i.Sig.String() != want:
			missing = append(missing, fmt.Sprintf("%s as %s (want %s)", i, i.Sig, want))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	more := ""
	const most = 10 // hostile modules have thousands
	if len(missing) > most {
		more = fmt.Sprintf(" and %d more", len(missing)-most)
		missing = missing[:most]
	}
	return fmt.Errorf("it imports what cachesim does not provide: %s%s", strings.Join(missing, ", "), more)
}

// Refuses says why an engine cannot run m, as far as that is seen before it is
// compiled; empty: nothing is known against it. The engine must be known.
func Refuses(m *Binary, engine string) string {
	e, err := engines.Named(engine)
	if err != nil {
		return err.Error()
	}
	return m.refused(e)
}

func (m *Binary) refused(e engines.Engine) string {
	if m.module == nil || e.NoHost == "" {
		return ""
	}
	for _, i := range m.module.Imports {
		if i.Module == wasiModule {
			return e.NoHost
		}
	}
	return ""
}
