package traces

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A haproxyAlias is a variable of HAProxy's log-format.
type haproxyAlias struct {
	name string
	text bool // quoted where the flag Q is on
}

// haproxyAliases has the variables, but for times and captures.
var haproxyAliases = map[string]haproxyAlias{
	"B": {"bytes_sent", false}, "CC": {"request_cookie", true}, "CS": {"response_cookie", true}, "H": {"hostname", true},
	"HM": {"request_method", true}, "HP": {"uri", true}, "HPO": {"uri", true}, "HU": {"request_uri", true}, "HV": {"server_protocol", true},
	"ID": {"request_id", true}, "ST": {"status", false}, "Ta": {"active_time", false}, "Tc": {"connect_time", false}, "Td": {"data_time", false},
	"Th": {"handshake_time", false}, "Ti": {"idle_time", false}, "Tq": {"query_time", false}, "TR": {"client_time", false},
	"Tr": {"server_time", false}, "Tt": {"total_time", false}, "Tu": {"user_time", false}, "Tw": {"queue_time", false},
	"U": {"request_length", false}, "ac": {"active_connections", false}, "b": {"backend", true}, "bc": {"backend_connections", false},
	"bi": {"backend_addr", true}, "bp": {"backend_port", false}, "bq": {"backend_queue", false}, "ci": {"remote_addr", true},
	"cp": {"remote_port", false}, "f": {"frontend", true}, "fc": {"frontend_connections", false}, "fi": {"frontend_addr", true},
	"fp": {"frontend_port", false}, "ft": {"frontend", true}, "hrl": {"request_headers", false}, "hsl": {"response_headers", false},
	"lc": {"log_counter", false}, "pid": {"pid", false}, "r": {"request", true}, "rc": {"retries", false}, "rt": {"request_counter", false},
	"s": {"server", true}, "sc": {"server_connections", false}, "si": {"upstream_addr", true}, "sp": {"upstream_port", false},
	"sq": {"server_queue", false}, "sslc": {"ssl_cipher", true}, "sslv": {"ssl_protocol", true}, "ts": {"termination_state", false},
	"tsc": {"termination_state", false},
}

// haproxyNames are all variables, the longest first.
var haproxyNames = func() (names []string) {
	for name := range haproxyAliases {
		names = append(names, name)
	}
	names = append(names, "HQ", "hr", "hs", "t", "tr", "T", "Tl", "trg", "trl", "Ts", "ms", "o")
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	return names
}()

// The layouts that HAProxy has without being told, which configurations can refer to.
const (
	haproxyHTTP = `%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r`
	haproxyCLF  = `%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl`
	haproxyTLS  = haproxyHTTP + ` %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`
)

var haproxyVariables = strings.NewReplacer(
	"${HAPROXY_HTTP_LOG_FMT}", haproxyHTTP, "${HAPROXY_HTTP_CLF_LOG_FMT}", haproxyCLF, "${HAPROXY_HTTPS_LOG_FMT}", haproxyTLS)

// haproxyTokens splits the argument of HAProxy's log-format. captures are the names of the request
// headers that HAProxy captures.
func haproxyTokens(layout string, captures []string) (tokens []layoutToken, err error) {
	all := map[byte]bool{} // flags that %o has set
	for rest := layout; rest != ""; {
		i := strings.IndexAny(rest, `%\ `)
		switch {
		case i < 0:
			return appendLiteral(tokens, rest), nil
		case i > 0:
			tokens = appendLiteral(tokens, rest[:i])
		case rest[0] == '\\' && len(rest) > 1:
			i = 2
			if rest[1] != ' ' || !endsBlank(tokens) {
				tokens = appendLiteral(tokens, rest[1:2])
			}
		case rest[0] == ' ': // several are logged as one
			if i = 1; !endsBlank(tokens) {
				tokens = appendLiteral(tokens, " ")
			}
		case strings.HasPrefix(rest, "%%"):
			i = 2
			tokens = appendLiteral(tokens, "%")
		case rest[0] == '%':
			t, quoted, after, err := haproxyToken(rest, captures, all)
			if err != nil {
				return nil, err
			}
			if quoted {
				tokens = appendLiteral(tokens, `"`)
			}
			if t.name != "" {
				tokens = append(tokens, t)
			}
			if quoted {
				tokens = appendLiteral(tokens, `"`)
			}
			i = len(rest) - len(after)
		default:
			i = 1
			tokens = appendLiteral(tokens, rest[:1])
		}
		rest = rest[i:]
	}
	return tokens, nil
}

func endsBlank(tokens []layoutToken) bool {
	n := len(tokens)
	return n > 0 && strings.HasSuffix(tokens[n-1].literal, " ")
}

