package traces

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"cachesim/sim"
)

// An access log says what a server answered, not what a cache would have seen.
// Its decoders therefore work in two stages: a weblogSplitter knows how one kind
// of log writes the fields of a line, and weblogDecoder applies the same rules
// to all of them (weblog_rules.go): which methods and statuses count, what
// identifies an object, how large it is. Every rule is a parameter, and Report
// says what each has left out.

// A weblogRole is what a field of a line means to a cache.
type weblogRole uint8

const (
	roleNone    weblogRole = iota
	roleID                 // the object's id, used as it is instead of host and URL
	roleRequest            // request line: "GET /a?b HTTP/1.1"
	roleMethod
	roleURL     // path and query, or an absolute URL
	roleHostURL // host, path and query without anything between
	rolePath
	roleQuery
	roleScheme
	roleHost
	rolePort
	roleStatus
	roleBody   // bytes of the response's body that were sent
	roleSent   // bytes of the response that were sent, headers included
	roleLength // Content-Length of the response
	roleFull   // bytes of the whole object
	roleRange  // Content-Range of the response
	roleVerdict
	roleLookup    // "true": the cache was asked, so that no verdict is a miss
	roleOperation // of S3: REST.GET.OBJECT
	roleCaptured  // headers that HAProxy captures: {a|b}
	roleTime
	roleDate  // 2024-01-31; the time of day is in roleClock
	roleClock // 23:59:59
	weblogRoles
)

// maxExtra bounds the fields besides the known roles that a key names.
const maxExtra = 8

// weblogFields are the fields of one line. They point into it.
type weblogFields struct {
	role   [weblogRoles][]byte
	extra  [maxExtra][]byte // of the names that the key's template has
	micros int64            // time in microseconds since 1970
	timed  bool

	// The last time that was read, which most lines share with the one before.
	clock       []byte
	clockMicros int64
}

// A weblogSplitter finds the fields of the lines of one kind of log.
type weblogSplitter interface {
	// split sets the fields that line has. It reports false where the line is
	// not a request, as a comment. It may write to line.
	split(line []byte, f *weblogFields) (bool, error)
	// tick returns the resolution of the log's times; 0: it has none.
	tick() time.Duration
}

// A weblogNoter is a splitter that has a line of its own for the report.
type weblogNoter interface{ note() weblogNote }

// A weblogKind is a row of the table of access logs.
type weblogKind struct {
	name, doc string
	tick      time.Duration
	params    []Param // besides weblogParams
	// split makes a splitter that also finds the named fields.
	split func(args Args, extras []string) (weblogSplitter, error)
	// probe reports whether a line has the form of the log; why is the reason
	// that is given when nearly all lines have.
	probe func(line []byte) bool
	// ignore reports whether a line, by its form, is something that is logged
	// beside requests; nil: none is.
	ignore func(line []byte) bool
	// head replaces it for a log with a header.
	head       func(head []byte) bool
	why        string
	confidence Confidence
}

func (k weblogKind) format() Format {
	return Format{
		Name:   k.name,
		Doc:    k.doc,
		Tick:   k.tick,
		Params: slices.Concat(k.params, weblogParams),
		Probe:  k.probeLines,
		New: func(r io.Reader, args Args) (Decoder, error) {
			rules, err := newWeblogRules(args)
			if err != nil {
				return nil, err
			}
			s, err := k.split(args, rules.extras)
			if err != nil {
				return nil, err
			}
			return newWeblogDecoder(r, s, rules), nil
		},
	}
}

// probedLines is how many lines a probe looks at.
const probedLines = 64

// probeLines is sure of a kind when its form fits three of five of the first
// lines: logs have a few odd ones, and other kinds fit none.
func (k weblogKind) probeLines(head []byte, whole bool) (Confidence, string) {
	head = bytes.TrimPrefix(head, bom)
	switch {
	case k.head != nil && k.head(head):
		return k.confidence, k.why
	case k.head != nil:
		return No, "it has no such header"
	case k.probe == nil:
		return No, "its layout has to be given"
	}
	var lines, fit int
	for lines < probedLines && len(head) > 0 {
		line, rest, found := bytes.Cut(head, []byte{'\n'})
		if !found && !whole {
			break
		}
		head = rest
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if blankLine(line) || k.ignore != nil && k.ignore(line) {
			continue
		}
		lines++
		if len(line) <= maxLine && k.probe(line) {
			fit++
		}
	}
	if fit == 0 || fit*5 < lines*3 {
		return No, fmt.Sprintf("%d of its first %d lines have the form of this log", fit, lines)
	}
	return k.confidence, k.why
}

