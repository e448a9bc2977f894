package traces

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"cachesim/sim"
)

// A trace of 100,000,000 requests for 1,000,000 objects needs less than 1 GiB in
// a spool, while it is loaded and read with next accesses. It takes some 2 GB of
// disk space, so it has to be asked for.
func TestResidentMemory(t *testing.T) {
	if os.Getenv("CACHESIM_LARGE") == "" {
		t.Skip("it needs 2 GB on disk: set CACHESIM_LARGE=1")
	}
	const n, objects = 100_000_000, 1_000_000
	trace, err := Read(&oracleStream{left: n, objects: objects, r: rand.New(rand.NewPCG(1, 2))}, "t",
		Options{Format: "oracleGeneral", Memory: 64 << 20, Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeTrace(t, trace)
	if trace.Requests != n || trace.Objects > objects || !isSpool(trace) {
		t.Fatalf("got %+v", trace)
	}
	read := 0
	if err := trace.Each(sim.ColumnNext, func(_ int, b sim.Batch) error { read += len(b.Next); return nil }); err != nil || read != n {
		t.Errorf("read %d requests, %v", read, err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d MiB from the system", m.Sys>>20)
	if m.Sys > 1<<30 {
		t.Errorf("it took %d bytes from the system, want less than 1 GiB", m.Sys)
	}
}

// An oracleStream makes up records in format oracleGeneral.
type oracleStream struct {
	left, objects int
	r             *rand.Rand
	record        [oracleRecord]byte
	rest          []byte
}

func (s *oracleStream) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(s.rest) == 0 {
			if s.left == 0 {
				break
			}
			s.left--
			x := s.r.Float64()
			binary.LittleEndian.PutUint64(s.record[4:], uint64(x*x*x*float64(s.objects)))
			binary.LittleEndian.PutUint32(s.record[12:], 1000)
			binary.LittleEndian.PutUint64(s.record[16:], 1<<64-1)
			s.rest = s.record[:]
		}
		k := copy(p[n:], s.rest)
		s.rest = s.rest[k:]
		n += k
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
