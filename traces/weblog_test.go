package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// weblogFormat returns the access log of a name.
func weblogFormat(t testing.TB, name string) Format {
	t.Helper()
	for _, f := range weblogFormats {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no access log is called %q", name)
	return Format{}
}

// A logRequest is a record with its id as text.
type logRequest struct {
	ID   string
	Size int64
	Time int64 // ticks
}

// decodeLog decodes text with a few records per call. It returns the syntax
// errors beside the requests.
func decodeLog(t testing.TB, f Format, args Args, r io.Reader) (reqs []logRequest, bad []string, d Decoder) {
	t.Helper()
	all := Args{}
	for _, p := range f.Params {
		all[p.Name] = p.Default
	}
	for name, v := range args {
		if _, ok := all[name]; !ok {
			t.Fatalf("%s has no parameter %s", f.Name, name)
		}
		all[name] = v
	}
	d, err := f.New(r, all)
	if err != nil {
		t.Fatalf("New(%v): %v", args, err)
	}
	dst := make([]Record, 3)
	for {
		n, err := d.Decode(dst)
		for _, rec := range dst[:n] {
			id := string(rec.Text)
			if rec.Text == nil {
				id = fmt.Sprint(rec.Key)
			}
			if rec.TTL != 0 || rec.Op != 0 {
				t.Fatalf("%s: record %+v has a TTL or is no Get", f.Name, rec)
			}
			reqs = append(reqs, logRequest{id, rec.Size, rec.Time})
		}
		var syntax *SyntaxError
		switch {
		case err == io.EOF:
			if n != 0 {
				t.Fatalf("%s: %d records come with io.EOF", f.Name, n)
			}
			return reqs, bad, d
		case errors.As(err, &syntax):
			bad = append(bad, fmt.Sprintf("%d: %s", syntax.Line, syntax.Msg))
		case err != nil:
			t.Fatalf("%s: %v", f.Name, err)
		case n == 0:
			t.Fatalf("%s: Decode returned neither records nor an error", f.Name)
		}
	}
}

// A logSample is a tiny file of a format, from the documentation of the server
// or service, with what a cache would see of it.
type logSample struct {
	format string
	name   string // where a format has several
	args   Args
	text   string
	want   []logRequest
	bad    []string // parts of the syntax errors
	report []string // parts of the lines of the report, all of it
}

// at returns a time in ticks.
func at(tick time.Duration, s string) int64 {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UnixMicro() / tick.Microseconds()
}

const (
	s1  = time.Second
	ms1 = time.Millisecond
	us1 = time.Microsecond
)

var logSamples = []logSample{
	{
		format: "clf",
		text: `127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326
::1 - john doe [10/Oct/2000:13:55:37 -0700] "GET /a?b=1&c HTTP/1.1" 200 -
127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "POST /form HTTP/1.1" 200 17
127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "HEAD /apache_pb.gif HTTP/1.1" 200 -
127.0.0.1 - - [10/Oct/2000:13:55:38 -0700] "-" 408 -
127.0.0.1 - - [10/Oct/2000:13:55:38 -0700] "\x16\x03\x01" 400 226
127.0.0.1 - - [10/Oct/2000:13:55:38 -0700] "GET /missing HTTP/1.1" 404 209
127.0.0.1 - - [10/Oct/2000:13:55:38 -0700] "GET /apache_pb.gif HTTP/1.1" 304 -
127.0.0.1 - - [10/Oct/2000:13:55:39 -0700] "GET /other HTTP/1.1" 304 -
`,
		want: []logRequest{
			{"/apache_pb.gif", 2326, at(s1, "2000-10-10T20:55:36Z")},
			{"/a?b=1&c", 0, at(s1, "2000-10-10T20:55:37Z")},
			{"/apache_pb.gif", 2326, at(s1, "2000-10-10T20:55:38Z")},
		},
		report: []string{
			"2 requests without a valid HTTP request line",
			"2 requests with method POST or HEAD (methods=GET)",
			"1 request with status 404 (statuses=200,203,204,300,301,308)",
			"1 request answered without a body for objects whose size the log had not shown before",
		},
	},
	{
		format: "combined",
		text: `203.0.113.9 - - [31/Dec/2023:23:59:59 +0130] "GET /x%20y.png HTTP/1.1" 200 500 "https://example.org/" "Mozilla/5.0 (X11; Linux)"
203.0.113.9 - - [31/Dec/2023:23:59:58 +0130] "GET /say\"hi\" HTTP/1.1" 200 7 "-" "an \"agent\""
203.0.113.9 - - [31/Dec/2023:23:59:59 +0130] "GET /say\x22hi\x22 HTTP/1.1" 200 7 "-" "-" "10.0.0.1, 10.0.0.2"
203.0.113.9 - - [31/Dec/2023:23:59:59 +0130] "GET /in the dark" 200 8 "-" "HTTP/0.9 has no version"
203.0.113.9 - - [01/Jan/2024:00:00:00 +0130] "GET HTTP://Example.COM:80/abs?q HTTP/1.1" 200 9 "-" "-"
`,
		want: []logRequest{
			{"/x%20y.png", 500, at(s1, "2023-12-31T22:29:59Z")},
			{`/say\"hi\"`, 7, at(s1, "2023-12-31T22:29:58Z")},
			{`/say\x22hi\x22`, 7, at(s1, "2023-12-31T22:29:59Z")},
			{"/in the dark", 8, at(s1, "2023-12-31T22:29:59Z")},
			{"example.com/abs?q", 9, at(s1, "2023-12-31T22:30:00Z")},
		},
		report: []string{"1 request logged up to 1s after a later one"},
	},
	{
		format: "combined", name: "varnishncsa",
		text: `192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET http://localhost:6081/a HTTP/1.1" 200 1000 "-" "curl/7.88.1"
192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET http://localhost:6081/a HTTP/1.1" 304 0 "-" "curl/7.88.1"
`,
		want: []logRequest{
			{"localhost:6081/a", 1000, at(s1, "2015-05-17T10:05:03Z")},
			{"localhost:6081/a", 1000, at(s1, "2015-05-17T10:05:03Z")},
		},
	},
	{
		format: "vhost-combined",
		text: `www.Example.com:443 192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 10 "-" "-"
img.example.com:80 192.0.2.1 - - [17/May/2015:10:05:04 +0000] "GET / HTTP/1.1" 200 20 "-" "-"
img.example.com:8080 192.0.2.1 - - [17/May/2015:10:05:05 +0000] "GET / HTTP/1.1" 200 30 "-" "-"
`,
		want: []logRequest{
			{"www.example.com/", 10, at(s1, "2015-05-17T10:05:03Z")},
			{"img.example.com/", 20, at(s1, "2015-05-17T10:05:04Z")},
			{"img.example.com:8080/", 30, at(s1, "2015-05-17T10:05:05Z")},
		},
	},
	{
		format: "log-format", name: "nginx",
		args: Args{"log-format": `$remote_addr - $remote_user [$time_local] $host "$request_method $uri$is_args$args" $status ${bytes_sent}b rt=$request_time cs=$upstream_cache_status "$http_accept_encoding" $msec`,
			"key": "$host$uri|$http_accept_encoding", "header-bytes": "100"},
		text: `192.0.2.1 - - [17/May/2015:10:05:03 +0000] example.com "GET /a?x=1" 200 1100b rt=0.001 cs=HIT "gzip, br" 1431857103.125
192.0.2.1 - - [17/May/2015:10:05:03 +0000] example.com "GET /a" 200 1100b rt=0.001 cs=MISS "" 1431857103.126
192.0.2.1 - - [17/May/2015:10:05:03 +0000] example.com "GET /b" 200 99b rt=0.001 cs=- "" 1431857103.127
192.0.2.1 - - [17/May/2015:10:05:03 +0000] example.com "GET /b" 200 99 rt=0.001 cs=- "" 1431857103.127
`,
		want: []logRequest{
			{"example.com/a?x=1|gzip, br", 1000, 1431857103125},
			{"example.com/a|", 1000, 1431857103126},
			{"example.com/b|", 0, 1431857103127},
		},
		bad: []string{`4: expected "b rt=" after $bytes_sent: "192.0.2.1 - -`},
		report: []string{
			"sizes are bytes sent, which may include response headers (header-bytes=100)",
			"the log's own cache reports 50.0 % hits (1 of 2 requests)",
		},
	},
	{
		format: "log-format", name: "nginx-json",
		args: Args{"log-format": `{"t":"$time_iso8601","h":"$http_host","r":"$request","s":$status,"b":$body_bytes_sent}`},
		text: `{"t":"2015-05-17T10:05:03+02:00","h":"example.com","r":"GET /a\"b HTTP/1.1","s":200,"b":12}
`,
		want: []logRequest{{`example.com/a\"b`, 12, at(s1, "2015-05-17T08:05:03Z")}},
	},
	{
		format: "log-format", name: "apache",
		args: Args{"log-format": `%v %h %l %u [%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t] \"%m %U%q %H\" %>s %b %D \"%{Content-Range}o\"`},
		text: `example.com 192.0.2.1 - - [17/May/2015 10:05:03.250 +0100] "GET /a?x HTTP/1.1" 206 100 77 "bytes 0-99/5000"
example.com 192.0.2.1 - - [17/May/2015 10:05:03.251 +0100] "GET /a HTTP/1.1" 206 100 77 "bytes 0-99/*"
`,
		want: []logRequest{
			{"example.com/a?x", 5000, at(ms1, "2015-05-17T09:05:03.25Z")},
			{"example.com/a", 100, at(ms1, "2015-05-17T09:05:03.251Z")},
		},
		report: []string{"1 request for ranges of objects whose size the log had not shown, counted with the largest range so far"},
	},
	{
		// Codes, padding and a time in two fields.
		format: "log-format", name: "squid",
		args: Args{"log-format": `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt`, "key": "$host$uri $remote_user"},
		text: `1286536308.079    180 192.168.0.224 TCP_MISS/200 411 GET http://Example.com/a?b - HIER_DIRECT/192.0.2.7 text/html
1286536308.912      0 192.168.0.224 TCP_MEM_HIT/200 421 GET http://example.com/a? joe HIER_NONE/- text/html
1286536309.586   3921 192.168.0.227 TCP_TUNNEL/200 507 CONNECT example.com:443 - HIER_DIRECT/192.0.2.7 -
1286536309.701      0 192.168.0.227 NONE_NONE/000 0 GET http://example.com/a?b - HIER_NONE/- -
`,
		want: []logRequest{
			{"example.com/a?b -", 411, 1286536308079},
			{"example.com/a? joe", 421, 1286536308912},
		},
		report: []string{
			"1 request with method CONNECT (methods=GET)",
			"1 request with status none (statuses=200,203,204,300,301,308)",
			"1 request whose query string Squid has removed (strip_query_terms), so that different objects look like one",
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
			"the log's own cache reports 50.0 % hits (1 of 2 requests)",
		},
	},
	{
		// Arguments on both sides, encodings, widths, and a time of strftime in front of a blank.
		format: "log-format", name: "squid-own",
		args: Args{"log-format": `%tl size=%-6<st|%6>st "%"{Host}>h" %>rs %http::>rm %#>ru %{%H:%M}tg %>Hs %ssl::>sni %{Vary:;x}<h %<h{Content-Range} 100%%`},
		text: `06/Feb/2009:12:14:14 +0100 size=1000  |   300 "a.example" http GET /x%20y 11:14 200 - - - 100%
06/Feb/2009:12:14:15 +0100 size=100   |   300 "a.example" http GET /x%20y 11:14 206 - - bytes 0-99/5000 100%
`,
		want: []logRequest{
			{"a.example/x%20y", 1000, at(s1, "2009-02-06T11:14:14Z")},
			{"a.example/x%20y", 5000, at(s1, "2009-02-06T11:14:15Z")},
		},
		report: []string{"sizes are bytes sent, which may include response headers (header-bytes=0)"},
	},
	{
		// The default format written as a log-format, with escaped blanks.
		format: "log-format", name: "haproxy",
		args: Args{"log-format": `%ci:%cp\ [%tr]\ %ft\ %b/%s\ %TR/%Tw/%Tc/%Tr/%Ta\ %ST\ %B\ %CC\ %CS\ %tsc\ %ac/%fc/%bc/%sc/%rc\ %sq/%bq\ %hr\ %hs\ %{+Q}r`,
			"captures": "host,user-agent", "key": "$host$uri $frontend $http_user_agent"},
		text: `Feb  6 12:14:13 localhost haproxy[14389]: Proxy http-in started.
Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu|Mozilla 5 (X)} {} "GET /index.html HTTP/1.1"
Feb  6 12:14:15 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:15.001] https~ static/srv1 10/0/30/69/109 200 +2750 - - ---- 1/1/1/1/0 0/0 "GET https://1wt.eu/index.html HTTP/2.0"
<134>1 2009-02-06T12:14:16.000Z host haproxy 14389 - - 10.0.1.2:33317 [06/Feb/2009:12:14:15.002] http-in http-in/<NOSRV> -1/-1/-1/-1/0 -1 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>"
10.0.1.2:33317 [06/Feb/2009:12:14:15.003] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {} "GET /cut
`,
		want: []logRequest{
			{"1wt.eu/index.html http-in Mozilla 5 (X)", 2750, at(ms1, "2009-02-06T12:14:14.655Z")},
			{"1wt.eu/index.html https~ ", 2750, at(ms1, "2009-02-06T12:14:15.001Z")},
		},
		bad: []string{`5: expected "\"" after $request`},
		report: []string{
			"1 request without a valid HTTP request line",
			"1 line is a message, not a request",
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
		},
	},
	{
		format: "log-format", name: "haproxy-clf",
		args: Args{"log-format": `${HAPROXY_HTTP_CLF_LOG_FMT}`},
		text: `10.0.1.2 - - [06/Feb/2009:12:14:14 +0000] "GET /a HTTP/1.1" 200 300 "" "" 33317 655 "http-in" "static" "srv1" 10 0 30 69 109 "----" 1 1 1 1 0 0 0 "" ""
`,
		want:   []logRequest{{"/a", 300, at(ms1, "2009-02-06T12:14:14.655Z")}},
		report: []string{"sizes are bytes sent, which may include response headers (header-bytes=0)"},
	},
	{
		// JSON, expressions with converters, names, and a query that may be missing.
		format: "log-format", name: "haproxy-json",
		args: Args{"log-format": `{"t":%Ts.%ms,"host":%(h){+Q}[capture.req.hdr(1),lower],"m":"%[method]","u":"%HP%HQ","s":%[status],"b":%U/%B,"ua":%{+Q,+E}[req.hdr(user-agent)]}`,
			"captures": "user-agent,host"},
		text: `{"t":1233922454.655,"host":"1wt.eu","m":"GET","u":"/a?b","s":200,"b":55/300,"ua":"x"}
{"t":1233922454.656,"host":"1wt.eu","m":"GET","u":"/a","s":200,"b":55/301,"ua":"x"}
`,
		want: []logRequest{
			{"1wt.eu/a?b", 300, 1233922454655},
			{"1wt.eu/a", 301, 1233922454656},
		},
		report: []string{"sizes are bytes sent, which may include response headers (header-bytes=0)"},
	},
	{
		format: "log-format", name: "haproxy-query",
		args: Args{"log-format": `%HM  %HPO %HQ %HV %ST %B %[var(txn.host)]`},
		text: `GET /a ?b=1 HTTP/1.1 200 300 h
GET /a HTTP/1.1 200 301 h
`,
		want:   []logRequest{{"h/a?b=1", 300, 0}, {"h/a", 301, 0}},
		report: []string{"sizes are bytes sent, which may include response headers (header-bytes=0)"},
	},
	{
		format: "squid",
		text: `1286536308.779    180 192.168.0.224 TCP_MISS/200 411 GET http://Example.com/a?b - HIER_DIRECT/192.0.2.7 text/html
1286536308.912      0 192.168.0.224 TCP_MEM_HIT/200 421 GET http://example.com/a?b - HIER_NONE/- text/html
1286536309.586   3921 192.168.0.227 TCP_TUNNEL/200 507 CONNECT example.com:443 - HIER_DIRECT/192.0.2.7 -
1286536309.700      1 192.168.0.227 TCP_REFRESH_UNMODIFIED/304 300 GET http://example.com/a?b user HIER_DIRECT/192.0.2.7 -
1286536309.701      0 192.168.0.227 NONE_NONE/000 0 GET http://example.com/a?b - HIER_NONE/- -
1286536309.702      0 192.168.0.227 TCP_DENIED/403 3500 GET http://example.com/no - HIER_NONE/- text/html
`,
		want: []logRequest{
			{"example.com/a?b", 411, 1286536308779},
			{"example.com/a?b", 421, 1286536308912},
			{"example.com/a?b", 421, 1286536309700},
		},
		report: []string{
			"1 request with method CONNECT (methods=GET)",
			"2 requests with status none or 403 (statuses=200,203,204,300,301,308)",
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
			"the log's own cache reports 66.7 % hits (2 of 3 requests)",
		},
	},
	{
		format: "haproxy",
		args:   Args{"captures": "host,user-agent", "key": "$host$uri $frontend"},
		text: `Feb  6 12:14:13 localhost haproxy[14389]: Proxy http-in started.
Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu|Mozilla} {} "GET /index.html HTTP/1.1"
Feb  6 12:14:15 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:15.001] https~ static/srv1 10/0/30/69/109 200 +2750 - - ---- 1/1/1/1/0 0/0 "GET https://1wt.eu/index.html HTTP/2.0"
10.0.1.2:33317 [06/Feb/2009:12:14:15.002] http-in http-in/<NOSRV> -1/-1/-1/-1/0 400 187 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"
Feb  6 12:14:16 localhost haproxy[14389]: Server static/srv1 is DOWN, reason: Layer4 connection problem, info: "Connection refused"
Feb  6 12:14:17 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:15.003] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /cut
`,
		want: []logRequest{
			{"1wt.eu/index.html http-in", 2750, at(ms1, "2009-02-06T12:14:14.655Z")},
			{"1wt.eu/index.html https~", 2750, at(ms1, "2009-02-06T12:14:15.001Z")},
		},
		bad: []string{"6: expected a quote after the request, which a short limit of lines in syslog may have cut off: \"Feb  6"},
		report: []string{
			"1 request without a valid HTTP request line",
			"2 lines are messages, not requests",
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
		},
	},
	{
		format: "s3",
		text: `79a59df9 awsexamplebucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df9 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /awsexamplebucket1?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9lzHY= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader awsexamplebucket1.s3.us-west-1.amazonaws.com TLSV1.2 - -
79a59df9 awsexamplebucket1 [06/Feb/2019:00:01:57 +0000] 192.0.2.3 79a59df9 DD6CC733AEXAMPLE REST.PUT.OBJECT s3-dg.pdf "PUT /awsexamplebucket1/s3-dg.pdf HTTP/1.1" 200 - - 4406583 41754 28 "-" "S3Console/0.4" - 10S62Zv81= SigV4 ECDHE AuthHeader awsexamplebucket1.s3.amazonaws.com TLSV1.2 - -
79a59df9 awsexamplebucket1 [06/Feb/2019:00:01:58 +0000] 192.0.2.3 - DD6CC733AEXAMPLE REST.GET.OBJECT s3-dg.pdf "GET /s3-dg.pdf?X-Amz-Signature=1 HTTP/1.1" 206 - 100 4406583 41754 28 "-" "-" - 10S62Zv81= - ECDHE - awsexamplebucket1.s3.amazonaws.com TLSV1.2 - -
79a59df9 awsexamplebucket1 [06/Feb/2019:00:01:59 +0000] 192.0.2.3 - DD6CC733AEXAMPLE WEBSITE.GET.OBJECT img/a.png "GET /img/a.png HTTP/1.1" 200 - 20 30 41754 28 "-" "-" - 10S62Zv81= - ECDHE - awsexamplebucket1.s3.amazonaws.com TLSV1.2 - -
`,
		want: []logRequest{
			{"awsexamplebucket1/s3-dg.pdf", 4406583, at(s1, "2019-02-06T00:01:58Z")},
			{"awsexamplebucket1/img/a.png", 30, at(s1, "2019-02-06T00:01:59Z")},
		},
		report: []string{
			"1 request with method PUT (methods=GET)",
			"1 request for something other than an object, as REST.GET.BUCKET",
		},
	},
	{
		format: "alb",
		text: `http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"
h2 2018-07-02T22:23:00.186642Z app/my-loadbalancer/50dc6c495c0c9188 10.0.1.252:48160 10.0.0.66:9000 0.000 0.002 0.000 200 200 5 257 "GET https://10.0.2.105:773/x HTTP/2.0" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337327-72bd00b0343d75b906739c42" "-" "-" 1 2018-07-02T22:22:48.364000Z "redirect" "https://example.com:80/" "-" "10.0.0.66:9000" "200" "-" "-"
`,
		want: []logRequest{
			{"www.example.com/", 366, at(us1, "2018-07-02T22:23:00.186641Z")},
			{"10.0.2.105:773/x", 257, at(us1, "2018-07-02T22:23:00.186642Z")},
		},
		report: []string{"sizes are bytes sent, which may include response headers (header-bytes=0)"},
	},
	{
		format: "elb",
		text: `2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -
2015-05-13T23:39:43.945959Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.001069 0.000028 0.000041 - - 82 305 "- - - " "-" - -
`,
		want:   []logRequest{{"www.example.com/", 29, at(us1, "2015-05-13T23:39:43.945958Z")}},
		report: []string{"1 request without a valid HTTP request line"},
	},
	{
		format: "w3c", name: "iis",
		args: Args{"key": "$host$uri ${cs(User-Agent)} $s_ip"},
		text: "#Software: Microsoft Internet Information Services 10.0\r\n" +
			"#Version: 1.0\r\n" +
			"#Date: 2024-02-28 23:59:59\r\n" +
			"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs(User-Agent) cs-host sc-status sc-bytes time-taken\r\n" +
			"2024-02-28 23:59:59 ::1 GET /a.gif - 80 Mozilla/5.0+(X11) localhost 200 1500 12\r\n" +
			"2024-02-29 00:00:00 ::1 GET /a.gif x=1&y=2 80 M Localhost 200 1600 12\r\n" +
			"2024-02-29 00:00:00 ::1 GET /a.gif - 80 M localhost 200 1600\r\n" +
			"#Fields: time cs-method cs-uri-stem sc-bytes cs(User-Agent) s-ip\r\n" +
			"#Date: 2024-03-01 00:00:00\r\n" +
			"00:00:01 GET /b 5 \"an \"\"agent\"\"\" 10.0.0.1\r\n",
		want: []logRequest{
			{"localhost/a.gif Mozilla/5.0+(X11) ::1", 1500, at(ms1, "2024-02-28T23:59:59Z")},
			{"localhost/a.gif?x=1&y=2 M ::1", 1600, at(ms1, "2024-02-29T00:00:00Z")},
			{`/b an "agent" 10.0.0.1`, 5, at(ms1, "2024-03-01T00:00:01Z")},
		},
		bad:    []string{"7: expected 12 fields, as #Fields has, got 11: "},
		report: []string{"sizes are bytes sent, which may include response headers (header-bytes=0)"},
	},
	{
		format: "cloudfront",
		text: "#Version: 1.0\n" +
			"#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n" +
			"2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows%20NT%2010.0)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\tcdn.example.com\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-\n" +
			"2019-12-04\t21:02:32\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla\tv=1\t-\tMiss\tk6WGMNkEzR5BEM_SaF47gjtX9zBDO2m349OY2an0QPEaUum1ZOLrow==\tcdn.example.com\thttps\t23\t0.000\t-\tTLSv1.2\tECDHE\tMiss\tHTTP/2.0\t-\t-\t11040\t0.000\tMiss\ttext/html\t-\t-\t-\n" +
			"2019-12-04\t21:02:33\tLAX1\t900\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/gone\t502\t-\tMozilla\t-\t-\tError\tk6WGM==\tcdn.example.com\thttps\t23\t0.000\t-\tTLSv1.2\tECDHE\tError\tHTTP/2.0\t-\t-\t11040\t0.000\tOriginDnsError\ttext/html\t507\t-\t-\n",
		want: []logRequest{
			{"cdn.example.com/index.html", 78, at(s1, "2019-12-04T21:02:31Z")},
			{"cdn.example.com/index.html?v=1", 392, at(s1, "2019-12-04T21:02:32Z")},
		},
		report: []string{
			"1 request with status 502 (statuses=200,203,204,300,301,308)",
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
			"the log's own cache reports 50.0 % hits (1 of 2 requests)",
		},
	},
	{
		format: "fastly",
		text: `<134>2016-07-04T22:37:26Z cache-sjc3128 LogTest[62959]: 203.0.113.9 - - [04/Jul/2016:22:37:26 +0000] "GET /a HTTP/1.1" 200 12
`,
		want: []logRequest{{"/a", 12, at(s1, "2016-07-04T22:37:26Z")}},
	},
	{
		format: "fastly-json",
		text: `<134>2016-07-04T22:37:26Z cache-sjc3128 LogTest[62959]: {"timestamp":"2021-03-04T05:06:07+0000","client_ip":"203.0.113.9","geo_country":"japan","host":"www.example.com","url":"/a?b","request_method":"GET","request_protocol":"HTTP/2","request_referer":"","request_user_agent":"x","response_state":"HIT-CLUSTER","response_status":200,"response_reason":"OK","response_body_size":321,"fastly_server":"cache-1","fastly_is_edge":true}
{"timestamp":"2021-03-04T05:06:08+0000","client_ip":"203.0.113.9","host":"www.example.com","url":"/a","request_method":"GET","response_state":"HITPASS","response_status":200,"response_body_size":322,"fastly_server":"cache-1"}
`,
		want: []logRequest{
			{"www.example.com/a?b", 321, at(us1, "2021-03-04T05:06:07Z")},
			{"www.example.com/a", 322, at(us1, "2021-03-04T05:06:08Z")},
		},
		report: []string{"the log's own cache reports 50.0 % hits (1 of 2 requests)"},
	},
	{
		format: "caddy",
		args:   Args{"key": "$host$uri ${request.headers.Accept-Encoding}"},
		text: `{"level":"info","ts":1646861400.1,"logger":"admin","msg":"admin endpoint started"}
{"level":"info","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"41342","client_ip":"127.0.0.1","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/a?b=\u00e4","headers":{"User-Agent":["curl/7.82.0"],"Accept-Encoding":["gzip, deflate, br"]},"tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"example.com"}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"],"Content-Type":["text/html; charset=utf-8"],"Vary":["Accept-Encoding"]}}
{"level":"info","ts":1646861402,"logger":"http.log.access","msg":"handled request","request":{"method":"GET","host":"localhost:8080","uri":"/v","headers":{"Range":["bytes=0-9"]}},"size":10,"status":206,"resp_headers":{"Content-Range":["bytes 0-9/123"]}}
`,
		want: []logRequest{
			{"localhost/a?b=ä gzip, deflate, br", 10900, 1646861401524102},
			{"localhost:8080/v ", 123, 1646861402000000},
		},
		report: []string{"1 line has no request"},
	},
	{
		format: "cloudflare",
		text: `{"CacheCacheStatus":"hit","ClientIP":"192.0.2.1","ClientRequestHost":"example.com","ClientRequestMethod":"GET","ClientRequestURI":"/a?b","EdgeEndTimestamp":1506702504461999900,"EdgeResponseBytes":2000,"EdgeResponseStatus":200,"EdgeStartTimestamp":1506702504433000200,"RayID":"3a6050bcbe121a87"}
{"CacheCacheStatus":"dynamic","ClientRequestHost":"example.com","ClientRequestMethod":"GET","ClientRequestURI":"/c","EdgeResponseBytes":2000,"EdgeResponseBodyBytes":1800,"EdgeResponseStatus":200,"EdgeStartTimestamp":"2017-09-29T16:28:25Z"}
`,
		want: []logRequest{
			{"example.com/a?b", 2000, at(us1, "2017-09-29T16:28:24.433Z")},
			{"example.com/c", 1800, at(us1, "2017-09-29T16:28:25Z")},
		},
		report: []string{"the log's own cache reports 50.0 % hits (1 of 2 requests)"},
	},
	{
		format: "google-cdn",
		text: `{"insertId":"1oek5rg3l3fxj7","jsonPayload":{"@type":"type.googleapis.com/google.cloud.loadbalancing.type.LoadBalancerLogEntry","cacheId":"SFO-fbae48ad","statusDetails":"response_from_cache"},"httpRequest":{"requestMethod":"GET","requestUrl":"http://example.com/static/cats.jpg","requestSize":"577","status":200,"responseSize":"157000","userAgent":"Mozilla","remoteIp":"192.0.2.1","cacheHit":true,"cacheLookup":true},"resource":{"type":"http_load_balancer","labels":{"zone":"global"}},"timestamp":"2024-05-06T07:08:09.123456Z","severity":"INFO"}
{"httpRequest":{"requestMethod":"GET","requestUrl":"https://example.com/static/cats.jpg","requestSize":"577","status":200,"responseSize":"157001","cacheLookup":true,"cacheFillBytes":"157001"},"timestamp":"2024-05-06T07:08:10Z"}
`,
		want: []logRequest{
			{"example.com/static/cats.jpg", 157000, at(us1, "2024-05-06T07:08:09.123456Z")},
			{"example.com/static/cats.jpg", 157001, at(us1, "2024-05-06T07:08:10Z")},
		},
		report: []string{
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
			"the log's own cache reports 50.0 % hits (1 of 2 requests)",
		},
	},
	{
		format: "azure-cdn",
		text: `{"time":"2020-06-09T22:32:17.8383427Z","category":"FrontDoorAccessLog","operationName":"Microsoft.Cdn/Profiles/AccessLog/Write","properties":{"trackingReference":"08Q3gXgAAAAAe0s71BET/QYwmqtpHO7uAU0pDRURHRTA1MDgANjMxNTAwZDAtOTRiNS00YzIwLTljY2YtNjFhNzMyOWQyYTgy","httpMethod":"GET","httpVersion":"2.0","requestUri":"https://www.example.com:443/a.js?v=2","requestBytes":"715","responseBytes":"3800","userAgent":"Mozilla","clientIp":"192.0.2.1","timeTaken":"0.008","securityProtocol":"TLS 1.2","httpStatusCode":"200","httpStatusDetails":"200","pop":"EWR","cacheStatus":"REMOTE_HIT"}}
{"time":"2020-06-09T22:32:18Z","category":"FrontDoorAccessLog","operationName":"Microsoft.Cdn/Profiles/AccessLog/Write","properties":{"httpMethod":"GET","requestUri":"https://www.example.com:443/a.js","responseBytes":"3800","httpStatusCode":"200","cacheStatus":"CONFIG_NOCACHE"}}
`,
		want: []logRequest{
			{"www.example.com/a.js?v=2", 3800, at(us1, "2020-06-09T22:32:17.838342Z")},
			{"www.example.com/a.js", 3800, at(us1, "2020-06-09T22:32:18Z")},
		},
		report: []string{
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
			"the log's own cache reports 100.0 % hits (1 of 1 request)",
		},
	},
	{
		format: "json-log", name: "nginx",
		text: `{"time_iso8601":"2024-01-02T03:04:05+00:00","remote_addr":"192.0.2.1","host":"example.com","request_method":"GET","request_uri":"/a\/b","status":"200","body_bytes_sent":"1234","upstream_cache_status":"STALE","http_user_agent":"x"}
{"time_iso8601":"2024-01-02T03:04:06+00:00","remote_addr":"192.0.2.1","host":"example.com","request":"GET /c HTTP/1.1","status":200,"bytes_sent":200,"body_bytes_sent":55,"upstream_cache_status":""}
{"time_iso8601":"2024-01-02T03:04:07+00:00","host":"example.com","request":"GET /c HTTP/1.1","status":200}
{"time_iso8601":"2024-01-02T03:04:07+00:00","host":"example.com",
{"msec":"1704164648.250","host":"example.com","request":"GET /d HTTP/1.1","status":200,"body_bytes_sent":"-"}
{"time_local":"02/Jan/2024:03:04:09 +0000","host":"example.com","request":"GET /c HTTP/1.1","status":304,"body_bytes_sent":0}
`,
		want: []logRequest{
			{"example.com/a/b", 1234, at(us1, "2024-01-02T03:04:05Z")},
			{"example.com/c", 55, at(us1, "2024-01-02T03:04:06Z")},
			{"example.com/d", 0, at(us1, "2024-01-02T03:04:08.25Z")},
			{"example.com/c", 55, at(us1, "2024-01-02T03:04:09Z")},
		},
		bad: []string{
			"3: it has no field for the size of the response (fields=size=NAME)",
			"4: not a JSON object: at column 66, expected a name in quotes: ",
		},
		report: []string{"the log's own cache reports 100.0 % hits (1 of 1 request)"},
	},
	{
		format: "json-log", name: "cloudfront",
		text: `{"date":"2024-01-02","time":"03:04:05","sc-bytes":"400","cs-method":"GET","cs(Host)":"d1.cloudfront.net","cs-uri-stem":"/a","sc-status":"200","cs-uri-query":"-","x-edge-result-type":"Hit","x-host-header":"cdn.example.com"}
`,
		want: []logRequest{{"cdn.example.com/a", 400, at(us1, "2024-01-02T03:04:05Z")}},
		report: []string{
			"sizes are bytes sent, which may include response headers (header-bytes=0)",
			"the log's own cache reports 100.0 % hits (1 of 1 request)",
		},
	},
	{
		format: "json-log", name: "fields",
		args: Args{"fields": "id=object.key,size=out.n,time=when"},
		text: `{"object":{"key":"77"},"out":{"n":9},"when":1700000000123,"bytes":1,"host":"h"}
{"object":{"key":"007"},"out":{"n":8},"when":1.7000000001235e9,"bytes":1,"host":"h"}
`,
		want: []logRequest{{"77", 9, 1700000000123000}, {"007", 8, 1700000000123500}},
	},
}

func (s logSample) String() string {
	if s.name == "" {
		return s.format
	}
	return s.format + "/" + s.name
}

// contain reports whether got are as many strings as want, each with what want
// has at its place.
func contain(got, want []string) bool {
	return len(got) == len(want) && !slices.ContainsFunc(got, func(g string) bool {
		return !strings.Contains(g, want[slices.Index(got, g)])
	})
}

func TestWeblogSamples(t *testing.T) {
	for _, s := range logSamples {
		t.Run(s.String(), func(t *testing.T) {
			f := weblogFormat(t, s.format)
			for _, r := range []io.Reader{strings.NewReader(s.text), iotest.OneByteReader(strings.NewReader(s.text))} {
				got, bad, d := decodeLog(t, f, s.args, r)
				if !slices.Equal(got, s.want) {
					t.Errorf("got\n%v, want\n%v", got, s.want)
				}
				if !contain(bad, s.bad) {
					t.Errorf("syntax errors\n%s\nwant\n%s", strings.Join(bad, "\n"), strings.Join(s.bad, "\n"))
				}
				report := d.(Reporter).Report()
				// The line with the total has what is missing of the requests.
				if len(report) > 0 && strings.HasPrefix(report[0], "the rules for access logs left out ") {
					var out, of int
					if _, err := fmt.Sscanf(report[0], "the rules for access logs left out %d of %d line", &out, &of); err != nil || of-out != len(got) && len(bad) == 0 || out == 0 {
						t.Errorf("%q where %d are kept", report[0], len(got))
					}
					report = report[1:]
				}
				if !contain(report, s.report) {
					t.Errorf("report\n%s\nwant\n%s", strings.Join(report, "\n"), strings.Join(s.report, "\n"))
				}
				if tick := d.(Timer).Tick(); f.Name != "log-format" && tick != f.Tick {
					t.Errorf("tick %v, want %v", tick, f.Tick)
				}
			}
		})
	}
}

func TestWeblogEveryFormatHasASample(t *testing.T) {
	for _, f := range weblogFormats {
		if !slices.ContainsFunc(logSamples, func(s logSample) bool { return s.format == f.Name }) {
			t.Errorf("%s has no sample", f.Name)
		}
		if f.Doc == "" {
			t.Errorf("%s has no description", f.Name)
		}
	}
}

// TestWeblogProbe checks that each sample is recognized as itself, whole or cut
// off, and that no other format is as sure of it.
func TestWeblogProbe(t *testing.T) {
	for _, s := range logSamples {
		if s.format == "log-format" || s.name == "fields" {
			continue // they have to be named
		}
		for _, text := range []string{s.text, "\n" + s.text, "\xef\xbb\xbf" + s.text, strings.ReplaceAll(s.text, "\n", "\r\n"), s.text + s.text + `192.0.2.1 - - [cut`} {
			for _, whole := range []bool{true, false} {
				if whole && strings.HasSuffix(text, "[cut") && len(s.want) < 2 {
					continue
				}
				mine, why := weblogFormat(t, s.format).Probe([]byte(text), whole)
				if mine < Likely || why == "" {
					t.Errorf("%v: confidence %d in itself (%s)", s, mine, why)
					continue
				}
				for _, f := range slices.Concat(weblogFormats, Formats) {
					if c, why := f.Probe([]byte(text), whole); f.Name != s.format && c >= mine {
						t.Errorf("%v: %s has confidence %d (%s), the right one %d", s, f.Name, c, why, mine)
					}
				}
			}
		}
	}
}

func TestWeblogProbeOthers(t *testing.T) {
	for _, text := range []string{"", "\n\n", "1 2\n3 4\n", "1 2 3\n", "\x00\x01\x02", "{}\n", "[1,2]\n", "{\"a\":1}\n",
		"time,id,size\n1,2,3\n", "{\"timestamp\":1,\"input_length\":2,\"hash_ids\":[1,2]}\n", "#Version: 1.0\n",
		"#!/bin/sh\n", "worker_processes 1;\nevents { }\n", strings.Repeat("x", 1<<16)} {
		for _, whole := range []bool{true, false} {
			for _, f := range weblogFormats {
				if c, why := f.Probe([]byte(text), whole); c != No || why == "" {
					t.Errorf("%s has confidence %d in %.20q (%s)", f.Name, c, text, why)
				}
			}
		}
	}
}

// TestWeblogRules changes one rule at a time.
func TestWeblogRules(t *testing.T) {
	const text = `v:80 a - - [17/May/2015:10:05:01 +0000] "GET /a?z=1&b=2 HTTP/1.1" 200 100 "-" "-"
v:80 a - - [17/May/2015:10:05:02 +0000] "HEAD /a?z=1&b=2 HTTP/1.1" 200 - "-" "-"
v:80 a - - [17/May/2015:10:05:03 +0000] "HEAD /new HTTP/1.1" 200 - "-" "-"
v:80 a - - [17/May/2015:10:05:04 +0000] "GET /a?b=2&z=1 HTTP/1.1" 304 - "-" "-"
v:80 a - - [17/May/2015:10:05:05 +0000] "GET /v HTTP/1.1" 206 10 "-" "-"
v:80 a - - [17/May/2015:10:05:06 +0000] "GET /v HTTP/1.1" 206 30 "-" "-"
v:80 a - - [17/May/2015:10:05:07 +0000] "GET /v HTTP/1.1" 206 20 "-" "-"
v:80 a - - [17/May/2015:10:05:08 +0000] "GET /v HTTP/1.1" 200 90 "-" "-"
v:80 a - - [17/May/2015:10:05:09 +0000] "GET /v HTTP/1.1" 206 20 "-" "-"
v:80 a - - [17/May/2015:10:05:10 +0000] "GET /none HTTP/1.1" 404 7 "-" "-"
v:80 a - - [17/May/2015:10:05:11 +0000] "BREW /none HTTP/1.1" 418 7 "-" "-"
`
	tests := []struct {
		args   Args
		want   string // id and size of each
		report string // a part of it
	}{
		{Args{}, "v/a?z=1&b=2 100; v/v 10; v/v 30; v/v 30; v/v 90; v/v 90", "the rules for access logs left out 5 of 11 lines:\n3 requests with method HEAD or BREW (methods=GET)\n1 request with status 404"},
		{Args{"methods": "GET,HEAD"}, "v/a?z=1&b=2 100; v/a?z=1&b=2 100; v/v 10; v/v 30; v/v 30; v/v 90; v/v 90", "2 requests answered without a body for objects"},
		{Args{"strip-query": "sort"}, "v/a?b=2&z=1 100; v/a?b=2&z=1 100; v/v 10; v/v 30; v/v 30; v/v 90; v/v 90", "1 request with status 404"},
		{Args{"strip-query": "yes"}, "v/a 100; v/a 100; v/v 10; v/v 30; v/v 30; v/v 90; v/v 90", ""},
		{Args{"not-modified": "skip"}, "v/a?z=1&b=2 100; v/v 10; v/v 30; v/v 30; v/v 90; v/v 90", "1 request answered 304 (not-modified=skip)"},
		{Args{"partial": "range"}, "v/a?z=1&b=2 100; v/v 10; v/v 30; v/v 20; v/v 90; v/v 20", ""},
		{Args{"partial": "skip"}, "v/a?z=1&b=2 100; v/v 90", "4 requests for ranges, answered 206 (partial=skip)"},
		{Args{"statuses": "2xx,404"}, "v/a?z=1&b=2 100; v/v 10; v/v 30; v/v 30; v/v 90; v/v 90; v/none 7", ""},
		{Args{"statuses": "300-399"}, "v/v 10; v/v 30; v/v 30; v/v 30", "3 requests with status 200 or 404 (statuses=300-399)"},
		{Args{"statuses": "all", "methods": "BREW,GET"}, "v/a?z=1&b=2 100; v/v 10; v/v 30; v/v 30; v/v 90; v/v 90; v/none 7; v/none 7", ""},
		{Args{"header-bytes": "95"}, "v/a?z=1&b=2 5; v/v 0; v/v 0; v/v 0; v/v 0; v/v 0", ""},
		{Args{"key": "${path}:$query:$method:$scheme:$remote_addr$host"}, "/a:z=1&b=2:GET::av 100; /v::GET::av 10; /v::GET::av 30; /v::GET::av 30; /v::GET::av 90; /v::GET::av 90", ""},
		{Args{"key": "all"}, "all 100; all 100; all 100; all 100; all 100; all 90; all 90", ""},
	}
	for _, test := range tests {
		reqs, bad, d := decodeLog(t, weblogFormat(t, "vhost-combined"), test.args, strings.NewReader(text))
		var got []string
		for _, r := range reqs {
			got = append(got, fmt.Sprintf("%s %d", r.ID, r.Size))
		}
		if s := strings.Join(got, "; "); s != test.want || bad != nil {
			t.Errorf("%v: got  %s %v\nwant %s", test.args, s, bad, test.want)
		}
		if report := strings.Join(d.(Reporter).Report(), "\n"); !strings.Contains(report, test.report) {
			t.Errorf("%v: report %s, want %s", test.args, report, test.report)
		}
	}
}

func TestWeblogParamErrors(t *testing.T) {
	tests := []struct {
		format string
		args   Args
		want   string
	}{
		{"clf", Args{"methods": "GET,"}, `"" is not a method`},
		{"clf", Args{"methods": ""}, "is not a method"},
		{"clf", Args{"statuses": "200,20"}, `"20" is not a status`},
		{"clf", Args{"statuses": "299-200"}, "is not a status"},
		{"clf", Args{"not-modified": "miss"}, "not-modified=miss: it is skip or hit"},
		{"clf", Args{"partial": "rang"}, "did you mean"},
		{"clf", Args{"strip-query": "maybe"}, "no, yes or sort"},
		{"clf", Args{"header-bytes": "-1"}, "is not a number of bytes"},
		{"clf", Args{"key": "$"}, "followed by no name"},
		{"clf", Args{"key": ""}, "key is empty"},
		{"clf", Args{"key": "$host$http_accept"}, "the log has no field $http_accept; its fields are $remote_addr, $ident"},
		{"clf", Args{"key": "$a$b$c$d$e$f$g$h$i"}, "more than 8 fields"},
		{"haproxy", Args{"key": "$http_cookie", "captures": "host"}, "$http_NAME for each header of captures"},
		{"log-format", Args{}, "log-format is empty"},
		{"log-format", Args{"log-format": "plain"}, "has no variables"},
		{"log-format", Args{"log-format": "$request $"}, "followed by no name"},
		{"log-format", Args{"log-format": "$request $status"}, "it has no size of the response"},
		{"log-format", Args{"log-format": "$status $body_bytes_sent"}, "it has no URL"},
		{"log-format", Args{"log-format": "$request$status $body_bytes_sent"}, "nothing separates $request from $status"},
		{"log-format", Args{"log-format": "%r %Q %b"}, `"%Q %b" is not a directive`},
		{"log-format", Args{"log-format": "%r %{x"}, "is not a directive"},
		{"log-format", Args{"log-format": "%r %{%q}t %b"}, "has a part that cachesim does not read"},
		{"log-format", Args{"log-format": "@/nonexistent/nginx.conf:main"}, "nginx.conf"},
		{"json-log", Args{"fields": "size"}, "is not of the form WORD=NAME, where WORD is id, request, url"},
		{"json-log", Args{"fields": "bytes=x"}, "is not of the form"},
	}
	for _, test := range tests {
		_, err := weblogFormat(t, test.format).New(strings.NewReader(""), test.args)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: error %v, want one with %q", test.format, test.args, err, test.want)
		}
	}
}

