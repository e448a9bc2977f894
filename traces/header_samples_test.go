package traces

import (
	"encoding/binary"
	"os"
	"strings"
)

// headerSamples are of the formats with a header or with parameters.
var headerSamples = []sample{
	{
		format: "lcs", name: "v1", confidence: Certain, data: lcsFile(1, 3, 72000, `
			64000000 0b00000000000000 e8030000 0300000000000000
			64000000 1032547698badcfe 70110100 ffffffffffffffff
			65000000 0b00000000000000 e8030000 ffffffffffffff7f`),
		want: []string{"100 11 1000 get 0", "100 18364758544493064720 70000 get 0", "101 11 1000 get 0"},
	},
	{
		format: "lcs", name: "v2", confidence: Certain, data: lcsFile(2, 3, 72000, `
			64000000 0b00000000000000 e8030000 01070000 0300000000000000
			64000000 1032547698badcfe 70110100 030000ff ffffffffffffffff
			65000000 0b00000000000000 e8030000 00000000 ffffffffffffffff`),
		want:   []string{"100 11 1000 get 0", "100 18364758544493064720 70000 set 0", "101 11 1000 get 0"},
		report: []string{"read as get: 1 request without an operation (nop)"},
	},
	{
		format: "lcs", name: "v3", confidence: Certain, data: lcsFile(3, 3, 1099511698776, `
			64000000 0b00000000000000 e803000000000000 01070000 00000000 0300000000000000
			64000000 1032547698badcfe 0000000000010000 0d000000 100e0000 ffffffffffffffff
			65000000 0b00000000000000 7011010000000000 09000000 ffffffff ffffffffffffffff`),
		want: []string{"100 11 1000 get 0", "100 18364758544493064720 1099511627776 set 3600", "101 11 70000 delete 0"},
	},
	lcsFeatures("v4", 4, 1), lcsFeatures("v5", 5, 2), lcsFeatures("v6", 6, 4), lcsFeatures("v7", 7, 8), lcsFeatures("v8", 8, 16),
	{
		format: "lcs", name: "old", confidence: Certain, data: lcsOldFile("<IQIqB", "\x02\x03\x01\x00\x04\x05\x00\x00\x00", 25, 2, 71000, `
			64000000 0b00000000000000 e8030000 0300000000000000 01
			65000000 1032547698badcfe 70110100 ffffffffffffffff 03`),
		want: []string{"100 11 1000 get 0", "101 18364758544493064720 70000 set 0"},
	},
	{
		format: "lcs", name: "bytes that differ", confidence: Certain, data: lcsFile(1, 1, 999, `
			64000000 0b00000000000000 e8030000 ffffffffffffffff`),
		want:   []string{"100 11 1000 get 0"},
		report: []string{"its header says that its requests have 999 bytes together, but they have 1000"},
	},
	{
		format: "vscsi", name: "blocks", args: Args{"block": "4KiB"}, confidence: Certain, data: fromHex(`
			00000000 00100000 01000000 2800 0001 0400000000000000 404b4c0000000000
			01000000 00000000 01000000 2800 0001 0400000000000000 414b4c0000000000
			02000000 00200000 01000000 2a00 0001 0800000000000000 424b4c0000000000
			03000000 01000000 01000000 2800 0001 0f00000000000000 434b4c0000000000`),
		// Sectors 4 to 11, none, 8 to 23, and a byte of 15.
		want:   []string{"5000000 0 4096 get 0", "5000000 1 4096 get 0", "5000002 1 4096 set 0", "5000002 2 4096 set 0", "5000003 1 4096 get 0"},
		report: []string{"an object is a block of 4096 bytes", "left out: 1 request for 0 bytes"},
	},
	{
		format: "binary", name: "little-endian", args: Args{"format": "<IQ2xiBdf", "id": "2", "size": "3", "time": "5", "op": "4"}, confidence: No,
		data: fromHex(`
			09000000 0b00000000000000 ffff e8030000 01 000000000000f83f 00000000
			09000000 1032547698badcfe ffff 70110100 03 000000000000f0bf 00000000`),
		want: []string{"1500000000 11 1000 get 0", "-1000000000 18364758544493064720 70000 set 0"},
	},
	{
		format: "binary", name: "big-endian", args: Args{"format": ">hQI", "id": "2", "time": "1", "ttl": "3", "time-unit": "ms"}, confidence: No,
		data: fromHex(`
			ffff 000000000000000b 00000e10
			0001 fedcba9876543210 00000000`),
		want:   []string{"-1000000 11 1 get 3600", "1000000 18364758544493064720 1 get 0"},
		report: []string{"every object has size 1"},
	},
	{ // packed with Python's struct and its xxhash, from the table in docs/FORMATS.md
		format: "cachesim", confidence: Certain,
		data: fromHex(`
			896373696d0d0a1a 0100000007000000 40420f0000000000 0500000000000000
			0300000000000000 0000000000000000 0000000000000000 52441841cbf0cacf
			0300000002000000 0c00000000000000 e803000000000000 ffffffffffffff00
			04000000ffffffff 2f612062ffffffff ffffffff00000000 0100000000000000
			0000000007000000 090000000001023c 0000000000000000 00000078a76d922d
			cc50030200000001 0000000300000000 0000000000000000 0000000300000030
			3037020000000100 000009000000ffff ffff000000000000 100e000031d98f68
			2ec7ccac
		`),
		want: []string{`0 "/a b" 1000 get 60`, "7 18446744073709551615 72057594037927935 set 0", `9 "/a b" 1000 delete 0`, `9 "007" 0 get 0`,
			"4294967295 18446744073709551615 72057594037927935 get 3600"},
	},
	{
		format: "cachesim", name: "prompts", confidence: Certain,
		data: fromHex(`
			896373696d0d0a1a 0100000018000000 0000000000000000 0900000000000000
			0200000000000000 0200000000000000 0000000000000000 2a777a1947a3cbda
			0900000002000000 1000000000000000 0002000000000000 0001000000000000
			ffffffffffffffff 0100000000000000 0200000000000000 0000000001000000
			0000000001000000 0000000001000000 0000000001000000 00000000050154f7
			b3fdb28ab43b
		`),
		want: []string{"0 1 512 get 0", "0 2 256 get 0", "0 1 512 get 0", "0 2 256 get 0", "0 1 512 get 0", "0 2 256 get 0", "0 1 512 get 0", "0 2 256 get 0", "0 1 512 get 0"},
	},
	{
		format: "parquet", confidence: Certain, data: testFile("testdata/pelikan.parquet"),
		want: []string{"1000000000000000000 11 1000 get 0", "1000000000000000250 18364758544493064720 70000 set 3600",
			"1000000001000000000 11 1000 get 0", "1000000002000000000 33 0 delete 0", "1000000003000000000 18364758544493064720 4294967295 get 60"},
		report: []string{"were copied to a temporary file", "1 request without an operation"},
	},
	{
		format: "parquet", name: "text ids", confidence: Certain, data: testFile("testdata/text-ids.parquet"),
		want: []string{`0 "a" 1 get 0`, `0 "b" 2 get 0`, `0 "a" 1 get 0`},
	},
}

