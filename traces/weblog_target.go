package traces

import (
	"bytes"
	"slices"
	"time"
)

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
	if n := len(b); n > 13 && string(b[:4]) == "GET " && (string(b[n-9:]) == " HTTP/1.1" || string(b[n-9:]) == " HTTP/1.0" || string(b[n-9:]) == " HTTP/2.0") {
		return b[:3], b[4 : n-9], true // as most are
	}
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

// choose has include and exclude applied to host and URI, of which the id need not be made.
func (d *weblogDecoder) choose(f *filter, tick time.Duration, merged bool) bool {
	if f.include == nil && f.exclude == nil {
		return false
	}
	d.chosen = f
	d.began = func(micros int64) { f.begin(&Record{Time: micros / d.micros}, tick, merged) }
	return true
}

// chooses reports whether include and exclude keep a request.
func (d *weblogDecoder) chooses(t *weblogTarget) bool {
	if d.began != nil && d.f.timed { // times count from the first request, kept or not
		d.began(d.f.micros)
		d.began = nil
	}
	url := d.hostURI(t)
	d.arena = d.arena[:len(d.arena)-len(url)]
	return d.chosen.chooses(url)
}
