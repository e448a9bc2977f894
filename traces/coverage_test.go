package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"cachesim/sim"
)

// TestEveryFormat walks the table of formats: none is without a sample written from its
// specification, and none is left out of the fuzz targets.
func TestEveryFormat(t *testing.T) {
	sampled, fuzzed := map[string]bool{}, map[string]bool{}
	for _, s := range samples() {
		sampled[s.format] = true
	}
	for _, s := range logSamples {
		sampled[s.format] = true
		fuzzed[s.format] = true // FuzzWeblog
	}
	for _, f := range corpusFormats { // FuzzTables, FuzzKV, FuzzBinary, FuzzParquet
		fuzzed[f.Name] = true
	}
	for _, f := range []Format{OracleGeneral, IDSize, TimeIDSize} { // FuzzRead, TestDecode, TestBadRecords
		sampled[f.Name], fuzzed[f.Name] = true, true
	}
	for _, f := range Formats {
		if strings.HasPrefix(f.Name, "test-") { // of another test
			continue
		}
		if !sampled[f.Name] {
			t.Errorf("%s has no sample", f.Name)
		}
		if !fuzzed[f.Name] {
			t.Errorf("%s is not fuzzed", f.Name)
		}
	}
}

// TestWeblogDamaged cuts the sample of each access log anywhere and flips bits of it: there is
// never a panic, and a cut never makes more requests.
func TestWeblogDamaged(t *testing.T) {
	step := 3 // a decoder's buffers make each of them slow
	if testing.Short() {
		step = 15
	}
	for _, s := range logSamples {
		f := weblogFormat(t, s.format)
		for k, cut := range positions(len(s.text)) {
			if k%step > 0 {
				continue
			}
			if reqs, _, _ := decodeLog(t, f, s.args, strings.NewReader(s.text[:cut])); len(reqs) > len(s.want)+1 { // a cut line may be one that counts
				t.Errorf("%s cut at %d: %d requests, the whole has %d", s, cut, len(reqs), len(s.want))
			}
		}
		lines := strings.Count(s.text, "\n") + 1
		for k, i := range positions(len(s.text)) {
			if k%step > 0 {
				continue
			}
			b := []byte(s.text)
			b[i] ^= 1 << (i % 8)
			reqs, bad, _ := decodeLog(t, f, s.args, bytes.NewReader(b))
			if len(reqs)+len(bad) > lines+1 { // a line may become two
				t.Errorf("%s with byte %d damaged: %d requests and %d errors in %d lines", s, i, len(reqs), len(bad), lines)
			}
			for _, r := range reqs {
				if r.Size < 0 || r.Size > sim.MaxSize {
					t.Errorf("%s with byte %d damaged: size %d", s, i, r.Size)
				}
			}
		}
	}
}

// TestSameRequests writes the same block requests as those formats in which public traces are
// published side by side, and reads one trace from all.
func TestSameRequests(t *testing.T) {
	type request struct {
		time, id uint64 // time in µs
		size     uint32
		next     int64
	}
	var all []request
	last := map[uint64]int{}
	for i := range 500 {
		r := request{time: uint64(i) * 250_000, id: 42932745 + uint64(i*i%37), next: -1}
		r.size = 512 * uint32(1+r.id%9)
		if before, ok := last[r.id]; ok {
			all[before].next = int64(i + 1)
		}
		last[r.id] = i
		all = append(all, r)
	}
	var table, ids, vscsi, oracleGeneral, records bytes.Buffer
	table.WriteString("version,time,op,size,lbn\n")
	le := binary.LittleEndian
	var requested uint64
	for i, r := range all {
		fmt.Fprintf(&table, "1,%d,28,%d,%d\n", r.time, r.size, r.id)
		fmt.Fprintf(&ids, "%d\n", r.id)
		b := le.AppendUint32(nil, uint32(i))
		b = le.AppendUint32(b, r.size)
		b = le.AppendUint32(b, 1)
		b = le.AppendUint16(b, 0x28) // READ (10)
		b = le.AppendUint16(b, 1<<8)
		b = le.AppendUint64(b, r.id)
		vscsi.Write(le.AppendUint64(b, r.time))
		second := le.AppendUint32(nil, uint32(r.time/1_000_000))
		second = le.AppendUint64(second, r.id)
		oracleGeneral.Write(le.AppendUint64(le.AppendUint32(slices.Clone(second), r.size), uint64(r.next)))
		b = le.AppendUint32(second, r.size)
		next := uint64(r.next)
		if r.next < 0 {
			next = math.MaxInt64
		}
		records.Write(le.AppendUint64(b, next))
		requested += uint64(r.size)
	}
	lcs := lcsFile(1, uint64(len(all)), requested, "") + records.String()
	files := map[string][]byte{"csv": table.Bytes(), "vscsi": vscsi.Bytes(), "oracleGeneral": oracleGeneral.Bytes(), "lcs": []byte(lcs), "id": ids.Bytes()}
	want, err := Read(bytes.NewReader(files["csv"]), "t", Options{})
	if err != nil || want.Requests != len(all) || want.SizeChanges > 0 {
		t.Fatalf("%+v, %v", want, err)
	}
	alike, err := Read(bytes.NewReader(files["csv"]), "t", Options{IgnoreSize: true})
	if err != nil {
		t.Fatal(err)
	}
	for format, data := range files {
		for _, c := range append([]string{""}, compressors...) {
			if c != "" {
				data = compress(t, c, files[format])
			}
			got, err := Read(bytes.NewReader(data), "t", Options{})
			w := want
			if format == "id" {
				w = alike
			}
			if err != nil || got.Format != format || got.Digest != w.Digest {
				t.Errorf("%s %s: got %+v, %v, want the digest %s", format, c, got, err, w.Digest)
			}
		}
	}
}
