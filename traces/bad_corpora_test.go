package traces

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCorporaBad has malformed records in the middle: each is one error that
// says where it is and what was expected, and what follows is read.
func TestCorporaBad(t *testing.T) {
	tests := []struct {
		format string
		args   Args
		data   string
		want   []string
		bad    []string
	}{
		{"oracleGeneralOpNS", nil, fromHex(`
			64000000 0b00000000000000 e8030000 01 0700 0300000000000000
			64000000 0b00000000000000 e8030000 0f 0700 ffffffffffffffff
			64000000 0b00000000000000 e8030000 01 0700 feffffffffffffff
			64000000 0c00000000000000 e8030000 01 0700 ffffffffffffffff 00`),
			[]string{"100 11 1000 get 0", "100 12 1000 get 0"},
			[]string{"t: at byte 43: operation code 15 is not one of oracleGeneralOpNS",
				"t: at byte 73: next access -2 is neither an index nor -1: the file is damaged or is not oracleGeneralOpNS",
				"t: at byte 108: the last record has 1 of 27 bytes: the file is cut off or is not oracleGeneralOpNS"}},
		{"standardBinIQQ", nil, fromHex(`
			64000000 0b00000000000000 ffffffffffffff00
			64000000 0b00000000000000 0000000000000001`),
			[]string{"100 11 72057594037927935 get 0"},
			[]string{"t: at byte 32: size 72057594037927936 is more than 72057594037927935 bytes, the most that an object may have"}},
		{"lcs", nil, lcsFile(3, 2, 0, `
			64000000 0b00000000000000 ffffffffffffffff 01070000 00000000 ffffffffffffffff
			64000000 0c00000000000000 0100000000000000 01070000 00000000 ffffffffffffffff`),
			[]string{"100 12 1 get 0"}, []string{"t: at byte 8204: size -1 is negative"}},
		{"lcs", nil, lcsFile(1, 2, 0, "64000000 0b00000000000000 e8030000 ffffffffffffffff"),
			[]string{"100 11 1000 get 0"},
			[]string{"t: at byte 8216: its header says that it has 2 requests, but it has 1: the file is cut off or damaged"}},
		{"lcs", nil, lcsFile(9, 0, 0, ""), nil, []string{"t: at byte 8: version 9 of lcs is not one of 1 to 8"}},
		{"lcs", nil, lcsFile(1, 0, 0, "")[:8191], nil, []string{"t: at byte 8191: the file ends in its header"}},
		{"lcs", nil, lcsFile(1, 0, 0, "")[:100], nil, []string{"t: at byte 100: the file ends in its header"}},
		{"lcs", nil, strings.Replace(lcsFile(1, 0, 0, ""), "\xf0", "\xf1", 1), nil, []string{"t: at byte 0: it does not start with the magic number of lcs"}},
		{"lcs", nil, lcsOldFile("<IQ", "\x02\x00\x01\x00\x00\x00\x03", 12, 0, 0, ""), nil,
			[]string{`t: at byte 254: its header names field 3, but the format "<IQ" has 2`}},
		{"lcs", nil, lcsOldFile("<IQ", "\x02\x00\x01", 16, 0, 0, ""), nil,
			[]string{`t: at byte 1004: its header says that a record has 16 bytes, but the format "<IQ" has 12`}},
		{"lcs", nil, lcsOldFile("<IQ", "\x00\x00\x01", 12, 0, 0, ""), nil, []string{"t: at byte 248: its header names no field with the id"}},
		{"lcs", nil, lcsOldFile("<IZ", "\x02\x00\x01", 12, 0, 0, ""), nil,
			[]string{`t: at byte 8: format "<IZ" has 'Z', which is none of c b B h H i I l L q Q f d x`}},
		{"vscsi", nil, fromHex(`
			00000000 00100000 01000000 2800 0001 0400000000000000 404b4c0000000000
			00000000 00100000 01000000 2801 0001 0400000000000000 404b4c0000000000
			00000000 00100000 01000000 2800 0001 0500000000000000 404b4c0000000000`),
			[]string{"5000000 4 4096 get 0", "5000000 5 4096 get 0"}, []string{"t: at byte 44: operation code 296 is not one of vscsi"}},
		{"vscsi", nil, fromHex(`00000000 00100000 01000000 2800 0003 0400000000000000 404b4c0000000000`), nil,
			[]string{"t: at byte 0: its first record is of neither version 1 nor version 2: the file is cut off or is not vscsi"}},
		{"vscsi", Args{"block": "512"}, fromHex(`
			00000000 00020000 01000000 2800 0001 00000000000000ff 404b4c0000000000
			00000000 ffffffff 01000000 2800 0001 0400000000000000 404b4c0000000000
			00000000 00020000 01000000 2800 0001 0500000000000000 404b4c0000000000`),
			[]string{"5000000 5 512 get 0"},
			[]string{"t: at byte 0: sector 18374686479671623680 is too large",
				"t: at byte 32: a request of 4294967295 bytes touches more than 1048576 blocks"}},
		{"csv", Args{"columns": "id=1,size=2,time=3,op=4,ttl=5,next=6"}, "a,1,1,get,0,-1\nb,-1,1,get,0,-1\n,1,1,get,0,-1\nc,1,x,get,0,-1\nd,1,1,move,0,-1\n" +
			"e,1,1,get,0s,-1\nf,1,1,get,0,-2\ng,1,1,get,0\n\"h,1,1,get,0,-1\ni,72057594037927936,1,get,0,-1\nj,1,1,get,-1,3\n",
			[]string{`1000000000 "a" 1 get 0`, `1000000000 "j" 1 get 0`},
			[]string{`t:2: size "-1" is not a number of bytes`, "t:3: its id is empty", `t:4: time "x" is neither a number nor of RFC 3339`,
				`t:5: operation "move" is not known`, `t:6: time to live "0s" is not a number of seconds`,
				`t:7: next access "-2" is neither an index nor -1`,
				`t:8: want 6 fields as in the first line, got 5: "g,1,1,get,0"`, "t:9: field 1 has no closing quote",
				"t:10: size 72057594037927936 is more than 72057594037927935 bytes, the most that an object may have"}},
		{"csv", nil, "1,2,3\n", nil, []string{`t:1: it has no header line that names its columns: say which they are, as in columns=time=1,id=2,size=3: "1,2,3"`}},
		{"csv", nil, "a,b\n1,2\n", nil, []string{`t:1: its header line has no column with a usual name for the id: say which it is, as in columns=id=1: "a,b"`,
			`t:2: it has no header line that names its columns: say which they are, as in columns=time=1,id=2,size=3: "1,2"`}},
		{"csv", Args{"columns": "id=key"}, "1,2\n", nil, []string{`t:1: columns has names, but the first line is no header line: "1,2"`}},
		{"csv", Args{"columns": "id=key"}, "id,size\n", nil, []string{`t:1: its header line has no column key: "id,size"`}},
		{"csv", Args{"columns": "id=3"}, "1,2\n", nil, []string{`t:1: id is field 3, but its first line has 2: "1,2"`}},
		{"id", nil, "a\nb c\nd", []string{`0 "a" 1 get 0`, `0 "d" 1 get 0`}, []string{`t:2: want 1 field, got 2: "b c"`}},
		{"twitter", nil, "0,k,1,1,1,get,0\n0,k,1,1,1,touch,0\n0,k,-1,1,1,get,0\n0,k,1,1,1,get\n0,k,1,9223372036854775807,1,get,0\nx,k,1,1,1,get,0\n" +
			"0,\x01\x1b[31m,1,x,1,get,0\n0,k,1,1,1,get,9999999999\n",
			[]string{`0 "k" 2 get 0`, `0 "k" 2 get 4294967295`},
			[]string{`t:2: operation "touch" is not known`, `t:3: key size "-1" is not a number`, `t:4: want 7 fields, got 6: "0,k,1,1,1,get"`,
				"t:5: size 9223372036854775807 is more than 72057594037927935 bytes, the most that an object may have", `t:6: time "x" is not a number`,
				`t:7: value size "x" is not a number`}},
		{"meta-kv", nil, "key,op,size,op_count,key_size\na,GET,1,99999999999,1\na,GET,1,1\na,GET,1,1,1\n", []string{`0 "a" 2 get 0`},
			[]string{`t:2: count "99999999999" is not a number of requests`, `t:3: want 5 fields as in the header line, got 4: "a,GET,1,1"`}},
		{"meta-kv", nil, "key,op,size,count\na,GET,1,1\n", nil,
			[]string{`t:1: its header line has no column op_count, key_size: "key,op,size,count"`,
				`t:2: its header line has no column key, op, size, op_count, key_size: "a,GET,1,1"`}},
		{"ibm-object-store", nil, "0 REST.GET.OBJECT ff 1\n0 PUT ff 1\n0 REST.GET.OBJECT fg 1\n0 REST.GET.OBJECT ff\n", []string{`0 "ff" 1 get 0`},
			[]string{`t:2: operation "PUT" does not start with REST`, `t:3: id "fg" is not hexadecimal`, "t:4: REST.GET.OBJECT has no size"}},
		{"tencent-photo", nil, "20160231000000 aa 0 l 5 0 PC 0\n20160301000000 aa 0 l 5 0 PC 0\n", []string{`1456790400 "aa/0/l" 5 get 0`},
			[]string{`t:1: time "20160231000000" is not of the form YYYYMMDDHHMMSS`}},
		{"msr", nil, "1,h,0,Read,281474976710656,1,0\n1,h,0,Peek,0,1,0\n1,h,0,Read,0,1,0\n", []string{"1 0 1 get 0"},
			[]string{"t:1: offset 281474976710656 is too large", `t:2: operation "Peek" is not known`}},
		{"tencent-block", nil, "1538323200,1,1,2,5\n1538323200,1,1,0,5\n", []string{"1538323200 1 512 get 0"},
			[]string{`t:1: type "2" is neither 0 (read) nor 1 (write)`}},
		{"webcachesim-ant", nil, "1 0 7 1\n1 0 7 1\n4294967295 0 7 1\n", []string{"0 7 1 get 0", "0 7 1 get 0"},
			[]string{"t:2: next request 1 does not lie behind request 1"}},
		{"ms-etw", nil, "DiskRead, 1\n", nil, []string{"t:1: it does not start with BeginHeader"}},
		{"kv-jsonl", nil, `{"timestamp":1,"input_length":5,"hash_ids":[1]` + "\n" + `{"timestamp":1,"input_length":5,"hash_ids":[1]} x` + "\n" +
			`{"timestamp":1,"input_length":5}` + "\n" + `{"input_length":5,"hash_ids":["a"]}` + "\n" + `[1]` + "\n" +
			`{"input_length":1.5,"hash_ids":[1]}` + "\n" + `{"input_length":5,"hash_ids":[1.5]}` + "\n" + `{"a":` + strings.Repeat("[", 200) + "\n" +
			`{"timestamp":1,"input_length":5,"hash_ids":[1]}`, []string{"1 1 5 get 0"},
			[]string{"t:1: its JSON ends where a comma or the end of an object is expected", `t:2: its JSON has "x" where the end of the line is expected`,
				"t:3: it has no input_length and hash_ids", `t:4: its JSON has "\"a\"]}" where a number is expected`,
				`t:5: its JSON has "[1]" where an object is expected`, `t:6: input_length "1.5" is not a number of tokens`,
				`t:7: hash id "1.5" is not a number of 64 bits`, "t:8: its JSON is nested too deep"}},
	}
	for _, test := range tests {
		for _, n := range []int{1, 10} {
			got, bad, err := decodeRecords(newDecoder(t, test.format, test.args, strings.NewReader(test.data)), n)
			var messages []string
			for _, e := range bad {
				e.(*SyntaxError).File = "t"
				messages = append(messages, e.Error())
			}
			if err != nil || !slices.Equal(got, test.want) || !slices.Equal(messages, test.bad) {
				t.Errorf("%s %v %.30q in batches of %d: got %q, %v\nerrors %q\n  want %q, errors\n       %q", test.format, test.args, test.data, n,
					got, err, messages, test.want, test.bad)
			}
		}
	}
}

