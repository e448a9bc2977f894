package traces

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Traces of others, which are not part of the repository, have the sums that
// are known of them. CACHESIM_DATA names the folder they are in, and makes
// their absence a failure.
func TestKnownTraces(t *testing.T) {
	type sums struct {
		requests, objects             int
		footprint, requested, largest int64 // bytes; largest 0: not known
		changes                       int
	}
	tests := []struct {
		file, format string
		want         sums
	}{
		{"web-1m.dat.gz", "id-size", sums{1_000_000, 5_550, 73_838_374, 3_509_304_478, 0, 27_016}},
		{"cloudPhysicsIO.oracleGeneral.bin", "oracleGeneral", sums{113_872, 48_974, 2_029_769_728, 4_368_040_448, 69_632, 0}},
	}
	dir, demanded := os.LookupEnv("CACHESIM_DATA")
	if !demanded {
		dir = filepath.FromSlash("../../shared/data")
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			trace, err := Open([]string{filepath.Join(dir, test.file)}, Options{})
			if errors.Is(err, fs.ErrNotExist) && !demanded {
				t.Skipf("%v; set CACHESIM_DATA to the folder that has it", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			got := sums{trace.Requests, trace.Objects, trace.Footprint, trace.RequestBytes, trace.LargestSize, trace.SizeChanges}
			if test.want.largest == 0 {
				got.largest = 0
			}
			if got != test.want || trace.Format != test.format {
				t.Errorf("got %s %+v\nwant %s %+v", trace.Format, got, test.format, test.want)
			}
		})
	}
}
