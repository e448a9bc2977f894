package traces

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Logs whose lines follow a layout, as nginx's log_format and Apache's LogFormat
// give it, are split by a small program that is compiled from the layout: a
// step a field, each ending at the text that follows it in the layout.

// A weblogProgram splits lines by a layout.
type weblogProgram struct {
	prefix []byte // before the first field
	steps  []weblogStep
	needed int  // steps up to the last one with a field that is of use
	open   bool // more may follow the last step
	blanks bool // a blank of the layout stands for any number of them
	clocks int  // steps with a time
	every  time.Duration
}

type weblogStep struct {
	name  string // of the field, for errors
	role  weblogRole
	extra int // index in weblogFields.extra, or -1
	// clock adds what a field with a time says to weblogFields.micros.
	clock  func(b []byte) (int64, bool)
	padded bool // with blanks
	// optional is how it starts; otherwise it is missing, with the blank behind
	// it. A brace in it is closed at the end.
	optional string
	// strftime is the layout of a time; what may be in it is not looked for
	// behind it.
	strftime string
	lit      []byte // the text behind the field; none: the field is the rest of the line
	plain    bool   // the field has nothing of padded, optional and strftime
}

func (p *weblogProgram) tick() time.Duration { return p.every }

// headers reports whether sizes include headers.
func (p *weblogProgram) headers() bool {
	has := func(r weblogRole) bool {
		return slices.ContainsFunc(p.steps, func(s weblogStep) bool { return s.role == r })
	}
	return has(roleSent) && !has(roleBody) && !has(roleLength)
}

func (p *weblogProgram) split(line []byte, f *weblogFields) (bool, error) {
	_, err := p.run(line, f, p.needed)
	return err == nil, err
}

// run executes the first steps and returns what of the line follows them.
func (p *weblogProgram) run(line []byte, f *weblogFields, steps int) ([]byte, error) {
	rest := line
	if p.blanks {
		rest = bytes.TrimLeft(rest, " ")
	}
	if !bytes.HasPrefix(rest, p.prefix) {
		return nil, fmt.Errorf("expected %s at the start of the line: %s", quote(p.prefix), quoteLine(line))
	}
	rest = rest[len(p.prefix):]
	f.micros, f.timed = 0, false
	for i := range p.steps[:steps] {
		s := &p.steps[i]
		if s.plain && !p.blanks && s.clock == nil {
			end := s.end(rest)
			if end < 0 {
				return nil, fmt.Errorf("expected %s after %s: %s", quote(s.lit), s.name, quoteLine(line))
			}
			if s.role != roleNone {
				f.role[s.role] = rest[:end]
			}
			if s.extra >= 0 {
				f.extra[s.extra] = rest[:end]
			}
			rest = rest[end+len(s.lit):]
			continue
		}
		if s.padded {
			rest = bytes.TrimLeft(rest, " ")
		}
		if !bytes.HasPrefix(rest, []byte(s.optional)) {
			if lit := bytes.TrimLeft(s.lit, " "); bytes.HasPrefix(rest, lit) {
				rest = rest[len(lit):]
				f.role[s.role] = nil
				if s.extra >= 0 {
					f.extra[s.extra] = nil
				}
				continue
			}
		}
		end := s.end(rest)
		if end < 0 && s.strftime != "" {
			return nil, fmt.Errorf("expected a time %s and %s: %s", quote([]byte(s.strftime)), quote(s.lit), quoteLine(line))
		}
		if end < 0 {
			return nil, fmt.Errorf("expected %s after %s: %s", quote(s.lit), s.name, quoteLine(line))
		}
		field := rest[:end]
		rest = rest[end+len(s.lit):]
		if s.padded {
			field = bytes.TrimRight(field, " ")
		}
		if p.blanks && len(s.lit) > 0 && s.lit[len(s.lit)-1] == ' ' {
			for len(rest) > 0 && rest[0] == ' ' {
				rest = rest[1:]
			}
		}
		if s.clock != nil {
			t, ok := f.clockMicros, p.clocks == 1 && len(field) > 0 && string(field) == string(f.clock)
			if !ok {
				if t, ok = s.clock(field); ok {
					f.clock, f.clockMicros = append(f.clock[:0], field...), t
				}
			}
			if !ok {
				return nil, fmt.Errorf("%s %s is not a time: %s", s.name, quote(field), quoteLine(line))
			}
			f.micros += t
			f.timed = true
			continue
		}
		f.role[s.role] = field
		if s.extra >= 0 {
			f.extra[s.extra] = field
		}
	}
	return rest, nil
}