// TestWeblogW3CKey checks what only a #Fields line can show to be wrong.
func TestWeblogW3CErrors(t *testing.T) {
	tests := []struct{ text, key, want string }{
		{"#Fields: cs-uri-stem sc-bytes\n/a 1\n", "$host$x_y", `1: key: the #Fields line has no field "x_y"`},
		{"#Fields: sc-bytes\n1\n", "$host$uri", "1: the #Fields line has no cs-uri-stem"},
		{"#Fields: cs-uri-stem\n/a\n", "$host$uri", "1: the #Fields line has no sc-bytes, the size of the response; IIS"},
		{"/a 1\n", "$host$uri", "1: expected a #Fields line before the first request"},
		{"#Fields: date time cs-uri-stem sc-bytes\n2024-02-30 1:2:3 /a 1\n", "$host$uri", `2: time "1:2:3" is not of the form`},
		{"#Fields: cs-uri-stem sc-bytes\n\"a 1\n", "$host$uri", "2: field 1 has no closing quote"},
	}
	for _, test := range tests {
		reqs, bad, _ := decodeLog(t, weblogFormat(t, "w3c"), Args{"key": test.key}, strings.NewReader(test.text))
		if len(reqs) > 0 || len(bad) == 0 || !strings.Contains(bad[0], test.want) {
			t.Errorf("%q: requests %v, errors %v, want %s", test.text, reqs, bad, test.want)
		}
	}
}

