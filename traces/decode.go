package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"cachesim/sim"
)

// batchSize is how many records the decoder passes on at once: as many as stay
// in the second-level cache on their way.
const batchSize = 2048

// A batch is what the decoder passes on: records, with texts of its own, and
// the hashes of their ids.
type batch struct {
	records []Record
	hashes  []uint64
	text    []byte
	tick    time.Duration // of the times; 0: there are none
	prompts *sim.Prompts  // nil: the records are not in groups
	file    string
}

// decoding is the decoder's half of the loader. It runs on a goroutine of its
// own, and its results are valid once batches is closed.
type decoding struct {
	batches chan *batch
	free    chan *batch
	quit    chan struct{}
	err     error

	o       Options
	pipe    bool     // reading a file may block indefinitely
	formats []string // of each file
	reasons []string
	sha256  func() string  // of all files, which it may wait for; nil if one was not read whole
	logs    *weblogSummary // of all access logs; nil: there are none
	sizes   *weblogSizes   // that access logs have shown, if they follow each other
	reports []string       // of the other decoders
	late    bool           // a decoder reports times that go back

	records int64 // decoded
	skipped int   // of o.Skip
	kept    int   // passed on
	leftOut [3]int64
	zeros   int64 // records of size 0 that were left out or got 1 byte
	bad     int64
	badSeen map[string]*malformed
	badKind []string
}

// malformed is a kind of malformed records.
type malformed struct {
	first *SyntaxError
	n     int64
}

// A fileError is an error with the name of its file.
type fileError struct {
	name string
	err  error
}

func (e *fileError) Error() string { return e.name + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

func startDecoding(files []file, o Options) *decoding {
	const inFlight = 8
	d := &decoding{
		batches: make(chan *batch, inFlight), free: make(chan *batch, inFlight), quit: make(chan struct{}),
		o: o, badSeen: map[string]*malformed{},
	}
	d.pipe = slices.ContainsFunc(files, func(f file) bool { return f.pipe })
	for range inFlight {
		d.free <- &batch{}
	}
	go func() {
		defer close(d.batches)
		d.err = d.run(files)
	}()
	return d
}

// stop ends the goroutine, if it has not ended. It waits for that if wait, or if
// no file is one that reading may block in.
func (d *decoding) stop(wait bool) {
	close(d.quit)
	drain := func() {
		for range d.batches {
		}
	}
	if wait || !d.pipe {
		drain()
	} else {
		go drain()
	}
}

// errStopped says that the other half of the loader has ended.
var errStopped = errors.New("stopped")

func (d *decoding) run(files []file) error {
	sequence := d.sequence
	if d.o.Merge && len(files) > 1 {
		sequence = d.merge
	}
	if err := sequence(files); err != nil {
		return err
	}
	if d.bad > d.o.SkipBad && !d.withinShare() {
		return d.tooMany()
	}
	return nil
}

// sequence decodes files one after the other.
func (d *decoding) sequence(files []file) error {
	hash := newFileHash()
	whole := true
	for _, f := range files {
		if d.done() {
			whole = false
			break
		}
		r, err := f.open()
		if err != nil {
			hash.abandon()
			return &fileError{err: err}
		}
		r = hash.follow(r)
		in := newInput(&progressReader{r, d.o.Progress}, f.member, f.pipe)
		err = d.file(in, f)
		in.stop(!f.pipe)
		if err != nil {
			if f.pipe { // the input may still write to the hash
				go hash.abandonAfter(in)
			} else {
				r.Close()
				hash.abandon()
			}
			return inFile(err, f)
		}
		drained := in.isDrained()
		whole = whole && drained && !d.done() // a short rest may have been read or not
		if f.pipe && !drained {
			go hash.abandonAfter(in)
			return nil
		}
		r.Close()
	}
	if !whole {
		hash.abandon()
		return nil
	}
	hash.end()
	d.sha256 = hash.sum
	return nil
}

// inFile says in which file an error is.
func inFile(err error, f file) error {
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		syntax.File = f.name
	} else if err != nil && err != errStopped {
		err = &fileError{f.name, err}
	}
	return err
}