// matches reports whether a line has all of the layout.
func (p *weblogProgram) matches(line []byte) bool {
	var f weblogFields
	rest, err := p.run(line, &f, len(p.steps))
	if err != nil || !p.open && len(rest) > 0 {
		return false
	}
	_, ok := parseStatus(f.role[roleStatus])
	if b := f.role[roleBody]; b != nil && string(b) != "-" {
		_, number := parseUint(b)
		ok = ok && number
	}
	return ok
}

// end returns the index of the text that ends the field that rest starts with,
// or -1. A quote that is escaped by a backslash ends nothing.
func (s *weblogStep) end(rest []byte) int {
	if len(s.lit) == 0 {
		return len(rest)
	}
	if s.plain && len(s.lit) == 1 && s.lit[0] != '"' {
		return bytes.IndexByte(rest, s.lit[0])
	}
	from := 0
	if s.strftime != "" {
		_, after, ok := strptime(s.strftime, rest)
		if !ok {
			return -1
		}
		from = len(rest) - len(after)
	}
	if strings.HasSuffix(s.optional, "{") {
		closed := append([]byte{'}'}, s.optional[:len(s.optional)-1]...)
		if from = bytes.Index(rest, append(closed, s.lit...)); from < 0 {
			return -1
		}
		return from + len(closed)
	}
	for c := s.lit[0]; ; {
		i := bytes.IndexByte(rest[from:], c)
		if i < 0 {
			return -1
		}
		i += from
		if (len(s.lit) == 1 || bytes.HasPrefix(rest[i:], s.lit)) && (c != '"' || !escaped(rest, i)) {
			return i
		}
		from = i + 1
	}
}

