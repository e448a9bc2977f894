package module

import "errors"

// turn is what a turn of a loop adds to the counter of its function, which looks at
// the stop global when the counter comes to 0 again: every 1024 turns, so that
// neither a mask nor a limit is needed. A look is a call, which costs some
// nanoseconds. Its distance must not be too large: where a loop calls a function
// whose loop ends before its first look, the outer loop has to take that many turns
// of the inner one.
const turn = 1 << 22

// Interruptible returns the module's bytes with loops that can be stopped from
// outside: once the host has set the exported global stop, an i32, to anything
// but 0, each loop traps within a few turns. Its start function, which would run
// before the host can find the global, becomes the export start instead, if
// there is one: the host has to call it first. It returns an error where the
// code has instructions that cachesim does not know.
//
// Each function that loops gets a local that counts the turns of its loops:
//
//	loop
//	  block
//	    (br_if 0 (local.tee $turns (i32.add (local.get $turns) turn)))
//	    (call $look)
//	  end
//	  ...
//
// and look is a function of its own, (if (global.get $stop) (then unreachable)):
// compilers keep globals in registers, but not across calls. The code needs
// nothing from the host, and no import, which would change the number of every
// function.
//
// With yield, look also grows the memory by nothing. A runtime that is written in
// Go has to leave its machine code for that: otherwise the loop would keep Go's
// collector waiting, which stops all goroutines before it starts, and with them
// whoever would set the global. A module without a memory gets one of no pages.
//
// What never ends without a loop are calls in tail position; a module with those
// is refused. Other recursion ends with the stack.
func (m *Module) Interruptible(stop, start string, yield bool) (b []byte, started bool, err error) {
	r := &reader{b: m.Bytes, at: 8}
	defer r.caught(&err)
	out := append([]byte(nil), m.Bytes[:8]...)
	section := func(id byte, parts ...[]byte) {
		n := 0
		for _, p := range parts {
			n += len(p)
		}
		out = append(append(out, id), uleb(uint64(n))...)
		for _, p := range parts {
			out = append(out, p...)
		}
	}
	// more returns how many entries a section has with so many more, and its
	// entries as they are.
	more := func(end, added int) (count, entries []byte) {
		n := r.u32()
		return uleb(uint64(n) + uint64(added)), m.Bytes[r.at:end]
	}
	look := len(m.functions)                    // its number: that behind the last one
	stopGlobal := []byte{I32, 1, 0x41, 0, 0x0b} // mutable, i32.const 0
	var startFunction []byte
	// The start section comes behind the exports, which it adds to.
	for scan := (&reader{b: m.Bytes, at: 8}); scan.at < len(m.Bytes); {
		id, size := scan.byte(), int(scan.u32())
		end := scan.at + size
		if id == 8 {
			startFunction = uleb(uint64(scan.u32()))
		}
		scan.at = end
	}
	globals, memory := false, !yield || m.memories > 0
	for r.at < len(r.b) {
		id, size := r.byte(), int(r.u32())
		end := r.at + size
		if !memory && (id == 6 || id == 7) {
			memory = true
			section(5, []byte{1, 1, 0, 0}) // from 0 to 0 pages
		}
		if id == 7 && !globals {
			section(6, uleb(1), stopGlobal)
		}
		switch id {
		case 1:
			count, entries := more(end, 1)
			section(id, count, entries, []byte{0x60, 0, 0})
		case 3:
			count, entries := more(end, 1)
			section(id, count, entries, uleb(uint64(m.types)))
		case 6:
			globals = true
			count, entries := more(end, 1)
			section(id, count, entries, stopGlobal)
		case 7:
			added := export(stop, KindGlobal, uleb(uint64(m.globals)))
			n := 1
			if startFunction != nil {
				added, n = append(added, export(start, KindFunction, startFunction)...), 2
			}
			count, entries := more(end, n)
			section(id, count, entries, added)
		case 8:
		case 10:
			bodies := r.count()
			if bodies != len(m.functions)-m.importedFunctions {
				panic(malformed("functions and their code differ in number"))
			}
			code := uleb(uint64(bodies) + 1)
			for i := range bodies {
				size := int(r.u32())
				if size > end-r.at {
					panic(malformed("code goes beyond the end of its section"))
				}
				body, err := r.interruptible(r.at+size, len(m.functions[m.importedFunctions+i].Params), look)
				if err != nil {
					return nil, false, err
				}
				code = append(append(code, uleb(uint64(len(body)))...), body...)
			}
			body := []byte{0} // no locals
			if yield {
				body = append(body, 0x41, 0, 0x40, 0, 0x1a) // i32.const 0, memory.grow, drop
			}
			body = append(body, 0x23) // global.get
			body = append(body, uleb(uint64(m.globals))...)
			body = append(body, 0x04, 0x40, 0x00, 0x0b, 0x0b) // if, unreachable, end, end
			section(id, code, append(uleb(uint64(len(body))), body...))
		default:
			section(id, m.Bytes[r.at:end])
		}
		r.at = end
	}
	return out, startFunction != nil, nil
}