// TestWeblogMalformed checks lines that servers should not, but do write.
func TestWeblogMalformed(t *testing.T) {
	const good = `a - - [17/May/2015:10:05:01 +0000] "GET /a HTTP/1.1" 200 100 "-" "-"` + "\n"
	long := strings.Repeat("x", maxLine+10)
	tests := []struct {
		name, line string
		id         string // of the request that it is; empty: an error
		want       string
	}{
		{"NUL before", "\x00\x00" + good, "/a", ""},
		{"NUL in the URL", strings.Replace(good, "/a", "/a\x00b", 1), "/a\x00b", ""},
		{"control characters", strings.Replace(good, "/a", "/\x1b[31m\x07", 1), "/\x1b[31m\x07", ""},
		{"not UTF-8", strings.Replace(good, "/a", "/\xff\xfe", 1), "/\xff\xfe", ""},
		{"CR LF", strings.Replace(good, "\n", "\r\n", 1), "/a", ""},
		{"no line end", strings.TrimSuffix(good, "\n"), "/a", ""},
		{"escaped backslash before the quote", strings.Replace(good, "/a HTTP/1.1", `/a\\`, 1), `/a\\`, ""},
		{"nothing but text", "hello\n", "", `2: expected " " after $remote_addr: "hello"`},
		{"control characters in an error", "\x1b[31m\x00\xff \r\n", "", `2: expected " " after $ident: "\x1b[31m\x00\xff "`},
		{"month", strings.Replace(good, "May", "Mai", 1), "", `$time_local "17/Mai/2015:10:05:01 +0000" is not a time`},
		{"hour", strings.Replace(good, ":10:", ":24:", 1), "", "is not a time"},
		{"zone", strings.Replace(good, "+0000", "+00", 1) + strings.Replace(good, "+0000", "GMT+", 1), "/a", "is not a time"},
		{"status", strings.Replace(good, " 200 ", " 2x0 ", 1), "", `2: status "2x0" is not a number: "a - -`},
		{"size", strings.Replace(good, " 100 ", " 1e2 ", 1), "", `2: size "1e2" is not a number of bytes: "a - -`},
		{"huge size", strings.Replace(good, " 100 ", " 99999999999999999999 ", 1), "", "is not a number of bytes"},
		{"negative size", strings.Replace(good, " 100 ", " -1 ", 1), "", `size "-1" is not a number of bytes`},
		{"torn", good[:40] + "\n", "", `2: expected "\" " after $request`},
		{"very long", long + "\n", "", "2: line is longer than 1048576 bytes"},
		{"long URL", strings.Replace(good, "/a", "/"+long[:maxLine-200], 1), "/" + long[:maxLine-200], ""},
	}
	for _, test := range tests {
		text := good + test.line
		if strings.HasSuffix(text, "\n") {
			text += good
		}
		reqs, bad, _ := decodeLog(t, weblogFormat(t, "combined"), nil, strings.NewReader(text))
		var ids []string
		for _, r := range reqs {
			ids = append(ids, r.ID)
		}
		want := []string{"/a"}
		if test.id != "" {
			want = append(want, test.id)
		}
		if strings.HasSuffix(text, "\n") {
			want = append(want, "/a")
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%s: got %.200q, want %.200q", test.name, ids, want)
		}
		if (len(bad) == 1) != (test.want != "") || len(bad) > 1 || len(bad) == 1 && !strings.Contains(bad[0], test.want) {
			t.Errorf("%s: errors %.300q, want %q", test.name, bad, test.want)
		}
		for _, b := range bad {
			if len(b) > 1000 || strings.ContainsFunc(b, func(r rune) bool { return r < ' ' || r == 0x7f || r == '�' }) {
				t.Errorf("%s: the error has raw or very much text: %.300q", test.name, b)
			}
		}
	}
}