// escaped reports whether an odd number of backslashes is before b[i].
func escaped(b []byte, i int) bool {
	n := 0
	for n < i && b[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// A layoutToken is a piece of a layout: literal text, or a variable under the
// name that nginx has for it.
type layoutToken struct {
	literal string
	name    string
	prio    int // of two variables with one role, the higher one is used
	clock   func(b []byte) (int64, bool)
	every   time.Duration
	part    bool   // of a time: a fraction or a zone, which is added
	format  string // of strftime
	// As in a weblogStep.
	padded   bool
	optional string
}

// layoutRole is the role of a variable, and how much better it is than others
// of the same role.
type layoutRole struct {
	role weblogRole
	prio int
}

// layoutRoles has nginx's variables, and those of other programs under the
// names that nginx would give them.
var layoutRoles = map[string]layoutRole{
	"request":                     {roleRequest, 1},
	"request_method":              {roleMethod, 1},
	"request_uri":                 {roleURL, 2},
	"url":                         {roleURL, 1},
	"host_uri":                    {roleHostURL, 1},
	"uri":                         {rolePath, 1},
	"document_uri":                {rolePath, 1},
	"args":                        {roleQuery, 1},
	"query_string":                {roleQuery, 1},
	"scheme":                      {roleScheme, 1},
	"host":                        {roleHost, 3},
	"http_host":                   {roleHost, 2},
	"server_name":                 {roleHost, 1},
	"server_port":                 {rolePort, 1},
	"status":                      {roleStatus, 2},
	"first_status":                {roleStatus, 1},
	"body_bytes_sent":             {roleBody, 1},
	"bytes_sent":                  {roleSent, 1},
	"object_size":                 {roleFull, 1},
	"sent_http_content_length":    {roleLength, 1},
	"sent_http_content_range":     {roleRange, 2},
	"upstream_http_content_range": {roleRange, 1},
	"upstream_cache_status":       {roleVerdict, 4},
	"sent_http_x_cache_status":    {roleVerdict, 3},
	"sent_http_x_cache":           {roleVerdict, 2},
	"upstream_http_x_cache":       {roleVerdict, 1},
	"varnish_hitmiss":             {roleVerdict, 4},
	"varnish_handling":            {roleVerdict, 3},
	"fastly_state":                {roleVerdict, 4},
	"bucket":                      {roleHost, 1},
	"s3_key":                      {rolePath, 1},
	"operation":                   {roleOperation, 1},
	"url_path":                    {roleURL, 0},
	capturedHeaders:               {roleCaptured, 1},
}

// layoutClocks are the variables with a time.
var layoutClocks = map[string]layoutToken{
	"time_local":   {prio: 1, clock: logTime, every: time.Second},
	"time_iso8601": {prio: 2, clock: logTime, every: time.Second},
	"msec":         {prio: 9, clock: logTime, every: time.Millisecond},
	"time_fine":    {prio: 9, clock: logTime, every: time.Microsecond},
}

// compileLayout compiles a layout to a program that also finds the named fields.
func compileLayout(layout string, extras []string) (*weblogProgram, error) {
	tokens, _, err := layoutTokens(layout, nil)
	if err != nil {
		return nil, err
	}
	return compileTokens(tokens, extras)
}

// compileTokens compiles the tokens of a layout. An empty name in extras is none.
func compileTokens(tokens []layoutToken, extras []string) (*weblogProgram, error) {
	p := &weblogProgram{}
	if len(tokens) > 0 && tokens[0].literal != "" {
		p.prefix = []byte(tokens[0].literal)
		tokens = tokens[1:]
	}
	best := map[weblogRole]int{} // step of each role
	prios := map[weblogRole]int{}
	times := -1                // token with the time that is used
	for i, t := range tokens { // choose it first: its parts depend on it
		if t.clock != nil && !t.part && (times < 0 || t.prio > tokens[times].prio) {
			times = i
		}
	}
	unused := make(map[string]bool)
	for _, e := range extras {
		unused[e] = e != ""
	}
	for i, t := range tokens {
		if t.name == "" {
			continue
		}
		s := weblogStep{name: "$" + t.name, extra: -1, strftime: t.format, padded: t.padded, optional: t.optional}
		if i+1 < len(tokens) {
			if s.lit = []byte(tokens[i+1].literal); len(s.lit) == 0 {
				return nil, fmt.Errorf("log format: nothing separates $%s from $%s, so that lines cannot be split", t.name, tokens[i+1].name)
			}
		}
		if e := slices.Index(extras, t.name); e >= 0 && unused[t.name] {
			s.extra = e
			unused[t.name] = false
		}
		if t.clock != nil {
			// A fraction or a zone belongs to a time that was put together.
			if i == times || t.part && times >= 0 && tokens[times].prio == strftimePrio {
				s.clock = t.clock
				if p.every == 0 || t.every != 0 && t.every < p.every {
					p.every = t.every
				}
			}
		} else if r, ok := layoutRoles[t.name]; ok && r.role != roleNone {
			if at, again := best[r.role]; !again || r.prio > prios[r.role] {
				if again {
					p.steps[at].role = roleNone
				}
				best[r.role], prios[r.role] = len(p.steps), r.prio
				s.role = r.role
			}
		}
		p.steps = append(p.steps, s)
	}
	for name, missing := range unused {
		if missing {
			return nil, fmt.Errorf("key: the log has no field $%s; its fields are %s", name, p.names())
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		s.plain = !s.padded && s.optional == "" && s.strftime == ""
		if s.clock != nil {
			p.clocks++
		}
		if s.role != roleNone || s.extra >= 0 || s.clock != nil {
			p.needed = i + 1
		}
	}
	has := func(roles ...weblogRole) bool {
		return slices.ContainsFunc(roles, func(r weblogRole) bool { _, ok := best[r]; return ok })
	}
	if !has(roleRequest, roleURL, rolePath, roleHostURL) {
		return nil, errors.New("log format: it has no URL ($request, $request_uri, %r, %U, %ru or %HU)")
	}
	if !has(roleBody, roleSent, roleLength) {
		return nil, errors.New("log format: it has no size of the response ($body_bytes_sent, $bytes_sent, %b, %O, %<st or %B)")
	}
	return p, nil
}

func (p *weblogProgram) names() string {
	var names []string
	for _, s := range p.steps {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// A layoutDialect is the server whose notation a layout has.
type layoutDialect int

const (
	nginxDialect layoutDialect = iota
	apacheDialect
	squidDialect
	haproxyDialect
)

// layoutTokens splits a layout into its tokens, with pairs of variables that
// nothing separates, but that make sense together, as one. captures are the
// names of the headers that HAProxy captures.
func layoutTokens(layout string, captures []string) (tokens []layoutToken, d layoutDialect, err error) {
	layout = haproxyVariables.Replace(layout)
	switch nginx, percent := strings.Contains(layout, "$"), strings.Contains(layout, "%"); {
	case nginx && percent && strings.Index(layout, "%") < strings.Index(layout, "$"), !nginx && percent:
		tokens, d, err = percentTokens(layout, captures)
	case !nginx:
		return nil, 0, fmt.Errorf("log format %s has no variables such as $request or %%r", quote([]byte(layout)))
	default:
		tokens, err = nginxTokens(layout)
	}
	if err != nil {
		return nil, 0, err
	}
	joined := []struct{ left, right, both string }{
		{"uri", "is_args", "uri"}, {"document_uri", "is_args", "uri"},
		{"uri", "args", "request_uri"}, {"uri", "query_string", "request_uri"},
		{"host", "request_uri", "host_uri"}, {"http_host", "request_uri", "host_uri"},
		{"server_name", "request_uri", "host_uri"}, {"host", "uri", "host_uri"},
	}
	for _, j := range joined {
		for i := 0; i+1 < len(tokens); i++ {
			if tokens[i].name == j.left && tokens[i+1].name == j.right {
				tokens[i].name = j.both
				tokens = slices.Delete(tokens, i+1, i+2)
			}
		}
	}
	return tokens, d, nil
}

// percentTokens splits a layout of Apache, Squid or HAProxy. Those of Apache
// are letters, and one that is followed by another letter is rather a variable
// of one of the others, whose names are longer.
func percentTokens(layout string, captures []string) ([]layoutToken, layoutDialect, error) {
	tokens, glued, err := apacheTokens(layout)
	if err == nil && !glued {
		return tokens, apacheDialect, nil
	}
	if tokens, err := squidTokens(layout); err == nil {
		return tokens, squidDialect, nil
	}
	if tokens, err := haproxyTokens(layout, captures); err == nil {
		return tokens, haproxyDialect, nil
	}
	if err == nil {
		return tokens, apacheDialect, nil
	}
	return nil, 0, fmt.Errorf("log format %s: %w; nor is it a layout of Squid or HAProxy", quote([]byte(layout)), err)
}

func appendLiteral(tokens []layoutToken, text string) []layoutToken {
	if n := len(tokens); n > 0 && tokens[n-1].literal != "" {
		tokens[n-1].literal += text
		return tokens
	}
	return append(tokens, layoutToken{literal: text})
}

func variable(name string) layoutToken {
	t := layoutClocks[name]
	t.name = name
	return t
}

// nginxTokens splits the argument of nginx's log_format.
func nginxTokens(layout string) (tokens []layoutToken, err error) {
	for rest := layout; rest != ""; {
		i := strings.IndexByte(rest, '$')
		if i < 0 {
			i = len(rest)
		}
		if i > 0 {
			tokens = appendLiteral(tokens, rest[:i])
			rest = rest[i:]
			continue
		}
		name, after, ok := cutVariable(rest)
		if !ok {
			return nil, fmt.Errorf("log format %s: a dollar sign is followed by no name", quote([]byte(layout)))
		}
		tokens = append(tokens, variable(name))
		rest = after
	}
	return tokens, nil
}

// apacheDirectives has the variables that directives of one letter stand for.
var apacheDirectives = map[byte]string{
	'a': "remote_addr", 'A': "server_addr", 'b': "body_bytes_sent", 'B': "body_bytes_sent",
	'D': "request_time", 'f': "request_filename", 'h': "remote_addr", 'H': "server_protocol",
	'I': "request_length", 'k': "connection_requests", 'l': "ident", 'L': "log_id",
	'm': "request_method", 'O': "bytes_sent", 'p': "server_port", 'P': "pid", 'q': "args",
	'r': "request", 'R': "handler", 's': "first_status", 'S': "bytes", 'T': "request_time",
	'u': "remote_user", 'U': "uri", 'v': "server_name", 'V': "host", 'X': "connection_status",
}

// apacheTokens splits the argument of Apache's LogFormat, or of varnishncsa's -F
// or Fastly's log format, which follow it. glued says that a directive of one
// letter is followed by a letter.
func apacheTokens(layout string) (tokens []layoutToken, glued bool, err error) {
	wrong := func(i int) error {
		return fmt.Errorf("%s is not a directive of Apache's LogFormat", quote([]byte(layout[i:])))
	}
	for i := 0; i < len(layout); {
		switch {
		case layout[i] == '\\' && i+1 < len(layout):
			text := layout[i+1 : i+2]
			switch text {
			case "t":
				text = "\t"
			case "n":
				return nil, false, errors.New("a line end in it is not supported")
			}
			tokens = appendLiteral(tokens, text)
			i += 2
			continue
		case layout[i] != '%':
			tokens = appendLiteral(tokens, layout[i:i+1])
			i++
			continue
		case strings.HasPrefix(layout[i:], "%%"):
			tokens = appendLiteral(tokens, "%")
			i += 2
			continue
		}
		start := i
		i++
		final := false
		for i < len(layout) && strings.IndexByte("!<>,0123456789", layout[i]) >= 0 {
			final = final || layout[i] == '>'
			i++
		}
		arg := ""
		if i < len(layout) && layout[i] == '{' {
			end := strings.IndexByte(layout[i:], '}')
			if end < 0 {
				return nil, false, wrong(start)
			}
			arg = layout[i+1 : i+end]
			i += end + 1
		}
		if i == len(layout) {
			return nil, false, wrong(start)
		}
		c := layout[i]
		i++
		glued = glued || arg == "" && c != '^' && i < len(layout) && isWord(layout[i:i+1])
		if c == '^' { // %^FU, %{...}^ti
			if i += 2; i > len(layout) {
				return nil, false, wrong(start)
			}
			tokens = append(tokens, layoutToken{name: "other"})
			continue
		}
		name, known := apacheDirectives[c]
		switch {
		case c == 't' && arg == "":
			tokens = append(appendLiteral(tokens, "["), variable("time_local"))
			tokens = appendLiteral(tokens, "]")
			continue
		case c == 't':
			t, err := strftimeToken(arg)
			if err != nil {
				return nil, false, err
			}
			tokens = append(tokens, t)
			continue
		case c == 'i':
			name = "http_" + headerName(arg)
		case c == 'o':
			name = "sent_http_" + headerName(arg)
		case c == 'C':
			name = "cookie_" + headerName(arg)
		case c == 'e' || c == 'n':
			name = headerName(arg)
		case c == 'x':
			name = strings.ReplaceAll(headerName(arg), ":", "_")
		case c == 'V' && arg != "":
			name = fastlyName(arg)
		case c == 's' && final:
			name = "status"
		case c == 'p' && arg != "" || c == 'a' && arg != "" || c == 'h' && arg != "":
			name = "other"
		case !known:
			return nil, false, wrong(start)
		}
		tokens = append(tokens, variable(name))
	}
	return tokens, glued, nil
}

// headerName returns the name that nginx gives to a header in its variables.
func headerName(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// fastlyName returns the nginx variable for one of Fastly's VCL variables,
// which may be an argument of json.escape and the like.
func fastlyName(s string) string {
	if i := strings.LastIndexByte(s, '('); i >= 0 {
		s = strings.TrimRight(s[i+1:], ")")
	}
	switch s {
	case "req.url":
		return "request_uri"
	case "req.method", "req.request":
		return "request_method"
	case "resp.status":
		return "status"
	case "resp.body_bytes_written":
		return "body_bytes_sent"
	case "resp.bytes_written":
		return "bytes_sent"
	case "resp.http.Content-Length":
		return "sent_http_content_length"
	case "resp.http.Content-Range":
		return "sent_http_content_range"
	case "fastly_info.state":
		return "fastly_state"
	case "now", "time.start":
		return "time_local"
	case "now.sec", "time.start.sec":
		return "time_iso8601"
	case "time.start.msec":
		return "msec"
	case "time.start.usec":
		return "time_fine"
	}
	if h, ok := strings.CutPrefix(s, "req.http."); ok {
		return "http_" + headerName(h)
	}
	if h, ok := strings.CutPrefix(s, "resp.http."); ok {
		return "sent_http_" + headerName(h)
	}
	return "other"
}
