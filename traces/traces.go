// Package traces reads request traces. A decoder knows one format and nothing
// else; opening files, decompressing them, giving objects dense numbers and
// caching what was decoded are apart from it.
package traces

import (
	"fmt"
	"io"
	"slices"
	"time"

	"cachesim/sim"
)

// A Record is one request as a trace has it.
type Record struct {
	// Text is the object's id where it is text, valid until the next call of
	// Decode; where it is nil, Key is the id.
	Text []byte
	Key  uint64
	Time int64  // ticks of the format
	Size int64  // bytes
	TTL  uint32 // seconds that the object may be served; 0: unlimited or not known
	Op   sim.Op // reads are Get, writes are Set
	// Costs is set where the trace has costs or latencies and they were asked for.
	Costs *RecordCosts
	// hash is hashText(Text), if the decoder had to compute it; 0: it did not.
	hash uint64
	// Start marks the first record of a group. The loader sets it, from a
	// Grouper.
	Start bool
}

// RecordCosts are what a request costs, as far as a trace says it.
type RecordCosts struct {
	Cost      float64 // of a miss
	Hit, Miss uint32  // latencies in microseconds
}

// A Decoder reads the records of one format from a reader that it was made
// with. Neither files nor compression are its business.
type Decoder interface {
	// Decode fills dst with the next records and returns how many they are. It
	// returns 0 and io.EOF after the last one. A record that is not of the
	// format is a *SyntaxError, with the records before it; the next call
	// continues after it. Buffers are used again by the next call.
	Decode(dst []Record) (n int, err error)
}

// A Reporter is a Decoder that leaves out records by rules of its format, such
// as the requests of a web log that no cache would serve, or has to say how it
// read them.
type Reporter interface {
	// Report returns a line for each rule that has left something out so far,
	// as "12 requests with method POST (--methods)", and for each choice that
	// bears on the results.
	Report() []string
}

// A Timer is a Decoder whose unit of time depends on its parameters, or that has
// times only with some.
type Timer interface {
	// Tick returns the unit of Record.Time; 0: there are no times.
	Tick() time.Duration
}

// Confidence is how sure a Probe is that a file is of its format.
type Confidence int

// The degrees of confidence. Formats of the same degree that both fit are
// ambiguous, and the user has to name one.
const (
	No       Confidence = iota // it is not of the format
	Possible                   // nothing contradicts it, as with lines of numbers
	Likely                     // its fields make sense: times rise, sizes are plausible
	Certain                    // a magic number, or a header line
)

// A Format is a way to write a trace.
type Format struct {
	Name string
	Doc  string // one line: the fields of a record
	// Group is the kind of traces that have the format, one of Groups.
	Group string
	// Tick is the unit of Record.Time; 0: the format has no time.
	Tick   time.Duration
	Params []Param
	// Probe reports how sure it is that a file that starts with head, up to
	// 64 KiB of it, is of the format, and why, in a few words ("its first line
	// is the header of ..."). whole says that head is all of the file.
	Probe func(head []byte, whole bool) (Confidence, string)
	// New returns a decoder of r, or an error about the parameters. args has a
	// value for each of Params.
	New func(r io.Reader, args Args) (Decoder, error)
}

// A Param declares a parameter of a format, which is set with --trace-param
// NAME=VALUE or a flag of its own.
type Param struct {
	Name    string
	Default string
	Doc     string
}

// Args are the values of a format's parameters.
type Args map[string]string

// The groups of formats.
const (
	General    = "general"
	Corpora    = "public corpora"
	AccessLogs = "access logs"
	LLM        = "LLM prefix caches"
)

// Groups lists the groups in the order in which they are shown.
var Groups = []string{General, Corpora, AccessLogs, LLM}

// Formats lists the formats that Open reads.
var Formats = slices.Concat(
	grouped(General, OracleGeneral, IDSize, TimeIDSize),
	corpusFormats,
	grouped(AccessLogs, weblogFormats...),
)

// grouped returns formats with their group.
func grouped(group string, formats ...Format) []Format {
	formats = slices.Clone(formats)
	for i := range formats {
		formats[i].Group = group
	}
	return formats
}

// A SyntaxError says where a trace breaks the rules of its format.
type SyntaxError struct {
	File string
	Line int64 // from 1; 0 in binary formats
	Byte int64 // offset in the decompressed file, in binary formats
	Msg  string
	// Record says that it is a record which Options.SkipBad can leave out.
	Record bool
}

func (e *SyntaxError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s: at byte %d: %s", e.File, e.Byte, e.Msg)
}
