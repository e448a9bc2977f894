// Package module reads what WebAssembly modules declare, and writes them with
// other limits and other names to import from. No engine is needed for it.
package module

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Module is a module as bytes, with what its sections declare.
type Module struct {
	Bytes   []byte
	Exports map[string]Export
	Names   []string // of the exports, in the order of the module
	Imports []Import

	// The memory and the tables of the module's own: where their limits
	// lie, and what they say.
	memory *limits
	tables []limits

	functions         []*Signature // imported ones first
	importedFunctions int
	// How many there are, imported ones included.
	types, globals, memories int
}

// Kinds of what is imported and exported.
const (
	KindFunction = 0
	KindTable    = 1
	KindMemory   = 2
	KindGlobal   = 3
)

// An Export is an exported function (Sig not nil) or another thing.
type Export struct {
	Kind byte
	Sig  *Signature

	index int // of a function
}

// An Import is one that the module wants, by the name of another module and of
// what is in it. Sig is that of a function, nil otherwise.
type Import struct {
	Module, Name string
	Kind         byte
	Sig          *Signature

	start, end int // where the two names lie in the module
}

// String names the import, for people: "env.abort".
func (i Import) String() string { return Printable(i.Module + "." + i.Name) }

// A Signature is that of a function, its value types as the binary format has
// them. It is written like "(i32, i64) -> i32"; signatures compare as text.
type Signature struct {
	Params, Results []byte
}

func (s Signature) String() string {
	list := func(types []byte) string {
		names := make([]string, len(types))
		for i, t := range types {
			names[i] = valueTypes[t]
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	if len(s.Results) == 1 {
		return list(s.Params) + " -> " + valueTypes[s.Results[0]]
	}
	return list(s.Params) + " -> " + list(s.Results)
}

// Value types that hosts handle.
const (
	I32 = 0x7f
	I64 = 0x7e
	F64 = 0x7c
)

var valueTypes = map[byte]string{
	I32: "i32", I64: "i64", 0x7d: "f32", F64: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref",
}

// limits are those of a memory or table; start and end say where they lie in
// the module.
type limits struct {
	flags      byte
	min, max   uint64
	start, end int
}

// sectionOrder has the kinds of sections in the order in which a module has them:
// tags (13) and the count of data segments (12) were added between others.
var sectionOrder = []byte{1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11}

// Parse reads a module from bytes, which it keeps. It looks at what the sections
// declare; whether the code is valid is for an engine to say.
func Parse(b []byte) (*Module, error) {
	m := &Module{Bytes: b, Exports: make(map[string]Export)}
	if err := m.parse(); err != nil {
		return nil, err
	}
	return m, nil
}

// parse reads the sections that tell what the module imports and exports
// (WebAssembly Core Specification, chapter 5). Code is left to the engines.
func (m *Module) parse() (err error) {
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
	defer r.caught(&err)
	var types []Signature
	last := -1 // of the sections' places
	for r.at < len(r.b) {
		id := r.byte()
		size := int(r.u32())
		if size > len(r.b)-r.at {
			panic(malformed("a section goes beyond the end"))
		}
		if id != 0 { // which may stand anywhere
			place := bytes.IndexByte(sectionOrder, id)
			if place < 0 {
				panic(malformed(fmt.Sprintf("a section of unknown kind %d", id)))
			}
			if place <= last {
				panic(malformed(fmt.Sprintf("a section of kind %d is twice there, or not in its place", id)))
			}
			last = place
		}
		end := r.at + size
		switch id {
		case 1:
			for range r.count() {
				if form := r.byte(); form != 0x60 {
					panic(malformed(fmt.Sprintf("type 0x%02x is not of a function", form)))
				}
				types = append(types, Signature{r.types(), r.types()})
			}
			m.types = len(types)
		case 2:
			for range r.count() {
				i := Import{start: r.at}
				i.Module, i.Name = r.name(), r.name()
				i.end = r.at
				i.Kind = r.byte()
				switch i.Kind {
				case KindFunction:
					i.Sig = &types[r.index(len(types))]
					m.functions = append(m.functions, i.Sig)
					m.importedFunctions++
				case KindTable:
					r.byte()
					r.limits()
				case KindMemory:
					r.limits()
					m.memories++
				case KindGlobal:
					r.byte()
					r.byte()
					m.globals++
				default:
					panic(malformed("unknown kind of import"))
				}
				m.Imports = append(m.Imports, i)
			}
		case 3:
			for range r.count() {
				m.functions = append(m.functions, &types[r.index(len(types))])
			}
		case 4:
			for range r.count() {
				r.byte()
				m.tables = append(m.tables, r.limits())
			}
		case 5:
			for range r.count() {
				l := r.limits()
				m.memory = &l
				m.memories++
			}
		case 6: // its expressions are left to the engines
			m.globals += r.count()
			r.at = end
		case 7:
			for range r.count() {
				name := r.name()
				e := Export{Kind: r.byte()}
				if e.Kind == KindFunction {
					e.index = r.index(len(m.functions))
					e.Sig = m.functions[e.index]
				} else {
					r.u32()
				}
				m.Exports[name] = e
				m.Names = append(m.Names, name)
			}
		}
		if r.at > end {
			panic(malformed("a section holds more than its length says"))
		}
		r.at = end
		if m.memories > 1 {
			return errors.New("it has more than one memory, which cachesim does not run")
		}
	}
	return nil
}

// Printable returns s with every character that would not show, or do something
// to a terminal, written as Go escapes it. Names in modules, and what guests
// write, can hold any bytes.
func Printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) && r != utf8.RuneError {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRuneToASCII(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// Function returns the signature of an exported function, nil where there is
// none of the name.
func (m *Module) Function(name string) *Signature { return m.Exports[name].Sig }

// FunctionName returns the name of function n: that of the name section, of an
// export, or its number.
func (m *Module) FunctionName(n int) string {
	if name := m.debugName(n); name != "" {
		return Printable(name)
	}
	for _, name := range m.Names {
		if e := m.Exports[name]; e.Kind == KindFunction && e.index == n {
			return Printable(name)
		}
	}
	return fmt.Sprintf("number %d", n)
}

// debugName looks a function up in the custom section called name, which is
// optional and may be damaged (WebAssembly Core Specification, appendix A.4).
func (m *Module) debugName(n int) (name string) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(malformed); !ok {
				panic(p)
			}
		}
	}()
	for r := (&reader{b: m.Bytes, at: 8}); r.at < len(r.b); {
		id, size := r.byte(), int(r.u32())
		end := r.at + size
		if id == 0 && r.name() == "name" {
			for r.at < end {
				kind, size := r.byte(), int(r.u32())
				next := r.at + size
				if kind == 1 {
					for range r.count() {
						i, name := r.u32(), r.name()
						if int(i) == n {
							return name
						}
					}
				}
				r.at = next
			}
		}
		r.at = end
	}
	return ""
}