// TestWeblogReadError checks that an error of the reader is not an end.
func TestWeblogReadError(t *testing.T) {
	broken := errors.New("broken")
	for _, f := range weblogFormats {
		if f.Name == "log-format" {
			continue
		}
		d, err := f.New(iotest.ErrReader(broken), Args{})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := d.Decode(make([]Record, 1)); n != 0 || !errors.Is(err, broken) {
			t.Errorf("%s: Decode returned %d, %v", f.Name, n, err)
		}
	}
}

// TestWeblogWarning checks that a log of errors is called one.
func TestWeblogWarning(t *testing.T) {
	const line = `a - - [17/May/2015:10:05:01 +0000] "GET /a HTTP/1.1" %s 100` + "\n"
	text := fmt.Sprintf(line, "503") + fmt.Sprintf(line, "502") + fmt.Sprintf(line, "200")
	_, _, d := decodeLog(t, weblogFormat(t, "clf"), nil, strings.NewReader(text))
	want := "warning: 67 % of the requests have an error status, 400 or above: is this the log of a working server?"
	if report := d.(Reporter).Report(); len(report) != 3 || report[2] != want {
		t.Errorf("report %q, want %q", report, want)
	}
}

// TestWeblogVerdicts reads the words that caches have for what they did.
func TestWeblogVerdicts(t *testing.T) {
	for words, want := range map[string]string{
		// Squid
		"TCP_HIT TCP_MEM_HIT TCP_IMS_HIT TCP_INM_HIT TCP_NEGATIVE_HIT TCP_OFFLINE_HIT TCP_REFRESH_HIT TCP_REFRESH_UNMODIFIED TCP_REFRESH_FAIL_OLD": "hit",
		"TCP_MISS TCP_REFRESH_MODIFIED TCP_CLIENT_REFRESH_MISS TCP_SWAPFAIL_MISS TCP_DENIED NONE_NONE TCP_TUNNEL":                                  "miss",
		// nginx
		"HIT STALE UPDATING REVALIDATED": "hit", "MISS BYPASS EXPIRED": "miss", "-": "none",
		// CloudFront
		"Hit RefreshHit OriginShieldHit": "hit", "Miss Redirect Error LimitExceeded CapacityExceeded": "miss",
		// Varnish and Fastly
		"hit HIT-CLUSTER HIT-STALE": "hit", "miss pass HITPASS hit-for-pass HITPASS-CLUSTER PASS synth": "miss",
		// Cloudflare, Google, Azure
		"revalidated stale true REMOTE_HIT PARTIAL_HIT": "hit", "dynamic expired false": "miss", "N/A CONFIG_NOCACHE CACHE_NOCONFIG": "none",
	} {
		for _, word := range strings.Fields(words) {
			got := "miss"
			if noVerdict([]byte(word)) {
				got = "none"
			} else if cacheHit([]byte(word)) {
				got = "hit"
			}
			if got != want {
				t.Errorf("%s is a %s, want %s", word, got, want)
			}
		}
	}
}

