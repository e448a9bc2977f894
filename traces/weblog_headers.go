package traces

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Logs in the Extended Log File Format of the W3C name their fields in a line
// "#Fields:", which may occur again with others.

// weblogHeaders are the logs of that kind.
var weblogHeaders = []weblogKind{
	{
		name: "w3c", tick: time.Millisecond,
		doc:        "W3C Extended Log File Format of IIS and others, with a #Fields line",
		why:        "it starts with the header lines of the W3C Extended Log File Format",
		head:       headerOf(false),
		split:      func(_ Args, extras []string) (weblogSplitter, error) { return newW3C(extras, time.Millisecond), nil },
		confidence: Certain,
	},
	{
		name: "cloudfront", tick: time.Second,
		doc:        "standard log of Amazon CloudFront: tabs, with a #Fields line",
		why:        "its #Fields line has the fields of Amazon CloudFront",
		head:       headerOf(true),
		split:      func(_ Args, extras []string) (weblogSplitter, error) { return newW3C(extras, time.Second), nil },
		confidence: Certain,
	},
}

// headerOf returns a probe for a #Fields line that does or does not have
// CloudFront's fields.
func headerOf(cloudFront bool) func(head []byte) bool {
	return func(head []byte) bool {
		fields := fieldsLine(head)
		return fields != nil && cloudFront == bytes.Contains(fields, []byte("x-edge-location"))
	}
}

// fieldsLine returns the first #Fields line, if there are only comments before.
func fieldsLine(head []byte) []byte {
	for len(head) > 0 && (head[0] == '#' || blank(head[0])) {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		if bytes.HasPrefix(line, []byte("#Fields:")) {
			return line
		}
		head = rest
	}
	return nil
}

// w3c splits the lines of an Extended Log File.
type w3c struct {
	extras []string
	every  time.Duration
	fields []w3cField
	delim  byte // between fields: a tab or a blank
	values [][]byte
	day    int64 // microseconds since 1970, of the last #Date line
	sent   bool  // sizes include headers
	err    error // about the last #Fields line
}

type w3cField struct {
	role  weblogRole
	extra int
}

func newW3C(extras []string, every time.Duration) *w3c { return &w3c{extras: extras, every: every} }

func (w *w3c) tick() time.Duration { return w.every }
func (w *w3c) headers() bool       { return w.sent }

// w3cRoles has the known fields. CloudFront has the host that the viewer asked
// for in x-host-header, and its own in cs(host).
var w3cRoles = map[string]layoutRole{
	"cs-method": {roleMethod, 1}, "cs-uri": {roleURL, 1}, "cs-uri-stem": {rolePath, 1}, "cs-uri-query": {roleQuery, 1},
	"x-host-header": {roleHost, 3}, "cs-host": {roleHost, 2}, "cs(host)": {roleHost, 1},
	"cs-protocol": {roleScheme, 2}, "cs-uri-scheme": {roleScheme, 1},
	"sc-status": {roleStatus, 1}, "sc-bytes": {roleSent, 2}, "bytes": {roleSent, 1}, "sc-body-bytes": {roleBody, 1},
	"sc-content-len": {roleLength, 2}, "sc(content-length)": {roleLength, 1}, "sc(content-range)": {roleRange, 1},
	"x-edge-result-type": {roleVerdict, 3}, "x-cache": {roleVerdict, 2}, "sc(x-cache)": {roleVerdict, 2},
	"s-action": {roleVerdict, 1}, "cached": {roleVerdict, 1}, "s-cache-info": {roleVerdict, 1},
	"date": {roleDate, 1}, "time": {roleClock, 1},
}

