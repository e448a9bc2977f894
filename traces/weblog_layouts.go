package traces

import (
	"bytes"
	"slices"
	"time"
)

// The predefined layouts. A field has nginx's name where there is one, and else
// that of the log's documentation, so that keys can name it.
var (
	layoutCommon = `$remote_addr $ident $remote_user [$time_local] "$request" $status $body_bytes_sent`
	// Apache's package for Debian logs %O, not %b, in it.
	layoutCombined = layoutCommon + ` "$http_referer" "$http_user_agent"`
	layoutVhost    = `$server_name:$server_port ` + layoutCombined
	layoutSquid    = `$msec $request_time $remote_addr $upstream_cache_status/$status $bytes_sent $request_method $url $remote_user $hierarchy $sent_http_content_type`
	layoutS3       = `$bucket_owner $bucket [$time_local] $remote_addr $requester $request_id $operation $s3_key "$s3_request" $status $error_code $body_bytes_sent $object_size $total_time $turn_around_time "$http_referer" "$http_user_agent"`
	layoutALB      = `$type $time_fine $elb $client $target $request_processing_time $target_processing_time $response_processing_time $status $target_status $request_length $bytes_sent "$request" "$http_user_agent" $ssl_cipher $ssl_protocol `
	layoutELB      = `$time_fine $elb $client $backend $request_processing_time $backend_processing_time $response_processing_time $status $backend_status $request_length $body_bytes_sent "$request"`
)

// fixedLayout completes a weblogKind with what follows from a predefined
// layout. more says that lines may go on behind it.
func fixedLayout(k weblogKind, layout string, more bool, wrap func(*weblogProgram) weblogSplitter) weblogKind {
	program := func(extras []string) (*weblogProgram, error) {
		p, err := compileLayout(layout, extras)
		if err == nil {
			p.open = more
			p.blanks = k.name == "squid"
			p.every = k.tick
		}
		return p, err
	}
	k.split = func(_ Args, extras []string) (weblogSplitter, error) {
		p, err := program(extras)
		if err != nil || wrap == nil {
			return p, err
		}
		return wrap(p), nil
	}
	form, err := program(nil)
	if err != nil {
		panic(err) // a layout of the table is wrong
	}
	also := k.probe
	k.probe = func(line []byte) bool { return (also == nil || also(line)) && form.matches(line) }
	k.confidence = Certain
	return k
}

// weblogLayouts are the logs with a layout.
var weblogLayouts = []weblogKind{
	fixedLayout(weblogKind{
		name: "clf", tick: time.Second,
		doc:   `Common Log Format: host ident user [time] "request" status bytes`,
		why:   "its lines have the seven fields of the Common Log Format",
		probe: func(line []byte) bool { return fieldsBefore(line, '[') == 3 },
	}, layoutCommon, false, nil),
	fixedLayout(weblogKind{
		name: "combined", tick: time.Second,
		doc:   `Combined Log Format of Apache, nginx and varnishncsa: clf "referer" "user agent", and anything behind`,
		why:   "its lines have the fields of the Common Log Format, referer and user agent",
		probe: func(line []byte) bool { return fieldsBefore(line, '[') == 3 },
	}, layoutCombined, true, nil),
	fixedLayout(weblogKind{
		name: "vhost-combined", tick: time.Second,
		doc:   `Combined Log Format behind host:port, as Apache's other_vhosts_access.log`,
		why:   "its lines have a host with a port and the fields of the Combined Log Format",
		probe: func(line []byte) bool { return fieldsBefore(line, '[') == 4 },
	}, layoutVhost, true, nil),
	{
		name: "log-format", tick: time.Millisecond,
		doc: "a log of nginx, Apache, Squid or HAProxy with the layout that log-format gives",
		params: []Param{{"log-format", "",
			"log_format of nginx, as '$remote_addr - ...', LogFormat of Apache, as '%h %l ...', logformat of Squid, as '%ts.%03tu ...', log-format of HAProxy, as '%ci:%cp ...', or @FILE:NAME for the one of that name in the server's configuration"},
			capturesParam},
		split: newConfiguredLog,
	},
	fixedLayout(weblogKind{
		name: "squid", tick: time.Millisecond,
		doc:   "Squid's native access.log: time elapsed client code/status bytes method URL user hierarchy type",
		why:   "its lines have the ten fields of Squid's access.log",
		probe: squidLine,
	}, layoutSquid, true, func(p *weblogProgram) weblogSplitter { return &squidLog{weblogProgram: p} }),
	fixedLayout(weblogKind{
		name: "s3", tick: time.Second,
		doc:   "Amazon S3 server access log",
		why:   "its lines have the fields of Amazon S3's server access log",
		probe: func(line []byte) bool { return fieldsBefore(line, '[') == 2 },
	}, layoutS3, true, func(p *weblogProgram) weblogSplitter { return &s3Log{weblogProgram: p} }),
	fixedLayout(weblogKind{
		name: "alb", tick: time.Microsecond,
		doc: "access log of an Amazon Application Load Balancer",
		why: "its lines have the fields of an Application Load Balancer's log",
		probe: func(line []byte) bool {
			kind, _, _ := bytes.Cut(line, []byte{' '})
			return slices.Contains([]string{"http", "https", "h2", "grpcs", "ws", "wss"}, string(kind))
		},
	}, layoutALB, true, nil),
	fixedLayout(weblogKind{
		name: "elb", tick: time.Microsecond,
		doc: "access log of an Amazon Classic Load Balancer",
		why: "its lines have the fields of a Classic Load Balancer's log",
	}, layoutELB, true, nil),
	fixedLayout(weblogKind{
		name: "fastly", tick: time.Second,
		doc:   "Common Log Format behind Fastly's syslog prefix",
		why:   "its lines have the fields of the Common Log Format behind a syslog prefix",
		probe: func(line []byte) bool { return len(line) > 0 && line[0] == '<' },
	}, layoutFastly, true, nil),
}

