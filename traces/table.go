package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"cachesim/sim"
)

// A table describes a text format: a line is a request, and its fields are
// separated by a delimiter. The formats share one decoder and one probe; what
// they differ in is how a row of fields is read.
type table struct {
	name, doc string
	tick      time.Duration // unit of the times; 0: there are none
	params    []Param

	delim  byte // between fields; 0: any number of blanks and tabs
	quoted bool // fields may be in double quotes, as in CSV

	// columns are those that row reads, in the order in which it gets them. A
	// file without a header line has them at the given fields.
	columns []textColumn
	// fields is how many fields a line has, at least and at most, if there is
	// no header line; with one, lines have as many fields as it.
	fields [2]int
	header headerRule

	// start prepares a decoder for its parameters. It may be nil.
	start func(d *tableDecoder, args Args) error
	// row reads the columns of a line, nil where a column is absent.
	row func(d *tableDecoder, f [][]byte, r *row) error

	// likely is the most that the probe says of a file without a header line,
	// and named of one with it; No is Certain there.
	likely, named Confidence
	// accept says whether the rows that the probe has read make sense
	// together, and if not, why. It may be nil.
	accept func(d *tableDecoder, rows []row) string
}

// A textColumn is a column of a table.
type textColumn struct {
	name     string
	at       int // field without a header line, from 0; -1: none
	optional bool
}

// A headerRule says whether a format has a line with the names of its columns.
type headerRule int

const (
	noHeader headerRule = iota
	mayHeader
	mustHeader
)

// A row is what a line says.
type row struct {
	Record
	span   span  // instead of an id and a size, if ranged
	ranged bool  // the request is for a range of bytes
	times  int64 // how often it is made; 0: once
	skip   string
}

// repeat reads how often the request was made.
func (r *row) repeat(b []byte) error {
	n, ok := parseUint(b)
	if !ok || n > maxRepeat {
		return fmt.Errorf("count %s is not a number of requests", quote(b))
	}
	if r.times = int64(n); n == 0 {
		r.skip = "with a count of 0"
	}
	return nil
}

// tableDecoder decodes a table.
type tableDecoder struct {
	t      *table
	lines  *lineReader
	ranger ranger

	begun bool
	index []int    // field of each column, -1 where it is absent
	want  [2]int   // number of fields, at least and at most
	names []string // of all fields, if there was a header line
	f     [][]byte // fields of a line
	cols  [][]byte // columns of a line

	skipped []skipped
	last    int64 // time of the row before
	back    int64 // rows whose time is less than that of the row before
	rows    int64
	head    []byte // header line, for the probe

	// What formats keep.
	unit     int64 // bytes in 1 of an offset
	digits   int   // decimal places of a time that become ticks
	inHeader bool  // of several lines
	marks    int   // lines that are only marks
	notes    []string
	// first, unless nil, is used instead of readHeader.
	first func(f [][]byte, line []byte) (isHeader bool, err error)
	csv   *csvState
}

// skipped counts the rows that are left out for one reason.
type skipped struct {
	why string
	n   int64
}

func (t *table) new(r io.Reader, args Args) (Decoder, error) {
	d := &tableDecoder{t: t, lines: newLineReader(r), want: t.fields, unit: 1}
	d.cols = make([][]byte, len(t.columns))
	d.index = make([]int, len(t.columns))
	for i, c := range t.columns {
		d.index[i] = c.at
	}
	for _, p := range t.params {
		if p.Name != blockParam.Name {
			continue
		}
		var err error
		if d.ranger, err = newRanger(args[p.Name]); err != nil {
			return nil, err
		}
	}
	if t.start != nil {
		if err := t.start(d, args); err != nil {
			return nil, err
		}
	}
	d.grow(d.want[1])
	if d.csv != nil {
		return &csvDecoder{d}, nil
	}
	return d, nil
}

// grow makes room for lines of n fields and one more, which is too many.
func (d *tableDecoder) grow(n int) { d.f = make([][]byte, n+1) }

func (d *tableDecoder) Decode(dst []Record) (n int, err error) {
	d.ranger.begin()
	var r row
	return d.lines.decodeAll(dst, d.pending, func(line []byte, out *Record) (bool, error) {
		r = row{}
		if err := d.parse(line, &r); err != nil {
			return false, err
		}
		switch {
		case r.skip != "":
			d.leaveOut(r.skip)
		case r.ranged:
			return false, d.ranger.start(r.Record, r.span, max(r.times, 1))
		case r.times > 1:
			d.ranger.again(r.Record, r.times)
		default:
			*out = r.Record
			return true, nil
		}
		return false, nil
	})
}

// pending sets the records that are left of a row.
func (d *tableDecoder) pending(dst []Record, _ int) int {
	if !d.ranger.pending() {
		return 0
	}
	return d.ranger.emit(dst)
}

// headerLine is the reason for which the lines are left out that hold names, and
// is not reported.
const headerLine = "header"

