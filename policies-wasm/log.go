package wasm

import (
	"cachesim/policies-wasm/engines"
	"cachesim/sim"
)

// logImport is a function that a module may import to say what it does: a text in its memory, as
// address and length. Where the engine cannot call the host the text is dropped.
var logImport = engines.ImportName{Module: "cachesim", Name: "log"}

const logSig = "(i32, i32) -> ()"

// keptOutput is how many bytes are kept of what a guest says: the last ones.
const keptOutput = 4 << 10

// A tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) write(b []byte) {
	b = b[max(0, len(b)-keptOutput):]
	if len(t.text)+len(b) > 4*keptOutput { // seldom, so that a byte is moved once on average
		t.text = append(t.text[:0], t.text[len(t.text)-keptOutput:]...)
	}
	t.text = append(t.text, b...)
}

func (t *tail) String() string { return string(t.text[max(0, len(t.text)-keptOutput):]) }

// logger provides logImport.
func (g *instance) logger(i engines.ImportName, host *engines.HostFunction) (engines.Provider, error) {
	e, err := engines.Named(g.engine)
	if err != nil {
		return engines.Provider{}, err
	}
	if e.NoHost != "" {
		adapter, err := g.link("quiet", nil)
		return engines.Provider{Instance: adapter, Export: i.Name}, err
	}
	host.Call = func(stack []uint64) {
		b := g.memoryBytes()
		at, n := uint64(uint32(stack[0])), uint64(uint32(stack[1]))
		if at+n <= uint64(len(b)) {
			g.said.write(b[at : at+n])
			g.said.write([]byte("\n"))
		}
	}
	return engines.Provider{Host: host}, nil
}

// Said returns what a guest has logged or written, the last 4 KiB of it; empty where r is none.
func Said(r sim.Replayer) string {
	if g, ok := r.(interface{ Said() string }); ok {
		return g.Said()
	}
	return ""
}

// Said is what Said returns of g.
func (g *guest) Said() string { return g.said.String() }
