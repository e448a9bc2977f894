package traces

import (
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"cachesim/sim"
)

// A ranger makes records of requests for ranges of bytes, as block traces and
// file systems have them: one for the whole request, or one for every block
// that the request touches.
type ranger struct {
	block   uint64 // bytes of a block; 0: an object a request
	volumes map[string]uint64
	names   []string // of the volumes, in the order of their numbers
	last    uint64   // number of the volume that was looked up last
	empty   int64    // requests of 0 bytes, which touch no block
	named   bool     // the volumes are part of text ids

	// The records that emit returns next.
	rec         Record
	prefix      []byte // of text ids
	first, left uint64 // next block, and how many there are from it
	from, count uint64 // the first of all blocks, and how many they are
	repeat      int64  // times that all of them are still to be returned

	text []byte // of the ids that Decode returned
}

// A span is the range of bytes that a request is for.
type span struct {
	volume         []byte // name of what the offset counts in; empty: there is only one
	offset, length int64
	unit           int64 // bytes in 1 of offset; length is in bytes
}

// Ids of blocks are numbers: that of the volume in the upper bits, that of the
// block or the offset in the lower ones.
const (
	offsetBits = 48
	maxVolumes = 1 << (64 - offsetBits)
	maxBlocks  = 1 << 20 // of one request: more means a damaged record
	maxRepeat  = 1 << 30
)

var blockParam = Param{
	Name: "block", Default: "request",
	Doc: "request: an object is a request's first byte or sector, of the request's size; " +
		"a size such as 4KiB or 512: every block of that size that a request touches is an object",
}

// newRanger reads the parameter block.
func newRanger(value string) (ranger, error) {
	if value == "request" {
		return ranger{}, nil
	}
	n, err := parseBytes(value)
	if err != nil || n < 1 || n > 1<<40 {
		return ranger{}, fmt.Errorf(`block %q is neither "request" nor a size such as 512, 4KiB or 1MiB`, value)
	}
	return ranger{block: uint64(n)}, nil
}

// parseBytes reads a number of bytes with a unit: B, or KiB to TiB, which may be
// written K to T.
func parseBytes(s string) (int64, error) {
	number := strings.TrimRight(s, "BbiKkMmGgTt")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number of bytes", s)
	}
	shift := map[string]int{"": 0, "b": 0, "k": 10, "kib": 10, "m": 20, "mib": 20, "g": 30, "gib": 30, "t": 40, "tib": 40}
	by, ok := shift[strings.ToLower(s[len(number):])]
	if !ok || n > sim.MaxSize>>by {
		return 0, fmt.Errorf("%q is not a number of bytes: write it as 4096 or 4KiB", s)
	}
	return n << by, nil
}

// begin discards the texts of earlier records.
func (g *ranger) begin() { g.text = g.text[:0] }

// pending reports whether emit has records to return.
func (g *ranger) pending() bool { return g.repeat > 0 }

// again makes emit return r the given number of times.
func (g *ranger) again(r Record, times int64) {
	g.rec, g.prefix, g.repeat = r, nil, times
	g.from, g.count, g.first, g.left = 0, 0, 0, 0
}

// start makes emit return the records of a request for s: the id and the size
// of r are set, the rest is kept.
func (g *ranger) start(r Record, s span, times int64) error {
	if s.offset < 0 || s.length < 0 || s.length > sim.MaxSize {
		return fmt.Errorf("%d bytes at offset %d are no range", s.length, s.offset)
	}
	hi, at := bits.Mul64(uint64(s.offset), uint64(s.unit))
	if hi != 0 || at > 1<<62 {
		return fmt.Errorf("offset %d is too large", s.offset)
	}
	r.Size = s.length
	number, count := uint64(s.offset), uint64(1)
	if g.block > 0 {
		if s.length == 0 {
			g.empty += times
			return nil
		}
		number = at / g.block
		count = (at+uint64(s.length)-1)/g.block - number + 1
		if count > maxBlocks {
			return fmt.Errorf("a request of %d bytes touches more than %d blocks", s.length, maxBlocks)
		}
		r.Size = int64(g.block)
	}
	g.prefix = nil
	if g.named {
		g.prefix = s.volume
	} else {
		if number+count > 1<<offsetBits {
			return fmt.Errorf("offset %d is too large", s.offset)
		}
		v, err := g.volume(s.volume)
		if err != nil {
			return err
		}
		number |= v << offsetBits
	}
	g.rec, g.repeat = r, times
	g.from, g.count, g.first, g.left = number, count, number, count
	return nil
}