// A weblogDecoder turns the lines of an access log into the requests that a
// cache would see.
type weblogDecoder struct {
	lines *lineReader
	split weblogSplitter
	rules *weblogRules
	f     weblogFields
	parse func([]byte, *Record) (bool, error) // d.line, kept to avoid an allocation per call

	chosen   *filter            // that is applied to host and URI; nil: none is
	began    func(micros int64) // tells it of the first time; nil: it knows
	tick     time.Duration
	micros   int64 // per tick
	sizes    *weblogSizes
	requests []weblogRequest // of the current batch
	arena    []byte          // ids of the current batch that are not parts of its lines
	pairs    [][]byte        // of a query that is being sorted

	left weblogCounts
	last int64 // latest time so far, in ticks
}

func newWeblogDecoder(r io.Reader, s weblogSplitter, rules *weblogRules) *weblogDecoder {
	d := &weblogDecoder{lines: newLineReader(r), split: s, rules: rules, tick: s.tick(), sizes: &weblogSizes{}}
	d.micros = int64(max(d.tick, time.Microsecond) / time.Microsecond)
	d.parse = d.line
	return d
}

// Tick returns the unit of Record.Time.
func (d *weblogDecoder) Tick() time.Duration { return d.tick }

// A weblogRequest is what is known of a line that counts, but for the size of its object where
// earlier lines have to show it.
type weblogRequest struct {
	hash       uint64 // of the id; only if sizes are remembered
	full, sent int64  // bytes of the whole object, or -1, and of what was sent
	micros     int64
	status     int16
	head       bool
	timed      bool
	verdict    int8 // 1: the log's own cache hit; -1: it missed
}

// Decode reads lines in two passes: what they say, and then, in their order, what that means for
// objects. The second looks sizes up in a table that is far larger than the processor's caches; as
// the places are known by then, they are loaded together.
func (d *weblogDecoder) Decode(dst []Record) (int, error) {
	for {
		d.arena, d.requests = d.arena[:0], d.requests[:0]
		n, err := d.lines.decode(dst, d.parse)
		if n = d.settle(dst[:n]); n > 0 || err != nil || len(dst) == 0 {
			return n, err
		}
	}
}

// settle gives the records of d.requests sizes and times. It moves those that are kept to the front
// and returns how many they are.
func (d *weblogDecoder) settle(records []Record) int {
	const together = 64
	n := 0
	for i := range d.requests {
		if i%together == 0 && d.rules.remember {
			d.sizes.preload(d.requests[i:min(i+together, len(d.requests))])
		}
		q, r := &d.requests[i], &records[i]
		size, ok := d.size(q)
		if !ok {
			d.left.unknownSize++
			continue
		}
		d.time(q, r)
		r.Size, r.TTL, r.Op = size, 0, sim.Get
		d.left.kept++
		switch q.verdict {
		case 1:
			d.left.hits++
		case -1:
			d.left.misses++
		}
		if n < i {
			records[n] = *r
		}
		n++
	}
	return n
}

// line reads one line. It reports false where a rule leaves it out.
func (d *weblogDecoder) line(line []byte, r *Record) (bool, error) {
	f := &d.f
	if ok, err := d.split.split(line, f); !ok || err != nil {
		return false, err
	}
	d.left.lines++
	status := 200
	if b := f.role[roleStatus]; b != nil {
		var ok bool
		if status, ok = parseStatus(b); !ok {
			return false, fmt.Errorf("status %s is not a number: %s", quote(b), quoteLine(line))
		}
		if status >= 400 {
			d.left.failed++
		}
	}
	t, ok := d.target()
	if !ok {
		d.left.invalid++
		return false, nil
	}
	head := false
	if t.method != nil {
		if !d.rules.method(t.method) {
			d.left.methods.add(t.method, 1)
			return false, nil
		}
		head = len(t.method) == 4 && string(t.method) == "HEAD"
	}
	switch {
	case status == 304:
		if !d.rules.notModified {
			d.left.notModified++
			return false, nil
		}
	case status == 206:
		if d.rules.partial == partialSkip {
			d.left.partial++
			return false, nil
		}
	case !d.rules.statuses[status]:
		d.left.statuses[status]++
		return false, nil
	}
	id := d.id(&t)
	if d.chosen != nil && !d.chooses(&t) {
		return false, nil
	}
	q := weblogRequest{status: int16(status), head: head, micros: f.micros, timed: f.timed, verdict: d.verdict()}
	var err error
	if q.full, err = d.fullSize(status); err == nil && status != 304 && !head {
		q.sent, err = d.sent()
	}
	if err != nil {
		return false, fmt.Errorf("%w: %s", err, quoteLine(line))
	}
	if q.full < 0 && head && status == 200 {
		if n, ok := parseUint(f.role[roleLength]); ok && n <= sim.MaxSize {
			q.full = int64(n)
		}
	}
	r.setID(id)
	if d.rules.remember {
		q.hash = hashText(id)
		if r.hash = q.hash; r.Text == nil {
			r.hash = 0
		}
	}
	d.requests = append(d.requests, q)
	return true, nil
}

