package traces

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Logs with a JSON object a line differ in the names of their fields only. A
// name is a path: "request.uri" is the field uri of the object request, and of
// a list it is the first element.

// jsonNames are the names that the fields of known servers and services have,
// with the better one of a role first where a log may have several.
var jsonNames = []struct {
	role  weblogRole
	names string
}{
	{roleURL, "ClientRequestURI httpRequest.requestUrl properties.requestUri properties.RequestUri " +
		"request.uri request_uri requestUri requestURI request_url requestUrl http.url url uri RequestPath"},
	{roleRequest, "request request_line requestLine"},
	{rolePath, "cs-uri-stem path request_path uri_path ClientRequestPath"},
	{roleQuery, "cs-uri-query query_string query uri_query args uri_param"},
	{roleMethod, "ClientRequestMethod httpRequest.requestMethod properties.httpMethod properties.HttpMethod " +
		"request.method request_method requestMethod RequestMethod cs-method http_method http.method method verb"},
	{roleScheme, "ClientRequestScheme request_scheme scheme cs-protocol RequestScheme"},
	{roleHost, "ClientRequestHost request.host x-host-header request_host RequestHost http_host host vhost authority " +
		"server_name cs(Host) cs-host domain"},
	{roleStatus, "EdgeResponseStatus httpRequest.status properties.httpStatusCode properties.HttpStatusCode " +
		"status status_code statusCode response_status response_code sc-status DownstreamStatus http_status http.status_code http_code"},
	{roleBody, "EdgeResponseBodyBytes body_bytes_sent response_body_size response_body_bytes body_bytes DownstreamContentSize resp_body_size size"},
	{roleSent, "EdgeResponseBytes httpRequest.responseSize properties.responseBytes properties.ResponseBytes " +
		"bytes_sent sc-bytes response_size response_bytes responseSize responseBytes bytesSent bytes"},
	{roleLength, "sc-content-len sent_http_content_length response_content_length resp_headers.Content-Length"},
	{roleRange, "sent_http_content_range content_range resp_headers.Content-Range"},
	{roleVerdict, "CacheCacheStatus httpRequest.cacheHit properties.cacheStatus properties.CacheStatus upstream_cache_status " +
		"x-edge-result-type cache_status cacheStatus response_state fastly_state hit_info x_cache cache resp_headers.X-Cache"},
	{roleLookup, "httpRequest.cacheLookup"},
	{roleTime, "EdgeStartTimestamp msec ts timestamp time_iso8601 time_local @timestamp StartUTC start_time request_time_iso8601 " +
		"datetime time EdgeEndTimestamp"},
	{roleDate, "date"},
}

// jsonFields are the words of the parameter fields.
var jsonFields = []struct {
	word string
	role weblogRole
}{
	{"id", roleID}, {"request", roleRequest}, {"url", roleURL}, {"path", rolePath}, {"query", roleQuery},
	{"method", roleMethod}, {"scheme", roleScheme}, {"host", roleHost}, {"status", roleStatus},
	{"size", roleBody}, {"full-size", roleFull}, {"content-length", roleLength}, {"content-range", roleRange},
	{"cache", roleVerdict}, {"time", roleTime},
}

// weblogDialects are the logs in JSON.
var weblogDialects = []weblogKind{
	jsonDialect("caddy", "Caddy's access log in JSON", "its lines are JSON with the fields of Caddy's http.log.access",
		`"request":{`, `"resp_headers":`),
	jsonDialect("cloudflare", "HTTP requests of Cloudflare's Logpush, JSON", "its lines are JSON with the fields of Cloudflare's Logpush",
		`"EdgeResponseStatus":`),
	jsonDialect("google-cdn", "log of Google Cloud CDN and its load balancers, JSON", "its lines are JSON with the httpRequest of Google Cloud's log",
		`"httpRequest":`, `"requestUrl":`),
	jsonDialect("azure-cdn", "access log of Azure Front Door and Azure CDN, JSON", "its lines are JSON with the properties of Azure's access log",
		`"properties":`, `equestUri":`, `AccessLog`),
	jsonDialect("fastly-json", "Fastly's JSON log, with or without a syslog prefix", "its lines are JSON with the fields of Fastly's log",
		`"fastly_`, `"response_status":`),
	jsonDialect("json-log", "any access log with a JSON object a line, as nginx's with escape=json", "its lines are JSON with a URL, a status and a size"),
}

