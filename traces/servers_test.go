package traces

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests start real servers on the loopback interface, send them requests,
// and compare what the decoders read in their logs with what the client knows.
// A server that is not installed is skipped, unless CACHESIM_SERVERS=required.

// serverTimeout bounds how long a server may take to start or stop.
const serverTimeout = 60 * time.Second

// program returns the path of a server.
func program(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a server")
	}
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, name))
		}
	}
	if err == nil {
		return path
	}
	if os.Getenv("CACHESIM_SERVERS") == "required" {
		t.Fatalf("%s is not installed, but CACHESIM_SERVERS=required", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// A testSite is a folder for one server, with the objects that it serves.
type testSite struct {
	dir, root string
	files     map[string]int // size by path
}

// lastPath is what the last request of a test asks for.
const lastPath = "/last.bin"

func newSite(t *testing.T) testSite {
	t.Helper()
	s := testSite{dir: t.TempDir(), files: map[string]int{
		"/a.bin": 1000, "/b.bin": 50000, "/dir/c.txt": 300, "/e.bin": 400, "/f.bin": 70, "/empty": 0, lastPath: 12,
	}}
	s.root = filepath.Join(s.dir, "root")
	if err := os.MkdirAll(filepath.Join(s.root, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	// Servers started by root run as users that must get in.
	for dir := s.dir; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for name, size := range s.files {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		if err := os.WriteFile(filepath.Join(s.root, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		day := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(s.root, name), day, day); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// origin serves the site's objects for caches.
func (s testSite) origin(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" && r.Method != "HEAD" {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		f, err := os.Open(filepath.Join(s.root, filepath.Clean(r.URL.Path)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "max-age=3600")
		w.Header().Set("ETag", fmt.Sprintf("%q", "v1"+r.URL.Path))
		http.ServeContent(w, r, "", time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), f)
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func (s testSite) path(name string) string { return filepath.Join(s.dir, name) }

// write writes a file of the site's folder, and returns its path.
func (s testSite) write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a server until the test ends, and waits until it listens. signal
// is what stops it.
func start(t *testing.T, s testSite, port int, signal syscall.Signal, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "XDG_DATA_HOME="+s.dir, "XDG_CONFIG_HOME="+s.dir)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := false // it ended at once
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if gone {
			return
		}
		cmd.Process.Signal(signal)
		select {
		case <-ended:
		case <-time.After(serverTimeout):
			cmd.Process.Kill()
			<-ended
			t.Errorf("%s did not stop: %s", name, output.String())
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), serverTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
			return
		}
		select {
		case err := <-ended:
			gone = true
			t.Fatalf("%s ended at once: %v\n%s", name, err, output.String())
		case <-ctx.Done():
			t.Fatalf("%s does not listen on port %d", name, port)
		case <-tick.C:
		}
	}
}

// An exchange is a request and what the client saw of the response.
type exchange struct {
	method, id string
	status     int
	body, wire int64 // bytes of the body, and with the headers
	total      int64 // of Content-Range
	hit        bool  // of X-Cache
}

// countedConn counts the bytes that are read.
type countedConn struct {
	net.Conn
	n *int64
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	*c.n += int64(n)
	return n, err
}

// drive sends the requests of every test to base, on one connection, and
// through a proxy if there is one.
func drive(t *testing.T, base, proxy string) []exchange {
	t.Helper()
	var n int64
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return countedConn{c, &n}, err
	}}
	if proxy != "" {
		transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: serverTimeout}
	var all []exchange
	send := func(method, uri string, header ...string) http.Header {
		t.Helper()
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader("a=1")
		}
		req, err := http.NewRequest(method, base+uri, body)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		n = 0
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		size, err := io.Copy(io.Discard, resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		x := exchange{method: method, id: strings.TrimPrefix(base, "http://") + uri, status: resp.StatusCode, body: size, wire: n}
		if _, total, ok := strings.Cut(resp.Header.Get("Content-Range"), "/"); ok {
			x.total, _ = strconv.ParseInt(total, 10, 64)
		}
		x.hit = strings.Contains(resp.Header.Get("X-Cache"), "HIT")
		all = append(all, x)
		return resp.Header
	}
	etag := send("HEAD", "/f.bin").Get("ETag")
	send("GET", "/f.bin", "If-None-Match", etag) // 304 before its size is known
	a := send("GET", "/a.bin")
	send("GET", "/b.bin")
	send("GET", "/dir/c.txt")
	send("GET", "/empty")
	send("GET", "/a.bin?x=1")
	send("GET", "/a.bin?x=2&y=%22z%22")
	send("GET", "/a.bin")
	send("GET", "/a.bin", "If-None-Match", a.Get("ETag"))
	send("GET", "/a.bin", "If-Modified-Since", a.Get("Last-Modified"))
	send("GET", "/b.bin", "Range", "bytes=100-199")
	send("GET", "/e.bin", "Range", "bytes=0-99")
	send("GET", "/e.bin", "Range", "bytes=0-299")
	send("GET", "/e.bin", "Range", "bytes=5-9")
	send("HEAD", "/a.bin")
	send("POST", "/a.bin")
	send("GET", "/missing")
	send("GET", "/missing/%ff%00%1b")
	send("GET", "/b.bin", "User-Agent", `a "quoted" \ agent`, "Referer", `http://x/"y"`)
	send("GET", lastPath)
	for status, want := range map[int]int{200: 11, 206: 4, 304: 3} {
		got := 0
		for _, x := range all {
			if x.status == status {
				got++
			}
		}
		if got < want {
			t.Fatalf("the server answered %d of at least %d requests with status %d: %+v", got, want, status, all)
		}
	}
	return all
}

// What a log's sizes are.
const (
	bodySizes  = iota // of the body
	wireSizes         // with headers
	totalSizes        // of the body, with Content-Range
	aboutWire         // with headers, but not exactly as sent
)

// seen returns what a cache would see of the requests.
func seen(all []exchange, sizes int) (reqs []logRequest) {
	type object struct {
		size  int64
		whole bool
	}
	known := map[string]object{}
	for _, x := range all {
		if x.method != "GET" {
			continue
		}
		o, found := known[x.id]
		size := x.body
		if sizes == wireSizes {
			size = x.wire
		}
		switch {
		case x.status == 200:
			o = object{size, true}
		case x.status == 206 && sizes == totalSizes:
			o = object{x.total, true}
		case x.status == 206 && !o.whole:
			o.size = max(o.size, size)
		case x.status == 206, x.status == 304 && found:
		default:
			continue
		}
		known[x.id] = o
		reqs = append(reqs, logRequest{ID: x.id, Size: o.size})
	}
	return reqs
}

// compare decodes a log and compares its requests with those that the client
// sent, but for the host if the log has none.
func compare(t *testing.T, text []byte, format string, args Args, all []exchange, sizes int, host bool) Decoder {
	t.Helper()
	if format != "log-format" {
		if c, why := weblogFormat(t, format).Probe(text, true); c < Likely {
			t.Errorf("the log is not recognized as %s: %s\n%s", format, why, text)
		}
	}
	got, bad, d := decodeLog(t, weblogFormat(t, format), args, bytes.NewReader(text))
	if len(bad) > 0 {
		t.Errorf("%s: syntax errors %q", format, bad)
	}
	want := seen(all, sizes)
	if sizes == aboutWire { // between those of bodies and those with headers
		want = seen(all, wireSizes)
		for i, low := range seen(all, bodySizes) {
			if i < len(got) && low.Size <= got[i].Size && got[i].Size <= want[i].Size {
				want[i].Size = got[i].Size
			}
		}
	}
	now := time.Now()
	tick := d.(Timer).Tick()
	for i := range got {
		when := time.UnixMicro(got[i].Time * tick.Microseconds())
		if when.Before(now.Add(-24*time.Hour)) || when.After(now.Add(24*time.Hour)) {
			t.Errorf("%s: request %d is of %v", format, i, when)
		}
		got[i].Time = 0
	}
	for i := range want {
		if !host {
			want[i].ID = want[i].ID[strings.IndexByte(want[i].ID, '/'):]
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: the log has\n%v\nthe client sent\n%v\nlog:\n%s", format, got, want, text)
	}
	objects := map[string]bool{}
	var bytes int64
	for _, r := range got {
		objects[r.ID] = true
		bytes += r.Size
	}
	t.Logf("%s %v: %d requests, %d objects, %d bytes as sent", format, args, len(got), len(objects), bytes)
	for _, line := range d.(Reporter).Report() {
		t.Logf("  %s", line)
	}
	return d
}

// reports fails the test unless the report has a line.
func reports(t *testing.T, d Decoder, line string) {
	t.Helper()
	if report := d.(Reporter).Report(); !slices.Contains(report, line) {
		t.Errorf("the report lacks %q:\n%s", line, strings.Join(report, "\n"))
	}
}

// readLog returns a log once it has the last request, which servers write after
// they have answered it.
func readLog(t *testing.T, name string) []byte {
	t.Helper()
	return poll(t, filepath.Base(name), func() ([]byte, error) { return os.ReadFile(name) })
}

func poll(t *testing.T, name string, read func() ([]byte, error)) []byte {
	t.Helper()
	timeout := time.After(serverTimeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := read()
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(text, []byte(lastPath)); i >= 0 && bytes.IndexByte(text[i:], '\n') >= 0 {
			return text
		}
		select {
		case <-timeout:
			t.Fatalf("%s lacks the last request:\n%s", name, text)
		case <-tick.C:
		}
	}
}

// asRoot is text if the test runs as root, for directives that only root may
// use.
func asRoot(text string) string {
	if os.Getuid() == 0 {
		return text
	}
	return ""
}

func TestServerNginx(t *testing.T) {
	nginx := program(t, "nginx")
	s := newSite(t)
	port, cached := freePort(t), freePort(t)
	conf := s.write(t, "nginx.conf", strings.NewReplacer("DIR", s.dir, "PORT", fmt.Sprint(port), "CACHED", fmt.Sprint(cached), "ORIGIN", s.origin(t)).Replace(
		asRoot("user root;\n")+`daemon off; master_process off;
pid DIR/nginx.pid;
error_log DIR/error.log;
events { worker_connections 64; }
http {
  client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
  # log_format main 'not this one';
  log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                  '$status $body_bytes_sent "$http_referer" '
                  '"$http_user_agent" "$http_x_forwarded_for"';
  log_format own '$msec|$http_host|$request_method|$request_uri|$status|'
                 '$body_bytes_sent|$sent_http_content_range|$upstream_cache_status|$http_user_agent';
  log_format wire '$time_iso8601 $scheme://$http_host$request_uri $request_method $status ${bytes_sent}B "$http_user_agent"';
  log_format js escape=json '{"time":"$time_iso8601","host":"$http_host","request":"$request","status":$status,'
                            '"body_bytes_sent":"$body_bytes_sent","agent":"$http_user_agent"}';
  server {
    listen 127.0.0.1:PORT; root DIR/root;
    access_log DIR/combined.log; access_log DIR/main.log main; access_log DIR/own.log own;
    access_log DIR/js.log js; access_log DIR/wire.log wire;
  }
  proxy_cache_path DIR/cache keys_zone=z:1m;
  server {
    listen 127.0.0.1:CACHED; access_log DIR/cached.log own;
    location / { proxy_pass http://ORIGIN; proxy_cache z; add_header X-Cache $upstream_cache_status; }
  }
}
`))
	start(t, s, port, syscall.SIGQUIT, nginx, "-p", s.dir, "-e", s.path("error.log"), "-c", conf)
	all := drive(t, fmt.Sprintf("http://127.0.0.1:%d", port), "")
	behind := drive(t, fmt.Sprintf("http://127.0.0.1:%d", cached), "")
	compare(t, readLog(t, s.path("combined.log")), "combined", nil, all, bodySizes, false)
	compare(t, readLog(t, s.path("main.log")), "combined", nil, all, bodySizes, false)
	compare(t, readLog(t, s.path("main.log")), "log-format", Args{"log-format": "@" + conf + ":main"}, all, bodySizes, false)
	compare(t, readLog(t, s.path("own.log")), "log-format", Args{"log-format": "@" + conf + ":own"}, all, totalSizes, true)
	compare(t, readLog(t, s.path("wire.log")), "log-format", Args{"log-format": "@" + conf + ":wire"}, all, wireSizes, true)
	compare(t, readLog(t, s.path("js.log")), "json-log", nil, all, bodySizes, true)
	d := compare(t, readLog(t, s.path("cached.log")), "log-format", Args{"log-format": "@" + conf + ":own"}, behind, totalSizes, true)
	reports(t, d, verdictOf(behind, totalSizes))
}

// verdictOf returns the line of the report about the cache's own verdict, from
// what its answers to the client said.
func verdictOf(all []exchange, sizes int) string {
	hits, kept := 0, 0
	for i, x := range all {
		if len(seen(all[:i+1], sizes)) > kept {
			kept++
			if x.hit {
				hits++
			}
		}
	}
	return fmt.Sprintf("the log's own cache reports %.1f %% hits (%d of %d requests)", 100*float64(hits)/float64(kept), hits, kept)
}

func TestServerApache(t *testing.T) {
	apache := program(t, "apache2")
	modules := "/usr/lib/apache2/modules"
	if _, err := os.Stat(modules); err != nil {
		t.Skipf("its modules are not where Debian has them: %v", err)
	}
	s := newSite(t)
	port := freePort(t)
	conf := s.write(t, "apache2.conf", strings.NewReplacer("DIR", s.dir, "PORT", fmt.Sprint(port), "MODULES", modules).Replace(`
LoadModule mpm_prefork_module MODULES/mod_mpm_prefork.so
LoadModule authz_core_module MODULES/mod_authz_core.so
ServerRoot DIR
ServerName 127.0.0.1:PORT
PidFile DIR/apache.pid
Mutex file:DIR
DefaultRuntimeDir DIR
ErrorLog DIR/error.log
Listen 127.0.0.1:PORT
DocumentRoot DIR/root
`+asRoot("User www-data\nGroup www-data\n")+`
LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined
LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined
LogFormat "%h %l %u %t \"%r\" %>s %b" common
LogFormat "%{%Y-%m-%d %T}t.%{msec_frac}t %{%z}t %{Host}i \"%m %U%q\" %>s %B \
  \"%{Content-Range}o\" \"%{User-Agent}i\"" own
CustomLog DIR/vhost.log vhost_combined
CustomLog DIR/combined.log combined
CustomLog DIR/common.log common
CustomLog DIR/own.log own
`))
	start(t, s, port, syscall.SIGTERM, apache, "-X", "-f", conf)
	all := drive(t, fmt.Sprintf("http://127.0.0.1:%d", port), "")
	compare(t, readLog(t, s.path("vhost.log")), "vhost-combined", nil, all, wireSizes, true)
	compare(t, readLog(t, s.path("combined.log")), "combined", nil, all, bodySizes, false)
	compare(t, readLog(t, s.path("common.log")), "clf", nil, all, bodySizes, false)
	compare(t, readLog(t, s.path("common.log")), "log-format", Args{"log-format": "@" + conf + ":common"}, all, bodySizes, false)
	own := compare(t, readLog(t, s.path("own.log")), "log-format", Args{"log-format": "@" + conf + ":own"}, all, totalSizes, true)
	if tick := own.(Timer).Tick(); tick != time.Millisecond {
		t.Errorf("the layout with milliseconds has ticks of %v", tick)
	}
}

func TestServerCaddy(t *testing.T) {
	caddy := program(t, "caddy")
	s := newSite(t)
	port := freePort(t)
	conf := s.write(t, "Caddyfile", strings.NewReplacer("DIR", s.dir, "PORT", fmt.Sprint(port)).Replace(`{
	admin off
	auto_https off
}
http://127.0.0.1:PORT {
	root * DIR/root
	file_server
	log {
		output file DIR/access.log
		format json
	}
}
`))
	start(t, s, port, syscall.SIGTERM, caddy, "run", "--config", conf, "--adapter", "caddyfile")
	all := drive(t, fmt.Sprintf("http://127.0.0.1:%d", port), "")
	compare(t, readLog(t, s.path("access.log")), "caddy", nil, all, totalSizes, true)
	compare(t, readLog(t, s.path("access.log")), "caddy", Args{"fields": "id=request.uri,status=status"}, all, totalSizes, false)
}

func TestServerSquid(t *testing.T) {
	squid := program(t, "squid")
	for _, strip := range []string{"off", "on"} { // on is Squid's default
		t.Run("strip_query_terms="+strip, func(t *testing.T) { testSquid(t, squid, strip) })
	}
}

func testSquid(t *testing.T, squid, strip string) {
	s := newSite(t)
	port := freePort(t)
	conf := s.write(t, "squid.conf", strings.NewReplacer("DIR", s.dir, "STRIP", strip, "PORT", fmt.Sprint(port)).Replace(`
http_port 127.0.0.1:PORT
http_access allow all
access_log stdio:DIR/access.log squid
logformat own %tg %6tr %-12Ss "%rm %ru HTTP/%rv" %>Hs %<st %"{User-Agent}>h %>la:%>lp
access_log stdio:DIR/own.log own
access_log stdio:DIR/combined.log combined
cache_log DIR/cache.log
pid_filename DIR/squid.pid
coredump_dir DIR
cache_mem 16 MB
visible_hostname localhost
shutdown_lifetime 0 seconds
pinger_enable off
netdb_filename none
strip_query_terms STRIP
`))
	start(t, s, port, syscall.SIGTERM, squid, "-N", "-f", conf)
	all := drive(t, "http://"+s.origin(t), fmt.Sprintf("http://127.0.0.1:%d", port))
	verdict := verdictOf(all, wireSizes)
	if strip == "on" {
		for i := range all {
			if at := strings.IndexByte(all[i].id, '?'); at >= 0 {
				all[i].id = all[i].id[:at+1]
			}
		}
	}
	d := compare(t, readLog(t, s.path("access.log")), "squid", nil, all, wireSizes, true)
	reports(t, d, verdict)
	// The same log by layouts of the configuration.
	for _, name := range []string{"squid", "own", "combined"} {
		file := name
		if name == "squid" {
			file = "access"
		}
		d := compare(t, readLog(t, s.path(file+".log")), "log-format", Args{"log-format": "@" + conf + ":" + name}, all, wireSizes, true)
		if name != "combined" { // whose verdict has the hierarchy with it
			reports(t, d, verdict)
		}
	}
	if strip == "on" {
		reports(t, d, "2 requests whose query string Squid has removed (strip_query_terms), so that different objects look like one")
	}
}

func TestServerVarnish(t *testing.T) {
	varnish, ncsa := program(t, "varnishd"), program(t, "varnishncsa")
	s := newSite(t)
	port := freePort(t)
	work := s.path("varnish")
	vcl := s.write(t, "test.vcl", fmt.Sprintf(`vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "%s"; }
sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Cache = "HIT"; } }
`, s.origin(t)[len("127.0.0.1:"):]))
	start(t, s, port, syscall.SIGTERM, varnish, "-F", "-j", "none", "-n", work, "-a", fmt.Sprintf("127.0.0.1:%d", port), "-f", vcl, "-s", "malloc,32m")
	all := drive(t, fmt.Sprintf("http://127.0.0.1:%d", port), "")
	// The log is in shared memory.
	read := func(args ...string) []byte {
		return poll(t, "varnishncsa", func() ([]byte, error) {
			text, err := exec.Command(ncsa, append([]string{"-n", work, "-d"}, args...)...).Output()
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("varnishncsa: %w: %s", err, exit.Stderr)
			}
			return text, err
		})
	}
	combined := read()
	layout := `%{Host}i %t "%m %U%q" %s %b %{Varnish:hitmiss}x "%{User-agent}i"`
	own := read("-F", layout)
	compare(t, combined, "combined", nil, all, bodySizes, true)
	d := compare(t, own, "log-format", Args{"log-format": layout}, all, bodySizes, true)
	reports(t, d, verdictOf(all, bodySizes))
}

func TestServerHAProxy(t *testing.T) {
	haproxy := program(t, "haproxy")
	for _, test := range []struct{ name, option string }{
		{"httplog", "option httplog"},
		{"clf", "option httplog clf"},
		{"own", `log-format '%{+Q}[capture.req.hdr(0)] %{+Q}o [%T] %Ts.%ms %HM %HP%HQ %ST %B %{-Q}ci %b/%s %hr %hs %[capture.req.ver] %tsc'`},
		{"bare", `log-format %tr\ %[method]\ %HU\ %ST\ %B\ %hr\ %hs\ %{+Q}r`},
	} {
		t.Run(test.name, func(t *testing.T) { testHAProxy(t, haproxy, test.name, test.option) })
	}
}

func testHAProxy(t *testing.T, haproxy, name, option string) {
	s := newSite(t)
	port := freePort(t)
	syslog, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer syslog.Close()
	conf := s.write(t, "haproxy.cfg", strings.NewReplacer("OPTION", option, "PORT", fmt.Sprint(port), "ORIGIN", s.origin(t), "SYSLOG", syslog.LocalAddr().String()).Replace(`
global
  log SYSLOG len 8192 format rfc3164 local0
defaults
  mode http
  log global
  OPTION
  timeout connect 10s
  timeout client 10s
  timeout server 10s
frontend http-in
  bind 127.0.0.1:PORT
  capture request header Host len 64
  capture request header User-Agent len 64
  default_backend static
backend static
  server srv1 ORIGIN
`))
	start(t, s, port, syscall.SIGTERM, haproxy, "-db", "-f", conf)
	all := drive(t, fmt.Sprintf("http://127.0.0.1:%d", port), "")
	var log []byte
	b := make([]byte, 1<<16)
	syslog.SetReadDeadline(time.Now().Add(serverTimeout))
	for !bytes.Contains(log, []byte(lastPath)) {
		n, _, err := syslog.ReadFrom(b)
		if err != nil {
			t.Fatalf("the log lacks the last request: %v\n%s", err, log)
		}
		log = append(append(log, bytes.TrimRight(b[:n], "\n\x00")...), '\n')
	}
	host := name != "clf" // where headers are a list of strings
	d := compare(t, log, "log-format", Args{"log-format": "@" + conf + ":http-in"}, all, aboutWire, host)
	reports(t, d, "sizes are bytes sent, which may include response headers (header-bytes=0)")
	if name != "httplog" {
		return
	}
	d = compare(t, log, "haproxy", Args{"captures": "host,user-agent"}, all, aboutWire, true)
	reports(t, d, "sizes are bytes sent, which may include response headers (header-bytes=0)")
	compare(t, log, "haproxy", nil, all, aboutWire, false)
}
