// Package traces reads request traces. A decoder knows one format and nothing
// else; opening files, decompressing them and giving objects dense numbers are
// apart from it, in open.go, compression.go and intern.go.
package traces

import (
	"fmt"
	"io"
)

// A Record is one request as a trace tells it.
type Record struct {
	// Text is the object's id where it is text, valid until the next record;
	// where it is nil, Key is the id.
	Text []byte
	Key  uint64
	Time int64 // in the trace's own unit
	Size int64 // bytes
}

// A Decoder reads the records of one format.
type Decoder interface {
	// Decode reads the next record into r. It returns io.EOF at the end and
	// a *SyntaxError for a record that is not of the format.
	Decode(r *Record) error
}

// A Format is a way to write a trace.
type Format struct {
	Name string
	Doc  string // one line: the fields of a record
	// Clock tells whether records have a time.
	Clock bool
	// Match reports whether a file that starts with head, up to 64 KiB of it,
	// is probably of the format; whole tells that head is all of it.
	Match      func(head []byte, whole bool) bool
	NewDecoder func(io.Reader) Decoder
}

// Formats lists the known formats in the order in which they are tried.
var Formats = []Format{
	OracleGeneral,
	IDSize,
	TimeIDSize,
}

// A SyntaxError tells where a trace breaks the rules of its format.
type SyntaxError struct {
	File string
	Line int64 // from 1; 0 in binary formats
	Byte int64 // offset in the decompressed file, in binary formats
	Msg  string
}

func (e *SyntaxError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s: at byte %d: %s", e.File, e.Byte, e.Msg)
}