// newConfiguredLog makes a splitter for the layout that the parameters give.
func newConfiguredLog(args Args, extras []string) (weblogSplitter, error) {
	configured, err := configuredLayout(args["log-format"])
	if err != nil {
		return nil, err
	}
	captures := headerList(args["captures"])
	if len(captures) == 0 {
		captures = configured.captures
	}
	tokens, dialect, err := layoutTokens(configured.layout, captures)
	if err != nil {
		return nil, err
	}
	if dialect == haproxyDialect {
		return newHAProxyFormat(tokens, captures, extras)
	}
	p, err := compileTokens(tokens, extras)
	if err != nil {
		return nil, err
	}
	if dialect == squidDialect {
		p.blanks = true // fields are padded
		return &squidLog{weblogProgram: p}, nil
	}
	return p, nil
}

const layoutFastly = `<$priority>$sent $cache $endpoint: ` +
	`$remote_addr $ident $remote_user [$time_local] "$request" $status $body_bytes_sent`

// fieldsBefore returns how many fields separated by one blank are before the
// first field that starts with c.
func fieldsBefore(line []byte, c byte) int {
	n := 0
	for {
		if len(line) > 0 && line[0] == c {
			return n
		}
		i := bytes.IndexByte(line, ' ')
		if i < 0 {
			return -1
		}
		line = line[i+1:]
		n++
	}
}

// squidLog is Squid's access.log. By default, Squid leaves out what is behind a
// question mark.
type squidLog struct {
	*weblogProgram
	stripped int64
}

func (s *squidLog) split(line []byte, f *weblogFields) (bool, error) {
	ok, err := s.weblogProgram.split(line, f)
	if url := f.role[roleURL]; ok && len(url) > 0 && url[len(url)-1] == '?' {
		s.stripped++
	}
	return ok, err
}

func (s *squidLog) note() weblogNote {
	const what = " whose query string Squid has removed (strip_query_terms), so that different objects look like one"
	return weblogNote{n: s.stripped, one: "request" + what, many: "requests" + what}
}

// squidLine checks what the layout leaves open.
func squidLine(line []byte) bool {
	var f [11][]byte
	if splitBlanks(line, f[:]) < 9 {
		return false
	}
	_, time := epochTime(f[0])
	_, elapsed := parseInt(f[1])
	_, bytes := parseUint(f[4])
	return time && elapsed && bytes && methodName(f[5])
}

// s3Log is Amazon S3's server access log. Its requests are operations on a
// bucket or an object, and only the latter count.
type s3Log struct {
	*weblogProgram
	others int64
}

func (s *s3Log) split(line []byte, f *weblogFields) (bool, error) {
	if ok, err := s.weblogProgram.split(line, f); !ok {
		return false, err
	}
	// REST.GET.OBJECT, WEBSITE.GET.OBJECT, but REST.COPY.OBJECT_GET.
	_, rest, _ := bytes.Cut(f.role[roleOperation], []byte{'.'})
	method, kind, _ := bytes.Cut(rest, []byte{'.'})
	if string(kind) != "OBJECT" || len(f.role[rolePath]) == 0 {
		s.others++
		return false, nil
	}
	f.role[roleMethod] = method
	return true, nil
}

func (s *s3Log) note() weblogNote {
	const what = " for something other than an object, as REST.GET.BUCKET"
	return weblogNote{n: s.others, one: "request" + what, many: "requests" + what, leftOut: true}
}