// TestWeblogBatch checks that ids stay valid for the whole batch, also those
// that are put together.
func TestWeblogBatch(t *testing.T) {
	var text strings.Builder
	const n = 5000
	for i := range n {
		fmt.Fprintf(&text, "v:80 a - - [17/May/2015:10:05:01 +0000] \"GET /%s%d HTTP/1.1\" 200 %d \"-\" \"-\"\n", strings.Repeat("x", i%300), i, i)
	}
	d, err := weblogFormat(t, "vhost-combined").New(strings.NewReader(text.String()), Args{})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]Record, n)
	for i := 0; i < n; {
		k, err := d.Decode(dst)
		if err != nil {
			t.Fatalf("after %d: %v", i, err)
		}
		for _, r := range dst[:k] {
			if want := fmt.Sprintf("v/%s%d", strings.Repeat("x", i%300), i); string(r.Text) != want || r.Size != int64(i) {
				t.Fatalf("request %d is %s, %d", i, r.Text, r.Size)
			}
			i++
		}
	}
}

// TestWeblogSizes remembers more objects than the first table has slots.
func TestWeblogSizes(t *testing.T) {
	var text strings.Builder
	const n = 20000
	for _, status := range []string{"200", "304"} {
		for i := range n {
			size := fmt.Sprint(i)
			if status == "304" {
				size = "-"
			}
			fmt.Fprintf(&text, "a - - [17/May/2015:10:05:01 +0000] \"GET /%d HTTP/1.1\" %s %s\n", i, status, size)
		}
	}
	reqs, bad, _ := decodeLog(t, weblogFormat(t, "clf"), nil, strings.NewReader(text.String()))
	if len(reqs) != 2*n || bad != nil {
		t.Fatalf("%d requests, errors %v", len(reqs), bad)
	}
	for i, r := range reqs {
		if r.Size != int64(i%n) {
			t.Fatalf("request %d, %s, has size %d", i, r.ID, r.Size)
		}
	}
}

