package traces

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cachesim/sim"
	"time"
)

// TestCacheOfConfiguredLayout changes the server's configuration between two
// reads of a log: the second must not be served from the cache.
func TestCacheOfConfiguredLayout(t *testing.T) {
	always(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	log := writeFile(t, filepath.Join(dir, "access.log"), []byte("1 2 /a\n3 4 /b\n"))
	o := Options{Format: "log-format", Cache: t.TempDir(), Params: map[string]string{"log-format": "@" + conf + ":main"}}
	load := func(layout string, cached bool, footprint int64) {
		t.Helper()
		writeFile(t, conf, []byte("log_format main '"+layout+"';\n"))
		trace, err := Open([]string{log}, o)
		if err != nil {
			t.Fatal(err)
		}
		defer closeTrace(t, trace)
		if isSpool(trace) != cached || trace.Footprint != footprint {
			t.Errorf("%s: from the cache %v, footprint %d, want %v, %d", layout, isSpool(trace), trace.Footprint, cached, footprint)
		}
	}
	load("$body_bytes_sent $pid $request_uri", false, 1+3)
	load("$pid $body_bytes_sent $request_uri", false, 2+4)
	load("$body_bytes_sent $pid $request_uri", true, 1+3)
	if got := o.Params["log-format"]; got != "@"+conf+":main" {
		t.Errorf("the caller's parameter is now %q", got)
	}
}

// TestTimeUnitParameter gives the unit of time to formats that read fractions of
// it, which a longer tick would lose.
func TestTimeUnitParameter(t *testing.T) {
	params := map[string]string{"columns": "time=1,id=2"}
	for _, test := range []struct {
		format, data string
		params       map[string]string
		unit         time.Duration
		span         time.Duration
	}{
		{"csv", "0,a\n1.5,b\n", params, 0, 1500 * time.Millisecond},
		{"csv", "0,a\n1.5,b\n", params, time.Millisecond, 1500 * time.Microsecond},
		{"csv", "time,id\n2024-01-01T00:00:00Z,a\n2024-01-01T00:00:01Z,b\n", params, time.Millisecond, time.Second},
		{"tsv", "0\ta\n1.5\tb\n", params, time.Microsecond, 1500 * time.Nanosecond},
		{"binary", "\x00\x00a\x00\x01\x00b\x00", map[string]string{"format": "<HH", "id": "2", "time": "1"}, time.Millisecond, time.Millisecond},
		{"kv-jsonl", `{"timestamp":0,"input_length":1,"hash_ids":[1]}` + "\n" + `{"timestamp":7,"input_length":1,"hash_ids":[1]}` + "\n", nil, time.Second, 7 * time.Second},
		{"time-id-size", "0 a 1\n7 a 1\n", nil, time.Millisecond, 7 * time.Millisecond},
	} {
		trace, err := Read(strings.NewReader(test.data), "t", Options{Format: test.format, Params: test.params, TimeUnit: test.unit})
		if err != nil {
			t.Errorf("%s in %v: %v", test.format, test.unit, err)
			continue
		}
		if got := time.Duration(trace.Span) * trace.Tick; got != test.span {
			t.Errorf("%s in %v spans %v, want %v", test.format, test.unit, got, test.span)
		}
	}
	err := readError(t, "0,a\n", Options{Format: "csv", Params: params, TimeUnit: 100 * time.Nanosecond})
	if !strings.Contains(err.Error(), "cannot be 100ns") {
		t.Error(err)
	}
	err = readError(t, "0,a\n", Options{Format: "csv", Params: map[string]string{"columns": "time=1,id=2", "time-unit": "s"}, TimeUnit: time.Second})
	if !strings.Contains(err.Error(), "given twice") {
		t.Error(err)
	}
}

// TestDecoderIsClosed reads the start of a Parquet stream: its copy in a
// temporary file must go.
func TestDecoderIsClosed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	data := testFile("testdata/pelikan.parquet")
	trace, err := Read(strings.NewReader(data), "t", Options{Limit: 1, Ops: IgnoreOps})
	if err != nil || trace.Requests != 1 {
		t.Fatalf("%+v, %v", trace, err)
	}
	if left, err := os.ReadDir(os.TempDir()); len(left) > 0 || err != nil {
		t.Errorf("%v is left behind (%v)", left, err)
	}
}

// TestCommentedHeader detects a table whose header line is a comment, as those
// of the Twitter traces that libCacheSim has.
func TestCommentedHeader(t *testing.T) {
	const data = "# time, object, size, next_access_vtime\n0, 3345071, 100, 3\n1, 12, 120, -1\n2, 3345071, 100, -1\n"
	for _, o := range []Options{{}, {Format: "csv", Params: map[string]string{"columns": "time=time,id=object,size=3"}}} {
		trace, err := Read(strings.NewReader(data), "t", o)
		if err != nil {
			t.Fatal(err)
		}
		if trace.Format != "csv" || trace.Requests != 3 || trace.Footprint != 220 || time.Duration(trace.Span)*trace.Tick != 2*time.Second {
			t.Errorf("read as %+v", trace)
		}
	}
}

// TestCostColumns reads costs and latencies by columns, of the requests that are
// replayed only, whether these are kept in memory or in a file.
func TestCostColumns(t *testing.T) {
	text := "1,a,10,get,2.5,100,5000\n2,b,20,set,9,9,9\n3,a,10,get,0.25,120,0\n4,c,30,get,7,90,4294967295\n"
	columns := "time=1,id=2,size=3,op=4,cost=5,hit_us=6,miss_us=7"
	for _, memory := range []int64{0, 1} {
		tr, err := Read(strings.NewReader(text), "t", Options{Format: "csv", Params: map[string]string{"columns": columns, "header": "no"}, Memory: memory, Skip: 1})
		if err != nil {
			t.Fatal(err)
		}
		want := &sim.RequestCosts{Cost: []float64{0.25, 7}, Hit: []uint32{120, 90}, Miss: []uint32{0, 4294967295}}
		if !reflect.DeepEqual(tr.RequestCosts, want) || tr.Requests != 2 {
			t.Errorf("memory %d: %d requests, costs %+v, want %+v", memory, tr.Requests, tr.RequestCosts, want)
		}
		closeTrace(t, tr)
	}
	plain, err := Read(strings.NewReader(text), "t", Options{Format: "csv", Params: map[string]string{"columns": "time=1,id=2,size=3,cost=5", "header": "no"}})
	if err != nil || plain.RequestCosts.Hit != nil || len(plain.RequestCosts.Cost) != 4 {
		t.Errorf("one column: %+v, %v", plain.RequestCosts, err)
	}
	for bad, want := range map[string]string{"1,a,10,get,-1,1,1": "cost", "1,a,10,get,x,1,1": "cost", "1,a,10,get,1,1.5,1": "hit_us", "1,a,10,get,1,1,4294967296": "miss_us"} {
		if _, err := Read(strings.NewReader(bad+"\n"), "t", Options{Format: "csv", Params: map[string]string{"columns": columns, "header": "no"}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %s", bad, err, want)
		}
	}
}
