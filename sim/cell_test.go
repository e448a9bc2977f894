package sim

import (
	"reflect"
	"testing"
)

var someCell = Cell{
	Trace: "web.log", TraceSHA256: "ab12", ObjectSize: "first", Requests: 1000,
	Policy: "s3fifo:small=0.1", ModuleSHA: "cd34", Capacity: 64 << 20, Seed: 7,
	Engine: "cranelift", ABI: "pair", Handle: "srs",
}

// TestCellIDTellsEveryFieldApart changes one field at a time. A Cell prints as a
// line for people, and an ID made from that line once gave many cells the same.
func TestCellIDTellsEveryFieldApart(t *testing.T) {
	ids := map[string]string{someCell.ID(): "nothing"}
	for i := range reflect.TypeFor[Cell]().NumField() {
		c := someCell
		name := reflect.TypeFor[Cell]().Field(i).Name
		switch f := reflect.ValueOf(&c).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Int, reflect.Int64:
			f.SetInt(f.Int() + 1)
		case reflect.Uint64:
			f.SetUint(f.Uint() + 1)
		default:
			t.Fatalf("cannot change %s, a %v", name, f.Kind())
		}
		if other, taken := ids[c.ID()]; taken {
			t.Errorf("changing %s gives the same ID as changing %s", name, other)
		}
		ids[c.ID()] = name
	}
}

// TestCellIDStays guards the IDs in result files that exist.
func TestCellIDStays(t *testing.T) {
	if got, want := someCell.ID(), "916204eeac563b73"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCellNames(t *testing.T) {
	native := someCell
	native.Engine, native.ABI, native.Handle = NativeEngine, "", ""
	tests := []struct {
		cell          Cell
		version, name string
	}{
		{someCell, "cranelift/pair/srs", "web.log: s3fifo:small=0.1 at 64 MiB, cranelift/pair/srs"},
		{native, "native", "web.log: s3fifo:small=0.1 at 64 MiB, native"},
	}
	for _, tt := range tests {
		if got := tt.cell.Version(); got != tt.version {
			t.Errorf("version: got %q, want %q", got, tt.version)
		}
		if got := tt.cell.String(); got != tt.name {
			t.Errorf("name: got %q, want %q", got, tt.name)
		}
	}
}
