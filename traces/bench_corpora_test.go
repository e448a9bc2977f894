package traces

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkCorpora decodes formats from memory, and reports ns a record.
func BenchmarkCorpora(b *testing.B) {
	const lines = 200_000
	text := func(header, format string, args func(r *rand.Rand, i int) []any) []byte {
		var w bytes.Buffer
		w.WriteString(header)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range lines {
			fmt.Fprintf(&w, format, args(r, i)...)
		}
		return w.Bytes()
	}
	for _, c := range []struct {
		format string
		args   Args
		data   []byte
	}{
		{"csv", nil, text("time,id,size\n", "%d,%d,%d\n", func(r *rand.Rand, i int) []any { return []any{1700000000 + i/100, r.IntN(100_000), r.IntN(5000)} })},
		{"csv", nil, text("version,time,op,size,lbn\n", "1,%d,2a,%d,%d\n", func(r *rand.Rand, i int) []any { return []any{1700000000 + i/100, r.IntN(100_000), r.IntN(5000)} })},
		{"csv", nil, text("time,id,size\n", "\"%d\",\"/img/%d.jpg\",\"%d\"\n", func(r *rand.Rand, i int) []any { return []any{1700000000 + i/100, r.IntN(100_000), r.IntN(5000)} })},
		{"id", nil, text("", "%d\n", func(r *rand.Rand, i int) []any { return []any{r.IntN(1_000_000)} })},
		{"twitter", nil, text("", "%d,k:%d,8,%d,17,get,0\n", func(r *rand.Rand, i int) []any { return []any{i / 1000, r.IntN(100_000), r.IntN(5000)} })},
		{"tencent-block", nil, text("", "%d,%d,%d,0,%d\n", func(r *rand.Rand, i int) []any { return []any{1538323200 + i/100, r.IntN(1 << 28), 8, r.IntN(16)} })},
		{"standardBinIQI", nil, []byte(strings.Repeat("\x64\x00\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\xe8\x03\x00\x00", lines))},
	} {
		b.Run("format="+c.format, func(b *testing.B) {
			dst := make([]Record, 2048)
			b.ReportAllocs()
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				d := newDecoder(b, c.format, c.args, bytes.NewReader(c.data))
				total := 0
				for {
					n, err := d.Decode(dst)
					total += n
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				if total != lines {
					b.Fatalf("%d records, want %d", total, lines)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/record")
		})
	}
}
