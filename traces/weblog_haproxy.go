package traces

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// haproxyLog is HAProxy's log with option httplog or httpslog:
//
//	Feb  6 12:14:14 host haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in \
//	  static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"
//
// What is before the client's address depends on the syslog daemon.
var haproxyLog = weblogKind{
	name: "haproxy", tick: time.Millisecond,
	doc:    "HAProxy's HTTP log, with or without a syslog prefix",
	params: []Param{capturesParam},
	split:  newHAProxy,
	why:    "its lines have the fields of HAProxy's HTTP log",
	probe: func(line []byte) bool {
		if haproxyDate(line) < 0 {
			return false
		}
		h, err := newHAProxy(Args{}, nil)
		if err != nil {
			return false
		}
		var f weblogFields
		ok, err := h.split(line, &f)
		return ok && err == nil
	},
	ignore:     haproxyMessage,
	confidence: Certain,
}

var capturesParam = Param{"captures", "",
	"names of the request headers that HAProxy captures, in order, as host,accept-encoding; host becomes a part of the id"}

type haproxy struct {
	*weblogProgram
	captures []haproxyCapture
	messages int64 // of start and stop, health and connections
}

// A haproxyCapture is what a captured header is used for.
type haproxyCapture struct {
	role  weblogRole
	extra int
}

func newHAProxy(args Args, extras []string) (weblogSplitter, error) {
	h := &haproxy{}
	var rest []string // names that no capture has
	h.captures, rest = haproxyCaptures(headerList(args["captures"]), extras)
	// The URL is not in the program, whose fields end before the captures.
	p, err := compileLayout(`$time_local] $frontend $backend $timers $status $bytes_sent $request_cookie $response_cookie $termination_state $connections $queues "$request`, nil)
	if err != nil {
		return nil, err
	}
	p.steps = p.steps[:len(p.steps)-1]
	p.steps[len(p.steps)-1].lit = []byte{' '}
	p.needed = len(p.steps)
	p.every = time.Millisecond
	for _, e := range rest {
		found := e == ""
		for i := range p.steps {
			if p.steps[i].name == "$"+e && p.steps[i].clock == nil {
				for j := range extras {
					if extras[j] == e {
						p.steps[i].extra, found = j, true
					}
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("key: the log has no field $%s; its fields are %s, and $http_NAME for each header of captures", e, p.names())
		}
	}
	h.weblogProgram = p
	return h, nil
}

func (h *haproxy) split(line []byte, f *weblogFields) (bool, error) {
	if haproxyMessage(line) {
		h.messages++
		return false, nil
	}
	start := haproxyDate(line)
	if start < 0 {
		return false, fmt.Errorf("expected the time [06/Feb/2009:12:14:14.655] and a request in quotes: %s", quoteLine(line))
	}
	rest, err := h.run(line[start:], f, len(h.steps))
	if err != nil {
		return false, err
	}
	// With option logasap the size is the one so far, with a plus sign.
	f.role[roleSent] = bytes.TrimPrefix(f.role[roleSent], []byte{'+'})
	h.forget(f)
	i := bytes.IndexByte(rest, '"')
	if i < 0 {
		return false, fmt.Errorf("expected a request in quotes at the end: %s", quoteLine(line))
	}
	if rest[0] == '{' && len(h.captures) > 0 {
		h.capture(rest[1:i], f)
	}
	request := rest[i+1:]
	if i = bytes.IndexByte(request, '"'); i < 0 {
		return false, fmt.Errorf("expected a quote after the request, which a short limit of lines in syslog may have cut off: %s", quoteLine(line))
	}
	f.role[roleRequest] = request[:i]
	return true, nil
}

// headerList splits the parameter captures.
func headerList(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == '|' || c == ' ' })
}

// haproxyCaptures returns what captured headers are used for, and the names of extras with "" for
// those that are captures.
func haproxyCaptures(captured, extras []string) (all []haproxyCapture, rest []string) {
	rest = slices.Clone(extras)
	for _, name := range captured {
		c := haproxyCapture{extra: slices.Index(extras, "http_"+headerName(name))}
		if c.extra >= 0 {
			rest[c.extra] = ""
		}
		if strings.EqualFold(name, "host") {
			c.role = roleHost
		}
		all = append(all, c)
	}
	return all, rest
}

// forget resets the fields that captures set.
func (h *haproxy) forget(f *weblogFields) {
	for _, c := range h.captures {
		if c.role != roleNone {
			f.role[c.role] = nil
		}
		if c.extra >= 0 {
			f.extra[c.extra] = nil
		}
	}
}

// capture reads "a|b} {c} ", the headers of the request first.
func (h *haproxy) capture(b []byte, f *weblogFields) {
	b, _, _ = bytes.Cut(b, []byte("} "))
	for _, c := range h.captures {
		value, rest, _ := bytes.Cut(b, []byte{'|'})
		if c.role != roleNone {
			f.role[c.role] = value
		}
		if c.extra >= 0 {
			f.extra[c.extra] = value
		}
		b = rest
	}
}

func (h *haproxy) note() weblogNote {
	return weblogNote{n: h.messages, one: "line is a message, not a request", many: "lines are messages, not requests", leftOut: true}
}

// haproxyMessage reports whether a line is a message about HAProxy itself, or a
// connection: neither has a time and then a request in quotes.
func haproxyMessage(line []byte) bool {
	if start := haproxyDate(line); start >= 0 && bytes.IndexByte(line[start:], '"') >= 0 {
		return false
	}
	return bytes.Contains(line, []byte("haproxy"))
}

// haproxyDate returns the index of the time in the first brackets that have
// one with milliseconds, or -1.
func haproxyDate(line []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(line[from:], '[')
		if i < 0 {
			return -1
		}
		from += i + 1
		if b := line[from:]; len(b) > 24 && b[2] == '/' && b[6] == '/' && b[11] == ':' && b[20] == '.' && b[24] == ']' {
			return from
		}
	}
}
