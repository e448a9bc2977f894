package module

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cachesim/policies-wasm/wattest"
)

// TestInterruptible compares what becomes of a module with the same written by
// hand.
func TestInterruptible(t *testing.T) {
	tests := []struct{ name, module, want string }{
		{"a loop with a parameter", `(module
			(func (export "f") (param i32 i32) (result i32) (local f64)
				(local.get 0)
				(loop (param i32) (result i32) (br_if 0 (i32.const 0)))))`, `(module
			(global (mut i32) (i32.const 0))
			(func (export "f") (param i32 i32) (result i32) (local f64) (local i32)
				(local.get 0)
				(loop (param i32) (result i32)
					(block (br_if 0 (local.tee 3 (i32.add (local.get 3) (i32.const 4194304)))) (call 1))
					(br_if 0 (i32.const 0))))
			(func (if (global.get 0) (then unreachable)))
			(export "stop" (global 0)))`},
		{"a start function and a global", `(module
			(import "a" "b" (func))
			(import "a" "c" (global i64))
			(global f32 (f32.const 1))
			(func $s (loop (loop (br 1))) (call 0))
			(start $s)
			(func (export "f")))`, `(module
			(import "a" "b" (func))
			(import "a" "c" (global i64))
			(global f32 (f32.const 1))
			(global (mut i32) (i32.const 0))
			(func $s (local i32)
				(loop
					(block (br_if 0 (local.tee 0 (i32.add (local.get 0) (i32.const 4194304)))) (call 3))
					(loop
						(block (br_if 0 (local.tee 0 (i32.add (local.get 0) (i32.const 4194304)))) (call 3))
						(br 1)))
				(call 0))
			(func (export "f"))
			(func (if (global.get 2) (then unreachable)))
			(export "stop" (global 2))
			(export "start" (func $s)))`},
	}
	for _, tt := range tests {
		m, err := Parse(wattest.Assemble(t, tt.module))
		if err != nil {
			t.Fatal(err)
		}
		got, started, err := m.Interruptible("stop", "start", false)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if want := strings.Contains(tt.module, "start"); started != want {
			t.Errorf("%s: started is %v", tt.name, started)
		}
		// The assembler puts types in an order of its own; what functions they are
		// of is seen by what follows.
		want, err := Parse(wattest.Assemble(t, tt.want))
		if err != nil {
			t.Fatal(err)
		}
		g, err := Parse(got)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		for _, id := range []byte{6, 7, 10} {
			if string(sectionOf(g.Bytes, id)) != string(sectionOf(want.Bytes, id)) {
				t.Errorf("%s: section %d\n got %x\nwant %x", tt.name, id, sectionOf(g.Bytes, id), sectionOf(want.Bytes, id))
			}
		}
		for i, f := range want.functions {
			if g.functions[i].String() != f.String() {
				t.Errorf("%s: function %d is %v, want %v", tt.name, i, g.functions[i], f)
			}
		}
		if len(g.functions) != len(want.functions) || sectionOf(g.Bytes, 8) != nil {
			t.Errorf("%s: %d functions, want %d; start section: %x", tt.name, len(g.functions), len(want.functions), sectionOf(g.Bytes, 8))
		}
	}
}

// TestInterruptibleYields looks for the memory that grows by nothing.
func TestInterruptibleYields(t *testing.T) {
	for _, source := range []string{
		`(module (func (export "f") (loop (br 0))))`,
		`(module (memory 0 0) (func (export "f") (loop (br 0))))`,
		`(module (import "a" "m" (memory 0 0)) (global i32 (i32.const 0)) (func (export "f") (loop (br 0))))`,
	} {
		m, err := Parse(wattest.Assemble(t, source))
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := m.Interruptible("stop", "start", true)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(b)
		if err != nil || again.memories != 1 {
			t.Errorf("%s: %d memories, want 1 (error %v)", source, again.memories, err)
		}
		grows := string([]byte{0, 0x41, 0, 0x40, 0, 0x1a, 0x23, byte(m.globals), 0x04, 0x40, 0, 0x0b, 0x0b})
		if !strings.HasSuffix(string(sectionOf(b, 10)), grows) {
			t.Errorf("%s: the code is %x", source, sectionOf(b, 10))
		}
	}
}