// TestCorporaArgs has parameters that are refused.
func TestCorporaArgs(t *testing.T) {
	for _, test := range []struct {
		format string
		args   Args
		want   string
	}{
		{"binary", nil, "needs the parameters format and id"},
		{"binary", Args{"format": "IQI"}, "needs the parameters format and id"},
		{"binary", Args{"format": "<IQI", "id": "4"}, "id=4 is not a field from 1 to 3"},
		{"binary", Args{"format": "<IQI", "id": "0"}, "id=0 is not a field from 1 to 3"},
		{"binary", Args{"format": "<IQI", "id": "2", "size": "2"}, "id and size are both field 2"},
		{"binary", Args{"format": "<fQ", "id": "1"}, "id=1 is a floating point number"},
		{"binary", Args{"format": "=IQ", "id": "1"}, "does not start with < or >"},
		{"binary", Args{"format": "<I Q", "id": "1"}, "has ' '"},
		{"binary", Args{"format": "<3", "id": "1"}, "has the count 3 without a field"},
		{"binary", Args{"format": "<99999999Q", "id": "1"}, "has the count 99999999"},
		{"binary", Args{"format": "<", "id": "1"}, "has no fields"},
		{"binary", Args{"format": "<QI", "id": "1", "time": "2", "time-unit": "min"}, `unknown unit of time "min"`},
		{"csv", Args{"columns": "size=1"}, "columns=size=1 does not name the id"},
		{"csv", Args{"columns": "id=1,id=2"}, "columns names id twice"},
		{"csv", Args{"columns": "id=0"}, "columns has id=0, but fields have the numbers 1 to 1024"},
		{"csv", Args{"columns": "id"}, `columns has "id", which is not`},
		{"csv", Args{"columns": "key=1"}, `columns has "key=1", which is not`},
		{"csv", Args{"columns": "id=key", "header": "no"}, "columns has names, but header=no"},
		{"csv", Args{"header": "maybe"}, "header=maybe is not one of auto, yes, no"},
		{"csv", Args{"delimiter": "ab"}, `delimiter "ab" is not one ASCII character`},
		{"csv", Args{"time-unit": "h"}, `unknown unit of time "h"`},
		{"msr", Args{"block": "0"}, `block "0" is neither "request" nor a size`},
		{"msr", Args{"block": "4KB5"}, `block "4KB5" is neither "request" nor a size`},
		{"vscsi", Args{"block": "-1"}, `block "-1" is neither "request" nor a size`},
		{"tencent-block", Args{"sector": "0"}, `sector "0" is not a number of bytes`},
		{"kv-jsonl", Args{"kv-order": "up"}, "kv-order=up is neither forward nor reverse"},
		{"kv-jsonl", Args{"bytes-per-token": "0"}, "bytes-per-token=0 is not a number"},
		{"kv-jsonl", Args{"block-tokens": "x"}, "block-tokens=x is neither auto nor a number"},
		{"kv-jsonl", Args{"time-unit": "x"}, `unknown unit of time "x"`},
	} {
		f := formatNamed(t, test.format)
		args, err := f.args(test.args)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.New(strings.NewReader(""), args); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: got the error %v, want %q", test.format, test.args, err, test.want)
		}
	}
}