// done reports whether there are as many requests as were asked for.
func (d *decoding) done() bool { return d.o.Limit > 0 && d.kept >= d.o.Limit }

// A decodedFile is a file that is being decoded.
type decodedFile struct {
	file
	in      *input
	dec     Decoder
	format  Format
	relabel bool // the unit of its times is given
	tail    *tailReader
	begun   bool // a record was decoded
	chooses bool // the decoder applies Filter.Include and Filter.Exclude
	pending bool // of filter.keep
}

// begin finds the format of a file and makes its decoder.
func (d *decoding) begin(in *input, f file) (*decodedFile, error) {
	format, why, r, err := d.detect(in, f)
	if err != nil {
		return nil, err
	}
	d.formats, d.reasons = append(d.formats, format.Name), append(d.reasons, why)
	args, err := format.args(d.o.Params)
	if err != nil {
		return nil, err
	}
	o := &decodedFile{file: f, in: in, format: format, relabel: d.o.TimeUnit > 0}
	if _, ok := args[timeUnitParam]; ok && o.relabel {
		if args[timeUnitParam], err = d.o.timeUnit(format); err != nil {
			return nil, err
		}
		o.relabel = false
	}
	o.tail = &tailReader{r: r}
	if o.dec, err = format.New(o.tail, args); err != nil {
		return nil, err
	}
	if w, ok := o.dec.(*weblogDecoder); ok && !d.o.Merge {
		// What the log before has shown of an object, its successor need not.
		if d.sizes == nil {
			d.sizes = w.sizes
		}
		w.sizes = d.sizes
	}
	if c, ok := o.dec.(urlChooser); ok && d.o.filter != nil {
		o.chooses = c.choose(d.o.filter, d.tick(o), d.o.Merge)
		o.begun = o.chooses
	}
	return o, nil
}

// An orderReporter is a Reporter that reports times that go back itself.
type orderReporter interface{ reportsOrder() }

func (*tableDecoder) reportsOrder()  {}
func (*weblogDecoder) reportsOrder() {}

// blocks reports whether objects are blocks of storage or prompts.
func (d *decoding) blocks() bool {
	return slices.ContainsFunc(d.formats, func(name string) bool {
		f, err := FormatByName(name)
		return err == nil && (f.Group == LLM || slices.ContainsFunc(f.Params, func(p Param) bool { return p.Name == blockParam.Name }))
	})
}

// A tailReader remembers how a file ends.
type tailReader struct {
	r     io.Reader
	begun bool
	text  bool // by its first bytes
	last  byte
	ended bool
}

func (t *tailReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		if !t.begun {
			t.begun, t.text = true, isText(p[:min(n, 4096)])
		}
		t.last = p[n-1]
	}
	t.ended = t.ended || err == io.EOF
	return n, err
}

// cutOff reports whether the file is text whose last line has no end.
func (t *tailReader) cutOff() bool { return t.ended && t.text && t.last != '\n' }