// jsonDialect is a row of the table. A line is of it if it has all marks; with
// none, if its fields make a request, and no other dialect has it.
func jsonDialect(name, doc, why string, marks ...string) weblogKind {
	k := weblogKind{
		name: name, tick: time.Microsecond, doc: doc, why: why, confidence: Certain,
		params: []Param{{"fields", "",
			"names of the fields where they are not found by themselves, as url=req.path,size=resp.bytes; see the manual for the words on the left"}},
		split: func(args Args, extras []string) (weblogSplitter, error) { return newJSONLog(args["fields"], extras) },
	}
	if name == "caddy" { // its other messages go to the same place by default
		k.ignore = func(line []byte) bool {
			return bytes.Contains(line, []byte(`"logger":"`)) && !bytes.Contains(line, []byte(`"logger":"http.log.access`))
		}
	}
	marked := func(line []byte, marks []string) bool {
		for _, m := range marks {
			if !bytes.Contains(line, []byte(m)) {
				return false
			}
		}
		return true
	}
	if len(marks) == 0 {
		k.confidence = Likely
		k.probe = func(line []byte) bool {
			for _, d := range weblogMarks {
				if marked(line, d) {
					return false
				}
			}
			return jsonRequest(line, true)
		}
		return k
	}
	weblogMarks = append(weblogMarks, marks)
	k.probe = func(line []byte) bool { return marked(line, marks) && jsonRequest(line, false) }
	return k
}

// weblogMarks are the marks of the dialects that have some.
var weblogMarks [][]string

// jsonRequest reports whether a line has what makes a request.
func jsonRequest(line []byte, status bool) bool {
	if bytes.IndexByte(line, '{') < 0 {
		return false
	}
	j, err := newJSONLog("", nil)
	if err != nil {
		return false
	}
	var f weblogFields
	ok, err := j.split(bytes.Clone(line), &f)
	return ok && err == nil && (!status || f.role[roleStatus] != nil) &&
		(f.role[roleBody] != nil || f.role[roleSent] != nil || f.role[roleLength] != nil)
}

// A jsonLog splits lines of JSON.
type jsonLog struct {
	names    map[string]jsonName
	objects  map[string]bool // paths of the objects and lists with named fields
	path     []byte
	prio     [weblogRoles]int
	messages int64 // lines that are not about requests
	body     bool  // some line has a size without headers
	sent     bool  // some line has a size with headers
}

type jsonName struct {
	role  weblogRole
	prio  int // from 1; the higher, the better
	extra int // or -1
}

func newJSONLog(mapping string, extras []string) (*jsonLog, error) {
	j := &jsonLog{names: map[string]jsonName{}, objects: map[string]bool{}}
	mapped := map[weblogRole]bool{}
	if mapping != "" {
		for pair := range strings.SplitSeq(mapping, ",") {
			word, name, ok := strings.Cut(pair, "=")
			i := slices.IndexFunc(jsonFields, func(f struct {
				word string
				role weblogRole
			}) bool {
				return f.word == word
			})
			if !ok || i < 0 || name == "" {
				var words []string
				for _, f := range jsonFields {
					words = append(words, f.word)
				}
				return nil, fmt.Errorf("fields=%s: %q is not of the form WORD=NAME, where WORD is %s", mapping, pair, sentenceList(words))
			}
			j.add(name, jsonName{jsonFields[i].role, 1, -1})
			mapped[jsonFields[i].role] = true
		}
	}
	for _, r := range jsonNames {
		// The size that was named replaces those with another role, too.
		size := r.role == roleBody || r.role == roleSent || r.role == roleLength
		if mapped[r.role] || mapped[roleBody] && size || mapped[roleTime] && r.role == roleDate {
			continue
		}
		names := strings.Fields(r.names)
		for i, name := range names {
			if _, taken := j.names[name]; !taken {
				j.add(name, jsonName{r.role, len(names) - i, -1})
			}
		}
	}
	for i, e := range extras {
		n, known := j.names[e]
		if !known {
			n.role = roleNone
		}
		n.extra = i
		j.add(e, n)
	}
	return j, nil
}

// add names a field, and the objects that it is in.
func (j *jsonLog) add(path string, n jsonName) {
	j.names[path] = n
	for i, c := range path {
		if c == '.' {
			j.objects[path[:i]] = true
		}
	}
}

func (j *jsonLog) tick() time.Duration { return time.Microsecond }
func (j *jsonLog) headers() bool       { return j.sent && !j.body }

func (j *jsonLog) note() weblogNote {
	return weblogNote{n: j.messages, one: "line has no request", many: "lines have no request", leftOut: true}
}

