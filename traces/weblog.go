package traces

import (
	"bytes"
	"fmt"
	"hash/maphash"
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
}

// A weblogSplitter finds the fields of the lines of one kind of log.
type weblogSplitter interface {
	// split sets the fields that line has. It reports false where the line is
	// not a request, as a comment. It may write to line.
	split(line []byte, f *weblogFields) (bool, error)
	// tick returns the resolution of the log's times; 0: it has none.
	tick() time.Duration
}

// A weblogNoter is a splitter that has lines of its own for the report.
type weblogNoter interface{ notes() []string }

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

	tick   time.Duration
	micros int64 // per tick
	sizes  weblogSizes
	arena  []byte   // ids of the current batch that are not parts of its lines
	pairs  [][]byte // of a query that is being sorted

	left weblogCounts
	last int64 // latest time so far, in ticks
}

func newWeblogDecoder(r io.Reader, s weblogSplitter, rules *weblogRules) *weblogDecoder {
	d := &weblogDecoder{lines: newLineReader(r), split: s, rules: rules, tick: s.tick()}
	d.micros = int64(max(d.tick, time.Microsecond) / time.Microsecond)
	d.sizes.seed = maphash.MakeSeed()
	d.parse = d.line
	return d
}

// Tick returns the unit of Record.Time.
func (d *weblogDecoder) Tick() time.Duration { return d.tick }

func (d *weblogDecoder) Decode(dst []Record) (int, error) {
	d.arena = d.arena[:0]
	return d.lines.decode(dst, d.parse)
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
			d.left.methods.add(t.method)
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
	if !d.chosen(&t) {
		return false, nil
	}
	size, ok, err := d.size(id, status, head)
	if err != nil {
		return false, fmt.Errorf("%w: %s", err, quoteLine(line))
	}
	if !ok {
		return false, nil
	}
	d.time(r)
	r.setID(id)
	r.Size, r.TTL, r.Op = size, 0, sim.Get
	d.left.kept++
	d.verdict()
	return true, nil
}

// parseStatus reads an HTTP status. What servers log where they sent none, "-",
// "0" or "000", is 0.
func parseStatus(b []byte) (int, bool) {
	if len(b) == 3 {
		h, t, u := b[0]-'0', b[1]-'0', b[2]-'0'
		return int(h)*100 + int(t)*10 + int(u), h <= 9 && t <= 9 && u <= 9
	}
	return 0, len(b) == 0 || string(b) == "-" || string(b) == "0"
}

// A weblogTarget is what a request asked for. The parts are as logged.
type weblogTarget struct {
	method       []byte // nil: the log does not say
	scheme, host []byte
	uri          []byte // with the query
	query        []byte // of uri, behind the question mark; nil: none
	port         []byte
}

// target finds what the line asked for; false: it was not HTTP, as when a
// client sent nothing before the server lost patience, or spoke TLS to a port
// for plain text.
func (d *weblogDecoder) target() (t weblogTarget, ok bool) {
	f := &d.f
	t.host, t.scheme, t.port = f.role[roleHost], f.role[roleScheme], f.role[rolePort]
	if b := f.role[roleRequest]; b != nil {
		if t.method, t.uri, ok = cutRequest(b); !ok && f.role[roleMethod] == nil {
			return t, false
		}
	}
	if b := f.role[roleMethod]; b != nil {
		if !methodName(b) {
			return t, false
		}
		t.method = b
	}
	switch {
	case f.role[roleID] != nil:
		t.uri, t.host, t.port = f.role[roleID], nil, nil
	case f.role[roleURL] != nil:
		t.uri = f.role[roleURL]
	case f.role[roleHostURL] != nil:
		t.uri = f.role[roleHostURL]
		if i := bytes.IndexByte(t.uri, '/'); i >= 0 {
			t.host, t.uri = t.uri[:i], t.uri[i:]
		}
	case f.role[rolePath] != nil && t.uri == nil:
		t.uri = f.role[rolePath]
		if q := f.role[roleQuery]; len(q) > 0 && string(q) != "-" {
			if q[0] == '?' {
				q = q[1:]
			}
			start := d.reserve(len(t.uri) + 1 + len(q))
			d.arena = append(d.arena, t.uri...)
			d.arena = append(d.arena, '?')
			d.arena = append(d.arena, q...)
			t.uri = d.arena[start:len(d.arena):len(d.arena)]
		}
	}
	if len(t.uri) > 0 && t.uri[0] != '/' && f.role[roleID] == nil {
		if i := bytes.Index(t.uri[:min(len(t.uri), 12)], []byte("://")); i > 0 {
			t.scheme = t.uri[:i]
			t.host, t.port = t.uri[i+3:], nil
			t.uri = rootPath
			if j := bytes.IndexAny(t.host, "/?"); j >= 0 {
				t.host, t.uri = t.host[:j], t.host[j:]
			}
		}
	}
	if len(t.host) == 1 && t.host[0] == '-' {
		t.host = nil
	}
	return t, len(t.uri) > 0
}

// rootPath is the path of a URL that has none.
var rootPath = []byte{'/'}