// Has reports whether the module exports a function with just this signature.
func (m *Module) Has(name, sig string) bool {
	s := m.Function(name)
	return s != nil && s.String() == sig
}

// maxTable is how many elements a guest's table may have: more than any compiler
// emits, and some MiB in the host.
const maxTable = 1 << 20

// PageSize is the unit of memories, in bytes.
const PageSize = 1 << 16

// Memory returns how many pages the module's own memory starts with and may grow
// to, 0 where it does not say; ok is false where it has none.
func (m *Module) Memory() (first, most uint64, ok bool) {
	if m.memory == nil {
		return 0, 0, false
	}
	if m.memory.flags&1 == 1 {
		most = m.memory.max
	}
	return m.memory.min, most, true
}

// Limited returns the module's bytes with its memory declared to grow to no more
// than so many 64 KiB pages, and its tables to maxTable elements, which every
// engine enforces. It fails where the module wants more from the start.
func (m *Module) Limited(pages uint64) ([]byte, error) {
	var edits []edit
	lower := func(l limits, most uint64) {
		if l.flags&1 == 1 {
			most = min(most, l.max)
		}
		b := append([]byte{l.flags | 1}, uleb(l.min)...)
		edits = append(edits, edit{l.start, l.end, append(b, uleb(most)...)})
	}
	for _, t := range m.tables { // they come before memories in a module
		if t.min > maxTable {
			return nil, fmt.Errorf("it wants a table of %d elements, the limit is %d", t.min, maxTable)
		}
		lower(t, maxTable)
	}
	if l := m.memory; l != nil {
		if l.min > pages {
			return nil, fmt.Errorf("it wants %d KiB of memory from the start, the limit is %d KiB: raise --guest-memory", l.min<<6, pages<<6)
		}
		lower(*l, pages)
	}
	return m.edited(edits), nil
}

// Relinked returns the module's bytes with what it imports called by other
// names: name gives the new module and name of each import.
func (m *Module) Relinked(name func(Import) (module, name string)) []byte {
	var edits []edit
	for _, i := range m.Imports {
		var b []byte
		module, name := name(i)
		for _, s := range []string{module, name} {
			b = append(append(b, uleb(uint64(len(s)))...), s...)
		}
		edits = append(edits, edit{i.start, i.end, b})
	}
	return m.edited(edits)
}

// An edit puts other bytes in the place of some.
type edit struct {
	start, end int
	with       []byte
}

// edited returns the module's bytes with edits, which are in order and within
// sections, made.
func (m *Module) edited(edits []edit) []byte {
	out := append([]byte(nil), m.Bytes[:8]...)
	for r := (&reader{b: m.Bytes, at: 8}); r.at < len(r.b); {
		id := r.byte()
		size := int(r.u32())
		at, end := r.at, r.at+size
		var section []byte
		for len(edits) > 0 && edits[0].start < end {
			section = append(append(section, m.Bytes[at:edits[0].start]...), edits[0].with...)
			at = edits[0].end
			edits = edits[1:]
		}
		section = append(section, m.Bytes[at:end]...)
		out = append(append(append(out, id), uleb(uint64(len(section)))...), section...)
		r.at = end
	}
	return out
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

// caught makes an error of what a reader has panicked with.
func (r *reader) caught(err *error) {
	if p := recover(); p != nil {
		bad, ok := p.(malformed)
		if !ok {
			panic(p)
		}
		*err = fmt.Errorf("not a valid WebAssembly module: at byte %d: %s", r.at, string(bad))
	}
}

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
	if l.flags > 1 {
		panic(malformed("a memory is shared, or has 64-bit addresses, which cachesim does not run"))
	}
	l.min = r.u64()
	if l.flags&1 == 1 {
		l.max = r.u64()
	}
	l.end = r.at
	return l
}
