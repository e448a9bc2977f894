package traces

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"
)

// OracleGeneral is the binary format of libCacheSim in which most published
// traces are shared. docs/FORMATS.md has its layout.
var OracleGeneral = Format{
	Name:  "oracleGeneral",
	Doc:   "binary, 24 bytes a request: time u32, id u64, size u32, next access i64",
	Tick:  time.Second,
	Probe: probeOracleGeneral,
	New:   newOracleGeneral,
}

const oracleRecord = 24

// probeOracleGeneral looks for what other bytes would not have: next accesses
// that lie ahead, but not beyond any trace, or are "never".
func probeOracleGeneral(head []byte, whole bool) (Confidence, string) {
	if len(head) < oracleRecord {
		return No, "it is shorter than a record of 24 bytes"
	}
	n := len(head) / oracleRecord
	rising := true
	var last uint32
	for i := range n {
		r := head[i*oracleRecord:]
		next := int64(binary.LittleEndian.Uint64(r[16:]))
		if next != -1 && next != math.MaxInt64 && (next <= int64(i) || next > 1<<44) {
			return No, fmt.Sprintf("the next access of record %d would be %d", i+1, next)
		}
		t := binary.LittleEndian.Uint32(r)
		rising = rising && t >= last
		last = t
	}
	why := fmt.Sprintf("the next accesses of its first %d records lie ahead", n)
	if rising && n >= 16 {
		return Certain, why + ", and their times rise"
	}
	return Likely, why
}

func newOracleGeneral(r io.Reader, _ Args) (Decoder, error) {
	return &oracleGeneral{blocks: blockReader{r: r, size: oracleRecord}}, nil
}

type oracleGeneral struct{ blocks blockReader }

func (d *oracleGeneral) Decode(dst []Record) (int, error) {
	b, err := d.blocks.records(len(dst))
	if err == io.ErrUnexpectedEOF {
		return 0, &SyntaxError{Byte: d.blocks.at, Msg: fmt.Sprintf("the last record has %d of %d bytes: the file is cut off or is not oracleGeneral", len(b), oracleRecord)}
	}
	if err != nil {
		return 0, err
	}
	n := 0
	for ; len(b) >= oracleRecord; b = b[oracleRecord:] {
		next := int64(binary.LittleEndian.Uint64(b[16:]))
		if next < -1 {
			at := d.blocks.at + int64(n*oracleRecord)
			d.blocks.used((n + 1) * oracleRecord)
			return n, &SyntaxError{Byte: at + 16, Msg: fmt.Sprintf("next access %d is neither an index nor -1: the file is damaged or is not oracleGeneral", next)}
		}
		r := &dst[n]
		r.Time = int64(binary.LittleEndian.Uint32(b))
		r.Key, r.Text = binary.LittleEndian.Uint64(b[4:]), nil
		r.Size = int64(binary.LittleEndian.Uint32(b[12:]))
		n++
	}
	d.blocks.used(n * oracleRecord)
	return n, nil
}