// cutRequest splits a request line, which may lack the version (HTTP/0.9) and
// have unescaped blanks in the target.
func cutRequest(b []byte) (method, uri []byte, ok bool) {
	i := bytes.IndexByte(b, ' ')
	if i < 0 || !methodName(b[:i]) {
		return nil, nil, false
	}
	uri = b[i+1:]
	if j := bytes.LastIndexByte(uri, ' '); j >= 0 && bytes.HasPrefix(uri[j+1:], []byte("HTTP/")) {
		uri = uri[:j]
	}
	return b[:i], uri, len(uri) > 0
}

// methodName reports whether b is a token that may be a method. It is narrower
// than RFC 9110, whose tokens include punctuation that only garbage has.
func methodName(b []byte) bool {
	for _, c := range b {
		if c|0x20-'a' > 25 && c != '-' && c != '_' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 32 && (len(b) > 1 || b[0] != '-')
}

// reserve makes sure that n bytes fit the arena without moving it: ids of the
// batch point into it.
func (d *weblogDecoder) reserve(n int) (start int) {
	if cap(d.arena)-len(d.arena) < n {
		d.arena = make([]byte, 0, max(1<<16, n))
	}
	return len(d.arena)
}

// id builds the object's id, and sets the parts of t that the rules change. It
// is a part of the line where the default key has no host and the query stays.
func (d *weblogDecoder) id(t *weblogTarget) []byte {
	if i := bytes.IndexByte(t.uri, '?'); i >= 0 {
		switch d.rules.query {
		case queryStrip:
			t.uri = t.uri[:i]
		case querySort:
			d.sortQuery(t.uri[i+1:])
			t.query = t.uri[i+1:]
		default:
			t.query = t.uri[i+1:]
		}
	}
	if d.rules.template == nil {
		if len(t.host) == 0 {
			return t.uri
		}
		return d.hostURI(t)
	}
	return d.rules.expand(d, t)
}

// hostURI returns host and URI, with a slash between them, in the arena.
func (d *weblogDecoder) hostURI(t *weblogTarget) []byte {
	start := d.reserve(len(t.host) + len(t.port) + 2 + len(t.uri))
	d.host(t)
	if len(t.host) > 0 && t.uri[0] != '/' {
		d.arena = append(d.arena, '/')
	}
	d.arena = append(d.arena, t.uri...)
	return d.arena[start:len(d.arena):len(d.arena)]
}

// host appends the host to the arena in lower case, with its port where it is
// not the one of HTTP or HTTPS.
func (d *weblogDecoder) host(t *weblogTarget) {
	h := t.host
	if n := len(h); n > 3 && string(h[n-3:]) == ":80" {
		h = h[:n-3]
	} else if n > 4 && string(h[n-4:]) == ":443" {
		h = h[:n-4]
	}
	for _, c := range h {
		if c-'A' <= 25 {
			c |= 0x20
		}
		d.arena = append(d.arena, c)
	}
	if p := t.port; len(h) == len(t.host) && len(p) > 0 && string(p) != "80" && string(p) != "443" &&
		string(p) != "-" && bytes.IndexByte(h, ':') < 0 {
		d.arena = append(d.arena, ':')
		d.arena = append(d.arena, p...)
	}
}

// sortQuery sorts the parameters of a query in place.
func (d *weblogDecoder) sortQuery(q []byte) {
	if bytes.IndexByte(q, '&') < 0 {
		return
	}
	d.pairs = d.pairs[:0]
	for rest := q; ; {
		pair, after, found := bytes.Cut(rest, []byte{'&'})
		d.pairs = append(d.pairs, pair)
		if !found {
			break
		}
		rest = after
	}
	slices.SortStableFunc(d.pairs, bytes.Compare)
	start := d.reserve(len(q))
	for i, pair := range d.pairs {
		if i > 0 {
			d.arena = append(d.arena, '&')
		}
		d.arena = append(d.arena, pair...)
	}
	copy(q, d.arena[start:])
	d.arena = d.arena[:start]
}

// chosen applies the rules include and exclude to host and URI.
func (d *weblogDecoder) chosen(t *weblogTarget) bool {
	if d.rules.include == nil && d.rules.exclude == nil {
		return true
	}
	url := d.hostURI(t)
	d.arena = d.arena[:len(d.arena)-len(url)]
	if d.rules.include != nil && !d.rules.include.Match(url) {
		d.left.notIncluded++
		return false
	}
	if d.rules.exclude != nil && d.rules.exclude.Match(url) {
		d.left.excluded++
		return false
	}
	return true
}

// size returns how many bytes the object has; false: it is not known, which is
// counted.
func (d *weblogDecoder) size(id []byte, status int, head bool) (int64, bool, error) {
	f := &d.f
	full, err := d.fullSize(status)
	if err != nil {
		return 0, false, err
	}
	if status == 304 || head {
		if full < 0 && head && status == 200 {
			if n, ok := parseUint(f.role[roleLength]); ok && n <= sim.MaxSize {
				full = int64(n)
			}
		}
		if full < 0 {
			if e := d.sizes.find(maphash.Bytes(d.sizes.seed, id)); e.known {
				full = e.bytes()
			}
		}
		if full < 0 {
			d.left.unknownSize++
			return 0, false, nil
		}
		return full, true, nil
	}
	sent, err := d.sent()
	if err != nil {
		return 0, false, err
	}
	switch {
	case status == 206 && d.rules.partial == partialRange:
		return sent, true, nil
	case status == 206:
		e := d.sizes.find(maphash.Bytes(d.sizes.seed, id))
		if full < 0 && e.known && e.whole() {
			return e.bytes(), true, nil
		}
		if full >= 0 {
			d.sizes.set(e, full, true)
			return full, true, nil
		}
		d.left.largestRange++
		if e.known {
			sent = max(sent, e.bytes())
		}
		d.sizes.set(e, sent, false)
		return sent, true, nil
	case full >= 0:
		sent = full
	}
	if d.rules.remember && (status == 200 || status == 203) {
		d.sizes.set(d.sizes.find(maphash.Bytes(d.sizes.seed, id)), sent, true)
	}
	return sent, true, nil
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
func (d *weblogDecoder) time(r *Record) {
	if !d.f.timed {
		if d.tick != 0 {
			d.left.untimed++
		}
		r.Time = d.last
		return
	}
	t := d.f.micros / d.micros
	if d.left.kept == d.left.untimed || t >= d.last {
		d.last = t
	} else {
		d.left.late++
		d.left.lateBy = max(d.left.lateBy, d.last-t)
	}
	r.Time = t
}

// verdict counts what the log's own cache said of the request.
func (d *weblogDecoder) verdict() {
	switch b := d.f.role[roleVerdict]; {
	case len(b) == 0:
		if string(d.f.role[roleLookup]) == "true" {
			d.left.misses++
		}
	case cacheHit(b):
		d.left.hits++
	case !noVerdict(b):
		d.left.misses++
	}
}

// noVerdict reports whether a cache's verdict says that no cache was asked.
func noVerdict(b []byte) bool {
	switch string(b) {
	case "-", "N/A", "n/a", "CACHE_NOCONFIG", "CONFIG_NOCACHE":
		return true
	}
	return false
}

// cacheHit reports whether a verdict says that the object came from the cache:
// any word with "hit" but for hit-for-pass, and the words for objects that were
// served stale or after a revalidation.
func cacheHit(b []byte) bool {
	if i := indexFold(b, "hit"); i >= 0 {
		return indexFold(b[i:], "pass") < 0 && indexFold(b[:i], "no") < 0
	}
	for _, word := range []string{"stale", "updating", "revalidated", "refresh_unmodified", "refresh_fail_old", "true"} {
		if indexFold(b, word) >= 0 {
			return true
		}
	}
	return false
}

// indexFold is bytes.Index for a lower-case ASCII word in any case.
func indexFold(b []byte, word string) int {
	for i := 0; i+len(word) <= len(b); i++ {
		j := 0
		for j < len(word) && b[i+j]|0x20 == word[j]|0x20 {
			j++
		}
		if j == len(word) {
			return i
		}
	}
	return -1
}

// quoteLine shows a line in an error, shortened and escaped.
func quoteLine(line []byte) string {
	if len(line) > 120 {
		return fmt.Sprintf("%q...", line[:120])
	}
	return fmt.Sprintf("%q", line)
}

// weblogSizes knows the sizes of objects by the hash of their id. Two of 10
// million ids have the same hash with probability 1 in 300,000, and then one of
// them may get the other's size in a 304 or 206.
//
// Note: a map from the id cost more than the rest of decoding.
type weblogSizes struct {
	seed  maphash.Seed
	slots []weblogSlot // a power of two of them, 3/4 used at most
	used  int
}

type weblogSlot struct {
	hash uint64 // 0: free
	size int64  // bytes<<1, with bit 0 set where it is that of the whole object
}

// A weblogEntry is where the size of an object is, or would be.
type weblogEntry struct {
	hash  uint64
	slot  int
	size  int64
	known bool
}

func (e weblogEntry) bytes() int64 { return e.size >> 1 }
func (e weblogEntry) whole() bool  { return e.size&1 != 0 }

func (s *weblogSizes) find(hash uint64) weblogEntry {
	if hash == 0 {
		hash = 1
	}
	if s.slots == nil {
		s.slots = make([]weblogSlot, 1<<12)
	}
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch slot := &s.slots[i]; slot.hash {
		case hash:
			return weblogEntry{hash: hash, slot: int(i), size: slot.size, known: true}
		case 0:
			return weblogEntry{hash: hash, slot: int(i)}
		}
	}
}

func (s *weblogSizes) set(e weblogEntry, bytes int64, whole bool) {
	size := bytes << 1
	if whole {
		size |= 1
	}
	s.slots[e.slot] = weblogSlot{e.hash, size}
	if e.known {
		return
	}
	if s.used++; s.used*4 <= len(s.slots)*3 {
		return
	}
	old := s.slots
	s.slots = make([]weblogSlot, 2*len(old))
	for _, slot := range old {
		if slot.hash != 0 {
			s.slots[s.find(slot.hash).slot] = slot
		}
	}
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
