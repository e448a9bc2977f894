package traces

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"cachesim/sim"

	"github.com/dustin/go-humanize"
)

// weblogParams are the rules that all access logs share. The default statuses
// are those that RFC 9110, section 15.1, lets a cache store without an explicit
// lifetime, but for the errors 404, 405, 410, 414 and 501: most servers' logs
// are full of errors that scanners caused, and caches keep them for seconds at
// most. 206 and 304 have rules of their own.
var weblogParams = []Param{
	{"methods", "GET", "methods of the requests that count, as GET,HEAD"},
	{"statuses", "200,203,204,300,301,308",
		"statuses that count, as 200,301,404, 200-299, 2xx or all; 206 and 304 have rules of their own"},
	{"not-modified", "hit",
		"304: hit, a request for the object in its known size, or skip"},
	{"partial", "object",
		"206: object, a request for the whole object; range, for the bytes sent; or skip"},
	{"key", "$host$uri",
		"id of an object: a template of $host, $uri, $path, $query, $scheme, $method and the log's own fields"},
	{"strip-query", "no", "query strings: no, they are a part of the id; yes, dropped; sort, their parameters sorted"},
	{"header-bytes", "0", "bytes to subtract from each size for response headers"},
}

// How to read a response with a part of an object, and a query.
const (
	partialObject = iota
	partialRange
	partialSkip
)

const (
	queryKeep = iota
	queryStrip
	querySort
)

// weblogRules are the parameters, parsed.
type weblogRules struct {
	args        Args // as given, for the report
	methods     [][]byte
	onlyGet     bool
	statuses    [1000]bool
	notModified bool
	partial     int
	query       int
	headerBytes int64
	template    []keyPart // nil: $host$uri
	extras      []string  // names of the log's own fields in it
	remember    bool      // sizes are needed later, for 304, 206 or HEAD
}

func newWeblogRules(given Args) (*weblogRules, error) {
	args := Args{}
	for _, p := range weblogParams {
		args[p.Name] = p.Default
		if v, ok := given[p.Name]; ok {
			args[p.Name] = v
		}
	}
	rules := &weblogRules{args: args}
	for _, m := range strings.Split(args["methods"], ",") {
		if !methodName([]byte(m)) {
			return nil, fmt.Errorf("methods=%s: %q is not a method; it is a list such as GET,HEAD", args["methods"], m)
		}
		rules.methods = append(rules.methods, []byte(m))
	}
	rules.onlyGet = args["methods"] == "GET"
	if err := rules.setStatuses(args["statuses"]); err != nil {
		return nil, err
	}
	notModified, err := choice(args, "not-modified", "skip", "hit")
	if err != nil {
		return nil, err
	}
	rules.notModified = notModified == 1
	if rules.partial, err = choice(args, "partial", "object", "range", "skip"); err != nil {
		return nil, err
	}
	if rules.query, err = choice(args, "strip-query", "no", "yes", "sort"); err != nil {
		return nil, err
	}
	if rules.headerBytes, err = strconv.ParseInt(args["header-bytes"], 10, 32); err != nil || rules.headerBytes < 0 {
		return nil, fmt.Errorf("header-bytes=%q is not a number of bytes", args["header-bytes"])
	}
	rules.remember = rules.notModified || rules.partial == partialObject || slices.Contains(strings.Split(args["methods"], ","), "HEAD")
	return rules, rules.setKey(args["key"])
}

func choice(args Args, name string, values ...string) (int, error) {
	if i := slices.Index(values, args[name]); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s=%s: it is %s%s", name, args[name], sentenceList(values), sim.DidYouMean(args[name], values))
}

func (r *weblogRules) setStatuses(list string) error {
	for _, s := range strings.Split(list, ",") {
		low, high := s, s
		switch {
		case s == "all":
			low, high = "100", "999"
		case len(s) == 3 && s[1:] == "xx":
			low, high = s[:1]+"00", s[:1]+"99"
		case len(s) == 7 && s[3] == '-':
			low, high = s[:3], s[4:]
		}
		i, err1 := strconv.Atoi(low)
		j, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || i < 100 || j > 999 || i > j {
			return fmt.Errorf("statuses=%s: %q is not a status; it is a list of 200, 200-299, 2xx or all", list, s)
		}
		for ; i <= j; i++ {
			r.statuses[i] = true
		}
	}
	return nil
}

// method reports whether requests with a method count.
func (r *weblogRules) method(m []byte) bool {
	if r.onlyGet {
		return len(m) == 3 && m[0] == 'G' && m[1] == 'E' && m[2] == 'T'
	}
	for _, known := range r.methods {
		if bytes.Equal(m, known) {
			return true
		}
	}
	return false
}

// A keyPart is a literal or a variable of the key's template.
type keyPart struct {
	literal string
	name    string // of a known part of the target; empty: extra
	extra   int
}