// testFile returns a file that pyarrow has written.
func testFile(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// lcsFile returns a file with a header of 8192 bytes.
func lcsFile(version, requests, bytes uint64, records string) string {
	h := make([]byte, 8192)
	copy(h, fromHex("f0debc9a78563412"))
	copy(h[8184:], fromHex("f0debc9a78563412"))
	binary.LittleEndian.PutUint64(h[8:], version)
	binary.LittleEndian.PutUint64(h[16:], 1) // version of the statistics
	binary.LittleEndian.PutUint64(h[24:], requests)
	binary.LittleEndian.PutUint64(h[40:], bytes)
	return string(h) + fromHex(records)
}

// lcsFeatures returns a sample with features, which are not read.
func lcsFeatures(name string, version uint64, features int) sample {
	f := strings.Repeat(" ffffffff", features)
	return sample{
		format: "lcs", name: name, confidence: Certain,
		data: lcsFile(version, 2, 71000, `
			64000000 0b00000000000000 e803000000000000 01070000 00000000 0300000000000000`+f+`
			65000000 0b00000000000000 7011010000000000 09000000 ffffffff ffffffffffffffff`+f),
		want: []string{"100 11 1000 get 0", "101 11 70000 delete 0"},
	}
}

// lcsOldFile returns a file with a header of 1024 bytes.
func lcsOldFile(format, fields string, record uint32, requests, bytes uint64, records string) string {
	h := make([]byte, 1024)
	copy(h, fromHex("f0debc9a78563412"))
	copy(h[1016:], fromHex("f0debc9a78563412"))
	copy(h[8:], format)
	copy(h[248:], fields)
	binary.LittleEndian.PutUint64(h[488:], requests)
	binary.LittleEndian.PutUint64(h[504:], bytes)
	binary.LittleEndian.PutUint32(h[1000:], 5)
	binary.LittleEndian.PutUint32(h[1004:], record)
	return string(h) + fromHex(records)
}
