package traces

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// OracleGeneral is the binary format of libCacheSim in which most published
// traces are shared. docs/FORMATS.md has its layout.
var OracleGeneral = Format{
	Name:       "oracleGeneral",
	Doc:        "binary, 24 bytes a request: time u32, id u64, size u32, next access i64",
	Clock:      true,
	Match:      matchOracleGeneral,
	NewDecoder: func(r io.Reader) Decoder { return &oracleGeneral{r: bufio.NewReaderSize(r, 24*4096)} },
}

const oracleRecord = 24

// matchOracleGeneral looks for what other bytes would not have: next accesses
// that lie ahead, but not beyond any trace, or are "never".
func matchOracleGeneral(head []byte, whole bool) bool {
	if len(head) < oracleRecord {
		return false
	}
	for i := 0; (i+1)*oracleRecord <= len(head); i++ {
		next := int64(binary.LittleEndian.Uint64(head[i*oracleRecord+16:]))
		if next != -1 && next != math.MaxInt64 && (next <= int64(i) || next > 1<<44) {
			return false
		}
	}
	return true
}

type oracleGeneral struct {
	r   *bufio.Reader
	buf [oracleRecord]byte
	at  int64
}

func (d *oracleGeneral) Decode(r *Record) error {
	n, err := io.ReadFull(d.r, d.buf[:])
	if err == io.ErrUnexpectedEOF {
		return &SyntaxError{Byte: d.at, Msg: fmt.Sprintf("the last record has %d of %d bytes: the file is cut off or is not oracleGeneral", n, oracleRecord)}
	}
	if err != nil {
		return err
	}
	b := d.buf[:]
	r.Time = int64(binary.LittleEndian.Uint32(b))
	r.Key, r.Text = binary.LittleEndian.Uint64(b[4:]), nil
	r.Size = int64(binary.LittleEndian.Uint32(b[12:]))
	if next := int64(binary.LittleEndian.Uint64(b[16:])); next < -1 {
		return &SyntaxError{Byte: d.at + 16, Msg: fmt.Sprintf("next access %d is neither an index nor -1: the file is damaged or is not oracleGeneral", next)}
	}
	d.at += oracleRecord
	return nil
}
