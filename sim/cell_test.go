package sim

import (
	"reflect"
	"testing"
)

var someCell = Cell{
	Trace: "web.log", TraceDigest: "ab12", Clock: "ef", Requests: 1000, Warmup: 10, Window: Window{Requests: 100},
	Policy: "s3fifo:small=0.1", Revision: 1, ModuleSHA: "cd34", Capacity: 64 << 20, Unit: UnitBytes, Metadata: 8, Seed: 7,
	GuestMemory: 1 << 30, Version: Version{Engine: "cranelift", ABI: "pair", Handle: "srs"},
}

// TestCellIDDependsOnEveryField changes one field at a time. A Cell prints as a
// line for people, and an ID made from that line once gave many cells the same.
func TestCellIDDependsOnEveryField(t *testing.T) {
	ids := map[string]string{someCell.ID(): "nothing"}
	var check func(v func(*Cell) reflect.Value, name string)
	check = func(field func(*Cell) reflect.Value, name string) {
		c := someCell
		switch f := field(&c); f.Kind() {
		case reflect.Struct:
			for i := range f.NumField() {
				check(func(c *Cell) reflect.Value { return field(c).Field(i) }, name+"."+f.Type().Field(i).Name)
			}
			return
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Int, reflect.Int64:
			f.SetInt(f.Int() + 1)
		case reflect.Uint64:
			f.SetUint(f.Uint() + 1)
		case reflect.Float64:
			f.SetFloat(f.Float() + 0.01)
		case reflect.Bool:
			f.SetBool(!f.Bool())
		default:
			t.Fatalf("cannot change %s, a %v", name, f.Kind())
		}
		if name == "Cell.Trace" {
			if c.ID() != someCell.ID() {
				t.Error("the ID depends on the name of the trace's file")
			}
			return
		}
		if other, taken := ids[c.ID()]; taken {
			t.Errorf("changing %s gives the same ID as changing %s", name, other)
		}
		ids[c.ID()] = name
	}
	check(func(c *Cell) reflect.Value { return reflect.ValueOf(c).Elem() }, "Cell")
}

// TestCellIDStays guards the IDs in result files that exist.
func TestCellIDStays(t *testing.T) {
	if got, want := someCell.ID(), "c4cea87d55391cfd"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCellNames(t *testing.T) {
	native := someCell
	native.Version = Version{Engine: NativeEngine}
	sampled := native
	sampled.Sampling = Sampling{Rate: 0.01, Salts: 3}
	tests := []struct {
		cell          Cell
		version, name string
	}{
		{someCell, "cranelift/pair/srs", "web.log: s3fifo:small=0.1 at 64 MiB, cranelift/pair/srs"},
		{native, "native", "web.log: s3fifo:small=0.1 at 64 MiB, native"},
		{sampled, "native", "web.log: s3fifo:small=0.1 at 64 MiB, native, estimated from a 1 % sample, 3 salts"},
	}
	for _, tt := range tests {
		if got := tt.cell.Version.String(); got != tt.version {
			t.Errorf("version: got %q, want %q", got, tt.version)
		}
		if got := tt.cell.String(); got != tt.name {
			t.Errorf("name: got %q, want %q", got, tt.name)
		}
	}
}