// setKey parses the template of ids.
func (r *weblogRules) setKey(template string) error {
	if template == "$host$uri" {
		return nil
	}
	rest := template
	for rest != "" {
		i := strings.IndexByte(rest, '$')
		if i < 0 {
			i = len(rest)
		}
		if i > 0 {
			r.template = append(r.template, keyPart{literal: rest[:i]})
			rest = rest[i:]
			continue
		}
		name, after, ok := cutVariable(rest)
		if !ok {
			return fmt.Errorf("key=%s: a dollar sign is followed by no name; ${name} separates a name from what follows", template)
		}
		rest = after
		switch name {
		case "args":
			name = "query"
		case "request_uri":
			name = "uri"
		}
		switch name {
		case "host", "uri", "path", "query", "scheme", "method":
			r.template = append(r.template, keyPart{name: name})
			continue
		}
		extra := slices.Index(r.extras, name)
		if extra < 0 {
			if extra = len(r.extras); extra == maxExtra {
				return fmt.Errorf("key=%s: it has more than %d fields", template, maxExtra)
			}
			r.extras = append(r.extras, name)
		}
		r.template = append(r.template, keyPart{extra: extra})
	}
	if len(r.template) == 0 {
		return fmt.Errorf("key is empty: it is a template such as %s", "$host$uri")
	}
	return nil
}

// cutVariable returns the name of the variable that s, which starts with a
// dollar sign, starts with.
func cutVariable(s string) (name, rest string, ok bool) {
	if strings.HasPrefix(s, "${") {
		name, rest, ok = strings.Cut(s[2:], "}")
		return name, rest, ok && name != ""
	}
	i := 1
	for i < len(s) && (s[i] == '_' || s[i]-'0' <= 9 || s[i]|0x20-'a' <= 25) {
		i++
	}
	return s[1:i], s[i:], i > 1
}

// expand builds an id from the template, in d's arena.
func (r *weblogRules) expand(d *weblogDecoder, t *weblogTarget) []byte {
	n := 0
	for _, p := range r.template {
		n += len(p.literal) + len(t.uri) + len(t.host) + len(t.port) + len(t.scheme) + len(t.method) + 1
		if p.literal == "" && p.name == "" {
			n += len(d.f.extra[p.extra])
		}
	}
	start := d.reserve(n)
	for _, p := range r.template {
		switch {
		case p.literal != "":
			d.arena = append(d.arena, p.literal...)
		case p.name == "":
			d.arena = append(d.arena, d.f.extra[p.extra]...)
		case p.name == "host":
			d.host(t)
		case p.name == "uri":
			d.arena = append(d.arena, t.uri...)
		case p.name == "path":
			path, _, _ := bytes.Cut(t.uri, []byte{'?'})
			d.arena = append(d.arena, path...)
		case p.name == "query":
			d.arena = append(d.arena, t.query...)
		case p.name == "scheme":
			d.arena = append(d.arena, t.scheme...)
		case p.name == "method":
			d.arena = append(d.arena, t.method...)
		}
	}
	return d.arena[start:len(d.arena):len(d.arena)]
}

// weblogCounts counts lines by what became of them.
type weblogCounts struct {
	lines, failed int64 // all, and those with a status of 400 or more
	kept          int64
	invalid       int64 // not HTTP
	methods       weblogTally
	statuses      [1000]int64
	notModified   int64 // 304 that was left out by choice
	unknownSize   int64 // 304 or HEAD for an object that the log had not shown
	partial       int64 // 206 that was left out by choice
	largestRange  int64 // 206 that counted with the largest range
	untimed       int64
	late, lateBy  int64
	hits, misses  int64 // by the log's own cache
}

// A weblogTally counts methods by name. Names past the first few are counted
// together: a log can have any number of invented ones.
type weblogTally struct {
	names  [12]string
	counts [13]int64 // the last one is of the other names
}

func (t *weblogTally) add(name []byte, n int64) {
	for i := range t.names {
		if t.names[i] == "" {
			t.names[i] = string(name)
		}
		if t.names[i] == string(name) {
			t.counts[i] += n
			return
		}
	}
	t.counts[len(t.names)] += n
}

// A weblogSummary is what became of the lines of one or several logs.
type weblogSummary struct {
	weblogCounts
	args    Args
	lateBy  time.Duration
	notes   []weblogNote // of the splitters
	headers bool         // sizes of some may include headers
}

// A weblogNote is a number of lines that a splitter has something to say about. Notes of several
// logs that say the same are added up.
type weblogNote struct {
	n         int64
	one, many string // what is behind the number: one line, or several
	leftOut   bool   // they are no requests for objects
}