func (j *jsonLog) split(line []byte, f *weblogFields) (bool, error) {
	text := line
	if i := bytes.IndexByte(text, '{'); i > 0 && syslogPrefix(text[:i]) {
		text = text[i:]
	}
	f.role = [weblogRoles][]byte{}
	clear(f.extra[:])
	j.prio = [weblogRoles]int{}
	p := jsonParser{text: text}
	p.blanks()
	ok := p.i < len(text) && text[p.i] == '{' && j.object(&p, f, 0, 0)
	if ok {
		p.blanks()
		if ok = p.i == len(text); !ok {
			p.wrong = "something follows the object"
		}
	} else if p.wrong == "" {
		p.wrong = "expected {"
	}
	if !ok {
		return false, fmt.Errorf("not a JSON object: at column %d, %s: %s", p.i+len(line)-len(text)+1, p.wrong, quoteLine(line))
	}
	url := f.role[roleURL] != nil || f.role[roleRequest] != nil || f.role[rolePath] != nil || f.role[roleID] != nil
	size := f.role[roleBody] != nil || f.role[roleLength] != nil || f.role[roleSent] != nil
	if !url {
		if !size && f.role[roleStatus] == nil {
			j.messages++ // servers write other lines into the same file
			return false, nil
		}
		return false, fmt.Errorf("it has no field for the URL (fields=url=NAME or fields=id=NAME): %s", quoteLine(line))
	}
	if !size {
		return false, fmt.Errorf("it has no field for the size of the response (fields=size=NAME): %s", quoteLine(line))
	}
	j.body = j.body || f.role[roleBody] != nil
	j.sent = j.sent || f.role[roleSent] != nil
	return true, j.time(line, f)
}

// syslogPrefix reports whether b may come before the object in a line: it ends
// in ": " or is a priority.
func syslogPrefix(b []byte) bool {
	return b[0] == '<' || bytes.HasSuffix(b, []byte(": "))
}

func (j *jsonLog) time(line []byte, f *weblogFields) error {
	f.micros, f.timed = 0, false
	b := f.role[roleTime]
	if b == nil {
		return nil
	}
	var t int64
	var ok bool
	if day, dated := isoDate(f.role[roleDate]); dated && len(b) >= 8 && b[2] == ':' {
		var rest []byte
		t, rest, ok = clockTime(b)
		t += day
		ok = ok && len(rest) == 0
	} else {
		t, ok = logTime(b)
	}
	if !ok {
		return fmt.Errorf("time %s is not of a known form: %s", quote(b), quoteLine(line))
	}
	f.micros, f.timed = t, true
	return nil
}

// A jsonParser is at byte i of text. wrong is what made it stop.
type jsonParser struct {
	text  []byte
	i     int
	wrong string
}

// maxJSONDepth bounds the nesting of objects and lists.
const maxJSONDepth = 64

func (p *jsonParser) blanks() {
	for p.i < len(p.text) && blank(p.text[p.i]) {
		p.i++
	}
}

func (p *jsonParser) fail(wrong string) bool {
	p.wrong = wrong
	return false
}

// expect reports whether the next byte that is not blank is c, and skips it.
func (p *jsonParser) expect(c byte, wrong string) bool {
	p.blanks()
	if p.i == len(p.text) || p.text[p.i] != c {
		return p.fail(wrong)
	}
	p.i++
	return true
}

// object reads an object whose path is the first n bytes of j.path.
func (j *jsonLog) object(p *jsonParser, f *weblogFields, n, depth int) bool {
	p.i++ // {
	p.blanks()
	if p.i < len(p.text) && p.text[p.i] == '}' {
		p.i++
		return true
	}
	for {
		if !p.expect('"', "expected a name in quotes") {
			return false
		}
		name, ok := p.str()
		if !ok || !p.expect(':', "expected a colon after the name") {
			return false
		}
		j.path = j.path[:n]
		if n > 0 {
			j.path = append(j.path, '.')
		}
		j.path = append(j.path, name...)
		p.blanks()
		if !j.value(p, f, depth) {
			return false
		}
		p.blanks()
		if p.i < len(p.text) && p.text[p.i] == ',' {
			p.i++
			continue
		}
		return p.expect('}', "expected , or }")
	}
}

// value reads a value whose path is j.path, and keeps it if it is of use.
func (j *jsonLog) value(p *jsonParser, f *weblogFields, depth int) bool {
	if p.i == len(p.text) {
		return p.fail("expected a value")
	}
	if depth == maxJSONDepth {
		return p.fail("objects are nested too deep")
	}
	switch c := p.text[p.i]; c {
	case '{':
		if j.objects[string(j.path)] {
			return j.object(p, f, len(j.path), depth+1)
		}
		return p.skip()
	case '[':
		if _, named := j.names[string(j.path)]; !named || p.i+1 == len(p.text) {
			return p.skip()
		}
		start := p.i
		if !p.skip() {
			return false
		}
		// Only the first element matters; the list was checked as a whole.
		first := jsonParser{text: p.text[:p.i], i: start + 1}
		first.blanks()
		if first.i < p.i && first.text[first.i] == '"' {
			return j.value(&first, f, depth+1)
		}
		return true
	case '"':
		p.i++
		s, ok := p.str()
		if ok {
			j.keep(f, s)
		}
		return ok
	default:
		start := p.i
		if !p.scalar() {
			return false
		}
		if b := p.text[start:p.i]; string(b) != "null" {
			j.keep(f, b)
		}
		return true
	}
}

