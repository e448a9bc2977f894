package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"cachesim/policies-wasm/engines"
	"cachesim/policies-wasm/module"
)

// explain adds to an error what is known of it: the function that trapped, what
// the guest said when it exited or aborted, what it has to say of a failure, what
// it wrote to standard output or error, and whether it ran out of memory.
func (g *instance) explain(err error) error {
	var trap *engines.Trap
	trapped := errors.As(err, &trap)
	switch {
	case g.aborted() != "":
		err = fmt.Errorf("%w; the guest aborted: %s", err, g.aborted())
	case g.wasi != nil && g.wasi.exited != "":
		err = fmt.Errorf("%w; %s", err, g.wasi.exited)
	case trapped && g.ctx.Err() != nil:
		return fmt.Errorf("%w; it was stopped", err)
	case trapped:
		if name := g.functionName(trap); name != "" {
			err = fmt.Errorf("%w, in its function %s", err, name)
		}
		if text := g.failure(); text != "" {
			err = fmt.Errorf("%w; the guest says: %s", err, text)
		}
	}
	if text := g.said.String(); text != "" {
		err = fmt.Errorf("%w; the guest wrote: %s", err, text)
	}
	if used := int64(len(g.memoryBytes())); g.limit > 0 && used >= g.limit/2 && used > 0 {
		err = fmt.Errorf("%w; it has %d of its %d MiB of memory (--guest-memory)", err, used>>20, g.limit>>20)
	}
	return err
}

// functionName returns the name of the function of the policy that trapped. Where
// an adapter that touches memory is linked, the number might be of that one's.
func (g *instance) functionName(t *engines.Trap) string {
	if t.Name != "" {
		return t.Name
	}
	if t.Function < 0 || len(g.linked) > 1 {
		return ""
	}
	return g.bin.module.FunctionName(t.Function)
}

// failure asks the module for a text about the failure, where it exports one: a
// panic of a guest without WASI has nowhere to write to.
func (g *instance) failure() string {
	if g.inst == nil || !g.bin.module.Has("failure", "() -> i64") {
		return ""
	}
	packed := uint64(g.count("failure"))
	b, at, n := g.memoryBytes(), packed>>32, min(packed&0xffffffff, keptOutput)
	if at+n > uint64(len(b)) {
		return ""
	}
	return string(b[at : at+n])
}

// abortImport is what AssemblyScript's runtime calls where others trap. Its type
// is abortSig: a message and a file name, which are strings, a line and a column.
var abortImport = engines.ImportName{Module: "env", Name: "abort"}

const abortSig = "(i32, i32, i32, i32) -> ()"

// aborted returns what the guest passed to abort, empty where it has not called
// it; see adapters/abort.wat.
func (g *instance) aborted() string {
	if g.abort == nil {
		return ""
	}
	b := g.abort.Bytes()
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	if word(0) == 0 {
		return ""
	}
	message := g.assemblyScriptString(word(1))
	if message == "" {
		message = "no message"
	}
	return fmt.Sprintf("%s (%s:%d:%d)", message, g.assemblyScriptString(word(2)), word(3), word(4))
}

// assemblyScriptString reads a string of AssemblyScript's: UTF-16, with its length
// in bytes in the word before it.
func (g *instance) assemblyScriptString(at uint32) string {
	b := g.memoryBytes()
	if at < 4 || uint64(at) > uint64(len(b)) {
		return ""
	}
	n := uint64(binary.LittleEndian.Uint32(b[at-4:]))
	b = b[at:min(uint64(at)+min(n, keptOutput), uint64(len(b)))]
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// oneLine makes an error one line of text without control characters: engines
// write several, and names and texts of guests may hold anything.
func oneLine(err error) error {
	s := err.Error()
	if strings.ContainsAny(s, "\n\r\t") {
		s = strings.Join(strings.Fields(s), " ")
	}
	if s = module.Printable(s); s != err.Error() {
		return plainError{s, err}
	}
	return err
}

// plainError is an error with another text.
type plainError struct {
	text string
	err  error
}

func (e plainError) Error() string { return e.text }
func (e plainError) Unwrap() error { return e.err }