// add takes in the counts of a log.
func (s *weblogSummary) add(d *weblogDecoder) {
	c := &d.left
	s.args = d.rules.args
	s.lines += c.lines
	s.failed += c.failed
	s.kept += c.kept
	s.invalid += c.invalid
	for i, n := range c.methods.counts {
		switch {
		case i == len(c.methods.names):
			s.methods.counts[i] += n
		case n > 0:
			s.methods.add([]byte(c.methods.names[i]), n)
		}
	}
	for status, n := range c.statuses {
		s.statuses[status] += n
	}
	s.notModified += c.notModified
	s.unknownSize += c.unknownSize
	s.partial += c.partial
	s.largestRange += c.largestRange
	s.untimed += c.untimed
	s.late += c.late
	s.lateBy = max(s.lateBy, time.Duration(c.lateBy)*d.tick)
	s.hits += c.hits
	s.misses += c.misses
	if n, ok := d.split.(weblogNoter); ok {
		note := n.note()
		i := slices.IndexFunc(s.notes, func(have weblogNote) bool { return have.many == note.many })
		if i >= 0 {
			s.notes[i].n += note.n
		} else if note.n > 0 {
			s.notes = append(s.notes, note)
		}
	}
	if h, ok := d.split.(interface{ headers() bool }); ok {
		s.headers = s.headers || h.headers()
	}
}

// A counted is something with how often it occurred.
type counted struct {
	name string
	n    int64
}

// shown is how many names a line of the report lists.
const shown = 5

// list returns the most frequent names, and how many there are of all.
func list(all []counted) (names string, total int64) {
	slices.SortStableFunc(all, func(a, b counted) int { return cmp.Compare(b.n, a.n) })
	var s []string
	for i, c := range all {
		total += c.n
		if i < shown {
			s = append(s, c.name)
		}
	}
	if len(all) > shown {
		s = append(s, "others")
	}
	return sentenceList(s), total
}

// Report says what the rules have left out, what the log's own cache did, and
// what bears on the results.
func (d *weblogDecoder) Report() []string {
	s := &weblogSummary{}
	s.add(d)
	return s.report()
}

// sayer collects lines of a report that start with a number of requests.
type sayer struct {
	lines []string
	total int64
}

func (s *sayer) say(n int64, format string, a ...any) {
	if n > 0 {
		s.lines = append(s.lines, plural(n)+" "+fmt.Sprintf(format, a...))
		s.total += n
	}
}

// leftOut returns what each rule has left out, behind a line with the sum; nil: nothing.
func (s *weblogSummary) leftOut() []string {
	var out sayer
	args := s.args
	out.say(s.invalid, "without a valid HTTP request line")
	var methods []counted
	for i, n := range s.methods.counts {
		if n > 0 && i < len(s.methods.names) {
			methods = append(methods, counted{s.methods.names[i], n})
		} else if n > 0 {
			methods = append(methods, counted{"others", n})
		}
	}
	names, total := list(methods)
	out.say(total, "with method %s (methods=%s)", names, args["methods"])
	var statuses []counted
	for status, n := range s.statuses {
		if n > 0 && status == 0 {
			statuses = append(statuses, counted{"none", n})
		} else if n > 0 {
			statuses = append(statuses, counted{strconv.Itoa(status), n})
		}
	}
	names, total = list(statuses)
	out.say(total, "with status %s (statuses=%s)", names, args["statuses"])
	out.say(s.notModified, "answered 304 (not-modified=skip)")
	out.say(s.partial, "for ranges, answered 206 (partial=skip)")
	out.say(s.unknownSize, "answered without a body for objects whose size the log had not shown before")
	lines := s.lines
	for _, note := range s.notes {
		if note.leftOut {
			out.lines = append(out.lines, note.String())
			out.total += note.n
			lines += note.n
		}
	}
	if len(out.lines) == 0 {
		return nil
	}
	what := "lines"
	if lines == 1 {
		what = "line"
	}
	return append([]string{fmt.Sprintf("the rules for access logs left out %s of %s %s:", humanize.Comma(out.total), humanize.Comma(lines), what)}, out.lines...)
}

func (n weblogNote) String() string {
	if n.n == 1 {
		return "1 " + n.one
	}
	return humanize.Comma(n.n) + " " + n.many
}

// report returns what is to be known of the logs.
func (s *weblogSummary) report() []string {
	out := sayer{lines: s.leftOut()}
	out.say(s.largestRange, "for ranges of objects whose size the log had not shown, counted with the largest range so far")
	out.say(s.untimed, "without a time, given that of the request before")
	out.say(s.late, "logged up to %v after a later one", s.lateBy)
	for _, note := range s.notes {
		if !note.leftOut {
			out.lines = append(out.lines, note.String())
		}
	}
	if s.headers {
		out.lines = append(out.lines, fmt.Sprintf("sizes are bytes sent, which may include response headers (header-bytes=%s)", s.args["header-bytes"]))
	}
	if n := s.hits + s.misses; n > 0 {
		out.lines = append(out.lines, fmt.Sprintf("the log's own cache reports %.1f %% hits (%s of %s)",
			100*float64(s.hits)/float64(n), humanize.Comma(s.hits), plural(n)))
	}
	if s.failed*2 > s.lines {
		out.lines = append(out.lines, fmt.Sprintf("warning: %.0f %% of the requests have an error status, 400 or above: is this the log of a working server?",
			100*float64(s.failed)/float64(s.lines)))
	}
	return out.lines
}

func plural(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return humanize.Comma(n) + " requests"
}
