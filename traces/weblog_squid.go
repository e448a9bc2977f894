package traces

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// squidCodes has the variables that the codes of Squid's logformat stand for, but for headers and
// times. What was sent to a server is of no use here: a hit does not have it.
var squidCodes = map[string]string{
	">a": "remote_addr", ">A": "client_name", ">p": "remote_port", ">eui": "client_eui", ">la": "server_addr",
	">lp": "local_port", ">qos": "client_qos", ">nfmark": "client_mark", "la": "listen_addr", "lp": "listen_port",
	"<a": "upstream_addr", "<A": "upstream_name", "<p": "upstream_port", "<la": "upstream_local_addr",
	"<lp": "upstream_local_port", "<qos": "upstream_qos", "<nfmark": "upstream_mark", ">handshake": "handshake",
	"tr": "request_time", "dt": "dns_time", "<pt": "peer_time", "<tt": "upstream_time",
	"et": "acl_tag", "ea": "acl_log", "un": "remote_user", "ul": "login", "ue": "acl_user", "us": "ssl_user", "ui": "ident",
	"credentials": "credentials", "sn": "sequence", "err_code": "error_code", "err_detail": "error_detail", "note": "note",
	"master_xaction": "transaction",
	"rm":             "request_method", ">rm": "request_method", "<rm": "upstream_method",
	"ru": "url", ">ru": "request_uri", "<ru": "upstream_url",
	">rs": "scheme", "<rs": "upstream_scheme", ">rd": "host", "<rd": "upstream_host", ">rP": "server_port", "<rP": "upstream_url_port",
	"rp": "url_path", ">rp": "url_path", "<rp": "upstream_path",
	"rv": "server_protocol", ">rv": "server_protocol", "<rv": "upstream_protocol",
	"<Hs": "first_status", ">Hs": "status", "Hs": "status", "mt": "sent_http_content_type",
	"st": "total_bytes", ">st": "request_length", "<st": "bytes_sent", ">sh": "request_header_bytes", "<sh": "sent_header_bytes",
	"<sH": "high_offset", "<sS": "upstream_size", "<bs": "upstream_body_bytes",
	"Ss": "upstream_cache_status", "Sh": "hierarchy",
}

// squidFormats are the formats that Squid has without being told. Its page has HTTP/%rv for the
// version, but what is logged is NONE/0.0 for a client that sent nothing.
var squidFormats = []configuredFormat{
	{name: "squid", layout: `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt`},
	{name: "common", layout: `%>a %[ui %[un [%tl] "%rm %ru %rv" %>Hs %<st %Ss:%Sh`},
	{name: "combined", layout: `%>a %[ui %[un [%tl] "%rm %ru %rv" %>Hs %<st "%{Referer}>h" "%{User-Agent}>h" %Ss:%Sh`},
}

// squidGMT is the default of %tg, which some versions write with a zone and some without.
const squidGMT = "%d/%b/%Y:%H:%M:%S%" + optionalZone

// clfStrftime is the time of the Common Log Format.
const clfStrftime = "%d/%b/%Y:%H:%M:%S %z"

// squidTokens splits the format specification of Squid's logformat:
//
//	% [encoding] [-] [[0]width[.width]] [{arg}] code [{arg}]
func squidTokens(layout string) (tokens []layoutToken, err error) {
	for rest := layout; rest != ""; {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			i = len(rest)
		}
		if i > 0 {
			text := rest[:i]
			if short := strings.TrimRight(text, " \t"); len(short) < len(text)-1 { // any number of blanks match one
				text = short + " "
			}
			tokens = appendLiteral(tokens, text)
			rest = rest[i:]
			continue
		}
		if strings.HasPrefix(rest, "%%") {
			tokens = appendLiteral(tokens, "%")
			rest = rest[2:]
			continue
		}
		t, after, err := squidToken(rest)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		rest = after
	}
	return tokens, nil
}

