package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Binary is a WASM module as bytes, with what its sections declare. No engine
// is needed to make one.
type Binary struct {
	Name   string // base name of its file without .wasm
	SHA256 string // in hex
	Bytes  []byte

	exports map[string]export
	imports []importDecl
	// The first memory and the tables of the module's own: where their limits
	// lie, and what they say.
	memory *limits
	tables []limits
}

// export is an exported function (sig not nil) or another thing.
type export struct {
	kind byte // 0 function, 1 table, 2 memory, 3 global
	sig  *signature
}

type importDecl struct {
	module, name string
	kind         byte
	sig          *signature
}

func (i importDecl) String() string { return i.module + "." + i.name }

// signature is written like "(i32, i64) -> i32"; signatures compare as text.
type signature struct {
	params, results []byte
}

func (s signature) String() string {
	list := func(types []byte) string {
		names := make([]string, len(types))
		for i, t := range types {
			names[i] = valueTypes[t]
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	if len(s.results) == 1 {
		return list(s.params) + " -> " + valueTypes[s.results[0]]
	}
	return list(s.params) + " -> " + list(s.results)
}

const typeI32 = 0x7f

var valueTypes = map[byte]string{
	typeI32: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref",
}

// limits are those of a memory or table; start and end say where they lie in
// the module.
type limits struct {
	flags      byte
	min, max   uint64
	start, end int
}

// ReadFile reads a module from a file.
func ReadFile(path string) (*Binary, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	return NewBinary(strings.TrimSuffix(filepath.Base(path), ".wasm"), b)
}

// NewBinary reads a module from bytes, which it keeps. Where they are not a
// module, it returns an error, and a Binary that has a name and a hash only.
func NewBinary(name string, b []byte) (*Binary, error) {
	sum := sha256.Sum256(b)
	m := &Binary{Name: name, SHA256: hex.EncodeToString(sum[:]), Bytes: b}
	if err := m.parse(); err != nil {
		return &Binary{Name: m.Name, SHA256: m.SHA256, Bytes: b}, err
	}
	return m, nil
}

// parse reads the sections that tell what the module imports and exports
// (WebAssembly Core Specification, chapter 5). Code is left to the engines.
func (m *Binary) parse() (err error) {
	if !bytes.HasPrefix(m.Bytes, []byte("\x00asm")) {
		what := "it is empty"
		if len(m.Bytes) > 0 {
			what = fmt.Sprintf("it starts with %q, not with \"\\x00asm\"", m.Bytes[:min(4, len(m.Bytes))])
		}
		return fmt.Errorf("not a WebAssembly module: %s", what)
	}
	if !bytes.HasPrefix(m.Bytes[4:], []byte{1, 0, 0, 0}) {
		return errors.New("not a WebAssembly module of version 1 (components are not supported)")
	}
	r := &reader{b: m.Bytes, at: 8}
	defer func() {
		if p := recover(); p != nil {
			bad, ok := p.(malformed)
			if !ok {
				panic(p)
			}
			err = fmt.Errorf("not a valid WebAssembly module: at byte %d: %s", r.at, string(bad))
		}
	}()
	var types []signature
	var functions []*signature // imported ones first
	m.exports = make(map[string]export)
	for r.at < len(r.b) {
		id := r.byte()
		size := int(r.u32())
		if size > len(r.b)-r.at {
			panic(malformed("a section goes beyond the end"))
		}
		end := r.at + size
		switch id {
		case 1:
			for range r.count() {
				if form := r.byte(); form != 0x60 {
					panic(malformed(fmt.Sprintf("type 0x%02x is not of a function", form)))
				}
				types = append(types, signature{r.types(), r.types()})
			}
		case 2:
			for range r.count() {
				i := importDecl{module: r.name(), name: r.name(), kind: r.byte()}
				switch i.kind {
				case 0:
					i.sig = &types[r.index(len(types))]
					functions = append(functions, i.sig)
				case 1:
					r.byte()
					r.limits()
				case 2:
					r.limits()
				case 3:
					r.byte()
					r.byte()
				default:
					panic(malformed("unknown kind of import"))
				}
				m.imports = append(m.imports, i)
			}
		case 3:
			for range r.count() {
				functions = append(functions, &types[r.index(len(types))])
			}
		case 4:
			for range r.count() {
				r.byte()
				m.tables = append(m.tables, r.limits())
			}
		case 5:
			for n := range r.count() {
				l := r.limits()
				if n == 0 {
					m.memory = &l
				}
			}
		case 7:
			for range r.count() {
				name := r.name()
				e := export{kind: r.byte()}
				if e.kind == 0 {
					e.sig = functions[r.index(len(functions))]
				} else {
					r.u32()
				}
				m.exports[name] = e
			}
		}
		r.at = end
	}
	return nil
}

// function returns the signature of an exported function, nil where there is
// none of the name.
func (m *Binary) function(name string) *signature { return m.exports[name].sig }

// has reports whether the module exports a function with just this signature.
func (m *Binary) has(name, sig string) bool {
	s := m.function(name)
	return s != nil && s.String() == sig
}

// maxTable is how many elements a guest's table may have: more than any compiler
// emits, and some MiB in the host.
const maxTable = 1 << 20

// limited returns the module's bytes with its memory declared to grow to no more
// than so many 64 KiB pages, and its tables to maxTable elements, which every
// engine enforces. It fails where the module wants more from the start.
func (m *Binary) limited(pages uint64) ([]byte, error) {
	type edit struct {
		limits
		most uint64
	}
	var edits []edit // tables come before memories in a module
	for _, t := range m.tables {
		if t.min > maxTable {
			return nil, fmt.Errorf("it wants a table of %d elements, the limit is %d", t.min, maxTable)
		}
		edits = append(edits, edit{t, maxTable})
	}
	if l := m.memory; l != nil {
		if l.min > pages {
			return nil, fmt.Errorf("it wants %d KiB of memory from the start, the limit is %d KiB: raise --guest-memory", l.min<<6, pages<<6)
		}
		edits = append(edits, edit{*l, pages})
	}
	out := append([]byte(nil), m.Bytes[:8]...)
	for r := (&reader{b: m.Bytes, at: 8}); r.at < len(r.b); {
		id := r.byte()
		size := int(r.u32())
		body, end := r.at, r.at+size
		var section []byte
		for len(edits) > 0 && edits[0].start >= body && edits[0].start < end {
			e := edits[0]
			edits = edits[1:]
			section = append(section, m.Bytes[body:e.start]...)
			body = e.end
			most := e.most
			if e.flags&1 == 1 {
				most = min(most, e.max)
			}
			section = append(section, e.flags|1)
			section = append(append(section, uleb(e.min)...), uleb(most)...)
		}
		section = append(section, m.Bytes[body:end]...)
		out = append(append(append(out, id), uleb(uint64(len(section)))...), section...)
		r.at = end
	}
	return out, nil
}

func uleb(v uint64) []byte {
	var b []byte
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// reader reads the binary format; what it cannot read it panics with, as
// malformed, for parse to catch.
type reader struct {
	b  []byte
	at int
}

type malformed string

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		panic(malformed("it ends too early"))
	}
	r.at++
	return r.b[r.at-1]
}

func (r *reader) u64() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	panic(malformed("a number is too long"))
}

func (r *reader) u32() uint32 {
	v := r.u64()
	if v > 1<<32-1 {
		panic(malformed("a number is too large"))
	}
	return uint32(v)
}

// count reads how many entries follow; each takes at least a byte.
func (r *reader) count() int {
	n := int(r.u32())
	if n > len(r.b)-r.at {
		panic(malformed("it ends too early"))
	}
	return n
}

func (r *reader) index(n int) int {
	i := int(r.u32())
	if i >= n {
		panic(malformed("an index is out of range"))
	}
	return i
}

func (r *reader) bytes() []byte {
	n := r.count()
	r.at += n
	return r.b[r.at-n : r.at]
}

func (r *reader) name() string  { return string(r.bytes()) }
func (r *reader) types() []byte { return r.bytes() }
func (r *reader) limits() limits {
	l := limits{start: r.at}
	l.flags = r.byte()
	l.min = r.u64()
	if l.flags&1 == 1 {
		l.max = r.u64()
	}
	l.end = r.at
	return l
}