// TestParseBytes has the ways to write a number of bytes.
func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "512": 512, "512B": 512, "4K": 4096, "4KiB": 4096, "4kib": 4096, "1MiB": 1 << 20, "2G": 2 << 30, "1TiB": 1 << 40,
		"": -1, "K": -1, "-1": -1, "1.5K": -1, "4KB": -1, "4 KiB": -1, "65536T": -1,
	} {
		got, err := parseBytes(s)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("parseBytes(%q): got %d, %v, want %d", s, got, err, want)
		}
	}
}

// TestParseRFC3339 has times in the ways that logs write them.
func TestParseRFC3339(t *testing.T) {
	const none = -1 << 63
	for s, want := range map[string]int64{
		"1970-01-01T00:00:01Z": 1e9, "1970-01-01t00:00:01z": none, "1970-01-01 00:00:01": 1e9, "1970-01-01T00:00:01.000000001Z": 1e9 + 1,
		"1969-12-31T23:59:59Z": -1e9, "1970-01-01T02:00:01+02:00": 1e9, "1970-01-01": none, "1970-13-01T00:00:01Z": none,
		"0001-01-01T00:00:00Z": none, "1970-01-01T00:00:01.5": 1.5e9, "1970-01-01T00:00:01,5Z": 1.5e9,
	} {
		got, ok := parseRFC3339([]byte(s))
		if !ok {
			got = none
		}
		if got != want {
			t.Errorf("parseRFC3339(%q): got %d, want %d", s, got, want)
		}
	}
}