func TestLogTime(t *testing.T) {
	const want = 1431857103_000000
	tests := []struct {
		text string
		want int64 // microseconds after it
		bad  bool
	}{
		{"17/May/2015:10:05:03 +0000", 0, false},
		{"17/May/2015:12:35:03 +0230", 0, false},
		{"17/May/2015:03:05:03 -0700", 0, false},
		{"[17/May/2015:10:05:03 +0000]", 0, false},
		{"17/May/2015:10:05:03.125", 125000, false},
		{"2015-05-17T10:05:03Z", 0, false},
		{"2015-05-17 10:05:03", 0, false},
		{"2015-05-17T10:05:03.000001Z", 1, false},
		{"2015-05-17T10:05:03.1234567+00:00", 123456, false},
		{"2015-05-17T12:35:03+02:30", 0, false},
		{"2015-05-17T10:05:03,5+00", 500000, false},
		{"Sun, 17 May 2015 10:05:03 GMT", 0, false},
		{"1431857103", 0, false},
		{"1431857103.25", 250000, false},
		{"1431857103000", 0, false},
		{"1431857103000.5", 500, false},
		{"1431857103000001", 1, false},
		{"1431857103000001999", 1, false},
		{"1.431857103e+09", 0, false},
		{"1.431857103000001e9", 1, false},
		{"", 0, true}, {"-", 0, true}, {"-5", 0, true}, {"1.", 0, true}, {"1e", 0, true}, {"1e99", 0, true},
		{"17/May/2015:10:05:60 +0000", 57_000000, false}, // a leap second
		{"17/May/2015:10:05:61 +0000", 0, true},
		{"32/May/2015:10:05:03 +0000", 0, true},
		{"1x/May/2015:10:05:03 +0000", 0, true},
		{"17/may/2015:10:05:03 +0000", 0, true},
		{"17/May/2015:10:05:03 +9900", 0, true},
		{"2015-13-17T10:05:03Z", 0, true},
		{"2015-05-17T10:05:03X", 0, true},
		{"2015-05-17T10:05:03.Z", 0, true},
		{"Sun, 17 May 2015 10:05:03 CET", 0, true},
		{"99999999999999999999999", 0, true},
	}
	for _, test := range tests {
		got, ok := logTime([]byte(test.text))
		if ok == test.bad || ok && got != want+test.want {
			t.Errorf("%q: %d, %v, want %d", test.text, got, ok, want+test.want)
		}
	}
}