// squidToken reads the code that s starts with.
func squidToken(s string) (t layoutToken, rest string, err error) {
	wrong := func() (layoutToken, string, error) {
		return t, "", fmt.Errorf("%s is not a code of Squid's logformat", quote([]byte(s)))
	}
	rest = s[1:]
	if rest != "" && strings.IndexByte("\"[#/'", rest[0]) >= 0 {
		rest = rest[1:]
	}
	width := rest
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "-"), "0123456789")
	if strings.HasPrefix(rest, ".") {
		rest = strings.TrimLeft(rest[1:], "0123456789")
	}
	padded := len(rest) < len(width)
	arg, rest, ok := squidArg(rest)
	if !ok {
		return wrong()
	}
	rest = strings.TrimPrefix(rest, "http::")
	if i := strings.Index(rest, "::"); i > 0 && isWord(rest[:i]) { // of TLS, ICAP, adaptation
		rest = strings.TrimLeft(rest[i+2:], "<>")
		n := 0
		for n < len(rest) && isWord(rest[n:n+1]) {
			n++
		}
		_, rest, ok = squidArg(rest[n:])
		if !ok || n == 0 {
			return wrong()
		}
		return layoutToken{name: "other", padded: padded}, rest, nil
	}
	code := ""
	for n := min(len(rest), 14); n > 0 && code == ""; n-- {
		switch _, known := squidCodes[rest[:n]]; {
		case known:
			code = rest[:n]
		default:
			switch rest[:n] {
			case ">ha", ">h", "<h", "ts", "tu", "tl", "tg", "tS":
				code = rest[:n]
			}
		}
	}
	if code == "" {
		return wrong()
	}
	rest = rest[len(code):]
	if arg == "" {
		if arg, rest, ok = squidArg(rest); !ok {
			return wrong()
		}
	}
	header := func(prefix string) layoutToken {
		if arg == "" || strings.Contains(arg, ":") { // all headers, or a part of one
			return variable("other")
		}
		return variable(prefix + headerName(arg))
	}
	switch code {
	case ">h", ">ha":
		t = header("http_")
	case "<h":
		t = header("sent_http_")
	case "ts":
		t = layoutToken{name: "sec", prio: strftimePrio, clock: scaledTime(second), every: time.Second}
	case "tu":
		t = layoutToken{name: "msec_frac", part: true, clock: scaledTime(1000), every: time.Millisecond}
	case "tS":
		t = layoutToken{name: "msec", prio: strftimePrio + 1, clock: logTime, every: time.Millisecond}
	case "tl", "tg":
		standard := clfStrftime
		if code == "tg" {
			standard = squidGMT
		}
		if t, err = strftimeToken(cmp.Or(arg, standard)); err != nil {
			return t, "", err
		}
	default:
		t = variable(squidCodes[code])
	}
	t.padded = padded
	return t, rest, nil
}

// squidArg cuts an argument in braces.
func squidArg(s string) (arg, rest string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", s, true
	}
	arg, rest, ok = strings.Cut(s[1:], "}")
	return arg, rest, ok
}

func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c|0x20-'a' > 25 && c != '_' {
			return false
		}
	}
	return s != ""
}

// squidConfig finds the directives
//
//	logformat name specification
//	access_log [module:]place [logformat=]name ...
//
// Of two formats with one name the last one counts. The format of the only log comes first.
func squidConfig(text string) (formats []configuredFormat, used string) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\\\r\n", ""), "\\\n", "")
	logs := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		directive, rest := cutBlank(line)
		name, rest := cutBlank(rest)
		switch directive {
		case "logformat":
			if name != "" && rest != "" {
				formats = append([]configuredFormat{{name: name, layout: rest}}, formats...)
			}
		case "access_log":
			if name == "none" {
				continue
			}
			logs++
			for word := range strings.FieldsSeq(rest) {
				option, value, found := strings.Cut(word, "=")
				if found && option == "logformat" {
					used = value
				} else if !found && used == "" {
					used = word
				}
			}
		}
	}
	if logs != 1 {
		used = ""
	}
	return append(formats, squidFormats...), used
}

// cutBlank splits s at its first blanks.
func cutBlank(s string) (first, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

// isSquidConfig reports whether a configuration is Squid's, by directives that other servers do not
// have.
func isSquidConfig(text string) bool {
	for line := range strings.Lines(text) {
		directive, rest := cutBlank(strings.TrimSpace(line))
		switch directive {
		case "http_access", "http_port", "cache_dir", "refresh_pattern":
			return true
		case "logformat": // Apache's LogFormat may be in lower case, but starts with the format
			if name, layout := cutBlank(rest); layout != "" && !strings.ContainsAny(name, `%"'`) {
				return true
			}
		}
	}
	return false
}
