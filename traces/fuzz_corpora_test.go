package traces

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"cachesim/sim"
)

// fuzzCorpora decodes anything as one of the formats: there may be errors, but
// neither a panic nor a record that no trace may have.
func fuzzCorpora(f *testing.F, of func(Format) bool) {
	var formats []Format
	number := map[string]int{}
	for _, format := range corpusFormats {
		if of(format) {
			number[format.Name] = len(formats)
			formats = append(formats, format)
		}
	}
	for _, s := range samples() {
		if i, ok := number[s.format]; ok && len(s.data) < 10_000 {
			f.Add(uint8(i), s.data, s.args["columns"], s.args["block"], s.args["format"])
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, data, columns, block, format string) {
		fmt := formats[int(i)%len(formats)]
		c, why := fmt.Probe([]byte(data), true)
		if why == "" {
			t.Errorf("%s: confidence %d without a reason", fmt.Name, c)
		}
		fmt.Probe([]byte(data), false)
		args, err := fmt.args(nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]string{"columns": columns, "block": block, "format": format} {
			if _, ok := args[name]; ok && v != "" {
				args[name] = v
			}
		}
		if _, ok := args["id"]; ok && args["id"] == "" {
			args["id"] = "1"
		}
		d, err := fmt.New(strings.NewReader(data), args)
		if err != nil {
			return
		}
		dst := make([]Record, 64)
		for total, errs := 0, 0; total < 1<<16; {
			n, err := d.Decode(dst)
			if n == 0 && err == nil {
				t.Fatalf("%s: neither records nor an error", fmt.Name)
			}
			for _, r := range dst[:n] {
				if r.Size < 0 || r.Size > sim.MaxSize || r.Op > sim.Delete {
					t.Fatalf("%s: record %+v", fmt.Name, r)
				}
				if r.Text != nil && len(r.Text) > len(data)+64 {
					t.Fatalf("%s: an id of %d bytes in %d", fmt.Name, len(r.Text), len(data))
				}
			}
			if g, ok := d.(Grouper); ok {
				for _, at := range g.Groups() {
					if at < 0 || at >= n {
						t.Fatalf("group at %d of %d records", at, n)
					}
				}
			}
			total += n
			var syntax *SyntaxError
			switch {
			case errors.As(err, &syntax):
				if errs++; errs > len(data)+2 {
					t.Fatalf("%s: more errors than bytes, such as %v", fmt.Name, err)
				}
			case err == io.EOF:
				if n > 0 {
					t.Fatalf("%s: io.EOF with %d records", fmt.Name, n)
				}
				total = 1 << 16
			case err != nil:
				total = 1 << 16
			}
		}
		if r, ok := d.(Reporter); ok {
			r.Report()
		}
	})
}

func isTable(f Format) bool {
	for _, t := range slices.Concat(generalTables, corpusTables) {
		if t.name == f.Name {
			return true
		}
	}
	return false
}

func FuzzTables(f *testing.F) { fuzzCorpora(f, isTable) }

func FuzzBinary(f *testing.F) {
	fuzzCorpora(f, func(f Format) bool { return !isTable(f) && f.Name != Parquet.Name && f.Name != KVJSONL.Name })
}

// FuzzParquet starts with samples that are whole, cut, and have a bit flipped (TestCorporaDamaged has
// more of them). What describes a file is in the file, so that a few wrong bytes may claim anything.
func FuzzParquet(f *testing.F) {
	for _, name := range []string{"pelikan", "text-ids", "no-trace"} {
		data := []byte(testFile("testdata/" + name + ".parquet"))
		f.Add(data)
		for i, at := range positions(len(data)) {
			if i%8 > 0 { // before fuzzing starts, each takes some milliseconds
				continue
			}
			f.Add(data[:at])
			flipped := bytes.Clone(data)
			flipped[at] ^= 1 << (i / 8 % 8)
			f.Add(flipped)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newDecoder(t, "parquet", nil, bytes.NewReader(data))
		defer d.(io.Closer).Close()
		dst := make([]Record, 64)
		for range 1 << 12 {
			n, err := d.Decode(dst)
			if n == 0 && err == nil {
				t.Fatal("neither records nor an error")
			}
			for _, r := range dst[:n] {
				if r.Size < 0 || r.Size > sim.MaxSize || r.Op > sim.Delete {
					t.Fatalf("record %+v", r)
				}
			}
			var syntax *SyntaxError
			if err != nil && !errors.As(err, &syntax) {
				if err == io.EOF && n > 0 {
					t.Fatalf("io.EOF with %d records", n)
				}
				if n, err := d.Decode(dst); n != 0 || err != io.EOF {
					t.Fatalf("behind the end: %d records, %v", n, err)
				}
				return
			}
		}
	})
}

func FuzzKV(f *testing.F) {
	fuzzCorpora(f, func(f Format) bool { return f.Name == KVJSONL.Name })
}