// TestCalendar compares days with those of package time.
func TestCalendar(t *testing.T) {
	for d := time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC); d.Year() < 2402; d = d.AddDate(0, 0, 1) {
		if got, ok := calendar(d.Year(), int(d.Month()), d.Day()); !ok || got != d.UnixMicro() {
			t.Fatalf("%v: %d, want %d", d, got, d.UnixMicro())
		}
	}
}

func TestConfiguredLayout(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	nginx := write("nginx.conf", `
user www-data; # log_format no '$request $body_bytes_sent';
events { worker_connections 768; }
http {
    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "it\'s"'; # the usual one
    log_format j escape=json "{\"u\":\"$request_uri\",\"b\":${body_bytes_sent}}";
    log_format plain $request_uri\ $bytes_sent;
    server { location / { return 200 "log_format x '$y';"; } }
}`)
	apache := write("apache2.conf", `
# LogFormat "%r %b" commented
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\"" combined
LogFormat "%v %U %b\t%D" \
  wrapped
LogFormat "%r %b"
CustomLog /var/log/own.log "%U %B"
CustomLog /var/log/access.log combined
`)
	one := write("one.conf", `log_format only '$request_uri $bytes_sent';`)
	none := write("none.conf", `server { listen 80; }`)
	open := write("open.conf", `log_format main '$request`)
	cut := write("cut.conf", `log_format main '$request'`)
	write("inner.conf", "log_format inner '$request_uri '\n '$body_bytes_sent';\n")
	including := write("outer.conf", "http {\n  include in*.conf; # more\n  include missing.conf;\n}\nIncludeOptional sub/*.none\nInclude \""+write("own.conf", "LogFormat \"%U %O\" own\n")+"\"\n")
	loop := write("loop.conf", "include loop.conf;\n")
	squid := write("squid.conf", `http_port 3128
# logformat no %ru %<st
logformat old %tl "%rm %ru" %<st
logformat own %ts.%03tu %>Hs \
 %<st %ru
access_log daemon:/var/log/squid/access.log own all
access_log none
`)
	haproxy := write("haproxy.cfg", `
global
  log 127.0.0.1 local0
defaults
  mode http
  log-format %ci\ [%t]\ %ST\ %B\ %hr\ %{+Q}r  # as in old versions
frontend web
  bind :80
  capture request header Host len 64
frontend own
  log-format '%ci %[capture.req.hdr(0)] "#%HU" %B'
listen tls
  log-format "${HAPROXY_HTTP_LOG_FMT} %sslv"
backend b
  log-format nothing
frontend clf
  option httplog clf
`)
	tests := []struct{ value, want, err string }{
		{"@" + nginx + ":main", `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "it's"`, ""},
		{"@" + nginx + ":j", `{"u":"$request_uri","b":${body_bytes_sent}}`, ""},
		{"@" + nginx + ":plain", `$request_uri $bytes_sent`, ""},
		{"@" + nginx + ":combined", layoutCombined, ""},
		{"@" + including + ":inner", "$request_uri $body_bytes_sent", ""},
		{"@" + including + ":own", "%U %O", ""},
		{"@" + loop + ":x", "", "includes itself"},
		{"log_format main '$remote_addr '\n  '$request_uri $bytes_sent';", "$remote_addr $request_uri $bytes_sent", ""},
		{"'$remote_addr '\n  '$request_uri $bytes_sent';", "$remote_addr $request_uri $bytes_sent", ""},
		{`LogFormat "%h \"%r\" %b" common`, `%h "%r" %b`, ""},
		{"logformat own %ts.%03tu %ru %<st", "%ts.%03tu %ru %<st", ""},
		{`log-format "%ci %HU %B"`, "%ci %HU %B", ""},
		{"@" + squid, "%ts.%03tu %>Hs  %<st %ru", ""},
		{"@" + squid + ":own", "%ts.%03tu %>Hs  %<st %ru", ""},
		{"@" + squid + ":old", `%tl "%rm %ru" %<st`, ""},
		{"@" + squid + ":combined", squidFormats[2].layout, ""},
		{"@" + squid + ":othr", "", "no log format of that name"},
		{"@" + haproxy, "", "name one of its formats, as @" + haproxy + ":web; it has web, own, tls or clf"},
		{"@" + haproxy + ":web", "%ci [%t] %ST %B %hr %{+Q}r", ""},
		{"@" + haproxy + ":own", `%ci %[capture.req.hdr(0)] "#%HU" %B`, ""},
		{"@" + haproxy + ":tls", haproxyHTTP + " %sslv", ""},
		{"@" + haproxy + ":clf", haproxyCLF, ""},
		{"@" + nginx + ":mian", "", "no log format of that name; did you mean \"main\"?"},
		{"@" + nginx, "", "name one of its formats, as @" + nginx + ":main; it has main, j, plain or combined"},
		{"@" + apache + ":combined", `%h %l %u %t "%r" %>s %O "%{Referer}i"`, ""},
		{"@" + apache + ":wrapped", `%v %U %b\t%D`, ""},
		{"@" + apache + ":default", `%r %b`, ""},
		{"@" + apache + ":/var/log/own.log", `%U %B`, ""},
		{"@" + one, `$request_uri $bytes_sent`, ""},
		{"@" + none + ":main", "", "the file, with those that it includes, has no log format of that name"},
		{"@" + open + ":main", "", "a string has no closing quote"},
		{"@" + cut + ":main", "", "a log_format has no semicolon at its end"},
		{"@" + filepath.Join(dir, "missing") + ":main", "", "no such file"},
		{"$request $bytes_sent", "$request $bytes_sent", ""},
	}
	for _, test := range tests {
		got, err := configuredLayout(test.value)
		if got.layout != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %q, %v\nwant %q, %s", test.value, got.layout, err, test.want, test.err)
		}
	}
}

