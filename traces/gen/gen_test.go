package gen

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"cachesim/sim"
	"cachesim/traces"
)

func small() Options {
	o := Default
	o.Requests, o.Objects = 50_000, 5000
	return o
}

func write(t testing.TB, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func load(t testing.TB, o Options) (*sim.Trace, []sim.Request) {
	t.Helper()
	trace, err := traces.Read(bytes.NewReader(write(t, o)), "t", traces.Options{Format: o.Format})
	if err != nil {
		t.Fatal(err)
	}
	var reqs []sim.Request
	if err := trace.Each(0, func(_ int, b sim.Batch) error { reqs = append(reqs, b.Requests...); return nil }); err != nil {
		t.Fatal(err)
	}
	return trace, reqs
}

func TestSeeds(t *testing.T) {
	o := small()
	a := write(t, o)
	if !bytes.Equal(a, write(t, o)) {
		t.Error("the same seed makes another trace")
	}
	o.Seed++
	if bytes.Equal(a, write(t, o)) {
		t.Error("another seed makes the same trace")
	}
}

// Requests of the k-th object follow k^-skew.
func TestZipf(t *testing.T) {
	for _, skew := range []float64{0, 0.6, 1, 1.4} {
		o := small()
		o.Requests, o.Objects, o.Skew = 200_000, 100, skew
		trace, reqs := load(t, o)
		counts := make([]int, trace.Objects)
		for _, r := range reqs {
			counts[r.ID]++
		}
		slices.SortFunc(counts, func(a, b int) int { return b - a })
		var sum float64
		for k := range o.Objects {
			sum += math.Pow(float64(k+1), -skew)
		}
		for _, k := range []int{0, 1, 9, 49} {
			want := float64(o.Requests) * math.Pow(float64(k+1), -skew) / sum
			// Ranks are by count, which moves them by chance: 4 sigma and 3 %.
			if d := math.Abs(float64(counts[k]) - want); d > 4*math.Sqrt(want)+0.03*want {
				t.Errorf("skew %v: rank %d has %d requests, want about %.0f", skew, k+1, counts[k], want)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	base, _ := load(t, small())
	if base.Tick != time.Second || base.Span < 80_000 || base.Span > 93_000 {
		t.Errorf("a day spans %d times %v", base.Span, base.Tick)
	}
	if base.SizeChanges != 0 {
		t.Errorf("%d size changes", base.SizeChanges)
	}

	o := small()
	o.Drift = 3
	if drift, _ := load(t, o); drift.Objects < base.Objects*3/2 {
		t.Errorf("with drift %d objects, without %d", drift.Objects, base.Objects)
	}

	o = small()
	o.Scan, o.ScanLength, o.ScanObjects = 0.3, 500, 1_000_000
	scan, reqs := load(t, o)
	inScan := 0
	for i, r := range reqs[1:] {
		if r.ID == reqs[i].ID+1 && trace0(scan, r.ID) > o.Objects {
			inScan++
		}
	}
	if share := float64(inScan) / float64(len(reqs)); math.Abs(share-0.3) > 0.07 {
		t.Errorf("%.3f of the requests are in scans, want about 0.3", share)
	}

	o = small()
	o.SizeSigma, o.SizeTail, o.MedianSize = 0, 0, 512
	if fixed, reqs := load(t, o); fixed.LargestSize != 512 || reqs[7].Size != 512 {
		t.Errorf("sizes of 512 bytes: the largest is %d", fixed.LargestSize)
	}
}

// trace0 returns the number that an object has in the file.
func trace0(t *sim.Trace, id uint32) int {
	n := 0
	for _, c := range t.ObjectName(id) {
		n = n*10 + int(c-'0')
	}
	return n
}

func TestOperations(t *testing.T) {
	o := small()
	o.Format, o.Sets, o.Deletes, o.TTL = "csv", 0.2, 0.1, 0.5
	lines := bytes.Split(write(t, o), []byte("\n"))
	if got := string(lines[0]); got != "time,id,size,op,ttl" {
		t.Fatalf("header %q", got)
	}
	count := map[string]int{}
	for _, line := range lines[1 : len(lines)-1] {
		f := bytes.Split(line, []byte(","))
		count[string(f[3])]++
		count["ttl "+string(f[4])]++
	}
	n := float64(o.Requests)
	for what, share := range map[string]float64{"get": 0.7, "set": 0.2, "delete": 0.1} {
		if got := float64(count[what]) / n; math.Abs(got-share) > 0.02 {
			t.Errorf("%s: a share of %.3f, want %v", what, got, share)
		}
	}
	for _, ttl := range []string{"ttl 0", "ttl 60", "ttl 3600", "ttl 86400"} {
		if count[ttl] == 0 {
			t.Errorf("no request has %s", ttl)
		}
	}
	o.Format = "oracleGeneral"
	if err := Write(&bytes.Buffer{}, o); err == nil || !strings.Contains(err.Error(), "the format has no operations") {
		t.Errorf("operations as oracleGeneral: got the error %v", err)
	}
}

func TestWrongOptions(t *testing.T) {
	for what, f := range map[string]func(*Options){
		"no requests": func(o *Options) { o.Requests = 0 }, "no objects": func(o *Options) { o.Objects = 0 },
		"negative skew": func(o *Options) { o.Skew = -1 }, "not a number": func(o *Options) { o.Drift = math.NaN() },
		"a share above 1": func(o *Options) { o.Sets = 1.5 }, "no median": func(o *Options) { o.MedianSize = 0 },
		"a negative duration": func(o *Options) { o.Duration = -1 }, "no format": func(o *Options) { o.Format = "oracel" },
	} {
		o := small()
		f(&o)
		if err := Write(&bytes.Buffer{}, o); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	o := Default
	o.Requests, o.Objects = 1_000_000, 300_000
	b.Run("format="+o.Format, func(b *testing.B) {
		for b.Loop() {
			if _, err := generate(o); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*o.Requests), "ns/req")
	})
}

// TestLCSHeader reads a generated trace whose header has the sums of its sizes.
func TestLCSHeader(t *testing.T) {
	o := Default
	o.Requests, o.Objects, o.Format = 1000, 100, "lcs"
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		t.Fatal(err)
	}
	trace, err := traces.Read(&b, "t", traces.Options{})
	if err != nil || trace.Requests != 1000 || trace.Format != "lcs" || len(trace.Notes) != 1 {
		t.Errorf("got %+v, %v; want no note but that on the format", trace, err)
	}
}
