package traces_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"cachesim/traces"
	"cachesim/traces/gen"
)

// BenchmarkLoad reads traces of 10,000,000 requests for some 900,000 objects.
func BenchmarkLoad(b *testing.B) {
	if testing.Short() {
		b.Skip("it makes files of hundreds of megabytes")
	}
	o := gen.Default
	o.Requests, o.Objects, o.Skew = 10_000_000, 1_000_000, 0.8
	for _, format := range []string{"oracleGeneral", "id-size", "cachesim"} {
		b.Run("format="+format, func(b *testing.B) {
			o.Format = format
			path := filepath.Join(b.TempDir(), "trace")
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			if err := gen.Write(f, o); err != nil {
				b.Fatal(err)
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				t, err := traces.Open([]string{path}, traces.Options{Format: format})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&after)
				if t.Requests != o.Requests {
					b.Fatalf("%d requests, want %d", t.Requests, o.Requests)
				}
				runtime.KeepAlive(t)
				b.StartTimer()
			}
			n := float64(b.N * o.Requests)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/req")
			b.ReportMetric(n/b.Elapsed().Seconds(), "req/s")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(o.Requests), "heap-B/req")
		})
	}
}

// BenchmarkCached opens a trace that is in the trace cache: all that is read are
// its columns, to compare them with their checksums.
func BenchmarkCached(b *testing.B) {
	if testing.Short() {
		b.Skip("it makes files of hundreds of megabytes")
	}
	o := gen.Default
	o.Requests, o.Objects, o.Skew = 10_000_000, 1_000_000, 0.8
	path := filepath.Join(b.TempDir(), "trace")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := gen.Write(f, o); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	cached := traces.Options{Cache: b.TempDir()}
	open := func() {
		t, err := traces.Open([]string{path}, cached)
		if err != nil {
			b.Fatal(err)
		}
		if err := t.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("write", func(b *testing.B) { // loading included
		for b.Loop() {
			if err := traces.ClearCache(cached.Cache); err != nil {
				b.Fatal(err)
			}
			open()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*o.Requests), "ns/req")
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			open()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*o.Requests), "ns/req")
	})
}