func TestResolveParams(t *testing.T) {
	name := filepath.Join(t.TempDir(), "nginx.conf")
	if err := os.WriteFile(name, []byte("log_format main '$request $bytes_sent';"), 0o600); err != nil {
		t.Fatal(err)
	}
	given := map[string]string{"log-format": "@" + name + ":main", "methods": "HEAD"}
	got, err := ResolveParams(given)
	if err != nil || len(got) != 2 || got["log-format"] != "$request $bytes_sent" || got["methods"] != "HEAD" {
		t.Errorf("%v, %v", got, err)
	}
	if given["log-format"][0] != '@' {
		t.Error("it wrote to its argument")
	}
	if got, err := ResolveParams(got); err != nil || got["log-format"] != "$request $bytes_sent" {
		t.Errorf("the second time: %v, %v", got, err)
	}
	if got, err := ResolveParams(nil); got != nil || err != nil {
		t.Errorf("nil: %v, %v", got, err)
	}
	if err := os.WriteFile(name, []byte("frontend f\n capture request header Host len 9\n log-format '%HU %B'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ResolveParams(map[string]string{"log-format": "@" + name}); err != nil || got["log-format"] != "%HU %B" || got["captures"] != "Host" {
		t.Errorf("HAProxy: %v, %v", got, err)
	}
	if _, err := ResolveParams(map[string]string{"log-format": "@" + name + ":other"}); err == nil {
		t.Error("no error for a name that the file does not have")
	}
}

// TestWeblogLayoutTimes reads the times that LogFormat can write.
func TestWeblogLayoutTimes(t *testing.T) {
	tests := []struct {
		layout, text string
		tick         time.Duration
		want         string // time; empty: an error
	}{
		{"%t", "[17/May/2015:10:05:03 +0000]", s1, "2015-05-17T10:05:03Z"},
		{"%{sec}t", "1431857103", s1, "2015-05-17T10:05:03Z"},
		{"%{msec}t", "1431857103250", ms1, "2015-05-17T10:05:03.25Z"},
		{"%{end:usec}t", "1431857103250001", us1, "2015-05-17T10:05:03.250001Z"},
		{"%{%FT%T}t.%{usec_frac}t %{%z}t", "2015-05-17T12:05:03.000123 +0200", us1, "2015-05-17T10:05:03.000123Z"},
		{"%{%Y%m%d%H%M%S}t", "20150517100503", s1, "2015-05-17T10:05:03Z"},
		{"%{%a %b %e %H:%M:%S %Y}t", "Sun May 17 10:05:03 2015", s1, "2015-05-17T10:05:03Z"},
		{"%{%D %R}t", "05/17/15 10:05", s1, "2015-05-17T10:05:00Z"},
		{"%{%s}t", "1431857103", s1, "2015-05-17T10:05:03Z"},
		{"%t %{msec}t", "[17/May/2015:10:05:03 +0000] 1431857103250", ms1, "2015-05-17T10:05:03.25Z"},
		{"%{%Y-%m-%d}t", "2015-02-x1", s1, ""},
		{"%{sec}t", "-", s1, ""},
		{"$time_iso8601", "2015-05-17T10:05:03+00:00", s1, "2015-05-17T10:05:03Z"},
		{"$msec", "1431857103.250", ms1, "2015-05-17T10:05:03.25Z"},
	}
	for _, test := range tests {
		layout := test.layout + " %U %b"
		if strings.HasPrefix(layout, "$") {
			layout = test.layout + " $uri $bytes_sent"
		}
		reqs, bad, d := decodeLog(t, weblogFormat(t, "log-format"), Args{"log-format": layout}, strings.NewReader(test.text+" /a 1\n"))
		if test.want == "" {
			if len(bad) != 1 || !strings.Contains(bad[0], " time") {
				t.Errorf("%s: %s is %v, %v, want an error", test.layout, test.text, reqs, bad)
			}
			continue
		}
		if len(reqs) != 1 || reqs[0].Time != at(test.tick, test.want) || d.(Timer).Tick() != test.tick {
			t.Errorf("%s: %s is %v, %v, ticks of %v, want %s", test.layout, test.text, reqs, bad, d.(Timer).Tick(), test.want)
		}
	}
	reqs, _, d := decodeLog(t, weblogFormat(t, "log-format"), Args{"log-format": "%U %b"}, strings.NewReader("/a 1\n"))
	if len(reqs) != 1 || d.(Timer).Tick() != 0 {
		t.Errorf("a layout without a time: %v, ticks of %v", reqs, d.(Timer).Tick())
	}
}

// BenchmarkWeblog decodes 100,000 requests for about 40,000 objects.
func BenchmarkWeblog(b *testing.B) {
	lines := map[string]string{
		"combined": `203.0.113.9 - - [31/Dec/2023:23:59:59 +0000] "GET /presentations/2013/images/%d.png HTTP/1.1" 200 203023 "http://example.com/presentations/" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36"`,
		"squid":    `1286536308.779    180 192.168.0.224 TCP_MISS/200 411 GET http://example.com/images/%d.png - HIER_DIRECT/192.0.2.7 text/html`,
		"json-log": `{"time_iso8601":"2024-01-02T03:04:05+00:00","remote_addr":"192.0.2.1","host":"example.com","request_method":"GET","request_uri":"/images/%d.png","status":"200","body_bytes_sent":"1234","upstream_cache_status":"HIT","http_user_agent":"x"}`,
	}
	for _, name := range []string{"combined", "squid", "json-log"} {
		b.Run("format="+name, func(b *testing.B) {
			var text bytes.Buffer
			const n = 100_000
			for i := range n {
				line := strings.Replace(lines[name], "59:59 ", fmt.Sprintf("%02d:%02d ", i/600%60, i/10%60), 1) // 10 a second
				fmt.Fprintf(&text, line+"\n", i*i%77_777)
			}
			f := weblogFormat(b, name)
			dst := make([]Record, 8192)
			for b.Loop() {
				d, err := f.New(bytes.NewReader(text.Bytes()), Args{})
				for err == nil {
					_, err = d.Decode(dst)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/line")
		})
	}
}

func TestUnescapeJSON(t *testing.T) {
	tests := []struct{ text, want string }{
		{`"a\"b\\c\/d\b\f\n\r\t"`, "a\"b\\c/d\b\f\n\r\t"},
		{`"\u00e4\u20ac\ud83d\ude00"`, "ä€😀"},
		{`"\ud83dx"`, "\ufffdx"},
		{`"\ud83d\u0041"`, "\ufffdA"},
		{`"\x22"`, `"`},
		{`"\u0000"`, "\x00"},
	}
	for _, test := range tests {
		p := jsonParser{text: []byte(test.text), i: 1}
		if got, ok := p.str(); !ok || string(got) != test.want {
			t.Errorf("%s: %q, %v, want %q", test.text, got, ok, test.want)
		}
	}
	for _, bad := range []string{`"\u12"`, `"\u0x12"`, `"\q"`, `"\`, `"abc`, `"\"`} {
		p := jsonParser{text: []byte(bad), i: 1}
		if got, ok := p.str(); ok {
			t.Errorf("%s: %q, want an error", bad, got)
		}
	}
}

func TestWeblogJSONErrors(t *testing.T) {
	for _, text := range []string{`{`, `[]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1}x`, `{"a":tru}`, `{"a":1-x}`, `{"a":[1}`, `{"a":"b}`, `x`,
		`{"url":"/","size":1,"time":"noon"}`, `{"size":1,"status":200}`, strings.Repeat(`{"request":`, 100)} {
		reqs, bad, _ := decodeLog(t, weblogFormat(t, "json-log"), nil, strings.NewReader(text+"\n"))
		if len(reqs) > 0 || len(bad) != 1 {
			t.Errorf("%s: %v, errors %v, want one", text, reqs, bad)
		}
	}
}

// TestWeblogNoAllocations checks that nothing is allocated per line.
func TestWeblogNoAllocations(t *testing.T) {
	for _, s := range logSamples {
		if s.bad != nil {
			continue
		}
		f := weblogFormat(t, s.format)
		head := ""
		body := s.text
		if strings.HasPrefix(body, "#") {
			i := strings.LastIndex(body, "#")
			i += strings.IndexByte(body[i:], '\n') + 1
			head, body = body[:i], body[i:]
		}
		const times = 200
		decode := func(repeat int) float64 {
			text := []byte(head + strings.Repeat(body, repeat))
			dst := make([]Record, 8192)
			return testing.AllocsPerRun(1, func() {
				d, err := f.New(bytes.NewReader(text), s.args)
				if err != nil {
					t.Fatal(err)
				}
				for err == nil {
					_, err = d.Decode(dst)
				}
				if err != io.EOF {
					t.Fatal(err)
				}
			})
		}
		// One for each repetition would be times-1 more; what making a decoder allocates varies,
		// most of all under the race detector, where pools forget.
		if few, many := decode(1), decode(times); many > few+times/2 {
			t.Errorf("%v: %.0f allocations for the sample, %.0f for it %d times", s, few, many, times)
		}
	}
}

func FuzzWeblog(f *testing.F) {
	for i, s := range logSamples {
		f.Add(i, []byte(s.text))
	}
	f.Fuzz(func(t *testing.T, i int, text []byte) {
		s := logSamples[uint(i)%uint(len(logSamples))]
		format := weblogFormat(t, s.format)
		before := bytes.Clone(text)
		format.Probe(text, i%2 == 0)
		if !bytes.Equal(text, before) {
			t.Fatal("the probe changed the text")
		}
		reqs, bad, d := decodeLog(t, format, s.args, bytes.NewReader(text))
		again, bad2, _ := decodeLog(t, format, s.args, iotest.HalfReader(bytes.NewReader(text)))
		if !slices.Equal(reqs, again) || !slices.Equal(bad, bad2) {
			t.Fatalf("other requests when read in other pieces:\n%v %v\n%v %v", reqs, bad, again, bad2)
		}
		for _, r := range reqs {
			if r.Size < 0 {
				t.Fatalf("size %d", r.Size)
			}
		}
		for _, line := range append(bad, d.(Reporter).Report()...) {
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("raw text in %q", line)
			}
		}
	})
}

func FuzzWeblogLayout(f *testing.F) {
	for _, s := range logSamples {
		if layout := s.args["log-format"]; layout != "" {
			f.Add(layout, []byte(s.text))
		}
	}
	f.Add(layoutSquid, []byte(nil))
	f.Fuzz(func(t *testing.T, layout string, text []byte) {
		if strings.HasPrefix(layout, "@") {
			return
		}
		format := weblogFormat(t, "log-format")
		if _, err := format.New(bytes.NewReader(nil), Args{"log-format": layout}); err == nil {
			decodeLog(t, format, Args{"log-format": layout}, bytes.NewReader(text))
		}
		if _, _, err := configuredFormats(string(text)); err == nil {
			configuredFormats(layout)
		}
	})
}