// directive reads a line that starts with #.
func (w *w3c) directive(line []byte) error {
	if date, ok := bytes.CutPrefix(line, []byte("#Date:")); ok {
		if date = bytes.TrimSpace(date); len(date) >= 10 {
			if day, ok := isoDate(date[:10]); ok {
				w.day = day
			}
		}
	}
	list, ok := bytes.CutPrefix(line, []byte("#Fields:"))
	if !ok {
		return nil
	}
	w.fields, w.delim, w.err = w.fields[:0], 0, nil
	best := map[weblogRole]int{}
	prio := map[weblogRole]int{}
	found := make([]bool, len(w.extras))
	for name := range strings.FieldsSeq(string(list)) {
		f := w3cField{extra: -1}
		key := strings.ToLower(name)
		if r, ok := w3cRoles[key]; ok && r.prio > prio[r.role] {
			if at, again := best[r.role]; again {
				w.fields[at].role = roleNone
			}
			best[r.role], prio[r.role] = len(w.fields), r.prio
			f.role = r.role
		}
		for i, e := range w.extras {
			if e == name || e == w3cVariable(key) {
				f.extra, found[i] = i, true
			}
		}
		w.fields = append(w.fields, f)
	}
	w.values = make([][]byte, len(w.fields)+1)
	has := func(r weblogRole) bool { _, ok := best[r]; return ok }
	w.sent = has(roleSent) && !has(roleBody)
	switch i := slices.Index(found, false); {
	case i >= 0:
		w.err = fmt.Errorf("key: the #Fields line has no field %s", quote([]byte(w.extras[i])))
	case !has(roleURL) && !has(rolePath):
		w.err = errors.New("the #Fields line has no cs-uri-stem, the URL")
	case !has(roleSent) && !has(roleBody) && !has(roleLength):
		w.err = errors.New("the #Fields line has no sc-bytes, the size of the response; IIS has to be told to log it")
	}
	return w.err
}

// w3cVariable returns the name that nginx would give to a field.
func w3cVariable(name string) string {
	if h, ok := strings.CutPrefix(name, "cs("); ok {
		name = "http_" + strings.TrimSuffix(h, ")")
	} else if h, ok := strings.CutPrefix(name, "sc("); ok {
		name = "sent_http_" + strings.TrimSuffix(h, ")")
	}
	return headerName(name)
}

func (w *w3c) split(line []byte, f *weblogFields) (bool, error) {
	if line[0] == '#' {
		return false, w.directive(line)
	}
	if w.err != nil {
		return false, w.err
	}
	if len(w.fields) == 0 {
		return false, fmt.Errorf("expected a #Fields line before the first request: %s", quoteLine(line))
	}
	if w.delim == 0 { // fields are separated by one of them in all of a file
		w.delim = ' '
		if bytes.IndexByte(line, '\t') >= 0 {
			w.delim = '\t'
		}
	}
	n, err := w.cut(line)
	if err != nil {
		return false, fmt.Errorf("%w: %s", err, quoteLine(line))
	}
	if n != len(w.fields) {
		return false, fmt.Errorf("expected %d fields, as #Fields has, got %d: %s", len(w.fields), n, quoteLine(line))
	}
	f.role = [weblogRoles][]byte{}
	for i, field := range w.fields {
		f.role[field.role] = w.values[i]
		if field.extra >= 0 {
			f.extra[field.extra] = w.values[i]
		}
	}
	f.micros, f.timed = 0, false
	if b := f.role[roleClock]; b != nil {
		day := w.day
		if d := f.role[roleDate]; d != nil {
			var ok bool
			if day, ok = isoDate(d); !ok {
				return false, fmt.Errorf("date %s is not of the form 2024-01-31: %s", quote(d), quoteLine(line))
			}
		}
		t, rest, ok := clockTime(b)
		if !ok || len(rest) > 0 {
			return false, fmt.Errorf("time %s is not of the form 23:59:59: %s", quote(b), quoteLine(line))
		}
		f.micros, f.timed = day+t, true
	}
	return true, nil
}

// cut splits a line at its delimiters, one or, if they are blanks, several. A
// field may be in double quotes, and then has them twice within.
func (w *w3c) cut(line []byte) (n int, err error) {
	if w.delim == '\t' {
		return split(line, '\t', w.values), nil
	}
	for n < len(w.values) {
		line = bytes.TrimLeft(line, " ")
		if len(line) == 0 {
			break
		}
		if line[0] == '"' {
			field, rest, ok := cutQuoted(line[1:])
			if !ok {
				return 0, fmt.Errorf("field %d has no closing quote", n+1)
			}
			w.values[n], line = field, rest
		} else if i := bytes.IndexByte(line, ' '); i >= 0 {
			w.values[n], line = line[:i], line[i:]
		} else {
			w.values[n], line = line, nil
		}
		n++
	}
	return n, nil
}