// volume returns the number of a volume.
func (g *ranger) volume(name []byte) (uint64, error) {
	if len(name) == 0 {
		return 0, nil
	}
	if len(g.names) > 0 && g.names[g.last] == string(name) {
		return g.last, nil
	}
	v, ok := g.volumes[string(name)]
	if !ok {
		if v = uint64(len(g.names)); v == maxVolumes {
			return 0, fmt.Errorf("volume %s is one more than the %d that a trace may have", quote(name), maxVolumes)
		}
		if g.volumes == nil {
			g.volumes = make(map[string]uint64)
		}
		g.names = append(g.names, string(name))
		g.volumes[g.names[v]] = v
	}
	g.last = v
	return v, nil
}

// emit fills dst with records that are pending.
func (g *ranger) emit(dst []Record) (n int) {
	for n < len(dst) && g.repeat > 0 {
		r := &dst[n]
		*r = g.rec
		n++
		if g.count == 0 {
			g.repeat--
			continue
		}
		if g.named {
			g.setText(r)
		} else {
			r.Key = g.first
		}
		g.first++
		if g.left--; g.left == 0 {
			g.repeat--
			g.first, g.left = g.from, g.count
		}
	}
	return n
}

// setText sets the id of r to that of the next block of a named volume.
func (g *ranger) setText(r *Record) {
	start := len(g.text)
	g.text = append(g.text, g.prefix...)
	g.text = append(g.text, ':')
	g.text = strconv.AppendUint(g.text, g.first, 10)
	r.Text = g.text[start:len(g.text):len(g.text)]
}

// report says how ranges were read.
func (g *ranger) report() []string {
	lines := []string{"an object is the start of a request and has the request's size (block=request)"}
	if g.block > 0 {
		lines[0] = fmt.Sprintf("an object is a block of %d bytes, and a request asks for all that it touches (block=%d)", g.block, g.block)
	}
	if g.empty > 0 {
		lines = append(lines, fmt.Sprintf("left out: %s for 0 bytes, which touch no block", countRequests(g.empty)))
	}
	if n := len(g.names); n > 1 {
		var list string
		for i, name := range g.names[:min(n, 8)] {
			if i > 0 {
				list += ", "
			}
			list += printable(name)
		}
		if n > 8 {
			list += ", ..."
		}
		lines = append(lines, fmt.Sprintf("ids are the number of the volume times 2^%d plus the offset or block; volumes 0 to %d are %s",
			offsetBits, n-1, list))
	}
	return lines
}

// printable returns a name of a trace for a message: in quotes if it has control
// characters or is long.
func printable(name string) string {
	if q := quote([]byte(name)); len(q) != len(name)+2 {
		return q
	}
	return name
}

// A binaryRanges decodes a binary block trace: the records of d have the offset
// as their id.
type binaryRanges struct {
	d      *binaryDecoder
	unit   int64 // bytes in 1 of an offset
	ranger ranger
	record [1]Record
}

func (d *binaryRanges) Decode(dst []Record) (n int, err error) {
	for n < len(dst) {
		if d.ranger.pending() {
			n += d.ranger.emit(dst[n:])
			continue
		}
		if _, err := d.d.Decode(d.record[:]); err != nil {
			if err == io.EOF && n > 0 { // it comes again
				return n, nil
			}
			return n, err
		}
		r := d.record[0]
		if r.Key >= 1<<offsetBits {
			return n, d.refuse("sector %d is too large", r.Key)
		}
		if err := d.ranger.start(r, span{offset: int64(r.Key), length: r.Size, unit: d.unit}, 1); err != nil {
			return n, d.refuse("%v", err)
		}
	}
	return n, nil
}

// refuse returns an error about the record that was decoded last.
func (d *binaryRanges) refuse(format string, args ...any) error {
	return &SyntaxError{Byte: d.d.blocks.at - int64(d.d.l.record), Msg: fmt.Sprintf(format, args...)}
}

func (d *binaryRanges) Report() []string { return append(d.ranger.report(), d.d.Report()...) }