// close closes a decoder that has something to close.
func (o *decodedFile) close() error {
	if c, ok := o.dec.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// tick returns the unit of the times of the records that were decoded last; 0:
// there are none.
func (d *decoding) tick(o *decodedFile) time.Duration {
	tick := o.format.Tick
	if t, ok := o.dec.(Timer); ok {
		tick = t.Tick()
	}
	if tick > 0 && o.relabel {
		tick = d.o.TimeUnit
	}
	return tick
}

// report takes in what a decoder has to say at the end.
func (d *decoding) report(o *decodedFile) {
	switch r := o.dec.(type) {
	case *weblogDecoder:
		if d.logs == nil {
			d.logs = &weblogSummary{}
		}
		d.logs.add(r)
	case Reporter:
		d.reports = append(d.reports, r.Report()...)
	}
	if _, ok := o.dec.(orderReporter); ok {
		d.late = true
	}
	if o.tail.cutOff() {
		d.reports = append(d.reports, "the last line has no line end: the file may be cut off")
	}
}

// empty returns a batch that is free.
func (d *decoding) empty() (*batch, error) {
	select {
	case b := <-d.free:
		return b, nil
	case <-d.quit:
		return nil, errStopped
	}
}

// pass prepares a batch and passes it on.
func (d *decoding) pass(b *batch) error {
	if err := d.prepare(b); err != nil {
		return err
	}
	if d.kept += len(b.records); len(b.records) == 0 {
		d.free <- b
		return nil
	}
	select {
	case d.batches <- b:
		return nil
	case <-d.quit:
		return errStopped
	}
}

// file decodes one file.
func (d *decoding) file(in *input, f file) (err error) {
	o, err := d.begin(in, f)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := o.close(); err == nil {
			err = cerr
		}
	}()
	for {
		b, err := d.empty()
		if err != nil {
			return err
		}
		b.grow()
		n, prompts, err := d.decode(o, b.records)
		b.prompts = prompts
		b.records, b.tick, b.file = b.records[:n], d.tick(o), f.name
		if perr := d.pass(b); perr != nil {
			return perr
		}
		if err == io.EOF || d.done() {
			d.report(o)
			if err == io.EOF {
				// What a format does not read is part of the file's hash.
				_, err := io.Copy(io.Discard, in)
				return err
			}
			return nil
		}
		var syntax *SyntaxError
		if errors.As(err, &syntax) {
			err = d.tolerate(syntax, f)
		}
		if err != nil {
			return err
		}
	}
}

// timeUnitParam is the parameter of formats whose times may have any unit, and
// fractions of it. Where there is none, the ticks of the format get another
// length.
const timeUnitParam = "time-unit"

// timeUnit returns o.TimeUnit as the parameter of f.
func (o Options) timeUnit(f Format) (string, error) {
	if v, ok := o.Params[timeUnitParam]; ok {
		return "", fmt.Errorf("the unit of time is given twice: %v and, as a parameter of format %s, %s", o.TimeUnit, f.Name, v)
	}
	for _, name := range []string{"s", "ms", "us", "ns"} {
		if unit, err := parseTimeUnit(name); err == nil && unit == o.TimeUnit {
			return name, nil
		}
	}
	return "", fmt.Errorf("the unit of the times of format %s cannot be %v: it is 1s, 1ms, 1us or 1ns", f.Name, o.TimeUnit)
}