// haproxyToken reads what s starts with: %name, %{flags}name, %[expression] or %(name){flags}[expression].
// A token without a name is none.
func haproxyToken(s string, captures []string, all map[byte]bool) (t layoutToken, quoted bool, rest string, err error) {
	wrong := fmt.Errorf("%s is not a variable of HAProxy's log-format", quote([]byte(s)))
	rest = s[1:]
	if strings.HasPrefix(rest, "(") {
		i := strings.IndexByte(rest, ')')
		if i < 0 {
			return t, false, "", wrong
		}
		rest = rest[i+1:]
	}
	flags := map[byte]bool{'Q': all['Q']}
	if strings.HasPrefix(rest, "{") {
		list, after, ok := strings.Cut(rest[1:], "}")
		if !ok {
			return t, false, "", wrong
		}
		rest = after
		for flag := range strings.SplitSeq(list, ",") {
			if len(flag) < 2 || flag[0] != '+' && flag[0] != '-' {
				return t, false, "", wrong
			}
			flags[flag[1]] = flag[0] == '+'
		}
	}
	if strings.HasPrefix(rest, "[") {
		expression, after, ok := strings.Cut(rest[1:], "]")
		if !ok {
			return t, false, "", wrong
		}
		return variable(haproxyExpression(expression, captures)), flags['Q'], after, nil
	}
	name := ""
	for _, n := range haproxyNames {
		if strings.HasPrefix(rest, n) {
			name = n
			break
		}
	}
	rest = rest[len(name):]
	if name == "" || rest != "" && isWord(rest[:1]) {
		return t, false, "", wrong
	}
	switch name {
	case "o":
		for flag, on := range flags {
			all[flag] = on
		}
		return t, false, strings.TrimLeft(rest, " "), nil
	case "hr", "hs":
		t = layoutToken{name: map[string]string{"hr": capturedHeaders, "hs": "response_headers"}[name], optional: "{"}
		if flags['Q'] {
			t.optional = `"{`
		}
	case "HQ":
		if flags['Q'] {
			return variable("args"), true, rest, nil
		}
		t = layoutToken{name: "args", optional: "?"}
	case "t", "tr":
		t = layoutToken{name: "time_local", prio: strftimePrio + len(name), clock: logTime, every: time.Millisecond}
	case "T", "Tl", "trg", "trl":
		t, err = strftimeToken(clfStrftime)
	case "Ts":
		t = layoutToken{name: "sec", prio: strftimePrio, clock: scaledTime(second), every: time.Second}
	case "ms":
		t = layoutToken{name: "msec_frac", part: true, clock: scaledTime(1000), every: time.Millisecond}
	default:
		a := haproxyAliases[name]
		return variable(a.name), a.text && flags['Q'], rest, nil
	}
	return t, false, rest, err
}

// haproxyExpression returns the variable for a sample expression.
func haproxyExpression(s string, captures []string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), ",") // converters, such as lower
	name, arg, _ := strings.Cut(s, "(")
	arg = strings.Trim(arg, `) "'`)
	switch name {
	case "method", "capture.req.method":
		return "request_method"
	case "url", "pathq", "capture.req.uri":
		return "request_uri"
	case "path":
		return "uri"
	case "query":
		return "args"
	case "base":
		return "host_uri"
	case "status", "txn.status":
		return "status"
	case "req.hdr", "req.fhdr", "hdr":
		return "http_" + headerName(arg)
	case "res.hdr", "res.fhdr":
		return "sent_http_" + headerName(arg)
	case "capture.req.hdr":
		if n, err := strconv.Atoi(arg); err == nil && n >= 0 && n < len(captures) {
			return "http_" + headerName(captures[n])
		}
	case "var":
		if i := strings.LastIndexByte(arg, '.'); strings.EqualFold(arg[i+1:], "host") {
			return "http_host"
		}
	}
	return "other"
}

// capturedHeaders is the name of the field with all request headers that HAProxy captures: {a|b}.
const capturedHeaders = "captured_headers"

// haproxyFormat is a log of HAProxy with a layout of its own.
type haproxyFormat struct {
	*haproxy
}

// newHAProxyFormat makes a splitter for the tokens of such a layout.
func newHAProxyFormat(tokens []layoutToken, captures, extras []string) (weblogSplitter, error) {
	h := &haproxy{}
	if slices.ContainsFunc(tokens, func(t layoutToken) bool { return t.name == capturedHeaders }) {
		h.captures, extras = haproxyCaptures(captures, extras)
	}
	p, err := compileTokens(tokens, extras)
	if err != nil {
		return nil, err
	}
	p.blanks = true
	h.weblogProgram = p
	return haproxyFormat{h}, nil
}