func sectionOf(b []byte, want byte) []byte {
	for r := (&reader{b: b, at: 8}); r.at < len(b); {
		id, size := r.byte(), int(r.u32())
		if id == want {
			return b[r.at : r.at+size]
		}
		r.at += size
	}
	return nil
}

// TestInterruptibleInstructions has one of each shape of instruction in front of a
// loop: one that is skipped wrongly would hide the loop.
func TestInterruptibleInstructions(t *testing.T) {
	for _, code := range []string{
		`(block (result i32) (i32.const -70000)) drop`, `(i64.const 0x7fffffffffffffff) drop`, `(f32.const 3) drop`, `(f64.const 3) drop`,
		`(block (block (br_table 0 1 0 (i32.const 0))))`, `(drop (call_indirect (result i32) (i32.const 0)))`,
		`(i64.store offset=70000 align=1 (i32.const 0) (i64.const 3))`, `(drop (memory.grow (memory.size)))`,
		`(memory.copy (i32.const 0) (i32.const 0) (i32.const 0))`, `(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))`,
		`(drop (i32.trunc_sat_f64_s (f64.const 3)))`, `(drop (i64.extend32_s (i64.const 3)))`,
		`(drop (i32x4.extract_lane 1 (v128.load offset=300 (i32.const 0))))`, `(drop (i8x16.shuffle 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 (v128.const i64x2 3 3) (v128.const i64x2 3 3)))`,
		`(drop (v128.load8_lane offset=3 3 (i32.const 3) (v128.const i64x2 3 3)))`, `(drop (v128.load32_zero offset=3 (i32.const 3)))`,
		`(drop (ref.is_null (ref.null func)))`, `(drop (ref.func $f))`, `(drop (select (result i32) (i32.const 3) (i32.const 3) (i32.const 3)))`,
		`(drop (table.size 0))`, `(table.fill 0 (i32.const 3) (ref.null func) (i32.const 3))`,
	} {
		m, err := Parse(wattest.Assemble(t, `(module (memory 1) (table 1 funcref) (elem declare func $f)
			(func $f (export "f") `+code+` (loop (br 0))))`))
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := m.Interruptible("stop", "start", false)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if g, w := len(sectionOf(b, 10)), len(sectionOf(m.Bytes, 10))+2+17+9; g != w {
			t.Errorf("%s: the code has %d bytes, want %d", code, g, w)
		}
	}
	// A call in tail position: (func (return_call 0)).
	m, err := Parse([]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00\x0a\x06\x01\x04\x00\x12\x00\x0b"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Interruptible("stop", "start", false); err == nil {
		t.Error("a tail call is let through")
	}
}

// FuzzInterruptible cuts and changes modules: there is an error, or what comes
// out is a module again.
func FuzzInterruptible(f *testing.F) {
	files, err := filepath.Glob("../guests/*.wasm")
	if err != nil || len(files) == 0 {
		f.Fatal("no guests", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		out, _, err := m.Interruptible("stop", "start", false)
		if err != nil {
			return
		}
		if again, err := Parse(out); err != nil {
			t.Errorf("what comes out is no module: %v", err)
		} else if len(again.functions) != 0 && len(again.functions) != len(m.functions)+1 {
			t.Errorf("%d functions became %d", len(m.functions), len(again.functions))
		}
	})
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"plain text, é 漢":   "plain text, é 漢",
		"\x1b[31mred\x07":   `\x1b[31mred\a`,
		"a\nb\tc":           `a\nb\tc`,
		"bad \xff bytes":    `bad \ufffd bytes`,
		"turned \u202eback": `turned \u202eback`,
	} {
		if got := Printable(s); got != want {
			t.Errorf("Printable(%q) = %q, want %q", s, got, want)
		}
	}
}