// detect returns the format of a file, why it is that, and a reader of all of
// it.
func (d *decoding) detect(in io.Reader, f file) (Format, string, io.Reader, error) {
	if f.format != "" {
		format, err := FormatByName(f.format)
		return format, "it was named", in, err
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(in, head)
	whole := err == io.EOF || err == io.ErrUnexpectedEOF
	if err != nil && !whole {
		return Format{}, "", nil, err
	}
	head = head[:n]
	format, why, err := detect(Formats, head, whole)
	return format, why, io.MultiReader(bytes.NewReader(head), in), err
}

// grow gives b all of its records.
func (b *batch) grow() {
	if b.records == nil {
		b.records = make([]Record, batchSize)
		b.hashes = make([]uint64, batchSize)
	}
	b.records = b.records[:batchSize]
}

// decode fills records with the next ones that are kept and returns how many they are, with what is
// to be known of their groups.
func (d *decoding) decode(o *decodedFile, records []Record) (int, *sim.Prompts, error) {
	clear(records)
	n, err := o.dec.Decode(records)
	d.records += int64(n)
	var prompts *sim.Prompts
	if g, ok := o.dec.(Grouper); ok {
		for _, i := range g.Groups() {
			records[i].Start = true
		}
		p := g.Prompts()
		prompts = &p
	}
	if f := d.o.filter; f != nil {
		if n > 0 && !o.begun {
			o.begun = true
			f.begin(&records[0], d.tick(o), d.o.Merge)
		}
		d.records += f.early // good ones as well
		f.early = 0
		n = f.keep(records[:n], o.chooses, &o.pending)
	}
	return n, prompts, err
}

// prepare leaves out the records of b that are not replayed, and gives the rest
// hashes and texts that stay.
func (d *decoding) prepare(b *batch) error {
	if d.o.filter != nil {
		if err := d.o.filter.window(b); err != nil {
			return err
		}
	}
	if d.o.Ops == ReadsOnly {
		n := 0
		for i := range b.records {
			if op := b.records[i].Op; op != sim.Get {
				d.leftOut[op]++
				continue
			}
			if n < i {
				b.records[n] = b.records[i]
			}
			n++
		}
		b.records = b.records[:n]
	}
	if d.o.ZeroSize == SkipZero || d.o.ZeroSize == OneByte && !d.o.IgnoreSize {
		d.zeroSizes(b)
	}
	if d.skipped < d.o.Skip {
		n := min(d.o.Skip-d.skipped, len(b.records))
		d.skipped += n
		b.records = b.records[:copy(b.records, b.records[n:])]
	}
	if d.o.Limit > 0 {
		b.records = b.records[:min(len(b.records), d.o.Limit-d.kept)]
	}
	versions := d.o.SizeRule == NewObject && !d.o.IgnoreSize
	need := 0
	for i := range b.records {
		need += len(b.records[i].Text)
		if versions {
			need += 2*20 + 1
		}
	}
	if cap(b.text) < need {
		b.text = make([]byte, 0, max(need, 2*cap(b.text)))
	}
	text := b.text[:0]
	b.hashes = b.hashes[:len(b.records)]
	for i := range b.records {
		r := &b.records[i]
		if versions {
			// The last @ of an id comes before the size, so that no two are the same.
			at := len(text)
			if r.Text != nil {
				text = append(text, r.Text...)
			} else {
				text = strconv.AppendUint(text, r.Key, 10)
			}
			text = strconv.AppendInt(append(text, '@'), r.Size, 10)
			r.Text = text[at:len(text):len(text)]
			b.hashes[i] = hashText(r.Text)
			continue
		}
		if r.Text != nil {
			key, ok := plainNumber(r.Text)
			if !ok {
				at := len(text)
				text = append(text, r.Text...)
				r.Text = text[at:len(text):len(text)]
				if b.hashes[i] = r.hash; r.hash == 0 {
					b.hashes[i] = hashText(r.Text)
				}
				continue
			}
			r.Key, r.Text = key, nil
		}
		b.hashes[i] = hashNumber(r.Key)
	}
	b.text = text
	return nil
}

// zeroSizes leaves out the records of b of size 0, or gives them 1 byte. A delete has no size.
func (d *decoding) zeroSizes(b *batch) {
	n := 0
	for i := range b.records {
		if r := &b.records[i]; r.Size == 0 && r.Op != sim.Delete {
			d.zeros++
			if d.o.ZeroSize == SkipZero {
				continue
			}
			r.Size = 1
		}
		if n < i {
			b.records[n] = b.records[i]
		}
		n++
	}
	b.records = b.records[:n]
}

// tolerate counts a malformed record, and returns an error if that is one too
// many.
func (d *decoding) tolerate(e *SyntaxError, f file) error {
	e.File = f.name
	d.bad++
	kind := e.kind()
	m := d.badSeen[kind]
	if m == nil {
		if len(d.badSeen) >= maxKinds {
			kind = "others"
			m = d.badSeen[kind]
		}
		if m == nil {
			m = &malformed{first: e}
			d.badSeen[kind] = m
			d.badKind = append(d.badKind, kind)
		}
	}
	m.n++
	// A share is known at the end only, but a file that is not of the format at
	// all need not be read until then.
	const judged = 10_000
	if d.bad <= d.o.SkipBad || d.o.SkipBadShare > 0 && (d.records < judged && d.bad < judged || d.withinShare()) {
		return nil
	}
	return d.tooMany()
}

// maxKinds bounds the kinds of malformed records that are counted apart.
const maxKinds = 8

func (d *decoding) withinShare() bool {
	return float64(d.bad) <= d.o.SkipBadShare*float64(d.bad+d.records)
}

// A MalformedError says that more records are malformed than was tolerated.
type MalformedError struct {
	Bad, Records int64 // so far
	First        *SyntaxError
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("%d of %d records are malformed, which is more than is tolerated; the first is %v", e.Bad, e.Records, e.First)
}

// tooMany returns the error for malformed records.
func (d *decoding) tooMany() error {
	first := d.badSeen[d.badKind[0]].first
	if d.o.SkipBad == 0 && d.o.SkipBadShare == 0 {
		first.Record = true
		return first
	}
	return &MalformedError{d.bad, d.bad + d.records, first}
}

// kind returns what the message has in common with that of other records:
// values are in quotes or numbers.
func (e *SyntaxError) kind() string {
	var b strings.Builder
	quoted := false
	for _, c := range e.Msg {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted || c >= '0' && c <= '9' || c == '-' || c == '.':
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// notes returns what is to be known of the decoding.
func (d *decoding) notes() []string {
	var notes []string
	for i, f := range d.formats {
		if i == 0 || f != d.formats[i-1] {
			notes = append(notes, fmt.Sprintf("format %s: %s", f, d.reasons[i]))
		}
	}
	notes = append(notes, d.leftOutNotes()...)
	if d.done() {
		notes = append(notes, fmt.Sprintf("it was read up to request %d after those left out at the start", d.kept))
	}
	for _, kind := range d.badKind {
		m := d.badSeen[kind]
		were := english.PluralWord(int(m.n), "record was", "records were")
		notes = append(notes, fmt.Sprintf("%d malformed %s left out, the first: %v", m.n, were, m.first))
	}
	if d.logs != nil {
		notes = append(notes, d.logs.report()...)
	}
	return append(notes, d.reports...)
}

// leftOutNotes say how many requests were left out that any format may have.
func (d *decoding) leftOutNotes() (notes []string) {
	if d.o.filter != nil {
		notes = append(notes, d.o.filter.summary())
	}
	for op, n := range d.leftOut {
		if n > 0 {
			notes = append(notes, fmt.Sprintf("%d requests with operation %v were left out", n, sim.Op(op)))
		}
	}
	switch {
	case d.zeros > 0 && d.o.ZeroSize == SkipZero:
		notes = append(notes, fmt.Sprintf("%d requests of size 0 were left out", d.zeros))
	case d.zeros > 0:
		notes = append(notes, fmt.Sprintf("%d requests of size 0 were given 1 byte", d.zeros))
	}
	if d.skipped > 0 {
		notes = append(notes, fmt.Sprintf("the first %d requests were left out", d.skipped))
	}
	return notes
}

// whyNone says what has left out requests, where none is left.
func (d *decoding) whyNone() string {
	why := d.leftOutNotes()
	if d.logs != nil {
		if lines := d.logs.leftOut(); len(lines) > 0 {
			why = append(why, lines[0]+" "+strings.Join(lines[1:], ", "))
		}
	}
	return strings.Join(why, "; ")
}

// format names the formats of the files.
func (d *decoding) format() string {
	distinct := map[string]bool{}
	for _, f := range d.formats {
		distinct[f] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(distinct)), "+")
}

// A progressReader reports the bytes that are read.
type progressReader struct {
	io.Reader
	f func(int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if p.f != nil && n > 0 {
		p.f(int64(n))
	}
	return n, err
}