func (d *tableDecoder) leaveOut(why string) {
	if why == headerLine {
		return
	}
	for i := range d.skipped {
		if d.skipped[i].why == why {
			d.skipped[i].n++
			return
		}
	}
	d.skipped = append(d.skipped, skipped{why, 1})
}

// parse reads a line.
func (d *tableDecoder) parse(line []byte, r *row) error {
	n, err := d.split(line)
	if err != nil {
		return err
	}
	if !d.begun {
		// Without the header line that is expected, no line can be read.
		if d.t.header != noHeader {
			first := d.readHeader
			if d.first != nil {
				first = d.first
			}
			is, err := first(d.f[:min(n, len(d.f))], line)
			if err != nil {
				return err
			}
			if is {
				d.begun, r.skip = true, headerLine
				return nil
			}
		}
		d.begun = true
	}
	if n < d.want[0] || n > d.want[1] {
		return d.wrongFields(line)
	}
	for i, at := range d.index {
		if at >= 0 && at < n {
			d.cols[i] = d.f[at]
		} else {
			d.cols[i] = nil
		}
	}
	if err := d.t.row(d, d.cols, r); err != nil {
		return err
	}
	if uint64(r.Size) > sim.MaxSize {
		return errors.New(wrongSize(uint64(r.Size), true))
	}
	if r.skip == "" {
		if r.Time < d.last && d.rows > 0 {
			d.back++
		}
		d.last = r.Time
		d.rows++
	}
	return nil
}

// split fills d.f with the fields of line and returns how many they are, or one
// more than a line may have.
func (d *tableDecoder) split(line []byte) (int, error) {
	if d.t.delim == 0 {
		return splitBlanks(line, d.f), nil
	}
	if !d.begun && d.t.header != noHeader {
		// How many fields there are is not known before the header line.
		if n := bytes.Count(line, []byte{d.t.delim}) + 1; n >= len(d.f) {
			d.grow(n)
		}
	}
	if d.t.quoted && bytes.IndexByte(line, '"') >= 0 {
		f, err := splitQuoted(line, d.t.delim, d.f[:0])
		if cap(f) > cap(d.f) {
			d.f = f[:cap(f)]
		}
		return len(f), err
	}
	return split(line, d.t.delim, d.f), nil
}

func (d *tableDecoder) wrongFields(line []byte) error {
	var n int
	switch {
	case d.t.delim == 0:
		n = countFields(line)
	default:
		n = bytes.Count(line, []byte{d.t.delim}) + 1
	}
	want := fmt.Sprint(d.want[0])
	switch {
	case d.names != nil && d.head == nil:
		want += " fields as in the first line"
	case d.names != nil:
		want += " fields as in the header line"
	case d.want[1] >= manyFields:
		want += " fields or more"
	case d.want[1] > d.want[0]:
		want += fmt.Sprintf(" to %d fields", d.want[1])
	case d.want[0] == 1:
		want += " field"
	default:
		want += " fields"
	}
	return fmt.Errorf("want %s, got %d: %s", want, n, quote(line))
}

// manyFields is the most fields that a line may have where a format does not
// say.
const manyFields = 1024

// readHeader reads the names of the columns if f, the fields of the first line,
// are names.
func (d *tableDecoder) readHeader(f [][]byte, line []byte) (bool, error) {
	index := make([]int, len(d.t.columns))
	found := 0
	var missing []string
	for i, c := range d.t.columns {
		index[i] = slices.IndexFunc(f, func(b []byte) bool { return bytes.EqualFold(bytes.TrimSpace(b), []byte(c.name)) })
		if index[i] >= 0 {
			found++
		} else if !c.optional {
			missing = append(missing, c.name)
		}
	}
	if found == 0 && d.t.header == mayHeader {
		return false, nil
	}
	if len(missing) > 0 {
		return false, fmt.Errorf("its header line has no column %s: %s", strings.Join(missing, ", "), quote(line))
	}
	d.index, d.want, d.head = index, [2]int{len(f), len(f)}, slices.Clone(line)
	d.names = make([]string, len(f))
	for i, b := range f {
		d.names[i] = string(b)
	}
	d.grow(len(f))
	return true, nil
}

func (d *tableDecoder) Report() []string {
	lines := slices.Clone(d.notes)
	for _, p := range d.t.params {
		if p.Name == blockParam.Name {
			lines = append(lines, d.ranger.report()...)
		}
	}
	for _, s := range d.skipped {
		lines = append(lines, fmt.Sprintf("left out: %s %s", countRequests(s.n), s.why))
	}
	if d.back > 0 && d.t.tick > 0 {
		lines = append(lines, timesGoBack(d.back))
	}
	return lines
}

// join returns fields with slashes between them, as an id.
func (d *tableDecoder) join(parts ...[]byte) []byte {
	g := &d.ranger
	start := len(g.text)
	for i, p := range parts {
		if i > 0 {
			g.text = append(g.text, '/')
		}
		g.text = append(g.text, p...)
	}
	return g.text[start:len(g.text):len(g.text)]
}