// keep notes a value for the role that its name has.
func (j *jsonLog) keep(f *weblogFields, value []byte) {
	n, ok := j.names[string(j.path)]
	if !ok {
		return
	}
	if n.extra >= 0 {
		f.extra[n.extra] = value
	}
	if n.role != roleNone && n.prio > j.prio[n.role] && (len(value) > 0 || j.prio[n.role] == 0) {
		f.role[n.role] = value
		j.prio[n.role] = n.prio
		if len(value) == 0 { // anything is better
			j.prio[n.role] = 0
		}
	}
}

// scalar skips a number, true, false or null.
func (p *jsonParser) scalar() bool {
	start := p.i
	for p.i < len(p.text) {
		c := p.text[p.i]
		if c-'0' > 9 && c|0x20-'a' > 25 && c != '-' && c != '+' && c != '.' {
			break
		}
		p.i++
	}
	b := p.text[start:p.i]
	switch {
	case len(b) == 0:
		return p.fail("expected a value")
	case b[0] == '-' || b[0]-'0' <= 9:
		for _, c := range b {
			if c-'0' > 9 && c != '-' && c != '+' && c != '.' && c|0x20 != 'e' {
				p.i = start
				return p.fail("expected a number")
			}
		}
		return true
	case string(b) == "true" || string(b) == "false" || string(b) == "null":
		return true
	}
	p.i = start
	return p.fail("expected a value")
}

// skip passes over an object or a list.
func (p *jsonParser) skip() bool {
	depth := 0
	for p.i < len(p.text) {
		switch p.text[p.i] {
		case '"':
			p.i++
			if !p.skipString() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				p.i++
				return true
			}
		}
		p.i++
	}
	return p.fail("expected } or ]")
}

// skipString passes over a string, from behind its opening quote.
func (p *jsonParser) skipString() bool {
	for {
		i := bytes.IndexByte(p.text[p.i:], '"')
		if i < 0 {
			p.i = len(p.text)
			return p.fail("expected a closing quote")
		}
		p.i += i + 1
		if i == 0 || p.text[p.i-2] != '\\' || !escaped(p.text, p.i-1) {
			return true
		}
	}
}

// str reads a string from behind its opening quote. Escapes are replaced in
// place, where they take less room in every case.
func (p *jsonParser) str() ([]byte, bool) {
	start := p.i
	if !p.skipString() {
		return nil, false
	}
	s := p.text[start : p.i-1]
	i := bytes.IndexByte(s, '\\')
	if i < 0 {
		return s, true
	}
	s, ok := unescapeJSON(s, i)
	if !ok {
		return nil, p.fail("expected an escape of JSON after \\")
	}
	return s, true
}

// unescapeJSON replaces the escapes of s, the first of which is at i.
func unescapeJSON(s []byte, i int) ([]byte, bool) {
	to := i
	for i < len(s) {
		c := s[i]
		if c != '\\' {
			s[to] = c
			to++
			i++
			continue
		}
		if i++; i == len(s) {
			return nil, false
		}
		switch c = s[i]; c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'x': // nginx's escape in a log without escape=json
			n, ok := hexDigits(s, i+1, 2)
			if !ok {
				return nil, false
			}
			c = byte(n)
			i += 2
		case 'u':
			r, ok := hexDigits(s, i+1, 4)
			if !ok {
				return nil, false
			}
			i += 5
			if utf16.IsSurrogate(r) {
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					if low, ok := hexDigits(s, i+2, 4); ok {
						if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
							r = both
							i += 6
						}
					}
				}
			}
			to += utf8.EncodeRune(s[to:], r)
			continue
		default:
			return nil, false
		}
		s[to] = c
		to++
		i++
	}
	return s[:to], true
}

// hexDigits reads n hexadecimal digits from s[i:].
func hexDigits(s []byte, i, n int) (rune, bool) {
	if i+n > len(s) {
		return 0, false
	}
	var v rune
	for _, c := range s[i : i+n] {
		switch {
		case c-'0' <= 9:
			v = v<<4 | rune(c-'0')
		case c|0x20-'a' <= 5:
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
