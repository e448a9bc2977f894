package traces

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	var many []next // more than the part of the file that is looked at
	for i := range 5000 {
		many = append(many, next{uint32(i), 7, 512, int64(i + 2)})
	}
	many[len(many)-1].next = -1
	var junk []byte
	for r := rand.New(rand.NewPCG(1, 2)); len(junk) < 4096; {
		junk = binary.LittleEndian.AppendUint64(junk, r.Uint64())
	}
	unknown := "it starts with binary data that is of no known format"
	tests := []struct {
		name     string
		data     string
		format   string
		requests int
		fault    string
	}{
		{"id-size", "1 10\n2 20\n", "id-size", 2, ""},
		{"one line", "1 10", "id-size", 1, ""},
		{"blank lines first", "\n \r\n\n1 10\n", "id-size", 1, ""},
		{"white space that parts no fields", "a\u00a0b 10\nc\vd 10\n", "id-size", 2, ""},
		{"long file of short lines", strings.Repeat("1 10\n", 50_000), "id-size", 50_000, ""},
		{"time-id-size", "5 1 10\n6 2 20\n", "time-id-size", 2, ""},
		{"tabs", "5\ta\t10\n", "time-id-size", 1, ""},
		{"oracleGeneral", string(oracle(t, next{0, 1, 10, 2}, next{0, 1, 10, -1})), "oracleGeneral", 2, ""},
		{"oracleGeneral that ends in MaxInt64", string(oracle(t, next{0, 1, 10, 2}, next{0, 1, 10, math.MaxInt64})), "oracleGeneral", 2, ""},
		{"long oracleGeneral", string(oracle(t, many...)), "oracleGeneral", 5000, ""},
		{"oracleGeneral cut off", string(oracle(t, many...)[:100]), "", 0, "t: at byte 96: the last record has 4 of 24 bytes"},

		{"empty", "", "", 0, "it holds no requests"},
		{"a licence", "MIT License\n\nCopyright (c) 2024 The authors\n\nPermission is hereby granted, free of charge,\nto any person obtaining a copy\nof this software\n", "", 0,
			`it does not look like a trace: most of its first lines have no number, as "MIT License" (if it is one, --columns`},
		{"a configuration", "# a\n# b 1\n# c 2\nserver 1;\n# d\n", "", 0, "it does not look like a trace: most of its first lines are comments"},
		{"prose with numbers", "In 2024 1\nwe had 5 cats\n7\nand 8 of the 9 dogs\nran 10 miles in 2 hours\nor 6 more\n" + strings.Repeat("a ", 20) + "1\n", "", 0, "it does not look like a trace: the number of fields differs from line to line"},
		{"ELF", "\x7fELF\x02\x01\x01" + string(make([]byte, 500)), "", 0, "it looks like an executable, not a trace"},
		{"a script", "#!/bin/sh\nexit 1\n", "", 0, "it looks like a script, not a trace"},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "", 0, "it looks like an image (image/png), not a trace"},
		{"PDF", "%PDF-1.7\n%\xe2\xe3\n\x00\x01", "", 0, "it looks like a document (application/pdf), not a trace"},
		{"HTML", "<!DOCTYPE html>\n<html>\n", "", 0, "it looks like HTML (a web page that was saved in place of the file?), not a trace"},
		{"WASM", "\x00asm\x01\x00\x00\x00\x01", "", 0, "it looks like a WASM module (--policy takes it), not a trace"},
		{"memory addresses", "s 0x1fffff50 1\nl 0x20 2\n", "", 0, `cannot tell its format: its first line is "s 0x1fffff50 1" (a table of 3 fields between blanks is read with --columns id=1,size=2,time=3 --trace-param delimiter=space, by the`},
		{"blank lines only", "\n\r\n \t\n\n", "", 0, "it holds no requests"},
		{"blank for long", strings.Repeat("\n", 100_000) + "1 10\n", "", 0, "cannot tell its format: its first 65536 bytes are blank"},
		{"ids only", "1\n2\n", "id", 2, ""},
		{"one word", "(", "", 0, "cannot tell its format: all that it holds is"},
		{"words", "to be or not to be, that is the question\n", "", 0, "a table of 10 fields between blanks is read with --columns"},
		{"a table", "a,b c,d,7 e f\n", "", 0, "--columns id=1,size=2"},
		{"access log", `83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a.png HTTP/1.1" 200 203023 "-" "Mozilla/5.0"` + "\n", "combined", 1, ""},
		{"junk", "\x00\x01" + string(junk), "", 0, unknown},
		{"short junk", "\x00\x01\x02", "", 0, unknown},
		{"zeros", string(make([]byte, 4800)), "", 0, "it looks like a file of zeros, not a trace"},
		{"a pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:3d74\nsize 132054902\n", "", 0, "it looks like a pointer of Git LFS (git lfs pull"},
		{"a JSON array", "[\n  {\"status\": 200}\n]\n", "", 0, "it looks like a JSON array, but a log has an object a line: jq -c"},
		{"a JSON document", "{\n  \"status\": 200\n}\n", "", 0, "it looks like JSON over several lines"},
		{"colons", "root:x:0:0:root:/root:/bin/bash\nnews:x:9:9:news and more:/:\n", "", 0, `its first line is "root:x:0:0:root:/root:/bin/bash" (a table of 7 fields between colons is read with --columns id=1,size=2,time=3 --trace-param delimiter=:, by`},
		{"next access that lies behind", string(oracle(t, next{0, 1, 10, -1}, next{0, 1, 10, 1})), "", 0, "cannot tell its format: it"},
		{"next access beyond any trace", string(oracle(t, next{0, 1, 10, 1 << 50})), "", 0, unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			trace, err := Read(strings.NewReader(test.data), "t", Options{})
			if test.fault != "" {
				if err == nil {
					t.Fatalf("read as %d requests of %s, want the error %q", trace.Requests, trace.Format, test.fault)
				}
				if !strings.Contains(err.Error(), test.fault) || !strings.Contains(err.Error(), "t:") {
					t.Fatalf("got the error %q, want one of file t with %q", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if trace.Format != test.format || trace.Requests != test.requests {
				t.Errorf("got %d requests of %s, want %d of %s", trace.Requests, trace.Format, test.requests, test.format)
			}
		})
	}
}

func TestFormatByName(t *testing.T) {
	// Without a name this would be id-size; its bytes are also a record.
	record := oracle(t, next{0x20312031, 0x0a31203120312031, 0x0a312031, math.MaxInt64})
	trace, err := Read(bytes.NewReader(record), "t", Options{Format: "oracleGeneral"})
	if err != nil || trace.Format != "oracleGeneral" || trace.LargestSize != 0x0a312031 {
		t.Errorf("as oracleGeneral: got %+v, %v", trace, err)
	}
	_, err = Read(strings.NewReader("1 10\n"), "t", Options{Format: "time-id-size"})
	if err == nil || err.Error() != `t:1: want 3 fields, "time id size", got 2` {
		t.Errorf("two fields as time-id-size: got the error %v", err)
	}
	for _, compressed := range []string{"", "gzip"} {
		data := []byte("1 10\n")
		if compressed != "" {
			data = compress(t, compressed, data)
		}
		_, err = Read(bytes.NewReader(data), "t", Options{Format: "id-sise"})
		if err == nil || !strings.Contains(err.Error(), `unknown trace format "id-sise"`) ||
			!strings.Contains(err.Error(), "id-size") || strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: got the error %v, want unknown format, id-size proposed", compressed, err)
		}
	}
}
