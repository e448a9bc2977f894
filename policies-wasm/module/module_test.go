package module

import (
	"fmt"
	"strings"
	"testing"

	"cachesim/policies-wasm/wattest"
)

const sample = `(module
	(import "a" "send" (func (param i32 i64) (result i32)))
	(import "a" "time" (global (mut i32)))
	(import "b" "memory" (memory 1))
	(table $t 3 funcref) (table 5 10 funcref)
	(func (export "f") (param f64) (result i64) i64.const 1))`

func TestParse(t *testing.T) {
	m, err := Parse(wattest.Assemble(t, sample))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(m.Imports[0], " ", m.Imports[0].Sig, " ", m.Imports[1], " ", m.Imports[2], " ", m.Imports[2].Kind); got != "a.send (i32, i64) -> i32 a.time b.memory 2" {
		t.Errorf("imports: %s", got)
	}
	if !m.Has("f", "(f64) -> i64") || m.Has("f", "() -> ()") || m.Function("g") != nil {
		t.Errorf("exports: %v", m.Exports)
	}
}

// TestRelinked gives imports other names, longer and shorter, and leaves the rest
// of the module as it is.
func TestRelinked(t *testing.T) {
	m, err := Parse(wattest.Assemble(t, sample))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("long", 100)
	again, err := Parse(m.Relinked(func(i Import) (string, string) { return long, "x" + i.Name }))
	if err != nil {
		t.Fatal(err)
	}
	for n, i := range again.Imports {
		if i.Module != long || i.Name != "x"+m.Imports[n].Name || i.Kind != m.Imports[n].Kind {
			t.Errorf("import %d is %v", n, i)
		}
	}
	back, err := Parse(again.Relinked(func(i Import) (string, string) {
		module := "a"
		if i.Kind == KindMemory {
			module = "b"
		}
		return module, i.Name[1:]
	}))
	if err != nil || string(back.Bytes) != string(m.Bytes) {
		t.Errorf("renaming and renaming back changes the module (error %v)", err)
	}
}

// TestMemoriesRefused holds modules to one plain memory, which is all that is
// limited.
func TestMemoriesRefused(t *testing.T) {
	for section, want := range map[string]string{
		"\x05\x03\x01\x00\x01":         "",
		"\x05\x05\x02\x00\x01\x00\x01": "more than one memory",
		"\x05\x04\x01\x03\x01\x02":     "shared",
		"\x05\x03\x01\x04\x01":         "64-bit",
	} {
		_, err := Parse([]byte("\x00asm\x01\x00\x00\x00" + section))
		if want == "" && err == nil {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", section, err, want)
		}
	}
}

// FuzzLimited lowers limits in mutated modules: what comes out can be read, and
// declares no more than the limit.
func FuzzLimited(f *testing.F) {
	f.Add(wattest.Assemble(f, sample))
	f.Add(wattest.Assemble(f, `(module (memory 1) (table 1 funcref))`))
	f.Add(wattest.Assemble(f, `(module (memory 1 100))`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		limited, err := m.Limited(64)
		if err != nil {
			return
		}
		again, err := Parse(limited)
		if err != nil {
			t.Fatalf("limiting the memory broke the module: %v", err)
		}
		if again.memory != nil && again.memory.max > 64 {
			t.Fatalf("the limited module may have %d pages", again.memory.max)
		}
	})
}

// TestSectionOrder refuses modules whose sections are doubled or out of order:
// editing their limits went out of the bounds of a section.
func TestSectionOrder(t *testing.T) {
	const table, memory, types = "\x04\x04\x01\x70\x00\x01", "\x05\x03\x01\x00\x01", "\x01\x01\x00"
	for sections, want := range map[string]string{
		types + table + memory:          "",
		memory + table:                  "kind 4 is twice there, or not in its place",
		table + table:                   "kind 4 is twice there, or not in its place",
		table + "\x20\x00":              "unknown kind 32",
		"\x00\x02\x01a" + table:         "",
		table + "\x00\x02\x01a":         "",
		table + "\x0d\x01\x00" + memory: "kind 5 is twice there, or not in its place",
	} {
		m, err := Parse([]byte("\x00asm\x01\x00\x00\x00" + sections))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", sections, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", sections, err)
			continue
		}
		if _, err := m.Limited(2); err != nil {
			t.Errorf("%q: %v", sections, err)
		}
	}
}