// parseStatus reads an HTTP status. What servers log where they sent none, "-",
// "-1", "0" or "000", is 0.
func parseStatus(b []byte) (int, bool) {
	if len(b) == 3 {
		h, t, u := b[0]-'0', b[1]-'0', b[2]-'0'
		return int(h)*100 + int(t)*10 + int(u), h <= 9 && t <= 9 && u <= 9
	}
	return 0, len(b) == 0 || string(b) == "-" || string(b) == "-1" || string(b) == "0"
}

// size returns how many bytes the object of a request has; false: it is not known.
func (d *weblogDecoder) size(q *weblogRequest) (int64, bool) {
	if q.status == 304 || q.head {
		if q.full >= 0 {
			return q.full, true
		}
		e := d.sizes.find(q.hash)
		return e.bytes(), e.known
	}
	switch {
	case q.status == 206 && d.rules.partial == partialRange:
		return q.sent, true
	case q.status == 206:
		e := d.sizes.find(q.hash)
		if q.full < 0 && e.known && e.whole() {
			return e.bytes(), true
		}
		if q.full >= 0 {
			d.sizes.set(e, q.full, true)
			return q.full, true
		}
		d.left.largestRange++
		sent := q.sent
		if e.known {
			sent = max(sent, e.bytes())
		}
		d.sizes.set(e, sent, false)
		return sent, true
	}
	size := q.sent
	if q.full >= 0 {
		size = q.full
	}
	if d.rules.remember && (q.status == 200 || q.status == 203) {
		d.sizes.set(d.sizes.find(q.hash), size, true)
	}
	return size, true
}

// sent returns the bytes of the response, without headers as far as is known.
// "-" is what servers log for no bytes.
func (d *weblogDecoder) sent() (int64, error) {
	f := &d.f
	if n, ok := parseUint(f.role[roleLength]); ok && n <= sim.MaxSize {
		return int64(n), nil
	}
	b := f.role[roleBody]
	if b == nil {
		b = f.role[roleSent]
	}
	if b == nil {
		return 0, errNoSize
	}
	if len(b) == 0 || len(b) == 1 && b[0] == '-' {
		return 0, nil
	}
	n, ok := parseUint(b)
	if !ok || n > sim.MaxSize {
		return 0, fmt.Errorf("size %s is not a number of bytes", quote(b))
	}
	return max(int64(n)-d.rules.headerBytes, 0), nil
}

var errNoSize = fmt.Errorf("it has no field for the size of the response")

// fullSize returns the size of the object where the line has it, or -1.
func (d *weblogDecoder) fullSize(status int) (int64, error) {
	if b := d.f.role[roleFull]; b != nil && status < 400 {
		if n, ok := parseUint(b); ok && n <= sim.MaxSize {
			return int64(n), nil
		}
	}
	b := d.f.role[roleRange]
	if b == nil || status != 206 {
		return -1, nil
	}
	// "bytes 0-99/1234"; where the size is not known, "*".
	i := bytes.LastIndexByte(b, '/')
	if i < 0 || string(b[i+1:]) == "*" {
		return -1, nil
	}
	n, ok := parseUint(b[i+1:])
	if !ok || n > sim.MaxSize {
		return 0, fmt.Errorf("content range %s does not end in a size", quote(b))
	}
	return int64(n), nil
}

// time sets the time of r. Servers log a request when it ends, so that times
// may go back; a line without a time has that of the one before.
func (d *weblogDecoder) time(q *weblogRequest, r *Record) {
	if !q.timed {
		if d.tick != 0 {
			d.left.untimed++
		}
		r.Time = d.last
		return
	}
	t := q.micros / d.micros
	if d.left.kept == d.left.untimed || t >= d.last {
		d.last = t
	} else {
		d.left.late++
		d.left.lateBy = max(d.left.lateBy, d.last-t)
	}
	r.Time = t
}

// verdict returns what the log's own cache said of the request: 1 for a hit, -1 for a miss, 0 for
// nothing.
func (d *weblogDecoder) verdict() int8 {
	switch b := d.f.role[roleVerdict]; {
	case len(b) == 0:
		if string(d.f.role[roleLookup]) == "true" {
			return -1
		}
	case cacheHit(b):
		return 1
	case !noVerdict(b):
		return -1
	}
	return 0
}

// quoteLine shows a line in an error, shortened and escaped.
func quoteLine(line []byte) string {
	if len(line) > 120 {
		return fmt.Sprintf("%q...", line[:120])
	}
	return fmt.Sprintf("%q", line)
}

// weblogFormats lists the access logs.
var weblogFormats = func() []Format {
	var formats []Format
	for _, kinds := range [][]weblogKind{weblogLayouts, {haproxyLog}, weblogHeaders, weblogDialects} {
		for _, k := range kinds {
			formats = append(formats, k.format())
		}
	}
	return formats
}()

// sentenceList joins words as "a, b or c".
func sentenceList(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}