func (h haproxyFormat) split(line []byte, f *weblogFields) (bool, error) {
	rest := line[afterSyslog(line):]
	f.role[roleCaptured] = nil
	h.forget(f)
	ok, err := h.weblogProgram.split(rest, f)
	if err != nil {
		if haproxyEvent(rest) {
			h.messages++
			return false, nil
		}
		return false, err
	}
	f.role[roleSent] = bytes.TrimPrefix(f.role[roleSent], []byte{'+'})
	if b := bytes.Trim(f.role[roleCaptured], `"`); len(b) > 1 {
		h.capture(b[1:len(b)-1], f)
	}
	return ok, nil
}

// afterSyslog returns the length of what a syslog daemon has put in front of a line:
//
//	Feb  6 12:14:14 localhost haproxy[14389]: ...
//	<134>1 2009-02-06T12:14:14.655Z localhost haproxy 14389 - - ...
func afterSyslog(line []byte) int {
	if i := bytes.IndexByte(line, '['); i > 0 {
		n := i + 1
		for n < len(line) && line[n]-'0' <= 9 {
			n++
		}
		if n > i+1 && bytes.HasPrefix(line[n:], []byte("]: ")) {
			return n + 3
		}
	}
	if bytes.HasPrefix(line, []byte("<")) {
		if i := bytes.Index(line[:min(len(line), 300)], []byte(" - - ")); i >= 0 {
			return i + 5
		}
	}
	return 0
}

// haproxyEvent reports whether a line is a message of HAProxy about itself.
func haproxyEvent(line []byte) bool {
	for _, start := range []string{"Proxy ", "Server ", "Backup Server ", "Health check ", "Stopping ", "Pausing ", "Enabling ", "Connect from ", "backend ", "Reexecuting ", "[NOTICE]", "[WARNING]", "[ALERT]"} {
		if bytes.HasPrefix(line, []byte(start)) {
			return true
		}
	}
	return false
}

// isHAProxyConfig reports whether a configuration is HAProxy's, by its sections.
func isHAProxyConfig(text string) bool {
	for line := range strings.Lines(text) {
		words := haproxyWords(line)
		if len(words) == 0 || words[0] != "log-format" && words[0] != "frontend" && words[0] != "defaults" && words[0] != "listen" {
			continue
		}
		last := words[len(words)-1] // a comment may follow
		return !strings.HasSuffix(last, ";") && !strings.HasSuffix(last, "{")
	}
	return false
}

// haproxyConfig finds the log formats of frontends, which are named after them. A frontend without
// one has that of the last section "defaults".
func haproxyConfig(text string) (formats []configuredFormat) {
	var defaults, now configuredFormat
	section := ""
	end := func() {
		switch section {
		case "defaults":
			defaults = now
		case "frontend", "listen":
			if now.layout != "" {
				formats = append(formats, now)
			}
		}
	}
	for line := range strings.Lines(text) {
		words := haproxyWords(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "global", "defaults", "frontend", "listen", "backend", "peers", "userlist", "resolvers", "mailers", "program", "cache", "ring", "http-errors":
			end()
			section = words[0]
			now = configuredFormat{layout: defaults.layout, name: section}
			if section == "defaults" {
				now.layout = ""
			}
			if len(words) > 1 {
				now.name = words[1]
			}
		case "log-format":
			if len(words) > 1 {
				now.layout = haproxyVariables.Replace(words[1])
			}
		case "option":
			switch {
			case len(words) > 2 && words[1] == "httplog" && words[2] == "clf":
				now.layout = haproxyCLF
			case len(words) > 1 && words[1] == "httplog":
				now.layout = haproxyHTTP
			case len(words) > 1 && words[1] == "httpslog":
				now.layout = haproxyTLS
			}
		case "capture":
			if len(words) > 3 && words[1] == "request" && words[2] == "header" {
				now.captures = append(now.captures, words[3])
			}
		}
	}
	end()
	if len(formats) == 0 && defaults.layout != "" {
		formats = append(formats, defaults)
	}
	return formats
}

// haproxyWords splits a line of HAProxy's configuration.
func haproxyWords(line string) (words []string) {
	var b strings.Builder
	in, any := byte(0), false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case in == 0 && (blank(c) || c == '#'):
			if any {
				words = append(words, b.String())
				b.Reset()
				any = false
			}
			if c == '#' {
				return words
			}
			continue
		case in == 0 && (c == '"' || c == '\''):
			in = c
		case in != 0 && c == in:
			in = 0
		case c == '\\' && in != '\'' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		default:
			b.WriteByte(c)
		}
		any = true
	}
	if any {
		words = append(words, b.String())
	}
	return words
}