func export(name string, kind byte, index []byte) []byte {
	b := append(uleb(uint64(len(name))), name...)
	return append(append(b, kind), index...)
}

// interruptible returns the body of a function, which ends at end, with its loops
// looking.
func (r *reader) interruptible(end, params, look int) ([]byte, error) {
	start := r.at
	groups := r.count()
	firstGroup := r.at
	locals := uint64(params)
	for range groups {
		locals += uint64(r.u32())
		if valueTypes[r.byte()] == "" {
			return nil, errUnknownInstruction
		}
	}
	codeStart := r.at
	if locals >= 1<<32-1 {
		panic(malformed("a function has too many locals"))
	}
	var inserted []byte // what stands in every loop
	turns := uleb(locals)
	inserted = append(inserted, 0x02, 0x40)                  // block
	inserted = append(append(inserted, 0x20), turns...)      // local.get
	inserted = append(append(inserted, 0x41), sleb(turn)...) // i32.const
	inserted = append(inserted, 0x6a, 0x22)                  // i32.add, local.tee
	inserted = append(append(inserted, turns...), 0x0d, 0)   // br_if 0
	inserted = append(inserted, 0x10)                        // call
	inserted = append(inserted, uleb(uint64(look))...)       //
	inserted = append(inserted, 0x0b)                        // end
	var out []byte
	from := codeStart
	for r.at < end {
		loop, err := r.instruction()
		if err != nil {
			return nil, err
		}
		if loop {
			out = append(append(out, r.b[from:r.at]...), inserted...)
			from = r.at
		}
	}
	if r.at != end {
		panic(malformed("code goes beyond its function"))
	}
	if from == codeStart { // no loop
		return r.b[start:end], nil
	}
	head := append(uleb(uint64(groups)+1), r.b[firstGroup:codeStart]...)
	head = append(head, 1, I32)
	return append(append(head, out...), r.b[from:end]...), nil
}

// sleb writes a small number that is not negative as a signed one.
func sleb(v uint64) []byte {
	var b []byte
	for ; v >= 0x40; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

var errUnknownInstruction = errors.New("the module has instructions that cachesim cannot look past")

// instruction skips one instruction and reports whether it opens a loop
// (WebAssembly Core Specification, chapter 5.4).
func (r *reader) instruction() (loop bool, err error) {
	switch op := r.byte(); op {
	case 0x03: // loop
		r.signed()
		return true, nil
	case 0x02, 0x04, 0x06, 0xd0: // block, if, try; ref.null
		r.signed()
	case 0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, 0xd1:
	case 0x07, 0x08, 0x09, 0x0c, 0x0d, 0x10, 0x18, 0xd2, 0x3f, 0x40: // labels, tags, functions; the size of a memory
		r.u32()
	case 0x0e: // br_table
		for range r.count() {
			r.u32()
		}
		r.u32()
	case 0x11: // call_indirect
		r.u32()
		r.u32()
	case 0x1c: // select with types
		r.bytes()
	case 0x41, 0x42:
		r.signed()
	case 0x43:
		r.skip(4)
	case 0x44:
		r.skip(8)
	case 0xfc:
		switch op := r.u32(); {
		case op <= 7: // conversions that saturate
		case op == 8 || op == 10 || op == 12 || op == 14:
			r.u32()
			r.u32()
		case op <= 17:
			r.u32()
		default:
			return false, errUnknownInstruction
		}
	case 0xfd: // vectors
		switch op := r.u32(); {
		case op <= 11 || op == 92 || op == 93:
			r.access()
		case op == 12 || op == 13:
			r.skip(16)
		case op >= 21 && op <= 34:
			r.skip(1)
		case op >= 84 && op <= 91:
			r.access()
			r.skip(1)
		case op > 0x113:
			return false, errUnknownInstruction
		}
	case 0xfe: // atomics
		if r.u32() == 3 { // fence
			r.skip(1)
		} else {
			r.access()
		}
	default:
		switch {
		case op >= 0x20 && op <= 0x26: // locals, globals, tables
			r.u32()
		case op >= 0x28 && op <= 0x3e:
			r.access()
		case op >= 0x45 && op <= 0xc4:
		default:
			return false, errUnknownInstruction
		}
	}
	return false, nil
}

// access skips the alignment and the offset of an access to memory.
func (r *reader) access() {
	if r.u32()&0x40 != 0 { // the number of a memory follows
		r.u32()
	}
	r.u64()
}

// signed skips a signed number of any length.
func (r *reader) signed() {
	for range 10 {
		if r.byte() < 0x80 {
			return
		}
	}
	panic(malformed("a number is too long"))
}

func (r *reader) skip(n int) {
	if n > len(r.b)-r.at {
		panic(malformed("it ends too early"))
	}
	r.at += n
}