func TestParquetBad(t *testing.T) {
	whole := testFile("testdata/pelikan.parquet")
	frame := strings.Index(whole, "\x28\xb5\x2f\xfd") // of zstd
	for _, test := range []struct{ data, want string }{
		{testFile("testdata/no-trace.parquet"), "it is a Parquet file without the column obj_id, obj_size"},
		{whole[:len(whole)-1], "damaged or cut off"},
		{whole[:100], "damaged or cut off"},
		{whole[:4], "damaged or cut off"},
		{whole[:len(whole)-8] + "\xf0\xff\xff\xffPAR1", "its footer has 4294967280 bytes, but the file"},
		{whole[:frame+4] + "\xe0" + whole[frame+5:], "without compression, its header"}, // its size has 8 bytes now
		{whole + "x", "damaged or cut off"},
	} {
		got, bad, err := decodeRecords(newDecoder(t, "parquet", nil, strings.NewReader(test.data)), 10)
		if err == nil || !strings.Contains(err.Error(), test.want) || len(got)+len(bad) > 0 {
			t.Errorf("%d bytes: got %q, %v, %v, want the error %q", len(test.data), got, bad, err, test.want)
		}
	}
}

// TestParquetFile reads a file without a copy, and frees the copy of a stream
// that is not read to its end.
func TestParquetFile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	f, err := os.Open("testdata/pelikan.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := newDecoder(t, "parquet", nil, f)
	got, bad, err := decodeRecords(d, 2)
	if len(got) != 5 || bad != nil || err != nil {
		t.Errorf("got %q, %v, %v, want 5 records", got, bad, err)
	}
	if r := strings.Join(d.(Reporter).Report(), "\n"); strings.Contains(r, "copied") {
		t.Errorf("a file was copied: %s", r)
	}
	d = newDecoder(t, "parquet", nil, strings.NewReader(testFile("testdata/pelikan.parquet")))
	if n, err := d.Decode(make([]Record, 1)); n != 1 || err != nil {
		t.Fatalf("got %d, %v, want a record", n, err)
	}
	if err := d.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if n, err := d.Decode(make([]Record, 1)); n != 0 || err != io.EOF {
		t.Errorf("once closed: got %d, %v, want io.EOF", n, err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

// TestVolumes counts volumes up to one too many.
func TestVolumes(t *testing.T) {
	var g ranger
	var name [4]byte
	for i := range maxVolumes + 1 {
		binary.LittleEndian.PutUint32(name[:], uint32(i))
		v, err := g.volume(name[:])
		if i == maxVolumes {
			if err == nil {
				t.Error("one volume too many is accepted")
			}
			break
		}
		if err != nil || v != uint64(i) {
			t.Fatalf("volume %d: got %d, %v", i, v, err)
		}
	}
}

// TestLongLine has a line that is too long in the middle.
func TestLongLine(t *testing.T) {
	data := "0,k,1,1,1,get,0\n" + strings.Repeat("x", maxLine+1) + "\n0,l,1,1,1,get,0\n"
	got, bad, err := decodeRecords(newDecoder(t, "twitter", nil, strings.NewReader(data)), 10)
	var syntax *SyntaxError
	if len(got) != 2 || len(bad) != 1 || err != nil || !errors.As(bad[0], &syntax) || syntax.Line != 2 {
		t.Errorf("got %q, %v, %v, want 2 records and an error in line 2", got, bad, err)
	}
}