// probeLines is how many lines a probe reads at most.
const probeLines = 500

// probe decodes the start of a file.
func (t *table) probe(head []byte, whole bool) (Confidence, string) {
	if !isText(head) {
		return No, "it is binary"
	}
	if !whole { // the last line may be cut
		head = head[:bytes.LastIndexByte(head, '\n')+1]
	}
	args := make(Args)
	for _, p := range t.params {
		args[p.Name] = p.Default
	}
	dec, err := t.new(bytes.NewReader(slices.Clone(head)), args)
	if err != nil {
		return No, err.Error()
	}
	var d *tableDecoder
	switch dec := dec.(type) {
	case *tableDecoder:
		d = dec
	case *csvDecoder:
		d = dec.tableDecoder
	}
	if err := d.lines.fill(); err != nil {
		return No, "it is empty"
	}
	var rows []row
	seen := 0
	for seen < probeLines {
		line, ok, err := d.lines.next()
		if err != nil {
			return No, err.Error()
		}
		if !ok {
			break
		}
		if blankLine(line) {
			continue
		}
		seen++
		var r row
		if err := d.parse(line, &r); err != nil {
			return No, fmt.Sprintf("as %s, in line %d: %v", t.name, d.lines.line, err)
		}
		if r.skip == "" {
			rows = append(rows, r)
		}
	}
	if d.head != nil {
		named := t.named
		if named == No {
			named = Certain
		}
		return named, fmt.Sprintf("its first line is the header of %s, %s", t.name, quote(d.head))
	}
	if t.header == mustHeader || len(rows) == 0 {
		return No, fmt.Sprintf("it has no lines of %s", t.name)
	}
	if d.back*20 > d.rows {
		return No, fmt.Sprintf("as %s, its times do not rise", t.name)
	}
	if t.accept != nil {
		if why := t.accept(d, rows); why != "" {
			return No, fmt.Sprintf("as %s, %s", t.name, why)
		}
	}
	return t.likely, fmt.Sprintf("the fields of its first %d lines make sense as %s", seen, t.name)
}

func (t *table) format() Format {
	return Format{Name: t.name, Doc: t.doc, Tick: t.tick, Params: t.params, Probe: t.probe, New: t.new}
}

// The readers of fields. Their errors say what was expected.

func (r *row) setTime(b []byte, digits int) error {
	var ok bool
	if r.Time, ok = parseDecimal(b, digits); !ok {
		return fmt.Errorf("time %s is not a number", quote(b))
	}
	return nil
}

func (r *row) setSize(b []byte) (err error) {
	r.Size, err = parseSize(b)
	return err
}

// setTTL reads a time to live in seconds; none, and negative ones, mean that
// there is no limit.
func (r *row) setTTL(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, ok := parseDecimal(b, 0)
	if !ok {
		return fmt.Errorf("time to live %s is not a number of seconds", quote(b))
	}
	r.TTL = seconds(n)
	return nil
}

// setOp reads the name of an operation.
func (r *row) setOp(b []byte) error {
	op, ok := parseOp(b)
	if !ok {
		return fmt.Errorf("operation %s is not known", quote(b))
	}
	r.Op = op
	return nil
}

// parseOp returns what the name of an operation means to a cache.
func parseOp(b []byte) (sim.Op, bool) {
	var lower [16]byte
	if len(b) > len(lower) {
		return 0, false
	}
	for i, c := range b {
		if c-'A' < 26 {
			c |= 0x20
		}
		lower[i] = c
	}
	switch string(lower[:len(b)]) {
	case "get", "gets", "get_lease", "read", "r", "rs":
		return sim.Get, true
	case "set", "set_lease", "add", "replace", "append", "prepend", "cas", "incr", "decr", "write", "w", "ws", "put", "update", "store", "save":
		return sim.Set, true
	case "delete", "del", "d", "remove", "rm":
		return sim.Delete, true
	}
	return 0, false
}

// number reads a decimal number without a sign.
func number(what string, b []byte) (int64, error) {
	n, ok := parseUint(b)
	if !ok || n > math.MaxInt64 {
		return 0, fmt.Errorf("%s %s is not a number", what, quote(b))
	}
	return int64(n), nil
}

// rangeOf makes r a request for length units from offset, in a volume.
func (r *row) rangeOf(volume, offset, length []byte, unit, lengthUnit int64) error {
	o, err := number("offset", offset)
	if err != nil {
		return err
	}
	n, err := number("size", length)
	if err != nil {
		return err
	}
	if n > sim.MaxSize/lengthUnit {
		return errors.New(wrongSize(uint64(n), true))
	}
	r.ranged = true
	r.span = span{volume: volume, offset: o, length: n * lengthUnit, unit: unit}
	return nil
}
