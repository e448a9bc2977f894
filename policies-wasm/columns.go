package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"cachesim/sim"
)

// A column is more that a module may ask for of each request, by exporting a function of that name,
// columnSig. It is called before each batch with the address and the number of the values, which
// stay there until the batch is served; see docs/ABI.md.
type column struct {
	export string
	need   sim.Needs
	bytes  int // of a value
	put    func(dst []byte, b sim.Batch) error
}

const columnSig = "(i32, i32) -> ()"

// columns lists them in the order of the calls. The number in a name is the version: what a column
// holds does not change, a new version gets a new name.
var columns = []column{
	{"time_v1", sim.NeedsTime, 4, func(dst []byte, b sim.Batch) error {
		for i, r := range b.Requests {
			binary.LittleEndian.PutUint32(dst[4*i:], r.Time)
		}
		return nil
	}},
	{"next_v1", sim.NeedsNext, 4, func(dst []byte, b sim.Batch) error {
		if b.Next == nil {
			return errors.New("it exports next_v1, and next accesses are not known here")
		}
		putWords(dst, b.Next)
		return nil
	}},
	{"op_v1", sim.NeedsOps, 1, func(dst []byte, b sim.Batch) error {
		clear(dst) // without operations every request is a get
		for i, op := range b.Ops {
			dst[i] = byte(op)
		}
		return nil
	}},
	{"ttl_v1", sim.NeedsTTL, 4, func(dst []byte, b sim.Batch) error {
		clear(dst) // without times to live no object expires
		putWords(dst, b.TTL)
		return nil
	}},
}

func putWords(dst []byte, words []uint32) {
	for i, w := range words {
		binary.LittleEndian.PutUint32(dst[4*i:], w)
	}
}

// tickExport is given the nanoseconds in a tick of the trace's clock, once; 0: there is no clock.
const (
	tickExport = "tick_v1"
	tickSig    = "(i64) -> ()"
)

// keyExport is given the key of each object, as the trace has it, before the batch of the object's
// first request: (object, address, length).
const (
	keyExport = "key_v1"
	keySig    = "(i32, i32, i32) -> ()"
)

// Needs returns what m asks for besides objects and sizes.
func (m *Binary) Needs() sim.Needs {
	var needs sim.Needs
	for _, c := range columns {
		if m.Exports(c.export, columnSig) {
			needs |= c.need
		}
	}
	return needs
}

// WantsKeys reports whether m asks for the keys of objects.
func (m *Binary) WantsKeys() bool { return m.Exports(keyExport, keySig) }

// checkExports refuses a module that exports the name of a versioned export with another type, or
// that asks for columns, keys or the like and has no memory to pass them in.
func (m *Binary) checkExports() error {
	asks := "" // to be given something
	expected := [][2]string{{tickExport, tickSig}, {changesExport, changesSig}, {paramsExport, paramsSig}, {keyExport, keySig}}
	for _, c := range columns {
		expected = append(expected, [2]string{c.export, columnSig})
	}
	for _, x := range expected {
		e, ok := m.module.Exports[x[0]]
		switch {
		case !ok:
		case e.Sig == nil || e.Sig.String() != x[1]:
			return fmt.Errorf("it exports %s, but not as %s; see docs/ABI.md", x[0], x[1])
		case x[0] == tickExport: // takes no memory
		case !m.ExportsMemory("memory"):
			return fmt.Errorf("it exports %s, which takes a memory that is exported as memory; see docs/ABI.md", x[0])
		case x[1] == columnSig || x[1] == keySig:
			asks = x[0]
		}
	}
	if asks != "" && !m.Exports("alloc", "(i32) -> i64") {
		return fmt.Errorf("it exports %s, which takes alloc (i32) -> i64, exported too; see docs/ABI.md", asks)
	}
	return nil
}

// extras is what a guest gets before a batch besides its requests.
type extras struct {
	columns []columnOf
	key     *callee // nil: it does not ask for keys
	keyOf   func(object uint32) string
	known   []uint64 // bits of the objects whose key it was given
	alloc   *callee
	at      uint32 // of the buffer for keys
	room    int    // its bytes
}

type columnOf struct {
	column
	call *callee
	at   uint32 // address of the values
}

// bindExtras finds what the module asks for, nil if that is nothing.
func (g *guest) bindExtras(c Config) (*extras, error) {
	var x extras
	for _, col := range columns {
		if !g.bin.Exports(col.export, columnSig) {
			continue
		}
		call, err := g.callee(col.export)
		if err != nil {
			return nil, err
		}
		x.columns = append(x.columns, columnOf{column: col, call: call})
	}
	wantsKeys := g.bin.WantsKeys()
	if len(x.columns) == 0 && !wantsKeys {
		return nil, nil
	}
	var err error
	if x.alloc, err = g.callee("alloc"); err != nil {
		return nil, err
	}
	for i := range x.columns {
		col := &x.columns[i]
		if col.at, err = x.alloc.allocate(col.bytes * chunk); err != nil {
			return nil, err
		}
	}
	if wantsKeys {
		if c.Key == nil {
			return nil, fmt.Errorf("it exports %s, and the keys of objects are not known here", keyExport)
		}
		if x.key, err = g.callee(keyExport); err != nil {
			return nil, err
		}
		x.keyOf, x.known = c.Key, make([]uint64, (c.Objects+63)/64)
	}
	return &x, nil
}

// before passes what the module asks for of the requests in b, chunk at most.
func (g *guest) before(b sim.Batch) error {
	x := g.extras
	if x.key != nil {
		if err := g.passKeys(b.Requests); err != nil {
			return err
		}
	}
	var stack [2]uint64
	for i := range x.columns {
		c := &x.columns[i]
		dst, err := g.slice(c.at, c.bytes*len(b.Requests))
		if err == nil {
			err = c.put(dst, b)
		}
		if err != nil {
			return err
		}
		stack[0], stack[1] = uint64(c.at), uint64(len(b.Requests))
		if err := c.call.call(stack[:]); err != nil {
			return fmt.Errorf("%s: %w", c.export, err)
		}
	}
	return nil
}

// passKeys passes the keys of the objects that are requested for the first time.
func (g *guest) passKeys(reqs []sim.Request) error {
	x := g.extras
	var stack [3]uint64
	for _, r := range reqs {
		w, bit := &x.known[r.ID>>6], uint64(1)<<(r.ID&63)
		if *w&bit != 0 {
			continue
		}
		*w |= bit
		key := x.keyOf(r.ID)
		if len(key) > x.room {
			x.room = max(256, 2*len(key))
			var err error
			if x.at, err = x.alloc.allocate(x.room); err != nil {
				return err
			}
		}
		if len(key) > 0 {
			dst, err := g.slice(x.at, len(key))
			if err != nil {
				return err
			}
			copy(dst, key)
		}
		stack[0], stack[1], stack[2] = uint64(r.ID), uint64(x.at), uint64(len(key))
		if err := x.key.call(stack[:]); err != nil {
			return fmt.Errorf("%s for object %d: %w", keyExport, r.ID, err)
		}
	}
	return nil
}
